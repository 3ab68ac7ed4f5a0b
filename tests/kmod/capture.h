/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A packet into a TUN device, and the mark that the rules of rule.h gave it: the rule logs it
 * (nfnetlink_log), which happens before write(2) on the device returns.
 */
#ifndef TESTS_KMOD_CAPTURE_H
#define TESTS_KMOD_CAPTURE_H

#include "tests/kmod/rule.h"
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

struct capture {
	int tun;
	struct nl log;
};

static inline int capture_config(struct capture *c, uint16_t type, const void *data, size_t len)
{
	const struct nfgenmsg header = {.nfgen_family = AF_UNSPEC, .res_id = htons(RULE_GROUP)};
	struct nl_msg m;

	nl_begin(&m, NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_CONFIG, 0, &header, sizeof(header));
	nl_put(&m, type, data, len);
	return nl_ask(&c->log, &m, NULL, NULL);
}

static inline int capture_bind(struct capture *c)
{
	const struct nfulnl_msg_config_cmd bind = {.command = NFULNL_CFG_CMD_BIND};
	const struct nfulnl_msg_config_mode mode = {.copy_mode = NFULNL_COPY_META};
	const __be32 one = htonl(1);
	int r = nl_open(&c->log, NETLINK_NETFILTER);

	r = r ?: capture_config(c, NFULA_CFG_CMD, &bind, sizeof(bind));
	r = r ?: capture_config(c, NFULA_CFG_MODE, &mode, sizeof(mode));
	return r ?: capture_config(c, NFULA_CFG_QTHRESH, &one, sizeof(one));
}

/* 0 or -errno. */
static inline int capture_open(struct capture *ret)
{
	struct ifreq ifr = {.ifr_flags = IFF_TUN | IFF_NO_PI, .ifr_name = "probe"};

	ret->tun = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (ret->tun < 0 || ioctl(ret->tun, TUNSETIFF, &ifr))
		return -errno;
	if (system("ip link set probe up"))
		return -EIO;
	return capture_bind(ret);
}

static inline void capture_close(struct capture *c)
{
	close(c->tun);
	nl_close(&c->log);
}

static inline int capture_take(const struct nlmsghdr *h, uint32_t *ret)
{
	static const struct attr_size sizes[NFULA_MARK + 1] = {[NFULA_MARK] = ATTR_U32};
	const struct nlattr *tb[NFULA_MARK + 1];
	int r = attr_parse(h, sizeof(struct nfgenmsg), sizes, NFULA_MARK + 1, tb);

	if (r)
		return r;
	*ret = ntohl(attr_u32(tb[NFULA_MARK], 0));
	return 0;
}

/* What came of one IP packet.  0, -EAGAIN: the rule did not log it; -errno. */
static inline int capture_mark(struct capture *c, const void *packet, size_t len, uint32_t *ret)
{
	char buf[4096];
	ssize_t n = write(c->tun, packet, len);

	if (n != (ssize_t)len)
		return n < 0 ? -errno : -EIO;
	n = recv(mnl_socket_get_fd(c->log.sock), buf, sizeof(buf), MSG_DONTWAIT);
	return n < 0 ? -errno : capture_take((const struct nlmsghdr *)buf, ret);
}

#endif

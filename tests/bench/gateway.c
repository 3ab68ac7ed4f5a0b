// SPDX-License-Identifier: GPL-2.0-or-later
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/ethtool.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "cache.h"
#include "gateway.h"
#include "user/base/defs.h"

bool gateway_has(const struct gateway *gw, enum gateway_flag flag)
{
	return strchr(gw->flags, flag);
}

static int enter(int ns)
{
	return setns(ns, CLONE_NEWNET) < 0 ? -errno : 0;
}

static int open_netns(const char *name)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/run/netns/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int gateway_enter(const struct gateway *gw)
{
	return enter(gw->ns);
}

/* What must be opened inside. */
static int open_inside(struct gateway *gw)
{
	int r = gateway_enter(gw);

	if (r < 0)
		return r;
	gw->lan = if_nametoindex("lan0");
	gw->wan1 = if_nametoindex("wan1");
	if (!gw->lan || !gw->wan1)
		return -errno;
	gw->conntrack = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	if (!gw->conntrack)
		return -errno;
	if (mnl_socket_bind(gw->conntrack, 0, MNL_SOCKET_AUTOPID) < 0)
		return -errno;
	return gateway_has(gw, GATEWAY_CACHE) ? cache_open(&gw->maps) : 0;
}

int gateway_open(const char *spec, struct gateway *ret_gateway)
{
	struct gateway gw = {.ns = -1, .ends = -1};
	char ns[64], ends[64];
	int r;

	if (sscanf(spec, "%31[^:]:%u:%63[^:]:%63[^:]:%7s", gw.variant, &gw.links, ns, ends,
	           gw.flags) < 4)
		return -EINVAL;
	object_init(&gw.maps);
	gw.ns = open_netns(ns);
	gw.ends = open_netns(ends);
	r = gw.ns < 0 ? gw.ns : gw.ends < 0 ? gw.ends : open_inside(&gw);
	if (r < 0) {
		gateway_close(&gw);
		return r;
	}
	*ret_gateway = gw;
	return 0;
}

void gateway_close(struct gateway *gw)
{
	cleanup_close(&gw->ns);
	cleanup_close(&gw->ends);
	if (gw->conntrack)
		mnl_socket_close(gw->conntrack);
	object_done(&gw->maps);
}

/* With GRO veth receives by NAPI, as a network card does; without, by the backlog. */
static int set_gro(const char *device)
{
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ethtool_value gro = {.cmd = ETHTOOL_SGRO, .data = 1};
	struct ifreq req = {.ifr_data = (void *)&gro};

	snprintf(req.ifr_name, sizeof(req.ifr_name), "%s", device);
	return fd < 0 || ioctl(fd, SIOCETHTOOL, &req) < 0 ? -errno : 0;
}

/* libbpf complains when there is one. */
static int make_hook(struct bpf_tc_hook *hook)
{
	libbpf_print_fn_t print = libbpf_set_print(NULL);
	int r = bpf_tc_hook_create(hook);

	libbpf_set_print(print);
	return r == -EEXIST ? 0 : r;
}

/* After all other programs of the device. */
static int attach(const char *device, enum bpf_tc_attach_point point, int prog_fd)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = if_nametoindex(device), .attach_point = point);
	LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = prog_fd, .priority = UINT16_MAX);

	if (!hook.ifindex)
		return -ENODEV;
	return make_hook(&hook) ?: bpf_tc_attach(&hook, &opts);
}

typedef int (*device_fn)(const char *device, const struct gateway *gw,
                         const struct gateway_programs *progs);

/* fn for PREFIX1..PREFIXlinks */
static int for_links(const struct gateway *gw, const char *prefix, device_fn fn,
                     const struct gateway_programs *progs)
{
	char device[IFNAMSIZ];
	int r = 0;

	for (unsigned int i = 1; !r && i <= gw->links; i++) {
		snprintf(device, sizeof(device), "%s%u", prefix, i);
		r = fn(device, gw, progs);
	}
	return r;
}

static int attach_far(const char *device, const struct gateway *gw,
                      const struct gateway_programs *progs)
{
	return set_gro(device) ?: attach(device, BPF_TC_INGRESS, progs->reflect);
}

static int attach_wan(const char *device, const struct gateway *gw,
                      const struct gateway_programs *progs)
{
	bool tun = gateway_has(gw, GATEWAY_TUN);
	int r = tun ? attach(device, BPF_TC_EGRESS, progs->reflect_tun) : set_gro(device);

	if (r || !gateway_has(gw, GATEWAY_WIRE))
		return r;
	return attach(device, BPF_TC_INGRESS, tun ? progs->wire_in_tun : progs->wire_in);
}

int gateway_attach(const struct gateway *gw, const struct gateway_programs *progs)
{
	int r = enter(gw->ends);

	if (!r && !gateway_has(gw, GATEWAY_TUN))
		r = for_links(gw, "far", attach_far, progs);
	if (!r)
		r = set_gro("client");
	if (!r)
		r = attach("client", BPF_TC_INGRESS, progs->sink);
	if (!r)
		r = gateway_enter(gw);
	if (!r)
		r = for_links(gw, "wan", attach_wan, progs);
	if (!r && gateway_has(gw, GATEWAY_WIRE))
		r = attach("lan0", BPF_TC_INGRESS, progs->wire_out);
	return r;
}

static int delete_connections(const struct gateway *gw)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *nfg;
	ssize_t n;

	nlh->nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	nfg = mnl_nlmsg_put_extra_header(nlh, sizeof(*nfg));
	nfg->nfgen_family = AF_UNSPEC;
	nfg->version = NFNETLINK_V0;
	if (mnl_socket_sendto(gw->conntrack, nlh, nlh->nlmsg_len) < 0)
		return -errno;
	n = mnl_socket_recvfrom(gw->conntrack, buf, sizeof(buf));
	if (n < 0 || mnl_cb_run(buf, n, 0, mnl_socket_get_portid(gw->conntrack), NULL, NULL) < 0)
		return -errno;
	return 0;
}

int gateway_flush(const struct gateway *gw)
{
	int r = delete_connections(gw);

	return r || !gateway_has(gw, GATEWAY_CACHE) ? r : cache_forget(&gw->maps);
}

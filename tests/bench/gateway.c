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

#include "gateway.h"
#include "user/base/defs.h"

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
	return mnl_socket_bind(gw->conntrack, 0, MNL_SOCKET_AUTOPID) < 0 ? -errno : 0;
}

int gateway_open(const char *spec, struct gateway *ret_gateway)
{
	struct gateway gw = {.ns = -1, .ends = -1};
	char ns[64], ends[64], flags[8] = "";
	int r;

	if (sscanf(spec, "%31[^:]:%u:%63[^:]:%63[^:]:%7s", gw.variant, &gw.links, ns, ends, flags) <
	    4)
		return -EINVAL;
	gw.translates = strchr(flags, 'n');
	gw.ipv6 = strchr(flags, '6');
	gw.wire = strchr(flags, 'w');
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

static int attach(const char *device, int prog_fd)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = if_nametoindex(device),
	            .attach_point = BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = prog_fd);
	int r;

	if (!hook.ifindex)
		return -ENODEV;
	r = bpf_tc_hook_create(&hook);
	return r < 0 && r != -EEXIST ? r : bpf_tc_attach(&hook, &opts);
}

/* PREFIX1..PREFIXlinks */
static int attach_all(const char *prefix, unsigned int links, int prog_fd)
{
	char device[IFNAMSIZ];
	int r = 0;

	for (unsigned int i = 1; !r && i <= links; i++) {
		snprintf(device, sizeof(device), "%s%u", prefix, i);
		r = set_gro(device);
		if (!r && prog_fd >= 0)
			r = attach(device, prog_fd);
	}
	return r;
}

int gateway_attach(const struct gateway *gw, const struct gateway_programs *progs)
{
	int r = enter(gw->ends);

	if (!r)
		r = attach_all("far", gw->links, progs->reflect);
	if (!r)
		r = set_gro("client");
	if (!r)
		r = attach("client", progs->sink);
	if (!r)
		r = gateway_enter(gw);
	if (!r)
		r = attach_all("wan", gw->links, gw->wire ? progs->wire_in : -1);
	return r || !gw->wire ? r : attach("lan0", progs->wire_out);
}

int gateway_flush(const struct gateway *gw)
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

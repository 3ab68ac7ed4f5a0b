/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Relays next to each other: a namespace each, with a TUN device w-a that packets come by and w-c.
 */
#ifndef TESTS_BENCH_OVERLAY_LANES_H
#define TESTS_BENCH_OVERLAY_LANES_H

#include "apply/tc.h"
#include "bpf/overlay_abi.h"
#include "overlay.skel.h"
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/pkt_cls.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

struct lane;

struct kind {
	const char *name, *what;
	void (*setup)(struct lane *l);
	bool drops; /* nothing comes out */
};

struct lane {
	const struct kind *kind;
	int in, out; /* descriptors of the devices; in may be a socket */
	size_t skip; /* bytes of a packet that the socket adds by itself */
	unsigned int in_index, out_index;
};

static inline void lane_die(const char *what)
{
	fprintf(stderr, "transit: %s: %s\n", what,
		errno ? strerror(errno) : "not what should come out");
	exit(EXIT_FAILURE);
}

static inline int lane_tun(const char *name)
{
	struct ifreq ifr = {.ifr_flags = IFF_TUN | IFF_NO_PI};
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &ifr))
		lane_die("/dev/net/tun");
	return fd;
}

static inline void lane_run(const char *commands)
{
	if (system(commands))
		lane_die(commands);
}

/* Like WireGuard's, the devices have no queue of their own. */
static inline void lane_open(struct lane *l, const struct kind *kind)
{
	if (unshare(CLONE_NEWNET))
		lane_die("namespace");
	*l = (struct lane){.kind = kind, .in = lane_tun("w-a"), .out = lane_tun("w-c")};
	lane_run("for d in w-a w-c; do ip link set $d txqueuelen 500 up; "
		 "tc qdisc replace dev $d root noqueue; done");
	l->in_index = if_nametoindex("w-a");
	l->out_index = if_nametoindex("w-c");
	kind->setup(l);
}

static inline int lane_drain(const struct lane *l)
{
	char data[2048];
	int n = 0;

	while (read(l->out, data, sizeof(data)) > 0)
		n += data[0] >> 4 == 4 ? data[19] == 3 : data[39] == 3; /* not the stack's own */
	errno = 0;
	return n;
}

static inline void lane_attach(const struct lane *l, int program)
{
	struct tc_hook hook = {.ifindex = l->in_index};
	bool made;

	if (program < 0 || tc_attach(&hook, program, -1, &made))
		lane_die("program");
}

static inline int lane_load(const struct bpf_insn *insns, size_t n)
{
	return bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "lane", "GPL", insns, n, NULL);
}

#define INSN(c, d, v)                                                                              \
	{                                                                                          \
		.code = (c), .dst_reg = (d), .imm = (int)(v)                                       \
	}

static inline void drop_setup(struct lane *l)
{
	const struct bpf_insn insns[] = {INSN(BPF_ALU64 | BPF_MOV | BPF_K, 0, TC_ACT_SHOT),
					 INSN(BPF_JMP | BPF_EXIT, 0, 0)};

	lane_attach(l, lane_load(insns, 2));
}

static inline void redirect_setup(struct lane *l)
{
	const struct bpf_insn insns[] = {INSN(BPF_ALU64 | BPF_MOV | BPF_K, 1, l->out_index),
					 INSN(BPF_ALU64 | BPF_MOV | BPF_K, 2, 0),
					 INSN(BPF_JMP | BPF_CALL, 0, BPF_FUNC_redirect),
					 INSN(BPF_JMP | BPF_EXIT, 0, 0)};

	lane_attach(l, lane_load(insns, 4));
}

static inline void overlay_prefix(struct overlay_bpf *skel, const char *addr, uint8_t node)
{
	struct ov_prefix_key key = {.prefixlen = 128};
	struct ov_prefix value = {.node = node, .self = node == 1};

	inet_pton(AF_INET6, addr, &key.addr);
	if (bpf_map_update_elem(bpf_map__fd(skel->maps.ov_prefixes), &key, &value, BPF_ANY))
		lane_die("prefix");
}

/* Fifty nodes, so that the look-up is one. */
static inline void overlay_setup(struct lane *l)
{
	struct overlay_bpf *skel = overlay_bpf__open_and_load();
	struct ov_config c = {
		.abi = OV_ABI, .overlay = l->in_index, .mark_mask = 0xff0000, .mark_shift = 16};
	struct ov_node n = {.direct = l->out_index};
	uint32_t zero = 0, node = 2;
	char text[64];

	if (!skel)
		lane_die("programs");
	for (uint8_t i = 0; i < 50; i++) {
		snprintf(text, sizeof(text), "::ffff:10.77.0.%u", i + 1);
		overlay_prefix(skel, text, i);
		snprintf(text, sizeof(text), "fd77::%x", i + 1);
		overlay_prefix(skel, text, i);
	}
	if (bpf_map_update_elem(bpf_map__fd(skel->maps.ov_config), &zero, &c, BPF_ANY) ||
	    bpf_map_update_elem(bpf_map__fd(skel->maps.ov_nodes), &node, &n, BPF_ANY))
		lane_die("maps");
	lane_attach(l, bpf_program__fd(skel->progs.asym_ov_in));
}

static inline void route_setup(struct lane *l)
{
	lane_run("sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 "
		 "net.ipv4.conf.w-a.rp_filter=0 net.ipv4.conf.all.rp_filter=0; "
		 "ip addr add 10.77.0.2/32 dev w-a; ip addr add fd77::2/128 dev w-a; "
		 "ip route add 10.77.0.1 dev w-a; ip route add fd77::1 dev w-a; "
		 "ip route add 10.77.0.3 dev w-c; ip route add fd77::3 dev w-c");
}

static inline void firewall_setup(struct lane *l)
{
	route_setup(l);
	lane_run("nft 'table inet fw { chain forward { type filter hook forward priority filter; "
		 "policy drop; "
		 "ct state invalid drop; ct state established,related accept; ct state new accept; "
		 "}; }'");
}

/* -------- the node's own packets */

static inline void lane_connect(struct lane *l)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(2000)};

	inet_pton(AF_INET, "10.77.0.3", &to.sin_addr);
	close(l->in);
	l->in = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	l->skip = 28;
	if (l->in < 0 || connect(l->in, (struct sockaddr *)&to, sizeof(to)))
		lane_die("socket");
}

static inline void plain_setup(struct lane *l)
{
	lane_run("ip addr add 10.77.0.1/32 dev w-c; ip route add 10.77.0.3 dev w-c");
	lane_connect(l);
}

/* The first n_ways of a node: a static way takes no look at the flow. */
static inline void out_setup(struct lane *l, uint8_t n_ways)
{
	struct overlay_bpf *skel = overlay_bpf__open_and_load();
	struct ov_config c = {
		.abi = OV_ABI, .overlay = 1, .split_bytes = 200000, .gap_ns = 50000000};
	struct ov_node n = {.n_ways = n_ways, .spill = OV_WAYS};
	uint32_t zero = 0, node = 2;
	struct tc_hook hook = {.egress = true};
	bool made;

	lane_run(
		"ip tuntap add ov0 mode tun; ip link set ov0 up; ip addr add 10.77.0.1/32 dev ov0; "
		"ip route add 10.77.0.3 dev ov0; tc qdisc replace dev ov0 root noqueue");
	hook.ifindex = if_nametoindex("ov0");
	n.way[0].ifindex = n.way[1].ifindex = l->out_index;
	overlay_prefix(skel, "::ffff:10.77.0.3", 2);
	if (!skel || bpf_map_update_elem(bpf_map__fd(skel->maps.ov_config), &zero, &c, BPF_ANY) ||
	    bpf_map_update_elem(bpf_map__fd(skel->maps.ov_nodes), &node, &n, BPF_ANY) ||
	    tc_attach(&hook, bpf_program__fd(skel->progs.asym_ov_out), -1, &made))
		lane_die("programs");
	lane_connect(l);
}

static inline void one_way_setup(struct lane *l)
{
	out_setup(l, 1);
}

static inline void two_ways_setup(struct lane *l)
{
	out_setup(l, 2);
}

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests, and what guard is to make of them. */
#ifndef TESTS_BPF_RENEWALS_H
#define TESTS_BPF_RENEWALS_H

#include "tests/bpf/bootp.h"

static const struct owned owned[] = {
	{ WAN1, 1, .addr = "192.0.2.1" },
	{ WAN2, 2, .addr = "192.0.2.2" },
	{ WAN2, 2, .addr = "192.0.2.22" },
	/* the same address from two providers */
	{ WAN3, 3, .addr = "192.0.2.99" }, { WAN4, 4, .addr = "192.0.2.99" },
};
/* What is to become of a message, and what it is to look like afterwards. */
enum fate { UNSEEN, TOLD, RIGHT, MENDED, MOVED, FAILED };

struct row {
	const char *name;
	struct message m;
	uint32_t out;  /* by which it is about to leave */
	enum fate fate;
	uint8_t link;  /* id that it is told and counted under */
	uint32_t owner; /* ifindex */
};

static inline struct pkt expected(const struct pkt *p, enum fate fate)
{
	struct pkt want = *p;
	struct bootp_at at = bootp_at(&want);

	if (fate == MOVED) {
		memset(at.eth, 0, 2 * ETH_ALEN);
		at.eth->h_proto = htons(ETH_P_IP);
	}
	if (fate != MOVED && fate != MENDED)
		return want;
	memcpy(&at.ip->saddr, at.bootp + 12, 4);
	at.udp->source = htons(68);
	bootp_sum(&want);
	return want;
}

#define TWO .ciaddr = "192.0.2.2", .chaddr = WAN2
static const struct row renewals[] = {
	{ "right", {}, WAN1, RIGHT, 1, WAN1 },
	{ "right, no checksum", { .no_sum = true }, WAN1, RIGHT, 1, WAN1 },
	{ "right by the MAC", { .ciaddr = "192.0.2.7", .src = "192.0.2.7" }, WAN1, RIGHT, 1, WAN1 },
	{ "another's address", { .src = "192.0.2.2" }, WAN1, MENDED, 1, WAN1 },
	{ "another port", { .sport = 501 }, WAN1, MENDED, 1, WAN1 },
	{ "both", { .src = "192.0.2.2", .sport = 9 }, WAN1, MENDED, 1, WAN1 },
	{ "both, no checksum", { .src = "192.0.2.2", .sport = 9, .no_sum = true }, WAN1, MENDED, 1, WAN1 },
	{ "both, options", { .src = "192.0.2.2", .sport = 9, .options = 3 }, WAN1, MENDED, 1, WAN1 },
	{ "wrong link", { .src = "192.0.2.2", TWO }, WAN1, MOVED, 2, WAN2 },
	{ "wrong link and source", { TWO }, WAN1, MOVED, 2, WAN2 },
	{ "all wrong", { TWO, .sport = 9 }, WAN1, MOVED, 2, WAN2 },
	{ "all wrong, no checksum", { TWO, .sport = 9, .no_sum = true }, WAN1, MOVED, 2, WAN2 },
	{ "all wrong, options", { TWO, .sport = 9, .options = 10 }, WAN1, MOVED, 2, WAN2 },
	{ "by a device that has no owner", { TWO }, LAN1, MOVED, 2, WAN2 },
	{ "second address", { .ciaddr = "192.0.2.22", .chaddr = LAN1 }, WAN1, MOVED, 2, WAN2 },
	{ "by the MAC alone", { .ciaddr = "192.0.2.7", .chaddr = WAN2 }, WAN1, MOVED, 2, WAN2 },
	{ "to a group's MAC", { TWO, .mac = "\xff\xff\xff\xff\xff\xff" }, WAN1, MOVED, 2, WAN2 },
	{ "server behind a router", { TWO, .dst = "203.0.113.1" }, WAN1, MOVED, 2, WAN2 },
	{ "no route", { TWO, .dst = "198.51.100.1" }, WAN1, FAILED, 2, WAN2 },
	{ "this device's MAC, another's address", { .ciaddr = "192.0.2.2", .src = "192.0.2.2" },
	  WAN1, RIGHT, 1, WAN1 },
	{ "address of two, right", { .ciaddr = "192.0.2.99", .src = "192.0.2.99", .chaddr = WAN4 },
	  WAN4, RIGHT, 4, WAN4 },
	{ "address of two, wrong", { .ciaddr = "192.0.2.99", .chaddr = WAN4 }, WAN3, MOVED, 4, WAN4 },
	{ "address of two, nobody's MAC", { .ciaddr = "192.0.2.99", .chaddr = LAN2 }, WAN3, TOLD, 3, 0 },
};

#define OTHER .ciaddr = "192.0.2.2", .chaddr = WAN2, .sport = 9
static const struct row others[] = {
	{ "nobody's", { .ciaddr = "192.0.2.50", .chaddr = LAN1 }, WAN1, TOLD, 1, 0 },
	{ "DISCOVER", { .ciaddr = ADDR_ZERO, .src = ADDR_ZERO, .dst = "255.255.255.255" }, WAN1, TOLD, 1, WAN1 },
	{ "DISCOVER by another link", { .ciaddr = ADDR_ZERO, .src = ADDR_ZERO,
	  .dst = "255.255.255.255", .chaddr = WAN2 }, WAN1, TOLD, 2, WAN2 },
	{ "REQUEST to a server, no ciaddr", { .ciaddr = ADDR_ZERO, .chaddr = WAN2 }, WAN1, TOLD, 2, WAN2 },
	{ "T2", { OTHER, .dst = "255.255.255.255" }, WAN1, TOLD, 2, WAN2 },
	{ "to a group", { OTHER, .dst = "224.0.0.1" }, WAN1, TOLD, 2, WAN2 },
	{ "relayed", { OTHER, .giaddr = "10.0.0.1" }, WAN1, UNSEEN, 0, 0 },
	{ "op", { OTHER, .op = 2 }, WAN1, UNSEEN, 0, 0 },
	{ "op", { OTHER, .op = 3 }, WAN1, UNSEEN, 0, 0 },
	{ "htype", { OTHER, .htype = 6 }, WAN1, UNSEEN, 0, 0 },
	{ "hlen", { OTHER, .hlen = 16 }, WAN1, UNSEEN, 0, 0 },
	{ "to a client", { OTHER, .dport = 68 }, WAN1, UNSEEN, 0, 0 },
	{ "another port", { OTHER, .dport = 6700 }, WAN1, UNSEEN, 0, 0 },
	{ "another port, options", { OTHER, .dport = 6700, .options = 1 }, WAN1, UNSEEN, 0, 0 },
	{ "TCP", { OTHER, .proto = IPPROTO_TCP }, WAN1, UNSEEN, 0, 0 },
	{ "first fragment", { OTHER, .frag = 0x2000 }, WAN1, UNSEEN, 0, 0 },
	{ "last fragment", { OTHER, .frag = 5 }, WAN1, UNSEEN, 0, 0 },
	{ "version", { OTHER, .version = 5 }, WAN1, UNSEEN, 0, 0 },
	{ "UDP longer than IP", { OTHER, .udp_add = 1 }, WAN1, UNSEEN, 0, 0 },
	{ "UDP shorter than BOOTP", { OTHER, .udp_add = 235 - BOOTP_LEN }, WAN1, UNSEEN, 0, 0 },
	{ "IP longer than the frame", { OTHER, .ip_add = 1, .udp_add = 1 }, WAN1, UNSEEN, 0, 0 },
	{ "IP shorter than UDP", { OTHER, .ip_add = -1 }, WAN1, UNSEEN, 0, 0 },
};

#endif

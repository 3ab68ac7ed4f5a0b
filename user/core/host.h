/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the machine (one network namespace) has: a snapshot taken by apply/snapshot.c, or written
 * out by a test.  Plain data, no order required; everything is owned by the snapshot.
 */
#ifndef CORE_HOST_H
#define CORE_HOST_H

#include "base/addr.h"
#include "base/defs.h"
#include <net/if.h>

struct host_device {
	uint32_t ifindex;
	char name[IFNAMSIZ];
	char kind[16];	  /* IFLA_INFO_KIND: "veth", "vlan", "bridge", "wireguard", "ppp", or "" */
	uint32_t master;  /* ifindex of the bridge, bond or VRF it is a port of; 0: none */
	char master_kind[16];
	uint32_t mtu;	  /* bytes */
	bool up;	  /* IFF_UP */
	bool carrier;	  /* IFF_LOWER_UP, or the device does not know */
	bool loopback;
	bool ethernet;	  /* frames carry a 14-byte Ethernet header */
	uint8_t mac[6];	  /* of an Ethernet device, else zeros */
	bool point_to_point; /* needs no gateway */
	/* no link-layer header and yet more than one peer (gre, ipip, sit without remote): only by
	 * its route does the device know where a packet goes */
	bool nbma;
	bool ingress_filters; /* others have tc filters or programs there that ours would keep packets
			       * from */
	uint64_t rx_bytes, tx_bytes;
	char was[IFNAMSIZ]; /* its name when it was a link's device last; empty: it never was.  Not the
			     * snapshot's: state_mark_devices knows */
};

struct host_addr {
	uint32_t ifindex;
	struct prefix prefix;	 /* the address itself, with the length of its on-link prefix */
	struct in6_addr peer;	 /* of a point-to-point address, else "::" */
	bool usable;		 /* not tentative, not a failed duplicate */
	bool link_scope;	 /* 169.254/16, fe80::/10 */
	bool deprecated;
};

/* Tables that every machine has (linux/rtnetlink.h, rt_class_t). */
enum table_id { TABLE_MAIN = 254, TABLE_LOCAL = 255 };

enum route_type { ROUTE_UNICAST, ROUTE_UNREACHABLE, ROUTE_BLACKHOLE, ROUTE_TYPE_MAX };

/* A route, of the machine or of a plan. */
struct route {
	struct prefix dst;	 /* len 96 or 0 with the family below: the default route */
	int family;		 /* AF_INET, AF_INET6 */
	uint32_t table;
	uint32_t ifindex;	 /* 0 for unreachable and blackhole */
	struct in6_addr gateway; /* "::": on link */
	struct in6_addr src;	 /* preferred source, or "::" */
	uint32_t metric;
	uint32_t mtu;		 /* of packets by this route, bytes; 0: the device's */
	bool mtu_lock;		 /* path MTU discovery does not lower it */
	enum route_type type;
	uint8_t protocol;	 /* RTPROT_* */
	bool onlink;		 /* the gateway need not be on a prefix of the device */
};

enum rule_action { RULE_TABLE, RULE_GOTO, RULE_NOP, RULE_UNREACHABLE, RULE_BLACKHOLE, RULE_OTHER };

/* A policy routing rule, of the machine or of a plan. */
struct rule {
	int family; /* AF_INET, AF_INET6 */
	uint32_t priority;
	enum rule_action action;
	uint32_t table;	     /* with RULE_TABLE */
	uint32_t target;     /* with RULE_GOTO: a priority */
	uint32_t mark, mask; /* mask 0: any mark */
	struct prefix src;   /* whole-length address, or len 0: any */
	bool has_src;
	bool invert;
	bool more;	     /* tests more than there is here (ports, user, dst); never in a plan */
	char iif[IFNAMSIZ], oif[IFNAMSIZ]; /* empty: any */
	int suppress_len;    /* suppress_prefixlength, -1: none */
	uint8_t protocol;    /* RTPROT_* of its maker */
};

/* A place in somebody else's nftables rules that tests or sets a packet or connection mark. */
struct host_mark_use {
	char table[64];
	char chain[64];
	uint32_t value, mask;
	bool sets; /* else tests */
};

struct host {
	struct host_device *devices;
	size_t n_devices;
	struct host_addr *addrs;
	size_t n_addrs;
	struct route *routes; /* of every table but local and default */
	size_t n_routes;
	struct rule *rules;   /* all, both families */
	size_t n_rules;
	struct host_mark_use *marks;
	size_t n_marks;
	bool module; /* our kernel module is there, has our ABI and the expression for nftables */
};

void host_done(struct host *h);

/* NULL when there is none. */
const struct host_device *host_device_find(const struct host *h, const char *name);
const struct host_device *host_device_by_index(const struct host *h, uint32_t ifindex);

#endif

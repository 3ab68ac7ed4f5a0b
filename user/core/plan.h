/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Model and machine into everything the kernel has to hold.  A pure function: the same input gives
 * the same plan, so plans are compared as text (plan_text.c, tests/golden).
 */
#ifndef CORE_PLAN_H
#define CORE_PLAN_H

#include "core/buckets.h"
#include "core/host.h"
#include "core/model.h"

/* Owner of our routes and rules (rtm_protocol, FRA_PROTOCOL); free in iproute2's rt_protos. */
#define PLAN_RTPROT 171
#define PLAN_PRIORITIES 2000 /* ip rule priorities from model.priority_base on are ours */
#define PLAN_NFT_TABLE "asymbpf"

/* Reserved ids at the top of the mark's range, counted down from its largest value. */
enum plan_reserved { PLAN_PROBE, PLAN_UNREACHABLE, PLAN_BLACKHOLE, PLAN_MAIN, PLAN_RESERVED_MAX };

enum plan_down {
	PLAN_LIVE,
	PLAN_NO_DEVICE,
	PLAN_DEVICE_DOWN,
	PLAN_NO_CARRIER,
	PLAN_NO_ADDRESS,
	PLAN_NO_GATEWAY,
	PLAN_PROBES, /* targets do not answer */
	PLAN_FORCED, /* the operator said so */
	PLAN_DOWN_MAX
};
extern const char *const plan_down_names[PLAN_DOWN_MAX];

struct plan_link {
	uint8_t id;
	const struct model_link *conf;
	uint32_t ifindex; /* 0: no such device now */
	bool ethernet;
	uint8_t mac[6];
	bool nbma, ingress_filters; /* as in struct host_device */
	uint32_t mtu; /* of the device, bytes; 0: unknown */
	uint32_t route_mtu[ASYM_FAMILIES]; /* of the default route, bytes; 0: the device's */
	uint32_t table;
	uint32_t mark; /* shifted into place */
	uint8_t reply; /* id */
	enum plan_down down[ASYM_FAMILIES];
	/* the source that main's default route names, or the device's best address, or "::" */
	struct in6_addr addr[ASYM_FAMILIES];
	struct in6_addr gateway[ASYM_FAMILIES]; /* "::": none, or point-to-point */
};

struct plan_lan {
	char device[IFNAMSIZ];
	uint32_t ifindex;
	bool ethernet;
	bool nbma, ingress_filters; /* as in struct host_device */
};

/* An address that a link's DHCP client may renew. */
struct plan_owner {
	uint8_t link;	  /* id */
	uint32_t ifindex;
	uint8_t mac[6];
	struct in6_addr addr; /* IPv4; "::": the device has none yet */
	bool shared_mac;  /* another link has the same MAC */
};

/* When a value is written: unless it is there already, when the present one is smaller, when
 * reverse path checks are strict (1 is the larger of the device's rp_filter and all/'s). */
enum plan_sysctl_when {
	PLAN_SYSCTL_DIFFERS,
	PLAN_SYSCTL_SMALLER,
	PLAN_SYSCTL_STRICT,
	PLAN_SYSCTL_MAX
};

struct plan_sysctl {
	char path[96]; /* below /proc/sys */
	char value[16];
	enum plan_sysctl_when when;
};

/* Whether conntrack takes TCP segments outside of the windows that it knows. */
#define PLAN_TCP_BE_LIBERAL "net/netfilter/nf_conntrack_tcp_be_liberal"

enum plan_manual { PLAN_AUTO, PLAN_MANUAL_UP, PLAN_MANUAL_DOWN, PLAN_MANUAL_MAX };
extern const char *const plan_manual_names[PLAN_MANUAL_MAX];

/* What is remembered of a link over reloads and restarts: its id, so that marks and sticky entries stay
 * true; what the daemon found out by probes; what the operator wants. */
struct plan_id {
	char name[MODEL_NAME];
	uint8_t id;
	bool tested;		    /* a daemon has judged it before */
	bool failed[ASYM_FAMILIES]; /* by probes */
	enum plan_manual manual;
	int64_t manual_until; /* CLOCK_BOOTTIME, seconds; 0: without end */
};

/*
 * The router's own packets that no program on the cgroup tree has seen, in nftables
 * (core/plan_router.h): those of sockets that know no connect() or datagrams to be seen, and of the
 * kernel's own sockets.
 */
#define PLAN_ROUTER_TABLE "asymbpf-module"
struct plan_router {
	bool module;	   /* the kernel module chooses, else a hash of nftables */
	bool sockets_only; /* a link may be a tunnel of the kernel: its own packets would go into it */
	struct {
		char device[IFNAMSIZ]; /* main's default leaves by it; "": nothing is to be done */
		uint8_t rule;	       /* index of the rule that such packets meet */
	} family[ASYM_FAMILIES];
};

struct plan {
	const struct model *model; /* outlives the plan */
	uint8_t reserved[PLAN_RESERVED_MAX];
	struct plan_link *links;
	size_t n_links;
	/* ids of links that a reload took away: their connections are told, not sent elsewhere */
	struct plan_id gone[ASYM_MAX_LINKS];
	size_t n_gone;
	struct plan_lan *lans;
	size_t n_lans;
	/* of Ethernet links, at least one for each, in their order; none with DHCP_OFF */
	struct plan_owner *owners;
	size_t n_owners;
	/* IPv4 first; in the order of design.md's table, within a row of it in that of the links
	 * (marks: of the ids); diff.c sorts by priority what it adds */
	struct rule *rules;
	size_t n_rules;
	struct route *routes;
	size_t n_routes;
	struct plan_router router;
	struct plan_sysctl *sysctls;
	size_t n_sysctls;
	size_t n_cache_sysctls; /* the last so many are of use only with a flow cache that conntrack is not
				 * told of (apply/handover.h), see plan_useful_sysctls */

	/* what the BPF maps of one bank hold */
	struct asym_config config;
	struct asym_rule bpf_rules[ASYM_MAX_RULES];
	struct asym_policy policies[ASYM_MAX_POLICIES];
	struct asym_buckets (*buckets)[ASYM_FAMILIES]; /* [ASYM_MAX_POLICIES] */
	struct prefix *specific; /* destinations of main's routes that are no defaults */
	size_t n_specific;
};

/* Builds a plan.  ids (n_ids of them) are those given since the first load, NULL before it.  0,
 * -ENOMEM, -ENOSPC when the mark has too few values for the links. */
int plan_build(struct plan *ret, const struct model *m, const struct host *h,
	       const struct plan_id *ids, size_t n_ids);
void plan_done(struct plan *p);

const struct plan_link *plan_link_by_id(const struct plan *p, uint8_t id);
const struct plan_link *plan_link_of_device(const struct plan *p, const char *device);
const struct plan_link *plan_link_by_name(const struct plan *p, const char *name);
uint32_t plan_mark(const struct plan *p, uint8_t id);

/* The live links of a policy (its index in the model) in the tier in use, at most ASYM_MAX_LINKS, with
 * their weights.  Returns how many; 0: no tier is in use, and *ret_tier is as many as there are. */
size_t plan_shares(const struct plan *p, size_t policy, enum asym_family f, struct bucket_share *ret,
		   size_t *ret_tier);

/* What a rule looks for in a packet as the programs are told it: fields but devices and sets.  ret:
 * zeroed. */
void plan_bpf_match(const struct model_rule *r, struct asym_rule *ret);

/* What the kernel takes of a plan, as far as it alters the rest. */
struct plan_taken {
	bool liberal;  /* conntrack as a whole has to be: a flow cache without hand-over */
	bool programs; /* on the cgroup tree */
};

/* The first so many of p->sysctls are of use. */
size_t plan_useful_sysctls(const struct plan *p, bool liberal);

/* The whole plan as text, for people and golden tests. */
struct str;
void plan_text(const struct plan *p, const struct plan_taken *taken, struct str *out);
/* The nftables part alone, in nft's own syntax: what nft list table inet asymbpf prints. */
void plan_nft_text(const struct plan *p, struct str *out);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The configuration as plain data.  config.c (a file) and the command line fill it, check.c judges
 * it, plan.c reads it.  Nothing in here touches the system.
 */
#ifndef CORE_MODEL_H
#define CORE_MODEL_H

#include "base/addr.h"
#include "base/defs.h"
#include "bpf/abi.h"
#include "core/finding.h"
#include <net/if.h>

#define MODEL_NAME 32	      /* bytes of a name with its NUL; [A-Za-z0-9_.-] only */
#define MODEL_MAX_WEIGHT 1000 /* weights are 1..this */
#define MODEL_MAX_TIERS 16    /* per policy */
#define MODEL_MAX_LANS 256
#define MODEL_MIN_PAIRS 1024
#define MODEL_MAX_PAIRS 4194304
#define MODEL_MAX_REVALIDATE_S 30

/* Where a thing was written; file is owned by the model and NULL for the command line. */
struct place {
	const char *file;
	int line;
};

enum model_nat { NAT_MASQUERADE, NAT_SNAT, NAT_NONE, NAT_MAX };

enum model_probe_kind {
	PROBE_PING,    /* ICMP or ICMPv6 echo */
	PROBE_TCP,     /* a connection is accepted, or refused by its RST */
	PROBE_DNS,     /* a server answers a query */
	PROBE_HTTP,    /* http:// or https://, by its status */
	PROBE_GATEWAY, /* the link's gateway answers ARP or ND */
	PROBE_MAX
};

/* What a probe is sent to.  A target judges the link in its own family. */
struct model_target {
	enum model_probe_kind kind;
	enum asym_family family;
	struct in6_addr addr; /* "::" with PROBE_GATEWAY, and with a URL that names its host */
	uint16_t port;	      /* of PROBE_TCP, PROBE_DNS */
	char *url;	      /* of PROBE_HTTP, else NULL */
	struct place place;
};

/* Two levels: the link goes down above the high one and comes up again at the low one or below.
 * high 0: not judged. */
struct model_levels {
	uint32_t low, high;
};

/* How a link is tested, section "probe" of the link or of the file. */
struct model_probe {
	struct model_target *targets;
	size_t n;
	uint32_t quorum;	/* so many targets (of a family; all, if it has fewer) make a round good */
	uint32_t interval_ms;	/* between rounds; 100..3600000 */
	uint32_t failure_ms;	/* the same while answers are missing and the link is up */
	uint32_t recovery_ms;	/* the same while the link is down */
	uint32_t timeout_ms;	/* for an answer; 10..60000 */
	uint32_t fall, rise;	/* bad rounds until down, good ones until up; 1..1000 */
	uint32_t window;	/* rounds that loss, latency and jitter look back on; 5..MODEL_MAX_WINDOW */
	struct model_levels loss; /* percent */
	struct model_levels latency_ms, jitter_ms;
	bool initial_down;	/* until the first `rise` rounds were good */
	uint32_t hold_ms;	/* a link that went down stays so; twice as long with each further flap */
	uint32_t hold_max_ms;
	char dns_name[256];	/* asked of PROBE_DNS */
	uint16_t status_min, status_max; /* of PROBE_HTTP, inclusive */
	uint32_t given;		/* bits of the keys that were written, see core/model_probe.h */
};
#define MODEL_MAX_WINDOW 256
#define MODEL_MAX_TARGETS 16 /* per link */

struct model_link {
	char name[MODEL_NAME];
	char device[IFNAMSIZ];
	uint32_t weight;			/* 1..MODEL_MAX_WEIGHT */
	enum model_nat nat[ASYM_FAMILIES];
	struct in6_addr snat[ASYM_FAMILIES];	/* with NAT_SNAT */
	struct in6_addr gateway[ASYM_FAMILIES]; /* "::": take what the machine has */
	char reply[MODEL_NAME];			/* link that answers; empty: itself */
	enum asym_fastpath fastpath;		/* of what arrives here */
	struct model_probe probe;		/* complete after model_add_defaults */
	struct place place;
	bool from_flags;			/* named by --iface: the device must exist */
};

struct model_member {
	char link[MODEL_NAME];
	uint32_t weight; /* 0: the link's own */
	struct place place;
};

struct model_tier {
	struct model_member *members;
	size_t n;
};

enum model_last_resort {
	LAST_RESORT_UNREACHABLE,
	LAST_RESORT_BLACKHOLE,
	LAST_RESORT_MAIN,
	LAST_RESORT_MAX
};

/* What becomes of connections when a better link of their policy is back. */
enum model_failback { FAILBACK_KEEP, FAILBACK_DRAIN, FAILBACK_MOVE, FAILBACK_MAX };

struct model_policy {
	char name[MODEL_NAME];
	struct model_tier *tiers;
	size_t n;
	enum model_last_resort last_resort;
	enum asym_key key;
	enum model_failback failback;
	uint32_t drain_s; /* with FAILBACK_DRAIN: they may end by themselves for so long */
	struct place place;
};

struct model_set {
	char name[MODEL_NAME];
	struct prefix *prefixes;
	size_t n;
	struct place place;
};

/* A field is tested when its bit is in match; "!" before its values sets the bit in negate. */
struct model_rule {
	char name[MODEL_NAME];
	uint32_t match;	 /* enum asym_match */
	uint32_t negate; /* enum asym_match */
	enum asym_family family;
	struct prefix src, dst;
	char src_set[MODEL_NAME], dst_set[MODEL_NAME];
	uint32_t proto[8]; /* bit n: IP protocol n */
	struct asym_ports sport[ASYM_MAX_PORTS], dport[ASYM_MAX_PORTS];
	uint8_t sports, dports;
	uint64_t dscp; /* bit n: DSCP n */
	char device[ASYM_MAX_DEVICES][IFNAMSIZ];
	uint8_t devices;
	char policy[MODEL_NAME];
	uint32_t sticky_s;	  /* 0: not sticky */
	enum asym_key sticky_key; /* ASYM_KEY_SRC or ASYM_KEY_SRC_DST */
	enum asym_fastpath fastpath;
	struct place place;
};

/* Who sees to it that DHCP renewals leave by the link that owns the address. */
enum model_dhcp {
	DHCP_GUARD, /* the BPF programs; the shim for links that have none at egress */
	DHCP_SHIM,
	DHCP_BOTH,
	DHCP_OFF,
	DHCP_MAX
};

struct model {
	/* global keys */
	uint32_t mark_mask;	 /* contiguous bits, 3 to 8 of them; default 0xff00 */
	uint32_t table_base;	 /* table of link n is this + n; default 10000 */
	uint32_t priority_base;	 /* first of PLAN_PRIORITIES ip rule priorities; default 20000 */
	uint32_t seed;		 /* of the selection hash */
	uint32_t sticky_entries; /* 1024..ASYM_MAX_STICKY; default 65536 */
	bool mss_clamp;		 /* default true */
	bool forwarding;	 /* switch ip_forward on; default false */
	bool host_traffic;	 /* the router's own connections follow the rules; default true */
	bool host_raw;		 /* those too that no program on a cgroup sees; default true */
	bool fastpath;		 /* flow cache, where the kernel can; default true */
	uint32_t flow_pairs;	 /* MODEL_MIN_PAIRS..MODEL_MAX_PAIRS; 0, the default: automatic */
	uint32_t revalidate_s;	 /* 1..30: seconds between checks of a cached flow; default 1 */
	enum model_dhcp dhcp;	 /* default guard */
	bool dhcp_watchdog;	 /* the daemon renews what a client renews in vain; default true */
	bool reset;		 /* TCP clients of a link that went down get a RST; default false */
	struct model_probe probe; /* for links that do not say otherwise */

	/* the daemon's */
	char *hook;		 /* path of a program told of events; NULL: none */
	uint32_t hook_timeout_ms; /* until it is killed; default 10000 */
	struct in6_addr metrics; /* address to serve OpenMetrics at, with metrics_port */
	uint16_t metrics_port;	 /* 0: not served */

	char (*lans)[IFNAMSIZ]; /* empty: every other up, addressed, non-loopback device */
	size_t n_lans;
	size_t n_lans_from_flags; /* the last so many were named by --lan: they must exist */
	struct model_link *links;
	size_t n_links;
	struct model_policy *policies;
	size_t n_policies;
	struct model_rule *rules; /* in order */
	size_t n_rules;
	struct model_set *sets;
	size_t n_sets;
	char **files; /* names that places point to */
	size_t n_files;
};

/* Sets every default; no link, policy, rule or set. */
void model_init(struct model *m);
void model_done(struct model *m);
/* Frees what a policy holds. */
void model_policy_done(struct model_policy *p);
void model_probe_done(struct model_probe *p);
/* What holds where neither the link nor the file says otherwise; no targets: model_add_defaults gives
 * links without any their gateway. */
extern const struct model_probe model_probe_default;

/*
 * What a user means who names links only: a policy "balanced" over all links in one tier with the
 * last resort unreachable, when there is no policy; a rule "default" that sends everything to the
 * first policy, when there is no rule; every link's probe complete: key by key from the file's
 * where it does not say itself, all targets or none of them.  Again, it changes nothing.  0 or -ENOMEM.
 */
int model_add_defaults(struct model *m);

/* NULL when there is none of that name. */
struct model_link *model_link_find(const struct model *m, const char *name);
struct model_link *model_link_of_device(const struct model *m, const char *device);
struct model_policy *model_policy_find(const struct model *m, const char *name);
struct model_set *model_set_find(const struct model *m, const char *name);

/* Words of the enumerations, as the configuration file writes them. */
extern const char *const model_nat_names[NAT_MAX];
extern const char *const model_last_resort_names[LAST_RESORT_MAX];
extern const char *const model_probe_names[PROBE_MAX];
extern const char *const model_failback_names[FAILBACK_MAX];
extern const char *const model_key_names[ASYM_KEY_MAX];
extern const char *const model_fastpath_names[ASYM_FASTPATH_MAX];
extern const char *const model_dhcp_names[DHCP_MAX];

#endif

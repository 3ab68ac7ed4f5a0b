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

struct model_link {
	char name[MODEL_NAME];
	char device[IFNAMSIZ];
	uint32_t weight;			/* 1..MODEL_MAX_WEIGHT */
	enum model_nat nat[ASYM_FAMILIES];
	struct in6_addr snat[ASYM_FAMILIES];	/* with NAT_SNAT */
	struct in6_addr gateway[ASYM_FAMILIES]; /* "::": take what the machine has */
	char reply[MODEL_NAME];			/* link that answers; empty: itself */
	enum asym_fastpath fastpath;		/* of what arrives here */
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

struct model_policy {
	char name[MODEL_NAME];
	struct model_tier *tiers;
	size_t n;
	enum model_last_resort last_resort;
	enum asym_key key;
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
	bool fastpath;		 /* flow cache, where the kernel can; default true */
	uint32_t flow_pairs;	 /* MODEL_MIN_PAIRS..MODEL_MAX_PAIRS; 0, the default: automatic */
	uint32_t revalidate_s;	 /* 1..30: seconds between checks of a cached flow; default 1 */

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

/*
 * What a user means who names links only: a policy "balanced" over all links in one tier with the
 * last resort unreachable, when there is no policy; a rule "default" that sends everything to the
 * first policy, when there is no rule.  0 or -ENOMEM.
 */
int model_add_defaults(struct model *m);

/* NULL when there is none of that name. */
struct model_link *model_link_find(const struct model *m, const char *name);
struct model_policy *model_policy_find(const struct model *m, const char *name);
struct model_set *model_set_find(const struct model *m, const char *name);

/* Words of the enumerations, as the configuration file writes them. */
extern const char *const model_nat_names[NAT_MAX];
extern const char *const model_last_resort_names[LAST_RESORT_MAX];
extern const char *const model_key_names[ASYM_KEY_MAX];
extern const char *const model_fastpath_names[ASYM_FASTPATH_MAX];

#endif

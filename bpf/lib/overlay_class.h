/* SPDX-License-Identifier: GPL-2.0-only */
/* Which class a flow is of that begins: the first rule that matches, as the gateway's do. */
#ifndef ASYM_OVERLAY_CLASS_H
#define ASYM_OVERLAY_CLASS_H

#include "lib/overlay_maps.h"

ASYM_INLINE bool asym_set_has(__u32 set, const struct asym_addr *a, void *ctx)
{
	return false; /* a mesh has no sets */
}

#include "lib/parse.h"

struct ov_judging {
	struct asym_flow flow;
	__u32 first; /* rule */
	__u32 node;
	__u32 class;
};

/* bpf_loop callback: 1 ends the walk. */
static long ov_try_rule(__u32 n, void *ctx)
{
	struct ov_judging *j = ctx;
	__u32 slot = j->first + n;
	const struct ov_rule *r = bpf_map_lookup_elem(&ov_rules, &slot);

	if (!r || r->class == OV_CLASS_NONE)
		return 1;
	if (!(r->to[(j->node >> 5) & 3] >> (j->node & 31) & 1) ||
	    !asym_rule_matches(&r->match, &j->flow, NULL))
		return 0;
	j->class = r->class;
	return 1;
}
_Static_assert(OV_NODES == 128, "ov_try_rule() has four words");

/* Of a packet to that node.  Behind IPv6's extension headers nothing is looked for.  A function of
 * its own, so that packets of known flows do without its registers and stack. */
static __noinline enum ov_class ov_class_of(struct __sk_buff *skb, __u32 l2_len, __u32 first,
					    __u32 node)
{
	struct ov_judging j = {.first = first, .node = node, .class = OV_CLASS_DEFAULT};
	enum parse_result result = parse_flow(skb, l2_len, &j.flow);

	if (result == PARSE_OK || result == PARSE_EXT_HEADER)
		bpf_loop(OV_RULES, ov_try_rule, &j, 0);
	return j.class;
}

#endif

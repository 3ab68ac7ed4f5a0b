// SPDX-License-Identifier: GPL-2.0-or-later
/* The ip rules of a plan; doc/design.md, "Marks, rules, tables", has their order and why. */
#include "core/plan_parts.h"
#include <errno.h>

static struct rule *add_rule(struct plan *p, int family, uint32_t offset)
{
	struct rule *r = ARRAY_ADD(p->rules, p->n_rules);

	if (!r)
		return NULL;
	r->family = family;
	r->priority = p->model->priority_base + offset;
	r->suppress_len = -1;
	r->protocol = PLAN_RTPROT;
	return r;
}

static int mark_rule(struct plan *p, int family, uint32_t offset, uint8_t id,
		     enum rule_action action, uint32_t table, int suppress_len)
{
	struct rule *r = add_rule(p, family, offset);

	if (!r)
		return -ENOMEM;
	r->action = action;
	r->table = table;
	r->mark = plan_mark(p, id);
	r->mask = p->model->mark_mask;
	r->suppress_len = suppress_len;
	return 0;
}

static int source_rules(struct plan *p, const struct host *h, const struct plan_link *l, int family,
			uint32_t offset, bool shared_only)
{
	for (size_t i = 0; i < h->n_addrs; i++) {
		const struct host_addr *a = &h->addrs[i];
		struct prefix on_link = plan_on_link(a);
		struct rule *r;

		if (!l->ifindex || !plan_on_link_addr(a, l->ifindex, family))
			continue;
		if (shared_only && !plan_prefix_shared(h, l->ifindex, &on_link))
			continue;
		r = add_rule(p, family, offset + l->id);
		if (!r)
			return -ENOMEM;
		r->table = l->table;
		r->src = (struct prefix){.addr = a->prefix.addr, .len = 128};
		r->has_src = true;
		r->suppress_len = shared_only ? 0 : -1;
	}
	return 0;
}

static bool link_shares(const struct host *h, const struct plan_link *l, int family)
{
	for (size_t i = 0; i < h->n_addrs; i++) {
		struct prefix on_link = plan_on_link(&h->addrs[i]);

		if (plan_on_link_addr(&h->addrs[i], l->ifindex, family) &&
		    plan_prefix_shared(h, l->ifindex, &on_link))
			return true;
	}
	return false;
}

/* Two WANs on one LAN: each link's own on-link prefixes come before main's, which has only one. */
static int shared_rules(struct plan *p, const struct host *h, int family)
{
	int r = 0;

	for (size_t i = 0; i < p->n_links && !r; i++) {
		const struct plan_link *l = &p->links[i];

		if (l->ifindex && link_shares(h, l, family))
			r = mark_rule(p, family, PRIO_SHARED_MARK + l->id, l->id, RULE_TABLE,
				      l->table, 0);
	}
	for (size_t i = 0; i < p->n_links && !r; i++)
		r = source_rules(p, h, &p->links[i], family, PRIO_SHARED_SOURCE, true);
	return r;
}

static int connected_rule(struct plan *p, int family)
{
	struct rule *r = add_rule(p, family, PRIO_CONNECTED);

	if (!r)
		return -ENOMEM;
	r->table = TABLE_MAIN;
	r->suppress_len = 0;
	return 0;
}

/*
 * With many links, marks are found by a tree: a packet without mark jumps over all of them, and one
 * with a mark jumps to the 16 ids that share its upper bits.
 */
#define TREE_LEAF_BITS 4
#define TREE_LEAF (1 << TREE_LEAF_BITS)

static int goto_rule(struct plan *p, int family, uint32_t offset, uint32_t mark, uint32_t mask,
		     uint32_t target)
{
	struct rule *r = add_rule(p, family, offset);

	if (!r)
		return -ENOMEM;
	r->action = RULE_GOTO;
	r->mark = mark;
	r->mask = mask;
	r->target = p->model->priority_base + target;
	return 0;
}

static uint8_t highest_id(const struct plan *p)
{
	uint8_t id = 0;

	for (size_t i = 0; i < p->n_links; i++)
		id = MAX(id, p->links[i].id);
	for (size_t i = 0; i < p->n_gone; i++)
		id = MAX(id, p->gone[i].id);
	return id;
}

static bool id_gone(const struct plan *p, uint8_t id)
{
	for (size_t i = 0; i < p->n_gone; i++)
		if (p->gone[i].id == id)
			return true;
	return false;
}

static uint8_t first_id_from(const struct plan *p, unsigned int from)
{
	for (unsigned int id = from; id < from + TREE_LEAF; id++)
		if (plan_link_by_id(p, id) || id_gone(p, id))
			return id;
	return 0;
}

static int tree_rules(struct plan *p, int family)
{
	uint32_t mask = p->model->mark_mask, upper;
	int r = goto_rule(p, family, PRIO_TREE, 0, mask, PRIO_TREE_END);

	upper = mask & ~((plan_mark(p, TREE_LEAF) - 1) & mask);
	if (highest_id(p) <= TREE_LEAF || !upper)
		return r;
	for (unsigned int from = 0; from <= highest_id(p) && !r; from += TREE_LEAF) {
		uint8_t first = first_id_from(p, from);

		if (first)
			r = goto_rule(p, family, PRIO_TREE + 1 + from / TREE_LEAF,
				      plan_mark(p, from), upper, PRIO_MARK + first);
	}
	return r;
}

/* The target of the jumps above has to exist and does nothing. */
static int end_rule(struct plan *p, int family)
{
	struct rule *r = add_rule(p, family, PRIO_TREE_END);

	if (!r)
		return -ENOMEM;
	r->action = RULE_NOP;
	return 0;
}

/* By id, as the jumps need.  A connection whose link the configuration has lost gets an answer; by
 * another link it would carry the wrong source. */
static int marks_rules(struct plan *p, int family)
{
	int r = tree_rules(p, family);

	for (unsigned int id = 1; id <= highest_id(p) && !r; id++) {
		if (plan_link_by_id(p, id))
			r = mark_rule(p, family, PRIO_MARK + id, id, RULE_TABLE,
				      p->model->table_base + id, -1);
		else if (id_gone(p, id))
			r = mark_rule(p, family, PRIO_MARK + id, id, RULE_UNREACHABLE, 0, -1);
	}
	return r ?: end_rule(p, family);
}

static int device_rules(struct plan *p, int family)
{
	for (size_t i = 0; i < p->n_links; i++) {
		struct rule *r = add_rule(p, family, PRIO_DEVICE + p->links[i].id);

		if (!r)
			return -ENOMEM;
		r->table = p->links[i].table;
		snprintf(r->oif, sizeof(r->oif), "%s", p->links[i].conf->device);
	}
	return 0;
}

/* A mark that nftables gave to a packet of a socket that is bound to the device of main's default, which
 * nftables cannot see, is not to lead elsewhere (rule "oif" is for such sockets alone). */
static int router_device_rule(struct plan *p, enum asym_family f)
{
	const struct plan_link *l = plan_link_of_device(p, p->router.family[f].device);
	struct rule *r;

	if (!l)
		return 0;
	r = add_rule(p, plan_family(f), PRIO_ROUTER_DEVICE);
	if (!r)
		return -ENOMEM;
	r->table = l->table;
	snprintf(r->oif, sizeof(r->oif), "%s", l->conf->device);
	return 0;
}

static int last_resort_rules(struct plan *p, int family)
{
	int r = mark_rule(p, family, PRIO_LAST_RESORT, p->reserved[PLAN_UNREACHABLE],
			  RULE_UNREACHABLE, 0, -1);

	return r ?: mark_rule(p, family, PRIO_LAST_RESORT + 1, p->reserved[PLAN_BLACKHOLE],
			      RULE_BLACKHOLE, 0, -1);
}

static int family_rules(struct plan *p, const struct host *h, int family)
{
	int r = mark_rule(p, family, PRIO_MAIN_MARK, p->reserved[PLAN_MAIN], RULE_TABLE, TABLE_MAIN,
			  -1);

	r = r ?: shared_rules(p, h, family);
	r = r ?: connected_rule(p, family);
	r = r ?: router_device_rule(p, family == AF_INET ? ASYM_V4 : ASYM_V6);
	r = r ?: marks_rules(p, family);
	for (size_t i = 0; i < p->n_links && !r; i++)
		r = source_rules(p, h, &p->links[i], family, PRIO_SOURCE, false);
	r = r ?: device_rules(p, family);
	return r ?: last_resort_rules(p, family);
}

int plan_rules(struct plan *p, const struct host *h)
{
	int r = family_rules(p, h, AF_INET);

	return r ?: family_rules(p, h, AF_INET6);
}

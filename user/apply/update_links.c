// SPDX-License-Identifier: GPL-2.0-or-later
#include "apply/update_links.h"

#include "apply/maps.h"
#include "apply/update.h"
#include "nl/conntrack.h"
#include <errno.h>
#include <string.h>

static bool has_bit(const uint32_t *bits, uint8_t n)
{
	return bits[n >> 5] >> (n & 31) & 1;
}

static bool any_bit(const uint32_t *bits)
{
	uint32_t any = 0;

	for (int i = 0; i < 8; i++)
		any |= bits[i];
	return any;
}

/* In the tier in use of any of them. */
static bool is_used(const struct asym_policy *policies, size_t n, uint8_t id, int f)
{
	for (size_t i = 0; policies && i < n; i++)
		if (has_bit(policies[i].live[f], id))
			return true;
	return false;
}

static bool was_live(const struct plan *old, uint8_t id, int f)
{
	const struct plan_link *l = old ? plan_link_by_id(old, id) : NULL;

	return l && l->down[f] == PLAN_LIVE;
}

void update_links_judge(const struct plan *p, const struct plan *old,
			const struct asym_policy *policies, struct link_set *been_live,
			struct update_links *ret)
{
	memset(ret, 0, sizeof(*ret));
	for (size_t i = 0; i < p->n_links; i++) {
		const struct plan_link *l = &p->links[i];

		for (int f = 0; f < ASYM_FAMILIES; f++) {
			bool *been = &been_live->has[f][l->id];
			bool live = l->down[f] == PLAN_LIVE;
			bool was = was_live(old, l->id, f) ||
				   is_used(policies, p->model->n_policies, l->id, f);

			*been |= was || live;
			ret->dead.has[f][l->id] = *been && !live;
			ret->any_died |= was && !live;
			ret->any_came |= live && !was;
		}
	}
}

static bool names_link(const struct model_policy *policy, const char *link)
{
	for (size_t t = 0; t < policy->n; t++)
		for (size_t i = 0; i < policy->tiers[t].n; i++)
			if (!strcmp(policy->tiers[t].members[i].link, link))
				return true;
	return false;
}

static bool has_better(const struct plan *p, const char *link, int f)
{
	for (size_t i = 0; i < p->model->n_policies; i++) {
		const struct model_policy *conf = &p->model->policies[i];

		if (names_link(conf, link) &&
		    (any_bit(p->policies[i].live[f]) || conf->last_resort == LAST_RESORT_MAIN))
			return true;
	}
	return false;
}

bool update_links_leave(const struct plan *p, struct link_set *links)
{
	bool any = false;

	for (size_t i = 0; i < p->n_links; i++)
		for (int f = 0; f < ASYM_FAMILIES; f++) {
			bool *has = &links->has[f][p->links[i].id];

			*has = *has && has_better(p, p->links[i].conf->name, f);
			any |= *has;
		}
	return any;
}

/* Those that came in by a link that works belong there.  Without NAT nobody can tell which these are,
 * and it does not matter. */
static int end_family(struct nl *nl, const struct plan_link *l, enum asym_family f, uint32_t mask)
{
	int family = f == ASYM_V4 ? AF_INET : AF_INET6;

	if (l->down[f] == PLAN_LIVE && l->conf->nat[f] != NAT_NONE)
		return conntrack_delete_translated(nl, family, l->mark, mask);
	return conntrack_delete_marked(nl, family, l->mark, mask);
}

static int end_connections(const struct plan *p, const struct link_set *links)
{
	_cleanup_nl_ struct nl nl;
	int first = nl_open(&nl, NETLINK_NETFILTER);

	for (size_t i = 0; i < p->n_links && nl.sock; i++)
		for (int f = 0; f < ASYM_FAMILIES; f++) {
			const struct plan_link *l = &p->links[i];
			int r = links->has[f][l->id] ?
					end_family(&nl, l, f, p->config.mark_mask) :
					0;

			first = first ?: r;
		}
	return first;
}

static bool any_sticky(const struct plan *p)
{
	for (uint32_t i = 0; i < p->config.rules; i++)
		if (p->bpf_rules[i].sticky_s)
			return true;
	return false;
}

/* Connections first: what the flow cache knows of them goes with the next check, or with the epoch. */
int update_links_end(const struct object *o, const struct plan *p, const struct link_set *links)
{
	size_t n;
	int first = end_connections(p, links);
	int bumped = maps_bump(o);
	int r = any_sticky(p) ? sticky_drop(o, links, &n) : 0;

	return first ?: bumped ?: r;
}

/* A policy that keeps connections where they are keeps those of others on the same link, too: nothing
 * tells them apart. */
static bool is_kept(const struct plan *p, const char *link)
{
	for (size_t i = 0; i < p->model->n_policies; i++)
		if (p->model->policies[i].failback == FAILBACK_KEEP &&
		    names_link(&p->model->policies[i], link))
			return true;
	return false;
}

int update_move(const struct object *o, const struct plan *p, size_t policy)
{
	const struct model_policy *conf = &p->model->policies[policy];
	struct link_set links = {};
	bool any = false;

	for (size_t i = 0; i < p->n_links; i++)
		for (int f = 0; f < ASYM_FAMILIES; f++) {
			const struct plan_link *l = &p->links[i];

			/* of one that is down they ended when it went */
			if (l->down[f] != PLAN_LIVE || !names_link(conf, l->conf->name) ||
			    is_kept(p, l->conf->name) ||
			    is_used(p->policies, p->model->n_policies, l->id, f))
				continue;
			any = links.has[f][l->id] = true;
		}
	return any ? update_links_end(o, p, &links) : 0;
}

int update_links_again(const struct plan *p)
{
	_cleanup_nl_ struct nl nl = {};
	int r = nl_open(&nl, NETLINK_NETFILTER);

	r = r ?: conntrack_delete_unanswered(&nl, AF_INET, p->model->mark_mask);
	return r ?: conntrack_delete_unanswered(&nl, AF_INET6, p->model->mark_mask);
}

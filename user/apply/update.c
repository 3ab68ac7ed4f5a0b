// SPDX-License-Identifier: GPL-2.0-or-later
#include "apply/update.h"

#include "apply/maps.h"
#include "apply/routing.h"
#include "apply/ruleset.h"
#include "apply/traces.h"
#include "apply/update_links.h"
#include "apply/update_programs.h"
#include "apply/update_router.h"
#include "base/str.h"
#include "core/plan_nft.h"
#include <errno.h>
#include <string.h>

struct job {
	struct update *u;
	uint32_t bank;
	struct update_links links;
	struct routing routing;
	bool stale; /* the flow cache knows what is not so any more */
	int first;  /* error */
	char error[320];
};

/* One part that failed: named if it is the first.  error: "what: why". */
static void note(struct job *j, enum update_part part, int r, const char *error)
{
	if (!r)
		return;
	j->u->failed |= part;
	if (j->first)
		return;
	j->first = r;
	snprintf(j->error, sizeof(j->error), "%s", *error ? error : strerror(-r));
}

static void note_done(struct job *j, enum update_part part, bool done)
{
	if (done)
		j->u->done |= part;
}

/* -------- links */

/* What the policies had in use until now. */
static struct asym_policy *read_policies(const struct job *j, size_t n)
{
	struct asym_policy *policies = calloc(n + 1, sizeof(*policies));

	if (policies && !maps_policies(j->u->object, j->bank, policies, n))
		return policies;
	free(policies);
	return NULL;
}

static void judge(struct job *j)
{
	_cleanup_free_ struct asym_policy *policies =
		read_policies(j, j->u->plan->model->n_policies);

	update_links_judge(j->u->plan, j->u->old, policies, &j->u->been_live, &j->links);
}

static void forget(struct link_set *been_live, const struct link_set *ended)
{
	for (int f = 0; f < ASYM_FAMILIES; f++)
		for (int id = 0; id < ASYM_LINK_IDS; id++)
			been_live->has[f][id] &= !ended->has[f][id];
}

/* Also of links that died when nothing was better, or while another process loaded. */
static void end_connections(struct job *j)
{
	struct link_set leave = j->links.dead;
	int r;

	if (!update_links_leave(j->u->plan, &leave)) {
		j->stale |= j->links.any_died;
		return;
	}
	r = update_links_end(j->u->object, j->u->plan, &leave);
	note(j, UPDATE_CONNECTIONS, r, r ? "connections of links that died" : "");
	note_done(j, UPDATE_CONNECTIONS, true);
	if (!r)
		forget(&j->u->been_live, &leave);
}

/* -------- the router's own packets */

static void write_router(struct job *j)
{
	bool done = false;
	int r;

	j->u->error[0] = '\0';
	r = update_policies(j->u, &done);
	note(j, UPDATE_MODULE, r, j->u->error);
	note_done(j, UPDATE_MODULE, done);
	j->u->error[0] = '\0';
	r = update_router(j->u, &done);
	note(j, UPDATE_ROUTER, r, j->u->error);
	note_done(j, UPDATE_ROUTER, done);
}

/* The switch alone, as nothing has to be made ready for it. */
static void leave_dead(struct job *j)
{
	char where[64] = "", error[128];
	size_t n = 0;
	int r = maps_update_policies(j->u->object, j->u->plan, j->bank, &n, where, sizeof(where));

	snprintf(error, sizeof(error), "%s: %s", where, strerror(-r));
	note(j, UPDATE_MAPS, r, error);
	note_done(j, UPDATE_MAPS, n);
	write_router(j);
	end_connections(j);
}

/* -------- routing */

static bool has_routing(const struct diff *d)
{
	return d->n_add_routes || d->n_replace_routes || d->n_delete_routes || d->n_add_rules ||
	       d->n_delete_rules;
}

/* A link that comes brings routes and rules with it: no flow that is cached goes there. */
static void prepare_routing(struct job *j)
{
	int r;

	j->routing.repair = true;
	r = routing_prepare(&j->routing, j->u->plan, j->u->host);
	note(j, UPDATE_ROUTING, r, j->routing.error);
	note_done(j, UPDATE_ROUTING, has_routing(&j->routing.diff));
	j->stale |= has_routing(&j->routing.diff) && !j->links.any_came;
}

static void finish_routing(struct job *j)
{
	j->routing.error[0] = '\0';
	note(j, UPDATE_ROUTING, routing_finish(&j->routing), j->routing.error);
}

/* -------- sysctls and state */

static bool has_new_device(const struct update *u)
{
	for (size_t i = 0; i < u->plan->n_links; i++) {
		const struct plan_link *l = &u->plan->links[i];
		const struct plan_link *old = u->old ? plan_link_by_id(u->old, l->id) : NULL;

		if (!old || old->ifindex != l->ifindex)
			return true;
	}
	return false;
}

static void save_state(struct job *j)
{
	struct update *u = j->u;
	char error[128];
	int r;

	if (!u->state_changed)
		return;
	r = state_write(u->state, u->cookie);
	snprintf(error, sizeof(error), "/run/asymbpf: state not saved: %s", strerror(-r));
	note(j, UPDATE_STATE, r, error);
	note_done(j, UPDATE_STATE, true);
	u->state_changed = r;
}

/* The state is safe before any is written. */
static void write_sysctls(struct job *j)
{
	struct update *u = j->u;
	char error[200] = "";
	int r;

	if (!has_new_device(u))
		return;
	u->state_changed |= traces_restore(u->plan, object_wants_liberal(u->object), u->state);
	r = traces_plan(u->plan, object_wants_liberal(u->object), u->state, error, sizeof(error));
	if (!traces_pending(u->state)) {
		note(j, UPDATE_SYSCTLS, r, error);
		return;
	}
	u->state_changed = true;
	save_state(j);
	r = r ?: traces_write(u->state, error, sizeof(error));
	note(j, UPDATE_SYSCTLS, r, error);
	note_done(j, UPDATE_SYSCTLS, true);
}

/* -------- nftables */

/* Of the text, FNV-1a; 0: no memory for it. */
static uint64_t text_hash(const struct plan *p)
{
	_cleanup_(str_done) struct str text = {};
	uint64_t hash = 0xcbf29ce484222325ull;

	plan_nft_text(p, &text);
	for (const char *c = text.err ? NULL : text.s; c && *c; c++)
		hash = (hash ^ (unsigned char)*c) * 0x100000001b3ull;
	return text.err ? 0 : hash;
}

/* What the table is, and what it is meant to be, as one number; 0: unknown. */
static uint64_t ruleset_now(const struct plan *p, bool *ret_gone)
{
	uint64_t digest = 0, text = text_hash(p);
	int r = ruleset_digest(&digest);

	*ret_gone = r == -ENOENT;
	return r || !text ? 0 : (digest ^ text) ?: 1;
}

/* Somebody has been at it: it should be the same still. */
static bool is_touched(const struct update *u)
{
	return u->ruleset && !(u->old && text_hash(u->old) != text_hash(u->plan));
}

static void write_ruleset(struct job *j)
{
	struct update *u = j->u;
	char error[256] = "";
	bool gone;
	uint64_t now = ruleset_now(u->plan, &gone);
	int r;

	if (now && now == u->ruleset)
		return;
	r = ruleset_apply(u->plan, false, error, sizeof(error));
	note(j, UPDATE_RULESET, r, error);
	/* where nobody knows, it is written to be sure */
	note_done(j, UPDATE_RULESET, u->ruleset || gone);
	j->stale |= gone || is_touched(u);
	if (!r && u->ruleset && (gone || is_touched(u)))
		note(j, UPDATE_CONNECTIONS, update_links_again(u->plan), "connections without a mark");
	u->ruleset = r ? 0 : ruleset_now(u->plan, &gone);
}

/* -------- maps */

static void write_maps(struct job *j)
{
	struct update *u = j->u;
	char where[64] = "", error[128];
	size_t n = 0;
	int r = maps_update(u->object, u->plan, u->old, j->bank, &n, where, sizeof(where));
	snprintf(error, sizeof(error), "%s: %s", where, strerror(-r));
	note(j, UPDATE_MAPS, r, error);
	note_done(j, UPDATE_MAPS, n);
}

static bool is_changed(const struct plan_link *a, const struct plan_link *b, int f)
{
	return a->ifindex != b->ifindex || !addr_equal(&a->addr[f], &b->addr[f]) ||
	       !addr_equal(&a->gateway[f], &b->gateway[f]) || a->route_mtu[f] != b->route_mtu[f];
}

/* A link that carries packets, as before, in another way. */
static bool any_changed(const struct update *u)
{
	for (size_t i = 0; i < u->plan->n_links; i++) {
		const struct plan_link *l = &u->plan->links[i];
		const struct plan_link *old = u->old ? plan_link_by_id(u->old, l->id) : NULL;

		for (int f = 0; old && f < ASYM_FAMILIES; f++)
			if (l->down[f] == PLAN_LIVE && old->down[f] == PLAN_LIVE &&
			    is_changed(l, old, f))
				return true;
	}
	return false;
}

static void bump(struct job *j)
{
	int r = j->stale || any_changed(j->u) ? maps_bump(j->u->object) : 0;

	note(j, UPDATE_MAPS, r, r ? "map asym_control" : "");
}

/* -------- all of it */

static void put_programs(struct job *j)
{
	bool done = false, state = false;
	int r;

	j->u->error[0] = '\0';
	r = update_programs(j->u, &done, &state);
	note(j, UPDATE_PROGRAMS, r, j->u->error);
	note_done(j, UPDATE_PROGRAMS, done);
	j->u->state_changed |= state;
}

static int begin(struct job *j)
{
	struct asym_control control;
	int r = maps_control(j->u->object, &control);

	j->u->done = j->u->failed = 0;
	note(j, UPDATE_MAPS, r, "map asym_control");
	if (r)
		return r;
	j->bank = control.bank & 1;
	j->u->error[0] = '\0';
	note(j, UPDATE_PROGRAMS, update_programs_maps(j->u), j->u->error);
	return object_is_whole(j->u->object) ? 0 : j->first;
}

/* Loading programs takes long, so these come last: arrivals by a new device are marked by nftables
 * meanwhile. */
static void run(struct job *j)
{
	bool at_once;

	judge(j);
	at_once = j->links.any_died && !j->links.any_came;
	if (at_once)
		leave_dead(j);
	prepare_routing(j);
	write_sysctls(j);
	write_ruleset(j);
	write_maps(j);
	write_router(j);
	if (!at_once)
		end_connections(j);
	finish_routing(j);
	bump(j);
	put_programs(j);
	save_state(j);
}

int update_apply(struct update *u)
{
	struct job j = {.u = u};

	if (!begin(&j))
		run(&j);
	u->port = j.routing.nl.port;
	routing_done(&j.routing);
	snprintf(u->error, sizeof(u->error), "%s", j.error);
	return j.first;
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "apply/update_programs.h"

#include "apply/attach.h"
#include "apply/change.h"
#include "apply/traces.h"
#include <errno.h>
#include <stdarg.h>
#include <string.h>

static int fail(struct update *u, int r, const char *fmt, ...) PRINTF(3, 4);
static int fail(struct update *u, int r, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(u->error, sizeof(u->error), fmt, args);
	va_end(args);
	return r;
}

static int need(struct update *u, uint32_t programs)
{
	const struct object_options options = change_options(u->plan->model);
	char why[200];
	int r = object_need(u->object, u->cookie, programs, &options, why, sizeof(why));

	return r ? fail(u, r, "programs: %s", *why ? why : strerror(-r)) : 0;
}

int update_programs_maps(struct update *u)
{
	bool lost = u->object->map[MAP_SETS] < 0 && u->plan->model->n_sets;
	int r;

	if (object_is_whole(u->object))
		return 0;
	r = need(u, 0);
	if (!r && lost)
		r = fail(u, -ENODATA, "map %s: was lost with the last program, reload",
			 object_map_names[MAP_SETS]);
	return r;
}

static uint32_t programs_of(const struct hook *hooks, size_t n)
{
	uint32_t ret = 0;

	for (size_t i = 0; i < n; i++)
		ret |= 1u << hooks[i].which;
	return ret;
}

/* A kernel that refused them at load refuses them now; whoever starts does not know that. */
static uint32_t host_missing(const struct update *u, const struct attachment *a)
{
	if (!u->plan->model->host_traffic || (u->old && !u->object->host))
		return 0;
	return attach_host_missing(a);
}

static uint32_t at_hand(const struct object *o, uint32_t programs)
{
	uint32_t ret = 0;

	for (int i = 0; i < PROGRAM_MAX; i++)
		if (programs >> i & 1 && o->program[i] >= 0)
			ret |= 1u << i;
	return ret;
}

/* A device that has gone meanwhile is no failure: the next update knows. */
static int put(struct update *u, struct attachment *a, const struct hook *hooks, size_t n)
{
	int first = 0;

	for (size_t i = 0; i < n; i++) {
		int r = attach_hooks(a, u->object, &hooks[i], 1);

		if (r && r != -ENODEV && !first)
			first = fail(u, r, "%s: %s", a->error, strerror(-r));
	}
	return first;
}

static int fill(struct update *u, struct attachment *a, struct hook *hooks, size_t n, bool *ret_done)
{
	uint32_t host = host_missing(u, a);
	int r;

	n = attach_missing(a, hooks, n);
	*ret_done = n || (host && u->object->host);
	if (!n && !host)
		return 0;
	r = need(u, programs_of(hooks, n) | host);
	r = r ?: put(u, a, hooks, n);
	/* the tree takes no more programs, or the kernel none: as at load, no failure, nor tried by each
	 * update, which would have to load them every time */
	host = at_hand(u->object, host);
	if (host && attach_host(a, u->object, host))
		u->object->host = false;
	return r;
}

/* Some device has programs of ours that the plan has none for. */
static bool any_left(const struct update *u)
{
	for (size_t i = 0; u->old && i < u->old->n_lans; i++)
		if (u->old->lans[i].ifindex && !hooks_has(u->plan, false, u->old->lans[i].ifindex, false))
			return true;
	for (size_t i = 0; u->old && i < u->old->n_links; i++)
		if (u->old->links[i].ifindex &&
		    !hooks_has(u->plan, false, u->old->links[i].ifindex, false))
			return true;
	return !u->old;
}

int update_programs(struct update *u, bool *ret_done, bool *ret_state)
{
	_cleanup_free_ struct hook *hooks = NULL;
	struct attachment a;
	size_t n = 0;
	int r;

	attach_init(&a, u->cookie);
	r = hooks_list(u->plan, u->object->fastpath, &hooks, &n);
	r = r ?: fill(u, &a, hooks, n, ret_done);
	if (any_left(u))
		attach_sweep(&a, u->host, u->plan, u->object->fastpath);
	*ret_state = traces_clsact(&a, u->state);
	attach_done(&a);
	object_release_programs(u->object);
	return r;
}

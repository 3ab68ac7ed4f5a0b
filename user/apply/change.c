// SPDX-License-Identifier: GPL-2.0-or-later
#include "apply/change.h"

#include "apply/change_steps.h"
#include "apply/maps.h"
#include "apply/ruleset.h"
#include "apply/traces.h"
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>

int change_fail(struct change *c, int r, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(c->error, sizeof(c->error), fmt, args);
	va_end(args);
	return r;
}

struct object_options change_options(const struct model *m)
{
	return (struct object_options){
		.sticky_entries = m->sticky_entries,
		.fastpath = m->fastpath,
		.flow_pairs = m->flow_pairs,
		.revalidate_s = m->revalidate_s,
	};
}

static int load_programs(struct change *c)
{
	const struct model *m = c->plan->model;
	const struct object_options options = change_options(m);
	char why[200];
	int r = object_load(&c->object, c->running, &options, why, sizeof(why));

	if (r)
		return change_fail(c, r, "%s", *why ? why : strerror(-r));
	attach_init(&c->attachment, c->cookie);
	c->attachment.progress = c->progress;
	c->sticky_lost = c->running && !c->object.sticky_kept;
	c->host_missing = m->host_traffic && (!c->object.host || c->attachment.cgroup < 0);
	c->fastpath_missing = m->fastpath && !c->object.fastpath;
	c->bank = maps_idle_bank(&c->object);
	return 0;
}

static void unload_programs(struct change *c)
{
	object_done(&c->object);
}

static int fill_bank(struct change *c)
{
	char map[64] = "";
	int r = maps_write(&c->object, c->plan, c->bank, map, sizeof(map));

	return r ? change_fail(c, r, "%s: %s", map, strerror(-r)) : 0;
}

static void empty_bank(struct change *c)
{
	maps_clear(&c->object, c->bank);
}

static int try_ruleset(struct change *c)
{
	return ruleset_apply(c->plan, true, c->error, sizeof(c->error));
}

static int add_routing(struct change *c)
{
	int r = routing_prepare(&c->routing, c->plan, c->host);

	return r ? change_fail(c, r, "%s", c->routing.error) : 0;
}

static void undo_routing(struct change *c)
{
	routing_undo(&c->routing);
}

static int write_sysctls(struct change *c)
{
	return traces_write(c->state, c->error, sizeof(c->error));
}

/* Maps that no program has used yet start with the bank just filled; so attaching is the switch. */
static int start_maps(struct change *c)
{
	struct asym_control control;

	if (!maps_control(&c->object, &control) && control.abi)
		return 0;
	return maps_switch(&c->object, c->cookie, c->bank);
}

static int attach_programs(struct change *c)
{
	int r = start_maps(c);

	r = r ?: attach_all(&c->attachment, &c->object, c->plan);
	c->host_missing |= c->attachment.host_refused;
	return r ? change_fail(c, r, "%s: %s", c->attachment.error, strerror(-r)) : 0;
}

static void undo_attach(struct change *c)
{
	attach_undo(&c->attachment);
}

static int switch_bank(struct change *c)
{
	int r = maps_switch(&c->object, c->cookie, c->bank);

	return r ? change_fail(c, r, "map asym_control: %s", strerror(-r)) : 0;
}

static void undo_switch(struct change *c)
{
	if (c->running)
		maps_switch(&c->object, c->cookie, !c->bank);
}

static const struct step {
	const char *name;
	int (*run)(struct change *c);
	void (*undo)(struct change *c);
} steps[] = {
	{"bpf", load_programs, unload_programs},
	{"maps", fill_bank, empty_bank},
	{"nft-check", try_ruleset, NULL},
	{"routing", add_routing, undo_routing},
	{"state", change_save_state, change_undo_state},
	{"sysctl", write_sysctls, change_undo_sysctls},
	{"nft", change_commit_ruleset, change_undo_ruleset},
	{"attach", attach_programs, undo_attach},
	{"switch", switch_bank, undo_switch},
};

bool change_fault(const char *step)
{
	const char *wanted = getenv("ASYMBPF_FAULT");
	size_t len = strlen(step);

	if (!wanted || strncmp(wanted, step, len))
		return false;
	if (!strcmp(wanted + len, ":kill"))
		raise(SIGKILL);
	if (!strcmp(wanted + len, ":stop"))
		raise(SIGSTOP);
	return !wanted[len];
}

static int run_step(struct change *c, const struct step *s)
{
	char why[sizeof(c->error)];
	int r;

	if (change_fault(s->name))
		r = change_fail(c, -EIO, "fault injected");
	else
		r = s->run(c);
	if (!r)
		return 0;
	snprintf(why, sizeof(why), "%s", c->error);
	snprintf(c->error, sizeof(c->error), "%s: %.280s", s->name, why);
	return r;
}

/* What the new configuration does not need any more.  It stands already: an error is not one. */
static void sweep(struct change *c)
{
	bool again;

	again = change_follow_router(c);
	attach_sweep(&c->attachment, c->host, c->plan, c->object.fastpath);
	if (c->both.n_links > c->plan->n_links)
		ruleset_apply(c->plan, false, c->error, sizeof(c->error));
	routing_finish(&c->routing);
	again |= traces_restore(c->plan, object_wants_liberal(&c->object), c->state);
	if (c->running)
		maps_clear(&c->object, !c->bank);
	again |= traces_clsact(&c->attachment, c->state);
	if (again)
		state_write(c->state, c->cookie);
	state_remove_orphans(c->state->netns, c->cookie);
}

int change_apply(struct change *c)
{
	size_t done = 0;
	int r = 0;

	object_init(&c->object);
	c->attachment.cgroup = -1;
	for (; done < ARRAY_SIZE(steps); done++) {
		r = run_step(c, &steps[done]);
		if (r)
			break;
	}
	if (!r && change_fault("done"))
		r = change_fail(c, -EIO, "done: fault injected");
	if (!r) {
		sweep(c);
		return 0;
	}
	while (done-- > 0)
		if (steps[done].undo)
			steps[done].undo(c);
	return r;
}

void change_done(struct change *c)
{
	attach_done(&c->attachment);
	routing_done(&c->routing);
	object_done(&c->object);
	free(c->both.links);
}

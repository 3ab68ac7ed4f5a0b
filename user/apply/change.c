// SPDX-License-Identifier: GPL-2.0-or-later
#include "apply/change.h"

#include "apply/maps.h"
#include "apply/netns.h"
#include "apply/ruleset.h"
#include "apply/traces.h"
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

static int fail(struct change *c, int r, const char *fmt, ...) PRINTF(3, 4);
static int fail(struct change *c, int r, const char *fmt, ...)
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
		return fail(c, r, "%s", *why ? why : strerror(-r));
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

	return r ? fail(c, r, "%s: %s", map, strerror(-r)) : 0;
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

	return r ? fail(c, r, "%s", c->routing.error) : 0;
}

static void undo_routing(struct change *c)
{
	routing_undo(&c->routing);
}

/* Settings that an earlier load changed keep the value from before it. */
static int copy_sysctls(struct change *c)
{
	const struct sysctl_list *old = c->old_state ? &c->old_state->sysctls : NULL;

	for (size_t i = 0; old && i < old->n; i++) {
		struct sysctl_saved *s = ARRAY_ADD(c->state->sysctls.items, c->state->sysctls.n);

		if (!s)
			return -ENOMEM;
		*s = old->items[i];
	}
	return 0;
}

/* Into the state, which is saved before anything is written: killed between the two, unload still
 * knows what was there. */
static int plan_sysctls(struct change *c)
{
	int r = copy_sysctls(c);

	if (r)
		return fail(c, r, "sysctls: %s", strerror(-r));
	return traces_plan(c->plan, c->object.fastpath, c->state, c->error, sizeof(c->error));
}

static int write_sysctls(struct change *c)
{
	return traces_write(c->state, c->error, sizeof(c->error));
}

static bool was_saved(const struct state *s, const char *path)
{
	for (size_t i = 0; s && i < s->sysctls.n; i++)
		if (!strcmp(s->sysctls.items[i].path, path))
			return true;
	return false;
}

/* Settings that an earlier load had changed already stay changed. */
static void undo_sysctls(struct change *c)
{
	struct sysctl_list new = {0};
	char path[96];

	for (size_t i = 0; i < c->state->sysctls.n; i++) {
		const struct sysctl_saved *s = &c->state->sysctls.items[i];
		struct sysctl_saved *to;

		if (was_saved(c->old_state, s->path))
			continue;
		to = ARRAY_ADD(new.items, new.n);
		if (to)
			*to = *s;
	}
	sysctl_restore(&new, path);
	free(new.items);
}

static const struct plan_id *old_id(const struct change *c, const char *name)
{
	for (size_t i = 0; c->old_state && i < c->old_state->n_ids; i++)
		if (!strcmp(c->old_state->ids[i].name, name))
			return &c->old_state->ids[i];
	return NULL;
}

static int note_id(struct change *c, const char *name, uint8_t id)
{
	const struct plan_id *old = old_id(c, name);
	struct plan_id *to = ARRAY_ADD(c->state->ids, c->state->n_ids);

	if (!to)
		return -ENOMEM;
	if (old)
		*to = *old;
	to->id = id;
	snprintf(to->name, sizeof(to->name), "%s", name);
	return 0;
}

static int fill_state(struct change *c)
{
	struct state *s = c->state;
	int r = 0;

	for (size_t i = 0; i < c->plan->n_links && !r; i++)
		r = note_id(c, c->plan->links[i].conf->name, c->plan->links[i].id);
	for (size_t i = 0; i < c->plan->n_gone && !r; i++)
		r = note_id(c, c->plan->gone[i].name, c->plan->gone[i].id);
	for (size_t i = 0; c->old_state && i < c->old_state->n_clsact && !r; i++) {
		uint32_t *to = ARRAY_ADD(s->clsact, s->n_clsact);

		r = to ? 0 : -ENOMEM;
		if (to)
			*to = c->old_state->clsact[i];
	}
	s->mark_mask = c->plan->config.mark_mask;
	s->netns = netns_inode();
	s->loaded_at = time(NULL);
	return r;
}

static int save_state(struct change *c)
{
	int r = plan_sysctls(c);

	if (r)
		return r;
	r = fill_state(c);
	r = r ?: state_write(c->state, c->cookie);
	return r ? fail(c, r, "/run/asymbpf: %s", strerror(-r)) : 0;
}

static void undo_state(struct change *c)
{
	if (c->old_state)
		state_write(c->old_state, c->cookie);
	else
		state_remove(c->cookie);
}

static bool has_link(const struct plan *p, const struct plan_link *l)
{
	for (size_t i = 0; i < p->n_links; i++)
		if (p->links[i].id == l->id ||
		    !strcmp(p->links[i].conf->device, l->conf->device))
			return true;
	return false;
}

static int add_link(struct plan *p, const struct plan_link *l)
{
	struct plan_link *to = ARRAY_ADD(p->links, p->n_links);

	if (!to)
		return -ENOMEM;
	*to = *l;
	for (size_t i = 0; i < p->n_gone; i++)
		if (p->gone[i].id == l->id)
			p->gone[i--] = p->gone[--p->n_gone];
	return 0;
}

/* The new plan's links, and those of the old one that it does without. */
static int join_plans(struct change *c)
{
	int r = 0;

	c->both = *c->plan;
	c->both.links = NULL;
	c->both.n_links = 0;
	for (size_t i = 0; i < c->plan->n_links && !r; i++)
		r = add_link(&c->both, &c->plan->links[i]);
	for (size_t i = 0; c->old_plan && i < c->old_plan->n_links && !r; i++)
		if (!has_link(&c->both, &c->old_plan->links[i]))
			r = add_link(&c->both, &c->old_plan->links[i]);
	return r;
}

/* Until the bank is switched, the programs choose old links: these keep NAT and marks so long. */
static int commit_ruleset(struct change *c)
{
	int r = join_plans(c);

	return r ?: ruleset_apply(&c->both, false, c->error, sizeof(c->error));
}

static void undo_ruleset(struct change *c)
{
	char ignored[256];

	if (c->old_plan)
		ruleset_apply(c->old_plan, false, ignored, sizeof(ignored));
	else
		ruleset_remove(ignored, sizeof(ignored));
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
	return r ? fail(c, r, "%s: %s", c->attachment.error, strerror(-r)) : 0;
}

static void undo_attach(struct change *c)
{
	attach_undo(&c->attachment);
}

static int switch_bank(struct change *c)
{
	int r = maps_switch(&c->object, c->cookie, c->bank);

	return r ? fail(c, r, "map asym_control: %s", strerror(-r)) : 0;
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
	{"state", save_state, undo_state},
	{"sysctl", write_sysctls, undo_sysctls},
	{"nft", commit_ruleset, undo_ruleset},
	{"attach", attach_programs, undo_attach},
	{"switch", switch_bank, undo_switch},
};

/* For tests: whether this step is to fail now. */
static bool fault(const char *step)
{
	const char *wanted = getenv("ASYMBPF_FAULT");
	size_t len = strlen(step);

	if (!wanted || strncmp(wanted, step, len))
		return false;
	if (!strcmp(wanted + len, ":kill"))
		raise(SIGKILL);
	return !wanted[len];
}

static int run_step(struct change *c, const struct step *s)
{
	char why[sizeof(c->error)];
	int r;

	if (fault(s->name))
		r = fail(c, -EIO, "fault injected");
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

	attach_sweep(&c->attachment, c->host, c->plan, c->object.fastpath);
	if (c->both.n_links > c->plan->n_links)
		ruleset_apply(c->plan, false, c->error, sizeof(c->error));
	routing_finish(&c->routing);
	again = traces_restore(c->plan, c->object.fastpath, c->state);
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
	if (!r && fault("done"))
		r = fail(c, -EIO, "done: fault injected");
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

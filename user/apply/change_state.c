// SPDX-License-Identifier: GPL-2.0-or-later
#include "apply/change_steps.h"

#include "apply/netns.h"
#include "apply/traces.h"
#include <errno.h>
#include <string.h>
#include <time.h>

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
		return change_fail(c, r, "sysctls: %s", strerror(-r));
	return traces_plan(c->plan, object_wants_liberal(&c->object), c->state, c->error,
			   sizeof(c->error));
}

void change_undo_sysctls(struct change *c)
{
	struct sysctl_list new = {0};
	char path[96];

	for (size_t i = 0; i < c->state->sysctls.n; i++) {
		const struct sysctl_saved *s = &c->state->sysctls.items[i];
		struct sysctl_saved *to;

		if (c->old_state && sysctl_find(&c->old_state->sysctls, s->path))
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
	bool ignored;
	int r = 0;

	for (size_t i = 0; i < c->plan->n_links && !r; i++)
		r = note_id(c, c->plan->links[i].conf->name, c->plan->links[i].id);
	for (size_t i = 0; i < c->plan->n_gone && !r; i++)
		r = note_id(c, c->plan->gone[i].name, c->plan->gone[i].id);
	for (size_t i = 0; c->old_state && i < c->old_state->n_devices && !r; i++)
		r = state_add_device(s, c->old_state->devices[i].ifindex,
				     c->old_state->devices[i].name);
	r = r ?: state_note_devices(s, c->plan, c->host, &ignored);
	for (size_t i = 0; c->old_state && i < c->old_state->n_drains && !r; i++)
		r = state_add_drain(s, c->old_state->drains[i].policy,
				    c->old_state->drains[i].at_ns);
	for (size_t i = 0; c->old_state && i < c->old_state->n_clsact && !r; i++) {
		uint32_t *to = ARRAY_ADD(s->clsact, s->n_clsact);

		r = to ? 0 : -ENOMEM;
		if (to)
			*to = c->old_state->clsact[i];
	}
	if (c->old_state)
		s->router = c->old_state->router;
	s->mark_mask = c->plan->config.mark_mask;
	s->netns = netns_inode();
	s->loaded_at = time(NULL);
	return r;
}

int change_save_state(struct change *c)
{
	int r = plan_sysctls(c);

	if (r)
		return r;
	r = fill_state(c);
	r = r ?: state_write(c->state, c->cookie);
	return r ? change_fail(c, r, "/run/asymbpf: %s", strerror(-r)) : 0;
}

void change_undo_state(struct change *c)
{
	if (c->old_state)
		state_write(c->old_state, c->cookie);
	else
		state_remove(c->cookie);
}

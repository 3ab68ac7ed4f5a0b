// SPDX-License-Identifier: GPL-2.0-or-later
#include "apply/change_steps.h"

#include "apply/ruleset.h"
#include <errno.h>
#include <string.h>

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

int change_commit_ruleset(struct change *c)
{
	int r = join_plans(c);

	return r ?: ruleset_apply(&c->both, false, c->error, sizeof(c->error));
}

void change_undo_ruleset(struct change *c)
{
	char ignored[256];

	if (c->old_plan)
		ruleset_apply(c->old_plan, false, ignored, sizeof(ignored));
	else
		ruleset_remove(ignored, sizeof(ignored));
}

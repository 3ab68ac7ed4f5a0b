// SPDX-License-Identifier: GPL-2.0-or-later
#include "apply/traces.h"

#include <string.h>

int traces_plan(const struct plan *p, bool liberal, struct state *s, char *error, size_t size)
{
	char path[96] = "";
	int r = sysctl_plan(p->sysctls, plan_useful_sysctls(p, liberal), &s->sysctls, path);

	if (r)
		snprintf(error, size, "sysctl %s: %s", path, strerror(-r));
	return r;
}

bool traces_pending(const struct state *s)
{
	for (size_t i = 0; i < s->sysctls.n; i++)
		if (s->sysctls.items[i].pending)
			return true;
	return false;
}

int traces_write(struct state *s, char *error, size_t size)
{
	char path[96] = "";
	int r = sysctl_write(&s->sysctls, path);

	if (r)
		snprintf(error, size, "%s: %s", path, strerror(-r));
	return r;
}

static bool is_planned(const struct plan *p, bool liberal, const char *path)
{
	for (size_t i = 0; i < plan_useful_sysctls(p, liberal); i++)
		if (!strcmp(p->sysctls[i].path, path))
			return true;
	return false;
}

bool traces_restore(const struct plan *p, bool liberal, struct state *s)
{
	struct sysctl_list *list = &s->sysctls;
	size_t kept = 0, n = list->n;
	char path[96];

	for (size_t i = 0; i < n; i++) {
		struct sysctl_list one = {.items = &list->items[i], .n = 1};

		if (is_planned(p, liberal, list->items[i].path))
			list->items[kept++] = list->items[i];
		else
			sysctl_restore(&one, path);
	}
	list->n = kept;
	return kept < n;
}

static bool has_clsact(const struct state *s, uint32_t ifindex)
{
	for (size_t i = 0; i < s->n_clsact; i++)
		if (s->clsact[i] == ifindex)
			return true;
	return false;
}

bool traces_clsact(const struct attachment *a, struct state *s)
{
	bool changed = false;

	for (size_t i = 0; i < a->n; i++) {
		uint32_t ifindex = a->changes[i].ifindex, *to;

		if (!a->changes[i].clsact_made || has_clsact(s, ifindex))
			continue;
		to = ARRAY_ADD(s->clsact, s->n_clsact);
		if (to)
			*to = ifindex;
		changed = true;
	}
	return changed;
}

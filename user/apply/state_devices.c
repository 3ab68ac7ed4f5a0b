// SPDX-License-Identifier: GPL-2.0-or-later
/* Devices that are, or were, those of links. */
#include "apply/state.h"

#include "core/host.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct state_device *find(const struct state *s, uint32_t ifindex)
{
	for (size_t i = 0; i < s->n_devices; i++)
		if (s->devices[i].ifindex == ifindex)
			return &s->devices[i];
	return NULL;
}

int state_add_device(struct state *s, uint32_t ifindex, const char *name)
{
	struct state_device *to = find(s, ifindex) ?: ARRAY_ADD(s->devices, s->n_devices);

	if (!to)
		return -ENOMEM;
	to->ifindex = ifindex;
	snprintf(to->name, sizeof(to->name), "%s", name);
	return 0;
}

static bool is_known(const struct state *s, const struct plan_link *l)
{
	const struct state_device *d = find(s, l->ifindex);

	return !l->ifindex || (d && !strcmp(d->name, l->conf->device));
}

/* True when some were. */
static bool forget_gone(struct state *s, const struct host *h)
{
	size_t kept = 0, n = s->n_devices;

	for (size_t i = 0; i < n; i++)
		if (host_device_by_index(h, s->devices[i].ifindex))
			s->devices[kept++] = s->devices[i];
	s->n_devices = kept;
	return kept != n;
}

int state_note_devices(struct state *s, const struct plan *p, const struct host *h,
		       bool *ret_changed)
{
	bool changed = forget_gone(s, h);
	int r = 0;

	for (size_t i = 0; i < p->n_links && !r; i++)
		if (!is_known(s, &p->links[i])) {
			r = state_add_device(s, p->links[i].ifindex, p->links[i].conf->device);
			changed = true;
		}
	*ret_changed = changed;
	return r;
}

void state_mark_devices(const struct state *s, struct host *h)
{
	for (size_t i = 0; i < h->n_devices; i++) {
		const struct state_device *d = find(s, h->devices[i].ifindex);

		snprintf(h->devices[i].was, sizeof(h->devices[i].was), "%s", d ? d->name : "");
	}
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "apply/filters.h"

#include "apply/object.h"
#include "apply/tc.h"

static bool is_ours(uint32_t program_id)
{
	enum object_program which;
	uint64_t cookie;

	return object_identify(program_id, &which, &cookie);
}

/* Programs before ours see every packet: ours goes to the end of those that are there when it comes,
 * and keeps its place in a reload. */
static bool runs_before_others(uint32_t ifindex)
{
	const struct tc_hook hook = {.ifindex = ifindex};
	uint32_t ids[TC_MAX_PROGRAMS];
	int n = tc_query(&hook, ids, TC_MAX_PROGRAMS);
	bool ours = false;

	for (int i = 0; i < n && (i + 1 < n || ours); i++) {
		if (is_ours(ids[i]))
			ours = true;
		else if (ours)
			return true;
	}
	return false;
}

/* Filters of a qdisc run after all programs on tcx.  Before Linux 6.6 some may run before ours, which is
 * one of them; they count all the same. */
int filters_take(struct nl *nl, struct host *h)
{
	for (size_t i = 0; i < h->n_devices; i++) {
		struct host_device *d = &h->devices[i];
		bool others;
		int r = tc_others(nl, d->ifindex, &others);

		if (r)
			return r;
		d->ingress_filters = others || runs_before_others(d->ifindex);
	}
	return 0;
}

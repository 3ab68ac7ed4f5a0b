// SPDX-License-Identifier: GPL-2.0-or-later
/* How links are tested. */
#include "core/check_int.h"

static void check_levels(const struct model_link *l, const char *key,
			 const struct model_levels *levels, struct findings *f)
{
	if (levels->low > levels->high)
		check_error(f, &l->place, "%s: the low level of link \"%s\" is above the high one, "
			    "expected {LOW, HIGH}", key, l->name);
}

/* A family with nothing but its gateway was not chosen: the other has the targets that count. */
static void check_quorum(const struct model_link *l, struct findings *f)
{
	size_t n[ASYM_FAMILIES] = {}, chosen[ASYM_FAMILIES] = {};

	for (size_t i = 0; i < l->probe.n; i++) {
		n[l->probe.targets[i].family]++;
		chosen[l->probe.targets[i].family] += l->probe.targets[i].kind != PROBE_GATEWAY;
	}
	for (int i = 0; i < ASYM_FAMILIES; i++)
		if (chosen[i] && n[i] < l->probe.quorum)
			check_warn(f, &l->place, "quorum: \"%u\", but link \"%s\" has %zu target%s of "
				   "IPv%d; all of them have to answer", l->probe.quorum, l->name, n[i],
				   n[i] == 1 ? "" : "s", i == ASYM_V4 ? 4 : 6);
	if (n[ASYM_V4] && l->probe.quorum > 1 && !chosen[ASYM_V4] && !chosen[ASYM_V6])
		check_warn(f, &l->place, "quorum: \"%u\", but link \"%s\" has no target but its "
			   "gateway", l->probe.quorum, l->name);
}

void check_probes(const struct model *m, struct findings *f)
{
	for (size_t i = 0; i < m->n_links; i++) {
		const struct model_link *l = &m->links[i];

		check_levels(l, "loss", &l->probe.loss, f);
		check_levels(l, "latency", &l->probe.latency_ms, f);
		check_levels(l, "jitter", &l->probe.jitter_ms, f);
		check_quorum(l, f);
		if (l->probe.hold_ms > l->probe.hold_max_ms)
			check_warn(f, &l->place, "hold-down: %ums of link \"%s\" is more than "
				   "hold-down-max, %ums, which counts", l->probe.hold_ms, l->name,
				   l->probe.hold_max_ms);
	}
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/mesh_plan.h"

static uint32_t count_ways(const struct mesh_plan *p)
{
	uint32_t n = 0;

	for (size_t i = 0; i < p->n_targets; i++)
		n += p->targets[i].n;
	return n;
}

int mesh_probe_ms(const struct mesh *m, uint32_t *ret)
{
	uint32_t most = 0, least_ms;

	for (size_t i = 0; i < m->n_nodes; i++) {
		_cleanup_(mesh_plan_done) struct mesh_plan p = {};
		int r = mesh_plan_build(&p, m, m->nodes[i].name);

		if (r)
			return r;
		most = MAX(most, count_ways(&p));
	}
	least_ms = (most * 1000 + MESH_PROBES_PER_S - 1) / MESH_PROBES_PER_S;
	*ret = MAX(m->probe_ms, least_ms);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Any bytes as the description of a mesh.  What is accepted prints and reads again, and every node has a plan. */
#include "core/mesh_plan.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void print_and_parse(const struct mesh *m)
{
	_cleanup_(str_done) struct str s = {}, t = {};
	_cleanup_(findings_done) struct findings f = {};
	_cleanup_(mesh_done) struct mesh again;

	mesh_init(&again);
	mesh_print(m, &s);
	if (s.err || mesh_parse(&again, "printed", s.s, s.len, &f))
		abort();
	mesh_print(&again, &t);
	if (t.err || strcmp(s.s, t.s) || mesh_hash(m) != mesh_hash(&again))
		abort();
}

static void plan(const struct mesh *m, const char *node)
{
	_cleanup_(mesh_plan_done) struct mesh_plan p = {};
	_cleanup_(str_done) struct str text = {};

	if (mesh_plan_build(&p, m, node))
		abort();
	mesh_plan_text(&p, &text);
	for (size_t i = 0; i < p.n_tunnels; i++)
		mesh_quick_text(&p, &p.tunnels[i], NULL, &text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(findings_done) struct findings f = {};
	_cleanup_(str_done) struct str text = {};
	_cleanup_(mesh_done) struct mesh m;
	int r;

	mesh_init(&m);
	r = mesh_parse(&m, "fuzz", (const char *)data, size, &f);
	if ((r == 0) != (findings_errors(&f) == 0))
		abort();
	if (r)
		return 0;
	print_and_parse(&m);
	if (mesh_check(&m, &f))
		return 0;
	for (size_t i = 0; i < m.n_nodes; i++)
		plan(&m, m.nodes[i].name);
	mesh_hops_text(&m, &text);
	mesh_dot_text(&m, &text);
	return 0;
}

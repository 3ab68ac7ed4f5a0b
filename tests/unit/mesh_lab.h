/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For tests of meshes: descriptions with keys filled in, read, checked and planned.  Include cmocka.h before. */
#ifndef TESTS_UNIT_MESH_LAB_H
#define TESTS_UNIT_MESH_LAB_H

#include "core/mesh_plan.h"
#include "tests/unit/config.h"

/* A text with $x for the key whose bytes are all 'x', in quotes; to be freed. */
static inline char *with_keys(const char *text)
{
	struct str out = {};

	for (; *text; text++) {
		uint8_t bytes[MESH_KEY];
		char key[MESH_KEY_TEXT];

		if (*text != '$') {
			str_add(&out, "%c", *text);
			continue;
		}
		memset(bytes, *++text, sizeof(bytes));
		mesh_key_text(bytes, key);
		str_add(&out, "\"%s\"", key);
	}
	return out.s ?: strdup("");
}

struct meshed {
	struct mesh m;
	struct findings f;
	int r;
};

static inline void meshed_done(struct meshed *p)
{
	mesh_done(&p->m);
	findings_done(&p->f);
}

#define MESHED _cleanup_(meshed_done) struct meshed

/* Read, and checked when it could be read. */
static inline struct meshed mesh_of(const char *text)
{
	_cleanup_free_ char *full = with_keys(text);
	struct meshed p = {};

	mesh_init(&p.m);
	p.r = mesh_parse(&p.m, "mesh", full, strlen(full), &p.f);
	if (!p.r)
		p.r = mesh_check(&p.m, &p.f);
	return p;
}

static inline struct meshed good_mesh(const char *text)
{
	struct meshed p = mesh_of(text);

	findings_show(&p.f);
	assert_int_equal(p.r, 0);
	return p;
}

static inline struct mesh_plan plan_of(const struct mesh *m, const char *node)
{
	struct mesh_plan p = {};

	assert_int_equal(mesh_plan_build(&p, m, node), 0);
	return p;
}

#define PLAN _cleanup_(mesh_plan_done) struct mesh_plan

/* What it has to do to reach that node, and the names of the wishes: "via b, direct | hk". */
static inline const struct mesh_target *target_of(const struct mesh_plan *p, const char *node)
{
	return mesh_plan_target(p, mesh_node_find(p->mesh, node));
}

static inline const char *wish_names(const struct mesh_target *t, const struct mesh_wish *w)
{
	static char text[256];

	*text = 0;
	for (size_t i = 0; i < w->n; i++) {
		size_t len = strlen(text);

		snprintf(text + len, sizeof(text) - len, "%s%s", i == w->n_own ? " | " : i ? ", " : "",
			 t->ways[w->order[i]].name);
	}
	return text;
}

#endif

// SPDX-License-Identifier: GPL-2.0-or-later
#include "run/mesh_apply.h"

#include "base/defs.h"
#include "base/log.h"
#include "run/resolver.h"
#include <errno.h>

#define TRIES 5 /* for a description that is being written at the moment */

static int too_often(void)
{
	return log_err(0, "the description has changed %d times while it was applied", TRIES),
	       -EBUSY;
}

int mesh_apply_now(const struct mesh_source *s)
{
	struct overlay_names names = {};
	int r = -EAGAIN;

	for (int i = 0; i < TRIES && r == -EAGAIN; i++) {
		size_t known = names.n;

		r = s->read(s->data, &names);
		for (size_t k = known; k < names.n && !r; k++)
			resolve(names.items[k].host, AF_UNSPEC, &names.items[k].found);
		r = r ?: s->apply(s->data, &names);
	}
	overlay_names_done(&names);
	return r == -EAGAIN ? too_often() : r;
}

/* -------- in a loop */

struct question {
	struct mesh_apply *all;
	size_t name; /* index */
	struct asking *asking;
};

struct mesh_apply {
	uv_loop_t *loop;
	const struct mesh_source *source;
	void (*done)(void *data, int r);
	void *data;
	struct overlay_names names;
	struct question *questions;
	size_t n_questions, left;
	int tries;
};

static void end_questions(struct mesh_apply *a)
{
	for (size_t i = 0; i < a->n_questions; i++)
		asking_end(a->questions[i].asking);
	free(a->questions);
	a->questions = NULL;
	a->n_questions = a->left = 0;
}

void mesh_apply_end(struct mesh_apply *a)
{
	if (!a)
		return;
	end_questions(a);
	overlay_names_done(&a->names);
	free(a);
}

static void answered(void *data, const struct resolved *found);

/* Those from the index on, all at once. */
static int ask(struct mesh_apply *a, size_t from)
{
	int r = 0;

	a->questions = calloc(a->names.n - from + 1, sizeof(*a->questions));
	if (!a->questions)
		return -ENOMEM;
	for (size_t i = from; i < a->names.n && !r; i++) {
		struct question *q = &a->questions[a->n_questions++];

		*q = (struct question){.all = a, .name = i};
		r = asking_begin(a->loop, a->names.items[i].host, answered, q, &q->asking);
		a->left += !r;
	}
	return r ? log_err(r, "cannot ask for the addresses of endpoints") : 0;
}

/* -EINPROGRESS: there are names to wait for. */
static int begin(struct mesh_apply *a)
{
	size_t known = a->names.n;
	int r = a->source->read(a->source->data, &a->names);

	if (!r && a->names.n > known)
		r = ask(a, known) ?: -EINPROGRESS;
	return r ?: a->source->apply(a->source->data, &a->names);
}

static int try(struct mesh_apply *a)
{
	int r;

	do {
		end_questions(a);
		r = a->tries++ < TRIES ? begin(a) : too_often();
	} while (r == -EAGAIN);
	return r;
}

static void finish(struct mesh_apply *a, int r)
{
	void (*done)(void *data, int r) = a->done;
	void *data = a->data;

	mesh_apply_end(a);
	done(data, r);
}

static void answered(void *data, const struct resolved *found)
{
	struct question *q = data;
	struct mesh_apply *a = q->all;
	int r;

	q->asking = NULL;
	a->names.items[q->name].found = *found;
	if (--a->left)
		return;
	r = a->source->apply(a->source->data, &a->names);
	if (r == -EAGAIN)
		r = try(a);
	if (r != -EINPROGRESS)
		finish(a, r);
}

int mesh_apply_begin(uv_loop_t *loop, const struct mesh_source *s, void (*done)(void *data, int r),
		     void *data, struct mesh_apply **ret)
{
	struct mesh_apply *a = calloc(1, sizeof(*a));
	int r;

	if (!a)
		return log_err(-ENOMEM, "cannot apply the mesh");
	*a = (struct mesh_apply){.loop = loop, .source = s, .done = done, .data = data};
	*ret = a;
	r = try(a);
	if (r != -EINPROGRESS)
		finish(a, r);
	return 0;
}

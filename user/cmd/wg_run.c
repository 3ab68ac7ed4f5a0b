// SPDX-License-Identifier: GPL-2.0-or-later
/* wg run: the daemon of a mesh. */
#include "run/mesh_run.h"

#include "cmd/verb.h"
#include "cmd/wg.h"

static int run(const struct command *self, struct options *o)
{
	struct mesh_source source;
	struct wg_source ws;
	int r;

	if (o->n_args)
		return options_wrong(self, "what is \"%s\"?", o->args[0]);
	if ((o->config || o->node) && !o->key)
		return options_wrong(self, "to apply a description, --key FILE is needed");
	if (verb_privileged(self->name))
		return STATUS_FAILURE;
	source = wg_source(&ws, o);
	ws.quiet = true;
	ws.measures = true;
	r = mesh_run(o->key ? &source : NULL, o->json);
	wg_source_done(&ws);
	return r ? STATUS_FAILURE : STATUS_OK;
}

int wg_run(const struct command *self, int argc, char **argv)
{
	struct options o;
	int status;

	if (!options_parse(&o, self, argc, argv, &status))
		status = run(self, &o);
	options_done(&o);
	return status;
}

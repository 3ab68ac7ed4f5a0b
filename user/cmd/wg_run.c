// SPDX-License-Identifier: GPL-2.0-or-later
/* wg run: the daemon of a mesh. */
#include "run/mesh_run.h"

#include "cmd/verb.h"
#include "cmd/wg.h"

static int apply_again(void *data)
{
	struct session s;
	int r = session_open(&s, true);

	r = r ?: wg_apply_options(data);
	session_close(&s);
	return r;
}

static int run(const struct command *self, struct options *o)
{
	if (o->n_args)
		return options_wrong(self, "what is \"%s\"?", o->args[0]);
	if ((o->config || o->node) && !o->key)
		return options_wrong(self, "to apply a description, --key FILE is needed");
	if (verb_privileged(self->name))
		return STATUS_FAILURE;
	return mesh_run(o->key ? apply_again : NULL, o, o->json) ? STATUS_FAILURE : STATUS_OK;
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

// SPDX-License-Identifier: GPL-2.0-or-later
/* dhcp-shim: renewals leave by their own link, without BPF and without the daemon. */
#include "cmd/verb.h"
#include "run/shim_run.h"
#include <errno.h>

static int run(const struct command *self, const struct options *o)
{
	const struct load told = {.config = o->config, .flags = o->flags, .n_flags = o->n_flags};
	int r;

	if (o->n_args)
		return options_wrong(self, "what is \"%s\"? links are named by --iface",
				     o->args[0]);
	if (verb_privileged(self->name))
		return STATUS_FAILURE;
	r = shim_run(&told, o->json);
	return r == -EDOM ? STATUS_USAGE : r ? STATUS_FAILURE : STATUS_OK;
}

int cmd_dhcp_shim(const struct command *self, int argc, char **argv)
{
	struct options o;
	int status;

	if (!options_parse(&o, self, argc, argv, &status))
		status = run(self, &o);
	options_done(&o);
	return status;
}

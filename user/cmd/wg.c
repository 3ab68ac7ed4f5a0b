// SPDX-License-Identifier: GPL-2.0-or-later
/* wg: a mesh of WireGuard tunnels, verbs of its own. */
#include "cmd/wg.h"
#include "base/log.h"
#include "base/str.h"
#include "run/session.h"
#include <errno.h>
#include <string.h>

#define PREFIX "wg " /* of the names, for messages */

static const struct command verbs[] = {
	{PREFIX "plan", "[--config FILE] [--node NAME] [--json | --dot | --wg-quick DIR]",
	 "Check the description of a mesh and print what its nodes have to do", "cNjGW", wg_plan},
	{PREFIX "apply", "--key FILE [--config FILE] [--node NAME] [--adopt]",
	 "Make this machine a node of a mesh, or take over a changed description", "KcNa", wg_apply},
	{PREFIX "run", "[--key FILE [--config FILE] [--node NAME] [--adopt]] [--json]",
	 "Measure all ways and take the best ones, until stopped", "KcNaj", wg_run},
	{PREFIX "down", "[--json]", "Take away what wg apply has made", "j", wg_down},
	{PREFIX "show", "[--json]",
	 "Show tunnels, and by which ways packets go", "j", wg_show},
	{PREFIX "genkey", "[--public]", "Print a new private key", "u", wg_genkey},
};

static const char *short_name(const struct command *c)
{
	return c->name + strlen(PREFIX);
}

static void usage(FILE *to)
{
	fprintf(to, "usage: asymbpf wg VERB [OPTION]...\n\n");
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		fprintf(to, "  %-8s %s\n", short_name(&verbs[i]), verbs[i].help);
	fprintf(to, "\nasymbpf wg VERB --help tells more; the manuals are asymbpf(8) and "
		    "asymbpf-mesh(5).\n");
}

static int unknown(const char *name)
{
	const char *names[ARRAY_SIZE(verbs)], *near;

	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		names[i] = short_name(&verbs[i]);
	near = str_nearest(name, names, ARRAY_SIZE(names));
	if (near)
		log_error("wg: unknown verb \"%s\", did you mean \"%s\"?", name, near);
	else
		log_error("wg: unknown verb \"%s\", see asymbpf wg --help", name);
	return STATUS_USAGE;
}

int cmd_wg(const struct command *self, int argc, char **argv)
{
	if (argc < 2) {
		usage(stderr);
		return STATUS_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		usage(stdout);
		return STATUS_OK;
	}
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		if (!strcmp(argv[1], short_name(&verbs[i])))
			return verbs[i].run(&verbs[i], argc - 1, argv + 1);
	return unknown(argv[1]);
}

int wg_read(struct mesh *m, const char *path)
{
	_cleanup_(findings_done) struct findings f = {};
	int r;

	mesh_init(m);
	r = mesh_read(m, path ?: WG_CONFIG, &f);
	r = r ?: mesh_check(m, &f);
	if (session_report(&f))
		return -EINVAL;
	return r ? log_err(r, "cannot read the description") : 0;
}

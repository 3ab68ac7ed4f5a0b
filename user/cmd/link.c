// SPDX-License-Identifier: GPL-2.0-or-later
/* link: the operator's will goes before what is known of a link. */
#include "cmd/daemon.h"
#include "cmd/json.h"
#include "cmd/verb.h"
#include "core/name.h"
#include "core/plan.h"
#include <string.h>

static bool is_state(const char *word)
{
	for (size_t i = 0; i < PLAN_MANUAL_MAX; i++)
		if (!strcmp(word, plan_manual_names[i]))
			return true;
	return false;
}

static int check_usage(const struct command *self, const struct options *o)
{
	if (o->n_args != 2)
		return options_wrong(self, "a link and up, down or auto are needed");
	if (!name_is_valid(o->args[0]))
		return options_wrong(self, "\"%s\" is not the name of a link", o->args[0]);
	if (!is_state(o->args[1]))
		return options_wrong(self, "\"%s\" is not up, down or auto", o->args[1]);
	if (o->duration_s && !strcmp(o->args[1], plan_manual_names[PLAN_AUTO]))
		return options_wrong(self, "auto has no end");
	return STATUS_OK;
}

static int force(struct session *s, const struct options *o)
{
	struct json_object *request = json_object_new_object(), *answer = NULL;
	int r;

	json_add_str(request, "do", "link");
	json_add_str(request, "link", o->args[0]);
	json_add_str(request, "set", o->args[1]);
	json_add_u64(request, "seconds", o->duration_s);
	r = daemon_ask(s->cookie, request, &answer);
	json_object_put(answer);
	return r;
}

int cmd_link(const struct command *self, int argc, char **argv)
{
	static const struct verb verb = {.remote = true, .usage = check_usage, .body = force};

	return verb_run(self, argc, argv, &verb);
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "apply/remove.h"
#include "base/log.h"
#include "cmd/json.h"
#include "cmd/progress.h"
#include "cmd/verb.h"
#include "run/control_socket.h"
#include <errno.h>

static int unload(struct session *s, const struct options *o)
{
	char error[320] = "";
	bool was_loaded = s->loaded;
	int r = remove_all(s->cookie, &s->host, s->has_state ? &s->state : NULL, progress, error,
			   sizeof(error));

	control_socket_sweep(s->cookie);
	if (r) {
		log_error("not everything could be removed: %s", error);
		return r;
	}
	if (!was_loaded)
		return log_err(0, "not loaded in this network namespace"), -ENOENT;
	if (s->damaged)
		return log_err(0, "the state was damaged: sysctls and marks of connections stay "
				  "as they are"),
		       -EBADMSG;
	if (o->json) {
		struct json_object *json = json_object_new_object();

		json_add_str(json, "result", "unloaded");
		json_print(json);
	} else {
		printf("unloaded\n");
	}
	return 0;
}

int cmd_unload(const struct command *self, int argc, char **argv)
{
	static const struct verb verb = {.lock = true, .body = unload};

	return verb_run(self, argc, argv, &verb);
}

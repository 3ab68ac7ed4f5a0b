// SPDX-License-Identifier: GPL-2.0-or-later
#include "cmd/daemon.h"

#include "base/log.h"
#include "run/control.h"
#include <errno.h>

int daemon_error(int r)
{
	switch (r) {
	case -ENOENT:
		return log_err(0, "no daemon runs in this network namespace, see asymbpf monitor"), r;
	case -EINPROGRESS:
		return log_err(0, "the daemon is starting"), r;
	case -EPIPE:
		return log_err(0, "the daemon has ended"), r;
	case -EBUSY:
		return log_err(0, "the daemon has as many listeners as it takes"), r;
	case -ETIMEDOUT:
		return log_err(0, "the daemon does not answer"), r;
	case -EBADMSG:
		return log_err(0, "cannot understand the daemon, is it of another version?"), r;
	default:
		return log_err(r, "cannot ask the daemon");
	}
}

/* Why it refused, or NULL. */
static const char *refusal(struct json_object *answer)
{
	struct json_object *ok, *error;

	if (json_object_object_get_ex(answer, "ok", &ok) && json_object_get_boolean(ok))
		return NULL;
	if (!json_object_object_get_ex(answer, "error", &error))
		return "it does not say why";
	return json_object_get_string(error) ?: "it does not say why";
}

int daemon_ask(uint64_t cookie, struct json_object *request, struct json_object **ret)
{
	struct json_object *answer;
	int r = control_ask(cookie, request, &answer);

	json_object_put(request);
	if (r)
		return daemon_error(r);
	if (refusal(answer)) {
		log_error("the daemon refuses: %s", refusal(answer));
		json_object_put(answer);
		return -EINVAL;
	}
	*ret = answer;
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* The file by which the daemon of a mesh says how ways are. */
#include "run/mesh_status.h"

#include "apply/state.h"
#include "base/clock.h"
#include "base/defs.h"
#include "base/file.h"
#include "run/mesh_run.h"
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define SIZE_MAX_STATUS (16u << 20)
#define STALE_S 10 /* then it does not run any more */
#define PATH 80

static const char *status_path(uint64_t cookie, char ret[PATH])
{
	snprintf(ret, PATH, STATE_ROOT "/%" PRIu64 ".ways", cookie);
	return ret;
}

int mesh_status_write(uint64_t cookie, struct json_object *status)
{
	char path[PATH];
	const char *text;

	json_object_object_add(status, "pid", json_object_new_int64(getpid()));
	json_object_object_add(status, "written_s",
	                       json_object_new_int64(clock_ns(CLOCK_BOOTTIME) / NS_PER_S));
	text = json_object_to_json_string_ext(status, JSON_C_TO_STRING_PLAIN);
	return file_replace(status_path(cookie, path), text, strlen(text));
}

void mesh_status_remove(uint64_t cookie)
{
	char path[PATH];

	unlink(status_path(cookie, path));
	rmdir(STATE_ROOT);
}

struct json_object *mesh_run_status(uint64_t cookie)
{
	int64_t now_s = clock_ns(CLOCK_BOOTTIME) / NS_PER_S;
	struct json_object *status, *written;
	_cleanup_free_ char *text = NULL;
	char path[PATH];
	size_t len;

	if (file_read(status_path(cookie, path), SIZE_MAX_STATUS, &text, &len))
		return NULL;
	status = json_tokener_parse(text);
	if (json_object_object_get_ex(status, "written_s", &written) &&
	    now_s - json_object_get_int64(written) <= STALE_S)
		return status;
	json_object_put(status);
	return NULL;
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "apply/state.h"

#include "apply/state_json.h"
#include "base/file.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#define STATE_MAX (64u << 20)
#define STATE_FILE ".json"

void state_path(uint64_t cookie, const char *suffix, char ret[static STATE_PATH])
{
	snprintf(ret, STATE_PATH, STATE_ROOT "/%" PRIu64 "%s", cookie, suffix);
}

void state_done(struct state *s)
{
	free(s->config);
	free(s->config_path);
	for (size_t i = 0; i < s->n_flags; i++)
		free(s->flags[i]);
	free(s->flags);
	free(s->ids);
	free(s->sysctls.items);
	free(s->clsact);
	free(s->devices);
	free(s->drains);
	memset(s, 0, sizeof(*s));
}

/* The last namespace to be unloaded removes the directory, perhaps just before we write into it. */
static int write_text(const char *path, const char *text)
{
	int r = -ENOENT;

	for (int tries = 0; r == -ENOENT && tries < 3; tries++) {
		r = file_mkdirs(STATE_ROOT);
		r = r ?: file_replace(path, text, strlen(text));
	}
	return r;
}

int state_add_drain(struct state *s, const char *policy, int64_t at_ns)
{
	struct state_drain *to = ARRAY_ADD(s->drains, s->n_drains);

	if (!to)
		return -ENOMEM;
	snprintf(to->policy, sizeof(to->policy), "%s", policy);
	to->at_ns = at_ns;
	return 0;
}

int state_write(const struct state *s, uint64_t cookie)
{
	struct json_object *o = state_json(s);
	char path[STATE_PATH];
	int r;

	state_path(cookie, STATE_FILE, path);
	r = write_text(path, json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY));
	json_object_put(o);
	return r;
}

int state_read(struct state *ret, uint64_t cookie)
{
	_cleanup_free_ char *text = NULL;
	struct json_object *o;
	char path[STATE_PATH];
	size_t len;
	int r;

	memset(ret, 0, sizeof(*ret));
	state_path(cookie, STATE_FILE, path);
	r = file_read(path, STATE_MAX, &text, &len);
	if (r)
		return r;
	o = json_tokener_parse(text);
	if (!json_object_is_type(o, json_type_object))
		r = -EBADMSG;
	r = r ?: state_fill(ret, o);
	json_object_put(o);
	if (r)
		state_done(ret);
	return r;
}

int state_stamp(uint64_t cookie, struct state_stamp *ret)
{
	char path[STATE_PATH];
	struct stat st;

	state_path(cookie, STATE_FILE, path);
	if (stat(path, &st))
		return -errno;
	ret->inode = st.st_ino;
	ret->changed_ns = st.st_mtim.tv_sec * 1000000000ll + st.st_mtim.tv_nsec;
	return 0;
}

void state_remove(uint64_t cookie)
{
	static const char *const files[] = {STATE_FILE FILE_NEW, STATE_LEASES FILE_NEW,
					    STATE_LEASES, STATE_FILE};
	char path[STATE_PATH];

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		state_path(cookie, files[i], path);
		unlink(path);
	}
	rmdir(STATE_ROOT);
}

/* The file that fd holds locked still has the name: a holder removes it before it lets go. */
static bool is_current(int fd, const char *path)
{
	struct stat held, named;

	return !fstat(fd, &held) && !stat(path, &named) && held.st_ino == named.st_ino &&
	       held.st_dev == named.st_dev;
}

/* -ESTALE: somebody has just let go of it, try again. */
static int try_lock(const char *path)
{
	_cleanup_close_ int fd = -1;
	int r = file_mkdirs(STATE_ROOT);

	if (r)
		return r;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return errno == ENOENT ? -ESTALE : -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return -errno;
	return is_current(fd, path) ? TAKE_FD(fd) : -ESTALE;
}

int state_lock(uint64_t cookie)
{
	char path[STATE_PATH];
	int fd = -ESTALE;

	state_path(cookie, STATE_FILE ".lock", path);
	for (int tries = 0; fd == -ESTALE && tries < 10; tries++)
		fd = try_lock(path);
	return fd == -ESTALE ? -EWOULDBLOCK : fd;
}

void state_unlock(uint64_t cookie, int fd)
{
	char path[STATE_PATH];

	if (fd < 0)
		return;
	state_path(cookie, STATE_FILE ".lock", path);
	unlink(path);
	rmdir(STATE_ROOT);
	close(fd);
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "apply/state.h"

#include "base/file.h"
#include "base/str.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#define STATE_MAX (64u << 20)
#define PATH_SIZE 80

static void path_of(uint64_t cookie, const char *suffix, char *ret)
{
	snprintf(ret, PATH_SIZE, STATE_ROOT "/%" PRIu64 ".json%s", cookie, suffix);
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
	memset(s, 0, sizeof(*s));
}

/* JSON of each list. */

/* What is not there is false, automatic, without end. */
static void json_verdict(struct json_object *o, const struct plan_id *id)
{
	static const char *const failed[ASYM_FAMILIES] = {"failed_ipv4", "failed_ipv6"};

	if (id->tested)
		json_object_object_add(o, "tested", json_object_new_boolean(true));
	for (int f = 0; f < ASYM_FAMILIES; f++)
		if (id->failed[f])
			json_object_object_add(o, failed[f], json_object_new_boolean(true));
	if (id->manual == PLAN_AUTO)
		return;
	json_object_object_add(o, "manual", json_object_new_int(id->manual));
	json_object_object_add(o, "manual_until", json_object_new_int64(id->manual_until));
}

static struct json_object *json_ids(const struct state *s)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < s->n_ids; i++) {
		struct json_object *o = json_object_new_object();

		json_object_object_add(o, "name", json_object_new_string(s->ids[i].name));
		json_object_object_add(o, "id", json_object_new_int(s->ids[i].id));
		json_verdict(o, &s->ids[i]);
		json_object_array_add(list, o);
	}
	return list;
}

static struct json_object *json_sysctls(const struct sysctl_list *sysctls)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < sysctls->n; i++) {
		const struct sysctl_saved *saved = &sysctls->items[i];
		struct json_object *o = json_object_new_object();

		json_object_object_add(o, "path", json_object_new_string(saved->path));
		json_object_object_add(o, "before", json_object_new_string(saved->before));
		json_object_object_add(o, "written", json_object_new_string(saved->written));
		json_object_array_add(list, o);
	}
	return list;
}

static struct json_object *json_state(const struct state *s)
{
	struct json_object *o = json_object_new_object();
	struct json_object *flags = json_object_new_array(), *clsact = json_object_new_array();

	for (size_t i = 0; i < s->n_flags; i++)
		json_object_array_add(flags, json_object_new_string(s->flags[i]));
	for (size_t i = 0; i < s->n_clsact; i++)
		json_object_array_add(clsact, json_object_new_int64(s->clsact[i]));
	json_object_object_add(o, "version", json_object_new_int(ASYM_ABI));
	json_object_object_add(o, "mark_mask", json_object_new_int64(s->mark_mask));
	json_object_object_add(o, "netns", json_object_new_int64(s->netns));
	json_object_object_add(o, "loaded_at", json_object_new_int64(s->loaded_at));
	if (s->config_path)
		json_object_object_add(o, "config_path", json_object_new_string(s->config_path));
	json_object_object_add(o, "config", json_object_new_string(s->config ?: ""));
	json_object_object_add(o, "flags", flags);
	json_object_object_add(o, "ids", json_ids(s));
	json_object_object_add(o, "sysctls", json_sysctls(&s->sysctls));
	json_object_object_add(o, "clsact", clsact);
	return o;
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

int state_write(const struct state *s, uint64_t cookie)
{
	struct json_object *o = json_state(s);
	char path[PATH_SIZE];
	int r;

	path_of(cookie, "", path);
	r = write_text(path, json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY));
	json_object_put(o);
	return r;
}

/* Reading: a missing or mistyped member leaves its field empty. */

static const char *member(struct json_object *o, const char *name)
{
	struct json_object *v;

	return json_object_object_get_ex(o, name, &v) ? json_object_get_string(v) : NULL;
}

static size_t member_list(struct json_object *o, const char *name, struct json_object **ret)
{
	if (!json_object_object_get_ex(o, name, ret) || !json_object_is_type(*ret, json_type_array))
		return 0;
	return json_object_array_length(*ret);
}

static int64_t member_int(struct json_object *o, const char *name)
{
	struct json_object *v;

	return json_object_object_get_ex(o, name, &v) ? json_object_get_int64(v) : 0;
}

static void read_verdict(struct plan_id *id, struct json_object *o)
{
	int64_t manual = member_int(o, "manual");

	id->tested = member_int(o, "tested");
	id->failed[ASYM_V4] = member_int(o, "failed_ipv4");
	id->failed[ASYM_V6] = member_int(o, "failed_ipv6");
	id->manual = manual > 0 && manual < PLAN_MANUAL_MAX ? manual : PLAN_AUTO;
	id->manual_until = member_int(o, "manual_until");
}

static int read_ids(struct state *s, struct json_object *o)
{
	struct json_object *list, *id;
	size_t n = member_list(o, "ids", &list);

	for (size_t i = 0; i < n; i++) {
		struct json_object *item = json_object_array_get_idx(list, i);
		const char *name = member(item, "name");
		struct plan_id *to;

		if (!name || !json_object_object_get_ex(item, "id", &id))
			return -EBADMSG;
		to = ARRAY_ADD(s->ids, s->n_ids);
		if (!to)
			return -ENOMEM;
		if (json_object_get_int(id) < 1 || json_object_get_int(id) >= ASYM_LINK_IDS)
			return -EBADMSG;
		to->id = json_object_get_int(id);
		read_verdict(to, item);
		if (str_copy(to->name, sizeof(to->name), name))
			return -EBADMSG;
	}
	return 0;
}

static int read_sysctls(struct sysctl_list *sysctls, struct json_object *o)
{
	struct json_object *list;
	size_t n = member_list(o, "sysctls", &list);

	for (size_t i = 0; i < n; i++) {
		struct json_object *item = json_object_array_get_idx(list, i);
		struct sysctl_saved *to = ARRAY_ADD(sysctls->items, sysctls->n);

		if (!to)
			return -ENOMEM;
		if (str_copy(to->path, sizeof(to->path), member(item, "path") ?: "") ||
		    str_copy(to->before, sizeof(to->before), member(item, "before") ?: "") ||
		    str_copy(to->written, sizeof(to->written), member(item, "written") ?: ""))
			return -EBADMSG;
	}
	return 0;
}

static int read_lists(struct state *s, struct json_object *o)
{
	struct json_object *list;
	size_t n = member_list(o, "flags", &list);

	for (size_t i = 0; i < n; i++) {
		char **flag = ARRAY_ADD(s->flags, s->n_flags);

		if (!flag)
			return -ENOMEM;
		*flag = strdup(json_object_get_string(json_object_array_get_idx(list, i)) ?: "");
		if (!*flag)
			return -ENOMEM;
	}
	n = member_list(o, "clsact", &list);
	for (size_t i = 0; i < n; i++) {
		uint32_t *ifindex = ARRAY_ADD(s->clsact, s->n_clsact);

		if (!ifindex)
			return -ENOMEM;
		*ifindex = json_object_get_int64(json_object_array_get_idx(list, i));
	}
	return 0;
}

static int read_state(struct state *s, struct json_object *o)
{
	struct json_object *v;
	const char *path = member(o, "config_path");
	int r;

	s->config = strdup(member(o, "config") ?: "");
	if (path)
		s->config_path = strdup(path);
	if (!s->config || (path && !s->config_path))
		return -ENOMEM;
	if (json_object_object_get_ex(o, "netns", &v))
		s->netns = json_object_get_int64(v);
	if (json_object_object_get_ex(o, "loaded_at", &v))
		s->loaded_at = json_object_get_int64(v);
	if (json_object_object_get_ex(o, "mark_mask", &v))
		s->mark_mask = json_object_get_int64(v);
	r = read_ids(s, o);
	r = r ?: read_sysctls(&s->sysctls, o);
	return r ?: read_lists(s, o);
}

int state_read(struct state *ret, uint64_t cookie)
{
	_cleanup_free_ char *text = NULL;
	struct json_object *o;
	char path[PATH_SIZE];
	size_t len;
	int r;

	memset(ret, 0, sizeof(*ret));
	path_of(cookie, "", path);
	r = file_read(path, STATE_MAX, &text, &len);
	if (r)
		return r;
	o = json_tokener_parse(text);
	if (!json_object_is_type(o, json_type_object))
		r = -EBADMSG;
	r = r ?: read_state(ret, o);
	json_object_put(o);
	if (r)
		state_done(ret);
	return r;
}

int state_stamp(uint64_t cookie, struct state_stamp *ret)
{
	char path[PATH_SIZE];
	struct stat st;

	path_of(cookie, "", path);
	if (stat(path, &st))
		return -errno;
	ret->inode = st.st_ino;
	ret->changed_ns = st.st_mtim.tv_sec * 1000000000ll + st.st_mtim.tv_nsec;
	return 0;
}

void state_remove(uint64_t cookie)
{
	char path[PATH_SIZE];

	path_of(cookie, FILE_NEW, path);
	unlink(path);
	path_of(cookie, "", path);
	unlink(path);
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
	char path[PATH_SIZE];
	int fd = -ESTALE;

	path_of(cookie, ".lock", path);
	for (int tries = 0; fd == -ESTALE && tries < 10; tries++)
		fd = try_lock(path);
	return fd == -ESTALE ? -EWOULDBLOCK : fd;
}

void state_unlock(uint64_t cookie, int fd)
{
	char path[PATH_SIZE];

	if (fd < 0)
		return;
	path_of(cookie, ".lock", path);
	unlink(path);
	rmdir(STATE_ROOT);
	close(fd);
}

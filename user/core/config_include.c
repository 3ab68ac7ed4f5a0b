// SPDX-License-Identifier: GPL-2.0-or-later
/* include() and the names of files. */
#include "base/file.h"
#include "core/config_ctx.h"
#include <errno.h>
#include <string.h>

const char *config_file(struct config *c, const char *name)
{
	char **slot;

	for (size_t i = 0; i < *c->n_files; i++)
		if (!strcmp((*c->files)[i], name))
			return (*c->files)[i];
	slot = ARRAY_ADD(*c->files, *c->n_files);
	if (!slot)
		return NULL;
	*slot = strdup(name);
	if (!*slot)
		(*c->n_files)--;
	return *slot;
}

char *config_path(struct config *c, const char *path)
{
	const char *slash = strrchr(c->file, '/');
	char *joined;

	if (*path == '/' || !slash)
		return strdup(path);
	if (asprintf(&joined, "%.*s/%s", (int)(slash - c->file), c->file, path) < 0)
		return NULL;
	return joined;
}

/* One file can have many names: compared is where they lead to. */
static bool same_file(const char *a, const char *b)
{
	_cleanup_free_ char *ra = realpath(a, NULL), *rb = realpath(b, NULL);

	return !strcmp(ra ? ra : a, rb ? rb : b);
}

static bool allowed(struct config *c, const char *path)
{
	size_t depth = 0;

	for (struct config *o = c; o; o = o->outer) {
		if (same_file(o->file, path)) {
			config_error(c, "include: \"" SHOWN "\" includes itself, expected a file "
				     "that is not being read", path);
			return false;
		}
		depth++;
	}
	if (depth > CONFIG_MAX_INCLUDES) {
		config_error(c, "include: \"" SHOWN "\" is nested too deeply, expected at most %d "
			     "levels", path, CONFIG_MAX_INCLUDES);
		return false;
	}
	return true;
}

static void include_file(struct config *c, const char *path)
{
	struct config inner = {
		.root = c->root, .m = c->m, .mesh = c->mesh, .f = c->f, .outer = c,
		.seen = c->seen, .files = c->files, .n_files = c->n_files,
	};
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r = file_read(path, CONFIG_MAX_BYTES, &text, &len);

	if (r) {
		config_error(c, "include: \"" SHOWN "\" cannot be read: %s", path, strerror(-r));
		return;
	}
	inner.file = config_file(c, path);
	if (inner.file)
		config_run(&inner, text, len);
	c->no_memory |= inner.no_memory || !inner.file;
}

void config_include(struct config *c, const char *path)
{
	_cleanup_free_ char *joined = config_path(c, path);

	if (!joined)
		c->no_memory = true;
	else if (allowed(c, joined))
		include_file(c, joined);
}

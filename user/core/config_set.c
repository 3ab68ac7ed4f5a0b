// SPDX-License-Identifier: GPL-2.0-or-later
/* The section "set". */
#include "base/file.h"
#include "core/config_ctx.h"
#include <errno.h>
#include <string.h>

static void begin_set(struct config *c, const char *title)
{
	const struct model_set *older = model_set_find(c->m, title);

	c->set = (struct model_set){ .place = config_place(c) };
	config_title(c, title, c->set.name, older ? &older->place : NULL);
}

static void set_prefixes(struct config *c, const char *key, const char *value)
{
	struct prefix p, *slot;

	if (!config_prefix(c, key, value, &p))
		return;
	if (c->set.n > ASYM_MAX_PREFIXES)
		return; /* said once */
	if (c->set.n == ASYM_MAX_PREFIXES)
		config_room(c, key, c->set.n, ASYM_MAX_PREFIXES);
	slot = ARRAY_ADD(c->set.prefixes, c->set.n);
	if (slot)
		*slot = p;
	else
		c->no_memory = true;
}

/* The text is cut into lines in place; a NUL in it is no prefix. */
static void read_line(struct config *c, char *line, size_t len)
{
	char *end = memchr(line, '#', len);

	if (memchr(line, 0, len)) {
		config_error(c, "file: NUL byte, expected text");
		return;
	}
	if (!end)
		end = line + len;
	while (end > line && strchr(" \t\r", end[-1]))
		end--;
	*end = 0;
	line += strspn(line, " \t\r");
	if (*line)
		set_prefixes(c, "file", line);
}

static void read_lines(struct config *c, char *text, size_t len)
{
	char *end = text + len;

	c->line = 0;
	while (text < end) {
		char *nl = memchr(text, '\n', end - text);
		char *stop = nl ? nl : end;

		c->line++;
		read_line(c, text, stop - text);
		text = stop + 1;
	}
}

static void set_file(struct config *c, const char *key, const char *value)
{
	_cleanup_free_ char *path = config_path(c, value), *text = NULL;
	const char *config = c->file;
	int r, line = c->line;
	size_t len;

	r = path ? file_read(path, CONFIG_MAX_BYTES, &text, &len) : -ENOMEM;
	if (r) {
		config_error(c, "%s: \"" SHOWN "\" cannot be read: %s", key, value, strerror(-r));
		return;
	}
	c->file = path; /* for messages only */
	read_lines(c, text, len);
	c->file = config;
	c->line = line;
}

static void end_set(struct config *c)
{
	struct model_set *slot = NULL;

	c->line = c->set.place.line;
	if (!c->drop && config_room(c, "set", c->m->n_sets, ASYM_MAX_SETS)) {
		slot = ARRAY_ADD(c->m->sets, c->m->n_sets);
		c->no_memory |= !slot;
	}
	if (slot)
		*slot = c->set;
	else
		free(c->set.prefixes);
	c->set = (struct model_set){};
}

static const struct config_key set_keys[] = {
	{ "prefixes", true, set_prefixes },
	{ "file", false, set_file },
};

const struct config_section config_set = {
	.name = "set",
	.titled = true,
	.many = true,
	.keys = set_keys,
	.n_keys = ARRAY_SIZE(set_keys),
	.begin = begin_set,
	.end = end_set,
};

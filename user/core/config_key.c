// SPDX-License-Identifier: GPL-2.0-or-later
/* Keys and sections by name: which there are, which were given, which was meant. */
#include "core/config_ctx.h"
#include <string.h>

const struct config_key *config_find_key(const struct config_section *s, const char *name)
{
	for (size_t i = 0; i < s->n_keys; i++)
		if (!strcmp(s->keys[i].name, name))
			return &s->keys[i];
	return NULL;
}

const struct config_section *config_find_section(const struct config_section *s, const char *name,
						 size_t *ret_index)
{
	for (size_t i = 0; i < s->n_sections; i++) {
		if (strcmp(s->sections[i]->name, name))
			continue;
		*ret_index = s->n_keys + i;
		return s->sections[i];
	}
	return NULL;
}

bool config_once(struct config *c, const char *key, struct place *seen)
{
	if (!seen->line) {
		*seen = config_place(c);
		return true;
	}
	if (strcmp(seen->file, c->file))
		config_error(c, "%s: given twice, first in %s:%d, expected once", key, seen->file,
			     seen->line);
	else
		config_error(c, "%s: given twice, first in line %d, expected once", key,
			     seen->line);
	return false;
}

void config_unknown(struct config *c, const struct config_section *s, const char *key)
{
	const char *names[CONFIG_MAX_KEYS], *near;
	bool root = s == c->root;
	size_t n = 0;

	for (size_t i = 0; i < s->n_keys; i++)
		names[n++] = s->keys[i].name;
	for (size_t i = 0; i < s->n_sections; i++)
		names[n++] = s->sections[i]->name;
	if (root)
		names[n++] = "include";
	near = str_nearest(key, names, n);
	config_error(c, "\"" SHOWN "\": unknown key%s%s%s%s%s", key, root ? "" : " of section ",
		     root ? "" : s->name, near ? ", did you mean \"" : "", near ? near : "",
		     near ? "\"?" : "");
}

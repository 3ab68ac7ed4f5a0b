// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/config.h"
#include "base/file.h"
#include "core/config_ctx.h"
#include <errno.h>
#include <string.h>

void config_run(struct config *c, const char *text, size_t len)
{
	c->stack[c->depth++] = c->root;
	if (len > CONFIG_MAX_BYTES)
		config_error(c, "file: larger than %u bytes", CONFIG_MAX_BYTES);
	else
		config_outline(c, text, len);
}

int config_first(struct config *c, const char *name, const char *text, size_t len)
{
	struct place seen[CONFIG_MAX_KEYS] = {};
	size_t errors = findings_errors(c->f);

	c->seen = seen;
	c->file = config_file(c, name);
	if (!c->file)
		return -ENOMEM;
	config_run(c, text, len);
	if (c->root->end)
		c->root->end(c);
	findings_sort(c->f);
	if (c->no_memory)
		return -ENOMEM;
	return findings_errors(c->f) > errors ? -EINVAL : 0;
}

int config_first_file(struct config *c, const char *path)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r = file_read(path, CONFIG_MAX_BYTES, &text, &len);

	if (r == -ENOMEM)
		return r;
	if (r) {
		finding_add(c->f, FINDING_ERROR, path, 0, "file: cannot be read: %s", strerror(-r));
		return -EINVAL;
	}
	return config_first(c, path, text, len);
}

static struct config context(struct model *m, struct findings *f)
{
	return (struct config){
		.root = &config_root, .m = m, .f = f, .files = &m->files, .n_files = &m->n_files,
	};
}

int config_parse(struct model *m, const char *name, const char *text, size_t len,
		 struct findings *f)
{
	struct config c = context(m, f);

	return config_first(&c, name, text, len);
}

int config_read(struct model *m, const char *path, struct findings *f)
{
	struct config c = context(m, f);

	return config_first_file(&c, path);
}

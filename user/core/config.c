// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/config.h"
#include "base/file.h"
#include "core/config_ctx.h"
#include <errno.h>
#include <string.h>

void config_run(struct config *c, const char *text, size_t len)
{
	c->stack[c->depth++] = &config_root;
	if (len > CONFIG_MAX_BYTES)
		config_error(c, "file: larger than %u bytes", CONFIG_MAX_BYTES);
	else
		config_outline(c, text, len);
}

/* Runs the outermost file. */
static int run_first(struct model *m, const char *name, const char *text, size_t len,
		     struct findings *f)
{
	struct place seen[CONFIG_MAX_KEYS] = {};
	struct config c = { .m = m, .f = f, .seen = seen, .file = config_file(m, name) };
	size_t errors = findings_errors(f);

	if (!c.file)
		return -ENOMEM;
	config_run(&c, text, len);
	findings_sort(f);
	if (c.no_memory)
		return -ENOMEM;
	return findings_errors(f) > errors ? -EINVAL : 0;
}

int config_parse(struct model *m, const char *name, const char *text, size_t len,
		 struct findings *f)
{
	return run_first(m, name, text, len, f);
}

int config_read(struct model *m, const char *path, struct findings *f)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r = file_read(path, CONFIG_MAX_BYTES, &text, &len);

	if (r == -ENOMEM)
		return r;
	if (r) {
		finding_add(f, FINDING_ERROR, path, 0, "file: cannot be read: %s", strerror(-r));
		return -EINVAL;
	}
	return config_parse(m, path, text, len, f);
}

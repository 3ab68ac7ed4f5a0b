// SPDX-License-Identifier: GPL-2.0-or-later
/* Between libconfuse and the tables of the language. */
#include "base/num.h"
#include "core/config_ctx.h"
#include <confuse.h>
#include <string.h>

/* libconfuse hands its callbacks no pointer of ours; its scanner is one for the process anyway. */
static struct config *current;

/* -------- what libconfuse calls */

static int on_begin(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
	struct config *c = current;
	const struct config_section *s = c->stack[c->depth - 1];
	uint32_t line = 0;

	num_parse_u32(value, 0, INT32_MAX, &line);
	for (size_t i = 0; i < s->n_sections; i++) {
		if (strcmp(s->sections[i]->name, cfg->name))
			continue;
		c->stack[c->depth++] = s->sections[i];
		c->line = line;
		s->sections[i]->begin(c, cfg->title);
		break;
	}
	*(const char **)result = value;
	return 0;
}

static int on_end(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
	struct config *c = current;

	c->stack[--c->depth]->end(c);
	*(const char **)result = value;
	return 0;
}

static int on_value(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
	struct config *c = current;
	const struct config_section *s = c->stack[c->depth - 1];

	c->line = c->first_line - 1 + cfg->line;
	c->first = opt->nvalues == 1;
	for (size_t i = 0; i < s->n_keys; i++)
		if (!strcmp(s->keys[i].name, opt->name))
			s->keys[i].set(c, opt->name, value);
	*(const char **)result = value;
	return 0;
}

/* config_outline.c lets nothing pass that libconfuse could mind; should it mind, that is said. */
static void on_error(cfg_t *cfg, const char *fmt, va_list ap)
{
	_cleanup_free_ char *text = NULL;

	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	current->line = current->first_line - 1 + cfg->line;
	config_error(current, "file: %s", text ? text : "out of memory");
}

/* -------- the tables as libconfuse wants them */

static void opts_free(cfg_opt_t *opts)
{
	for (cfg_opt_t *o = opts; o && o->name; o++)
		opts_free(o->subopts);
	free(opts);
}

static void opts_cleanup(cfg_opt_t **opts)
{
	opts_free(*opts);
}

static cfg_opt_t *opts_new(const struct config_section *s)
{
	const cfg_opt_t begin = CFG_STR_CB(CONFIG_BEGIN, NULL, CFGF_NODEFAULT, on_begin);
	const cfg_opt_t end = CFG_STR_CB(CONFIG_END, NULL, CFGF_NODEFAULT, on_end);
	const cfg_opt_t last = CFG_END();
	cfg_opt_t *opts = calloc(s->n_keys + s->n_sections + 3, sizeof(*opts)), *o = opts;

	if (!opts)
		return NULL;
	for (size_t i = 0; i < s->n_keys; i++) {
		const cfg_opt_t key = CFG_STR_LIST_CB(s->keys[i].name, NULL, CFGF_NODEFAULT,
						      on_value);
		*o++ = key;
	}
	for (size_t i = 0; i < s->n_sections; i++) {
		cfg_flag_t flags = CFGF_MULTI | (s->sections[i]->titled ? CFGF_TITLE : 0);
		cfg_opt_t section = CFG_SEC(s->sections[i]->name, opts_new(s->sections[i]), flags);

		*o++ = section;
		if (!section.subopts) {
			opts_free(opts);
			return NULL;
		}
	}
	*o++ = begin;
	*o++ = end;
	*o = last;
	return opts;
}

static void confuse_free(cfg_t **cfg)
{
	if (*cfg)
		cfg_free(*cfg);
}

void config_feed(struct config *c, const char *text, int first_line)
{
	_cleanup_(opts_cleanup) cfg_opt_t *opts = opts_new(c->root);
	_cleanup_(confuse_free) cfg_t *cfg = opts ? cfg_init(opts, CFGF_NONE) : NULL;
	size_t errors = findings_errors(c->f);

	if (!cfg) {
		c->no_memory = true;
		return;
	}
	cfg_set_error_function(cfg, on_error);
	current = c;
	c->first_line = first_line;
	/* Without a message of its own there is but one reason to give up. */
	if (cfg_parse_buf(cfg, text) && findings_errors(c->f) == errors)
		c->no_memory = true;
	current = NULL;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Values of the configuration file, each with its message. */
#include "base/num.h"
#include "core/config_ctx.h"
#include "core/name.h"
#include <errno.h>
#include <string.h>

void config_error(struct config *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	finding_addv(c->f, FINDING_ERROR, c->file, c->line, fmt, ap);
	va_end(ap);
}

struct place config_place(const struct config *c)
{
	return (struct place){ c->file, c->line };
}

bool config_number(struct config *c, const char *key, const char *value, uint32_t min,
		   uint32_t max, uint32_t *ret)
{
	int r = num_parse_u32(value, min, max, ret);

	if (r)
		config_error(c, "%s: \"" SHOWN "\" is %s, expected %u to %u", key, value,
			     r == -ERANGE ? "out of range" : "not a number", min, max);
	return !r;
}

/* In the largest unit that leaves no rest. */
static const char *time_text(uint32_t ms, char *buf, size_t size)
{
	static const struct {
		const char *name;
		uint32_t ms;
	} units[] = { { "d", 86400000 }, { "h", 3600000 }, { "m", 60000 }, { "s", 1000 } };

	snprintf(buf, size, "%u%s", ms, ms ? "ms" : "");
	for (size_t i = 0; ms && i < ARRAY_SIZE(units); i++) {
		if (ms % units[i].ms)
			continue;
		snprintf(buf, size, "%u%s", ms / units[i].ms, units[i].name);
		break;
	}
	return buf;
}

bool config_duration(struct config *c, const char *key, const char *value, uint32_t min_ms,
		     uint32_t max_ms, uint32_t *ret_ms)
{
	int r = num_parse_ms(value, min_ms, max_ms, ret_ms);
	bool bare = r == -ERANGE && value[strspn(value, "0123456789")] == 0;
	char min[16], max[16];

	if (r)
		config_error(c, "%s: \"" SHOWN "\"%s is %s, expected %s to %s", key, value,
			     bare ? " seconds" : "", r == -ERANGE ? "out of range" : "no time",
			     time_text(min_ms, min, sizeof(min)),
			     time_text(max_ms, max, sizeof(max)));
	return !r;
}

static bool is_bool(const char *value, bool *ret)
{
	static const char *const words[] = { "no", "yes", "off", "on", "false", "true" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (!strcmp(words[i], value)) {
			*ret = i % 2;
			return true;
		}
	}
	return false;
}

bool config_bool(struct config *c, const char *key, const char *value, bool *ret)
{
	if (is_bool(value, ret))
		return true;
	config_error(c, "%s: \"" SHOWN "\" is neither, expected yes or no", key, value);
	return false;
}

static void word_error(struct config *c, const char *key, const char *value,
		       const char *const *words, size_t n)
{
	_cleanup_(str_done) struct str all = {};
	const char *near = str_nearest(value, words, n);

	for (size_t i = 0; i < n; i++)
		str_add(&all, "%s%s", i ? ", " : "", words[i]);
	config_error(c, "%s: \"" SHOWN "\" is unknown, expected one of %s%s%s%s", key, value,
		     all.s ? all.s : "", near ? "; did you mean \"" : "", near ? near : "",
		     near ? "\"?" : "");
}

bool config_word(struct config *c, const char *key, const char *value, const char *const *words,
		 size_t n, unsigned int *ret)
{
	for (size_t i = 0; i < n; i++) {
		if (!strcmp(words[i], value)) {
			*ret = i;
			return true;
		}
	}
	word_error(c, key, value, words, n);
	return false;
}

bool config_fastpath(struct config *c, const char *key, const char *value,
		     enum asym_fastpath *ret)
{
	unsigned int word;
	bool on;

	if (is_bool(value, &on))
		*ret = on ? ASYM_FASTPATH_ON : ASYM_FASTPATH_OFF;
	else if (config_word(c, key, value, model_fastpath_names, ASYM_FASTPATH_MAX, &word))
		*ret = word;
	else
		return false;
	return true;
}

bool config_name(struct config *c, const char *key, const char *value, char *ret_name)
{
	if (name_is_valid(value))
		return !str_copy(ret_name, MODEL_NAME, value);
	config_error(c, "%s: \"" SHOWN "\" is no name, expected a letter or digit, then letters, "
		     "digits, \"_\", \".\" and \"-\", %d characters at most", key, value,
		     MODEL_NAME - 1);
	return false;
}

bool config_device(struct config *c, const char *key, const char *value, char *ret_device)
{
	if (name_is_device(value))
		return !str_copy(ret_device, IFNAMSIZ, value);
	config_error(c, "%s: \"" SHOWN "\" is no name of a device, expected letters, digits, "
		     "\"_\", \".\", \"@\", \"+\" and \"-\", %d characters at most", key, value,
		     IFNAMSIZ - 1);
	return false;
}

bool config_room(struct config *c, const char *key, size_t n, size_t max)
{
	if (n < max)
		return true;
	config_error(c, "%s: one more than the limit, expected at most %zu", key, max);
	return false;
}

void config_title(struct config *c, const char *title, char *ret_name, const struct place *older)
{
	const char *noun = c->stack[c->depth - 1]->name;

	c->drop = false;
	if (older) {
		c->drop = true;
		config_error(c, "%s: name \"%s\" is taken by %s:%d, expected another", noun, title,
			     older->file ? older->file : "the command line", older->line);
	} else if (!config_name(c, noun, title, ret_name)) {
		c->drop = true;
	}
}

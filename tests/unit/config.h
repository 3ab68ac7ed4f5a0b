/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For tests of configuration texts: parse one, ask what was found, print it again.  Include cmocka.h before. */
#ifndef TESTS_UNIT_CONFIG_H
#define TESTS_UNIT_CONFIG_H

#include "base/str.h"
#include "core/config.h"
#include "core/model_probe.h"
#include <errno.h>
#include <string.h>

struct parsed {
	struct model m;
	struct findings f;
	int r;
};

static inline void parsed_done(struct parsed *p)
{
	model_done(&p->m);
	findings_done(&p->f);
}

#define PARSED _cleanup_(parsed_done) struct parsed

static inline struct parsed parse_bytes(const char *text, size_t len)
{
	struct parsed p = {};

	model_init(&p.m);
	p.r = config_parse(&p.m, "conf", text, len, &p.f);
	return p;
}

static inline struct parsed parse(const char *text)
{
	return parse_bytes(text, strlen(text));
}

static inline void findings_show(const struct findings *f)
{
	for (size_t i = 0; i < f->n; i++)
		print_message("%s %s:%d: %s\n", f->items[i].level == FINDING_ERROR ? "E" : "W",
			      f->items[i].file ? f->items[i].file : "-", f->items[i].line,
			      f->items[i].text);
}

/* How many findings of the level, on the line (-1: any), hold the text. */
static inline size_t findings_with(const struct findings *f, enum finding_level level, int line,
				   const char *text)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n; i++)
		n += f->items[i].level == level && (line < 0 || f->items[i].line == line) &&
		     strstr(f->items[i].text, text);
	return n;
}

/* The text gives this one finding on this line, and no other. */
#define ASSERT_ONE(f, level, line, text)                                                           \
	do {                                                                                       \
		if ((f)->n != 1 || findings_with(f, level, line, text) != 1) {                     \
			findings_show(f);                                                          \
			print_error("expected on line %d: %s\n", line, text);                      \
			fail();                                                                    \
		}                                                                                  \
	} while (0)

/* Refused, with this one finding. */
static inline void is_bad(const char *conf, int line, const char *text)
{
	PARSED p = parse(conf);

	if (p.r != -EINVAL)
		print_error("accepted: %s\n", conf);
	ASSERT_ONE(&p.f, FINDING_ERROR, line, text);
	assert_int_equal(p.r, -EINVAL);
	assert_string_equal(p.f.items[0].file, "conf");
}

struct bad {
	const char *conf;
	int line;
	const char *text;
};

static inline void all_bad(const struct bad *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		is_bad(list[i].conf, list[i].line, list[i].text);
}

/* Accepted without a finding, and with all that is not written. */
static inline struct parsed complete(const char *text)
{
	struct parsed p = parse(text);

	findings_show(&p.f);
	assert_int_equal(p.r, 0);
	assert_int_equal(p.f.n, 0);
	assert_int_equal(model_add_defaults(&p.m), 0);
	return p;
}

/* What is printed of it, parsed. */
static inline struct parsed printed(const struct parsed *p)
{
	_cleanup_(str_done) struct str s = {};

	assert_int_equal(config_print(&p->m, &s), 0);
	return parse(s.s);
}

static inline bool same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static inline void same_probe(const struct model_probe *a, const struct model_probe *b)
{
	assert_true(a->n == b->n && a->given == b->given);
	for (size_t i = 0; i < a->n; i++) {
		const struct model_target *s = &a->targets[i], *t = &b->targets[i];

		assert_true(s->kind == t->kind && s->family == t->family && s->port == t->port);
		assert_true(addr_equal(&s->addr, &t->addr) && same_text(s->url, t->url));
	}
	for (size_t i = 0; i < PROBE_KEY_MAX; i++)
		assert_memory_equal((const char *)a + probe_keys[i].offset,
				    (const char *)b + probe_keys[i].offset, probe_keys[i].size);
}

/* The same numbers in every run. */
static inline uint32_t random_below(uint32_t n)
{
	static uint32_t last = 1;

	last = last * 1664525 + 1013904223;
	return (last >> 8) % n;
}

#endif

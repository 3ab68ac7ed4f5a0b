/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For tests of configuration texts: parse one, ask what was found.  Include cmocka.h before. */
#ifndef TESTS_UNIT_CONFIG_H
#define TESTS_UNIT_CONFIG_H

#include "core/config.h"
#include "core/model_probe.h"
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

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is wrong with a configuration or a machine, and where.  core fills a list; cmd prints it.
 * Text: "key: what is wrong, what was expected", lower case, values in quotes, no full stop.
 */
#ifndef CORE_FINDING_H
#define CORE_FINDING_H

#include "base/defs.h"
#include <stdarg.h>

enum finding_level { FINDING_ERROR, FINDING_WARNING };

struct finding {
	enum finding_level level;
	char *file; /* NULL: not from a file */
	int line;   /* 0: unknown */
	char *text;
};

struct findings {
	struct finding *items;
	size_t n;
	size_t lost; /* errors and warnings that found no memory */
};

/* A finding that cannot be stored (memory) is still counted as an error: see findings_errors. */
void finding_add(struct findings *f, enum finding_level level, const char *file, int line,
		 const char *fmt, ...) PRINTF(5, 6);
void finding_addv(struct findings *f, enum finding_level level, const char *file, int line,
		  const char *fmt, va_list ap);
/* How many findings are errors. */
size_t findings_errors(const struct findings *f);
/* Orders by file, then line; keeps the order of equal ones. */
void findings_sort(struct findings *f);
void findings_done(struct findings *f);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A growing string.  The first failed allocation sticks in err; later calls do nothing. */
#ifndef BASE_STR_H
#define BASE_STR_H

#include "base/defs.h"

struct str {
	char *s; /* NUL-terminated; NULL while empty; free with str_done */
	size_t len;
	size_t room;
	int err; /* 0 or -ENOMEM */
};

void str_add(struct str *str, const char *fmt, ...) PRINTF(2, 3);
void str_done(struct str *str);

/* Copies src into dst[size], always NUL-terminated.  0, or -ENAMETOOLONG with dst untouched. */
int str_copy(char *dst, size_t size, const char *src);

/* The nearest of names[n] to s by edit distance, or NULL when none is within a third of its
 * length: "did you mean". */
const char *str_nearest(const char *s, const char *const *names, size_t n);

#endif

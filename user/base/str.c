// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/str.h"
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define NEAREST_MAX 64 /* longer words are not worth a guess */

static void grow(struct str *str, size_t need)
{
	size_t room = MAX(str->room * 2, (size_t)64);
	char *s;

	if (need <= str->room)
		return;
	room = MAX(room, need);
	s = realloc(str->s, room);
	if (!s) {
		str->err = -ENOMEM;
		return;
	}
	str->s = s;
	str->room = room;
}

/* At the end, of which *ret_len bytes are needed.  False: there is less room. */
static bool print(struct str *str, size_t *ret_len, const char *fmt, va_list ap)
{
	size_t room = str->room - str->len;
	int n = vsnprintf(room ? str->s + str->len : NULL, room, fmt, ap);

	if (n < 0)
		str->err = -ENOMEM;
	*ret_len = MAX(n, 0);
	return *ret_len < room;
}

void str_add(struct str *str, const char *fmt, ...)
{
	va_list ap, again;
	size_t len;

	if (str->err)
		return;
	va_start(ap, fmt);
	va_copy(again, ap);
	if (!print(str, &len, fmt, ap)) {
		grow(str, str->len + len + 1);
		if (!str->err)
			print(str, &len, fmt, again);
	}
	if (!str->err)
		str->len += len;
	else if (str->s)
		str->s[str->len] = '\0';
	va_end(again);
	va_end(ap);
}

void str_done(struct str *str)
{
	free(str->s);
	*str = (struct str){};
}

int str_copy(char *dst, size_t size, const char *src)
{
	size_t len = strlen(src);

	if (len >= size)
		return -ENAMETOOLONG;
	memcpy(dst, src, len + 1);
	return 0;
}

/* Edits that turn a into b: insertions, deletions, replacements and swaps of neighbours (optimal
 * string alignment), with the last three rows of the table kept. */
static size_t distance(const char *a, const char *b)
{
	size_t la = strlen(a), lb = strlen(b), rows[3][NEAREST_MAX + 1];

	if (la > NEAREST_MAX || lb > NEAREST_MAX)
		return SIZE_MAX;
	for (size_t j = 0; j <= lb; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= la; i++) {
		size_t *row = rows[i % 3], *up = rows[(i + 2) % 3], *up2 = rows[(i + 1) % 3];

		row[0] = i;
		for (size_t j = 1; j <= lb; j++) {
			bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
				       a[i - 2] == b[j - 1];
			size_t moved = MIN(up[j], row[j - 1]) + 1;

			row[j] = MIN(moved, up[j - 1] + (a[i - 1] != b[j - 1]));
			if (swapped)
				row[j] = MIN(row[j], up2[j - 2] + 1);
		}
	}
	return rows[la % 3][lb];
}

const char *str_nearest(const char *s, const char *const *names, size_t n)
{
	size_t best = MAX(strlen(s) / 3, (size_t)1) + 1;
	const char *found = NULL;

	for (size_t i = 0; i < n; i++) {
		size_t d = distance(s, names[i]);

		if (d < best && d < strlen(names[i])) {
			best = d;
			found = names[i];
		}
	}
	return found;
}

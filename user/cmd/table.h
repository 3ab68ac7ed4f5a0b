/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text in columns as wide as they need to be. */
#ifndef CMD_TABLE_H
#define CMD_TABLE_H

#include "base/defs.h"

#define TABLE_COLUMNS 16

struct table {
	char **cells; /* rows one after the other; NULL: empty */
	size_t n;
	size_t columns; /* set before the first cell; TABLE_COLUMNS at most */
	int width[TABLE_COLUMNS]; /* of what was printed before table_clear, too */
};

/* Appends a cell; the row is full after `columns` of them.  A cell that cannot be stored stays
 * empty. */
void table_add(struct table *t, const char *fmt, ...) PRINTF(2, 3);

/* Prints all rows, two spaces between columns, numbers (columns whose bit is set in right) to the
 * right. */
void table_print(struct table *t, unsigned int right, FILE *to);
/* Forgets the rows but not how wide they were: for a long table in parts. */
void table_clear(struct table *t);
/* Frees the cells. */
void table_done(struct table *t);

#endif

// SPDX-License-Identifier: GPL-2.0-or-later
#include "cmd/table.h"

#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

void table_add(struct table *t, const char *fmt, ...)
{
	struct str *cell = ARRAY_ADD(t->cells, t->n);
	char text[256];
	va_list args;

	if (!cell)
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	str_add(cell, "%s", text);
}

static size_t width(const struct table *t, size_t column)
{
	size_t w = 0;

	for (size_t i = column; i < t->n; i += t->columns)
		w = MAX(w, t->cells[i].len);
	return w;
}

static void print_cell(const struct table *t, size_t i, bool right, FILE *to)
{
	const char *text = t->cells[i].s ?: "";
	bool last = (i + 1) % t->columns == 0;
	int w = width(t, i % t->columns);

	if (right)
		fprintf(to, "%*s", w, text);
	else
		fprintf(to, "%-*s", last ? 0 : w, text);
	fputs(last ? "\n" : "  ", to);
}

void table_print(const struct table *t, unsigned int right, FILE *to)
{
	for (size_t i = 0; i < t->n; i++)
		print_cell(t, i, right >> (i % t->columns) & 1, to);
}

void table_done(struct table *t)
{
	for (size_t i = 0; i < t->n; i++)
		str_done(&t->cells[i]);
	free(t->cells);
}

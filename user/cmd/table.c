// SPDX-License-Identifier: GPL-2.0-or-later
#include "cmd/table.h"

#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

void table_add(struct table *t, const char *fmt, ...)
{
	char **cell = ARRAY_ADD(t->cells, t->n);
	char text[256];
	va_list args;

	if (!cell)
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	*cell = strdup(text);
}

static void measure(struct table *t)
{
	for (size_t i = 0; i < t->n; i++) {
		int *width = &t->width[i % t->columns];

		*width = MAX(*width, (int)strlen(t->cells[i] ?: ""));
	}
}

static void print_cell(const struct table *t, size_t i, bool right, FILE *to)
{
	const char *text = t->cells[i] ?: "";
	bool last = (i + 1) % t->columns == 0;
	int w = t->width[i % t->columns];

	if (right)
		fprintf(to, "%*s", w, text);
	else
		fprintf(to, "%-*s", last ? 0 : w, text);
	fputs(last ? "\n" : "  ", to);
}

void table_print(struct table *t, unsigned int right, FILE *to)
{
	measure(t);
	for (size_t i = 0; i < t->n; i++)
		print_cell(t, i, right >> (i % t->columns) & 1, to);
}

void table_clear(struct table *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->cells[i]);
	free(t->cells);
	t->cells = NULL;
	t->n = 0;
}

void table_done(struct table *t)
{
	table_clear(t);
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/finding.h"
#include <string.h>

void finding_addv(struct findings *f, enum finding_level level, const char *file, int line,
		  const char *fmt, va_list ap)
{
	_cleanup_free_ char *name = file ? strdup(file) : NULL;
	struct finding *item;
	char *text;
	int n = vasprintf(&text, fmt, ap);

	item = n < 0 || (file && !name) ? NULL : ARRAY_ADD(f->items, f->n);
	if (!item) {
		f->lost++;
		if (n >= 0)
			free(text);
		return;
	}
	*item = (struct finding){
		.level = level, .file = TAKE_PTR(name), .line = line, .text = text
	};
}

void finding_add(struct findings *f, enum finding_level level, const char *file, int line,
		 const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	finding_addv(f, level, file, line, fmt, ap);
	va_end(ap);
}

size_t findings_errors(const struct findings *f)
{
	size_t n = f->lost;

	for (size_t i = 0; i < f->n; i++)
		n += f->items[i].level == FINDING_ERROR;
	return n;
}

struct keyed {
	struct finding finding;
	size_t index; /* qsort(3) need not be stable */
};

static int compare(const void *pa, const void *pb)
{
	const struct keyed *a = pa, *b = pb;
	const char *af = a->finding.file, *bf = b->finding.file;
	int r = af && bf ? strcmp(af, bf) : !!af - !!bf;

	if (!r)
		r = (a->finding.line > b->finding.line) - (a->finding.line < b->finding.line);
	if (!r)
		r = (a->index > b->index) - (a->index < b->index);
	return r;
}

void findings_sort(struct findings *f)
{
	_cleanup_free_ struct keyed *keyed = calloc(f->n, sizeof(*keyed));

	if (!keyed)
		return; /* the order is a courtesy */
	for (size_t i = 0; i < f->n; i++)
		keyed[i] = (struct keyed){ f->items[i], i };
	qsort(keyed, f->n, sizeof(*keyed), compare);
	for (size_t i = 0; i < f->n; i++)
		f->items[i] = keyed[i].finding;
}

void findings_done(struct findings *f)
{
	for (size_t i = 0; i < f->n; i++) {
		free(f->items[i].file);
		free(f->items[i].text);
	}
	free(f->items);
	*f = (struct findings){};
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* RFC 9110, 12.5.1, as far as two media types need it. */
#include "run/metrics.h"

#include <string.h>
#include <strings.h>

#define SPACE " \t"

struct part {
	const char *s;
	size_t len;
};

/* Cuts what comes before the separator, without white space around it.  False: there is no more. */
static bool next_part(struct part *rest, char separator, struct part *ret)
{
	const char *end;

	if (!rest->s)
		return false;
	end = memchr(rest->s, separator, rest->len);
	*ret = (struct part){rest->s, end ? (size_t)(end - rest->s) : rest->len};
	*rest = end ? (struct part){end + 1, rest->len - ret->len - 1} : (struct part){NULL, 0};
	for (; ret->len && strchr(SPACE, *ret->s); ret->len--)
		ret->s++;
	while (ret->len && strchr(SPACE, ret->s[ret->len - 1]))
		ret->len--;
	return true;
}

static bool is(const struct part *p, const char *word)
{
	return p->len == strlen(word) && !strncasecmp(p->s, word, p->len);
}

static bool begins(const struct part *p, const char *word)
{
	return p->len >= strlen(word) && !strncasecmp(p->s, word, strlen(word));
}

/* How much the range is wanted, 0..1. */
static double weight(struct part range, bool *ret_known)
{
	struct part p;
	double q = 1;

	*ret_known = true;
	while (next_part(&range, ';', &p))
		if (begins(&p, "q="))
			q = strtod(p.s + 2, NULL);
		else if (begins(&p, "version=") && !is(&p, "version=1.0.0") &&
			 !is(&p, "version=0.0.1"))
			*ret_known = false;
	return q;
}

enum metrics_format metrics_format(const char *accept)
{
	struct part rest = {accept, accept ? strlen(accept) : 0}, range, type;
	double open = 0, text = 0;
	bool known;

	while (next_part(&rest, ',', &range)) {
		struct part params = range;
		double q = weight(range, &known);

		next_part(&params, ';', &type);
		if (is(&type, "application/openmetrics-text") && known)
			open = MAX(open, q);
		else if (is(&type, "text/plain") || is(&type, "text/*") || is(&type, "*/*"))
			text = MAX(text, q);
	}
	return open > 0 && open >= text ? METRICS_OPEN : METRICS_TEXT;
}

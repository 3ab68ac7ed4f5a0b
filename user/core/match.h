/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The fields that a rule tests as text, as the language has them. */
#ifndef CORE_MATCH_H
#define CORE_MATCH_H

#include "base/str.h"
#include "core/model.h"

struct match_field {
	enum asym_match match;
	const char *key;
	bool list; /* may have several values */
};

enum { MATCH_FIELDS = 10 };
extern const struct match_field match_fields[MATCH_FIELDS];

#define MATCH_VALUE (ADDR_STRLEN + 1)
/* The nth value of a field, "!" before it where it is negated.  False: the rule has no more of it,
 * or does not test it. */
bool match_value(const struct model_rule *r, enum asym_match match, size_t n,
		 char ret[MATCH_VALUE]);

/* A line for each field that is tested, as a section "rule" has them. */
void match_print(const struct model_rule *r, struct str *out);

#endif

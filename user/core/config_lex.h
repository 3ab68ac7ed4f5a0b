/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The words of a configuration file.  libconfuse 3.3 has a scanner of its own, but it counts the
 * line of every comment several times, expands ${VARIABLES}, skips characters it does not know and
 * keeps its state over an error.  So this one reads the file, and config_outline.c hands
 * libconfuse a text in which none of that can happen.
 */
#ifndef CORE_CONFIG_LEX_H
#define CORE_CONFIG_LEX_H

#include "base/str.h"
#include <stdbool.h>

enum lex_kind {
	LEX_END,
	LEX_WORD, /* bare or in quotes; the text is without them */
	LEX_SIGN, /* one of { } ( ) = , */
	LEX_BAD,  /* not a token: text says why; lex_next must not be called again */
};

struct lex {
	const char *p, *end;
	int line;
	enum lex_kind kind;
	char sign;
	int token_line;
	struct str text; /* of a word; owned by the lexer, valid until the next token */
};

void lex_init(struct lex *l, const char *text, size_t len);
/* Reads the next token into kind, sign, text and token_line.  0 or -ENOMEM. */
int lex_next(struct lex *l);
bool lex_is_sign(const struct lex *l, char sign);
/* The token as messages show it. */
const char *lex_shown(const struct lex *l);
void lex_done(struct lex *l);

#endif

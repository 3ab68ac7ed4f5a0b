// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/config_lex.h"
#include <errno.h>
#include <string.h>

#define LEX_MAX_WORD 4096 /* PATH_MAX; libconfuse takes minutes over megabytes */

void lex_init(struct lex *l, const char *text, size_t len)
{
	*l = (struct lex){ .p = text, .end = text + len, .line = 1, .token_line = 1 };
	if (len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3)) /* byte order mark of some editors */
		l->p += 3;
}

void lex_done(struct lex *l)
{
	str_done(&l->text);
}

static int peek(const struct lex *l, size_t ahead)
{
	return (size_t)(l->end - l->p) > ahead ? (unsigned char)l->p[ahead] : -1;
}

static void bad(struct lex *l, const char *what)
{
	l->kind = LEX_BAD;
	l->text.len = 0;
	str_add(&l->text, "%s", what);
}

static void bad_byte(struct lex *l, int c)
{
	l->kind = LEX_BAD;
	l->text.len = 0;
	if (c == 0)
		str_add(&l->text, "NUL byte, expected text");
	else
		str_add(&l->text, "control character 0x%02x, expected text", c);
}

static bool is_control(int c)
{
	return (c >= 0 && c < 0x20) || c == 0x7f;
}

static void skip_line(struct lex *l)
{
	while (peek(l, 0) >= 0 && peek(l, 0) != '\n' && peek(l, 0) != 0)
		l->p++;
}

/* False at the end of the text. */
static bool skip_block(struct lex *l)
{
	l->token_line = l->line;
	for (l->p += 2; peek(l, 0) > 0; l->p++) {
		if (peek(l, 0) == '*' && peek(l, 1) == '/') {
			l->p += 2;
			return true;
		}
		l->line += peek(l, 0) == '\n';
	}
	return false;
}

/* White space and comments.  False when a comment does not end. */
static bool skip_blank(struct lex *l)
{
	while (1) {
		int c = peek(l, 0);

		if (c == '\n' || c == ' ' || c == '\t' || c == '\r') {
			l->line += c == '\n';
			l->p++;
		} else if (c == '#' || (c == '/' && peek(l, 1) == '/')) {
			skip_line(l);
		} else if (c == '/' && peek(l, 1) == '*') {
			if (!skip_block(l))
				return false;
		} else {
			return true;
		}
	}
}

/* Within quotes a backslash takes the next character as it is; nothing else is special. */
static void read_quoted(struct lex *l)
{
	int quote = *l->p++;

	while (peek(l, 0) != quote) {
		const char *start;

		if (peek(l, 0) == '\\' && peek(l, 1) >= 0x20)
			l->p++;
		if (peek(l, 0) < 0 || peek(l, 0) == '\n')
			return bad(l, "string without its closing quote on the same line");
		if (is_control(peek(l, 0)) && peek(l, 0) != '\t')
			return bad_byte(l, peek(l, 0));
		start = l->p++;
		while (peek(l, 0) >= 0x20 && peek(l, 0) != quote && peek(l, 0) != '\\')
			l->p++;
		str_add(&l->text, "%.*s", (int)(l->p - start), start);
	}
	l->p++;
}

static void read_word(struct lex *l)
{
	const char *start = l->p;

	while (l->p < l->end && !is_control(peek(l, 0)) && !strchr(" #\"'{}()=,", *l->p))
		l->p++;
	str_add(&l->text, "%.*s", (int)(l->p - start), start);
	/* !"10.0.0.0/8" is one value, as !443 is. */
	if (!strcmp(l->text.s, "!") && (peek(l, 0) == '"' || peek(l, 0) == '\''))
		read_quoted(l);
}

int lex_next(struct lex *l)
{
	int c;

	l->text.len = 0;
	str_add(&l->text, "%s", "");
	if (!skip_blank(l)) {
		if (peek(l, 0) == 0)
			bad_byte(l, 0);
		else
			bad(l, "comment without its closing */");
		return l->text.err;
	}
	l->token_line = l->line;
	c = peek(l, 0);
	l->kind = c < 0 ? LEX_END : c && strchr("{}()=,", c) ? LEX_SIGN : LEX_WORD;
	if (l->kind == LEX_SIGN)
		l->sign = *l->p++;
	else if (is_control(c))
		bad_byte(l, c);
	else if (c == '"' || c == '\'')
		read_quoted(l);
	else if (l->kind == LEX_WORD)
		read_word(l);
	if (l->kind == LEX_WORD && l->text.len > LEX_MAX_WORD)
		bad(l, "value longer than 4096 bytes");
	return l->text.err;
}

bool lex_is_sign(const struct lex *l, char sign)
{
	return l->kind == LEX_SIGN && l->sign == sign;
}

const char *lex_shown(const struct lex *l)
{
	static const char *const signs[] = { "{", "}", "(", ")", "=", "," };

	if (l->kind == LEX_END)
		return "end of file";
	if (l->kind == LEX_WORD)
		return l->text.s;
	for (size_t i = 0; i < ARRAY_SIZE(signs); i++)
		if (lex_is_sign(l, *signs[i]))
			return signs[i];
	return "";
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/config_ctx.h"
#include "core/config_lex.h"
#include <string.h>

/* libconfuse compares each title with all before it, so it gets a file in pieces. */
#define PIECE_BYTES 4096

struct outline {
	struct config *c;
	struct lex lex;
	struct str out; /* for libconfuse: the statements since the last include */
	int first_line;	/* of out */
	int line;	/* where out ends */
	size_t mute;	/* depth of what is read but not passed on */
	size_t good;	/* length of out at the end of the last whole statement of the file */
	bool stop;	/* syntax error or no memory: nothing more can be read */
};

#define report(o, ...) ((o)->c->line = (o)->lex.token_line, config_error((o)->c, __VA_ARGS__))

static void next(struct outline *o)
{
	if (lex_next(&o->lex)) {
		o->c->no_memory = true;
		o->stop = true;
	} else if (o->lex.kind == LEX_BAD) {
		report(o, "%s", o->lex.text.s);
		o->stop = true;
	}
}

static void syntax(struct outline *o, const char *after, const char *expected)
{
	if (o->stop)
		return;
	report(o, "%s: unexpected \"" SHOWN "\", expected %s", after, lex_shown(&o->lex), expected);
	o->stop = true;
}

/* libconfuse counts lines by itself, so each token goes to the line it came from. */
static void put_line(struct outline *o)
{
	for (; o->line < o->lex.token_line; o->line++)
		str_add(&o->out, "\n");
}

static void put(struct outline *o, const char *text)
{
	if (o->mute)
		return;
	put_line(o);
	str_add(&o->out, "%s ", text);
}

/* Single quotes expand nothing; libconfuse takes a backslash before ' and \ away. */
static void put_string(struct outline *o, const char *s)
{
	if (o->mute)
		return;
	put_line(o);
	str_add(&o->out, "'");
	for (size_t n; *s; s += n) {
		n = strcspn(s, "'\\");
		str_add(&o->out, "%.*s", (int)n, s);
		if (s[n])
			str_add(&o->out, "\\%c", s[n++]);
	}
	str_add(&o->out, "' ");
}

static void put_sign(struct outline *o)
{
	put(o, lex_shown(&o->lex));
}

/* Takes the sign, or reports what is there instead. */
static bool take(struct outline *o, char sign, const char *after, const char *expected)
{
	if (o->stop || !lex_is_sign(&o->lex, sign)) {
		syntax(o, after, expected);
		return false;
	}
	put_sign(o);
	next(o);
	return true;
}

static bool take_word(struct outline *o, const char *after, const char *expected)
{
	if (o->stop || o->lex.kind != LEX_WORD) {
		syntax(o, after, expected);
		return false;
	}
	put_string(o, o->lex.text.s);
	next(o);
	return true;
}

/* Everything up to the brace that closes the one just read. */
static void skip_block(struct outline *o, const char *key)
{
	int open = 1;

	while (!o->stop && open && o->lex.kind != LEX_END) {
		open += lex_is_sign(&o->lex, '{');
		open -= lex_is_sign(&o->lex, '}');
		next(o);
	}
	if (open)
		syntax(o, key, "\"}\"");
}

/* What follows an unknown key: "= value", "= { values }", "title { ... }" or "( ... )". */
static void skip_statement(struct outline *o)
{
	bool equal = lex_is_sign(&o->lex, '=');

	if (lex_is_sign(&o->lex, '(')) {
		while (!o->stop && o->lex.kind != LEX_END && !lex_is_sign(&o->lex, ')'))
			next(o);
		take(o, ')', "unknown key", "\")\"");
		return;
	}
	if (equal)
		next(o);
	if (!o->stop && o->lex.kind == LEX_WORD) {
		next(o);
		if (equal)
			return;
	}
	if (take(o, '{', "unknown key", equal ? "a value" : "\"=\" or \"{\""))
		skip_block(o, "unknown key");
}

static void read_list(struct outline *o, const struct config_key *key)
{
	if (take(o, '{', key->name, "\"{\"") && lex_is_sign(&o->lex, '}'))
		report(o, "%s: empty list, expected at least one value", key->name);
	while (!o->stop && !lex_is_sign(&o->lex, '}')) {
		if (!take_word(o, key->name, "a value") || lex_is_sign(&o->lex, '}'))
			break;
		take(o, ',', key->name, "\",\" or \"}\"");
	}
	take(o, '}', key->name, "\"}\"");
}

/* A list key takes one value or a list of them, another key one value. */
static void read_key(struct outline *o, const struct config_key *key)
{
	if (o->stop || !lex_is_sign(&o->lex, '='))
		return syntax(o, key->name, "\"=\"");
	next(o);
	if (lex_is_sign(&o->lex, '{') && !key->list) {
		report(o, "%s: a list, expected one value", key->name);
		o->mute++;
	}
	put(o, key->name);
	put(o, "=");
	if (lex_is_sign(&o->lex, '{'))
		read_list(o, key);
	else
		take_word(o, key->name, key->list ? "a value or \"{\"" : "a value");
}

static void flush(struct outline *o)
{
	if (o->out.err)
		o->c->no_memory = true;
	else if (o->good) {
		o->out.s[o->good] = 0;
		config_feed(o->c, o->out.s, o->first_line);
	}
	str_done(&o->out);
	o->good = 0;
	o->first_line = o->line = o->lex.token_line;
}

/* The file comes in where it is named, so what stands before it is handed on first. */
static void read_include(struct outline *o, int line)
{
	_cleanup_free_ char *path = NULL;

	o->mute++;
	if (!take(o, '(', "include", "\"(\""))
		return;
	path = strdup(o->lex.text.s);
	if (!take_word(o, "include", "the name of a file") || !lex_is_sign(&o->lex, ')'))
		return syntax(o, "include", "\")\"");
	flush(o);
	o->c->line = line;
	if (path)
		config_include(o->c, path);
	o->c->no_memory |= !path;
	next(o);
}

static void read_statements(struct outline *o, const struct config_section *s, int line);

static void read_section(struct outline *o, const struct config_section *s, int line)
{
	put(o, s->name);
	if (s->titled && !take_word(o, s->name, "a name"))
		return;
	if (!take(o, '{', s->name, "\"{\""))
		return;
	if (!o->mute)
		str_add(&o->out, CONFIG_BEGIN " = %d ", line);
	read_statements(o, s, line);
	if (!o->stop && !o->mute)
		str_add(&o->out, CONFIG_END " = %d ", o->lex.token_line);
	take(o, '}', s->name, "\"}\"");
}

static void read_statement(struct outline *o, const struct config_section *s, struct place *seen)
{
	const struct config_key *key = config_find_key(s, o->lex.text.s);
	const struct config_section *section;
	size_t index, mute = o->mute;
	int line = o->lex.token_line;

	section = config_find_section(s, o->lex.text.s, &index);
	o->c->line = line;
	if (key)
		o->mute += !config_once(o->c, key->name, &seen[key - s->keys]);
	else if (section && !section->many)
		o->mute += !config_once(o->c, section->name, &seen[index]);
	if (key) {
		next(o);
		read_key(o, key);
	} else if (section) {
		next(o);
		read_section(o, section, line);
	} else if (s == o->c->root && !strcmp(o->lex.text.s, "include")) {
		next(o);
		read_include(o, line);
	} else {
		config_unknown(o->c, s, o->lex.text.s);
		o->mute++;
		next(o);
		skip_statement(o);
	}
	o->mute = mute;
}

static void read_statements(struct outline *o, const struct config_section *s, int line)
{
	struct place own[CONFIG_MAX_KEYS] = {};
	bool root = s == o->c->root;

	while (!o->stop && o->lex.kind == LEX_WORD) {
		read_statement(o, s, root ? o->c->seen : own);
		if (root && !o->stop)
			o->good = o->out.len;
		if (root && o->good >= PIECE_BYTES)
			flush(o);
	}
	if (o->stop)
		return;
	if (root && o->lex.kind != LEX_END)
		syntax(o, "file", "a key or a section");
	else if (!root && o->lex.kind == LEX_END)
		report(o, "%s: section of line %d does not end, expected \"}\"", s->name, line);
	else if (!root && !lex_is_sign(&o->lex, '}'))
		syntax(o, s->name, "a key or \"}\"");
	o->stop |= o->lex.kind == LEX_END;
}

void config_outline(struct config *c, const char *text, size_t len)
{
	struct outline o = { .c = c, .first_line = 1, .line = 1 };

	lex_init(&o.lex, text, len);
	next(&o);
	read_statements(&o, c->root, 1);
	flush(&o);
	lex_done(&o.lex);
}

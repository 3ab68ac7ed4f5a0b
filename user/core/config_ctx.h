/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inside config*.c and mesh_config*.c only: one run of the parser over one file, and the language
 * as tables.
 *
 * config_lex.c makes words, config_outline.c reports what is no statement or no key and writes
 * the rest for libconfuse, config_confuse.c lets libconfuse call the functions of the tables below.
 */
#ifndef CORE_CONFIG_CTX_H
#define CORE_CONFIG_CTX_H

#include "base/str.h"
#include "core/model.h"

#define CONFIG_MAX_BYTES (16u << 20) /* of a configuration or set file */
#define CONFIG_MAX_INCLUDES 8	     /* files included in one another */
#define CONFIG_MAX_KEYS 32	     /* keys and sections of one section */
#define CONFIG_MAX_DEPTH 3	     /* root, policy, tier; root, link, probe */

/* Values in messages are cut to this many bytes. */
#define SHOWN "%.80s"

struct config;

/* The function gets one value; c->line is its line, c->first tells the first of a list. */
struct config_key {
	const char *name;
	bool list; /* takes {a, b} */
	void (*set)(struct config *c, const char *key, const char *value);
};

struct config_section {
	const char *name;
	bool titled; /* link NAME { */
	bool many;
	const struct config_key *keys;
	size_t n_keys;
	const struct config_section *const *sections;
	size_t n_sections;
	void (*begin)(struct config *c, const char *title);
	void (*end)(struct config *c);
};

extern const struct config_section config_root, config_lan, config_link, config_set, config_policy,
	config_tier, config_rule, config_probe;

struct mesh_draft; /* core/mesh_draft.h */

struct config {
	const struct config_section *root; /* the language; its end() is called after the last file */
	struct model *m;	   /* of config_root */
	struct mesh_draft *mesh;   /* of mesh_config_root */
	struct findings *f;
	char ***files; /* names that places point to, of the model or the mesh */
	size_t *n_files;
	const char *file; /* one of them */
	int line;
	int first_line; /* of what libconfuse reads now */
	bool first;
	bool no_memory;
	struct config *outer; /* the file that includes this one */
	struct place *seen;   /* of the root's keys and sections, over all files */

	const struct config_section *stack[CONFIG_MAX_DEPTH];
	size_t depth;

	/* What is being read; end() moves it to the model or frees it. */
	struct model_link link;
	struct model_probe *probe; /* the link's or the model's */
	int levels;		   /* of loss, latency or jitter so far */
	struct model_set set;
	struct model_policy policy;
	struct model_tier tier;
	bool policy_links; /* "links" without a tier */
	struct model_rule rule;
	bool has_sticky_key;
	bool drop; /* the name is bad or taken */
};

/* Finding at c->file, c->line. */
void config_error(struct config *c, const char *fmt, ...) PRINTF(2, 3);

/* The outermost file: root, m or mesh, f, files and n_files are set.  0; -EINVAL with findings;
 * -ENOMEM. */
int config_first(struct config *c, const char *name, const char *text, size_t len);
int config_first_file(struct config *c, const char *path);
/* Whole file or text, by a fresh context.  c->file is set. */
void config_run(struct config *c, const char *text, size_t len);
/* Reports what is no statement or no key, follows includes, and feeds the rest to libconfuse:
 * strings in single quotes, on the lines where they were, and CONFIG_BEGIN and CONFIG_END in every
 * section. */
void config_outline(struct config *c, const char *text, size_t len);
/* Whole statements, the first on the given line. */
void config_feed(struct config *c, const char *text, int first_line);
#define CONFIG_BEGIN "__begin"
#define CONFIG_END "__end"

const struct config_key *config_find_key(const struct config_section *s, const char *name);
/* The index counts on from the keys, as the places of what was seen do. */
const struct config_section *config_find_section(const struct config_section *s, const char *name,
						 size_t *ret_index);
/* False, reported, when the key was given before. */
bool config_once(struct config *c, const char *key, struct place *seen);
/* Reports the key, with the one that was meant. */
void config_unknown(struct config *c, const struct config_section *s, const char *key);

/* include("path") of the language. */
void config_include(struct config *c, const char *path);
/* A path as seen from the directory of c->file.  NULL when memory is out. */
char *config_path(struct config *c, const char *path);
/* The file's name in c->files, or NULL when memory is out. */
const char *config_file(struct config *c, const char *name);

/* Values.  They report what is wrong and leave *ret alone then. */
bool config_number(struct config *c, const char *key, const char *value, uint32_t min,
		   uint32_t max, uint32_t *ret);
/* "500ms", "2s", "10m", "1h", "1d"; a bare number is seconds. */
bool config_duration(struct config *c, const char *key, const char *value, uint32_t min_ms,
		     uint32_t max_ms, uint32_t *ret_ms);
bool config_bool(struct config *c, const char *key, const char *value, bool *ret);
bool config_word(struct config *c, const char *key, const char *value, const char *const *words,
		 size_t n, unsigned int *ret);
bool config_fastpath(struct config *c, const char *key, const char *value,
		     enum asym_fastpath *ret);
bool config_name(struct config *c, const char *key, const char *value, char *ret_name);
bool config_device(struct config *c, const char *key, const char *value, char *ret_device);
bool config_addr(struct config *c, const char *key, const char *value, enum asym_family family,
		 struct in6_addr *ret);
/* "192.0.2.1:443", "[2001:db8::1]:443"; without a port it is `otherwise`, unless that is 0. */
bool config_addr_port(struct config *c, const char *key, const char *value, uint16_t otherwise,
		      struct in6_addr *ret_addr, uint16_t *ret_port);
/* The colon before the port, NULL without one.  An address of IPv6 has colons of its own, so it
 * stands in brackets when a port follows. */
const char *config_port(const char *value);
/* Not the address of a group or of nobody. */
bool config_is_host(const struct in6_addr *a);
bool config_prefix(struct config *c, const char *key, const char *value, struct prefix *ret);

/* Takes "!" off a value of a list.  *first: whether the first one had it, set by that.  NULL,
 * reported, when this one differs. */
const char *config_negated(struct config *c, const char *key, const char *value, bool *first);

/* Keys of the section "rule" that say what to look for in a packet, into c->rule. */
void config_family(struct config *c, const char *key, const char *value);
void config_src(struct config *c, const char *key, const char *value);
void config_dst(struct config *c, const char *key, const char *value);
void config_proto(struct config *c, const char *key, const char *value);
void config_sport(struct config *c, const char *key, const char *value);
void config_dport(struct config *c, const char *key, const char *value);
void config_dscp(struct config *c, const char *key, const char *value);
#define CONFIG_FIELDS                                                                              \
	{ "family", false, config_family }, { "src", true, config_src },                           \
	{ "dst", true, config_dst }, { "proto", true, config_proto },                              \
	{ "sport", true, config_sport }, { "dport", true, config_dport },                          \
	{ "dscp", true, config_dscp }
/* Notes in c->rule that the field is tested, and takes "!" off its value: as config_negated. */
const char *config_field(struct config *c, const char *key, const char *value,
			 enum asym_match match);
/* When the rule is complete. */
void config_narrow_rule(struct model_rule *r);

/* Keys of the section "probe" that name targets. */
void config_target(struct config *c, const char *key, const char *value);
void config_target_gateway(struct config *c, const char *key, const char *value);

/* False, reported, when n is the limit already. */
bool config_room(struct config *c, const char *key, size_t n, size_t max);
/* Takes the title as the name of a new thing unless an older one, at *older, has it. */
void config_title(struct config *c, const char *title, char *ret_name, const struct place *older);
struct place config_place(const struct config *c);

#endif

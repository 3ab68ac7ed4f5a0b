/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The nftables table, written to the kernel and read back by nft, each test in a network namespace
 * of its own.  Needs root. */
#ifndef TESTS_UNIT_RULESET_LAB_H
#define TESTS_UNIT_RULESET_LAB_H

#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "apply/ruleset.h"
#include "base/str.h"
#include "core/plan_nft.h"
#include "nl/nft.h"
#include "tests/unit/root.h"

#define TABLE "inet " PLAN_NFT_TABLE

/* A plan by hand: links get ids 1.., devices dNAME. */
struct fixture {
	struct model m;
	struct plan p;
};

static inline struct fixture *fixture_new(uint32_t mask)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	model_init(&f->m);
	f->m.mark_mask = mask;
	f->p.model = &f->m;
	f->p.config.mark_mask = mask;
	f->p.config.mark_shift = (uint32_t)__builtin_ctz(mask);
	f->p.reserved[PLAN_PROBE] = MIN(mask >> f->p.config.mark_shift, 255u);
	/* plan_link.conf points into the array: no growing */
	f->m.links = calloc(ASYM_MAX_LINKS, sizeof(*f->m.links));
	f->p.links = calloc(ASYM_MAX_LINKS, sizeof(*f->p.links));
	assert_true(f->m.links && f->p.links);
	return f;
}

static inline struct model_link *link_add(struct fixture *f, const char *name, const char *device)
{
	struct model_link *conf = &f->m.links[f->m.n_links++];
	struct plan_link *l = &f->p.links[f->p.n_links++];

	assert_int_equal(str_copy(conf->name, sizeof(conf->name), name), 0);
	assert_int_equal(str_copy(conf->device, sizeof(conf->device), device), 0);
	conf->nat[ASYM_V6] = NAT_MASQUERADE;
	*l = (struct plan_link){ .id = (uint8_t)f->p.n_links, .conf = conf };
	l->reply = l->id;
	l->mark = (uint32_t)l->id << f->p.config.mark_shift;
	return conf;
}

static inline void fixture_free(struct fixture *f)
{
	free(f->p.links);
	free(f->m.links);
	free(f);
}

static inline struct fixture *three_links(void)
{
	struct fixture *f = fixture_new(0xff00);

	link_add(f, "dsl", "wan0");
	link_add(f, "cable", "wan1");
	link_add(f, "sat", "wan2");
	return f;
}

/* What a command of bash prints; it must succeed.  The caller frees it. */
static inline char *output_of(const char *command)
{
	struct str s = { 0 };
	char line[4096];
	FILE *pipe;

	assert_int_equal(setenv("COMMAND", command, 1), 0);
	pipe = popen("exec bash -c \"$COMMAND\"", "r");
	assert_non_null(pipe);
	str_add(&s, "%s", "");
	while (fgets(line, sizeof(line), pipe))
		str_add(&s, "%s", line);
	assert_int_equal(pclose(pipe), 0);
	assert_int_equal(s.err, 0);
	return s.s;
}

static inline void run(const char *command)
{
	free(output_of(command));
}

static inline void assert_prints(const char *command, const char *want)
{
	char *got = output_of(command);

	assert_string_equal(got, want);
	free(got);
}

static inline void apply(const struct fixture *f, bool dry_run)
{
	char error[256];
	int r = ruleset_apply(&f->p, dry_run, error, sizeof(error));

	if (r)
		print_error("%s\n", error);
	assert_int_equal(r, 0);
	assert_string_equal(error, "");
}

/* The table's comment, NULL: there is no table. */
static inline const char *comment(void)
{
	static char text[128];
	_cleanup_nl_ struct nl nl;
	int r;

	assert_int_equal(nl_open(&nl, NETLINK_NETFILTER), 0);
	r = nft_table_comment(&nl, PLAN_NFT_TABLE, text, sizeof(text));
	assert_true(!r || r == -ENOENT);
	return r ? NULL : text;
}

/* The kernel has exactly what plan_nft_text says, and nft reads its own listing back. */
static inline void assert_table_is(const struct fixture *f)
{
	struct str want = { 0 };

	plan_nft_text(&f->p, &want);
	assert_int_equal(want.err, 0);
	assert_prints("nft -s list table " TABLE, want.s);
	run("t=$(nft -s list table " TABLE ") && nft delete table " TABLE
	    " && printf '%s\\n' \"$t\" | nft -f -");
	assert_prints("nft -s list table " TABLE, want.s);
	str_done(&want);
}

static inline void written_as_text(struct fixture *f)
{
	apply(f, false);
	assert_string_equal(comment(), PLAN_NFT_COMMENT);
	assert_table_is(f);
	fixture_free(f);
	run("nft delete table " TABLE);
}

static inline int fresh_namespace(void **state)
{
	return geteuid() || !unshare(CLONE_NEWNET) ? 0 : -1;
}

#define ruleset_test(fn) root_test(fn, fresh_namespace, NULL)

#endif

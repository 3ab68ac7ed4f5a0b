// SPDX-License-Identifier: GPL-2.0-or-later
/* The nftables table, written to the kernel and read back by nft, each test in a network namespace
 * of its own.  Needs root. */
#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "apply/ruleset.h"
#include "base/str.h"
#include "core/plan_nft.h"
#include "nl/nft.h"

#define TABLE "inet " PLAN_NFT_TABLE

/* A plan by hand: links get ids 1.., devices dNAME. */
struct fixture {
	struct model m;
	struct plan p;
};

static struct fixture *fixture_new(uint32_t mask)
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

static struct model_link *link_add(struct fixture *f, const char *name, const char *device)
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

static void fixture_free(struct fixture *f)
{
	free(f->p.links);
	free(f->m.links);
	free(f);
}

static struct fixture *three_links(void)
{
	struct fixture *f = fixture_new(0xff00);

	link_add(f, "dsl", "wan0");
	link_add(f, "cable", "wan1");
	link_add(f, "sat", "wan2");
	return f;
}

/* What a command of bash prints; it must succeed.  The caller frees it. */
static char *output_of(const char *command)
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

static void run(const char *command)
{
	free(output_of(command));
}

static void assert_prints(const char *command, const char *want)
{
	char *got = output_of(command);

	assert_string_equal(got, want);
	free(got);
}

static void apply(const struct fixture *f, bool dry_run)
{
	char error[256];
	int r = ruleset_apply(&f->p, dry_run, error, sizeof(error));

	if (r)
		print_error("%s\n", error);
	assert_int_equal(r, 0);
	assert_string_equal(error, "");
}

/* The table's comment, NULL: there is no table. */
static const char *comment(void)
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
static void assert_table_is(const struct fixture *f)
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

static void written_as_text(struct fixture *f)
{
	apply(f, false);
	assert_string_equal(comment(), PLAN_NFT_COMMENT);
	assert_table_is(f);
	fixture_free(f);
	run("nft delete table " TABLE);
}

static void test_text(void **state)
{
	struct fixture *f = three_links();

	f->p.links[2].reply = 1;
	written_as_text(f);

	f = fixture_new(0xff00);
	link_add(f, "only", "ppp0");
	written_as_text(f);
}

/* nft prints masks at either end of the word in other ways. */
static void test_text_masks(void **state)
{
	static const uint32_t masks[] = { 0xff0000, 0xff000000, 0xff, 0x7, 0x3fc, 0xf0000000,
					  UINT32_MAX };

	for (size_t i = 0; i < ARRAY_SIZE(masks); i++) {
		struct fixture *f = fixture_new(masks[i]);

		link_add(f, "a", "wan0");
		link_add(f, "b", "wan1");
		written_as_text(f);
	}
}

static void test_text_nat(void **state)
{
	struct fixture *f = three_links();

	f->m.links[0].nat[ASYM_V4] = NAT_SNAT;
	assert_int_equal(addr_parse("192.0.2.7", &f->m.links[0].snat[ASYM_V4]), 0);
	f->m.links[1].nat[ASYM_V6] = NAT_SNAT;
	assert_int_equal(addr_parse("2001:db8::7", &f->m.links[1].snat[ASYM_V6]), 0);
	f->m.links[2].nat[ASYM_V4] = f->m.links[2].nat[ASYM_V6] = NAT_NONE;
	written_as_text(f);

	f = three_links();
	for (size_t i = 0; i < 3; i++)
		f->m.links[i].nat[ASYM_V4] = f->m.links[i].nat[ASYM_V6] = NAT_NONE;
	apply(f, false);
	assert_prints("nft list table " TABLE " | grep -c 'hook postrouting priority srcnat'"
		      " || true", "0\n");
	written_as_text(f);
}

static void test_text_mss(void **state)
{
	struct fixture *f = three_links();

	f->p.links[0].mtu = 1492;
	f->p.links[1].mtu = 70000; /* no limit for a segment */
	f->p.links[2].mtu = 1280;
	written_as_text(f);

	f = three_links();
	f->p.links[0].mtu = 1492;
	f->m.mss_clamp = false;
	written_as_text(f);
}

static void test_text_reset(void **state)
{
	struct fixture *f = three_links();

	f->m.reset = true;
	written_as_text(f);

	f = fixture_new(0xff00);
	f->m.reset = true;
	link_add(f, "only", "ppp0");
	written_as_text(f);
}

/* The rule that routes a first datagram again is there with host traffic, and not without. */
static void test_text_gone(void **state)
{
	struct fixture *f = three_links();

	f->p.gone[f->p.n_gone++] = (struct plan_id){ .name = "old", .id = 9 };
	f->p.gone[f->p.n_gone++] = (struct plan_id){ .name = "older", .id = 4 };
	written_as_text(f);
}

/* Every character that a name may have, first and last; names and devices of full length. */
static void test_text_names(void **state)
{
	struct fixture *f = fixture_new(0xff00);

	link_add(f, "-a-", "eth0.100");
	link_add(f, ".b.", "fifteen-letters");
	link_add(f, "_c_", "eth0:x@y");
	link_add(f, "0", "0");
	link_add(f, "abcdefghijklmnopqrstuvwxyzABCDE", "br-lan");
	link_add(f, "known", "accept");
	link_add(f, "nat", "nat");
	written_as_text(f);
}

static void test_dry_run(void **state)
{
	struct fixture *f = three_links();
	char *before;

	apply(f, true);
	assert_null(comment());
	assert_prints("nft list ruleset", "");

	apply(f, false);
	before = output_of("nft -a list ruleset");
	f->p.n_links = 1;
	apply(f, true);
	assert_prints("nft -a list ruleset", before);
	free(before);
	fixture_free(f);
}

/* A dry run must say what the real one would: the table is full of a chain of the wrong kind. */
static void test_dry_run_judges(void **state)
{
	struct fixture *f = three_links();
	char error[256] = "";

	run("nft 'table " TABLE " { comment \"asymbpf\"; map m { type mark : verdict; };"
	    " chain gone_5 { }; chain user { ct mark vmap @m; }; };"
	    " add element " TABLE " m { 1 : goto gone_5 }'");
	assert_int_equal(ruleset_apply(&f->p, true, error, sizeof(error)), -EBUSY);
	assert_string_equal(error, "chain gone_5: Device or resource busy");
	assert_int_equal(ruleset_apply(&f->p, false, error, sizeof(error)), -EBUSY);
	fixture_free(f);
}

static void refused(const struct fixture *f, const char *table)
{
	char error[256] = "", *before;

	run(table);
	before = output_of("nft -a list ruleset");
	assert_int_equal(ruleset_apply(&f->p, false, error, sizeof(error)), -EEXIST);
	assert_non_null(strstr(error, "somebody else's"));
	assert_int_equal(ruleset_apply(&f->p, true, error, sizeof(error)), -EEXIST);
	assert_int_equal(ruleset_remove(error, sizeof(error)), -EEXIST);
	assert_prints("nft -a list ruleset", before);
	free(before);
	run("nft delete table " TABLE);
}

static void test_foreign(void **state)
{
	struct fixture *f = three_links();
	struct ruleset_count counts[3];

	refused(f, "nft add table " TABLE);
	refused(f, "nft 'table " TABLE " { comment \"asymbpf2\"; chain known { accept; }; }'");
	refused(f, "nft 'table " TABLE " { comment \"Asymbpf\"; }'");
	run("nft 'table " TABLE " { counter out_dsl { packets 3 bytes 4; }; }'");
	assert_int_equal(ruleset_counters(&f->p, counts), -ENOENT);
	fixture_free(f);
}

static void test_remove(void **state)
{
	struct fixture *f = three_links();
	char error[256], *before;

	run("nft 'table ip asymbpf { chain known { accept; }; };"
	    " table inet other { comment \"asymbpf\"; chain known { accept; }; }'");
	before = output_of("nft -a list ruleset");
	assert_int_equal(ruleset_remove(error, sizeof(error)), 0);
	assert_null(comment());
	apply(f, false);
	assert_int_equal(ruleset_remove(error, sizeof(error)), 0);
	assert_null(comment());
	assert_prints("nft -a list ruleset", before);
	free(before);
	fixture_free(f);
}

static void test_reload(void **state)
{
	struct fixture *f = three_links();
	struct ruleset_count counts[3];
	struct str want = { 0 };

	apply(f, false);
	run("ip link add wan0 type veth peer name far0 && ip addr add 192.0.2.1/24 dev wan0 &&"
	    " ip link set wan0 up && ip link set far0 up &&"
	    " ip neigh add 192.0.2.2 lladdr 02:00:00:00:00:02 dev wan0 &&"
	    " for i in 1 2 3; do echo x >/dev/udp/192.0.2.2/$((1000 + i)); done");
	assert_int_equal(ruleset_counters(&f->p, counts), 0);
	assert_int_equal(counts[0].out, 3);
	assert_int_equal(counts[0].in, 0);
	assert_int_equal(counts[1].out, 0);

	/* dsl stays, cable goes, sat becomes fibre */
	f->p.n_links = 2;
	f->p.links[1].id = 4;
	f->p.links[1].reply = 4;
	f->p.links[1].mark = 0x400;
	assert_int_equal(str_copy(f->m.links[1].name, MODEL_NAME, "fibre"), 0);
	f->m.links[0].nat[ASYM_V4] = f->m.links[0].nat[ASYM_V6] = NAT_NONE;
	f->m.links[1].nat[ASYM_V4] = f->m.links[1].nat[ASYM_V6] = NAT_NONE;
	f->p.gone[f->p.n_gone++] = (struct plan_id){ .name = "cable", .id = 2 };
	f->p.gone[f->p.n_gone++] = (struct plan_id){ .name = "sat", .id = 3 };
	apply(f, false);
	assert_int_equal(ruleset_counters(&f->p, counts), 0);
	assert_int_equal(counts[0].out, 3);
	assert_int_equal(counts[1].out, 0);

	/* The order of chains tells of their age; otherwise the table is as if written at once. */
	plan_nft_text(&f->p, &want);
	assert_int_equal(setenv("WANT", want.s, 1), 0);
	assert_prints("diff <(printf %s \"$WANT\" | sort) <(nft -s list table " TABLE " | sort)", "");
	apply(f, false);
	assert_prints("diff <(printf %s \"$WANT\" | sort) <(nft -s list table " TABLE " | sort)", "");
	str_done(&want);
	fixture_free(f);
}

static void broken_rule(struct nft_batch *b)
{
	static const struct nft_base base = { "input", "filter", NF_INET_LOCAL_IN, 0 };

	nft_base_add(b, &base);
	nft_rule_begin(b, "input", "accept");
	nft_verdict(b, NF_ACCEPT, NULL);
	nft_rule_end(b);
	nft_rule_begin(b, "input", "goto %s", "nowhere");
	nft_verdict(b, NFT_GOTO, "nowhere");
	nft_rule_end(b);
}

/* One bad rule: nothing of the batch happens, and the message names the rule. */
static void test_all_or_nothing(void **state)
{
	struct fixture *f = three_links();
	char error[256], *before;
	struct nft_batch b;
	struct nl nl;

	apply(f, false);
	before = output_of("nft -a list ruleset");
	assert_int_equal(nl_open(&nl, NETLINK_NETFILTER), 0);
	for (int dry_run = 0; dry_run < 2; dry_run++) {
		nft_batch_init(&b, PLAN_NFT_TABLE);
		nft_rules_flush(&b);
		nft_chain_del(&b, "known");
		broken_rule(&b);
		assert_int_equal(nft_batch_send(&b, &nl, dry_run, error, sizeof(error)), -ENOENT);
		assert_string_equal(error, "chain input, rule 2: goto nowhere: "
					   "No such file or directory");
		nft_batch_done(&b);
		assert_prints("nft -a list ruleset", before);
	}
	nl_close(&nl);
	free(before);
	fixture_free(f);
}

/* Thousands of refusals fit into the socket, and the first is reported. */
static void test_many_errors(void **state)
{
	char error[256];
	struct nft_batch b;
	struct nl nl;

	assert_int_equal(nl_open(&nl, NETLINK_NETFILTER), 0);
	nft_batch_init(&b, PLAN_NFT_TABLE);
	nft_table_add(&b, "x");
	for (int i = 0; i < 5000; i++) {
		nft_rule_begin(&b, "nowhere", "accept # %d", i);
		nft_verdict(&b, NF_ACCEPT, NULL);
		nft_rule_end(&b);
	}
	assert_int_equal(nft_batch_send(&b, &nl, false, error, sizeof(error)), -ENOENT);
	assert_string_equal(error, "chain nowhere, rule 1: accept # 0: No such file or directory");
	nft_batch_done(&b);
	nl_close(&nl);
	assert_prints("nft list ruleset", "");
}

/* Nothing is wrong with any rule alone: found when the kernel walks from the hook. */
static void test_loop_is_refused(void **state)
{
	static const struct nft_base base = { "input", "filter", NF_INET_LOCAL_IN, 0 };
	char error[256] = "";
	struct nft_batch b;
	struct nl nl;

	assert_int_equal(nl_open(&nl, NETLINK_NETFILTER), 0);
	nft_batch_init(&b, PLAN_NFT_TABLE);
	nft_table_add(&b, "x");
	nft_base_add(&b, &base);
	nft_chain_add(&b, "round");
	nft_rule_begin(&b, "round", "jump round");
	nft_verdict(&b, NFT_JUMP, "round");
	nft_rule_end(&b);
	nft_rule_begin(&b, "input", "jump round");
	nft_verdict(&b, NFT_JUMP, "round");
	nft_rule_end(&b);
	assert_int_equal(nft_batch_send(&b, &nl, false, error, sizeof(error)), -EMLINK);
	assert_non_null(strstr(error, "jump round: Too many links"));
	nft_batch_done(&b);
	nl_close(&nl);
	assert_prints("nft list ruleset", "");
}

/* What cannot be built is not sent. */
static void test_builder_errors_stick(void **state)
{
	char error[256];
	struct nft_batch b;
	struct nl nl;

	assert_int_equal(nl_open(&nl, NETLINK_NETFILTER), 0);
	nft_batch_init(&b, PLAN_NFT_TABLE);
	nft_table_add(&b, "x");
	nft_chain_add(&b, "c");
	nft_rule_begin(&b, "c", "too many");
	nft_set_begin(&b, NFT_KEY_MARK, NFT_SET_VERDICTS);
	for (uint32_t i = 0; i <= NFT_SET_ELEMS; i++)
		nft_elem_mark_goto(&b, i, "c");
	nft_vmap(&b, nft_set_end(&b));
	nft_rule_end(&b);
	assert_int_equal(nft_batch_send(&b, &nl, false, error, sizeof(error)), -EMSGSIZE);
	nft_batch_done(&b);

	nft_batch_init(&b, PLAN_NFT_TABLE);
	nft_table_add(&b, "x");
	nft_rule_begin(&b, "c", "never ended");
	assert_int_equal(nft_batch_send(&b, &nl, false, error, sizeof(error)), -EINVAL);
	nft_batch_done(&b);
	nl_close(&nl);
	assert_prints("nft list ruleset", "");
}

static double timed_apply(const struct fixture *f, bool dry_run)
{
	struct timespec a, b;

	clock_gettime(CLOCK_MONOTONIC, &a);
	apply(f, dry_run);
	clock_gettime(CLOCK_MONOTONIC, &b);
	return (double)(b.tv_sec - a.tv_sec) * 1e3 + (double)(b.tv_nsec - a.tv_nsec) / 1e6;
}

static void test_many_links(void **state)
{
	struct fixture *f = fixture_new(0xff00);
	char name[MODEL_NAME], device[IFNAMSIZ];

	for (uint8_t i = 0; i < ASYM_MAX_LINKS; i++) {
		snprintf(name, sizeof(name), "a-link-with-a-name-of-31-char%02x", i);
		snprintf(device, sizeof(device), "device-wan-%u", i);
		link_add(f, name, device);
		f->p.links[i].mtu = 1500;
	}
	print_message("# %d links: dry run %.0f ms", ASYM_MAX_LINKS, timed_apply(f, true));
	print_message(", first load %.0f ms", timed_apply(f, false));
	print_message(", reload %.0f ms\n", timed_apply(f, false));
	written_as_text(f);
}

static int fresh_namespace(void **state)
{
	return geteuid() || !unshare(CLONE_NEWNET) ? 0 : -1;
}

/* Calls a test that needs root, in a namespace of its own. */
#define NEEDS_ROOT(test)                                                                           \
	static void root_##test(void **state)                                                      \
	{                                                                                          \
		if (geteuid())                                                                     \
			skip();                                                                    \
		test(state);                                                                       \
	}
#define ROOT_TEST(test) cmocka_unit_test_setup(root_##test, fresh_namespace)

NEEDS_ROOT(test_text)
NEEDS_ROOT(test_text_masks)
NEEDS_ROOT(test_text_nat)
NEEDS_ROOT(test_text_mss)
NEEDS_ROOT(test_text_reset)
NEEDS_ROOT(test_text_gone)
NEEDS_ROOT(test_text_names)
NEEDS_ROOT(test_dry_run)
NEEDS_ROOT(test_dry_run_judges)
NEEDS_ROOT(test_foreign)
NEEDS_ROOT(test_remove)
NEEDS_ROOT(test_reload)
NEEDS_ROOT(test_all_or_nothing)
NEEDS_ROOT(test_many_errors)
NEEDS_ROOT(test_loop_is_refused)
NEEDS_ROOT(test_builder_errors_stick)
NEEDS_ROOT(test_many_links)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROOT_TEST(test_text),
		ROOT_TEST(test_text_masks),
		ROOT_TEST(test_text_nat),
		ROOT_TEST(test_text_mss),
		ROOT_TEST(test_text_reset),
		ROOT_TEST(test_text_gone),
		ROOT_TEST(test_text_names),
		ROOT_TEST(test_dry_run),
		ROOT_TEST(test_dry_run_judges),
		ROOT_TEST(test_foreign),
		ROOT_TEST(test_remove),
		ROOT_TEST(test_reload),
		ROOT_TEST(test_all_or_nothing),
		ROOT_TEST(test_many_errors),
		ROOT_TEST(test_loop_is_refused),
		ROOT_TEST(test_builder_errors_stick),
		ROOT_TEST(test_many_links),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

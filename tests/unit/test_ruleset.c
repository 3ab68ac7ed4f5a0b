// SPDX-License-Identifier: GPL-2.0-or-later
/* The table as a transaction: tried, written, refused, replaced and removed. */
#include "tests/unit/ruleset_lab.h"
#include <time.h>

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		ruleset_test(test_dry_run),
		ruleset_test(test_dry_run_judges),
		ruleset_test(test_foreign),
		ruleset_test(test_remove),
		ruleset_test(test_reload),
		ruleset_test(test_all_or_nothing),
		ruleset_test(test_many_errors),
		ruleset_test(test_loop_is_refused),
		ruleset_test(test_builder_errors_stick),
		ruleset_test(test_many_links),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* The table of the router's own packets: the kernel has what core/plan_router_text.c says, with the hash
 * of nftables, and the bytes that only the kernel module understands. */
#include "tests/unit/router_lab.h"

#include "kmod/uapi/nft_asym.h"
#include <arpa/inet.h>
#include <libnftnl/udata.h>
#include <linux/netfilter/nfnetlink.h>

#define ROUTER "inet " PLAN_ROUTER_TABLE

static void router_write(const struct fixture *f, bool programs, enum plan_router_kind want)
{
	enum plan_router_kind kind = PLAN_ROUTER_NONE;
	char error[256];
	int r = router_apply(&f->p, programs, false, &kind, error, sizeof(error));

	if (r)
		print_error("%s\n", error);
	assert_int_equal(r, 0);
	assert_int_equal(kind, want);
}

/* nft reads its own listing back, too. */
static void table_is(struct fixture *f, bool programs)
{
	struct str want = { 0 };

	router_write(f, programs, PLAN_ROUTER_HASH);
	plan_router_text(&f->p, PLAN_ROUTER_HASH, programs, &want);
	assert_int_equal(want.err, 0);
	assert_prints("nft -s list table " ROUTER, want.s);
	run("t=$(nft -s list table " ROUTER ") && nft delete table " ROUTER
	    " && printf '%s\\n' \"$t\" | nft -f -");
	assert_prints("nft -s list table " ROUTER, want.s);
	str_done(&want);
	router_free(f);
	run("nft delete table " ROUTER);
}

static void test_text(void **state)
{
	struct fixture *f;

	table_is(router_new(three_links()), true);
	table_is(router_new(three_links()), false);

	f = router_new(three_links());
	f->p.router.sockets_only = true;
	f->p.router.family[ASYM_V4].device[0] = '\0';
	table_is(f, true);

	f = fixture_new(0xff0000);
	link_add(f, "only", "ppp0");
	table_is(router_new(f), true);
}

static void test_text_keys(void **state)
{
	for (int key = 0; key < ASYM_KEY_MAX; key++) {
		struct fixture *f = router_new(three_links());

		f->p.policies[0].key = key;
		f->p.config.seed = 0xfffffff0;
		table_is(f, true);
	}
}

/* What is kept by its source is hashed by it. */
static void test_text_sticky(void **state)
{
	struct fixture *f = router_new(three_links());

	f->p.bpf_rules[0].sticky_s = 600;
	f->p.bpf_rules[0].sticky_key = ASYM_KEY_SRC;
	router_write(f, true, PLAN_ROUTER_HASH);
	assert_prints("nft list table " ROUTER " | grep -c 'jhash ip saddr mod'", "1\n");
	table_is(f, true);
}

/* No link lives in one family: its packets get the last resort's mark. */
static void test_text_dead(void **state)
{
	struct fixture *f = router_new(three_links());

	buckets_fill(&f->p.buckets[0][ASYM_V6], NULL, 0);
	router_write(f, true, PLAN_ROUTER_HASH);
	assert_prints("nft list table " ROUTER " | grep -o '0-4092 : goto.*'", "0-4092 : goto last_254 }\n");
	table_is(f, true);
}

static void test_most_links(void **state)
{
	struct fixture *f = fixture_new(0xff00);
	char name[16];

	for (int i = 0; i < ASYM_MAX_LINKS; i++) {
		snprintf(name, sizeof(name), "l%d", i);
		link_add(f, name, name);
	}
	table_is(router_new(f), true);
}

/* The module is not here: its rule is refused, the hash is taken, and that is told. */
static void test_module_refused(void **state)
{
	struct fixture *f = router_new(three_links());
	enum plan_router_kind kind = PLAN_ROUTER_NONE, found;
	char error[256];
	size_t rules;

	f->p.router.module = true;
	assert_int_equal(router_apply(&f->p, true, false, &kind, error, sizeof(error)), -ENOENT);
	assert_non_null(strstr(error, "asym policy 0"));
	assert_int_equal(kind, PLAN_ROUTER_HASH);
	assert_int_equal(router_find(&found, &rules), 0);
	assert_int_equal(found, PLAN_ROUTER_HASH);
	assert_int_equal(rules, 0);
	router_free(f);
}

static void test_owner(void **state)
{
	struct fixture *f = router_new(three_links());
	enum plan_router_kind kind;
	struct router_stamp stamp;
	struct plan_router wanted;
	char error[256];

	run("nft add table " ROUTER);
	assert_int_equal(router_stamp(&f->p, true, &stamp), 0);
	assert_int_equal(stamp.table, 0);
	assert_int_equal(router_apply(&f->p, true, false, &kind, error, sizeof(error)), -EEXIST);
	assert_non_null(strstr(error, "somebody else's"));
	wanted = f->p.router;
	memset(&f->p.router, 0, sizeof(f->p.router));
	router_write(f, true, PLAN_ROUTER_NONE);
	f->p.router = wanted;
	assert_int_equal(router_remove(error, sizeof(error)), 0);
	assert_prints("nft list tables", "table " ROUTER "\n");
	run("nft delete table " ROUTER);
	assert_int_equal(router_remove(error, sizeof(error)), 0);
	router_write(f, true, PLAN_ROUTER_HASH);
	memset(&f->p.router, 0, sizeof(f->p.router));
	router_write(f, true, PLAN_ROUTER_NONE);
	assert_prints("nft list tables", "");
	router_free(f);
}

static void test_stamp(void **state)
{
	struct fixture *f = router_new(three_links());
	struct router_stamp a, b;

	assert_int_equal(router_stamp(&f->p, true, &a), 0);
	assert_int_equal(a.table, 0);
	router_write(f, true, PLAN_ROUTER_HASH);
	assert_int_equal(router_stamp(&f->p, true, &a), 0);
	assert_int_equal(router_stamp(&f->p, true, &b), 0);
	assert_memory_equal(&a, &b, sizeof(a));
	assert_int_equal(router_stamp(&f->p, false, &b), 0);
	assert_int_equal(a.table, b.table);
	assert_int_not_equal(a.text, b.text);
	run("nft flush chain " ROUTER " router");
	assert_int_equal(router_stamp(&f->p, true, &b), 0);
	assert_int_not_equal(a.table, b.table);
	assert_int_equal(a.text, b.text);
	router_free(f);
}

/* -------- bytes */

static const struct nlattr *nested(const struct nlattr *nest, int type, int n)
{
	const struct nlattr *a;

	mnl_attr_for_each_nested(a, nest)
		if (mnl_attr_get_type(a) == type && !n--)
			return a;
	return NULL;
}

static uint32_t be32(const struct nlattr *nest, int type)
{
	const struct nlattr *a = nested(nest, type, 0);

	assert_non_null(a);
	return ntohl(mnl_attr_get_u32(a));
}

static const struct nlattr *expr_data(const struct nlattr *list, int n, const char *name)
{
	const struct nlattr *elem = nested(list, NFTA_LIST_ELEM, n);

	assert_non_null(elem);
	assert_string_equal(mnl_attr_get_str(nested(elem, NFTA_EXPR_NAME, 0)), name);
	return nested(elem, NFTA_EXPR_DATA, 0);
}

/* The expressions of the batch's last message, which is a rule. */
static const struct nlattr *last_rule(const struct nft_batch *b)
{
	const struct nlmsghdr *h =
		(const struct nlmsghdr *)(b->messages.buf + b->messages.requests[b->messages.n - 1].at);
	const struct nlattr *a, *list = NULL;

	assert_int_equal(h->nlmsg_type, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWRULE);
	assert_true(h->nlmsg_flags & NLM_F_CREATE);
	assert_true(h->nlmsg_flags & NLM_F_APPEND);
	mnl_attr_for_each(a, h, sizeof(struct nfgenmsg)) {
		if (mnl_attr_get_type(a) == NFTA_RULE_TABLE)
			assert_string_equal(mnl_attr_get_str(a), "t");
		if (mnl_attr_get_type(a) == NFTA_RULE_CHAIN)
			assert_string_equal(mnl_attr_get_str(a), "c");
		if (mnl_attr_get_type(a) == NFTA_RULE_EXPRESSIONS)
			list = a;
	}
	assert_non_null(list);
	return list;
}

static void test_bytes(void **state)
{
	struct nft_asym choice = { .policy = 7 };
	const struct nlattr *list, *asym, *meta;
	struct nft_batch b;
	size_t n;

	nft_batch_init(&b, "t");
	nft_rule_asym(&b, "c", &choice);
	assert_int_equal(b.err, 0);
	list = last_rule(&b);
	asym = expr_data(list, 0, "asym");
	meta = expr_data(list, 1, "meta");
	assert_int_equal(be32(asym, NFTA_ASYM_POLICY), 7);
	assert_int_equal(be32(asym, NFTA_ASYM_DREG), be32(meta, NFTA_META_SREG));
	assert_int_equal(be32(meta, NFTA_META_KEY), NFT_META_MARK);
	assert_null(nested(asym, NFTA_ASYM_STICKY, 0));
	assert_null(nested(asym, NFTA_ASYM_KEY, 0));

	choice = (struct nft_asym){ 1, 600, 0xdeadbeef, ASYM_KEY_SRC_DST };
	nft_rule_asym(&b, "c", &choice);
	asym = expr_data(last_rule(&b), 0, "asym");
	assert_int_equal(be32(asym, NFTA_ASYM_STICKY), 600);
	assert_int_equal(be32(asym, NFTA_ASYM_STICKY_ID), 0xdeadbeef);
	assert_int_equal(be32(asym, NFTA_ASYM_STICKY_KEY), ASYM_KEY_SRC_DST);
	b.err = -ENOMEM;
	n = b.messages.n;
	nft_rule_asym(&b, "c", &choice);
	assert_int_equal(b.messages.n, n);
	nft_batch_done(&b);
}

/* From the host's order to that in which numbers are compared. */
static void is_byteorder(const struct nlattr *e)
{
	assert_int_equal(be32(e, NFTA_BYTEORDER_SREG), be32(e, NFTA_BYTEORDER_DREG));
	assert_int_equal(be32(e, NFTA_BYTEORDER_SREG), NFT_REG_1);
	assert_int_equal(be32(e, NFTA_BYTEORDER_OP), NFT_BYTEORDER_HTON);
	assert_int_equal(be32(e, NFTA_BYTEORDER_LEN), 4);
	assert_int_equal(be32(e, NFTA_BYTEORDER_SIZE), 4);
}

/* What nft prints of it is the same when the result's order is another, and ranges are not met. */
static void test_bytes_hash(void **state)
{
	const struct nlattr *list, *e;
	struct nft_batch b;

	nft_batch_init(&b, "t");
	nft_rule_begin(&b, "c", "jhash");
	nft_hash_input(&b, NFT_PAYLOAD_NETWORK_HEADER, 8, 16, 0);
	nft_hash_input(&b, NFT_PAYLOAD_TRANSPORT_HEADER, 0, 4, 4);
	nft_hash_load(&b, 5, 4093, 0xfedcba98);
	nft_has_socket(&b);
	nft_rule_end(&b);
	assert_int_equal(b.err, 0);
	list = last_rule(&b);
	e = expr_data(list, 0, "payload");
	assert_true(be32(e, NFTA_PAYLOAD_DREG) >= NFT_REG32_04);
	e = expr_data(list, 1, "payload");
	assert_int_equal(be32(e, NFTA_PAYLOAD_BASE), NFT_PAYLOAD_TRANSPORT_HEADER);
	assert_int_equal(be32(e, NFTA_PAYLOAD_OFFSET), 0);
	assert_int_equal(be32(e, NFTA_PAYLOAD_LEN), 4);
	assert_int_equal(be32(e, NFTA_PAYLOAD_DREG),
			 be32(expr_data(list, 0, "payload"), NFTA_PAYLOAD_DREG) + 4);
	e = expr_data(list, 2, "hash");
	assert_int_equal(be32(e, NFTA_HASH_SREG),
			 be32(expr_data(list, 0, "payload"), NFTA_PAYLOAD_DREG));
	assert_int_equal(be32(e, NFTA_HASH_DREG), NFT_REG_1);
	assert_int_equal(be32(e, NFTA_HASH_LEN), 20);
	assert_int_equal(be32(e, NFTA_HASH_MODULUS), 4093);
	assert_int_equal(be32(e, NFTA_HASH_SEED), 0xfedcba98);
	assert_int_equal(be32(e, NFTA_HASH_TYPE), NFT_HASH_JENKINS);
	is_byteorder(expr_data(list, 3, "byteorder"));
	assert_int_equal(be32(expr_data(list, 4, "meta"), NFTA_META_KEY), NFT_META_SKUID);
	is_byteorder(expr_data(list, 5, "byteorder"));
	assert_int_equal(be32(expr_data(list, 6, "cmp"), NFTA_CMP_OP), NFT_CMP_GTE);
	nft_batch_done(&b);
}

static const struct nlattr *attr_of(const struct nft_batch *b, size_t message, int type, int attr)
{
	const struct nlmsghdr *h =
		(const struct nlmsghdr *)(b->messages.buf + b->messages.requests[message].at);
	const struct nlattr *a;

	assert_int_equal(h->nlmsg_type, NFNL_SUBSYS_NFTABLES << 8 | type);
	mnl_attr_for_each(a, h, sizeof(struct nfgenmsg))
		if (mnl_attr_get_type(a) == attr)
			return a;
	fail_msg("no attribute %d", attr);
	return NULL;
}

static uint32_t set_be32(const struct nft_batch *b, size_t message, int attr)
{
	return ntohl(mnl_attr_get_u32(attr_of(b, message, NFT_MSG_NEWSET, attr)));
}

static void is_element(const struct nlattr *list, int n, uint32_t key, uint32_t flags)
{
	const struct nlattr *e = nested(list, n + 1, 0), *got; /* libnftnl numbers them */

	assert_non_null(e);
	assert_int_equal(be32(nested(e, NFTA_SET_ELEM_KEY, 0), NFTA_DATA_VALUE), key);
	got = nested(e, NFTA_SET_ELEM_FLAGS, 0);
	assert_int_equal(got ? ntohl(mnl_attr_get_u32(got)) : 0, flags);
}

/* Older kernels take the first set of a number, so each has its own; nft wants to know the order
 * of bytes. */
static void test_bytes_ranges(void **state)
{
	uint8_t big_endian[6] = {NFTNL_UDATA_SET_KEYBYTEORDER, 4};
	const struct nlattr *a;
	struct nft_batch b;

	nft_batch_init(&b, "t");
	for (uint32_t n = 0; n < 2; n++) {
		nft_rule_begin(&b, "c", "vmap");
		nft_set_begin(&b, NFT_KEY_RANGE, NFT_SET_VERDICTS);
		nft_elem_from_goto(&b, 0, "x");
		nft_elem_from_goto(&b, 0x102, "y");
		nft_elem_end(&b, ASYM_BUCKETS);
		assert_int_equal(nft_set_end(&b), n + 1);
		nft_rule_end(&b);
	}
	assert_int_equal(b.err, 0);
	assert_int_equal(b.messages.n, 1 + 2 * 3);
	assert_int_equal(set_be32(&b, 1, NFTA_SET_ID), 1);
	assert_int_equal(set_be32(&b, 4, NFTA_SET_ID), 2);
	assert_int_equal(set_be32(&b, 1, NFTA_SET_FLAGS),
			 NFT_SET_ANONYMOUS | NFT_SET_CONSTANT | NFT_SET_INTERVAL | NFT_SET_MAP);
	assert_int_equal(set_be32(&b, 1, NFTA_SET_KEY_LEN), 4);
	assert_int_equal(set_be32(&b, 1, NFTA_SET_DATA_TYPE), NFT_DATA_VERDICT);
	a = attr_of(&b, 1, NFT_MSG_NEWSET, NFTA_SET_USERDATA);
	memcpy(big_endian + 2, &(uint32_t){2}, 4);
	assert_int_equal(mnl_attr_get_payload_len(a), sizeof(big_endian));
	assert_memory_equal(mnl_attr_get_payload(a), big_endian, sizeof(big_endian));
	a = attr_of(&b, 1, NFT_MSG_NEWSET, NFTA_SET_DESC);
	assert_int_equal(be32(a, NFTA_SET_DESC_SIZE), 3);
	a = attr_of(&b, 2, NFT_MSG_NEWSETELEM, NFTA_SET_ELEM_LIST_ELEMENTS);
	is_element(a, 0, 0, 0);
	is_element(a, 1, 0x102, 0);
	is_element(a, 2, ASYM_BUCKETS, NFT_SET_ELEM_INTERVAL_END);
	nft_batch_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ruleset_test(test_text),
		ruleset_test(test_text_keys),
		ruleset_test(test_text_sticky),
		ruleset_test(test_text_dead),
		ruleset_test(test_most_links),
		ruleset_test(test_module_refused),
		ruleset_test(test_owner),
		ruleset_test(test_stamp),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_bytes_hash),
		cmocka_unit_test(test_bytes_ranges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

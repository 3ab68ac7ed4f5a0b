// SPDX-License-Identifier: GPL-2.0-or-later
/* The table of the router's own packets where the kernel module chooses, and in what
 * order the two change. */
#include "tests/unit/kernel_lab.h"
#include "tests/unit/router_lab.h"

#include "apply/change_steps.h"
#include "apply/update_router.h"

#define FIRST "look info list "

static uint32_t be32(const struct nlattr *nest, int type)
{
	const struct nlattr *a = kernel_nested(nest, type, 0);

	assert_non_null(a);
	assert_int_equal(mnl_attr_get_payload_len(a), 4);
	return ntohl(mnl_attr_get_u32(a));
}

/* The asym expression of the only rule in this chain. */
static const struct nlattr *choice_of(const char *chain)
{
	const struct nlattr *ret = NULL;

	for (size_t i = 0; i < kernel.n_table; i++) {
		const struct nlmsghdr *h = kernel.table[i].h;

		if ((h->nlmsg_type & 0xff) != NFT_MSG_NEWRULE ||
		    strcmp(mnl_attr_get_str(kernel_nft_attr(h, NFTA_RULE_CHAIN)), chain) != 0)
			continue;
		assert_null(ret);
		ret = kernel_expr(h, "asym");
	}
	return ret;
}

static int chains(void)
{
	int n = 0;

	for (size_t i = 0; i < kernel.n_table; i++)
		n += (kernel.table[i].h->nlmsg_type & 0xff) == NFT_MSG_NEWCHAIN;
	return n;
}

static void applies(const struct fixture *f, int want, enum plan_router_kind want_kind)
{
	enum plan_router_kind kind = 99, found_kind = 99;
	char error[256] = "?";
	size_t rules = 99;

	assert_int_equal(router_apply(&f->p, true, false, &kind, error, sizeof(error)), want);
	assert_int_equal(kind, want_kind);
	assert_int_equal(!*error, !want);
	assert_int_equal(router_find(&found_kind, &rules), 0);
	assert_int_equal(found_kind, want_kind);
	assert_int_equal(rules, want_kind == PLAN_ROUTER_MODULE ? 2 : 0);
}

static void test_router(void **state)
{
	struct fixture *f = policies_new(2);
	const struct nlattr *asym;

	f->p.bpf_rules[0].policy = 1;
	applies(f, 0, PLAN_ROUTER_MODULE);
	assert_int_equal(chains(), 5); /* none for marks */
	asym = choice_of("ipv4");
	assert_non_null(asym);
	assert_int_equal(be32(asym, NFTA_ASYM_POLICY), 1);
	assert_null(kernel_nested(asym, NFTA_ASYM_STICKY, 0));
	assert_non_null(choice_of("ipv6"));

	f->p.bpf_rules[1] = (struct asym_rule){
		.policy = 0,
		.sticky_s = 60,
		.sticky_key = ASYM_KEY_SRC_DST,
		.sticky_id = 0x12345678,
	};
	f->p.router.family[ASYM_V6].rule = 1;
	applies(f, 0, PLAN_ROUTER_MODULE);
	assert_int_equal(be32(choice_of("ipv4"), NFTA_ASYM_POLICY), 1);
	asym = choice_of("ipv6");
	assert_int_equal(be32(asym, NFTA_ASYM_POLICY), 0);
	assert_int_equal(be32(asym, NFTA_ASYM_STICKY), 60);
	assert_int_equal(be32(asym, NFTA_ASYM_STICKY_KEY), ASYM_KEY_SRC_DST);
	assert_int_equal(be32(asym, NFTA_ASYM_STICKY_ID), 0x12345678);
	router_free(f);
}

static void test_router_dry(void **state)
{
	struct fixture *f = policies_new(1);
	enum plan_router_kind kind = 99;
	char error[256] = "?";

	assert_int_equal(router_apply(&f->p, true, true, &kind, error, sizeof(error)), 0);
	assert_int_equal(kind, PLAN_ROUTER_MODULE);
	assert_string_equal(error, "");
	assert_int_equal(kernel.n_table, 0);
	kernel.refuse_expr = "asym";
	kernel.refuse_expr_err = -ENOENT;
	assert_int_equal(router_apply(&f->p, true, true, &kind, error, sizeof(error)), -ENOENT);
	assert_int_equal(kind, PLAN_ROUTER_HASH);
	assert_int_equal(kernel.n_table, 0);
	router_free(f);
}

/* Only of one family: one rule. */
static void test_router_family(void **state)
{
	struct fixture *f = policies_new(1);
	enum plan_router_kind kind = 99;
	char error[256];
	size_t rules;

	f->p.router.family[ASYM_V4].device[0] = '\0';
	assert_int_equal(router_apply(&f->p, true, false, &kind, error, sizeof(error)), 0);
	assert_int_equal(router_find(&kind, &rules), 0);
	assert_int_equal(kind, PLAN_ROUTER_MODULE);
	assert_int_equal(rules, 1);
	assert_null(choice_of("ipv4"));
	assert_non_null(choice_of("ipv6"));
	router_free(f);
}

/* Who cannot read tables does not write any. */
static void test_router_unread(void **state)
{
	struct fixture *f = policies_new(1);
	struct router_stamp known = {1, 2};
	enum plan_router_kind kind = 99;
	char error[256] = "?";
	bool touched;
	size_t rules;
	int r;

	kernel.dump_err = -EPERM;
	assert_int_equal(router_apply(&f->p, true, false, &kind, error, sizeof(error)), -EPERM);
	assert_string_equal(error, "nftables: Operation not permitted");
	assert_int_equal(router_find(&kind, &rules), -EPERM);
	assert_int_equal(kind, PLAN_ROUTER_NONE);
	assert_int_equal(router_remove(error, sizeof(error)), -EPERM);
	snprintf(error, sizeof(error), "?");
	r = router_update(&f->p, true, &known, &touched, error, sizeof(error));
	assert_int_equal(r, -EPERM);
	assert_string_equal(error, "nftables: Operation not permitted");
	assert_false(touched);
	assert_int_equal(known.table, 0);
	assert_int_equal(known.text, 0);
	assert_int_equal(kernel.n_table, 0);
	router_free(f);
}

/* Of our table alone, whatever the kernel tells; each once. */
static void test_count(void **state)
{
	struct fixture *f = policies_new(1);
	struct nl nl;
	size_t n = 99;

	applies(f, 0, PLAN_ROUTER_MODULE);
	assert_int_equal(nl_open(&nl, NETLINK_NETFILTER), 0);
	assert_int_equal(nft_rules_count(&nl, PLAN_ROUTER_TABLE, "asym", &n), 0);
	assert_int_equal(n, 2);
	kernel.nft_torn = 2;
	assert_int_equal(nft_rules_count(&nl, PLAN_ROUTER_TABLE, "asym", &n), 0);
	assert_int_equal(n, 2);
	assert_int_equal(nft_rules_count(&nl, PLAN_ROUTER_TABLE, "asy", &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(nft_rules_count(&nl, "other", "asym", &n), 0);
	assert_int_equal(n, 0);
	n = 99;
	kernel.dump_err = -EPERM;
	assert_int_equal(nft_rules_count(&nl, PLAN_ROUTER_TABLE, "asym", &n), -EPERM);
	assert_int_equal(n, 99);
	nl_close(&nl);
	router_free(f);
}

/* What is refused is done without. */
static void test_router_refused(void **state)
{
	struct fixture *f = policies_new(1);

	kernel.refuse_expr = "asym";
	kernel.refuse_expr_err = -ENOENT;
	applies(f, -ENOENT, PLAN_ROUTER_HASH);
	applies(f, -ENOENT, PLAN_ROUTER_HASH);
	f->p.router.module = false;
	applies(f, 0, PLAN_ROUTER_HASH);
	kernel.refuse_expr = "hash";
	applies(f, 0, PLAN_ROUTER_NONE);
	kernel.refuse_expr_err = -EOPNOTSUPP;
	applies(f, 0, PLAN_ROUTER_NONE);
	/* and for the module that is refused */
	kernel.refuse_expr = "meta";
	f->p.router.module = true;
	applies(f, -EOPNOTSUPP, PLAN_ROUTER_NONE);
	router_free(f);
}

/* Another refusal of the hash is an error, and what was there goes: it may name what has gone. */
static void test_router_hash_fails(void **state)
{
	struct fixture *f = policies_new(1);
	enum plan_router_kind kind = 99, found_kind;
	char error[256];
	size_t rules;

	applies(f, 0, PLAN_ROUTER_MODULE);
	f->p.router.module = false;
	kernel.refuse_expr = "hash";
	kernel.refuse_expr_err = -EINVAL;
	assert_int_equal(router_apply(&f->p, true, false, &kind, error, sizeof(error)), -EINVAL);
	assert_int_equal(kind, PLAN_ROUTER_NONE);
	assert_non_null(strstr(error, "jhash"));
	assert_int_equal(router_find(&found_kind, &rules), 0);
	assert_int_equal(found_kind, PLAN_ROUTER_NONE);
	router_free(f);
}

/* -------- both, in order */

struct follower {
	struct fixture *f;
	struct state state;
	struct change c;
};

/* As it is without programs on the cgroup tree, of which there are none here. */
static void is_stamp(const struct router_stamp *s, const struct plan *p)
{
	struct router_stamp want;

	assert_int_equal(router_stamp(p, false, &want), 0);
	assert_true(s->table && s->text);
	assert_memory_equal(s, &want, sizeof(want));
}

static bool follows(struct follower *w)
{
	w->c.plan = &w->f->p;
	w->c.state = &w->state;
	return change_follow_router(&w->c);
}

/* What a rule names is there before it, and goes after it. */
static void test_change(void **state)
{
	struct follower w = {.f = policies_new(1)};

	kernel_hold(&(struct kmod_policy){.number = 1});
	assert_true(follows(&w));
	assert_string_equal(w.c.router_error, "");
	assert_asked(FIRST "set 0 nft " FIRST "del 1 ");
	is_stamp(&w.state.router, &w.f->p);
	assert_false(follows(&w));
	assert_asked(FIRST FIRST);

	/* with the same stamp, but another policy */
	w.f->p.policies[0].key = ASYM_KEY_SRC;
	w.f->p.policies[0].last_resort--;
	assert_false(follows(&w));
	assert_asked(FIRST "set 0 " FIRST);

	w.f->p.router.module = false;
	assert_true(follows(&w));
	assert_string_equal(w.c.router_error, "");
	assert_asked(FIRST "nft " FIRST);
	router_free(w.f);
}

/* The rest is done, and the first that failed is told. */
static void test_change_refused(void **state)
{
	struct follower w = {.f = policies_new(1)};

	kernel_hold(&(struct kmod_policy){.number = 1});
	kernel.refuse_command = ASYM_CMD_SET_POLICY;
	kernel.refuse = -ENOMEM;
	kernel.refuse_expr = "asym";
	kernel.refuse_expr_err = -ENOENT;
	follows(&w);
	assert_non_null(strstr(w.c.router_error,
			       "by a hash of nftables: kernel module asymbpf: policies: Cannot"));
	assert_asked(FIRST "set 0 refused nft " FIRST "del 1 ");
	kernel.refuse_command = 0;
	w.c.router_error[0] = '\0';
	assert_false(follows(&w));
	assert_non_null(strstr(w.c.router_error, "asym policy 0"));
	assert_asked(FIRST "set 0 refused " FIRST);
	/* an old policy that a rule of somebody else's names */
	kernel.refuse_expr = NULL;
	kernel_hold(&(struct kmod_policy){.number = 1});
	kernel.refuse_command = ASYM_CMD_DEL_POLICY;
	kernel.refuse_number = 1;
	kernel.refuse = -EBUSY;
	w.c.router_error[0] = '\0';
	assert_true(follows(&w));
	assert_string_equal(w.c.router_error,
			    "old policies of the kernel module stay: kernel module asymbpf: "
			    "policy 1: Device or resource busy: more words");
	/* neither the module nor a hash */
	kernel.refuse_expr = "meta";
	w.f->p.bpf_rules[0].sticky_s++;
	w.c.router_error[0] = '\0';
	assert_true(follows(&w));
	assert_non_null(strstr(w.c.router_error, "follow the main table: chain output"));
	router_free(w.f);
}

static int updated(struct update *u)
{
	bool touched = true;
	int r = update_router(u, &touched);

	assert_false(touched);
	return r;
}

/* Each time the module is tried and that it refuses is told; the hash is written once, or it would
 * be the reason for the next time. */
static void test_update_refused(void **state)
{
	struct fixture *f = policies_new(1);
	struct state saved = {};
	struct update u = {.plan = &f->p, .state = &saved};

	kernel.refuse_expr = "asym";
	kernel.refuse_expr_err = -ENOENT;
	assert_int_equal(updated(&u), -ENOENT);
	assert_true(u.state_changed && saved.router.table && saved.router.text);
	u.state_changed = false;
	assert_asked("refused nft ");
	assert_int_equal(updated(&u), -ENOENT);
	assert_non_null(strstr(u.error, "asym policy 0"));
	assert_asked("refused ");
	assert_false(u.state_changed);
	/* unless it is another one, somebody else's work, or gone */
	f->p.config.seed++;
	assert_int_equal(updated(&u), -ENOENT);
	assert_asked("refused nft ");
	kernel_lose_rule();
	assert_int_equal(updated(&u), -ENOENT);
	assert_asked("refused nft ");
	kernel_messages_done(&kernel.table, &kernel.n_table);
	assert_int_equal(updated(&u), -ENOENT);
	assert_asked("refused nft ");
	assert_int_equal(updated(&u), -ENOENT);
	assert_asked("refused ");
	/* it does not refuse any more */
	kernel.refuse_expr = NULL;
	assert_int_equal(updated(&u), 0);
	assert_asked("nft ");
	assert_non_null(choice_of("ipv4"));
	assert_int_equal(updated(&u), 0);
	assert_asked("");
	router_free(f);
}

/* That is all that is known of this kernel, and it is not asked again. */
static void test_update_hash_refused(void **state)
{
	struct fixture *f = policies_new(1);
	struct state saved = {};
	struct update u = {.plan = &f->p, .state = &saved};

	kernel.refuse_expr = "hash";
	kernel.refuse_expr_err = -ENOENT;
	f->p.router.module = false;
	assert_int_equal(updated(&u), 0);
	assert_asked("refused ");
	assert_int_equal(updated(&u), 0);
	assert_asked("");
	f->p.router.module = true;
	assert_int_equal(updated(&u), 0);
	assert_asked("nft ");
	kernel.refuse_expr = "meta";
	f->p.bpf_rules[0].sticky_s++;
	assert_int_equal(updated(&u), -ENOENT);
	assert_asked("refused refused nft ");
	assert_int_equal(kernel.n_table, 0);
	assert_int_equal(updated(&u), -ENOENT);
	assert_asked("refused refused ");
	router_free(f);
}

static void test_update_parts(void **state)
{
	struct fixture *f = policies_new(1);
	struct state saved = {};
	struct update u = {.plan = &f->p, .state = &saved};
	bool done = false;

	assert_int_equal(update_policies(&u, &done), 0);
	assert_true(done);
	assert_int_equal(u.module.state, MODULE_USED);
	assert_int_equal(update_policies(&u, &done), 0);
	assert_false(done);
	assert_int_equal(update_router(&u, &done), 0);
	assert_false(done);
	assert_true(u.state_changed);
	is_stamp(&saved.router, &f->p);
	snprintf(u.error, sizeof(u.error), "?");
	assert_int_equal(update_router(&u, &done), 0);
	assert_string_equal(u.error, "");
	assert_true(!done && u.state_changed); /* it was before */
	u.state_changed = false;
	assert_int_equal(update_router(&u, &done), 0);
	assert_true(!done && !u.state_changed);
	/* somebody takes it */
	kernel_messages_done(&kernel.table, &kernel.n_table);
	str_done(&kernel.log);
	assert_int_equal(update_router(&u, &done), 0);
	assert_true(done);
	assert_asked("nft ");
	kernel.refuse_command = ASYM_CMD_SET_POLICY;
	kernel.refuse = -EINVAL;
	f->p.config.seed++;
	assert_int_equal(update_policies(&u, &done), -EINVAL);
	assert_non_null(strstr(u.error, "policies: Invalid argument"));
	router_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		kernel_test(test_router),
		kernel_test(test_router_dry),
		kernel_test(test_router_family),
		kernel_test(test_router_unread),
		kernel_test(test_count),
		kernel_test(test_router_refused),
		kernel_test(test_router_hash_fails),
		kernel_test(test_change),
		kernel_test(test_change_refused),
		kernel_test(test_update_refused),
		kernel_test(test_update_hash_refused),
		kernel_test(test_update_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

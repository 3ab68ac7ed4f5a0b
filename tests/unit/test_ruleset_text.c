// SPDX-License-Identifier: GPL-2.0-or-later
/* The kernel has what core/plan_nft says. */
#include "tests/unit/ruleset_lab.h"

#include "tests/unit/addr.h"

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
	f->m.links[0].snat[ASYM_V4] = addr("192.0.2.7");
	f->m.links[1].nat[ASYM_V6] = NAT_SNAT;
	f->m.links[1].snat[ASYM_V6] = addr("2001:db8::7");
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		ruleset_test(test_text),
		ruleset_test(test_text_masks),
		ruleset_test(test_text_nat),
		ruleset_test(test_text_mss),
		ruleset_test(test_text_reset),
		ruleset_test(test_text_gone),
		ruleset_test(test_text_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

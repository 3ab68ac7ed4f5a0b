// SPDX-License-Identifier: GPL-2.0-or-later
/* What a state file keeps.  Needs root: it is below /run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "apply/state.h"
#include "config.h"
#include "machine.h"

/* No namespace's. */
static uint64_t cookie(void)
{
	return 1ull << 63 | (uint64_t)getpid();
}

/* To a file and back. */
static struct state again(const struct state *s)
{
	struct state ret;

	assert_int_equal(state_write(s, cookie()), 0);
	assert_int_equal(state_read(&ret, cookie()), 0);
	state_remove(cookie());
	return ret;
}

static void need_root(void)
{
	if (geteuid())
		skip();
}

static const char conf[] = "link a { device = \"eth1\" }\nlink b { device = \"eth2\" }\n";

/* Notes the devices of a machine; whether the state is to be saved. */
static bool note(struct state *s, const struct parsed *p, const char *text)
{
	struct machine machine = {};
	struct plan plan;
	bool changed;

	machine_parse(&machine, text);
	assert_int_equal(plan_build(&plan, &p->m, &machine.h, NULL, 0), 0);
	assert_int_equal(state_note_devices(s, &plan, &machine.h, &changed), 0);
	plan_done(&plan);
	machine_done(&machine);
	return changed;
}

static const char *was(const struct state *s, const char *text, const char *device)
{
	static char ret[IFNAMSIZ];
	struct machine machine = {};

	machine_parse(&machine, text);
	state_mark_devices(s, &machine.h);
	memcpy(ret, machine_device(&machine, device)->was, sizeof(ret));
	machine_done(&machine);
	return ret;
}

static void test_devices(void **state)
{
	static const char renamed[] = "device eth0 index 2\ndevice old index 3\ndevice eth2 index 4";
	struct state s = {}, read;
	struct parsed p;

	need_root();
	p = parse(conf);
	assert_int_equal(p.r, 0);
	assert_int_equal(model_add_defaults(&p.m), 0);
	assert_true(note(&s, &p, "device eth0 index 2\ndevice eth1 index 3"));
	assert_false(note(&s, &p, "device eth0 index 2\ndevice eth1 index 3"));
	assert_true(note(&s, &p, renamed));
	assert_false(note(&s, &p, renamed));
	read = again(&s);
	assert_int_equal(read.n_devices, 2);
	assert_string_equal(was(&read, renamed, "old"), "eth1");
	assert_string_equal(was(&read, renamed, "eth2"), "eth2");
	assert_string_equal(was(&read, renamed, "eth0"), "");
	/* it is another link's now; the other device has gone */
	assert_true(note(&read, &p, "device eth2 index 3"));
	assert_int_equal(read.n_devices, 1);
	assert_string_equal(was(&read, renamed, "old"), "eth2");
	state_done(&read);
	state_done(&s);
	parsed_done(&p);
}

static void test_drains(void **state)
{
	struct state s = {}, read;

	need_root();
	assert_int_equal(state_add_drain(&s, "p", 1ll << 50), 0);
	assert_int_equal(state_add_drain(&s, "q", 12345678901), 0);
	read = again(&s);
	assert_int_equal(read.n_drains, 2);
	assert_string_equal(read.drains[0].policy, "p");
	assert_true(read.drains[0].at_ns == 1ll << 50);
	assert_string_equal(read.drains[1].policy, "q");
	assert_true(read.drains[1].at_ns == 12345678901);
	state_done(&read);
	state_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_devices),
					   cmocka_unit_test(test_drains)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The module comes and goes: ASYM_KMOD is its file.  With and without what it needs, under traffic,
 * with policies, with rules (refused).  It is loaded at the end.
 */
#include "tests/kmod/rule.h"
#include "tests/kmod/send.h"
#include <sys/stat.h>
#include <sys/syscall.h>

#define NAME "asymbpf"
#define TAINT_OK (1 << 12 | 1 << 13) /* out of tree, unsigned */

static const char *file;
static const struct rule_how how = {.chain = "output"};

static int load(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd < 0 || syscall(SYS_finit_module, fd, "", 0) ? -errno : 0;
}

static int unload(void)
{
	return syscall(SYS_delete_module, NAME, O_NONBLOCK) ? -errno : 0;
}

static bool is_loaded(void)
{
	return !access("/sys/module/" NAME, F_OK);
}

static void must(const char *what, int r)
{
	if (r)
		fail_msg("%s: %s", what, strerror(-r));
}

/* Namespaces with rules, of tests before this one, may be going yet. */
static void go_away(void)
{
	int r = is_loaded() ? unload() : 0;

	for (int i = 0; r == -EWOULDBLOCK && i < 600; i++) {
		nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
		r = unload();
	}
	must("unload", r);
}

static int open_all(void **state)
{
	file = getenv("ASYM_KMOD");
	if (!file || geteuid())
		return 0;
	if (unshare(CLONE_NEWNET) || system("ip addr add 10.9.9.1/8 dev lo; ip link set lo up; "
	                                    "modprobe -aq nf_tables nf_conntrack") < 0)
		return -1;
	go_away();
	return 0;
}

static int close_all(void **state)
{
	if (file && !is_loaded())
		load(file);
	return 0;
}

static void need(void)
{
	if (!file)
		skip();
}

static unsigned long taint(void)
{
	return number_in("cat /proc/sys/kernel/tainted");
}

/* Without it: family and expression are unknown, and nothing else. */
static void test_missing(void **state)
{
	static struct attrs l;
	struct module m;

	need();
	assert_int_equal(module_init(&m), -ENOENT);
	must("a table", rule_table(&m, NFPROTO_INET));
	rule_attrs(&l, 1);
	assert_int_equal(rule_use(&m, &how, &l), -ENOENT);
	module_done(&m);
	system("nft delete table inet " RULE_TABLE);
}

static void test_taint(void **state)
{
	unsigned long before;

	need();
	before = taint();
	must("load", load(file));
	assert_int_equal(taint() & ~(before | TAINT_OK), 0);
	assert_int_equal(load(file), -EEXIST);
	must("unload", unload());
}

/* One life of the module, with packets that choose while it goes. */
static void live(unsigned int i)
{
	static struct policy p;
	struct module m;

	must("load", load(file));
	must("family", module_init(&m));
	p = policy_of(1, 9);
	for (p.number = 0; p.number < 1 + i % 8; p.number++)
		must("policy", policy_set(&m, &p));
	must("rule", rule_policy(&m, &how, 0));
	send_datagrams(64);
	assert_int_equal(unload(), -EWOULDBLOCK);
	must("flush", rule_flush(&m));
	module_done(&m);
	go_away();
}

static void test_lives(void **state)
{
	unsigned int n = times(100);
	struct senders s;
	struct nl nl;
	long before = 0;
	struct module m;

	need();
	must("socket", nl_open(&nl, NETLINK_NETFILTER));
	m.nft = nl;
	must("a table", rule_table(&m, NFPROTO_INET));
	senders_start(&s);
	for (unsigned int i = 0; i < n + 3; i++) {
		if (i == 3)
			before = (long)kernel_memory();
		live(i);
	}
	senders_stop(&s);
	print_message("# %u times: %+ld KiB\n", n, (long)kernel_memory() - before);
	assert_true((long)kernel_memory() - before < 2048 + (long)n * 4);
	nl_close(&nl);
	system("nft delete table inet " RULE_TABLE);
}

/* What is written for programs (kfuncs) needs type information; all else does not. */
static void test_without_btf(void **state)
{
	char dir[] = "/tmp/kmod.XXXXXX", command[512], path[64];
	struct module m;
	static struct policy p;

	need();
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/asymbpf.ko", dir);
	snprintf(command, sizeof(command), "objcopy --remove-section=.BTF '%s' %s", file, path);
	assert_int_equal(system(command), 0);
	must("load", load(path));
	must("family", module_init(&m));
	p = policy_of(1, 9);
	must("policy", policy_set(&m, &p));
	module_done(&m);
	must("unload", unload());
	snprintf(command, sizeof(command), "rm -r %s", dir);
	assert_int_equal(system(command), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_missing),
		cmocka_unit_test(test_taint),
		cmocka_unit_test(test_without_btf),
		cmocka_unit_test(test_lives),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}

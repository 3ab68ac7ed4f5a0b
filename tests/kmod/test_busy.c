// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Rules, policies and namespaces come and go under packets that are choosing: every packet has a
 * mark that one of the policies could give it, whole, and nothing stays behind.  On a machine with
 * two processors they choose at the same time.
 */
#include "tests/kmod/rule.h"
#include "tests/kmod/send.h"
#include <linux/netfilter/nfnetlink.h>
#include <net/if.h>
#include <sys/ioctl.h>

static const struct rule_how how = {.chain = "output"};

/* What policy 1 is in turn; the mark of each is made of parts that no other has. */
static struct policy turns[3];
#define MARKS "{ 0x100, 0x20000, 0x50 }"

static void make_turns(void)
{
	turns[0] = policy_of(1, 1);
	turns[0].p.last_resort = 6;
	turns[1] = policy_of(1, 2);
	turns[1].mask = 0xff0000;
	turns[1].p.last_resort = 9;
	turns[1].p.key = ASYM_KEY_SRC;
	turns[2] = policy_of(1, 0);
	turns[2].mask = 0xf0;
	turns[2].p.last_resort = 5;
	turns[2].p.key = ASYM_KEY_SRC_DST;
}

/* lo has 10.0.0.0/8, as module_open() has it, and is up. */
static int lo_up(void)
{
	struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x0a090901)};
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq ifr = {.ifr_name = "lo"};

	memcpy(&ifr.ifr_addr, &addr, sizeof(addr));
	if (ioctl(fd, SIOCSIFADDR, &ifr))
		return -errno;
	ifr.ifr_flags = IFF_UP | IFF_RUNNING;
	return ioctl(fd, SIOCSIFFLAGS, &ifr) ? -errno : 0;
}

static int open_all(void **state)
{
	int r = module_open(state);

	if (r || !module_ready)
		return r;
	make_turns();
	r = rule_table(&module, NFPROTO_INET) ?: policy_set(&module, &turns[0]);
	return r
	               ?: system("nft -f - <<-'E'\n"
	                         "table inet watch {\n"
	                         "	chain out {\n"
	                         "		type filter hook output priority 100\n"
	                         "		meta l4proto != udp return\n"
	                         "		meta mark " MARKS
	                         " counter return comment \"good\"\n"
	                         "		counter comment \"bad\"\n"
	                         "	}\n"
	                         "}\n"
	                         "E");
}

static unsigned long packets(const char *comment)
{
	char command[200];

	snprintf(command, sizeof(command),
	         "nft -j list table inet watch | jq '.nftables[].rule? | select(.comment == "
	         "\"%s\") | "
	         ".expr[].counter? | .packets? // empty'",
	         comment);
	return number_in(command);
}

/* Rules that hold on to the module; it goes on being one for each namespace that is still going. */
static unsigned long holders(void)
{
	return number_in("cat /sys/module/asymbpf/refcnt");
}

static void expect_holders(unsigned long n)
{
	for (int i = 0; i < 600 && holders() != n; i++)
		nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
	assert_int_equal(holders(), n);
}

static int rule_turn(unsigned int i)
{
	static __thread struct attrs l;

	rule_attrs(&l, 1);
	if (i & 1)
		attrs_be32(&l, NFTA_ASYM_STICKY, 1 + i % 100);
	if (i & 2)
		attrs_be32(&l, NFTA_ASYM_KEY, i % ASYM_KEY_MAX);
	return rule_use(&module, &how, &l);
}

/* Under traffic there is always a rule, another one each time. */
static void test_rules(void **state)
{
	unsigned int n = times(1000);
	unsigned long bad;
	struct senders s;

	module_need();
	assert_int_equal(rule_turn(0), 0);
	bad = packets("bad");
	senders_start(&s);
	for (unsigned int i = 0; i < n; i++)
		if (rule_turn(i))
			fail_msg("rule %u was refused", i);
	senders_stop(&s);
	assert_int_equal(packets("bad"), bad);
	assert_true(packets("good") > n);
	for (unsigned int i = 0; i < n; i++) {
		assert_int_equal(rule_flush(&module), 0);
		assert_int_equal(rule_turn(i), 0);
	}
	assert_int_equal(rule_flush(&module), 0);
	expect_holders(0);
}

/* One namespace, which goes with what is in it, or empty. */
static int one_namespace(unsigned int i)
{
	int r = unshare(CLONE_NEWNET) ? -errno : lo_up();
	static __thread struct attrs l;
	struct module m;

	if (r)
		return r;
	r = module_init(&m);
	r = r ?: rule_table(&m, NFPROTO_INET);
	for (int k = 0; !r && k < 3; k++)
		r = policy_set(&m, &turns[k]);
	rule_attrs(&l, 1);
	attrs_be32(&l, NFTA_ASYM_STICKY, 60);
	r = r ?: rule_use(&m, &how, &l);
	if (!r)
		send_datagrams(32);
	if (!r && i % 4 == 0)
		r = rule_flush(&m) ?: policy_del(&m, 1);
	module_done(&m);
	return r;
}

struct job {
	atomic_uint n;
	unsigned int until; /* 0: until stop */
	int (*once)(unsigned int i);
	int r;
};

static void *work(void *arg)
{
	struct job *job = arg;

	while (!job->r && !senders_end && (!job->until || job->n < job->until))
		job->r = job->once(job->n++);
	return NULL;
}

static void namespaces(unsigned int n)
{
	struct job job = {.until = n, .once = one_namespace};
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, work, &job), 0);
	pthread_join(thread, NULL);
	if (job.r)
		fail_msg("namespace %u: %s", job.n, strerror(-job.r));
}

static void test_namespaces(void **state)
{
	unsigned int n = times(1000);
	struct senders s;
	long before;

	module_need();
	assert_int_equal(rule_turn(0), 0);
	senders_start(&s);
	namespaces(n / 4 + 5);
	expect_holders(1);
	before = (long)kernel_memory();
	namespaces(n);
	expect_holders(1);
	senders_stop(&s);
	print_message("# %u namespaces: %+ld KiB\n", n, (long)kernel_memory() - before);
	assert_true((long)kernel_memory() - before < 4096 + (long)n * 4);
	assert_int_equal(rule_flush(&module), 0);
	expect_holders(0);
}

static int turn_policy(unsigned int i)
{
	static __thread struct module m;

	return (m.family ? 0 : module_init(&m)) ?: policy_set(&m, &turns[i % 3]);
}

static int turn_rule(unsigned int i)
{
	return rule_turn(i);
}

static int ignore_message(const struct nlmsghdr *h, void *data)
{
	return 0;
}

static void ignore_reset(void *data)
{
}

/* Both that read what others write: a dump of policies, and one of rules. */
static int look(unsigned int i)
{
	const struct genlmsghdr policies = {.cmd = ASYM_CMD_GET_POLICY, .version = ASYM_KMOD_ABI};
	const struct nfgenmsg rules = {.nfgen_family = NFPROTO_UNSPEC};
	static __thread struct module m;
	struct nl_msg msg;
	int r = m.family ? 0 : module_init(&m);

	if (r)
		return r;
	nl_begin(&msg, m.family, 0, &policies, sizeof(policies));
	r = nl_dump(&m.genl, &msg, ignore_message, ignore_reset, NULL);
	nl_begin(&msg, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETRULE, 0, &rules, sizeof(rules));
	r = r ?: nl_dump(&m.nft, &msg, ignore_message, ignore_reset, NULL);
	return r == -EINTR ? 0 : r;
}

/* There is always a rule that has it, another one each time. */
static int refuse(unsigned int i)
{
	static __thread struct module m;
	int r = m.family ? 0 : module_init(&m);

	r = r ?: policy_del(&m, 1);
	return r == -EBUSY ? 0 : r ?: -EBADMSG;
}

static void test_together(void **state)
{
	static struct job jobs[] = {{.once = turn_policy},
	                            {.once = turn_rule},
	                            {.once = one_namespace},
	                            {.once = look},
	                            {.once = refuse}};
	const char *seconds = getenv("ASYM_KMOD_SECONDS");
	pthread_t threads[ARRAY_SIZE(jobs)];
	unsigned long bad;
	struct senders s;

	module_need();
	assert_int_equal(rule_turn(0), 0);
	bad = packets("bad");
	senders_start(&s);
	for (size_t i = 0; i < ARRAY_SIZE(jobs); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, work, &jobs[i]), 0);
	sleep(seconds ? (unsigned int)atoi(seconds) : 5);
	senders_stop(&s);
	for (size_t i = 0; i < ARRAY_SIZE(jobs); i++) {
		pthread_join(threads[i], NULL);
		print_message("# job %zu: %u times\n", i, (unsigned int)jobs[i].n);
		if (jobs[i].r)
			fail_msg("job %zu ended after %u times: %s", i, jobs[i].n,
			         strerror(-jobs[i].r));
		assert_true(jobs[i].n);
	}
	assert_int_equal(packets("bad"), bad);
	assert_int_equal(rule_flush(&module), 0);
	expect_holders(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_namespaces),
		cmocka_unit_test(test_together),
	};

	return cmocka_run_group_tests(tests, open_all, module_close);
}

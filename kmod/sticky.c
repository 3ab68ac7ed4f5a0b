// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who was sent where: the sticky entries of a namespace, as map "asym_sticky" and bpf/lib/choose.h
 * have them, but fewer, as this memory is taken from the kernel's.
 *
 * A table of short chains, each with a lock of its own.  What there is no room for pushes out the
 * oldest of its chain, so whoever floods the table costs others an entry, and packets a short walk.
 * One work item for the whole table forgets what has timed out, while there is anything to forget.
 */
#include <linux/atomic.h>
#include <linux/jhash.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/rculist.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "asymbpf.h"

#define CHAIN_MAX 16 /* entries; 8 when the table is full and the hash is even */
#define REFRESH_NS NSEC_PER_SEC /* a write per packet would bounce the line */
#define COLLECT_INTERVAL (5 * HZ)
#define ENTRIES_MIN 64

static unsigned int sticky_max = 65536;
module_param(sticky_max, uint, 0644);
MODULE_PARM_DESC(sticky_max, "sticky entries of a network namespace, 64..1048576, about 100 bytes each; "
			     "for tables made from now on");

struct entry {
	struct hlist_node node;
	struct rcu_head rcu;
	struct asym_sticky_key key;
	u32 link;
	u32 timeout_s;
	atomic64_t seen_ns; /* written last and read first, so that its link is no older */
};

struct chain {
	spinlock_t lock; /* of those who write */
	struct hlist_head entries;
};

struct asym_sticky_table {
	struct delayed_work collect;
	atomic_t used;
	u32 max;
	u32 seed;
	u32 mask; /* chains - 1 */
	struct chain chains[];
};

static bool entry_expired(const struct entry *e, s64 seen_ns, u64 now_ns)
{
	return (s64)now_ns - seen_ns > READ_ONCE(e->timeout_s) * (s64)NSEC_PER_SEC;
}

static void entry_write(struct entry *e, u32 link, u32 timeout_s, u64 now_ns)
{
	WRITE_ONCE(e->link, link);
	WRITE_ONCE(e->timeout_s, timeout_s);
	atomic64_set_release(&e->seen_ns, now_ns);
}

static void entry_drop(struct asym_sticky_table *t, struct entry *e)
{
	hlist_del_rcu(&e->node);
	atomic_dec(&t->used);
	kfree_rcu(e, rcu);
}

static struct chain *chain_of(struct asym_sticky_table *t, const struct asym_sticky_key *key)
{
	BUILD_BUG_ON(sizeof(*key) % sizeof(u32));
	return &t->chains[jhash2((const u32 *)key, sizeof(*key) / sizeof(u32), t->seed) & t->mask];
}

static struct entry *chain_find(struct chain *chain, const struct asym_sticky_key *key)
{
	struct entry *e;

	hlist_for_each_entry_rcu(e, &chain->entries, node, lockdep_is_held(&chain->lock))
		if (!memcmp(&e->key, key, sizeof(*key)))
			return e;
	return NULL;
}

/* Forgets what has timed out.  The others are counted, and the oldest is told. */
static u32 chain_collect(struct asym_sticky_table *t, struct chain *chain, u64 now_ns,
			 struct entry **ret_oldest)
{
	struct hlist_node *next;
	struct entry *e, *oldest = NULL;
	s64 seen, least = S64_MAX;
	u32 n = 0;

	hlist_for_each_entry_safe(e, next, &chain->entries, node) {
		seen = atomic64_read(&e->seen_ns);
		if (entry_expired(e, seen, now_ns)) {
			entry_drop(t, e);
			continue;
		}
		n++;
		if (seen < least) {
			least = seen;
			oldest = e;
		}
	}
	*ret_oldest = oldest;
	return n;
}

static bool chain_make_room(struct asym_sticky_table *t, struct chain *chain, u64 now_ns)
{
	struct entry *oldest;
	u32 n = chain_collect(t, chain, now_ns, &oldest);

	if (n < CHAIN_MAX && atomic_add_unless(&t->used, 1, t->max))
		return true;
	if (!oldest)
		return false;
	entry_drop(t, oldest);
	return atomic_add_unless(&t->used, 1, t->max);
}

static void chain_add(struct asym_sticky_table *t, struct chain *chain,
		      const struct asym_sticky_key *key, u32 link, u32 timeout_s, u64 now_ns)
{
	struct entry *e;

	if (!chain_make_room(t, chain, now_ns))
		return;
	e = kmalloc(sizeof(*e), GFP_ATOMIC | __GFP_NOWARN);
	if (!e) {
		atomic_dec(&t->used);
		return;
	}
	e->key = *key;
	entry_write(e, link, timeout_s, now_ns);
	hlist_add_head_rcu(&e->node, &chain->entries);
	/* Does nothing when it is waiting already. */
	queue_delayed_work(system_power_efficient_wq, &t->collect, COLLECT_INTERVAL);
}

void asym_sticky_remember(struct asym_sticky_table *t, const struct asym_sticky_key *key, u32 link,
			  u32 timeout_s, u64 now_ns)
{
	struct chain *chain = chain_of(t, key);
	struct entry *e;

	spin_lock_bh(&chain->lock);
	e = chain_find(chain, key);
	if (e)
		entry_write(e, link, timeout_s, now_ns);
	else
		chain_add(t, chain, key, link, timeout_s, now_ns);
	spin_unlock_bh(&chain->lock);
}

u32 asym_sticky_recall(struct asym_sticky_table *t, const struct asym_sticky_key *key,
		       const struct asym_policy *policy, u8 family, u64 now_ns)
{
	struct entry *e = chain_find(chain_of(t, key), key);
	s64 seen;
	u32 link;

	if (!e)
		return 0;
	seen = atomic64_read_acquire(&e->seen_ns);
	link = READ_ONCE(e->link);
	if (entry_expired(e, seen, now_ns) || !asym_policy_lives(policy, family, link))
		return 0;
	if ((s64)now_ns - seen > REFRESH_NS)
		atomic64_set(&e->seen_ns, now_ns);
	return link;
}

static void table_collect(struct work_struct *work)
{
	struct asym_sticky_table *t = container_of(to_delayed_work(work), typeof(*t), collect);
	struct entry *oldest;

	for (u32 i = 0; i <= t->mask; i++) {
		struct chain *chain = &t->chains[i];

		if (!hlist_empty(&chain->entries)) {
			spin_lock_bh(&chain->lock);
			chain_collect(t, chain, ktime_get_coarse_ns(), &oldest);
			spin_unlock_bh(&chain->lock);
		}
		cond_resched();
	}
	if (atomic_read(&t->used))
		queue_delayed_work(system_power_efficient_wq, &t->collect, COLLECT_INTERVAL);
}

static struct asym_sticky_table *table_new(void)
{
	u32 max = clamp_t(u32, READ_ONCE(sticky_max), ENTRIES_MIN, ASYM_MAX_STICKY);
	u32 chains = roundup_pow_of_two(max) / (CHAIN_MAX / 2);
	struct asym_sticky_table *t = kvzalloc(struct_size(t, chains, chains), GFP_KERNEL_ACCOUNT);

	if (!t)
		return NULL;
	INIT_DEFERRABLE_WORK(&t->collect, table_collect);
	t->max = max;
	t->seed = get_random_u32();
	t->mask = chains - 1;
	for (u32 i = 0; i < chains; i++)
		spin_lock_init(&t->chains[i].lock);
	return t;
}

/* Nobody may be using it, nor begin to. */
void asym_sticky_free(struct asym_sticky_table *t)
{
	struct hlist_node *next;
	struct entry *e;

	if (!t)
		return;
	cancel_delayed_work_sync(&t->collect);
	for (u32 i = 0; i <= t->mask; i++)
		hlist_for_each_entry_safe(e, next, &t->chains[i].entries, node)
			kfree(e);
	kvfree(t);
}

/* The table that is there by now: t, unless another rule was faster. */
static struct asym_sticky_table *table_publish(struct asym_net *an, struct asym_sticky_table *t)
{
	struct asym_sticky_table *there;

	spin_lock(&an->lock);
	if (!an->sticky)
		an->sticky = t;
	there = an->sticky;
	spin_unlock(&an->lock);
	return there;
}

int asym_sticky_get(struct asym_net *an, struct asym_sticky_table **ret)
{
	struct asym_sticky_table *t = table_publish(an, NULL), *mine;

	if (!t) {
		mine = table_new();
		if (!mine)
			return -ENOMEM;
		t = table_publish(an, mine);
		if (t != mine)
			asym_sticky_free(mine);
	}
	*ret = t;
	return 0;
}

u32 asym_sticky_used(struct asym_net *an)
{
	const struct asym_sticky_table *t = table_publish(an, NULL);

	return t ? atomic_read(&t->used) : 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Connections that are handed over to the flow cache: what nf_flow_table does with those that it
 * takes and returns (net/netfilter/nft_flow_offload.c, nf_flow_table_core.c), for BPF programs.
 *
 * A hand-over is a lease.  The cache renews it whenever it checks a connection; a worker takes back
 * what was not renewed, what conntrack has let go of, and TCP that is about to end.  So nothing has
 * to tell when the cache drops an entry, is unloaded, or forgets everything.
 *
 * A lease holds a reference of its connection.  The namespace's exit, which comes before that of
 * conntrack as conntrack was there first, and the module's exit take all of them back.
 */
#include <linux/rhashtable.h>
#include <linux/slab.h>
#include <net/net_namespace.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/netns/generic.h>

#include "asymbpf.h"
#include "conntrack.h"
#include "lease.h"

/*
 * Of a namespace; what is more passes the stack.  conntrack has its own limit, and a lease is the
 * smaller part of a connection.
 */
#define LEASES_MAX 1048576
/* What a caller may ask for. */
#define LEASE_S_MAX 3600
/* Leases looked at in a second: 0.5 % of a CPU with all caches cold. */
#define LOOKS_PER_S 32768
#define LOOKS_AT_ONCE 256

struct lease {
	struct rhash_head node;
	struct nf_conn *ct;
	u32 since; /* jiffies */
	u32 lasts;
	struct rcu_head rcu;
};

struct lease_net {
	struct rhashtable leases; /* by ct */
	struct rhashtable_iter walk;
	struct delayed_work work;
	bool walking;
	bool closing;
};

static unsigned int lease_net_id __read_mostly;

static const struct rhashtable_params by_ct = {
	.key_len = sizeof_field(struct lease, ct),
	.key_offset = offsetof(struct lease, ct),
	.head_offset = offsetof(struct lease, node),
	.max_size = LEASES_MAX / 2, /* of the table, which takes twice as many */
	.automatic_shrinking = true,
};

static struct lease_net *lease_net_of(const struct nf_conn *ct)
{
	return net_generic(nf_ct_net(ct), lease_net_id);
}

/* --- leases -------------------------------------------------------------------------------- */

/* Another CPU may be a tick ahead. */
static u32 idle_of(const struct lease *l)
{
	s32 idle = nfct_time_stamp - READ_ONCE(l->since);

	return max(idle, 0);
}

static void lease_start(struct lease *l, u32 seconds)
{
	WRITE_ONCE(l->lasts, clamp_t(u32, seconds, 1, LEASE_S_MAX) * HZ);
	WRITE_ONCE(l->since, nfct_time_stamp);
}

static void lease_end(struct lease *l)
{
	struct nf_conn *ct = l->ct;

	clear_bit(IPS_OFFLOAD_BIT, &ct->status);
	smp_mb__after_atomic(); /* before its time is written, see asym_ct_lengthen_timeout() */
	if (!nf_ct_is_dying(ct)) {
		asym_ct_forget_windows(ct);
		asym_ct_shorten_timeout(ct, idle_of(l));
	}
	nf_ct_put(ct);
	kfree_rcu(l, rcu);
}

/* For whoever takes it out of the table first. */
static int lease_return(struct lease_net *ln, struct lease *l)
{
	int r = rhashtable_remove_fast(&ln->leases, &l->node, by_ct);

	if (!r)
		lease_end(l);
	return r;
}

static bool lease_is_over(const struct lease *l)
{
	const struct nf_conn *ct = l->ct;

	if (idle_of(l) >= READ_ONCE(l->lasts) || nf_ct_is_dying(ct) || nf_ct_is_expired(ct))
		return true;
	return asym_ct_is_tcp(ct) && READ_ONCE(ct->proto.tcp.state) != TCP_CONNTRACK_ESTABLISHED;
}

static int lease_insert(struct lease_net *ln, struct nf_conn *ct, u32 seconds)
{
	struct lease *l = kmalloc(sizeof(*l), GFP_ATOMIC | __GFP_NOWARN);
	int r;

	if (!l)
		return -ENOMEM;
	l->ct = ct;
	lease_start(l, seconds);
	nf_conntrack_get(&ct->ct_general);
	r = rhashtable_insert_fast(&ln->leases, &l->node, by_ct);
	if (r) {
		nf_ct_put(ct);
		kfree(l);
		return r;
	}
	queue_delayed_work(system_power_efficient_wq, &ln->work, HZ); /* if it is not */
	return 0;
}

static int lease_take(struct lease_net *ln, struct nf_conn *ct, u32 seconds)
{
	int r;

	if (asym_ct_is_odd(ct))
		return -EINVAL;
	if (test_bit(IPS_OFFLOAD_BIT, &ct->status))
		return -EBUSY;
	/* conntrack may have been made to forget what the cache has not: answers pass already */
	asym_ct_loosen_windows(ct);
	if (!asym_ct_is_fit(ct))
		return -EINVAL;
	if (test_and_set_bit(IPS_OFFLOAD_BIT, &ct->status))
		return -EBUSY;
	r = lease_insert(ln, ct, seconds);
	if (r)
		clear_bit(IPS_OFFLOAD_BIT, &ct->status);
	return r;
}

static int lease_extend(struct lease *l, u32 seconds)
{
	if (!asym_ct_is_fit(l->ct))
		return -EINVAL; /* the worker ends it */
	lease_start(l, seconds);
	asym_ct_loosen_windows(l->ct);
	return 0;
}

/* A namespace that is going is left alone: closing is set a grace period before its leases end. */
int asym_lease_renew(struct nf_conn *ct, u32 seconds)
{
	struct lease_net *ln = lease_net_of(ct);
	int r = -ESHUTDOWN;
	struct lease *l;

	rcu_read_lock();
	if (!READ_ONCE(ln->closing)) {
		l = rhashtable_lookup(&ln->leases, &ct, by_ct);
		r = l ? lease_extend(l, seconds) : lease_take(ln, ct, seconds);
	}
	rcu_read_unlock();
	return r;
}

int asym_lease_return(struct nf_conn *ct)
{
	struct lease_net *ln = lease_net_of(ct);
	struct lease *l = NULL;
	int r;

	rcu_read_lock();
	if (!READ_ONCE(ln->closing))
		l = rhashtable_lookup(&ln->leases, &ct, by_ct);
	r = l ? lease_return(ln, l) : -ENOENT;
	rcu_read_unlock();
	return r;
}

/* --- the worker ---------------------------------------------------------------------------- */

/* Whether it stays. */
static bool look_at(struct lease_net *ln, struct lease *l)
{
	if (lease_is_over(l)) {
		lease_return(ln, l);
		return false;
	}
	asym_ct_lengthen_timeout(l->ct);
	return true;
}

/* How many stay.  A table that grows meanwhile begins anew (-EAGAIN), which is fine. */
static u32 look_at_some(struct lease_net *ln, bool *ret_end)
{
	struct lease *l = NULL;
	u32 stay = 0;

	rhashtable_walk_start(&ln->walk);
	for (int i = 0; i < LOOKS_AT_ONCE; i++) {
		l = rhashtable_walk_next(&ln->walk);
		if (!l)
			break;
		stay += IS_ERR(l) || look_at(ln, l);
	}
	rhashtable_walk_stop(&ln->walk);
	*ret_end = !l;
	return stay;
}

static void stop_walk(struct lease_net *ln)
{
	if (ln->walking)
		rhashtable_walk_exit(&ln->walk);
	ln->walking = false;
}

/*
 * Where a second is not enough for all, the next one goes on.  What is taken back is no look: all
 * of a link's connections may die at once, and each has its place in conntrack's table until then.
 */
static void lease_work(struct work_struct *work)
{
	struct lease_net *ln = container_of(work, struct lease_net, work.work);
	bool end = false;
	u32 looks = 0;

	if (!ln->walking)
		rhashtable_walk_enter(&ln->leases, &ln->walk);
	ln->walking = true;
	while (looks < LOOKS_PER_S && !end) {
		looks += look_at_some(ln, &end);
		cond_resched();
	}
	if (end)
		stop_walk(ln);
	if (!end || atomic_read(&ln->leases.nelems))
		queue_delayed_work(system_power_efficient_wq, &ln->work, HZ);
}

/* --- coming and going ---------------------------------------------------------------------- */

static int __net_init lease_net_init(struct net *net)
{
	struct lease_net *ln = net_generic(net, lease_net_id);

	INIT_DELAYED_WORK(&ln->work, lease_work);
	return rhashtable_init(&ln->leases, &by_ct);
}

/* The kernel waits for a grace period before it goes on with the exit. */
static void __net_exit lease_net_pre_exit(struct net *net)
{
	struct lease_net *ln = net_generic(net, lease_net_id);

	WRITE_ONCE(ln->closing, true);
}

static void end_one(void *lease, void *unused)
{
	lease_end(lease);
}

static void __net_exit lease_net_exit(struct net *net)
{
	struct lease_net *ln = net_generic(net, lease_net_id);

	cancel_delayed_work_sync(&ln->work);
	stop_walk(ln);
	rhashtable_free_and_destroy(&ln->leases, end_one, NULL);
}

static struct pernet_operations lease_net_ops = {
	.init = lease_net_init,
	.pre_exit = lease_net_pre_exit,
	.exit = lease_net_exit,
	.id = &lease_net_id,
	.size = sizeof(struct lease_net),
};

u32 asym_lease_count(const struct net *net)
{
	const struct lease_net *ln = net_generic(net, lease_net_id);

	return atomic_read(&ln->leases.nelems);
}

int __init asym_lease_init(void)
{
	return register_pernet_subsys(&lease_net_ops);
}

void asym_lease_exit(void)
{
	unregister_pernet_subsys(&lease_net_ops);
}

// SPDX-License-Identifier: GPL-2.0-only
/* The policies of a namespace: written whole, seen by packets as the old one or the new one. */
#include <linux/mm.h>
#include <linux/slab.h>

#include "asymbpf.h"

struct asym_net *asym_net_new(void)
{
	struct asym_net *an = kzalloc(sizeof(*an), GFP_KERNEL_ACCOUNT);

	if (!an)
		return NULL;
	refcount_set(&an->refs, 1);
	spin_lock_init(&an->lock);
	an->generation = 1;
	return an;
}

/*
 * The last reference is that of an expression which was destroyed after a grace period, or that of
 * a namespace without any: no packet is under way here.
 */
void asym_net_put(struct asym_net *an)
{
	if (!refcount_dec_and_test(&an->refs))
		return;
	for (int i = 0; i < ASYM_MAX_POLICIES; i++)
		kvfree(rcu_dereference_protected(an->slots[i].chooser, true));
	asym_sticky_free(an->sticky);
	kfree(an);
}

struct asym_chooser *asym_policy_get(const struct asym_net *an, u32 number)
{
	return rcu_dereference(an->slots[number].chooser);
}

static struct asym_chooser *slot_replace(struct asym_net *an, u32 number, struct asym_chooser *c)
{
	if (!++an->generation)
		an->generation = 1;
	return rcu_replace_pointer(an->slots[number].chooser, c, lockdep_is_held(&an->lock));
}

void asym_policy_set(struct asym_net *an, u32 number, struct asym_chooser *c)
{
	struct asym_chooser *old;

	spin_lock(&an->lock);
	old = slot_replace(an, number, c);
	spin_unlock(&an->lock);
	kvfree_rcu(old, rcu);
}

int asym_policy_del(struct asym_net *an, u32 number)
{
	struct asym_chooser *old = NULL;
	int ret = 0;

	spin_lock(&an->lock);
	if (!rcu_access_pointer(an->slots[number].chooser))
		ret = -ENOENT;
	else if (an->slots[number].rules)
		ret = -EBUSY;
	else
		old = slot_replace(an, number, NULL);
	spin_unlock(&an->lock);
	kvfree_rcu(old, rcu);
	return ret;
}

int asym_policy_hold(struct asym_net *an, u32 number)
{
	int ret = -ENOENT;

	spin_lock(&an->lock);
	if (rcu_access_pointer(an->slots[number].chooser)) {
		an->slots[number].rules++;
		refcount_inc(&an->refs);
		ret = 0;
	}
	spin_unlock(&an->lock);
	return ret;
}

void asym_policy_uncount(struct asym_net *an, u32 number)
{
	spin_lock(&an->lock);
	an->slots[number].rules--;
	spin_unlock(&an->lock);
}

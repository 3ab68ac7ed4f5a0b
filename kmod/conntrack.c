// SPDX-License-Identifier: GPL-2.0-only
/*
 * What conntrack knows of a connection, and is to forget of one whose packets it misses; as
 * nf_flow_table does it (net/netfilter/nft_flow_offload.c, nf_flow_table_core.c).
 */
#include <linux/sched.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/netfilter/nf_conntrack_l4proto.h>
#include <net/netfilter/nf_conntrack_timeout.h>

#include "conntrack.h"

/* As nf_flow_table_extend_ct_timeout() has it: what is closer to its end gets a day. */
#define TIMEOUT_LOW (5 * 60 * HZ)

bool asym_ct_is_tcp(const struct nf_conn *ct)
{
	return nf_ct_protonum(ct) == IPPROTO_TCP;
}

/* What nft_flow_offload_eval() refuses for good. */
bool asym_ct_is_odd(const struct nf_conn *ct)
{
	const unsigned long odd = IPS_DYING | IPS_SEQ_ADJUST | IPS_NAT_CLASH | IPS_TEMPLATE |
				  IPS_HELPER | IPS_HW_OFFLOAD;

	if (READ_ONCE(ct->status) & odd || nf_ct_ext_exist(ct, NF_CT_EXT_HELPER))
		return true;
	return !asym_ct_is_tcp(ct) && nf_ct_protonum(ct) != IPPROTO_UDP;
}

bool asym_ct_is_fit(const struct nf_conn *ct)
{
	const unsigned long wanted = IPS_CONFIRMED | IPS_SEEN_REPLY;

	if (asym_ct_is_odd(ct) || (READ_ONCE(ct->status) & wanted) != wanted)
		return false;
	return !asym_ct_is_tcp(ct) || nf_conntrack_tcp_established(ct);
}

/* No window counts, and no acknowledgment by which a reset would be too old. */
static void loosen(struct ip_ct_tcp_state *seen)
{
	seen->flags |= IP_CT_TCP_FLAG_BE_LIBERAL;
	seen->flags &= ~IP_CT_TCP_FLAG_MAXACK_SET;
}

static bool is_loose(const struct ip_ct_tcp_state *seen)
{
	const u8 both = IP_CT_TCP_FLAG_BE_LIBERAL | IP_CT_TCP_FLAG_MAXACK_SET;

	return (READ_ONCE(seen->flags) & both) == IP_CT_TCP_FLAG_BE_LIBERAL;
}

void asym_ct_loosen_windows(struct nf_conn *ct)
{
	struct ip_ct_tcp_state *seen = ct->proto.tcp.seen;

	if (!asym_ct_is_tcp(ct) || (is_loose(&seen[0]) && is_loose(&seen[1])))
		return;
	spin_lock_bh(&ct->lock);
	loosen(&seen[0]);
	loosen(&seen[1]);
	spin_unlock_bh(&ct->lock);
}

/*
 * The next packet of each direction says where the windows are.  The connection stays liberal, as
 * nf_flow_table leaves it: that packet may be an old one.
 */
void asym_ct_forget_windows(struct nf_conn *ct)
{
	struct ip_ct_tcp_state *seen = ct->proto.tcp.seen;

	if (!asym_ct_is_tcp(ct))
		return;
	spin_lock_bh(&ct->lock);
	seen[0].td_maxwin = 0;
	seen[1].td_maxwin = 0;
	loosen(&seen[0]);
	loosen(&seen[1]);
	spin_unlock_bh(&ct->lock);
}

/* What is left to a connection that the cache has not checked for so many jiffies. */
static s32 timeout_after(const struct nf_conn *ct, u32 idle)
{
	const struct net *net = nf_ct_net(ct);
	const unsigned int *timeouts;
	unsigned int state;

	rcu_read_lock();
	timeouts = nf_ct_timeout_lookup(ct);
	if (asym_ct_is_tcp(ct)) {
		timeouts = timeouts ?: net->ct.nf_ct_proto.tcp.timeouts;
		state = READ_ONCE(ct->proto.tcp.state);
	} else {
		timeouts = timeouts ?: net->ct.nf_ct_proto.udp.timeouts;
		state = test_bit(IPS_SEEN_REPLY_BIT, &ct->status) ? UDP_CT_REPLIED :
								    UDP_CT_UNREPLIED;
	}
	state = READ_ONCE(timeouts[state]);
	rcu_read_unlock();
	return state > idle ? min_t(u32, state - idle, S32_MAX) : 0;
}

/* flow_offload_fixup_ct() */
void asym_ct_shorten_timeout(struct nf_conn *ct, u32 idle)
{
	s32 timeout = timeout_after(ct, idle);

	if (test_bit(IPS_FIXED_TIMEOUT_BIT, &ct->status))
		return;
	if ((s32)(READ_ONCE(ct->timeout) - nfct_time_stamp) > timeout)
		WRITE_ONCE(ct->timeout, nfct_time_stamp + timeout);
}

/*
 * Packets that pass the cache do not push the end further.  Where conntrack does this by itself for
 * all that has IPS_OFFLOAD, it finds it done.
 */
void asym_ct_lengthen_timeout(struct nf_conn *ct)
{
	u32 timeout = READ_ONCE(ct->timeout);
	s32 left = timeout - nfct_time_stamp;

	if (left <= 0 || left >= TIMEOUT_LOW || test_bit(IPS_FIXED_TIMEOUT_BIT, &ct->status))
		return;
	/*
	 * It may have been taken back, or be another's by now.  Read in this order, as whoever
	 * takes it back sets its time afterwards; that, and what a packet sets meanwhile, goes
	 * before.
	 */
	smp_rmb();
	if (test_bit(IPS_OFFLOAD_BIT, &ct->status))
		cmpxchg(&ct->timeout, timeout, nfct_time_stamp + NF_CT_DAY);
}

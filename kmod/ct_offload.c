// SPDX-License-Identifier: GPL-2.0-only
/* The hand-over of connections to the flow cache, as functions for BPF programs (kfuncs). */
#include <linux/bpf.h>
#include <linux/btf.h>
#include <linux/btf_ids.h>
#include <linux/module.h>
#include <net/netfilter/nf_conntrack.h>

#include "asymbpf.h"
#include "lease.h"

static bool is_ready __ro_after_init;

/*
 * Hands over the connection for so many seconds, or for so many from now on if it was.  ct: with a
 * reference.  0; -EBUSY: another fast path has it; -EINVAL: it is not fit, or not any more;
 * -ENOMEM, -E2BIG: too many; -ESHUTDOWN.
 */
__bpf_kfunc int asym_ct_offload(struct nf_conn *ct, u32 lease_s)
{
	return asym_lease_renew(ct, lease_s);
}

/* The same for the connection that the packet belongs to, as conntrack has said.  -ENOENT: none. */
__bpf_kfunc int asym_ct_renew(struct __sk_buff *ctx, u32 lease_s)
{
	enum ip_conntrack_info info;
	struct nf_conn *ct = nf_ct_get((struct sk_buff *)ctx, &info);

	return ct ? asym_lease_renew(ct, lease_s) : -ENOENT;
}

/* Takes the connection back at once.  -ENOENT: it was not handed over by these. */
__bpf_kfunc int asym_ct_onload(struct nf_conn *ct)
{
	return asym_lease_return(ct);
}

BTF_KFUNCS_START(asym_kfuncs)
BTF_ID_FLAGS(func, asym_ct_offload, KF_TRUSTED_ARGS)
BTF_ID_FLAGS(func, asym_ct_renew)
BTF_ID_FLAGS(func, asym_ct_onload, KF_TRUSTED_ARGS)
BTF_KFUNCS_END(asym_kfuncs)

static const struct btf_kfunc_id_set asym_kfunc_set = {
	.owner = THIS_MODULE,
	.set = &asym_kfuncs,
};

u32 asym_offload_count(struct net *net)
{
	return is_ready ? asym_lease_count(net) : 0;
}

/* No program can call us before the module is whole, and those that may hold it. */
int __init asym_offload_init(void)
{
	int r;

	/* built without type information there are no ids, which is no error to the kernel */
	if (!asym_kfuncs.cnt)
		return -EOPNOTSUPP;
	r = asym_lease_init();
	if (r)
		return r;
	r = register_btf_kfunc_id_set(BPF_PROG_TYPE_SCHED_CLS, &asym_kfunc_set);
	if (r)
		asym_lease_exit();
	is_ready = !r;
	return r;
}

void asym_offload_exit(void)
{
	asym_lease_exit();
}

/* SPDX-License-Identifier: GPL-2.0-only */
/* Connections that are lent to the flow cache for a while.  ct: with a reference. */
#ifndef ASYM_KMOD_LEASE_H
#define ASYM_KMOD_LEASE_H

#include <linux/types.h>

struct net;
struct nf_conn;

/*
 * Lends it for so many seconds, 1..3600, others are taken as the nearest; if it was lent, from now
 * on.  0; -EBUSY: another fast path has it; -EINVAL: it is not fit, or not any more; -ENOMEM,
 * -E2BIG: too many; -ESHUTDOWN: its namespace is going.  Packets may be under way.
 */
int asym_lease_renew(struct nf_conn *ct, u32 seconds);
/* Takes it back at once.  -ENOENT: it was not lent. */
int asym_lease_return(struct nf_conn *ct);
/* Of a namespace. */
u32 asym_lease_count(const struct net *net);

int asym_lease_init(void);
void asym_lease_exit(void); /* takes all back */

#endif

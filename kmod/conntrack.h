/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Connections of conntrack's, TCP and UDP, and what becomes of them when they pass a fast path.
 * ct: with a reference; ct->lock is taken where it says so.
 */
#ifndef ASYM_KMOD_CONNTRACK_H
#define ASYM_KMOD_CONNTRACK_H

#include <linux/types.h>

struct nf_conn;

bool asym_ct_is_tcp(const struct nf_conn *ct);
/* Not for any fast path: a helper, sequence numbers that change, a clash, another protocol. */
bool asym_ct_is_odd(const struct nf_conn *ct);
/* Nor is it only begun: both have spoken, and TCP is established. */
bool asym_ct_is_fit(const struct nf_conn *ct);

/* Of TCP, with ct->lock: no window counts, nor what was acknowledged. */
void asym_ct_loosen_windows(struct nf_conn *ct);
/* Likewise; and then windows are learned anew. */
void asym_ct_forget_windows(struct nf_conn *ct);

/* To what is left of its time-out after so many jiffies without a packet, if it is longer. */
void asym_ct_shorten_timeout(struct nf_conn *ct, u32 idle);
/* To a day, if it is about to end and some fast path has it.  Needs no reference, but RCU. */
void asym_ct_lengthen_timeout(struct nf_conn *ct);

#endif

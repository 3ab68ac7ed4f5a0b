/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DHCP renewals by way of NFQUEUE, where no BPF program can be at a device's egress or none is
 * wanted: what the router sends to port 67 comes here before it is tracked; a renewal of another
 * link than the one it is about to leave by goes out of its owner by a courier, with the owner's
 * address, and the original is dropped.  All else goes on as it is.
 *
 * The queue is asked by a table of its own, "ip asymbpf-dhcp", which belongs to our netlink socket
 * (NFT_TABLE_F_OWNER, Linux 5.12) and goes with it; rules bypass a queue that nobody reads.  So a
 * dead shim holds nothing up.
 */
#ifndef RUN_SHIM_H
#define RUN_SHIM_H

#include "core/plan.h"
#include "run/courier.h"
#include "run/event.h"
#include <uv.h>

#define SHIM_NFT_TABLE "asymbpf-dhcp"
#define SHIM_FIRST_QUEUE 17100 /* or the first free one after it */

struct shim_count {
	uint64_t right; /* about to leave by their own link, from their own address */
	uint64_t moved;
	uint64_t failed; /* no way out of the owner: went on as they were */
};

struct shim;
/* 0; -EOPNOTSUPP: the kernel has neither nft's queue expression nor the NFQUEUE target; -EEXIST:
 * another shim has the table; -errno.  events, courier: outlive it.  Tells EVENT_DHCP. */
int shim_open(uv_loop_t *loop, struct events *events, struct courier *courier, struct shim **ret);
/* What waits for the courier goes on as it was.  NULL is fine. */
void shim_close(struct shim *s);

/* Whose addresses are whose from now on; copied.  0 or -ENOMEM, and those of before stay. */
int shim_owners(struct shim *s, const struct plan_owner *owners, size_t n);

/* By link id. */
const struct shim_count *shim_counts(const struct shim *s, uint8_t link);

#endif

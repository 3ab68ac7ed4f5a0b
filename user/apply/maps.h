/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The contents of our BPF maps: a plan into a bank, the switch, what the programs count. */
#ifndef APPLY_MAPS_H
#define APPLY_MAPS_H

#include "apply/object.h"
#include "core/plan.h"

/* The bank that is not in use.  0 in maps that were never written. */
uint32_t maps_idle_bank(const struct object *o);

/* Fills a bank, first emptying it of sets and devices.  0 or -errno with error (size bytes) naming
 * the map: -ENOSPC, -ENOMEM. */
int maps_write(const struct object *o, const struct plan *p, uint32_t bank, char *error,
	       size_t size);

/*
 * Makes a bank in use the plan's: writes what differs from what it holds, element by element, while the
 * programs read it.  The user's sets stay as they are: the state, from which plans of what runs are
 * built, does not know them.  old: made what the bank holds, NULL: unknown.  *ret_written: elements
 * written or deleted.  Every map must be there.  Errors as with maps_write.
 */
int maps_update(const struct object *o, const struct plan *p, const struct plan *old,
		uint32_t bank, size_t *ret_written, char *error, size_t size);
/* Of that the policies and their buckets alone: the switch from a link to another. */
int maps_update_policies(const struct object *o, const struct plan *p, uint32_t bank,
			 size_t *ret_written, char *error, size_t size);

/* Has the stack shown every flow of the cache anew.  0 or -errno. */
int maps_bump(const struct object *o);

/* From now on the programs use this bank, and show the stack every flow of the cache anew.  0 or
 * -errno. */
int maps_switch(const struct object *o, uint64_t cookie, uint32_t bank);

/* Whether packets that arrive on this device may pass the flow cache, as a bank has it. */
bool maps_caches(const struct object *o, uint32_t bank, uint32_t ifindex);

/* Frees what a bank that is not in use holds on to: its sets, devices and owners. */
void maps_clear(const struct object *o, uint32_t bank);

/* Reads which bank is in use.  0 or -errno. */
int maps_control(const struct object *o, struct asym_control *ret);

/* The first n policies of a bank.  0 or -errno. */
int maps_policies(const struct object *o, uint32_t bank, struct asym_policy *ret, size_t n);

/* Which link each hash value names, in a policy of a bank.  0 or -errno. */
int maps_buckets(const struct object *o, uint32_t bank, uint32_t policy, enum asym_family f,
		 struct asym_buckets *ret);

/* Sums over the CPUs.  ret: ASYM_REASON_MAX and ASYM_MAX_RULES entries.  0, or -errno with ret
 * filled in part. */
int maps_counters(const struct object *o, uint64_t *ret);
int maps_hits(const struct object *o, uint32_t bank, struct asym_hits *ret);

/* What became of the DHCP messages of the link with this id.  0 or -errno. */
int maps_dhcp(const struct object *o, uint8_t link, struct asym_dhcp *ret);

/* The live sticky entry of this key.  0, -ENOENT: none, or timed out. */
int maps_sticky(const struct object *o, const struct asym_sticky_key *key, struct asym_sticky *ret);

/* Entries in the sticky map, those that timed out included. */
size_t maps_sticky_count(const struct object *o);

#endif

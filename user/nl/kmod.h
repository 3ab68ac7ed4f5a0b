/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel module's policies of the caller's network namespace (kmod/uapi/nft_asym.h). */
#ifndef NL_KMOD_H
#define NL_KMOD_H

#include "bpf/abi.h"
#include "nl/nl.h"

struct kmod {
	struct nl nl; /* NETLINK_GENERIC; its error has the kernel's words of the last failure */
	uint16_t family;
};

struct kmod_info {
	uint32_t abi;	   /* ASYM_KMOD_ABI of the module; all else is understood only if it is ours */
	char version[64];  /* of the project */
	uint32_t features; /* enum asym_feature */
	uint32_t offloaded, sticky_used;
};

/* As struct asym_policy and its buckets, and what the maps have in struct asym_config. */
struct kmod_policy {
	uint32_t number; /* 0..ASYM_MAX_POLICIES - 1 */
	uint32_t seed, mark_mask;
	uint8_t key;	     /* enum asym_key */
	uint8_t last_resort; /* id */
	uint8_t buckets[ASYM_FAMILIES][ASYM_BUCKETS];
	uint32_t live[ASYM_FAMILIES][8];
	uint32_t references; /* rules that name it; not written */
};

struct kmod_list {
	struct kmod_policy *items;
	size_t n;
};

/* load: tries to load the module if it is installed.  0; -ENOENT: there is none; -errno.  *ret is closed
 * after a failure. */
int kmod_open(struct kmod *ret, bool load);
void kmod_close(struct kmod *k);
#define _cleanup_kmod_ _cleanup_(kmod_close)

/* 0 or -errno; -EBADMSG: no answer that we understand. */
int kmod_info(struct kmod *k, struct kmod_info *ret);

/* Makes or replaces these policies, each at once for packets.  0 or the first -errno; the others are
 * written all the same. */
int kmod_set(struct kmod *k, const struct kmod_policy *policies, size_t n);
/* 0; -EBUSY: a rule names it; -ENOENT; -errno. */
int kmod_delete(struct kmod *k, uint32_t number);

/* All of the namespace, in no order.  The caller frees ret->items.  0 or -errno. */
int kmod_list(struct kmod *k, struct kmod_list *ret);
void kmod_list_done(struct kmod_list *list);
#define _cleanup_kmod_list_ _cleanup_(kmod_list_done)

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An anonymous set or map as nft prints it, and marks; for plan_nft*.c and plan_router*.c alone. */
#ifndef CORE_PLAN_NFT_SET_H
#define CORE_PLAN_NFT_SET_H

#include "base/str.h"
#include "core/plan_nft.h"

/* Zero it before use; elements_print frees it.  A failed allocation sticks in out->err. */
struct elements {
	struct element *items;
	size_t n;
};

/* "DEVICE" with what stands behind it: "" or " : value". */
void elements_device(struct elements *set, struct str *out, const struct plan_link *l,
		     const char *value);
/* MARK : goto CHAIN. */
void elements_mark(struct elements *set, struct str *out, uint32_t mark, const char *chain);
/* Comparisons and changes of marks, with a blank behind the former. */
void plan_nft_masked_test(struct str *out, const char *what, uint32_t mask, bool equal, uint32_t value);
void plan_nft_mark_set(struct str *out, const char *what, uint32_t mask, uint32_t value);
/* "{ a, b }" in nft's order. */
void elements_print(struct elements *set, struct str *out);
/* The same for a test against devices, where nft writes a set of one as the element alone. */
void elements_print_test(struct elements *set, struct str *out);

#endif

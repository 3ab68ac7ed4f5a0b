/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel module (kmod/): whether it is there, and its policies, which are kept equal to a plan's.
 * Everything works without it.
 */
#ifndef APPLY_MODULE_H
#define APPLY_MODULE_H

#include "core/plan.h"
#include "nl/kmod.h"

enum module_state {
	MODULE_ABSENT,
	MODULE_OTHER, /* it has another ABI than we have: not used */
	MODULE_USED,
};

struct module {
	enum module_state state;
	struct kmod_info info; /* zeros when absent */
};

/* load: tries to load it if it is installed.  An error of the kernel counts as absent. */
void module_find(bool load, struct module *ret);
/* Whether its expression for nftables can be used. */
bool module_has_nft(const struct module *m);
/* "module asymbpf has ABI 2 and this program 1: ..."; "" unless the state is MODULE_OTHER. */
void module_complaint(const struct module *m, char *ret, size_t size);

/*
 * Writes the policies that differ from the plan's.  Nothing without the module or with another ABI's.
 * *ret: what was found, *ret_written: how many.  0, or the first -errno with "what: why" in error, and the
 * rest written.
 */
int module_update(const struct plan *p, struct module *ret, size_t *ret_written, char *error, size_t size);
/* Deletes those that the plan (NULL: all) has not.  One that a rule names stays, -EBUSY.  Errors likewise. */
int module_trim(const struct plan *p, char *error, size_t size);

#endif

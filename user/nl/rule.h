/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The policy routing rules of this namespace. */
#ifndef NL_RULE_H
#define NL_RULE_H

#include "core/host.h"
#include "nl/nl.h"

/* Adds every IPv4 and IPv6 rule to ret->rules.  0 or -errno; what was added before an error
 * stays. */
int rule_dump(struct nl *nl, struct host *ret);

/*
 * Fill a request to add or delete the rule.  It is matched with its protocol, so a delete never
 * meets somebody else's, and an equal rule of another protocol does not stand in the way of an add
 * (-EEXIST: there is one of ours).  Nothing but `invert` differing is "equal" to the kernel.
 * The action must not be RULE_OTHER.  A delete of a rule that is not there is -ENOENT.
 */
void rule_fill_add(struct nl_msg *m, const struct rule *rule);
void rule_fill_delete(struct nl_msg *m, const struct rule *rule);

#endif

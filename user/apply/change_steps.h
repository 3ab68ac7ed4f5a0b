/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The steps of a change that take more than a call, and what takes them back; for change.c. */
#ifndef APPLY_CHANGE_STEPS_H
#define APPLY_CHANGE_STEPS_H

#include "apply/change.h"

/* Fills c->error, returns r. */
int change_fail(struct change *c, int r, const char *fmt, ...) PRINTF(3, 4);

/* For tests: whether this step is to fail now (change_apply). */
bool change_fault(const char *step);

/* Completes c->state, with the sysctls that are going to be written, and saves it. */
int change_save_state(struct change *c);
void change_undo_state(struct change *c);

/* Puts back what traces_write wrote, but for settings that an earlier load had changed already. */
void change_undo_sysctls(struct change *c);

/* Commits the ruleset of both plans: until the bank is switched, the programs choose old links,
 * which keep NAT and marks so long. */
int change_commit_ruleset(struct change *c);
void change_undo_ruleset(struct change *c);

/* The kernel module's policies and the table of the router's own packets.  The change stands already, and
 * is one without these: fills c->router_error.  True when c->state is to be saved. */
bool change_follow_router(struct change *c);

#endif

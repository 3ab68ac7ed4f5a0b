/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What we change on a machine that the kernel does not take back with our programs, and the state
 * remembers for unload: sysctls and clsact qdiscs. */
#ifndef APPLY_TRACES_H
#define APPLY_TRACES_H

#include "apply/attach.h"
#include "apply/state.h"

/* Adds to the state the settings that the plan wants otherwise, with what is there now; writes none of
 * them: the state is to be kept safe first, then traces_write.  liberal: conntrack has to be, see
 * object_wants_liberal.  0, or -errno with error (size bytes): "sysctl PATH: why". */
int traces_plan(const struct plan *p, bool liberal, struct state *s, char *error, size_t size);
/* Whether there is something to write. */
bool traces_pending(const struct state *s);
int traces_write(struct state *s, char *error, size_t size);

/* Puts back settings of the state's that the plan does not want any more.  True: the state changed. */
bool traces_restore(const struct plan *p, bool liberal, struct state *s);

/* Notes the qdiscs that were made.  True: the state changed. */
bool traces_clsact(const struct attachment *a, struct state *s);

#endif

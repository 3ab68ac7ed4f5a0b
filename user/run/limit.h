/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How many files this process may have open, and its children: not the same, as these may use select(),
 * which knows no more than 1024. */
#ifndef RUN_LIMIT_H
#define RUN_LIMIT_H

#include <stdbool.h>
#include <sys/types.h>

/* As many as the hard limit lets us.  What was the soft one before is remembered. */
void limit_raise(void);

/* Before and after a child is made.  It inherits what we had before limit_raise, unless we have so many
 * files open that it could not be made then: false. */
bool limit_lower(void);
void limit_restore(void);

/* The same for a child that runs already. */
void limit_child(pid_t pid);

#endif

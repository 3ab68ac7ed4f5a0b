/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel module's policies and the table of the router's own packets; for update.c alone. */
#ifndef APPLY_UPDATE_ROUTER_H
#define APPLY_UPDATE_ROUTER_H

#include "apply/update.h"

/* Makes the policies the plan's.  0 or -errno with u->error filled; *ret_done: any differed. */
int update_policies(struct update *u, bool *ret_done);
/* Writes the table if it differs.  *ret_done: somebody else had changed it.  Likewise. */
int update_router(struct update *u, bool *ret_done);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Programs on hooks that lack them; for update.c alone. */
#ifndef APPLY_UPDATE_PROGRAMS_H
#define APPLY_UPDATE_PROGRAMS_H

#include "apply/update.h"

/* u->object has every map that the programs need: programs that hold some may have gone with their
 * devices.  0, or -errno with u->error filled; -ENODATA: the user's sets were lost so, and only loading the
 * configuration again brings them back. */
int update_programs_maps(struct update *u);

/* Puts programs where they are missing, and takes off what is on devices that are neither LAN nor link
 * any more.  *ret_done: something was missing; *ret_state: u->state changed.  Errors as above. */
int update_programs(struct update *u, bool *ret_done, bool *ret_state);

#endif

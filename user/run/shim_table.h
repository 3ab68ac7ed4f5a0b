/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For run/shim.c alone: the nftables table that sends the router's DHCP requests to a queue. */
#ifndef RUN_SHIM_TABLE_H
#define RUN_SHIM_TABLE_H

#include "nl/nl.h"

/* Opens a socket, and with it the table, which is there until it is closed.  0, or -errno as
 * shim_open, *ret closed. */
int shim_table_open(struct nl *ret, uint16_t queue);
/* Takes its rule away: nothing more is queued.  With the table the kernel drops what is queued. */
void shim_table_stop(struct nl *nl);

#endif

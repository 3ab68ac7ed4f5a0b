/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How large the flow cache is, and what that costs. */
#ifndef APPLY_ROOM_H
#define APPLY_ROOM_H

#include <stdint.h>

#define ROOM_PAIRS 262144 /* connections; unless the user says or the machine is too small */

/*
 * Blocks of the table of a family for this many connections: a power of two.  Four ways for a
 * connection that needs two, as a full block refuses though others have room; half as much for
 * IPv6.  pairs 0: ROOM_PAIRS, halved until both tables take a 16th of the machine's memory at most.
 */
void room_blocks(uint32_t pairs, uint32_t ret[2]);

/* Connections that these blocks were made for, and the bytes that they take. */
uint32_t room_pairs(const uint32_t blocks[2]);
uint64_t room_bytes(const uint32_t blocks[2]);

#endif

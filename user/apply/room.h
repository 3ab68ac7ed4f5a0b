/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How large the flow cache is, and what that costs. */
#ifndef APPLY_ROOM_H
#define APPLY_ROOM_H

#include "bpf/abi.h"
#include <stdint.h>

#define ROOM_PAIRS 262144 /* connections; unless the user says or the machine is too small */

/*
 * Blocks of the table of a family for this many IPv4 connections: a power of two, and as many bytes for
 * IPv6.  pairs 0: ROOM_PAIRS, halved until both tables take a 16th of the machine's memory at most.
 */
void room_blocks(uint32_t pairs, uint32_t ret[ASYM_FAMILIES]);

/*
 * Connections in use of one family that these blocks have room for.  Room is where it falls: a full block
 * refuses while others are empty.  Of so many connections 98 of 100 are in, of more a smaller part.
 */
uint32_t room_pairs(const uint32_t blocks[ASYM_FAMILIES], enum asym_family family);
/* What both tables take. */
uint64_t room_bytes(const uint32_t blocks[ASYM_FAMILIES]);

#endif

// SPDX-License-Identifier: GPL-2.0-or-later
#include "apply/room.h"

#include "base/defs.h"
#include <sys/sysinfo.h>

#define MIN_BLOCKS 16u

/* Of so many 98 of 100 find room (tests/unit/test_room.c): a half of eight ways may be in use. */
#define PAIRS_PER_BLOCK 2
_Static_assert(ASYM_WAYS4 == 8 && ASYM_WAYS6 == 8, "other ways hold other loads");

static uint32_t power_of_two(uint32_t at_least)
{
	uint32_t n = MIN_BLOCKS;

	while (n < at_least)
		n *= 2;
	return n;
}

uint32_t room_pairs(const uint32_t blocks[ASYM_FAMILIES], enum asym_family family)
{
	return blocks[family] * PAIRS_PER_BLOCK;
}

uint64_t room_bytes(const uint32_t blocks[ASYM_FAMILIES])
{
	return (uint64_t)blocks[ASYM_V4] * sizeof(struct asym_block4) +
	       (uint64_t)blocks[ASYM_V6] * sizeof(struct asym_block6);
}

static void blocks_for(uint32_t pairs, uint32_t ret[ASYM_FAMILIES])
{
	ret[ASYM_V4] = power_of_two((pairs + PAIRS_PER_BLOCK - 1) / PAIRS_PER_BLOCK);
	ret[ASYM_V6] = MAX(ret[ASYM_V4] / 2, MIN_BLOCKS);
}

void room_blocks(uint32_t pairs, uint32_t ret[ASYM_FAMILIES])
{
	struct sysinfo machine;
	uint64_t most = UINT64_MAX;
	uint32_t n = pairs ?: ROOM_PAIRS;

	if (!pairs && !sysinfo(&machine))
		most = (uint64_t)machine.totalram * machine.mem_unit / 16;
	for (blocks_for(n, ret); room_bytes(ret) > most && n > 1; n /= 2)
		blocks_for(n / 2, ret);
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "apply/room.h"

#include "base/defs.h"
#include "bpf/abi.h"
#include <sys/sysinfo.h>

#define WAYS_PER_PAIR 4
#define MIN_BLOCKS 16u

static uint32_t power_of_two(uint32_t at_least)
{
	uint32_t n = MIN_BLOCKS;

	while (n < at_least)
		n *= 2;
	return n;
}

uint32_t room_pairs(const uint32_t blocks[ASYM_FAMILIES])
{
	return blocks[ASYM_V4] * (ASYM_WAYS4 / WAYS_PER_PAIR);
}

uint64_t room_bytes(const uint32_t blocks[ASYM_FAMILIES])
{
	return (uint64_t)blocks[ASYM_V4] * sizeof(struct asym_block4) +
	       (uint64_t)blocks[ASYM_V6] * sizeof(struct asym_block6);
}

static void blocks_for(uint32_t pairs, uint32_t ret[ASYM_FAMILIES])
{
	ret[ASYM_V4] = power_of_two(pairs / (ASYM_WAYS4 / WAYS_PER_PAIR));
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

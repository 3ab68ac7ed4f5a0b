/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the network devices of this namespace have counted; far cheaper than link_dump. */
#ifndef NL_STATS_H
#define NL_STATS_H

#include "nl/nl.h"

struct stats_device {
	uint32_t ifindex;
	uint64_t rx_bytes, tx_bytes, rx_packets, tx_packets;
};

struct stats {
	struct stats_device *devices;
	size_t n;
};

/* Adds every device; the caller frees with stats_done.  0 or -errno; what was added before an error
 * stays. */
int stats_dump(struct nl *nl, struct stats *ret);
void stats_done(struct stats *s);
/* NULL: there is no such device. */
const struct stats_device *stats_find(const struct stats *s, uint32_t ifindex);

#endif

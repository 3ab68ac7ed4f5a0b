// SPDX-License-Identifier: GPL-2.0-or-later
#include "apply/sticky.h"

#include "base/addr.h"
#include "base/defs.h"
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

/* Entries read at once; more than a hash bucket ever holds, or the kernel says ENOSPC. */
#define BATCH 4096

struct batch {
	struct asym_sticky_key keys[BATCH];
	struct asym_sticky values[BATCH];
	struct asym_sticky_key doomed[BATCH];
};

static enum asym_family family_of(const struct asym_sticky_key *key)
{
	struct in6_addr src;

	memcpy(&src, &key->src, sizeof(src));
	return addr_is_v4(&src) ? ASYM_V4 : ASYM_V6;
}

static uint32_t pick(struct batch *b, uint32_t n, const struct link_set *links)
{
	uint32_t doomed = 0;

	for (uint32_t i = 0; i < n; i++)
		if (links->has[family_of(&b->keys[i])][b->values[i].link % ASYM_LINK_IDS])
			b->doomed[doomed++] = b->keys[i];
	return doomed;
}

/* The kernel stops at the first key that is not there: an entry may have made room meanwhile. */
static int delete_keys(int map, const struct asym_sticky_key *keys, uint32_t n)
{
	while (n) {
		uint32_t done = n;
		int r = bpf_map_delete_batch(map, keys, &done, NULL) ? -errno : 0;

		if (r && r != -ENOENT)
			return r;
		done = MIN(r ? done + 1 : done, n);
		keys += done;
		n -= done;
	}
	return 0;
}

static int drop_batches(int map, struct batch *b, const struct link_set *links, size_t *n)
{
	uint32_t at = 0;
	bool more = true, first = true;
	int r = 0;

	while (!r && more) {
		uint32_t count = BATCH, doomed;

		/* ENOENT comes with the last entries */
		if (bpf_map_lookup_batch(map, first ? NULL : &at, &at, b->keys, b->values, &count,
					 NULL)) {
			if (errno != ENOENT)
				return -errno;
			more = false;
		}
		first = false;
		doomed = pick(b, count, links);
		r = delete_keys(map, b->doomed, doomed);
		*n += doomed;
	}
	return r;
}

int sticky_drop(const struct object *o, const struct link_set *links, size_t *ret_n)
{
	_cleanup_free_ struct batch *b = NULL;
	size_t n = 0;
	int r = 0;

	if (o->map[MAP_STICKY] >= 0) {
		b = malloc(sizeof(*b));
		r = b ? drop_batches(o->map[MAP_STICKY], b, links, &n) : -ENOMEM;
	}
	if (!r)
		*ret_n = n;
	return r;
}

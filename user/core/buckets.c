// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/buckets.h"

#include <string.h>

/* One link at work: how many buckets it is due, has, and where its permutation stands. */
struct filler {
	uint32_t due, has;
	uint32_t next, skip;
	uint32_t credit;
};

/* FNV-1a, 64 bits, with a final mixing so that near names land far apart. */
static uint64_t name_hash(const char *name)
{
	uint64_t h = 0xcbf29ce484222325ull;

	for (; *name; name++)
		h = (h ^ (unsigned char)*name) * 0x100000001b3ull;
	h = (h ^ (h >> 33)) * 0xff51afd7ed558ccdull;
	return h ^ (h >> 33);
}

static void filler_init(struct filler *f, const char *name, uint32_t due)
{
	uint64_t h = name_hash(name);

	*f = (struct filler){
		.due = due,
		.next = (uint32_t)(h >> 32) % ASYM_BUCKETS,
		.skip = (uint32_t)h % (ASYM_BUCKETS - 1) + 1,
	};
}

/* The share with the largest remainder that has not been rounded up yet. */
static size_t largest_remainder(const uint64_t *rest, size_t n)
{
	size_t best = 0;

	for (size_t i = 1; i < n; i++)
		if (rest[i] > rest[best])
			best = i;
	return best;
}

static void split(const struct bucket_share *shares, size_t n, uint32_t *ret_due)
{
	uint64_t total = 0, rest[ASYM_MAX_LINKS];
	uint32_t left = ASYM_BUCKETS - n;

	for (size_t i = 0; i < n; i++)
		total += shares[i].weight;
	for (size_t i = 0; i < n; i++) {
		uint64_t part = (uint64_t)(ASYM_BUCKETS - n) * shares[i].weight;

		/* one bucket each, the others by weight, so that a tiny weight is not nothing */
		ret_due[i] = 1 + part / total;
		rest[i] = part % total + 1;
		left -= part / total;
	}
	for (; left; left--) {
		size_t i = largest_remainder(rest, n);

		ret_due[i]++;
		rest[i] = 0;
	}
}

static void claim(struct asym_buckets *b, struct filler *f, uint8_t id)
{
	while (b->link[f->next])
		f->next = (f->next + f->skip) % ASYM_BUCKETS;
	b->link[f->next] = id;
	f->has++;
}

void buckets_fill(struct asym_buckets *ret, const struct bucket_share *shares, size_t n)
{
	struct filler fillers[ASYM_MAX_LINKS];
	uint32_t due[ASYM_MAX_LINKS], most = 0, filled = 0;

	memset(ret, 0, sizeof(*ret));
	if (!n)
		return;
	split(shares, n, due);
	for (size_t i = 0; i < n; i++) {
		filler_init(&fillers[i], shares[i].name, due[i]);
		most = due[i] > most ? due[i] : most;
	}
	/* links take turns in proportion to what they are due: the heaviest in every round */
	while (filled < ASYM_BUCKETS)
		for (size_t i = 0; i < n; i++) {
			struct filler *f = &fillers[i];

			f->credit += f->due;
			if (f->credit < most || f->has == f->due)
				continue;
			f->credit -= most;
			claim(ret, f, shares[i].id);
			filled++;
		}
}

unsigned int buckets_count(const struct asym_buckets *b, uint8_t id)
{
	unsigned int n = 0;

	for (size_t i = 0; i < ASYM_BUCKETS; i++)
		n += b->link[i] == id;
	return n;
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "apply/flows.h"

#include "apply/maps.h"
#include "base/defs.h"
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <time.h>

#define ASYM_INLINE static inline
#include "bpf/lib/tuple.h"

#define TRIES 8 /* to copy an entry between two writes */

static const struct {
	size_t size, block;
	int words;
} forms[ASYM_FAMILIES] = {
	[ASYM_V4] = {sizeof(struct asym_entry4), sizeof(struct asym_block4), ASYM_TUPLE_WORDS4},
	[ASYM_V6] = {sizeof(struct asym_entry6), sizeof(struct asym_block6), ASYM_TUPLE_WORDS6},
};

/* Both forms are a state, `in` and `out`, one after the other. */
_Static_assert(offsetof(struct asym_entry4, out) ==
	       sizeof(struct asym_flow_state) + ASYM_TUPLE_WORDS4 * 4, "entry4");
_Static_assert(offsetof(struct asym_entry6, out) ==
	       sizeof(struct asym_flow_state) + ASYM_TUPLE_WORDS6 * 4, "entry6");

uint32_t flows_size(const struct flows *f)
{
	return f->table[ASYM_V4].n + f->table[ASYM_V6].n;
}

/* The entry's place in memory, and its family. */
static const void *place(const struct flows *f, uint32_t position, enum asym_family *ret)
{
	*ret = position < f->table[ASYM_V4].n ? ASYM_V4 : ASYM_V6;
	if (*ret == ASYM_V6)
		position -= f->table[ASYM_V4].n;
	return (const char *)f->table[*ret].ways + position * forms[*ret].size;
}

static bool copy_once(const struct asym_flow_state *s, int words, struct flow_entry *ret)
{
	uint32_t head = __atomic_load_n(&s->head, __ATOMIC_ACQUIRE);
	const __be32 *in = (const __be32 *)(s + 1);

	ret->state = *s;
	memcpy(ret->in, in, words * sizeof(*in));
	memcpy(ret->out, in + words, words * sizeof(*in));
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	ret->state.head = head;
	return !(head & ASYM_FLOW_BUSY) && __atomic_load_n(&s->head, __ATOMIC_RELAXED) == head;
}

static uint32_t device_of(const struct flows *f, const struct asym_flow_state *s)
{
	return s->hop < f->n_hops ? f->hops[s->hop].ifindex : 0;
}

/* False: free, stale, or written to each time that we looked. */
static bool read_entry(const struct flows *f, uint32_t position, struct flow_entry *ret)
{
	enum asym_family family;
	const struct asym_flow_state *s = place(f, position, &family);
	bool copied = false;

	/* most of a table is free */
	if (!(__atomic_load_n(&s->head, __ATOMIC_RELAXED) & ASYM_FLOW_LIVE))
		return false;
	ret->words = forms[family].words;
	for (int i = 0; i < TRIES && !copied; i++)
		copied = copy_once(s, ret->words, ret);
	if (!copied || !(ret->state.head & ASYM_FLOW_LIVE) || ret->state.epoch != f->epoch)
		return false;
	ret->device = device_of(f, &ret->state);
	return true;
}

static bool is_reply(const struct flow_entry *e)
{
	return !(e->state.head & (ASYM_FLOW_ORIGINAL | ASYM_FLOW_STATELESS));
}

static uint32_t hash(const struct flows *f, const __be32 *in, int words, bool udp)
{
	return asym_tuple_hash(in, words, udp, f->seed) & f->index_mask;
}

static void index_add(struct flows *f, uint32_t position, const struct flow_entry *e)
{
	uint32_t i = hash(f, e->in, e->words, e->state.head & ASYM_FLOW_UDP);

	while (f->index[i])
		i = (i + 1) & f->index_mask;
	f->index[i] = position + 1;
}

/* Replies that may come in while we index find room, up to as many as there are now. */
static int index_alloc(struct flows *f)
{
	struct flow_entry e;
	uint32_t replies = 0, size = 1024;

	for (uint32_t i = 0; i < flows_size(f); i++)
		replies += read_entry(f, i, &e) && is_reply(&e);
	while (size / 4 < replies)
		size *= 2;
	f->index = calloc(size, sizeof(*f->index));
	f->index_mask = size - 1;
	return f->index ? 0 : -ENOMEM;
}

int flows_index(struct flows *f)
{
	struct flow_entry e;
	uint32_t left;
	int r = index_alloc(f);

	if (r)
		return r;
	/* a free slot must be left, or a search would not end */
	left = f->index_mask / 2;
	for (uint32_t i = 0; i < flows_size(f) && left; i++)
		if (read_entry(f, i, &e) && is_reply(&e)) {
			index_add(f, i, &e);
			left--;
		}
	return 0;
}

/* What was indexed may have made room for another flow since. */
static bool is_reply_to(const struct flow_entry *e, const struct flow_entry *original,
			const __be32 *in)
{
	return e->words == original->words && is_reply(e) &&
	       !((e->state.head ^ original->state.head) & ASYM_FLOW_UDP) &&
	       asym_tuple_equal(e->in, in, e->words);
}

static bool find_reply(const struct flows *f, const struct flow_entry *original,
		       struct flow_entry *ret)
{
	__be32 in[ASYM_TUPLE_MAX];
	uint32_t i;

	asym_tuple_reverse(original->out, original->words, in);
	i = hash(f, in, original->words, original->state.head & ASYM_FLOW_UDP);
	for (; f->index[i]; i = (i + 1) & f->index_mask)
		if (read_entry(f, f->index[i] - 1, ret) && is_reply_to(ret, original, in))
			return true;
	return false;
}

bool flows_get(const struct flows *f, uint32_t position, struct flow_info *ret)
{
	struct flow_entry original, reply;
	bool both;

	if (!read_entry(f, position, &original) || is_reply(&original))
		return false;
	both = !(original.state.head & ASYM_FLOW_STATELESS) && find_reply(f, &original, &reply);
	*ret = flow_info(&original, both ? &reply : NULL, &f->clock);
	return true;
}

/* The programs' maps */

static uint64_t nanoseconds(const struct timespec *t)
{
	return t->tv_sec * 1000000000ull + t->tv_nsec;
}

/* The programs write one clock after the other: a moment that is read twice is whole. */
static int read_moment(const struct object *o, struct asym_clock *ret)
{
	struct asym_clock before;
	uint32_t zero = 0;

	for (int i = 0; i < TRIES && (!i || memcmp(&before, ret, sizeof(before))); i++) {
		before = *ret;
		if (bpf_map_lookup_elem(o->map[MAP_CLOCK], &zero, ret))
			return -errno;
	}
	return 0;
}

int flows_clock(const struct object *o, struct flow_clock *ret)
{
	struct timespec now, resolution;
	struct asym_clock c = {};
	int r = read_moment(o, &c);

	if (r)
		return r;
	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	clock_getres(CLOCK_MONOTONIC_COARSE, &resolution);
	*ret = flow_clock_at(&c, nanoseconds(&now), nanoseconds(&resolution));
	return 0;
}

/* Maps an array's values, which must have this size. */
static int map_values(int fd, size_t size, const void **ret, uint32_t *ret_n, size_t *ret_mapped)
{
	size_t page = sysconf(_SC_PAGESIZE);
	struct bpf_map_info info = {};
	uint32_t len = sizeof(info);
	size_t bytes;
	void *p;

	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		return -errno;
	if (info.value_size != size)
		return -EPROTO;
	bytes = (info.max_entries * size + page - 1) / page * page;
	p = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return -errno;
	*ret = p;
	*ret_n = info.max_entries;
	*ret_mapped = bytes;
	return 0;
}

static int map_table(int fd, enum asym_family family, struct flows_table *ret)
{
	int r = map_values(fd, forms[family].block, &ret->ways, &ret->n, &ret->mapped);

	ret->n *= forms[family].block / forms[family].size;
	return r;
}

static int open_maps(const struct object *o, struct flows *f)
{
	struct asym_control control;
	int r = maps_control(o, &control);

	r = r ?: map_table(o->map[MAP_FLOWS4], ASYM_V4, &f->table[ASYM_V4]);
	r = r ?: map_table(o->map[MAP_FLOWS6], ASYM_V6, &f->table[ASYM_V6]);
	r = r ?: map_values(o->map[MAP_HOPS], sizeof(*f->hops), (const void **)&f->hops,
			    &f->n_hops, &f->hops_mapped);
	r = r ?: flows_clock(o, &f->clock);
	if (!r)
		f->epoch = control.epoch;
	return r;
}

int flows_map(const struct object *o, struct flows *ret)
{
	int r;

	memset(ret, 0, sizeof(*ret));
	if (!o->fastpath)
		return -ENOENT;
	r = open_maps(o, ret);
	if (r)
		flows_close(ret);
	return r;
}

int flows_open(const struct object *o, struct flows *ret)
{
	int r = flows_map(o, ret);

	if (r)
		return r;
	/* or somebody could choose ports that all fall into one place of the index */
	if (getrandom(&ret->seed, sizeof(ret->seed), 0) != sizeof(ret->seed))
		r = -EIO;
	r = r ?: flows_index(ret);
	if (r)
		flows_close(ret);
	return r;
}

int flows_written(const struct object *o, uint32_t ret[static ASYM_WRITTEN / 32])
{
	_cleanup_free_ uint32_t *keys = malloc(ASYM_WRITTEN / 32 * sizeof(*keys));
	uint32_t n = ASYM_WRITTEN / 32, next;

	if (!keys)
		return -ENOMEM;
	return bpf_map_lookup_batch(o->map[MAP_WRITTEN], NULL, &next, keys, ret, &n, NULL) ? -errno :
											    0;
}

void flows_close(struct flows *f)
{
	for (int i = 0; i < ASYM_FAMILIES; i++)
		if (f->table[i].mapped)
			munmap((void *)f->table[i].ways, f->table[i].mapped);
	if (f->hops_mapped)
		munmap((void *)f->hops, f->hops_mapped);
	free(f->index);
	memset(f, 0, sizeof(*f));
}

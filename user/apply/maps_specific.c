// SPDX-License-Identifier: GPL-2.0-or-later
#include "apply/maps_specific.h"

#include "base/defs.h"
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

struct list {
	struct prefix *items;
	size_t n;
};

static void list_done(struct list *l)
{
	free(l->items);
}
#define _cleanup_list_ _cleanup_(list_done)

struct asym_set_key maps_set_key(uint32_t bank, size_t set, const struct prefix *prefix)
{
	struct asym_set_key key = {
		.prefixlen = ASYM_SET_BITS + prefix->len,
		.set = htonl(ASYM_SET_NUMBER(bank, set)),
	};

	memcpy(&key.addr, &prefix->addr, sizeof(key.addr));
	return key;
}

static int list_add(struct list *l, const struct asym_set_key *key)
{
	struct prefix *to = ARRAY_ADD(l->items, l->n);

	if (!to)
		return -ENOMEM;
	*to = (struct prefix){.len = key->prefixlen - ASYM_SET_BITS};
	memcpy(&to->addr, &key->addr, sizeof(to->addr));
	return 0;
}

/*
 * The trie of all sets is walked in postorder (kernel/bpf/lpm_trie.c, trie_get_next_key), so the
 * prefixes of one set are beside each other, and the first would be "::".  It is put there to begin at,
 * for a moment: no packet has that destination.  The other sets may have millions of prefixes.
 */
static int read_set(int map, uint32_t bank, struct list *ret)
{
	static const struct prefix none = {.len = 128};
	struct asym_set_key start = maps_set_key(bank, ASYM_SET_SPECIFIC, &none), key = start;
	uint8_t present = 1;
	int r = bpf_map_update_elem(map, &start, &present, BPF_ANY) ? -errno : 0;

	while (!r && !bpf_map_get_next_key(map, &key, &key) && key.set == start.set)
		r = list_add(ret, &key);
	bpf_map_delete_elem(map, &start);
	return r;
}

static int order(const void *a, const void *b)
{
	const struct prefix *x = a, *y = b;
	int r = memcmp(&x->addr, &y->addr, sizeof(x->addr));

	return r ?: x->len - y->len;
}

/* Sorted, and each once: main may have many routes to one destination. */
static int sorted(const struct prefix *items, size_t n, struct list *ret)
{
	size_t kept = 0;

	ret->items = malloc((n + 1) * sizeof(*items));
	if (!ret->items)
		return -ENOMEM;
	if (n)
		memcpy(ret->items, items, n * sizeof(*items));
	qsort(ret->items, n, sizeof(*items), order);
	for (size_t i = 0; i < n; i++)
		if (!kept || order(&ret->items[kept - 1], &ret->items[i]))
			ret->items[kept++] = ret->items[i];
	ret->n = kept;
	return 0;
}

static int put(int map, uint32_t bank, const struct prefix *prefix)
{
	struct asym_set_key key = maps_set_key(bank, ASYM_SET_SPECIFIC, prefix);
	uint8_t present = 1;

	return bpf_map_update_elem(map, &key, &present, BPF_ANY) ? -errno : 0;
}

static int drop(int map, uint32_t bank, const struct prefix *prefix)
{
	struct asym_set_key key = maps_set_key(bank, ASYM_SET_SPECIFIC, prefix);

	return bpf_map_delete_elem(map, &key) && errno != ENOENT ? -errno : 0;
}

/* Both sorted. */
static int turn_into(int map, uint32_t bank, const struct list *have, const struct list *want,
		     size_t *n)
{
	size_t h = 0, w = 0;
	int r = 0;

	while (!r && (h < have->n || w < want->n)) {
		int side = h == have->n	  ? 1
			   : w == want->n ? -1
					  : order(&have->items[h], &want->items[w]);

		if (side < 0)
			r = drop(map, bank, &have->items[h]);
		else if (side > 0)
			r = put(map, bank, &want->items[w]);
		*n += side != 0;
		h += side <= 0;
		w += side >= 0;
	}
	return r;
}

static bool is_same(const struct plan *a, const struct plan *b)
{
	if (!b || a->n_specific != b->n_specific)
		return false;
	for (size_t i = 0; i < a->n_specific; i++)
		if (order(&a->specific[i], &b->specific[i]))
			return false;
	return true;
}

int maps_specific_update(const struct object *o, const struct plan *p, const struct plan *old,
			 uint32_t bank, size_t *ret_written)
{
	_cleanup_list_ struct list present = {}, have = {}, want = {};
	int map = o->map[MAP_SETS], r = 0;

	*ret_written = 0;
	if (is_same(p, old))
		return 0;
	if (!old)
		r = read_set(map, bank, &present);
	if (!r && old)
		r = sorted(old->specific, old->n_specific, &have);
	else if (!r)
		r = sorted(present.items, present.n, &have);
	r = r ?: sorted(p->specific, p->n_specific, &want);
	return r ?: turn_into(map, bank, &have, &want, ret_written);
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "apply/maps_owners.h"

#include "base/defs.h"
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MAX_OWNERS (ASYM_OWNERS / ASYM_BANKS)

struct item {
	struct asym_owner_key key;
	struct asym_owner owner;
};

struct list {
	struct item *items;
	size_t n;
};

static void list_done(struct list *l)
{
	free(l->items);
}
#define _cleanup_list_ _cleanup_(list_done)

static int add(struct list *l, uint32_t bank, enum asym_owner_kind kind, const void *value,
	       size_t size, const struct asym_owner *owner)
{
	struct item *to = ARRAY_ADD(l->items, l->n);

	if (!to)
		return -ENOMEM;
	*to = (struct item){.key = {.bank = bank, .kind = kind}, .owner = *owner};
	memcpy(to->key.value, value, size);
	return 0;
}

static int add_owner(struct list *l, const struct plan *p, const struct plan_owner *from,
		     uint32_t bank)
{
	struct asym_owner owner = {
		.ifindex = from->ifindex,
		.link = from->link,
		.watch = p->model->dhcp == DHCP_SHIM,
	};
	uint32_t addr = from->addr.s6_addr32[3];
	int r = 0;

	memcpy(owner.mac, from->mac, sizeof(owner.mac));
	if (addr)
		r = add(l, bank, ASYM_OWNER_ADDR, &addr, sizeof(addr), &owner);
	owner.ifindex = from->shared_mac ? 0 : from->ifindex;
	return r ?: add(l, bank, ASYM_OWNER_MAC, from->mac, sizeof(from->mac), &owner);
}

static int order(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	if (x->key.kind != y->key.kind)
		return x->key.kind == ASYM_OWNER_MAC ? -1 : 1;
	return memcmp(x->key.value, y->key.value, sizeof(x->key.value));
}

/* Two providers may well give the same private address: then the MAC has to tell. */
static void keep_unambiguous(struct list *l)
{
	size_t kept = 0, next;

	for (size_t i = 0; i < l->n; i = next) {
		struct item *to = &l->items[kept];
		bool one = true;

		for (next = i + 1; next < l->n && !order(&l->items[i], &l->items[next]); next++)
			one &= l->items[i].owner.ifindex == l->items[next].owner.ifindex;
		*to = l->items[i];
		if (!one)
			to->owner.ifindex = 0;
		kept += to->key.kind == ASYM_OWNER_MAC || to->owner.ifindex;
	}
	l->n = MIN(kept, (size_t)MAX_OWNERS);
}

/* Sorted, each key once. */
static int list_owners(const struct plan *p, uint32_t bank, struct list *ret)
{
	int r = 0;

	for (size_t i = 0; p && i < p->n_owners && !r; i++)
		if (p->owners[i].ifindex)
			r = add_owner(ret, p, &p->owners[i], bank);
	if (r || !ret->n)
		return r;
	qsort(ret->items, ret->n, sizeof(*ret->items), order);
	keep_unambiguous(ret);
	return 0;
}

static bool has(const struct list *l, const struct asym_owner_key *key)
{
	const struct item want = {.key = *key};

	return l->n && bsearch(&want, l->items, l->n, sizeof(*l->items), order);
}

/* The next key is asked for before a deletion: from one that is gone the walk would begin anew. */
static size_t drop_others(int map, uint32_t bank, const struct list *l)
{
	struct asym_owner_key key, next;
	int more = !bpf_map_get_next_key(map, NULL, &key);
	size_t n = 0;

	while (more) {
		more = !bpf_map_get_next_key(map, &key, &next);
		if (key.bank == bank && !has(l, &key))
			n += !bpf_map_delete_elem(map, &key);
		key = next;
	}
	return n;
}

static int put(int map, const struct item *item, size_t *n)
{
	struct asym_owner present;

	if (!bpf_map_lookup_elem(map, &item->key, &present) &&
	    !memcmp(&present, &item->owner, sizeof(present)))
		return 0;
	++*n;
	return bpf_map_update_elem(map, &item->key, &item->owner, BPF_ANY) ? -errno : 0;
}

int maps_owners_update(const struct object *o, const struct plan *p, uint32_t bank,
		       size_t *ret_written)
{
	_cleanup_list_ struct list l = {};
	int map = o->map[MAP_OWNERS], r = list_owners(p, bank, &l);
	size_t n;

	if (r)
		return r;
	n = drop_others(map, bank, &l);
	for (size_t i = 0; i < l.n && !r; i++)
		r = put(map, &l.items[i], &n);
	*ret_written = n;
	return r;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* A plan into a bank: whole, or what differs. */
#include "apply/maps.h"

#include "apply/maps_owners.h"
#include "apply/maps_specific.h"
#include "base/defs.h"
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>

/* A bank being written: the first error sticks, with the map's name. */
struct writer {
	const struct object *o;
	uint32_t bank;
	bool compare;	/* what is there already is not written */
	size_t written; /* elements */
	int err;
	enum object_map where;
};

static bool is_there(const struct writer *w, enum object_map map, const void *key,
		     const void *value, size_t size)
{
	struct asym_buckets present;
	_Static_assert(sizeof(present) >= sizeof(struct asym_rule), "the largest value");

	return !bpf_map_lookup_elem(w->o->map[map], key, &present) &&
	       !memcmp(&present, value, size);
}

static void put(struct writer *w, enum object_map map, const void *key, const void *value,
		size_t size)
{
	if (w->err || (w->compare && is_there(w, map, key, value, size)))
		return;
	w->written++;
	if (!bpf_map_update_elem(w->o->map[map], key, value, BPF_ANY))
		return;
	w->err = -errno;
	w->where = map;
}

static void put_at(struct writer *w, enum object_map map, uint32_t index, const void *value,
		   size_t size)
{
	put(w, map, &index, value, size);
}

static void clear_hits(struct writer *w, const struct plan *p)
{
	struct asym_hits *zero = calloc(libbpf_num_possible_cpus(), sizeof(*zero));

	for (uint32_t i = 0; zero && i < p->config.rules; i++)
		put_at(w, MAP_HITS, w->bank * ASYM_MAX_RULES + i, zero, 0);
	free(zero);
}

static void write_rules(struct writer *w, const struct plan *p)
{
	for (uint32_t i = 0; i < p->config.rules; i++)
		put_at(w, MAP_RULES, w->bank * ASYM_MAX_RULES + i, &p->bpf_rules[i],
		       sizeof(p->bpf_rules[i]));
}

static void write_policies(struct writer *w, const struct plan *p)
{
	for (uint32_t i = 0; i < p->model->n_policies; i++) {
		uint32_t slot = w->bank * ASYM_MAX_POLICIES + i;

		put_at(w, MAP_POLICIES, slot, &p->policies[i], sizeof(p->policies[i]));
		for (uint32_t f = 0; f < ASYM_FAMILIES; f++)
			put_at(w, MAP_BUCKETS, slot * ASYM_FAMILIES + f, &p->buckets[i][f],
			       sizeof(p->buckets[i][f]));
	}
}

static uint8_t fastpath_if(bool on)
{
	return on ? ASYM_FASTPATH_ON : ASYM_FASTPATH_OFF;
}

static struct asym_device link_device(const struct plan_link *l)
{
	bool on = !l->ingress_filters && l->conf->fastpath != ASYM_FASTPATH_OFF;

	return (struct asym_device){l->id, l->reply, .fastpath = fastpath_if(on)};
}

static void put_device(struct writer *w, uint32_t ifindex, const struct asym_device *value)
{
	struct asym_device_key key = {w->bank, ifindex};

	if (ifindex)
		put(w, MAP_DEVICES, &key, value, sizeof(*value));
}

/* LANs that nobody named may be more than there is room for; what arrives there is not cached. */
static size_t lans_that_fit(const struct plan *p)
{
	return MIN(p->n_lans, (size_t)MODEL_MAX_LANS);
}

static void write_devices(struct writer *w, const struct plan *p)
{
	for (size_t i = 0; i < p->n_links; i++) {
		struct asym_device value = link_device(&p->links[i]);

		put_device(w, p->links[i].ifindex, &value);
	}
	for (size_t i = 0; i < lans_that_fit(p); i++) {
		const struct plan_lan *l = &p->lans[i];
		struct asym_device value = {.fastpath = fastpath_if(!l->ingress_filters)};

		put_device(w, l->ifindex, &value);
	}
}

static void write_links(struct writer *w, const struct plan *p)
{
	struct asym_link links[ASYM_LINK_IDS] = {};

	for (size_t i = 0; i < p->n_links; i++) {
		struct asym_link *link = &links[p->links[i].id];

		link->fastpath = p->links[i].conf->fastpath;
		memcpy(link->addr, p->links[i].addr, sizeof(link->addr));
	}
	for (uint32_t id = 0; id < ASYM_LINK_IDS; id++)
		put_at(w, MAP_LINKS, w->bank * ASYM_LINK_IDS + id, &links[id], sizeof(links[id]));
}

static void write_set(struct writer *w, size_t n, const struct prefix *prefixes, size_t count)
{
	static const uint8_t present = 1;

	for (size_t i = 0; i < count && !w->err; i++) {
		struct asym_set_key key = maps_set_key(w->bank, n, &prefixes[i]);

		put(w, MAP_SETS, &key, &present, sizeof(present));
	}
}

static void write_sets(struct writer *w, const struct plan *p)
{
	for (size_t i = 0; i < p->model->n_sets; i++)
		write_set(w, i, p->model->sets[i].prefixes, p->model->sets[i].n);
	write_set(w, ASYM_SET_SPECIFIC, p->specific, p->n_specific);
}

static void write_owners(struct writer *w, const struct plan *p)
{
	size_t n = 0;
	int r = w->err ? 0 : maps_owners_update(w->o, p, w->bank, &n);

	w->written += n;
	if (!r)
		return;
	w->err = r;
	w->where = MAP_OWNERS;
}

static int end(const struct writer *w, char *error, size_t size)
{
	if (w->err)
		snprintf(error, size, "map %s", object_map_names[w->where]);
	return w->err;
}

int maps_write(const struct object *o, const struct plan *p, uint32_t bank, char *error,
	       size_t size)
{
	struct writer w = {.o = o, .bank = bank};

	maps_clear(o, bank);
	put_at(&w, MAP_CONFIG, bank, &p->config, sizeof(p->config));
	write_rules(&w, p);
	clear_hits(&w, p);
	write_policies(&w, p);
	write_devices(&w, p);
	write_links(&w, p);
	write_owners(&w, p);
	write_sets(&w, p);
	return end(&w, error, size);
}

int maps_update_policies(const struct object *o, const struct plan *p, uint32_t bank,
			 size_t *ret_written, char *error, size_t size)
{
	struct writer w = {.o = o, .bank = bank, .compare = true};

	write_policies(&w, p);
	*ret_written = w.written;
	return end(&w, error, size);
}

static bool has_device(const struct plan *p, uint32_t ifindex)
{
	for (size_t i = 0; i < p->n_links; i++)
		if (p->links[i].ifindex == ifindex)
			return true;
	for (size_t i = 0; i < lans_that_fit(p); i++)
		if (p->lans[i].ifindex == ifindex)
			return true;
	return false;
}

/* Deletes a bank's devices that the plan (NULL: all) has not.  Returns how many.  The next key is asked
 * for before a deletion: from one that is gone the walk would begin anew. */
static size_t drop_devices(const struct object *o, uint32_t bank, const struct plan *p)
{
	struct asym_device_key key, next;
	int more = !bpf_map_get_next_key(o->map[MAP_DEVICES], NULL, &key);
	size_t n = 0;

	while (more) {
		more = !bpf_map_get_next_key(o->map[MAP_DEVICES], &key, &next);
		if (key.bank == bank && !(p && has_device(p, key.ifindex)))
			n += !bpf_map_delete_elem(o->map[MAP_DEVICES], &key);
		key = next;
	}
	return n;
}

int maps_update(const struct object *o, const struct plan *p, const struct plan *old,
		uint32_t bank, size_t *ret_written, char *error, size_t size)
{
	struct writer w = {.o = o, .bank = bank, .compare = true};
	size_t specific = 0;

	put_at(&w, MAP_CONFIG, bank, &p->config, sizeof(p->config));
	w.written += drop_devices(o, bank, p);
	write_devices(&w, p);
	write_links(&w, p);
	write_owners(&w, p);
	write_rules(&w, p);
	write_policies(&w, p);
	if (!w.err) {
		w.err = maps_specific_update(o, p, old, bank, &specific);
		w.where = MAP_SETS;
	}
	*ret_written = w.written + specific;
	return end(&w, error, size);
}

/* A trie is walked from its deepest prefixes up. */
static void clear_sets(const struct object *o, uint32_t bank)
{
	struct asym_set_key key, next;
	int more = !bpf_map_get_next_key(o->map[MAP_SETS], NULL, &key);

	while (more) {
		more = !bpf_map_get_next_key(o->map[MAP_SETS], &key, &next);
		if (ntohl(key.set) / ASYM_SETS == bank)
			bpf_map_delete_elem(o->map[MAP_SETS], &key);
		key = next;
	}
}

void maps_clear(const struct object *o, uint32_t bank)
{
	size_t n;

	drop_devices(o, bank, NULL);
	maps_owners_update(o, NULL, bank, &n);
	clear_sets(o, bank);
}

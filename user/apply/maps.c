// SPDX-License-Identifier: GPL-2.0-or-later
#include "apply/maps.h"

#include "base/defs.h"
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <time.h>

/* A bank being written: the first error sticks, with the map's name. */
struct writer {
	const struct object *o;
	uint32_t bank;
	int err;
	enum object_map where;
};

static void put(struct writer *w, enum object_map map, const void *key, const void *value)
{
	if (w->err || !bpf_map_update_elem(w->o->map[map], key, value, BPF_ANY))
		return;
	w->err = -errno;
	w->where = map;
}

static void put_at(struct writer *w, enum object_map map, uint32_t index, const void *value)
{
	put(w, map, &index, value);
}

int maps_control(const struct object *o, struct asym_control *ret)
{
	uint32_t zero = 0;

	return bpf_map_lookup_elem(o->map[MAP_CONTROL], &zero, ret) ? -errno : 0;
}

uint32_t maps_idle_bank(const struct object *o)
{
	struct asym_control control;

	if (maps_control(o, &control) || !control.abi)
		return 0;
	return !control.bank;
}

static void write_rules(struct writer *w, const struct plan *p)
{
	struct asym_hits *zero = calloc(libbpf_num_possible_cpus(), sizeof(*zero));

	for (uint32_t i = 0; i < p->config.rules; i++) {
		put_at(w, MAP_RULES, w->bank * ASYM_MAX_RULES + i, &p->bpf_rules[i]);
		if (zero)
			put_at(w, MAP_HITS, w->bank * ASYM_MAX_RULES + i, zero);
	}
	free(zero);
}

static void write_policies(struct writer *w, const struct plan *p)
{
	for (uint32_t i = 0; i < p->model->n_policies; i++) {
		uint32_t slot = w->bank * ASYM_MAX_POLICIES + i;

		put_at(w, MAP_POLICIES, slot, &p->policies[i]);
		for (uint32_t f = 0; f < ASYM_FAMILIES; f++)
			put_at(w, MAP_BUCKETS, slot * ASYM_FAMILIES + f, &p->buckets[i][f]);
	}
}

static void put_device(struct writer *w, uint32_t ifindex, const struct asym_device *value)
{
	struct asym_device_key key = {w->bank, ifindex};

	if (ifindex)
		put(w, MAP_DEVICES, &key, value);
}

static uint8_t fastpath_if(bool on)
{
	return on ? ASYM_FASTPATH_ON : ASYM_FASTPATH_OFF;
}

/* LANs that nobody named may be more than there is room for; what arrives there is not cached. */
static void write_devices(struct writer *w, const struct plan *p)
{
	for (size_t i = 0; i < p->n_links; i++) {
		const struct plan_link *l = &p->links[i];
		bool on = !l->ingress_filters && l->conf->fastpath != ASYM_FASTPATH_OFF;
		struct asym_device value = {l->id, l->reply, .fastpath = fastpath_if(on)};

		put_device(w, l->ifindex, &value);
	}
	for (size_t i = 0; i < p->n_lans && i < MODEL_MAX_LANS; i++) {
		const struct plan_lan *l = &p->lans[i];
		struct asym_device value = {.fastpath = fastpath_if(!l->ingress_filters)};

		put_device(w, l->ifindex, &value);
	}
}

static struct asym_set_key set_key(uint32_t bank, size_t set, const struct prefix *prefix)
{
	struct asym_set_key key = {
		.prefixlen = ASYM_SET_BITS + prefix->len,
		.set = htonl(ASYM_SET_NUMBER(bank, set)),
	};

	memcpy(&key.addr, &prefix->addr, sizeof(key.addr));
	return key;
}

static void write_set(struct writer *w, size_t n, const struct prefix *prefixes, size_t count)
{
	static const uint8_t present = 1;

	for (size_t i = 0; i < count && !w->err; i++) {
		struct asym_set_key key = set_key(w->bank, n, &prefixes[i]);

		put(w, MAP_SETS, &key, &present);
	}
}

static void write_sets(struct writer *w, const struct plan *p)
{
	for (size_t i = 0; i < p->model->n_sets; i++)
		write_set(w, i, p->model->sets[i].prefixes, p->model->sets[i].n);
	write_set(w, ASYM_SET_SPECIFIC, p->specific, p->n_specific);
}

static void write_links(struct writer *w, const struct plan *p)
{
	static const struct asym_link none;

	for (uint32_t id = 0; id < ASYM_LINK_IDS; id++)
		put_at(w, MAP_LINKS, w->bank * ASYM_LINK_IDS + id, &none);
	for (size_t i = 0; i < p->n_links; i++) {
		struct asym_link link = {.fastpath = p->links[i].conf->fastpath};

		memcpy(link.addr, p->links[i].addr, sizeof(link.addr));
		put_at(w, MAP_LINKS, w->bank * ASYM_LINK_IDS + p->links[i].id, &link);
	}
}

int maps_write(const struct object *o, const struct plan *p, uint32_t bank, char *error,
	       size_t size)
{
	struct writer w = {.o = o, .bank = bank};

	maps_clear(o, bank);
	put_at(&w, MAP_CONFIG, bank, &p->config);
	write_rules(&w, p);
	write_policies(&w, p);
	write_devices(&w, p);
	write_links(&w, p);
	write_sets(&w, p);
	if (w.err)
		snprintf(error, size, "map %s", object_map_names[w.where]);
	return w.err;
}

int maps_switch(const struct object *o, uint64_t cookie, uint32_t bank)
{
	struct asym_control control = {.abi = ASYM_ABI, .bank = bank, .netns_cookie = cookie};
	struct asym_control old;
	uint32_t zero = 0;

	control.epoch = maps_control(o, &old) ? 1 : old.epoch + 1;
	return bpf_map_update_elem(o->map[MAP_CONTROL], &zero, &control, BPF_ANY) ? -errno : 0;
}

bool maps_caches(const struct object *o, uint32_t bank, uint32_t ifindex)
{
	struct asym_device_key key = {bank, ifindex};
	struct asym_device value;

	return !bpf_map_lookup_elem(o->map[MAP_DEVICES], &key, &value) &&
	       value.fastpath == ASYM_FASTPATH_ON;
}

static void clear_devices(const struct object *o, uint32_t bank)
{
	struct asym_device_key key, next, *last = NULL;

	while (!bpf_map_get_next_key(o->map[MAP_DEVICES], last, &next)) {
		if (last && key.bank == bank)
			bpf_map_delete_elem(o->map[MAP_DEVICES], &key);
		key = next;
		last = &key;
	}
	if (last && key.bank == bank)
		bpf_map_delete_elem(o->map[MAP_DEVICES], &key);
}

/* A trie is walked from its deepest prefixes up; the next key is asked for before a deletion. */
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
	clear_devices(o, bank);
	clear_sets(o, bank);
}

int maps_counters(const struct object *o, uint64_t *ret)
{
	int cpus = libbpf_num_possible_cpus();
	_cleanup_free_ uint64_t *values = calloc(MAX(cpus, 1), sizeof(*values));

	if (!values)
		return -ENOMEM;
	for (uint32_t i = 0; i < ASYM_REASON_MAX; i++) {
		if (bpf_map_lookup_elem(o->map[MAP_COUNTERS], &i, values))
			return -errno;
		ret[i] = 0;
		for (int cpu = 0; cpu < cpus; cpu++)
			ret[i] += values[cpu];
	}
	return 0;
}

int maps_hits(const struct object *o, uint32_t bank, struct asym_hits *ret)
{
	int cpus = libbpf_num_possible_cpus();
	_cleanup_free_ struct asym_hits *values = calloc(MAX(cpus, 1), sizeof(*values));

	if (!values)
		return -ENOMEM;
	for (uint32_t i = 0; i < ASYM_MAX_RULES; i++) {
		uint32_t slot = bank * ASYM_MAX_RULES + i;

		if (bpf_map_lookup_elem(o->map[MAP_HITS], &slot, values))
			return -errno;
		ret[i] = (struct asym_hits){0};
		for (int cpu = 0; cpu < cpus; cpu++) {
			ret[i].packets += values[cpu].packets;
			ret[i].bytes += values[cpu].bytes;
		}
	}
	return 0;
}

int maps_sticky(const struct object *o, const struct asym_sticky_key *key, struct asym_sticky *ret)
{
	struct timespec now;

	if (bpf_map_lookup_elem(o->map[MAP_STICKY], key, ret))
		return -errno;
	clock_gettime(CLOCK_MONOTONIC, &now);
	if ((uint64_t)now.tv_sec * 1000000000 + now.tv_nsec - ret->seen_ns >
	    ret->timeout_s * 1000000000ull)
		return -ENOENT;
	return 0;
}

size_t maps_sticky_count(const struct object *o)
{
	struct asym_sticky_key key, *last = NULL;
	size_t n = 0;

	while (!bpf_map_get_next_key(o->map[MAP_STICKY], last, &key)) {
		last = &key;
		n++;
	}
	return n;
}

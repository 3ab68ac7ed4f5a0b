// SPDX-License-Identifier: GPL-2.0-or-later
/* What the overlay's programs do with flows to a node, of a plan: pure. */
#include "apply/overlay_node.h"

#include "base/defs.h"
#include <string.h>

/* A GSO packet is charged at once, and a fifth of a second at full rate is a burst. */
#define BURST_LEAST 131072u
#define BURSTS_PER_S 5

static bool is_alive(uint32_t alive, uint8_t way)
{
	return way < OV_WAYS && alive >> way & 1;
}

/* Sum of the weights of those that live. */
static uint32_t weights(const struct mesh_wish *w, uint32_t alive)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < w->n_own; i++)
		sum += is_alive(alive, w->order[i]) ? w->weight[i] : 0;
	return sum;
}

static uint8_t best_way(const struct mesh_wish *w, uint32_t alive)
{
	for (size_t i = 0; i < w->n; i++)
		if (is_alive(alive, w->order[i]))
			return w->order[i];
	return w->n ? w->order[0] : 0;
}

/* The way in whose part of the sum the middle of the nth of `slots` lies. */
static uint8_t weighed_way(const struct mesh_wish *w, uint32_t alive, uint32_t nth, uint32_t slots)
{
	uint32_t at = (2 * nth + 1) * weights(w, alive) / (2 * slots), sum = 0;

	for (size_t i = 0; i < w->n_own; i++) {
		sum += is_alive(alive, w->order[i]) ? w->weight[i] : 0;
		if (at < sum)
			return w->order[i];
	}
	return best_way(w, alive);
}

void overlay_spread(const struct mesh_wish *w, uint32_t alive, uint8_t ret[OV_SPREAD])
{
	uint32_t orphans = 0, nth = 0;

	if (!weights(w, alive)) {
		memset(ret, best_way(w, alive), OV_SPREAD);
		return;
	}
	for (uint32_t i = 0; i < OV_SPREAD; i++) {
		ret[i] = weighed_way(w, UINT32_MAX, i, OV_SPREAD);
		orphans += !is_alive(alive, ret[i]);
	}
	for (uint32_t i = 0; i < OV_SPREAD; i++)
		if (!is_alive(alive, ret[i]))
			ret[i] = weighed_way(w, alive, nth++, orphans);
}

uint8_t overlay_spill(const struct mesh_target *t, uint32_t alive)
{
	const struct mesh_wish *wishes[] = {&t->bulk, &t->paths};

	for (size_t i = 0; i < ARRAY_SIZE(wishes); i++)
		for (size_t k = 0; k < wishes[i]->n; k++) {
			uint8_t way = wishes[i]->order[k];

			if (is_alive(alive, way) && !t->ways[way].metered)
				return way;
		}
	return OV_WAYS;
}

/* Nothing is measured yet: who is wished for first is taken for faster, by no more than makes an
 * order. */
static void rank_ways(const struct mesh_target *t, struct ov_node *n)
{
	uint32_t rank = 0;
	bool seen[OV_WAYS] = {};
	const struct mesh_wish *wishes[] = {&t->paths, &t->bulk};

	for (size_t i = 0; i < ARRAY_SIZE(wishes); i++)
		for (size_t k = 0; k < wishes[i]->n; k++) {
			uint8_t way = wishes[i]->order[k];

			if (!seen[way])
				n->way[way].delay_us = rank++;
			seen[way] = true;
		}
}

static uint32_t fill_ways(const struct mesh_target *t, const uint32_t *ifindex, struct ov_node *n)
{
	uint32_t there = 0;

	n->n_ways = MIN(t->n, (size_t)OV_WAYS);
	for (uint8_t i = 0; i < n->n_ways; i++) {
		uint16_t tunnel = t->ways[i].tunnel;

		n->way[i].ifindex = tunnel == MESH_TUNNEL_NONE ? 0 : ifindex[tunnel];
		n->way[i].metered = t->ways[i].metered;
		there |= n->way[i].ifindex ? 1u << i : 0;
	}
	return there;
}

static void fill_rate(const struct mesh_target *t, struct ov_node *n)
{
	n->rate = t->rate_bps / 8;
	n->burst = n->rate ? MAX(n->rate / BURSTS_PER_S, (uint64_t)BURST_LEAST) : 0;
}

void overlay_node_of(const struct mesh_plan *p, const struct mesh_target *t,
		     const uint32_t *ifindex_of_tunnels, struct ov_node *ret)
{
	struct ov_node n = {};
	uint32_t there = fill_ways(t, ifindex_of_tunnels, &n);

	n.direct = t->direct == MESH_TUNNEL_NONE ? 0 : ifindex_of_tunnels[t->direct];
	n.spill = overlay_spill(t, there);
	rank_ways(t, &n);
	overlay_spread(&t->paths, there, n.thin);
	overlay_spread(t->bulk.n ? &t->bulk : &t->paths, there, n.thick);
	fill_rate(t, &n);
	*ret = n;
}

/* -------- what was chosen before */

struct keep {
	const struct mesh_target *t, *t_was;
	const struct ov_node *was;
	struct ov_node *n;
	uint8_t now[OV_WAYS]; /* index of a way that was; OV_WAYS: it has gone */
	uint32_t alive;
};

static void match_ways(struct keep *k)
{
	memset(k->now, OV_WAYS, sizeof(k->now));
	for (uint8_t i = 0; i < k->n->n_ways; i++) {
		for (uint8_t j = 0; j < k->was->n_ways && j < k->t_was->n; j++) {
			if (strcmp(k->t->ways[i].name, k->t_was->ways[j].name) ||
			    k->n->way[i].ifindex != k->was->way[j].ifindex)
				continue;
			k->now[j] = i;
			k->n->way[i].dead = k->was->way[j].dead;
			k->n->way[i].delay_us = k->was->way[j].delay_us;
		}
		k->alive |= k->n->way[i].ifindex && !k->n->way[i].dead ? 1u << i : 0;
	}
}

static bool is_same_wish(const struct keep *k, const struct mesh_wish *a, const struct mesh_wish *b)
{
	if (a->n != b->n || a->n_own != b->n_own || a->automatic != b->automatic)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (a->order[i] != k->now[b->order[i] % OV_WAYS] || a->weight[i] != b->weight[i])
			return false;
	return true;
}

/* What is measured is the better choice, of whatever list. */
static bool may_keep(const struct keep *k, const struct mesh_wish *w, const struct mesh_wish *was,
		     const uint8_t chosen[OV_SPREAD])
{
	for (size_t i = 0; i < OV_SPREAD; i++)
		if (!is_alive(k->alive, k->now[chosen[i] % OV_WAYS]))
			return false;
	return is_same_wish(k, w, was) ||
	       (w->automatic && was->automatic &&
		memchr(w->order, k->now[chosen[0] % OV_WAYS], w->n_own));
}

static void keep_table(const struct keep *k, const struct mesh_wish *w, const struct mesh_wish *was,
		       const uint8_t chosen[OV_SPREAD], uint8_t ret[OV_SPREAD])
{
	if (!may_keep(k, w, was, chosen)) {
		overlay_spread(w, k->alive, ret);
		return;
	}
	for (size_t i = 0; i < OV_SPREAD; i++)
		ret[i] = k->now[chosen[i] % OV_WAYS];
}

static const struct mesh_wish *thick_wish(const struct mesh_target *t)
{
	return t->bulk.n ? &t->bulk : &t->paths;
}

void overlay_node_keep(const struct mesh_target *t, const struct mesh_target *t_was,
		       const struct ov_node *was, struct ov_node *n)
{
	struct keep k = {.t = t, .t_was = t_was, .was = was, .n = n};

	match_ways(&k);
	if (!k.alive)
		return;
	keep_table(&k, &t->paths, &t_was->paths, was->thin, n->thin);
	keep_table(&k, thick_wish(t), thick_wish(t_was), was->thick, n->thick);
	n->spill = overlay_spill(t, k.alive);
}

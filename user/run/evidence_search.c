// SPDX-License-Identifier: GPL-2.0-or-later
#include "run/evidence_search.h"

/* Not LIVE: connections that have ended are no worse. */
#define PROOF (ASYM_FLOW_USED | ASYM_FLOW_SENT)
#define NO_PROOF (ASYM_FLOW_BUSY | ASYM_FLOW_UDP | ASYM_FLOW_STATELESS)

static const struct {
	uint32_t ways;
	size_t entry;
} forms[ASYM_FAMILIES] = {
	[ASYM_V4] = {ASYM_WAYS4, sizeof(struct asym_entry4)},
	[ASYM_V6] = {ASYM_WAYS6, sizeof(struct asym_entry6)},
};

struct state {
	struct evidence_search *s;
	uint32_t now, hz; /* jiffies */
	size_t left[ASYM_FAMILIES]; /* urgent ones without enough */
};

static uint32_t age_of(const struct state *state, uint32_t created)
{
	uint32_t age = state->now - created;

	/* younger than the clock that we read */
	return -age <= state->hz ? 0 : age;
}

static void take(struct state *state, struct evidence_age *a, enum asym_family family, uint32_t age)
{
	bool enough = a->age <= a->enough;

	if (age >= a->age)
		return;
	a->age = age;
	if (a->urgent && !enough && age <= a->enough)
		state->left[family]--;
}

/* Most ways are no proof: their heads are all that is read of them. */
static void read_way(struct state *state, const struct asym_flow_state *way, enum asym_family family)
{
	uint32_t head = __atomic_load_n(&way->head, __ATOMIC_ACQUIRE);
	uint8_t link = head >> ASYM_FLOW_LINK_SHIFT;
	uint32_t arrival, created;

	if ((head & (PROOF | NO_PROOF)) != PROOF)
		return;
	arrival = __atomic_load_n(&way->arrival, __ATOMIC_RELAXED);
	created = __atomic_load_n(&way->created, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if (__atomic_load_n(&way->head, __ATOMIC_RELAXED) != head)
		return;
	if (arrival && arrival == state->s->ifindex[link])
		take(state, &state->s->of[link][family], family, age_of(state, created));
}

static bool was_written(const uint32_t *written, uint32_t block, uint32_t blocks)
{
	for (uint32_t bit = block % ASYM_WRITTEN; bit < ASYM_WRITTEN; bit += blocks)
		if (written[bit / 32] >> bit % 32 & 1)
			return true;
	return false;
}

static void search_block(struct state *state, const char *block, enum asym_family family)
{
	for (uint32_t i = 0; i < forms[family].ways; i++)
		read_way(state, (const void *)(block + i * forms[family].entry), family);
}

static void search_table(struct state *state, const struct flows_table *t, enum asym_family family,
			 const uint32_t *written)
{
	uint32_t blocks = t->n / forms[family].ways;
	size_t size = forms[family].ways * forms[family].entry;

	for (uint32_t b = 0; b < blocks && state->left[family]; b++)
		if (was_written(written, b, blocks))
			search_block(state, (const char *)t->ways + b * size, family);
}

void evidence_search(struct evidence_search *s, const struct flows *f, const uint32_t *written)
{
	struct state state = {.s = s, .now = f->clock.now, .hz = f->clock.hz};

	for (int i = 0; i < ASYM_LINK_IDS; i++)
		for (int family = 0; family < ASYM_FAMILIES; family++) {
			s->of[i][family].age = EVIDENCE_NONE;
			state.left[family] += s->of[i][family].urgent;
		}
	for (int family = 0; family < ASYM_FAMILIES; family++)
		search_table(&state, &f->table[family], family, written);
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/mesh_mtu.h"

#include "base/defs.h"

#define NS_PER_MS 1000000ull
#define CONFIRM_MS 5000
#define CONFIRM_PROBES 50
#define NARROW_MS 10000
#define LATER 3       /* small probes that came after a padded one, which is lost then */
#define OUTAGE 8      /* more than these: all of them were lost for a while */
#define RAISE_MOST 16 /* times raise_ms */

void mtu_init(struct mtu *m, uint16_t most, uint16_t use, uint16_t first_id, uint32_t probe_ms,
              uint32_t raise_ms)
{
	*m = (struct mtu){
		.most = most,
		.use = use < MESH_MIN_MTU ? MESH_MIN_MTU : MIN(use, most),
		.id = first_id ?: 1,
		.confirm_ms = MAX((uint32_t)CONFIRM_MS, CONFIRM_PROBES * probe_ms),
		.raise_ms = raise_ms,
		.raise_after_ns = raise_ms * NS_PER_MS,
	};
	mtu_restart(m);
}

void mtu_restart(struct mtu *m)
{
	m->low = m->size = m->lost = 0;
	m->high = m->most + 1;
	m->phase = MTU_BASE;
}

uint8_t mtu_many(uint32_t loss_ppm, bool loaded)
{
	static const struct {
		uint32_t loss_ppm;
		uint8_t many;
	} steps[] = {{10000, 3}, {50000, 4}, {100000, 5}, {200000, 7}};

	for (size_t i = 0; i < ARRAY_SIZE(steps) && !loaded; i++)
		if (loss_ppm < steps[i].loss_ppm)
			return steps[i].many;
	return 10;
}

bool mtu_is_found(const struct mtu *m)
{
	return (m->phase == MTU_DONE || m->phase == MTU_RAISE) && m->low;
}

/* -------- sizes */

/* The step above what came through. */
static uint16_t one_more(const struct mtu *m)
{
	uint16_t steps = (m->low - MESH_MIN_MTU) / MTU_STEP + 1;

	return MIN(MESH_MIN_MTU + steps * MTU_STEP, (int)m->most);
}

/* What is in use if that may be true, else the middle; 0: there is nothing between. */
static uint16_t between(const struct mtu *m)
{
	uint16_t first = one_more(m);
	uint16_t last = MESH_MIN_MTU + (m->high - 1 - MESH_MIN_MTU) / MTU_STEP * MTU_STEP;

	if (m->use > m->low && m->use < m->high)
		return m->use;
	if (first > last)
		return 0;
	return first + ((last - first) / MTU_STEP + 1) / 2 * MTU_STEP;
}

static uint16_t size_of(const struct mtu *m)
{
	switch (m->phase) {
	case MTU_TOP:
		return m->most;
	case MTU_SEARCH:
		return between(m);
	case MTU_DONE:
		return m->low;
	case MTU_RAISE:
		return one_more(m);
	default:
		return MESH_MIN_MTU;
	}
}

/* -------- sending */

/* A clock that was set back makes nothing wait for long. */
static bool is_due(uint64_t at_ns, uint64_t span_ns, uint64_t now_ns)
{
	return now_ns >= at_ns || at_ns - now_ns > span_ns;
}

static bool has_to_send(struct mtu *m, uint64_t now_ns)
{
	uint64_t narrow_ns = MAX((uint32_t)NARROW_MS, m->confirm_ms) * NS_PER_MS;
	uint64_t raise_ns = m->raised_ns + m->raise_after_ns;

	if (m->phase == MTU_NARROW && is_due(m->next_ns, narrow_ns, now_ns))
		m->phase = MTU_BASE;
	if (m->phase == MTU_DONE && m->low < m->most && !m->lost &&
	    is_due(raise_ns, m->raise_after_ns, now_ns))
		m->phase = MTU_RAISE;
	if (m->phase == MTU_DONE)
		return is_due(m->next_ns, m->confirm_ms * NS_PER_MS, now_ns);
	return m->phase != MTU_NARROW;
}

uint16_t mtu_next(struct mtu *m, uint32_t seq, uint64_t now_ns)
{
	if (m->size || !has_to_send(m, now_ns))
		return 0;
	m->size = size_of(m);
	m->id = m->id == UINT16_MAX ? 1 : m->id + 1;
	m->seq = seq;
	return m->size;
}

/* -------- hearing */

static void finish(struct mtu *m, uint64_t now_ns)
{
	m->phase = MTU_DONE;
	m->use = m->low;
	m->next_ns = now_ns + m->confirm_ms * NS_PER_MS;
	m->raised_ns = now_ns;
}

/* What is in use stays unless it is known to be lost. */
static void search(struct mtu *m, uint64_t now_ns)
{
	m->phase = MTU_SEARCH;
	if (m->use >= m->high)
		m->use = m->low;
	if (!between(m))
		finish(m, now_ns);
}

static void came(struct mtu *m, uint64_t now_ns)
{
	m->low = MAX(m->low, m->size);
	m->lost = 0;
	if (m->phase == MTU_RAISE) {
		m->high = m->most + 1;
		m->raised = true;
	}
	if (m->phase == MTU_DONE)
		m->next_ns = now_ns + m->confirm_ms * NS_PER_MS;
	else if (m->low == m->most)
		finish(m, now_ns);
	else if (m->phase == MTU_SEARCH || m->high <= m->most)
		search(m, now_ns);
	else
		m->phase = MTU_TOP;
}

static void narrow(struct mtu *m, uint64_t now_ns)
{
	m->phase = MTU_NARROW;
	m->low = 0;
	m->high = m->most + 1;
	m->next_ns = now_ns + MAX((uint32_t)NARROW_MS, m->confirm_ms) * NS_PER_MS;
}

/* A black hole: what came through does not any more.  When that had just been found by trying more,
 * the next try has to wait for longer. */
static void fall(struct mtu *m, uint64_t now_ns)
{
	uint64_t raise_ns = m->raise_ms * NS_PER_MS;
	bool soon = m->raised && now_ns - m->raised_ns < m->raise_after_ns;

	m->raise_after_ns = soon ? MIN(2 * m->raise_after_ns, RAISE_MOST * raise_ns) : raise_ns;
	m->raised = false;
	m->high = m->low;
	m->low = 0;
	m->use = MESH_MIN_MTU;
	m->phase = MTU_BASE;
}

static void gone(struct mtu *m, uint64_t now_ns)
{
	m->lost = 0;
	switch (m->phase) {
	case MTU_TOP:
	case MTU_SEARCH:
		m->high = m->size;
		search(m, now_ns);
		break;
	case MTU_RAISE:
		m->phase = MTU_DONE;
		m->raised_ns = now_ns;
		break;
	case MTU_DONE:
		fall(m, now_ns);
		break;
	default:
		narrow(m, now_ns);
	}
}

static void judge(struct mtu *m, const struct mtu_heard *h, uint64_t now_ns)
{
	int32_t later = (int32_t)(h->seq - m->seq);

	if (h->id == m->id)
		came(m, now_ns);
	else if (later < LATER)
		return;
	else if (later <= LATER + OUTAGE && ++m->lost >= h->many)
		gone(m, now_ns);
	m->size = 0;
}

bool mtu_hear(struct mtu *m, const struct mtu_heard *h, uint64_t now_ns)
{
	uint16_t before = m->use;

	if (m->size)
		judge(m, h, now_ns);
	if (m->phase == MTU_NARROW && h->speaks)
		m->use = MESH_MIN_MTU;
	return m->use != before;
}

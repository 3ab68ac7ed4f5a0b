// SPDX-License-Identifier: GPL-2.0-or-later
/* Thin flows: the way of least delay and loss, where it is left to measurement. */
#include "base/defs.h"
#include "core/mesh_choice_int.h"

#define MARGIN_MS 3
#define MARGIN_PART 5         /* a fifth of the delay */
#define LASTING_MS 3000       /* of a margin, before it counts */
#define LASTING_TWICE_MS 1000 /* when it is twice the margin */
#define SETTLE_MS 2000        /* after a move: what was measured before has left the window */
#define BACK_AFTER_S 5
#define BACK_AFTER_MOST_S 120
#define BACK_CALM_S 300
/* 1 % of loss is as bad as 10 ms: retransmissions cost some 3 ms then, on average, but speech
 * suffers as from 100 ms (ITU-T G.107). */
#define LOSS_COST_NS_PER_PPM 1000
/* Losses that differ by less say nothing: one probe of a window, for as long as it is there. */
#define LOSS_FREE_PPM 30000

struct thin {
	struct choice *c;
	const struct mesh_target *t;
	const struct mesh_wish *w;
	uint64_t now_ns;
	int64_t margin_ns;
};

static int64_t delay_of(const struct thin *p, uint8_t way)
{
	const struct choice_way *w = &p->c->ways[way];

	if (w->diff_ns < 0)
		return CHOICE_DELAY_MAX;
	/* thick flows stay where they are: leaving their queue to them is a gain; one of our own
	 * would come along */
	if (way != p->c->thick && w->calm_diff_ns >= 0 && choice_loaded(p->c, way, p->now_ns))
		return MIN(w->diff_ns, w->calm_diff_ns);
	return w->diff_ns;
}

static int64_t loss_gain(const struct choice_way *from, const struct choice_way *to)
{
	uint32_t more = MAX(from->loss_ppm, to->loss_ppm);
	uint32_t less = MIN(from->loss_ppm, to->loss_ppm);

	if (more <= 2 * less + LOSS_FREE_PPM)
		return 0;
	return ((int64_t)from->loss_ppm - to->loss_ppm) * LOSS_COST_NS_PER_PPM;
}

/* In ns of delay. */
static int64_t gain(const struct thin *p, uint8_t from, uint8_t to)
{
	int64_t metered = (int64_t)p->t->ways[from].metered - p->t->ways[to].metered;

	return delay_of(p, from) - delay_of(p, to) + metered * p->margin_ns +
	       loss_gain(&p->c->ways[from], &p->c->ways[to]);
}

static bool is_usable(const struct thin *p, uint8_t way)
{
	return p->c->usable >> way & 1;
}

static bool is_own(const struct mesh_wish *w, uint8_t way)
{
	for (size_t i = 0; i < w->n_own; i++)
		if (w->order[i] == way)
			return true;
	return false;
}

static bool any_usable(const struct thin *p)
{
	for (size_t i = 0; i < p->w->n_own; i++)
		if (is_usable(p, p->w->order[i]))
			return true;
	return false;
}

static uint8_t best_way(const struct thin *p, uint8_t from)
{
	int64_t most = INT64_MIN;
	uint8_t best = from;

	for (size_t i = 0; i < p->w->n_own; i++) {
		uint8_t way = p->w->order[i];
		int64_t g = gain(p, from, way);

		if (!is_usable(p, way) || g <= most)
			continue;
		most = g;
		best = way;
	}
	return best;
}

/* Place in the order, metered ones last. */
static size_t rank_of(const struct thin *p, uint8_t way)
{
	size_t i = 0;

	while (i < p->w->n && p->w->order[i] != way)
		i++;
	return i + (p->t->ways[way].metered ? MESH_MAX_PATHS : 0);
}

/* The first that is about as good as the best. */
static uint8_t good_way(const struct thin *p, uint8_t best)
{
	uint8_t good = best;

	for (size_t i = 0; i < p->w->n_own; i++) {
		uint8_t way = p->w->order[i];

		if (is_usable(p, way) && gain(p, best, way) >= -p->margin_ns / 3 &&
		    rank_of(p, way) < rank_of(p, good))
			good = way;
	}
	return good;
}

static enum choice_reason reason_of(const struct thin *p, uint8_t from, uint8_t to)
{
	if (p->w->n_own == 1)
		return CHOICE_ONLY;
	if (to == p->w->order[0])
		return CHOICE_PREFERRED;
	if (!is_usable(p, from))
		return CHOICE_ALIVE;
	return loss_gain(&p->c->ways[from], &p->c->ways[to]) > delay_of(p, from) - delay_of(p, to)
	               ? CHOICE_LESS_LOSS
	               : CHOICE_FASTER;
}

static void set_margin(struct thin *p, uint8_t best)
{
	int64_t part = choice_delay(p->c, best) / MARGIN_PART;

	p->margin_ns = MAX((int64_t)(MARGIN_MS * CHOICE_MS), part);
}

/* Whether *since has been there for so long; it begins now, if it does. */
static bool lasts(uint64_t *since, bool holds, uint64_t now_ns, uint64_t span_ns)
{
	if (!holds)
		*since = 0;
	else if (!*since)
		*since = now_ns;
	return holds && now_ns - *since >= span_ns;
}

static uint64_t span(const struct thin *p, uint64_t ms, uint32_t probes)
{
	return MAX(ms, (uint64_t)p->c->probe_ms * probes) * CHOICE_MS;
}

/* Who comes back again and again to what is left again and again takes longer each time. */
static void note_escape(struct choice *c, uint64_t now_ns)
{
	bool calm = now_ns - c->moved_ns > BACK_CALM_S * CHOICE_S;

	c->back_after_ns = calm ? BACK_AFTER_S * CHOICE_S
	                        : MIN(2 * c->back_after_ns, BACK_AFTER_MOST_S * CHOICE_S);
	c->back_after_ns = MAX(c->back_after_ns, BACK_AFTER_S * CHOICE_S);
}

static uint8_t moved(struct thin *p, uint8_t to, enum choice_reason *reason)
{
	*reason = reason_of(p, p->c->thin, to);
	p->c->moved_ns = p->now_ns;
	p->c->uneasy_ns = p->c->back_ns = 0;
	return to;
}

static uint8_t measured(struct thin *p, enum choice_reason *reason)
{
	struct choice *c = p->c;
	uint8_t cur = c->thin, best = best_way(p, cur), good;
	uint64_t settle_ns = span(p, SETTLE_MS, 20);
	bool settled = p->now_ns - c->moved_ns >= settle_ns, uneasy, back;

	set_margin(p, best);
	best = best_way(p, cur);
	good = good_way(p, best);
	uneasy = lasts(&c->uneasy_ns, settled && gain(p, cur, best) > p->margin_ns, p->now_ns,
	               gain(p, cur, best) > 2 * p->margin_ns ? span(p, LASTING_TWICE_MS, 5)
	                                                     : span(p, LASTING_MS, 15));
	/* what loads the way now would load the other one then */
	back = lasts(&c->back_ns,
	             rank_of(p, good) < rank_of(p, cur) &&
	                     (p->t->ways[cur].metered || !choice_loaded(c, cur, p->now_ns)),
	             p->now_ns, MAX(c->back_after_ns, settle_ns));
	if (uneasy) {
		note_escape(c, p->now_ns);
		return moved(p, good, reason);
	}
	return back ? moved(p, good, reason) : cur;
}

/* At once, as the way of before is dead. */
static uint8_t escaped(struct thin *p, enum choice_reason *reason)
{
	uint8_t first = choice_first(p->w, p->c->usable, reason), best = best_way(p, first);

	set_margin(p, best);
	best = good_way(p, best_way(p, first));
	*reason = p->w->n_own == 1         ? CHOICE_ONLY
	          : best == p->w->order[0] ? CHOICE_PREFERRED
	                                   : CHOICE_ALIVE;
	p->c->uneasy_ns = p->c->back_ns = 0;
	return best;
}

uint8_t choice_thin(struct choice *c, const struct mesh_target *t, uint64_t now_ns,
                    enum choice_reason *ret_reason)
{
	struct thin p = {.c = c, .t = t, .w = &t->paths, .now_ns = now_ns};
	enum choice_reason reason = c->thin_reason;
	uint8_t way;

	if (!t->paths.automatic || !any_usable(&p))
		way = choice_first(&t->paths, c->usable, &reason);
	else if (is_own(p.w, c->thin) && is_usable(&p, c->thin))
		way = measured(&p, &reason);
	else
		way = escaped(&p, &reason);
	if (reason == CHOICE_NO_REPORT)
		choice_first(&t->paths, 1u << way, &reason);
	*ret_reason = reason;
	return way;
}

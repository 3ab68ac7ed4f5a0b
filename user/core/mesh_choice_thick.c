// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Thick flows: the first way of the order whose loss does not make TCP slow.  By what Mathis et al.
 * found (CCR 27(3), 1997), TCP carries MSS / (RTT * sqrt(loss)) at most, so ways are compared by
 * the square of that.
 */
#include "base/defs.h"
#include "core/mesh_choice_int.h"

#define LOSSY_PPM 10000 /* less is no reason to leave */
#define CLEAN_PPM 5000  /* and this none to stay away */
#define LEAST_PPM 2000  /* what few probes can tell from nothing */
#define OWN_PPM 50000   /* what TCP at full speed causes itself */
#define WORSE 9         /* times the square: a third of the speed */
#define STILL_WORSE 3
#define LEAST_DELAY_US 1000 /* with less, TCP makes up for loss quickly */

struct thick {
	const struct choice *c;
	const struct mesh_target *t;
	const struct mesh_wish *w;
	uint64_t now_ns;
};

static uint32_t loss_of(const struct thick *p, uint8_t way)
{
	const struct choice_way *w = &p->c->ways[way];
	uint32_t foreign;

	if (!choice_loaded(p->c, way, p->now_ns))
		return w->long_loss_ppm;
	foreign = w->long_loss_ppm > OWN_PPM ? w->long_loss_ppm - OWN_PPM : 0;
	foreign = MAX(w->calm_loss_ppm, foreign);
	return MIN(w->long_loss_ppm, foreign);
}

/* The lower the better; at most 10^7 squared times 10^6, which 128 bits hold. */
static unsigned __int128 badness(const struct thick *p, uint8_t way)
{
	uint64_t delay_us = MAX(choice_delay(p->c, way) / 1000, (uint64_t)LEAST_DELAY_US);

	return (unsigned __int128)delay_us * delay_us * MAX(loss_of(p, way), (uint32_t)LEAST_PPM);
}

/* Money is not spent without a limit because of loss. */
static bool is_open(const struct thick *p, uint8_t way)
{
	return p->c->usable >> way & 1 && (!p->t->ways[way].metered || p->t->rate_bps);
}

/* Those among which one may be taken instead: all that are wished for, and that of thin flows. */
static bool is_candidate(const struct thick *p, size_t i)
{
	return i < p->w->n_own || p->w->order[i] == p->c->thin;
}

static uint8_t least_bad(const struct thick *p, uint8_t than)
{
	uint8_t best = than;

	for (size_t i = 0; i < p->w->n; i++) {
		uint8_t way = p->w->order[i];

		if (is_candidate(p, i) && is_open(p, way) && badness(p, way) < badness(p, best))
			best = way;
	}
	return best;
}

static bool is_lossy(const struct thick *p, uint8_t way)
{
	bool was = p->c->ways[way].lossy;

	if (loss_of(p, way) < (was ? CLEAN_PPM : LOSSY_PPM))
		return false;
	return badness(p, way) > (was ? STILL_WORSE : WORSE) * badness(p, least_bad(p, way));
}

static uint8_t first_clean(const struct thick *p, uint8_t instead)
{
	for (int metered = 0; metered < 2; metered++)
		for (size_t i = 0; i < p->w->n; i++) {
			uint8_t way = p->w->order[i];

			/* what is written has its order, metered or not */
			if (p->w->automatic && p->t->ways[way].metered != metered)
				continue;
			if (is_candidate(p, i) && p->c->usable >> way & 1 && !p->c->ways[way].lossy)
				return way;
		}
	return instead;
}

static bool any_own(const struct thick *p)
{
	for (size_t i = 0; i < p->w->n_own; i++)
		if (p->c->usable >> p->w->order[i] & 1)
			return true;
	return false;
}

static uint8_t first_of(const struct thick *p)
{
	for (size_t i = 0; p->w->automatic && i < p->w->n_own; i++)
		if (!p->t->ways[p->w->order[i]].metered)
			return p->w->order[i];
	return p->w->order[0];
}

static enum choice_reason reason_of(const struct thick *p, uint8_t way)
{
	if (p->w->n == 1)
		return CHOICE_ONLY;
	for (size_t i = 0; i < p->w->n_own; i++)
		if (p->c->usable >> p->w->order[i] & 1 && p->c->ways[p->w->order[i]].lossy)
			return CHOICE_LESS_LOSS;
	return way == first_of(p) ? CHOICE_PREFERRED : CHOICE_ALIVE;
}

uint8_t choice_thick(struct choice *c, const struct mesh_target *t, uint64_t now_ns,
                     enum choice_reason *ret_reason)
{
	struct thick p = {.c = c, .t = t, .w = t->bulk.n ? &t->bulk : &t->paths, .now_ns = now_ns};
	uint8_t first = choice_first(p.w, c->usable, ret_reason), way;

	if ((!t->bulk.n && !t->paths.automatic) || !any_own(&p))
		return first;
	for (uint8_t i = 0; i < c->n; i++)
		c->ways[i].lossy = is_lossy(&p, i);
	way = first_clean(&p, least_bad(&p, first));
	*ret_reason = reason_of(&p, way);
	return way;
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "run/doubt.h"

#include "apply/ruleset.h"
#include "nl/stats.h"
#include <errno.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>

#define PERIOD_MS 1000
#define CONNECTIONS 5 /* in a period, and not a packet in return */

struct doubt {
	struct tracker *tracker;
	const struct session *session;
	uv_timer_t timer;
	struct doubt_sample {
		uint32_t ifindex; /* 0: none */
		uint64_t out;	  /* connections */
		uint64_t rx;	  /* packets */
	} last[ASYM_LINK_IDS];
};

static bool is_tested(const struct track *t)
{
	return t->able && t->health.n && t->health.up;
}

static bool any_is_tested(const struct tracker *t)
{
	for (size_t i = 0; i < t->n; i++)
		if (is_tested(t->tracks[i]))
			return true;
	return false;
}

static void judge(struct doubt *d, uint8_t id, const struct doubt_sample *now)
{
	struct doubt_sample *last = &d->last[id];

	if (last->ifindex == now->ifindex && now->rx == last->rx &&
	    now->out >= last->out + CONNECTIONS)
		tracker_doubt(d->tracker, id);
	*last = *now;
}

static int sample(struct doubt *d, const struct plan *p)
{
	_cleanup_free_ struct ruleset_count *counts = calloc(p->n_links, sizeof(*counts));
	_cleanup_(stats_done) struct stats stats = {0};
	_cleanup_nl_ struct nl nl = {0};
	int r = counts ? nl_open(&nl, NETLINK_ROUTE) : -ENOMEM;

	r = r ?: stats_dump(&nl, &stats);
	r = r ?: ruleset_counters(p, counts);
	if (r)
		return r;
	for (size_t i = 0; i < p->n_links; i++) {
		const struct stats_device *device = stats_find(&stats, p->links[i].ifindex);

		judge(d, p->links[i].id, &(struct doubt_sample){
			.ifindex = device ? device->ifindex : 0,
			.out = counts[i].out,
			.rx = device ? device->rx_packets : 0,
		});
	}
	return 0;
}

static void on_timer(uv_timer_t *timer)
{
	struct doubt *d = timer->data;

	if (!d->session || !any_is_tested(d->tracker) || sample(d, &d->session->plan))
		memset(d->last, 0, sizeof(d->last));
}

void doubt_follow(struct doubt *d, const struct session *s)
{
	d->session = s;
	memset(d->last, 0, sizeof(d->last));
}

int doubt_open(uv_loop_t *loop, struct tracker *tracker, struct doubt **ret)
{
	struct doubt *d = calloc(1, sizeof(*d));

	if (!d)
		return -ENOMEM;
	d->tracker = tracker;
	uv_timer_init(loop, &d->timer);
	d->timer.data = d;
	uv_timer_start(&d->timer, on_timer, PERIOD_MS, PERIOD_MS);
	*ret = d;
	return 0;
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void doubt_close(struct doubt *d)
{
	uv_close((uv_handle_t *)&d->timer, on_closed);
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/log.h"
#include "run/monitor.h"
#include <string.h>

static struct metrics_view view(void *data)
{
	struct monitor *m = data;

	return (struct metrics_view){
		.plan = &m->s->plan,
		.object = &m->s->object,
		.tracker = &m->tracker,
		.events = &m->events,
		.leases = m->leases,
		.shim = m->shim,
		.ids = m->s->state.ids,
		.n_ids = m->s->state.n_ids,
	};
}

/* Not to be served is no reason not to route. */
void monitor_serve_metrics(struct monitor *m)
{
	const struct model *model = &m->s->model;
	char addr[ADDR_STRLEN];
	int r;

	if (m->metrics_port == model->metrics_port &&
	    !memcmp(&m->metrics_addr, &model->metrics, sizeof(model->metrics)))
		return;
	if (m->metrics)
		metrics_close(m->metrics);
	m->metrics = NULL;
	m->metrics_port = 0;
	if (!model->metrics_port)
		return;
	r = metrics_open(&m->loop, &model->metrics, model->metrics_port, view, m, &m->metrics);
	if (r) {
		log_err(r, "metrics = \"%s\" port %u", addr_str(&model->metrics, addr),
			model->metrics_port);
		return;
	}
	m->metrics_port = model->metrics_port;
	m->metrics_addr = model->metrics;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* All probes that run: their beginning, their time-outs and their end. */
#include "run/probe_kind.h"
#include "base/defs.h"
#include "run/limit.h"
#include <errno.h>
#include <string.h>

#define NS_PER_MS 1000000ULL

static const struct probe_kind *const kinds[PROBE_MAX] = {
	[PROBE_PING] = &probe_ping, [PROBE_TCP] = &probe_tcp,	      [PROBE_DNS] = &probe_dns,
	[PROBE_HTTP] = &probe_http, [PROBE_GATEWAY] = &probe_gateway,
};

/* Looked for from the end: most probes have the same timeout, the latest is due last. */
static void insert(struct prober *p, struct probe *probe)
{
	struct probe *before = p->last;

	while (before && before->due_ns > probe->due_ns)
		before = before->prev;
	probe->prev = before;
	probe->next = before ? before->next : p->first;
	*(before ? &before->next : &p->first) = probe;
	*(probe->next ? &probe->next->prev : &p->last) = probe;
}

static void take_out(struct prober *p, struct probe *probe)
{
	*(probe->prev ? &probe->prev->next : &p->first) = probe->next;
	*(probe->next ? &probe->next->prev : &p->last) = probe->prev;
}

/* -------- the end */

static void finish(struct probe *p, uint32_t rtt_us, const char *why)
{
	take_out(p->prober, p);
	p->kind->stop(p);
	p->end(p->data, rtt_us, why);
	free(p);
}

void probe_answered(struct probe *p)
{
	uint64_t rtt_ns = MIN(uv_hrtime(), p->due_ns) - p->begun_ns;

	finish(p, MAX(rtt_ns / 1000, 1ULL), NULL);
}

void probe_failed(struct probe *p, const char *why)
{
	finish(p, 0, why);
}

void probe_cancel(struct probe *p)
{
	take_out(p->prober, p);
	p->kind->stop(p);
	free(p);
}

bool probe_says_nothing(int error)
{
	return error == EOPNOTSUPP || error == EMFILE || error == ENFILE || error == ENOMEM;
}

const char *probe_reason(int error)
{
	switch (error) {
	case ECONNREFUSED:
		return "refused";
	case EHOSTUNREACH:
	case ENETUNREACH:
		return "unreachable";
	case ENODEV:
	case ENXIO:
	case ENETDOWN:
		return "device down";
	case ETIMEDOUT:
		return "timeout";
	case ENODATA:
		return "name not resolved";
	}
	return strerror(error);
}

/* -------- time */

static void on_timer(uv_timer_t *timer);

static void arm(struct prober *p)
{
	uint64_t now = uv_hrtime(), ns;

	if (!p->first)
		return;
	ns = p->first->due_ns > now ? p->first->due_ns - now : 0;
	uv_timer_start(&p->timer, on_timer, (ns + NS_PER_MS - 1) / NS_PER_MS, 0);
}

static void on_looked(uv_check_t *looked)
{
	struct prober *p = looked->data;
	uint64_t now = uv_hrtime();

	uv_idle_stop(&p->idle);
	uv_check_stop(&p->looked);
	while (p->first && p->first->due_ns <= now)
		probe_failed(p->first, "timeout");
	arm(p);
}

static void on_idle(uv_idle_t *idle)
{
}

static void on_timer(uv_timer_t *timer)
{
	struct prober *p = timer->data;

	uv_idle_start(&p->idle, on_idle);
	uv_check_start(&p->looked, on_looked);
}

/* -------- the beginning */

static void run(struct prober *p, struct probe *probe)
{
	insert(p, probe);
	/* for one that has ended meanwhile the timer may come too early, which does no harm */
	if (p->first == probe || !uv_is_active((uv_handle_t *)&p->timer))
		arm(p);
}

int probe_start(struct prober *p, const struct probe_path *path, const struct model_target *target,
		const struct model_probe *conf, probe_end *end, void *data, struct probe **ret)
{
	const struct probe_kind *kind = kinds[target->kind];
	struct probe *probe = calloc(1, kind->size);
	int r;

	if (!probe)
		return -ENOMEM;
	probe->prober = p;
	probe->kind = kind;
	probe->path = *path;
	probe->target = target;
	probe->conf = conf;
	probe->end = end;
	probe->data = data;
	probe->begun_ns = uv_hrtime();
	r = kind->start(probe);
	if (r) {
		free(probe);
		return r;
	}
	probe->due_ns = probe->begun_ns + conf->timeout_ms * NS_PER_MS;
	run(p, probe);
	*ret = probe;
	return 0;
}

/* -------- the prober */

int prober_open(uv_loop_t *loop, struct prober **ret)
{
	struct prober *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	/* four shared sockets for each link, and one for each probe that runs, are more than 1024 */
	limit_raise();
	p->loop = loop;
	/* these only enter lists of the loop */
	uv_timer_init(loop, &p->timer);
	uv_idle_init(loop, &p->idle);
	uv_check_init(loop, &p->looked);
	p->timer.data = p->idle.data = p->looked.data = p;
	p->handles = 3;
	*ret = p;
	return 0;
}

static void on_closed(uv_handle_t *handle)
{
	struct prober *p = handle->data;

	if (!--p->handles)
		free(p);
}

void prober_close(struct prober *p)
{
	if (!p)
		return;
	while (p->first)
		probe_cancel(p->first);
	ports_close(p);
	names_close(p);
	http_engine_close(TAKE_PTR(p->http));
	uv_close((uv_handle_t *)&p->timer, on_closed);
	uv_close((uv_handle_t *)&p->idle, on_closed);
	uv_close((uv_handle_t *)&p->looked, on_closed);
}

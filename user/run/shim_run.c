// SPDX-License-Identifier: GPL-2.0-or-later
#include "run/shim_run.h"

#include "base/log.h"
#include "run/shim.h"
#include "run/watch.h"
#include <errno.h>
#include <signal.h>
#include <string.h>

/* What changes together is read once; and a flood of changes costs a few looks a second. */
#define PAUSE_MS 300

struct runner {
	uv_loop_t loop;
	struct load told;
	struct model model; /* of told */
	bool has_model;
	bool was_loaded;
	struct events events;
	struct courier *courier;
	struct shim *shim;
	struct watch *watch;
	uv_timer_t timer; /* the next look at the machine */
	uv_signal_t on_term, on_int;
};

/* -------- whose addresses are whose */

static int read_model(struct runner *r, const struct host *host)
{
	int e;

	if (r->has_model)
		return 0;
	if (!r->told.config && !r->told.n_flags)
		return log_err(0, "nothing is loaded here: name links or a file"), -ENOENT;
	r->has_model = true;
	e = session_model(&r->model, r->told.config, r->told.flags, r->told.n_flags);
	for (size_t i = 0; i < r->model.n_links && !e; i++)
		if (r->model.links[i].from_flags &&
		    !host_device_find(host, r->model.links[i].device))
			e = log_err(-ENODEV, "--iface %s", r->model.links[i].device);
	return e;
}

static int plan_alone(struct runner *r, const struct host *host, struct plan *ret)
{
	int e = read_model(r, host);

	if (e)
		return e;
	e = plan_build(ret, &r->model, host, NULL, 0);
	return e ? log_err(e, "cannot plan the configuration") : 0;
}

static int take_owners(struct runner *r, const struct plan *p)
{
	int e = shim_owners(r->shim, p->owners, p->n_owners);

	return e ? log_err(e, "cannot note the links' addresses") : 0;
}

/* -ECANCELED: unloaded, and nothing else was said. */
static int look(struct runner *r)
{
	struct plan alone = {};
	struct session s;
	int e = session_open(&s, false);

	if (!e && s.loaded) {
		e = session_plan(&s) ?: take_owners(r, &s.plan);
		r->was_loaded |= !e;
	} else if (!e && r->was_loaded && !r->told.config && !r->told.n_flags) {
		e = -ECANCELED;
	} else if (!e) {
		e = plan_alone(r, &s.host, &alone) ?: take_owners(r, &alone);
	}
	plan_done(&alone);
	session_close(&s);
	return e;
}

static void on_timer(uv_timer_t *timer)
{
	struct runner *r = timer->data;
	int e = look(r);

	if (e == -ECANCELED) {
		log_warn("unloaded: nothing is left to do");
		uv_stop(&r->loop);
	} else if (e) {
		log_warn("going on with the addresses of before");
	}
}

static void changed(void *data)
{
	struct runner *r = data;

	if (!uv_is_active((uv_handle_t *)&r->timer))
		uv_timer_start(&r->timer, on_timer, PAUSE_MS, 0);
}

/* -------- start and end */

static void on_signal(uv_signal_t *handle, int signo)
{
	uv_stop(handle->loop);
}

static void open_handles(struct runner *r)
{
	uv_timer_init(&r->loop, &r->timer);
	uv_signal_init(&r->loop, &r->on_term);
	uv_signal_init(&r->loop, &r->on_int);
	r->timer.data = r;
	uv_signal_start(&r->on_term, on_signal, SIGTERM);
	uv_signal_start(&r->on_int, on_signal, SIGINT);
}

static int refused(int e)
{
	if (e == -EOPNOTSUPP)
		return log_err(0, "this kernel hands no packets to processes: NFQUEUE is needed "
				  "(nft_queue, or nft_compat and xt_NFQUEUE)"), e;
	if (e == -EEXIST)
		return log_err(0, "another shim runs in this network namespace, or table ip "
			       SHIM_NFT_TABLE " is somebody else's"), e;
	return log_err(e, "cannot start");
}

/* The table comes last: until then nothing is queued. */
static int open_parts(struct runner *r)
{
	int e = watch_open(&r->loop, changed, r, &r->watch);

	e = e ?: courier_open(&r->loop, &r->courier);
	e = e ?: shim_open(&r->loop, &r->events, r->courier, &r->shim);
	return e ? refused(e) : 0;
}

static void tell(struct runner *r, enum event_kind kind, const char *text)
{
	const struct event e = { .kind = kind, .text = text };

	events_send(&r->events, &e);
}

static int run(struct runner *r)
{
	int e = open_parts(r);

	e = e ?: look(r);
	if (e)
		return e;
	tell(r, EVENT_START, "DHCP renewals alone");
	uv_run(&r->loop, UV_RUN_DEFAULT);
	tell(r, EVENT_STOP, "renewals leave as the routes say");
	return 0;
}

static void close_all(struct runner *r)
{
	shim_close(r->shim);
	courier_close(r->courier);
	if (r->watch)
		watch_close(r->watch);
	uv_close((uv_handle_t *)&r->timer, NULL);
	uv_close((uv_handle_t *)&r->on_term, NULL);
	uv_close((uv_handle_t *)&r->on_int, NULL);
	while (uv_run(&r->loop, UV_RUN_DEFAULT))
		;
	uv_loop_close(&r->loop);
	if (r->has_model)
		model_done(&r->model);
	free(r);
}

int shim_run(const struct load *told, bool json)
{
	struct runner *r = calloc(1, sizeof(*r));
	int e = r ? uv_loop_init(&r->loop) : -ENOMEM;

	if (e) {
		free(r);
		return log_err(e, "cannot start");
	}
	r->told = *told;
	signal(SIGPIPE, SIG_IGN);
	log_never_wait();
	open_handles(r);
	events_add(&r->events, &event_log);
	if (json)
		events_add(&r->events, &event_json);
	e = run(r);
	close_all(r);
	return e;
}

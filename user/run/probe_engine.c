// SPDX-License-Identifier: GPL-2.0-or-later
/* libcurl says which descriptors and what time it waits for; we tell it when they are there. */
#include "run/probe_engine.h"
#include "base/defs.h"
#include <errno.h>

struct http_engine {
	struct prober *prober;
	CURLM *multi;
	uv_timer_t timer; /* libcurl's; the engine goes when it is closed */
};

/* `done` may begin and end transfers. */
static void act(struct http_engine *e, curl_socket_t fd, int events)
{
	CURLMsg *message;
	int n;

	curl_multi_socket_action(e->multi, fd, events, &n);
	while ((message = curl_multi_info_read(e->multi, &n))) {
		char *data;
		struct http_transfer *t;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &data);
		t = (struct http_transfer *)data;
		t->done(t, message->data.result);
	}
}

/* -------- sockets */

struct http_socket {
	uv_poll_t poll; /* the loop's until it is closed; the descriptor is libcurl's */
	struct http_engine *engine;
	curl_socket_t fd;
};

static void on_ready(uv_poll_t *poll, int status, int events)
{
	struct http_socket *s = poll->data;
	int flags = status < 0 ? CURL_CSELECT_ERR : 0;

	flags |= events & UV_READABLE ? CURL_CSELECT_IN : 0;
	flags |= events & UV_WRITABLE ? CURL_CSELECT_OUT : 0;
	act(s->engine, s->fd, flags);
}

static void on_socket_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static struct http_socket *socket_add(struct http_engine *e, curl_socket_t fd)
{
	struct http_socket *s = calloc(1, sizeof(*s));

	if (!s || uv_poll_init(e->prober->loop, &s->poll, fd)) {
		free(s);
		return NULL;
	}
	s->poll.data = s;
	s->engine = e;
	s->fd = fd;
	curl_multi_assign(e->multi, fd, s);
	return s;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *engine, void *socket)
{
	struct http_socket *s = socket;
	int events = 0;

	if (what == CURL_POLL_REMOVE) {
		if (s)
			uv_close((uv_handle_t *)&s->poll, on_socket_closed);
		return 0;
	}
	s = s ?: socket_add(engine, fd);
	if (!s)
		return -1;
	events |= what & CURL_POLL_IN ? UV_READABLE : 0;
	events |= what & CURL_POLL_OUT ? UV_WRITABLE : 0;
	uv_poll_start(&s->poll, events, on_ready);
	return 0;
}

/* -------- time */

static void on_timer(uv_timer_t *timer)
{
	act(timer->data, CURL_SOCKET_TIMEOUT, 0);
}

static int on_wanted_time(CURLM *multi, long ms, void *engine)
{
	struct http_engine *e = engine;

	if (ms < 0)
		uv_timer_stop(&e->timer);
	else
		uv_timer_start(&e->timer, on_timer, (uint64_t)ms, 0);
	return 0;
}

/* -------- the engine */

static void on_engine_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void http_engine_close(struct http_engine *e)
{
	if (!e)
		return;
	curl_multi_cleanup(e->multi);
	curl_global_cleanup();
	uv_close((uv_handle_t *)&e->timer, on_engine_closed);
}

/* There is none until it is needed: TLS takes memory. */
int http_engine_open(struct prober *p)
{
	_cleanup_free_ struct http_engine *e = NULL;

	if (p->http)
		return 0;
	e = calloc(1, sizeof(*e));
	if (!e || curl_global_init(CURL_GLOBAL_DEFAULT))
		return -ENOMEM;
	e->multi = curl_multi_init();
	if (!e->multi) {
		curl_global_cleanup();
		return -ENOMEM;
	}
	e->prober = p;
	uv_timer_init(p->loop, &e->timer);
	e->timer.data = e;
	curl_multi_setopt(e->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(e->multi, CURLMOPT_SOCKETDATA, e);
	curl_multi_setopt(e->multi, CURLMOPT_TIMERFUNCTION, on_wanted_time);
	curl_multi_setopt(e->multi, CURLMOPT_TIMERDATA, e);
	p->http = TAKE_PTR(e);
	return 0;
}

int http_engine_add(struct http_engine *e, struct http_transfer *t)
{
	curl_easy_setopt(t->easy, CURLOPT_PRIVATE, t);
	return curl_multi_add_handle(e->multi, t->easy) ? -ENOMEM : 0;
}

void http_engine_remove(struct http_engine *e, struct http_transfer *t)
{
	if (!t->easy)
		return;
	curl_multi_remove_handle(e->multi, t->easy);
	curl_easy_cleanup(t->easy);
	t->easy = NULL;
}

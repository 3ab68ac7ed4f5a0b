// SPDX-License-Identifier: GPL-2.0-or-later
/* HTTP and HTTPS by libcurl, whose sockets and timer are in our loop. */
#include "base/defs.h"
#include "base/str.h"
#include "run/probe_name.h"
#include <curl/curl.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#define HEADERS_MAX 65536 /* bytes, of one answer */

struct http_engine {
	struct prober *prober;
	CURLM *multi;
	uv_timer_t timer; /* libcurl's; the engine goes when it is closed */
};

struct http {
	struct probe probe;
	struct name_wait wait;
	CURL *easy;
	struct curl_slist *resolve;
	size_t headers; /* bytes so far */
	bool too_long;
	char why[16];
};

/* -------- the end of transfers */

static const char *http_reason(const struct http *h, CURLcode code)
{
	long error = 0;

	switch (code) {
	case CURLE_PEER_FAILED_VERIFICATION:
		return "certificate not trusted";
	case CURLE_COULDNT_CONNECT:
		curl_easy_getinfo(h->easy, CURLINFO_OS_ERRNO, &error);
		return error ? probe_reason((int)error) : "not connected";
	default:
		return curl_easy_strerror(code);
	}
}

/* We break off at the first byte of the body, which is a failure to libcurl. */
static void http_done(struct http *h, CURLcode code)
{
	const struct model_probe *conf = h->probe.conf;
	long status = 0;

	curl_easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &status);
	if (h->too_long) {
		probe_failed(&h->probe, "headers without end");
	} else if (!status || (code != CURLE_OK && code != CURLE_WRITE_ERROR)) {
		probe_failed(&h->probe, http_reason(h, code));
	} else if (status < conf->status_min || status > conf->status_max) {
		snprintf(h->why, sizeof(h->why), "status %ld", status);
		probe_failed(&h->probe, h->why);
	} else {
		probe_answered(&h->probe);
	}
}

static void act(struct http_engine *e, curl_socket_t fd, int events)
{
	CURLMsg *message;
	int n;

	curl_multi_socket_action(e->multi, fd, events, &n);
	while ((message = curl_multi_info_read(e->multi, &n))) {
		char *h;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &h);
		http_done((struct http *)h, message->data.result);
	}
}

/* -------- libcurl's sockets and timer */

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

/* The easy handles have gone already. */
void http_engine_close(struct http_engine *e)
{
	if (!e)
		return;
	curl_multi_cleanup(e->multi);
	curl_global_cleanup();
	uv_close((uv_handle_t *)&e->timer, on_engine_closed);
}

/* There is none until it is needed: TLS takes memory. */
static int engine_open(struct prober *p)
{
	_cleanup_free_ struct http_engine *e = calloc(1, sizeof(*e));

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

/* -------- a transfer */

static curl_socket_t on_open(void *http, curlsocktype purpose, struct curl_sockaddr *to)
{
	const struct probe *p = http;
	int fd = probe_socket_from(&p->path, p->target->family, SOCK_STREAM);

	return fd < 0 ? CURL_SOCKET_BAD : fd;
}

static size_t on_header(char *data, size_t size, size_t n, void *http)
{
	struct http *h = http;

	h->headers += size * n;
	h->too_long = h->headers > HEADERS_MAX;
	return h->too_long ? 0 : size * n;
}

static size_t on_body(char *data, size_t size, size_t n, void *http)
{
	return 0;
}

/* With a directory of certificates libcurl reads all of them for each transfer; a file it keeps, if
 * it knows one. */
static void tls_options(CURL *easy, bool verify)
{
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, verify ? 1L : 0L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, verify ? 2L : 0L);
	if (!verify || curl_version_info(CURLVERSION_NOW)->cainfo)
		curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	if (!verify)
		curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
}

/* Nothing is taken from the environment: a proxy would be asked by another link. */
static void transfer_options(struct http *h)
{
	const struct model_target *t = h->probe.target;

	curl_easy_setopt(h->easy, CURLOPT_URL, t->url);
	curl_easy_setopt(h->easy, CURLOPT_PRIVATE, h);
	curl_easy_setopt(h->easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(h->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(h->easy, CURLOPT_USERAGENT, "asymbpf");
	curl_easy_setopt(h->easy, CURLOPT_PROXY, "");
	curl_easy_setopt(h->easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(h->easy, CURLOPT_FRESH_CONNECT, 1L);
	curl_easy_setopt(h->easy, CURLOPT_FORBID_REUSE, 1L);
	curl_easy_setopt(h->easy, CURLOPT_RESOLVE, h->resolve);
	curl_easy_setopt(h->easy, CURLOPT_IPRESOLVE,
			 (long)(t->family == ASYM_V4 ? CURL_IPRESOLVE_V4 : CURL_IPRESOLVE_V6));
	curl_easy_setopt(h->easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
	curl_easy_setopt(h->easy, CURLOPT_OPENSOCKETDATA, h);
	curl_easy_setopt(h->easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(h->easy, CURLOPT_HEADERDATA, h);
	curl_easy_setopt(h->easy, CURLOPT_WRITEFUNCTION, on_body);
	tls_options(h->easy, addr_is_zero(&t->addr));
}

static int transfer(struct http *h)
{
	h->easy = curl_easy_init();
	if (!h->easy)
		return -ENOMEM;
	transfer_options(h);
	return curl_multi_add_handle(h->probe.prober->http->multi, h->easy) ? -ENOMEM : 0;
}

/* -------- names */

static void cleanup_url(CURLU **url)
{
	curl_url_cleanup(*url);
}

static void cleanup_text(char **text)
{
	curl_free(*text);
}

/* libcurl is told what it would have to ask: HOST:PORT:ADDRESS,ADDRESS. */
static int set_addrs(struct http *h, const char *host, const char *port, const struct name_addrs *a)
{
	struct str s = { 0 };
	char text[ADDR_STRLEN];

	str_add(&s, "%s:%s:", host, port);
	for (uint32_t i = 0; i < a->n; i++)
		str_add(&s, addr_is_v4(&a->addr[i]) ? "%s%s" : "%s[%s]", i ? "," : "",
			addr_str(&a->addr[i], text));
	h->resolve = s.err ? NULL : curl_slist_append(NULL, s.s);
	str_done(&s);
	return h->resolve ? 0 : -ENOMEM;
}

/* With the addresses, or with those that are known or will be. */
static int transfer_named(struct http *h, const struct name_addrs *a)
{
	const struct model_target *t = h->probe.target;
	_cleanup_(cleanup_url) CURLU *url = curl_url();
	_cleanup_(cleanup_text) char *host = NULL;
	_cleanup_(cleanup_text) char *port = NULL;
	struct name_addrs known;
	int r;

	if (!url || curl_url_set(url, CURLUPART_URL, t->url, 0) ||
	    curl_url_get(url, CURLUPART_HOST, &host, 0) ||
	    curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT))
		return -EINVAL;
	if (!a) {
		r = name_ask(h->probe.prober, host, t->family, &h->wait, &known);
		if (r)
			return r == -EINPROGRESS ? 0 : r;
		a = &known;
	}
	r = set_addrs(h, host, port, a);
	return r ?: transfer(h);
}

static void on_known(struct name_wait *w, const struct name_addrs *a)
{
	struct http *h = (struct http *)((char *)w - offsetof(struct http, wait));
	int r = a ? transfer_named(h, a) : -ENODATA;

	if (r)
		probe_failed(&h->probe, probe_reason(-r));
}

/* -------- the probe */

static void http_stop(struct probe *p)
{
	struct http *h = (struct http *)p;

	name_leave(&h->wait);
	if (h->easy)
		curl_multi_remove_handle(p->prober->http->multi, h->easy);
	curl_easy_cleanup(h->easy);
	curl_slist_free_all(h->resolve);
}

static int http_start(struct probe *p)
{
	struct http *h = (struct http *)p;
	int r = p->prober->http ? 0 : engine_open(p->prober);

	if (r)
		return r;
	h->wait.known = on_known;
	r = addr_is_zero(&p->target->addr) ? transfer_named(h, NULL) : transfer(h);
	if (r)
		http_stop(p);
	return r;
}

const struct probe_kind probe_http = { sizeof(struct http), http_start, http_stop };

// SPDX-License-Identifier: GPL-2.0-or-later
/* HTTP and HTTPS by libcurl: one transfer each, up to the first byte of the body. */
#include "base/defs.h"
#include "base/str.h"
#include "run/probe_engine.h"
#include "run/probe_name.h"
#include <errno.h>
#include <stddef.h>
#include <string.h>

#define HEADERS_MAX 65536 /* bytes, of one answer */

struct http {
	struct probe probe;
	struct http_transfer transfer;
	struct name_wait wait;
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
		curl_easy_getinfo(h->transfer.easy, CURLINFO_OS_ERRNO, &error);
		return error ? probe_reason((int)error) : "not connected";
	default:
		return curl_easy_strerror(code);
	}
}

/* We break off at the first byte of the body, which is a failure to libcurl. */
static void on_done(struct http_transfer *t, CURLcode code)
{
	struct http *h = (struct http *)((char *)t - offsetof(struct http, transfer));
	const struct model_probe *conf = h->probe.conf;
	long status = 0;

	curl_easy_getinfo(h->transfer.easy, CURLINFO_RESPONSE_CODE, &status);
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
static void transfer_options(struct http *h, CURL *easy)
{
	const struct model_target *t = h->probe.target;

	curl_easy_setopt(easy, CURLOPT_URL, t->url);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "asymbpf");
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
	curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
	curl_easy_setopt(easy, CURLOPT_RESOLVE, h->resolve);
	curl_easy_setopt(easy, CURLOPT_IPRESOLVE,
			 (long)(t->family == ASYM_V4 ? CURL_IPRESOLVE_V4 : CURL_IPRESOLVE_V6));
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, h);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, h);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	tls_options(easy, addr_is_zero(&t->addr));
}

static int transfer(struct http *h)
{
	h->transfer.easy = curl_easy_init();
	if (!h->transfer.easy)
		return -ENOMEM;
	h->transfer.done = on_done;
	transfer_options(h, h->transfer.easy);
	return http_engine_add(h->probe.prober->http, &h->transfer);
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
	http_engine_remove(p->prober->http, &h->transfer);
	curl_slist_free_all(h->resolve);
}

static int http_start(struct probe *p)
{
	struct http *h = (struct http *)p;
	int r = http_engine_open(p->prober);

	if (r)
		return r;
	h->wait.known = on_known;
	r = addr_is_zero(&p->target->addr) ? transfer_named(h, NULL) : transfer(h);
	if (r)
		http_stop(p);
	return r;
}

const struct probe_kind probe_http = { sizeof(struct http), http_start, http_stop };

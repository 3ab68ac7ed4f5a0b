// SPDX-License-Identifier: GPL-2.0-or-later
/* libmicrohttpd in the loop of libuv: it says by an epoll descriptor when there is something to do, and by
 * a time-out of 0 when not all was done. */
#include "run/metrics_guests.h"
#include "run/metrics_socket.h"

#include <errno.h>
#include <microhttpd.h>
#include <string.h>

#define MS 1000000ull
#define REQUEST_ROOM 8192   /* for what a client says, and our answer's head */
#define SHARE 10	    /* of the time at most one part in this many is spent on pages */

enum refusal { REFUSAL_NOT_FOUND, REFUSAL_METHOD, REFUSAL_TROUBLE, REFUSAL_MAX };

static const struct {
	unsigned int status;
	const char *text;
} refusals[] = {
	[REFUSAL_NOT_FOUND] = {MHD_HTTP_NOT_FOUND, "not found, there is /metrics only\n"},
	[REFUSAL_METHOD] = {MHD_HTTP_METHOD_NOT_ALLOWED, "GET only\n"},
	[REFUSAL_TROUBLE] = {MHD_HTTP_SERVICE_UNAVAILABLE, "out of memory\n"},
};
_Static_assert(ARRAY_SIZE(refusals) == REFUSAL_MAX, "refusals");

/* A page is given again while it is fresh: whoever asks all the time costs no more than his share. */
struct fresh_page {
	struct MHD_Response *response; /* NULL: none */
	uint64_t until_ns;	       /* uv_hrtime() */
};

struct metrics {
	uv_loop_t *loop;
	uv_poll_t poll;
	uv_timer_t timer;
	unsigned int handles; /* not yet closed */
	struct MHD_Daemon *daemon;
	struct MHD_Response *refusal[REFUSAL_MAX];
	struct fresh_page pages[METRICS_FORMAT_MAX];
	struct guests guests;
	bool room; /* a guest has gone */
	struct metrics_view (*view)(void *data);
	void *data;
};

/* --- pages */

/* Each answer is its connection's last: a client that is slow, or idle, has no more than its time. */
static struct MHD_Response *response_new(void *text, size_t len, enum MHD_ResponseMemoryMode mode,
					 const char *type)
{
	struct MHD_Response *r = MHD_create_response_from_buffer(len, text, mode);

	if (r && (MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, type) != MHD_YES ||
		  MHD_add_response_header(r, MHD_HTTP_HEADER_CONNECTION, "close") != MHD_YES)) {
		MHD_destroy_response(r);
		return NULL;
	}
	return r;
}

static void drop(struct fresh_page *page)
{
	if (page->response)
		MHD_destroy_response(page->response);
	page->response = NULL;
}

static void make(struct metrics *m, enum metrics_format format, struct fresh_page *page)
{
	uint64_t begun = uv_hrtime(), now;
	struct metrics_view view = m->view(m->data);
	struct str text = {};

	if (metrics_print(&view, format, &text)) {
		str_done(&text);
		return;
	}
	page->response = response_new(text.s, text.len, MHD_RESPMEM_MUST_FREE,
				      metrics_types[format]);
	now = uv_hrtime();
	page->until_ns = now + (SHARE - 1) * (now - begun);
}

static struct MHD_Response *page_for(struct metrics *m, enum metrics_format format)
{
	struct fresh_page *page = &m->pages[format];

	if (page->response && uv_hrtime() >= page->until_ns)
		drop(page);
	if (!page->response)
		make(m, format, page);
	return page->response;
}

/* Returns when the next page is not fresh any more. */
static uint64_t drop_old(struct metrics *m)
{
	uint64_t next = UINT64_MAX, now = uv_hrtime();

	for (size_t i = 0; i < METRICS_FORMAT_MAX; i++)
		if (m->pages[i].response && m->pages[i].until_ns <= now)
			drop(&m->pages[i]);
		else if (m->pages[i].response)
			next = MIN(next, m->pages[i].until_ns);
	return next;
}

/* --- requests */

static enum MHD_Result refuse(struct metrics *m, struct MHD_Connection *c, enum refusal why)
{
	return MHD_queue_response(c, refusals[why].status, m->refusal[why]);
}

/* At once, whether a body follows or not: nobody reads it. */
static enum MHD_Result on_request(void *data, struct MHD_Connection *c, const char *url,
				  const char *method, const char *version, const char *body,
				  size_t *body_size, void **state)
{
	struct metrics *m = data;
	struct MHD_Response *page;
	const char *accept;

	if (strcmp(url, "/metrics"))
		return refuse(m, c, REFUSAL_NOT_FOUND);
	if (strcmp(method, MHD_HTTP_METHOD_GET))
		return refuse(m, c, REFUSAL_METHOD);
	accept = MHD_lookup_connection_value(c, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT);
	page = page_for(m, metrics_format(accept));
	return page ? MHD_queue_response(c, MHD_HTTP_OK, page) : refuse(m, c, REFUSAL_TROUBLE);
}

static void on_guest(void *data, struct MHD_Connection *c, void **guest,
		     enum MHD_ConnectionNotificationCode what)
{
	struct metrics *m = data;

	if (what == MHD_CONNECTION_NOTIFY_STARTED)
		*guest = guests_add(&m->guests,
				    MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD)
					    ->connect_fd);
	else
		guests_remove(*guest);
	m->room |= what != MHD_CONNECTION_NOTIFY_STARTED;
}

/* --- the loop */

static void on_timer(uv_timer_t *timer);

static void schedule(struct metrics *m, uint64_t due_ns)
{
	uint64_t now = uv_hrtime();
	MHD_UNSIGNED_LONG_LONG ms;

	if (MHD_get_timeout(m->daemon, &ms) == MHD_YES)
		due_ns = MIN(due_ns, now + ms * MS);
	if (due_ns == UINT64_MAX) {
		uv_timer_stop(&m->timer);
		return;
	}
	uv_update_time(m->loop);
	uv_timer_start(&m->timer, on_timer, due_ns > now ? (due_ns - now + MS - 1) / MS : 0, 0);
}

/* Where there was no room libmicrohttpd listens again in its next run, and does not ask for one. */
static void run(struct metrics *m)
{
	uint64_t due;

	m->room = false;
	MHD_run(m->daemon);
	due = MIN(guests_look(&m->guests), drop_old(m));
	schedule(m, m->room ? 0 : due);
}

static void on_timer(uv_timer_t *timer)
{
	run(timer->data);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
	run(poll->data);
}

/* --- start and end */

/* The descriptor is libmicrohttpd's if it succeeds. */
static int start(struct metrics *m, int fd)
{
	m->daemon = MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, on_request, m,
				     MHD_OPTION_LISTEN_SOCKET, fd,
				     MHD_OPTION_CONNECTION_LIMIT, GUESTS_ROOM,
				     MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)REQUEST_ROOM,
				     MHD_OPTION_NOTIFY_CONNECTION, on_guest, m, MHD_OPTION_END);
	return m->daemon ? 0 : -ENOMEM;
}

static int make_refusals(struct metrics *m)
{
	for (size_t i = 0; i < REFUSAL_MAX; i++) {
		m->refusal[i] = response_new((void *)refusals[i].text, strlen(refusals[i].text),
					     MHD_RESPMEM_PERSISTENT, "text/plain; charset=utf-8");
		if (!m->refusal[i])
			return -ENOMEM;
	}
	return MHD_add_response_header(m->refusal[REFUSAL_METHOD], MHD_HTTP_HEADER_ALLOW,
				       MHD_HTTP_METHOD_GET) == MHD_YES ? 0 : -ENOMEM;
}

/* When no handle is open any more. */
static void metrics_free(struct metrics *m)
{
	for (size_t i = 0; i < REFUSAL_MAX; i++)
		if (m->refusal[i])
			MHD_destroy_response(m->refusal[i]);
	for (size_t i = 0; i < METRICS_FORMAT_MAX; i++)
		drop(&m->pages[i]);
	free(m);
}

static int serve(struct metrics *m, const struct in6_addr *addr, uint16_t port)
{
	int fd = metrics_listen(addr, port), r;

	if (fd < 0)
		return fd;
	r = make_refusals(m);
	r = r ?: start(m, fd);
	if (r)
		close(fd);
	return r;
}

static void on_closed(uv_handle_t *handle)
{
	struct metrics *m = handle->data;

	if (!--m->handles)
		metrics_free(m);
}

void metrics_close(struct metrics *m)
{
	if (!m)
		return;
	uv_close((uv_handle_t *)&m->timer, on_closed);
	if (m->handles > 1)
		uv_close((uv_handle_t *)&m->poll, on_closed);
	MHD_stop_daemon(m->daemon);
}

static int watch(struct metrics *m)
{
	int fd = MHD_get_daemon_info(m->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd, r;

	uv_timer_init(m->loop, &m->timer);
	m->timer.data = m->poll.data = m;
	m->handles = 1;
	r = uv_poll_init(m->loop, &m->poll, fd);
	if (r)
		return r;
	m->handles = 2;
	return uv_poll_start(&m->poll, UV_READABLE, on_ready);
}

int metrics_open(uv_loop_t *loop, const struct in6_addr *addr, uint16_t port,
		 struct metrics_view (*view)(void *data), void *data, struct metrics **ret)
{
	struct metrics *m = calloc(1, sizeof(*m));
	int r;

	if (!m)
		return -ENOMEM;
	*m = (struct metrics){.loop = loop, .view = view, .data = data};
	r = serve(m, addr, port);
	if (r) {
		metrics_free(m);
		return r;
	}
	r = watch(m);
	if (r) {
		metrics_close(m);
		return r;
	}
	*ret = m;
	return 0;
}

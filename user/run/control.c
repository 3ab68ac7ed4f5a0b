// SPDX-License-Identifier: GPL-2.0-or-later
#include "run/control.h"

#include "run/control_request.h"
#include "run/control_socket.h"
#include <errno.h>
#include <signal.h>
#include <string.h>

#define QUEUE 64 /* of connections that wait to be accepted */

struct client {
	uv_pipe_t pipe;
	struct control *control;
	struct client *next;
	uint64_t heard; /* order in which clients last said something */
	char in[CONTROL_LINE];
	size_t n;
	bool subscribed;
	bool last; /* cut off when the answer is written */
};

struct control {
	uv_pipe_t listener;
	bool listener_closed, closing;
	bool waiting; /* a connection, until there is room for it */
	uint64_t cookie, turn;
	struct events *events;
	struct event_sink sink;
	const struct control_ops *ops;
	void *data;
	struct client *clients;
	size_t n, n_subscribed;
};

/* A write in progress. */
struct message {
	uv_write_t req;
	bool answer; /* the client may go on */
	char text[];
};

static void next_line(struct client *cl);
static void accept_client(struct control *c);

static void free_when_closed(struct control *c)
{
	if (c->closing && c->listener_closed && !c->clients)
		free(c);
}

static void on_client_closed(uv_handle_t *handle)
{
	struct client *cl = handle->data, **at = &cl->control->clients;
	struct control *c = cl->control;

	while (*at != cl)
		at = &(*at)->next;
	*at = cl->next;
	c->n--;
	free(cl);
	if (c->waiting && !c->closing) {
		c->waiting = false;
		accept_client(c);
	}
	free_when_closed(c);
}

static bool is_closing(const struct client *cl)
{
	return uv_is_closing((const uv_handle_t *)&cl->pipe);
}

static void close_client(struct client *cl)
{
	if (is_closing(cl))
		return;
	if (cl->subscribed)
		cl->control->n_subscribed--;
	uv_close((uv_handle_t *)&cl->pipe, on_client_closed);
}

/* Writing. */

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf);

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *ret)
{
	struct client *cl = handle->data;

	*ret = uv_buf_init(cl->in + cl->n, sizeof(cl->in) - cl->n);
}

static void read_on(struct client *cl)
{
	int r = uv_read_start((uv_stream_t *)&cl->pipe, on_alloc, on_read);

	if (r && r != UV_EALREADY)
		close_client(cl);
}

static void on_written(uv_write_t *req, int status)
{
	struct message *m = req->data;
	struct client *cl = req->handle->data;
	bool answer = m->answer;

	free(m);
	if (is_closing(cl))
		return;
	if (status < 0 || cl->last)
		close_client(cl);
	else if (answer)
		next_line(cl);
}

static void send_line(struct client *cl, const char *text, size_t len, bool answer)
{
	struct message *m = malloc(sizeof(*m) + len + 1);
	uv_buf_t buf;

	if (!m) {
		close_client(cl);
		return;
	}
	m->req.data = m;
	m->answer = answer;
	memcpy(m->text, text, len);
	m->text[len] = '\n';
	buf = uv_buf_init(m->text, len + 1);
	if (uv_write(&m->req, (uv_stream_t *)&cl->pipe, &buf, 1, on_written)) {
		free(m);
		close_client(cl);
	}
}

/* Takes o over. */
static void answer(struct client *cl, struct json_object *o)
{
	const char *text;

	if (is_closing(cl)) {
		json_object_put(o);
		return;
	}
	text = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN |
						 JSON_C_TO_STRING_NOSLASHESCAPE);
	if (text)
		send_line(cl, text, strlen(text), true);
	else
		close_client(cl);
	json_object_put(o);
}

/* why NULL: all is well. */
static struct json_object *verdict(const char *why)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "ok", json_object_new_boolean(!why));
	if (why)
		json_object_object_add(o, "error", json_object_new_string(why));
	return o;
}

/* What clients ask for. */

static struct json_object *do_link(struct control *c, const struct control_request *r)
{
	int e = c->ops->link(c->data, r->link, r->manual, r->seconds);

	return verdict(!e ? NULL : e == -ENOENT ? "no such link" : strerror(-e));
}

static struct json_object *do_reload(struct control *c)
{
	char text[512] = "";
	int r = c->ops->reload(c->data, text, sizeof(text));

	return verdict(!r ? NULL : *text ? text : strerror(-r));
}

static struct json_object *do_events(struct client *cl)
{
	struct control *c = cl->control;

	if (c->n_subscribed == CONTROL_SUBSCRIBERS)
		return verdict("too many subscribers");
	cl->subscribed = true;
	c->n_subscribed++;
	return verdict(NULL);
}

static struct json_object *execute(struct client *cl, const struct control_request *r)
{
	struct control *c = cl->control;
	struct json_object *o;

	switch (r->what) {
	case CONTROL_LINK:
		return do_link(c, r);
	case CONTROL_RELOAD:
		return do_reload(c);
	case CONTROL_EVENTS:
		return do_events(cl);
	default:
		o = verdict(NULL);
		c->ops->status(c->data, o);
		return o;
	}
}

/* Reading: one line, its answer, and the next one when that is written. */

static void take_line(struct client *cl, size_t len)
{
	struct control_request r;
	const char *why;

	if (control_request_parse(cl->in, len, &r, &why))
		answer(cl, verdict(why));
	else
		answer(cl, execute(cl, &r));
}

static void next_line(struct client *cl)
{
	const char *end = memchr(cl->in, '\n', cl->n);
	size_t len = end ? end - cl->in : 0;

	if (cl->subscribed)
		cl->n = 0;
	if (cl->subscribed || (!end && cl->n < sizeof(cl->in))) {
		read_on(cl);
		return;
	}
	uv_read_stop((uv_stream_t *)&cl->pipe);
	cl->last = !end;
	if (!end) {
		answer(cl, verdict("line too long"));
		return;
	}
	take_line(cl, len);
	cl->n -= len + 1;
	memmove(cl->in, end + 1, cl->n);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct client *cl = stream->data;

	if (n < 0) {
		close_client(cl);
	} else if (n > 0 && !cl->subscribed) {
		cl->heard = ++cl->control->turn;
		cl->n += n;
		next_line(cl);
	}
}

/* Coming and going. */

static void evict(struct control *c)
{
	struct client *oldest = NULL;

	for (struct client *cl = c->clients; cl; cl = cl->next) {
		if (is_closing(cl))
			return;
		if (!cl->subscribed && (!oldest || cl->heard < oldest->heard))
			oldest = cl;
	}
	if (oldest)
		close_client(oldest);
}

static void accept_client(struct control *c)
{
	struct client *cl = calloc(1, sizeof(*cl));

	/* libuv accepts no more while one waits: without memory, until a client has gone */
	if (!cl) {
		c->waiting = true;
		return;
	}
	uv_pipe_init(c->listener.loop, &cl->pipe, 0);
	cl->pipe.data = cl;
	cl->control = c;
	cl->heard = ++c->turn;
	cl->next = c->clients;
	c->clients = cl;
	c->n++;
	if (uv_accept((uv_stream_t *)&c->listener, (uv_stream_t *)&cl->pipe))
		close_client(cl);
	else
		read_on(cl);
}

static void on_connection(uv_stream_t *listener, int status)
{
	struct control *c = listener->data;

	if (status < 0)
		return;
	if (c->n < CONTROL_CLIENTS) {
		accept_client(c);
		return;
	}
	c->waiting = true;
	evict(c);
}

static void on_event(struct event_sink *s, const struct event *e, const char *json, size_t len)
{
	struct control *c = (struct control *)((char *)s - offsetof(struct control, sink));

	for (struct client *cl = c->clients; cl; cl = cl->next) {
		if (!cl->subscribed || is_closing(cl))
			continue;
		if (uv_stream_get_write_queue_size((uv_stream_t *)&cl->pipe) > CONTROL_BACKLOG)
			close_client(cl);
		else
			send_line(cl, json, len, false);
	}
}

static void on_listener_closed(uv_handle_t *handle)
{
	struct control *c = handle->data;

	c->listener_closed = true;
	free_when_closed(c);
}

/* Takes fd over if it succeeds.  c is gone, or goes, if not. */
static int start(struct control *c, uv_loop_t *loop, int fd)
{
	int r = uv_pipe_init(loop, &c->listener, 0);

	if (r) {
		free(c);
		return r;
	}
	c->listener.data = c;
	r = uv_pipe_open(&c->listener, fd);
	r = r ?: uv_listen((uv_stream_t *)&c->listener, QUEUE, on_connection);
	if (r) {
		c->closing = true;
		uv_close((uv_handle_t *)&c->listener, on_listener_closed);
	}
	return r;
}

int control_open(uv_loop_t *loop, uint64_t cookie, struct events *events,
		 const struct control_ops *ops, void *data, struct control **ret)
{
	struct control *c = calloc(1, sizeof(*c));
	int fd, r;

	if (!c)
		return -ENOMEM;
	*c = (struct control){.cookie = cookie, .events = events, .ops = ops, .data = data};
	signal(SIGPIPE, SIG_IGN);
	fd = control_socket_listen(cookie, QUEUE);
	if (fd < 0) {
		free(c);
		return fd;
	}
	r = start(c, loop, fd);
	if (r) {
		control_socket_remove(cookie);
		return r;
	}
	c->sink.take = on_event;
	events_add(events, &c->sink);
	*ret = c;
	return 0;
}

void control_close(struct control *c)
{
	if (!c)
		return;
	c->closing = true;
	events_remove(c->events, &c->sink);
	control_socket_remove(c->cookie);
	for (struct client *cl = c->clients; cl; cl = cl->next)
		close_client(cl);
	uv_close((uv_handle_t *)&c->listener, on_listener_closed);
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "run/control.h"

#include "run/control_peer.h"
#include "run/control_request.h"
#include "run/control_socket.h"
#include <errno.h>
#include <signal.h>
#include <string.h>

#define QUEUE 64 /* of connections that wait to be accepted */

struct control {
	uv_pipe_t listener;
	bool listener_closed, closing;
	bool waiting; /* a connection, until there is room for it */
	uint64_t cookie, turn;
	struct events *events;
	struct event_sink sink;
	const struct control_ops *ops;
	void *data;
	struct peer *peers; /* those that are deaf are the subscribers */
	size_t n;
};

static void free_when_closed(struct control *c)
{
	if (c->closing && c->listener_closed && !c->peers)
		free(c);
}

/* What clients ask for. */

/* why NULL: all is well. */
static struct json_object *verdict(const char *why)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "ok", json_object_new_boolean(!why));
	if (why)
		json_object_object_add(o, "error", json_object_new_string(why));
	return o;
}

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

static struct json_object *do_events(struct control *c, struct peer *p)
{
	size_t n = 0;

	for (struct peer *other = c->peers; other; other = other->next)
		n += other->deaf && !peer_is_closing(other);
	if (n >= CONTROL_SUBSCRIBERS)
		return verdict("too many subscribers");
	p->deaf = true;
	return verdict(NULL);
}

static struct json_object *execute(struct control *c, struct peer *p,
				   const struct control_request *r)
{
	struct json_object *o;

	switch (r->what) {
	case CONTROL_LINK:
		return do_link(c, r);
	case CONTROL_RELOAD:
		return do_reload(c);
	case CONTROL_EVENTS:
		return do_events(c, p);
	default:
		o = verdict(NULL);
		c->ops->status(c->data, o);
		return o;
	}
}

static struct json_object *judge_line(struct control *c, struct peer *p, const char *line,
				      size_t len)
{
	struct control_request r;
	const char *why = "line too long";

	if (!line || control_request_parse(line, len, &r, &why))
		return verdict(why);
	return execute(c, p, &r);
}

static void on_line(struct peer *p, const char *line, size_t len)
{
	struct control *c = p->data;
	struct json_object *o = judge_line(c, p, line, len);
	const char *text = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN |
								 JSON_C_TO_STRING_NOSLASHESCAPE);

	p->heard = ++c->turn;
	if (text)
		peer_answer(p, text, strlen(text));
	else
		peer_close(p);
	json_object_put(o);
}

static void on_event(struct event_sink *s, const struct event *e, const char *json, size_t len)
{
	struct control *c = (struct control *)((char *)s - offsetof(struct control, sink));

	for (struct peer *p = c->peers; p; p = p->next)
		if (p->deaf)
			peer_tell(p, json, len);
}

/* Coming and going. */

static void accept_peer(struct control *c);

static void on_peer_closed(struct peer *p)
{
	struct control *c = p->data;
	struct peer **at = &c->peers;

	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	c->n--;
	free(p);
	if (c->waiting && !c->closing) {
		c->waiting = false;
		accept_peer(c);
	}
	free_when_closed(c);
}

/* libuv accepts no more while one waits: without memory, until somebody has gone. */
static void accept_peer(struct control *c)
{
	static const struct peer_ops ops = {.line = on_line, .closed = on_peer_closed};
	struct peer *p = calloc(1, sizeof(*p));

	if (!p) {
		c->waiting = true;
		return;
	}
	p->ops = &ops;
	p->data = c;
	p->heard = ++c->turn;
	p->next = c->peers;
	c->peers = p;
	c->n++;
	peer_accept(p, &c->listener);
}

/* One at a time. */
static void evict(struct control *c)
{
	struct peer *oldest = NULL;

	for (struct peer *p = c->peers; p; p = p->next) {
		if (peer_is_closing(p))
			return;
		if (!p->deaf && (!oldest || p->heard < oldest->heard))
			oldest = p;
	}
	if (oldest)
		peer_close(oldest);
}

static void on_connection(uv_stream_t *listener, int status)
{
	struct control *c = listener->data;

	if (status < 0)
		return;
	if (c->n < CONTROL_CLIENTS) {
		accept_peer(c);
		return;
	}
	c->waiting = true;
	evict(c);
}

static void on_listener_closed(uv_handle_t *handle)
{
	struct control *c = handle->data;

	c->listener_closed = true;
	free_when_closed(c);
}

/* Takes fd over.  c goes if it fails. */
static int start(struct control *c, uv_loop_t *loop, int fd)
{
	int r = uv_pipe_init(loop, &c->listener, 0);

	if (r) {
		close(fd);
		free(c);
		return r;
	}
	c->listener.data = c;
	r = uv_pipe_open(&c->listener, fd);
	if (r)
		close(fd);
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

int control_serve(struct control *c)
{
	return control_socket_ready(c->cookie);
}

void control_close(struct control *c)
{
	if (!c)
		return;
	c->closing = true;
	events_remove(c->events, &c->sink);
	control_socket_remove(c->cookie);
	for (struct peer *p = c->peers; p; p = p->next)
		peer_close(p);
	uv_close((uv_handle_t *)&c->listener, on_listener_closed);
}

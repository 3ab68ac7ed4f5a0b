// SPDX-License-Identifier: GPL-2.0-or-later
#include "run/control_peer.h"

#include <string.h>

/* A write in progress. */
struct message {
	uv_write_t req;
	bool answer;
	char text[];
};

static void next_line(struct peer *p);

static void on_closed(uv_handle_t *handle)
{
	struct peer *p = handle->data;

	p->ops->closed(p);
}

bool peer_is_closing(const struct peer *p)
{
	return uv_is_closing((const uv_handle_t *)&p->pipe);
}

void peer_close(struct peer *p)
{
	if (!peer_is_closing(p))
		uv_close((uv_handle_t *)&p->pipe, on_closed);
}

/* Writing. */

static void on_written(uv_write_t *req, int status)
{
	struct message *m = req->data;
	struct peer *p = req->handle->data;
	bool answer = m->answer;

	free(m);
	if (peer_is_closing(p))
		return;
	if (status < 0 || p->last)
		peer_close(p);
	else if (answer)
		next_line(p);
}

static void send_line(struct peer *p, const char *text, size_t len, bool answer)
{
	struct message *m = peer_is_closing(p) ? NULL : malloc(sizeof(*m) + len + 1);
	uv_buf_t buf;

	if (!m) {
		peer_close(p);
		return;
	}
	m->req.data = m;
	m->answer = answer;
	memcpy(m->text, text, len);
	m->text[len] = '\n';
	buf = uv_buf_init(m->text, len + 1);
	if (uv_write(&m->req, (uv_stream_t *)&p->pipe, &buf, 1, on_written)) {
		free(m);
		peer_close(p);
	}
}

void peer_answer(struct peer *p, const char *text, size_t len)
{
	send_line(p, text, len, true);
}

void peer_tell(struct peer *p, const char *text, size_t len)
{
	if (uv_stream_get_write_queue_size((uv_stream_t *)&p->pipe) > CONTROL_BACKLOG)
		peer_close(p);
	else
		send_line(p, text, len, false);
}

/* Reading. */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *ret)
{
	struct peer *p = handle->data;

	*ret = uv_buf_init(p->in + p->n, sizeof(p->in) - p->n);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct peer *p = stream->data;

	if (n < 0) {
		peer_close(p);
	} else if (n > 0 && !p->deaf) {
		p->n += n;
		next_line(p);
	}
}

static void read_on(struct peer *p)
{
	int r = uv_read_start((uv_stream_t *)&p->pipe, on_alloc, on_read);

	if (r && r != UV_EALREADY)
		peer_close(p);
}

static void next_line(struct peer *p)
{
	const char *end = memchr(p->in, '\n', p->n);
	size_t len = end ? end - p->in : 0;

	if (p->deaf)
		p->n = 0;
	if (p->deaf || (!end && p->n < sizeof(p->in))) {
		read_on(p);
		return;
	}
	uv_read_stop((uv_stream_t *)&p->pipe);
	p->last = !end;
	p->ops->line(p, end ? p->in : NULL, len);
	if (!end)
		return;
	p->n -= len + 1;
	memmove(p->in, end + 1, p->n);
}

void peer_accept(struct peer *p, uv_pipe_t *listener)
{
	uv_pipe_init(listener->loop, &p->pipe, 0);
	p->pipe.data = p;
	if (uv_accept((uv_stream_t *)listener, (uv_stream_t *)&p->pipe))
		peer_close(p);
	else
		read_on(p);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* The verbs' side of the control socket. */
#include "base/clock.h"
#include "run/control.h"
#include "run/control_socket.h"
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#define WAIT_S 5
#define WAIT_RELOAD_S 60
#define ANSWER_MAX (16u << 20) /* 250 links with 16 targets each are below 1 MiB */

/* What was read; the first line of it is NUL-terminated after read_line. */
struct reader {
	int fd;
	char *s;
	size_t n, room;
	size_t taken; /* bytes of the line before, with its newline */
};

static int64_t now_ms(void)
{
	return clock_ns(CLOCK_MONOTONIC) / 1000000;
}

/* until_ms negative: for ever. */
static int wait_readable(int fd, int64_t until_ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	int64_t left = until_ms < 0 ? -1 : MAX(until_ms - now_ms(), (int64_t)0);
	int n = poll(&p, 1, left);

	return n < 0 ? -errno : n ? 0 : -ETIMEDOUT;
}

static int read_more(struct reader *r, int64_t until_ms)
{
	ssize_t n = wait_readable(r->fd, until_ms);

	if (n == -EINTR)
		return 0;
	if (n)
		return n;
	if (r->n == r->room) {
		char *s = r->n < ANSWER_MAX ? realloc(r->s, r->n * 2 + 65536) : NULL;

		if (!s)
			return r->n < ANSWER_MAX ? -ENOMEM : -EBADMSG;
		r->s = s;
		r->room = r->n * 2 + 65536;
	}
	n = read(r->fd, r->s + r->n, r->room - r->n);
	if (n <= 0)
		return n && errno == EINTR ? 0 : n && errno != ECONNRESET ? -errno : -EPIPE;
	r->n += n;
	return 0;
}

/* wait_s 0: for ever. */
static int read_line(struct reader *r, int wait_s, const char **ret)
{
	int64_t until = wait_s ? now_ms() + wait_s * 1000LL : -1;
	size_t seen = 0;
	char *end;
	int e;

	r->n -= r->taken;
	if (r->taken)
		memmove(r->s, r->s + r->taken, r->n);
	r->taken = 0;
	while (!(end = r->n > seen ? memchr(r->s + seen, '\n', r->n - seen) : NULL)) {
		seen = r->n;
		e = read_more(r, until);
		if (e)
			return e;
	}
	*end = 0;
	r->taken = end + 1 - r->s;
	*ret = r->s;
	return 0;
}

static int send_request(int fd, const char *text)
{
	_cleanup_free_ char *line = NULL;
	int len = asprintf(&line, "%s\n", text);
	ssize_t n;

	if (len < 0) {
		line = NULL;
		return -ENOMEM;
	}
	if (len > CONTROL_LINE)
		return -E2BIG;
	n = send(fd, line, len, MSG_NOSIGNAL);
	if (n < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	return n == len ? 0 : -ETIMEDOUT;
}

static int parse_answer(const char *line, struct json_object **ret)
{
	struct json_object *o = json_tokener_parse(line);

	if (!json_object_is_type(o, json_type_object) || !json_object_object_get_ex(o, "ok", NULL)) {
		json_object_put(o);
		return -EBADMSG;
	}
	*ret = o;
	return 0;
}

/* Connects, asks and reads the answer; the reader is the caller's to close, in any case. */
static int ask(struct reader *r, uint64_t cookie, const char *request, int wait_s,
	       struct json_object **ret)
{
	const char *line;
	int e;

	r->fd = control_socket_connect(cookie, WAIT_S);
	if (r->fd < 0)
		return r->fd;
	e = send_request(r->fd, request);
	e = e ?: read_line(r, wait_s, &line);
	return e ?: parse_answer(line, ret);
}

static void reader_close(struct reader *r)
{
	cleanup_close(&r->fd);
	free(r->s);
}

static bool is_reload(struct json_object *request)
{
	struct json_object *v;

	return json_object_object_get_ex(request, "do", &v) &&
	       !strcmp(json_object_get_string(v) ?: "", "reload");
}

int control_ask(uint64_t cookie, struct json_object *request, struct json_object **ret)
{
	_cleanup_(reader_close) struct reader r = {.fd = -1};
	const char *text = json_object_to_json_string_ext(request, JSON_C_TO_STRING_PLAIN);

	if (!text)
		return -ENOMEM;
	return ask(&r, cookie, text, is_reload(request) ? WAIT_RELOAD_S : WAIT_S, ret);
}

int control_listen(uint64_t cookie, bool (*fn)(const char *line, void *data), void *data)
{
	_cleanup_(reader_close) struct reader r = {.fd = -1};
	struct json_object *o, *ok;
	const char *line;
	bool more;
	int e = ask(&r, cookie, "{\"do\":\"events\"}", WAIT_S, &o);

	if (e)
		return e;
	more = json_object_object_get_ex(o, "ok", &ok) && json_object_get_boolean(ok);
	json_object_put(o);
	if (!more)
		return -EBUSY;
	do {
		e = read_line(&r, 0, &line);
	} while (!e && fn(line, data));
	return e;
}

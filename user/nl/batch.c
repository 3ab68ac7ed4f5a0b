// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "nl/batch.h"
#include "nl/exchange.h"

/* Requests between two looks at the answers: an answer takes about 1 KiB of the socket's buffer,
 * so these fit even into the default one. */
#define CHUNK_BYTES (32 << 10)
#define CHUNK_REQUESTS 128

static int batch_room(struct nl_batch *b, size_t more)
{
	size_t room = b->room ? b->room : 16384;
	char *buf;

	if (b->room >= b->len + more)
		return 0;
	while (room < b->len + more)
		room *= 2;
	buf = realloc(b->buf, room);
	if (!buf)
		return -ENOMEM;
	b->buf = buf;
	b->room = room;
	return 0;
}

void nl_batch_add_raw(struct nl_batch *b, const struct nlmsghdr *h)
{
	uint32_t len = MNL_ALIGN(h->nlmsg_len);
	struct nl_request *request;

	if (b->err)
		return;
	b->err = batch_room(b, len);
	if (b->err)
		return;
	request = ARRAY_ADD(b->requests, b->n);
	if (!request) {
		b->err = -ENOMEM;
		return;
	}
	*request = (struct nl_request){ b->len, len, -ECANCELED };
	memset(b->buf + b->len, 0, len);
	memcpy(b->buf + b->len, h, h->nlmsg_len);
	b->len += len;
}

void nl_batch_add(struct nl_batch *b, const struct nl_msg *m)
{
	if (m->err && !b->err)
		b->err = m->err;
	nl_batch_add_raw(b, m->h);
}

void nl_batch_done(struct nl_batch *b)
{
	free(b->buf);
	free(b->requests);
	*b = (struct nl_batch){ 0 };
}

static int on_batch_answer(const struct nlmsghdr *h, struct exchange *x)
{
	struct nl_request *requests = x->data;

	if (h->nlmsg_type == NLMSG_ERROR)
		requests[h->nlmsg_seq - x->first].err = exchange_verdict(x->nl, h);
	return 0;
}

/* How many requests from the first one on go into one datagram. */
static size_t chunk(const struct nl_batch *b, size_t from)
{
	size_t n = from, bytes = 0;

	if (b->transaction)
		return b->n - from;
	while (n < b->n && n - from < CHUNK_REQUESTS && bytes + b->requests[n].len <= CHUNK_BYTES)
		bytes += b->requests[n++].len;
	return MAX(n - from, (size_t)1);
}

static struct nlmsghdr *request_header(const struct nl_batch *b, size_t i)
{
	return (struct nlmsghdr *)(b->buf + b->requests[i].at);
}

/* Requests that want no acknowledgement are answered only if they fail. */
static int talk_chunk(struct nl *nl, struct nl_batch *b, size_t from, size_t n)
{
	struct exchange x = {
		.nl = nl, .first = nl->seq + 1, .n = n, .fn = on_batch_answer,
		.data = b->requests + from,
	};
	size_t bytes = 0, i;
	int r;

	for (i = from; i < from + n; i++) {
		request_header(b, i)->nlmsg_seq = ++nl->seq;
		bytes += b->requests[i].len;
	}
	r = exchange_send(nl, b->buf + b->requests[from].at, bytes);
	if (r)
		return r;
	for (i = from; i < from + n; i++)
		if (!(request_header(b, i)->nlmsg_flags & NLM_F_ACK))
			b->requests[i].err = 0;
	/* The kernel has carried out and answered everything by the time sendmsg(2) returns. */
	return exchange_receive(&x, MSG_DONTWAIT);
}

/* Unanswered requests only count when nothing tells why they were not answered. */
static int first_error(const struct nl_batch *b, size_t *ret_first)
{
	size_t i, unanswered = b->n;

	for (i = 0; i < b->n; i++) {
		if (b->requests[i].err && b->requests[i].err != -ECANCELED) {
			*ret_first = i;
			return b->requests[i].err;
		}
		if (b->requests[i].err && unanswered == b->n)
			unanswered = i;
	}
	if (unanswered == b->n)
		return 0;
	*ret_first = unanswered;
	return -ECANCELED;
}

int nl_batch_talk(struct nl *nl, struct nl_batch *b, size_t *ret_first)
{
	size_t i, n;
	int r = b->err;

	nl->error[0] = '\0';
	for (i = 0; !r && i < b->n; i += n) {
		n = chunk(b, i);
		r = talk_chunk(nl, b, i, n);
	}
	if (r) {
		*ret_first = b->n;
		return r;
	}
	return first_error(b, ret_first);
}


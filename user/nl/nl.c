// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>

#include "nl/exchange.h"

/* Room for the answers of a whole nftables transaction and of a dump while we parse; the kernel
 * doubles it for its own book-keeping. */
#define SOCKET_ROOM (8 << 20)
#define DUMP_TRIES 6

static void widen(int fd, int force, int plain)
{
	int room = SOCKET_ROOM;

	if (setsockopt(fd, SOL_SOCKET, force, &room, sizeof(room)))
		setsockopt(fd, SOL_SOCKET, plain, &room, sizeof(room));
}

int nl_open(struct nl *ret, int bus)
{
	int on = 1;

	*ret = (struct nl){ .sock = mnl_socket_open2(bus, SOCK_CLOEXEC) };
	if (!ret->sock)
		return -errno;
	if (mnl_socket_bind(ret->sock, 0, MNL_SOCKET_AUTOPID)) {
		int r = -errno;

		nl_close(ret);
		return r;
	}
	ret->port = mnl_socket_get_portid(ret->sock);
	/* Both are conveniences: an old kernel sends no text and echoes the request. */
	mnl_socket_setsockopt(ret->sock, NETLINK_EXT_ACK, &on, sizeof(on));
	mnl_socket_setsockopt(ret->sock, NETLINK_CAP_ACK, &on, sizeof(on));
	widen(mnl_socket_get_fd(ret->sock), SO_RCVBUFFORCE, SO_RCVBUF);
	widen(mnl_socket_get_fd(ret->sock), SO_SNDBUFFORCE, SO_SNDBUF);
	return 0;
}

void nl_close(struct nl *nl)
{
	if (nl->sock)
		mnl_socket_close(nl->sock);
	nl->sock = NULL;
}

void nl_begin(struct nl_msg *m, uint16_t type, uint16_t flags, const void *header, size_t size)
{
	m->err = 0;
	m->h = mnl_nlmsg_put_header(m->buf);
	m->h->nlmsg_type = type;
	m->h->nlmsg_flags = NLM_F_REQUEST | flags;
	if (MNL_ALIGN(size) > sizeof(m->buf) - MNL_NLMSG_HDRLEN)
		m->err = -EMSGSIZE;
	else
		memcpy(mnl_nlmsg_put_extra_header(m->h, size), header, size);
}

void nl_put(struct nl_msg *m, uint16_t type, const void *data, size_t size)
{
	if (!m->err && !mnl_attr_put_check(m->h, sizeof(m->buf), type, size, data))
		m->err = -EMSGSIZE;
}

void nl_put_u8(struct nl_msg *m, uint16_t type, uint8_t v)
{
	nl_put(m, type, &v, sizeof(v));
}

void nl_put_u16(struct nl_msg *m, uint16_t type, uint16_t v)
{
	nl_put(m, type, &v, sizeof(v));
}

void nl_put_u32(struct nl_msg *m, uint16_t type, uint32_t v)
{
	nl_put(m, type, &v, sizeof(v));
}

void nl_put_str(struct nl_msg *m, uint16_t type, const char *s)
{
	nl_put(m, type, s, strlen(s) + 1);
}

void nl_put_addr(struct nl_msg *m, uint16_t type, const struct in6_addr *a)
{
	size_t size;
	const void *data = addr_wire(a, &size);

	nl_put(m, type, data, size);
}

struct nlattr *nl_nest_begin(struct nl_msg *m, uint16_t type)
{
	struct nlattr *nest = NULL;

	if (!m->err)
		nest = mnl_attr_nest_start_check(m->h, sizeof(m->buf), type);
	if (!nest)
		m->err = -EMSGSIZE;
	return nest;
}

void nl_nest_end(struct nl_msg *m, struct nlattr *nest)
{
	if (nest)
		mnl_attr_nest_end(m->h, nest);
}

struct answer {
	int (*fn)(const struct nlmsghdr *h, void *data); /* NULL: a verdict alone is expected */
	void *data;
};

static int on_answer(const struct nlmsghdr *h, struct exchange *x)
{
	const struct answer *a = x->data;
	int r;

	if (h->nlmsg_type != NLMSG_ERROR)
		return a->fn ? a->fn(h, a->data) : 0;
	r = exchange_verdict(x->nl, h);
	return r ? r : 1;
}

int nl_ask(struct nl *nl, struct nl_msg *m, int (*fn)(const struct nlmsghdr *h, void *data),
	   void *data)
{
	struct answer a = { fn, data };
	struct exchange x = {
		.nl = nl, .first = ++nl->seq, .n = 1, .fn = on_answer, .data = &a,
	};
	int r;

	nl->error[0] = '\0';
	if (m->err)
		return m->err;
	m->h->nlmsg_flags |= NLM_F_ACK;
	m->h->nlmsg_seq = x.first;
	r = exchange_send(nl, m->h, m->h->nlmsg_len);
	return r ? r : exchange_receive(&x, 0);
}

struct dump {
	int (*fn)(const struct nlmsghdr *h, void *data);
	void *data;
	int err; /* of fn: the rest is read all the same, or the socket would stay busy */
	bool torn;
};

static int on_dump_message(const struct nlmsghdr *h, struct exchange *x)
{
	struct dump *d = x->data;
	int r;

	if (h->nlmsg_flags & NLM_F_DUMP_INTR)
		d->torn = true;
	if (h->nlmsg_type == NLMSG_DONE || h->nlmsg_type == NLMSG_ERROR) {
		r = exchange_verdict(x->nl, h);
		return r ? r : 1;
	}
	if (!d->err && !d->torn)
		d->err = d->fn(h, d->data);
	return 0;
}

/* -EINTR: torn. */
static int dump_once(struct nl *nl, struct nl_msg *m, struct dump *d)
{
	struct exchange x = {
		.nl = nl, .first = ++nl->seq, .n = 1, .fn = on_dump_message, .data = d,
		.restarts = true,
	};
	int r;

	nl->error[0] = '\0';
	m->h->nlmsg_seq = x.first;
	r = exchange_send(nl, m->h, m->h->nlmsg_len);
	if (!r)
		r = exchange_receive(&x, 0);
	if (r)
		return r;
	return d->torn || x.lost ? -EINTR : d->err;
}

int nl_dump(struct nl *nl, struct nl_msg *m, int (*fn)(const struct nlmsghdr *h, void *data),
	    void (*reset)(void *data), void *data)
{
	int r = m->err, i;

	if (r)
		return r;
	m->h->nlmsg_flags |= NLM_F_DUMP;
	for (i = 0; i < DUMP_TRIES; i++) {
		struct dump d = { .fn = fn, .data = data };

		if (i)
			reset(data);
		r = dump_once(nl, m, &d);
		if (r != -EINTR)
			break;
	}
	return r;
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "run/courier.h"

#include "base/defs.h"
#include "nl/neigh.h"
#include "run/courier_hop.h"
#include <errno.h>
#include <linux/rtnetlink.h>
#include <netinet/ip.h>
#include <string.h>
#include <sys/socket.h>

struct parcel {
	struct parcel *next;
	uint64_t due_ms; /* uv_now() */
	uint32_t ifindex;
	struct in6_addr hop;
	int result; /* once it has left the queue */
	courier_done *done;
	void *data;
	size_t len;
	uint8_t packet[];
};

struct courier {
	struct nl nl;	  /* questions */
	struct nl events; /* RTNLGRP_NEIGH, joined while somebody waits */
	int fd;		  /* AF_PACKET; receives nothing */
	uv_poll_t poll;
	uv_timer_t timer;	/* for the first of waiting */
	struct parcel *waiting; /* the next to be due first */
	unsigned int n;
	int handles; /* that the loop has not closed yet */
};

/* -------- neighbours */

/* Also joins before it asks: no answer is missed. */
static int listen_to_neighbours(struct courier *c, bool on)
{
	int group = RTNLGRP_NEIGH;

	if (mnl_socket_setsockopt(c->events.sock, on ? NETLINK_ADD_MEMBERSHIP :
				  NETLINK_DROP_MEMBERSHIP, &group, sizeof(group)))
		return -errno;
	return 0;
}

/* 0: *ret has the address; -EINPROGRESS: the kernel is asking, and we listen; -errno. */
static int ask(struct courier *c, uint32_t ifindex, const struct in6_addr *hop, struct neigh *ret)
{
	int r;

	if (c->n >= COURIER_WAITING)
		return -ENOBUFS;
	r = c->waiting ? 0 : listen_to_neighbours(c, true);
	r = r ?: neigh_use(&c->nl, ifindex, hop);
	r = r ?: neigh_get(&c->nl, ifindex, hop, ret);
	/* devices without ARP have an answer at once */
	return r ?: neigh_is_valid(ret) ? 0 : -EINPROGRESS;
}

static int resolve(struct courier *c, uint32_t ifindex, const struct in6_addr *hop,
		   struct neigh *ret)
{
	int r = neigh_get(&c->nl, ifindex, hop, ret);

	if (r && r != -ENOENT)
		return r;
	if (r || !neigh_is_valid(ret))
		return ask(c, ifindex, hop, ret);
	/* as the kernel does: sent to whom it was, and that is confirmed afterwards */
	if (ret->state & NUD_STALE)
		neigh_use(&c->nl, ifindex, hop);
	return 0;
}

/* -------- the queue */

static void on_timer(uv_timer_t *timer);

static void set_timer(struct courier *c)
{
	uint64_t now = uv_now(c->timer.loop);

	if (!c->waiting)
		uv_timer_stop(&c->timer);
	else
		uv_timer_start(&c->timer, on_timer,
			       c->waiting->due_ms > now ? c->waiting->due_ms - now : 0, 0);
}

static void enqueue(struct courier *c, struct parcel *p)
{
	struct parcel **at = &c->waiting;

	while (*at)
		at = &(*at)->next;
	*at = p;
	c->n++;
	/* the loop's time is that of its last turn, which may have been long */
	uv_update_time(c->timer.loop);
	p->due_ms = uv_now(c->timer.loop) + COURIER_WAIT_MS;
	set_timer(c);
}

/* Takes those out of the queue that judge() has given a result other than -EINPROGRESS, and then
 * tells: whoever is told may send again. */
static void settle(struct courier *c, int (*judge)(struct courier *c, struct parcel *p, void *data),
		   void *data)
{
	struct parcel *settled = NULL, **end = &settled, **at = &c->waiting, *p;

	while ((p = *at)) {
		p->result = judge(c, p, data);
		if (p->result == -EINPROGRESS) {
			at = &p->next;
			continue;
		}
		*at = p->next;
		p->next = NULL;
		*end = p;
		end = &p->next;
		c->n--;
	}
	if (!c->waiting && settled)
		listen_to_neighbours(c, false);
	set_timer(c);
	while ((p = settled)) {
		settled = p->next;
		p->done(p->data, p->result);
		free(p);
	}
}

/* By what the kernel says now: an event may be of a former attempt. */
static int judge_anew(struct courier *c, struct parcel *p, void *data)
{
	struct neigh n;

	if (neigh_get(&c->nl, p->ifindex, &p->hop, &n))
		return -EINPROGRESS;
	if (neigh_has_failed(&n))
		return -EHOSTUNREACH;
	if (!neigh_is_valid(&n))
		return -EINPROGRESS;
	return courier_transmit(c->fd, p->ifindex, &n, p->packet, p->len);
}

static int judge_by_event(struct courier *c, struct parcel *p, void *data)
{
	const struct neigh *n = data;

	if (n->ifindex != p->ifindex || !addr_equal(&n->addr, &p->hop))
		return -EINPROGRESS;
	return judge_anew(c, p, NULL);
}

/* When the loop was held up, the answer may be there, unread. */
static int judge_by_time(struct courier *c, struct parcel *p, void *data)
{
	int r;

	if (p->due_ms > uv_now(c->timer.loop))
		return -EINPROGRESS;
	r = judge_anew(c, p, NULL);
	return r == -EINPROGRESS ? -EHOSTUNREACH : r;
}

static int judge_the_end(struct courier *c, struct parcel *p, void *data)
{
	return -ECANCELED;
}

static void on_timer(uv_timer_t *timer)
{
	settle(timer->data, judge_by_time, NULL);
}

static void take_events(struct courier *c, const void *buf, int len)
{
	const struct nlmsghdr *h = buf;
	struct neigh n;

	for (; mnl_nlmsg_ok(h, len); h = mnl_nlmsg_next(h, &len))
		if (!neigh_parse(h, &n))
			settle(c, judge_by_event, &n);
}

static void readable(uv_poll_t *poll, int status, int events)
{
	static char buf[1 << 16] __attribute__((aligned(8)));
	struct courier *c = poll->data;
	bool lost = status < 0;
	ssize_t n;

	while ((n = recv(mnl_socket_get_fd(c->events.sock), buf, sizeof(buf), MSG_DONTWAIT)) > 0 ||
	       (n < 0 && (errno == EINTR || errno == ENOBUFS)))
		if (n > 0)
			take_events(c, buf, n);
		else
			lost |= errno == ENOBUFS;
	if (lost)
		settle(c, judge_anew, NULL);
	/* libuv takes an error of the socket, such as ENOBUFS, for its end */
	if (status < 0)
		uv_poll_start(poll, UV_READABLE, readable);
}

/* -------- the courier */

static int keep(struct courier *c, uint32_t ifindex, const struct in6_addr *hop,
		const void *packet, size_t len, courier_done *done, void *data)
{
	struct parcel *p = malloc(sizeof(*p) + len);

	if (!p)
		return -ENOMEM;
	*p = (struct parcel){ .ifindex = ifindex, .hop = *hop, .done = done, .data = data,
			      .len = len };
	memcpy(p->packet, packet, len);
	enqueue(c, p);
	return -EINPROGRESS;
}

static int send_to_neighbour(struct courier *c, uint32_t ifindex, const void *packet, size_t len,
			     courier_done *done, void *data)
{
	struct in6_addr hop;
	struct neigh n;
	int r = courier_hop(&c->nl, ifindex, packet, &hop);

	if (r)
		return r;
	r = resolve(c, ifindex, &hop, &n);
	r = r ?: courier_transmit(c->fd, ifindex, &n, packet, len);
	if (r == -EINPROGRESS)
		r = keep(c, ifindex, &hop, packet, len, done, data);
	if (!c->waiting)
		listen_to_neighbours(c, false);
	return r;
}

void courier_send(struct courier *c, uint32_t ifindex, const void *packet, size_t len,
		  courier_done *done, void *data)
{
	bool neighbours = false;
	int r = len < sizeof(struct iphdr) ? -EBADMSG : courier_examine(c->fd, ifindex, &neighbours);

	if (!r && neighbours)
		r = send_to_neighbour(c, ifindex, packet, len, done, data);
	else if (!r)
		r = courier_transmit(c->fd, ifindex, NULL, packet, len);
	if (r != -EINPROGRESS)
		done(data, r);
}

static int open_sockets(struct courier *c)
{
	int r = nl_open(&c->nl, NETLINK_ROUTE);

	r = r ?: nl_open(&c->events, NETLINK_ROUTE);
	if (r)
		return r;
	c->fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	return c->fd < 0 ? -errno : 0;
}

static void release(struct courier *c)
{
	nl_close(&c->nl);
	nl_close(&c->events);
	if (c->fd >= 0)
		close(c->fd);
	free(c);
}

int courier_open(uv_loop_t *loop, struct courier **ret)
{
	struct courier *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return -ENOMEM;
	c->fd = -1;
	r = open_sockets(c);
	r = r ?: uv_poll_init(loop, &c->poll, mnl_socket_get_fd(c->events.sock));
	if (r) {
		release(c);
		return r;
	}
	uv_timer_init(loop, &c->timer);
	c->timer.data = c->poll.data = c;
	c->handles = 2;
	uv_poll_start(&c->poll, UV_READABLE, readable);
	*ret = c;
	return 0;
}

static void closed(uv_handle_t *handle)
{
	struct courier *c = handle->data;

	if (!--c->handles)
		release(c);
}

void courier_close(struct courier *c)
{
	if (!c)
		return;
	settle(c, judge_the_end, NULL);
	uv_close((uv_handle_t *)&c->poll, closed);
	uv_close((uv_handle_t *)&c->timer, closed);
}

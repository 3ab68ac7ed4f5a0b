// SPDX-License-Identifier: GPL-2.0-or-later
#include "run/watch.h"

#include "base/defs.h"
#include "core/plan.h"
#include "kmod/uapi/nft_asym.h"
#include "nl/genl.h"
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct feed {
	struct watch *watch;
	struct nl nl;
	uv_poll_t poll;
	bool (*matters)(const struct watch *w, const struct nlmsghdr *h);
};

struct watch {
	void (*changed)(void *data);
	void *data;
	struct feed route, nft, genl;
	uint32_t own; /* netlink port of the last update's requests */
	int open; /* handles that the loop has not closed yet */
};

/* Routes that we add ourselves would lead to a sync for each that adds some, for ever if the kernel
 * made something else of one. */
static bool route_matters(const struct watch *w, const struct nlmsghdr *h)
{
	const struct rtmsg *rt = mnl_nlmsg_get_payload(h);

	if (h->nlmsg_type != RTM_NEWROUTE && h->nlmsg_type != RTM_DELROUTE)
		return true;
	if (rt->rtm_flags & RTM_F_CLONED || rt->rtm_table == RT_TABLE_LOCAL)
		return false;
	return h->nlmsg_type == RTM_DELROUTE || rt->rtm_protocol != PLAN_RTPROT ||
	       !h->nlmsg_pid || h->nlmsg_pid != w->own;
}

static bool nft_matters(const struct watch *w, const struct nlmsghdr *h)
{
	return true;
}

/* Families come and go with modules, mostly those of others. */
static bool genl_matters(const struct watch *w, const struct nlmsghdr *h)
{
	return genl_is_about(h, ASYM_GENL);
}

/* Whether a message in what was read matters. */
static bool any_matters(const struct feed *f, const char *buf, int len)
{
	const struct nlmsghdr *h = (const struct nlmsghdr *)buf;

	for (; mnl_nlmsg_ok(h, len); h = mnl_nlmsg_next(h, &len))
		if (f->matters(f->watch, h))
			return true;
	return false;
}

/* Reads all that is there. */
static bool feed_read(struct feed *f)
{
	static char buf[1 << 16] __attribute__((aligned(8)));
	bool changed = false;

	for (;;) {
		ssize_t n = recv(mnl_socket_get_fd(f->nl.sock), buf, sizeof(buf), MSG_DONTWAIT);

		if (n < 0 && errno != EINTR && errno != ENOBUFS)
			return changed;
		changed |= n < 0 ? errno == ENOBUFS : any_matters(f, buf, n);
	}
}

static void readable(uv_poll_t *poll, int status, int events)
{
	struct feed *f = poll->data;
	bool changed = feed_read(f);

	/* libuv takes an error of the socket, such as ENOBUFS, for its end */
	if (status < 0)
		uv_poll_start(poll, UV_READABLE, readable);
	if (changed || status < 0)
		f->watch->changed(f->watch->data);
}

static int join(struct feed *f, const int *groups, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int group = groups[i];

		if (mnl_socket_setsockopt(f->nl.sock, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)))
			return -errno;
	}
	return 0;
}

static int feed_open(struct watch *w, struct feed *f, uv_loop_t *loop, int bus, const int *groups,
		     size_t n)
{
	int r = nl_open(&f->nl, bus);

	f->watch = w;
	r = r ?: join(f, groups, n);
	r = r ?: uv_poll_init(loop, &f->poll, mnl_socket_get_fd(f->nl.sock));
	if (r) {
		nl_close(&f->nl);
		return r;
	}
	w->open++;
	f->poll.data = f;
	return uv_poll_start(&f->poll, UV_READABLE, readable);
}

static void closed(uv_handle_t *handle)
{
	struct feed *f = handle->data;

	nl_close(&f->nl);
	if (!--f->watch->open)
		free(f->watch);
}

static void feed_close(struct feed *f)
{
	if (f->poll.data)
		uv_close((uv_handle_t *)&f->poll, closed);
}

int watch_open(uv_loop_t *loop, void (*changed)(void *data), void *data, struct watch **ret)
{
	static const int route[] = {RTNLGRP_LINK,	 RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
				    RTNLGRP_IPV4_ROUTE,	 RTNLGRP_IPV6_ROUTE,  RTNLGRP_IPV4_RULE,
				    RTNLGRP_IPV6_RULE,	 RTNLGRP_TC};
	static const int nft[] = {NFNLGRP_NFTABLES}, genl[] = {GENL_NOTIFY_GROUP};
	struct watch *w = calloc(1, sizeof(*w));
	int r;

	if (!w)
		return -ENOMEM;
	w->changed = changed;
	w->data = data;
	w->route.matters = route_matters;
	w->nft.matters = nft_matters;
	w->genl.matters = genl_matters;
	r = feed_open(w, &w->route, loop, NETLINK_ROUTE, route, ARRAY_SIZE(route));
	if (r && !w->open) {
		free(w);
		return r;
	}
	/* a kernel without nf_tables has nothing to tell */
	r = r ?: feed_open(w, &w->nft, loop, NETLINK_NETFILTER, nft, ARRAY_SIZE(nft));
	if (r && r != -EPROTONOSUPPORT && r != -EINVAL) {
		watch_close(w);
		return r;
	}
	/* our kernel module comes and goes; without, that shows with the next change */
	feed_open(w, &w->genl, loop, NETLINK_GENERIC, genl, ARRAY_SIZE(genl));
	*ret = w;
	return 0;
}

void watch_skip(struct watch *w)
{
	feed_read(&w->route);
	if (w->nft.nl.sock)
		feed_read(&w->nft);
	if (w->genl.nl.sock)
		feed_read(&w->genl);
}

void watch_own(struct watch *w, uint32_t port)
{
	w->own = port;
}

void watch_close(struct watch *w)
{
	feed_close(&w->route);
	feed_close(&w->nft);
	feed_close(&w->genl);
}

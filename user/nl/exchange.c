// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>

#include "nl/attr.h"
#include "nl/exchange.h"

/* The kernel's dump buffers are at most 32 KiB (netlink_recvmsg). */
#define ANSWER_ROOM (64 << 10)

/* The kernel's words stand in attributes behind the payload's fixed part (and behind the request,
 * where it is echoed): include/uapi/linux/netlink.h, struct nlmsgerr. */
static void save_text(struct nl *nl, const struct nlmsghdr *h, size_t fixed)
{
	static const struct attr_size policy[] = {
		[NLMSGERR_ATTR_MSG] = ATTR_STR(4096),
	};
	const struct nlattr *tb[ARRAY_SIZE(policy)];
	const struct nlattr *text;

	if (!(h->nlmsg_flags & NLM_F_ACK_TLVS) ||
	    attr_parse(h, fixed, policy, ARRAY_SIZE(policy), tb))
		return;
	text = tb[NLMSGERR_ATTR_MSG];
	if (text)
		snprintf(nl->error, sizeof(nl->error), "%.*s", mnl_attr_get_payload_len(text),
			 mnl_attr_get_str(text));
}

int exchange_verdict(struct nl *nl, const struct nlmsghdr *h)
{
	size_t fixed = h->nlmsg_type == NLMSG_DONE ? sizeof(int) : sizeof(struct nlmsgerr);
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(h);

	if (h->nlmsg_type == NLMSG_DONE && mnl_nlmsg_get_payload_len(h) < fixed)
		return 0;
	if (mnl_nlmsg_get_payload_len(h) < fixed)
		return -EBADMSG;
	if (h->nlmsg_type == NLMSG_ERROR && e->error && !(h->nlmsg_flags & NLM_F_CAPPED) &&
	    e->msg.nlmsg_len > sizeof(e->msg))
		fixed += e->msg.nlmsg_len - sizeof(e->msg);
	if (e->error < 0 && !nl->error[0])
		save_text(nl, h, fixed);
	return e->error < 0 ? e->error : 0;
}

/* One datagram of answers: its length, or -errno. */
static ssize_t receive(struct nl *nl, void *buf, size_t size, int flags)
{
	struct sockaddr_nl from;
	struct iovec iov = { buf, size };
	struct msghdr msg = {
		.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &iov,
		.msg_iovlen = 1,
	};
	ssize_t len;

	do
		len = recvmsg(mnl_socket_get_fd(nl->sock), &msg, flags);
	while (len < 0 && errno == EINTR);
	if (len < 0)
		return -errno;
	if (msg.msg_flags & MSG_TRUNC)
		return -EMSGSIZE;
	/* Any process may send to our port; only the kernel is port 0. */
	return from.nl_pid == 0 ? len : 0;
}

int exchange_send(struct nl *nl, const void *data, size_t len)
{
	return mnl_socket_sendto(nl->sock, data, len) < 0 ? -errno : 0;
}

/* What is no whole message is not passed over: it may have been the one that is waited for. */
static int each_message(struct exchange *x, const void *buf, ssize_t len)
{
	const struct nlmsghdr *h = buf;
	int left = (int)len, r = 0;

	for (; !r && mnl_nlmsg_ok(h, left); h = mnl_nlmsg_next(h, &left))
		if (h->nlmsg_pid == x->nl->port && h->nlmsg_seq - x->first < x->n)
			r = x->fn(h, x);
	return r || left <= 0 ? r : -EBADMSG;
}

int exchange_receive(struct exchange *x, int flags)
{
	_cleanup_free_ char *buf = malloc(ANSWER_ROOM);
	ssize_t len;
	int r = 0;

	if (!buf)
		return -ENOMEM;
	while (!r) {
		len = receive(x->nl, buf, ANSWER_ROOM, flags);
		if (len == -EAGAIN)
			return 0;
		if (len == -ENOBUFS && x->restarts) {
			x->lost = true;
			len = 0;
		}
		r = len < 0 ? (int)len : each_message(x, buf, len);
	}
	return r < 0 ? r : 0;
}


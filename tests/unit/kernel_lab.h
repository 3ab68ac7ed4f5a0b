/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel by hand: what user/nl sends over generic netlink and nfnetlink ends here, at a module
 * and at a table of nftables that can be made to refuse and to answer badly.  Takes the place of
 * libmnl's sockets and of recvmsg(2), so it is included once in a program; needs no root.
 */
#ifndef TESTS_UNIT_KERNEL_LAB_H
#define TESTS_UNIT_KERNEL_LAB_H

#include "tests/unit/kernel_module.h"
#include "tests/unit/kernel_nft.h"

/* -------- sockets */

struct mnl_socket *mnl_socket_open2(int bus, int flags)
{
	for (size_t i = 0; i < ARRAY_SIZE(kernel_sockets); i++) {
		if (kernel_sockets[i])
			continue;
		kernel_sockets[i] = calloc(1, sizeof(struct mnl_socket));
		assert_non_null(kernel_sockets[i]);
		kernel_sockets[i]->bus = bus;
		kernel.open++;
		return kernel_sockets[i];
	}
	fail_msg("sockets are left open");
	return NULL;
}

int mnl_socket_bind(struct mnl_socket *s, unsigned int groups, pid_t pid)
{
	return 0;
}

unsigned int mnl_socket_get_portid(const struct mnl_socket *s)
{
	return kernel_port(s);
}

int mnl_socket_setsockopt(const struct mnl_socket *s, int type, void *buf, socklen_t len)
{
	return 0;
}

int mnl_socket_get_fd(const struct mnl_socket *s)
{
	for (size_t i = 0; i < ARRAY_SIZE(kernel_sockets); i++)
		if (kernel_sockets[i] == s)
			return KERNEL_FD + (int)i;
	return -1;
}

int mnl_socket_close(struct mnl_socket *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->queue[i].data);
	free(s->queue);
	kernel_sockets[mnl_socket_get_fd(s) - KERNEL_FD] = NULL;
	free(s);
	kernel.open--;
	return 0;
}

ssize_t mnl_socket_sendto(const struct mnl_socket *socket, const void *data, size_t len)
{
	struct mnl_socket *s = kernel_sockets[mnl_socket_get_fd(socket) - KERNEL_FD];
	const struct nlmsghdr *h = data;
	int left = (int)len;

	if (h->nlmsg_type == NFNL_MSG_BATCH_BEGIN && s->bus == NETLINK_NETFILTER) {
		kernel_batch(s, h, len);
		return (ssize_t)len;
	}
	for (; mnl_nlmsg_ok(h, left); h = mnl_nlmsg_next(h, &left)) {
		assert_true(h->nlmsg_flags & NLM_F_REQUEST);
		if (s->bus == NETLINK_NETFILTER)
			kernel_nft_list(s, h);
		else if (h->nlmsg_type == GENL_ID_CTRL)
			kernel_controller(s, h);
		else if (h->nlmsg_type == KERNEL_FAMILY)
			kernel_module(s, h);
		else
			fail_msg("message of type %u", h->nlmsg_type);
	}
	return (ssize_t)len;
}

static inline ssize_t kernel_no_datagram(int flags)
{
	if (!(flags & MSG_DONTWAIT))
		fail_msg("waits for an answer that has been read already");
	errno = EAGAIN;
	return -1;
}

ssize_t recvmsg(int fd, struct msghdr *msg, int flags)
{
	struct mnl_socket *s = kernel_sockets[fd - KERNEL_FD];
	struct kernel_datagram *d = s->next < s->n ? &s->queue[s->next] : NULL;

	if (kernel.interrupted > 0) {
		kernel.interrupted--;
		errno = EINTR;
		return -1;
	}
	if (!d)
		return kernel_no_datagram(flags);
	s->next++;
	errno = d->err;
	if (d->err)
		return -1;
	*(struct sockaddr_nl *)msg->msg_name = (struct sockaddr_nl){.nl_pid = d->from};
	msg->msg_flags = d->len > msg->msg_iov->iov_len ? MSG_TRUNC : 0;
	memcpy(msg->msg_iov->iov_base, d->data, MIN(d->len, msg->msg_iov->iov_len));
	return (ssize_t)MIN(d->len, msg->msg_iov->iov_len);
}

/* -------- for tests */

/* The module is there, as of this source, and has no policy; no table. */
static inline int kernel_begin(void **state)
{
	kernel_messages_done(&kernel.table, &kernel.n_table);
	str_done(&kernel.log);
	kernel = (struct kernel){
		.there = true,
		.abi = ASYM_KMOD_ABI,
		.features = ASYM_FEATURE_NFT | ASYM_FEATURE_OFFLOAD,
		.version = "1.2-3",
		.omit = KERNEL_NONE,
		.resize = KERNEL_NONE,
		.cut = -1,
	};
	return 0;
}

static inline void kernel_hold(const struct kmod_policy *p)
{
	kernel.policies[p->number] = *p;
	kernel.held[p->number] = true;
}

/* Every socket was closed. */
static inline int kernel_end(void **state)
{
	int open = kernel.open;

	kernel_begin(state);
	return open;
}

/* What was asked since the last time. */
static inline void assert_asked(const char *want)
{
	struct str log = kernel.log;

	kernel.log = (struct str){};
	assert_string_equal(log.s ?: "", want);
	str_done(&log);
}

#define kernel_test(fn) cmocka_unit_test_setup_teardown(fn, kernel_begin, kernel_end)

#endif

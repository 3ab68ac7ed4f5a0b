/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * echod PORT...: the Internet host of the lab.
 *
 * On TCP it first sends the peer's address as SEEN_LEN bytes, then everything it receives.  On UDP
 * each answer is that record and the payload, sent from the address that was asked.  So a client
 * behind source NAT learns by which link each of its connections went.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "seen.h"
#include "tool.h"

enum role { LISTEN, PEER, DATAGRAM };

static void seen_fill(char seen[SEEN_LEN], const struct sockaddr_in6 *peer)
{
	const struct in6_addr *a = &peer->sin6_addr;

	memset(seen, 0, SEEN_LEN);
	if (IN6_IS_ADDR_V4MAPPED(a))
		inet_ntop(AF_INET, &a->s6_addr[12], seen, SEEN_LEN);
	else
		inet_ntop(AF_INET6, a, seen, SEEN_LEN);
	memcpy(seen + SEEN_LEN - sizeof(peer->sin6_port), &peer->sin6_port,
	       sizeof(peer->sin6_port));
}

static void watch(int ep, int fd, enum role role)
{
	struct epoll_event ev = { .events = EPOLLIN };

	ev.data.u64 = (uint64_t)role << 32 | (uint32_t)fd;
	if (epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev) < 0)
		die("epoll_ctl");
}

static void serve_port(int ep, unsigned short port, int type)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	int fd = socket(AF_INET6, type | SOCK_CLOEXEC, 0), zero = 0, one = 1, room = 4 << 20;

	if (fd < 0)
		die("socket");
	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&any, sizeof(any)) < 0)
		die("bind");
	if (type == SOCK_STREAM) {
		if (listen(fd, 4096) < 0)
			die("listen");
	} else {
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &one, sizeof(one));
		setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	}
	watch(ep, fd, type == SOCK_STREAM ? LISTEN : DATAGRAM);
}

static void accept_peer(int ep, int fd)
{
	struct sockaddr_in6 peer;
	socklen_t len = sizeof(peer);
	char seen[SEEN_LEN];
	int c = accept4(fd, (struct sockaddr *)&peer, &len, SOCK_CLOEXEC);

	if (c < 0)
		return;
	seen_fill(seen, &peer);
	if (send(c, seen, sizeof(seen), MSG_NOSIGNAL) != sizeof(seen))
		close(c);
	else
		watch(ep, c, PEER);
}

static void echo_stream(int fd)
{
	char buf[65536];
	ssize_t n = recv(fd, buf, sizeof(buf), 0);

	if (n <= 0 || send(fd, buf, n, MSG_NOSIGNAL) != n)
		close(fd);
}

/* The control data is sent back as received: IPV6_PKTINFO then names the source of the answer. */
static void echo_datagram(int fd)
{
	char buf[SEEN_LEN + 65536], control[256];
	struct sockaddr_in6 peer;
	struct iovec iov = { .iov_base = buf + SEEN_LEN, .iov_len = sizeof(buf) - SEEN_LEN };
	struct msghdr msg = { .msg_name = &peer, .msg_namelen = sizeof(peer), .msg_iov = &iov,
			      .msg_iovlen = 1, .msg_control = control,
			      .msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(fd, &msg, 0);

	if (n < 0)
		return;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c))
		if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO)
			((struct in6_pktinfo *)CMSG_DATA(c))->ipi6_ifindex = 0;
	seen_fill(buf, &peer);
	iov.iov_base = buf;
	iov.iov_len = SEEN_LEN + n;
	sendmsg(fd, &msg, MSG_NOSIGNAL);
}

static void dispatch(int ep, uint64_t data)
{
	int fd = (uint32_t)data;

	switch ((enum role)(data >> 32)) {
	case LISTEN:
		accept_peer(ep, fd);
		break;
	case PEER:
		echo_stream(fd);
		break;
	case DATAGRAM:
		echo_datagram(fd);
		break;
	}
}

int main(int argc, char **argv)
{
	struct rlimit files = { 65536, 65536 };
	int ep = epoll_create1(EPOLL_CLOEXEC);

	if (ep < 0 || argc < 2)
		die("echod PORT...");
	setrlimit(RLIMIT_NOFILE, &files);
	for (int i = 1; i < argc; i++) {
		serve_port(ep, atoi(argv[i]), SOCK_STREAM);
		serve_port(ep, atoi(argv[i]), SOCK_DGRAM);
	}
	for (;;) {
		struct epoll_event ev[64];
		int n = epoll_wait(ep, ev, 64, -1);

		if (n < 0 && errno != EINTR)
			die("epoll_wait");
		for (int i = 0; i < n; i++)
			dispatch(ep, ev[i].data.u64);
	}
}

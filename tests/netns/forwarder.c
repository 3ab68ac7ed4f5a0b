// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * forwarder PORT ADDRESS PORT: a UDP port forwarding service over IPv4.  What arrives at the first port
 * is sent on to the address, from a socket of its own for each client, and answers go back the same way.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/netns/tool.h"

#define CLIENTS 64

static struct pollfd fds[1 + CLIENTS]; /* the service, then a socket for each client */
static struct sockaddr_in clients[CLIENTS], target;
static nfds_t n_clients;

static struct sockaddr_in address(const char *host, const char *port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(atoi(port))};

	if (inet_pton(AF_INET, host, &a.sin_addr) != 1)
		die(host);
	return a;
}

static int open_socket(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	if (fd < 0)
		die("socket");
	return fd;
}

static int socket_of(const struct sockaddr_in *client)
{
	nfds_t i;

	for (i = 0; i < n_clients; i++)
		if (clients[i].sin_addr.s_addr == client->sin_addr.s_addr &&
		    clients[i].sin_port == client->sin_port)
			return fds[1 + i].fd;
	if (i == CLIENTS)
		return -1;
	clients[i] = *client;
	fds[1 + i] = (struct pollfd){.fd = open_socket(), .events = POLLIN};
	if (connect(fds[1 + i].fd, (struct sockaddr *)&target, sizeof(target)))
		die("connect");
	n_clients++;
	return fds[1 + i].fd;
}

/* Datagrams that cannot be sent are lost, as on any network. */
static void serve(int fd, nfds_t client)
{
	static char buf[65536];
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	ssize_t n;

	while ((n = recvfrom(fd, buf, sizeof(buf), 0, (struct sockaddr *)&from, &len)) >= 0) {
		int to = client ? fds[0].fd : socket_of(&from);
		const struct sockaddr_in *back = client ? &clients[client - 1] : NULL;

		if (to >= 0 && sendto(to, buf, n, 0, (const struct sockaddr *)back,
				      back ? sizeof(*back) : 0) < 0)
			continue;
		len = sizeof(from);
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_in own;

	if (argc != 4)
		return 2;
	own = address("0.0.0.0", argv[1]);
	target = address(argv[2], argv[3]);
	fds[0] = (struct pollfd){.fd = open_socket(), .events = POLLIN};
	if (bind(fds[0].fd, (struct sockaddr *)&own, sizeof(own)))
		die("bind");
	while (poll(fds, 1 + n_clients, -1) > 0)
		for (nfds_t i = 0; i < 1 + n_clients; i++)
			if (fds[i].revents)
				serve(fds[i].fd, i);
	return 0;
}

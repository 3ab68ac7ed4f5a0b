/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sequence receive PORT                       counts numbered datagrams until one says that it is
 * the last, prints "N received, N lost, N late": late is what another one overtook sequence send
 * ADDRESS PORT SIZE PER_S COUNT sends them, then the last one ten times
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define LAST UINT32_MAX

static void die(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

static int open_socket(const char *address, const char *port)
{
	struct addrinfo hints = {.ai_socktype = SOCK_DGRAM,
				 .ai_family = address ? AF_UNSPEC : AF_INET6,
				 .ai_flags = AI_NUMERICHOST | (address ? 0 : AI_PASSIVE)},
			*a;
	int fd;

	if (getaddrinfo(address, port, &hints, &a))
		die("address");
	fd = socket(a->ai_family, SOCK_DGRAM, 0);
	if (fd < 0 || (address ? connect : bind)(fd, a->ai_addr, a->ai_addrlen))
		die("socket");
	freeaddrinfo(a);
	return fd;
}

static int receive(const char *port)
{
	uint32_t data[16384], next = 0, received = 0, late = 0;
	int fd = open_socket(NULL, port), room = 8 << 20;

	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	while (recv(fd, data, sizeof(data), 0) > 0 && data[0] != LAST) {
		received++;
		late += data[0] < next;
		if (data[0] >= next)
			next = data[0] + 1;
	}
	printf("%u received, %u lost, %u late\n", received, data[1] - received, late);
	return 0;
}

static void wait_until(uint64_t ns)
{
	struct timespec t = {(time_t)(ns / 1000000000), (long)(ns % 1000000000)};

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

static int send_all(char **args)
{
	uint32_t data[16384] = {}, per_s = (uint32_t)atoi(args[3]), n = (uint32_t)atoi(args[4]);
	size_t size = (size_t)atoi(args[2]);
	int fd = open_socket(args[0], args[1]);
	struct timespec t;
	uint64_t begin;

	clock_gettime(CLOCK_MONOTONIC, &t);
	begin = (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
	for (uint32_t i = 0; i < n; i++) {
		data[0] = i;
		wait_until(begin + i * 1000000000ull / per_s);
		if (send(fd, data, size, 0) < 0 && errno != ECONNREFUSED)
			die("send");
	}
	data[0] = LAST;
	data[1] = n;
	for (int i = 0; i < 10; i++) {
		usleep(100000);
		send(fd, data, size, 0);
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "receive"))
		return receive(argv[2]);
	if (argc == 7 && !strcmp(argv[1], "send"))
		return send_all(argv + 2);
	fputs("usage: sequence receive PORT | send ADDRESS PORT SIZE PER_S COUNT\n", stderr);
	return 2;
}

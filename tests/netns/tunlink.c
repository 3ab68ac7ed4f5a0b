/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tunlink NS1 DEV1 NS2 DEV2: a cable between two TUN devices, so that the lab has links without
 * MAC addresses (as PPP and WireGuard are).  The devices go when the program ends.
 */
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tool.h"

static int tun_open(const char *netns, const char *device)
{
	struct ifreq ifr = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	char path[128];
	int ns, fd;

	snprintf(path, sizeof(path), "/run/netns/%s", netns);
	ns = open(path, O_RDONLY | O_CLOEXEC);
	if (ns < 0 || setns(ns, CLONE_NEWNET) < 0)
		die(path);
	close(ns);
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", device);
	fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &ifr) < 0)
		die(device);
	return fd;
}

static void pump(int from, int to)
{
	char packet[65536];
	ssize_t n;

	while ((n = read(from, packet, sizeof(packet))) > 0)
		if (write(to, packet, n) < 0)
			return; /* the other end is down: the packet is lost */
}

int main(int argc, char **argv)
{
	struct pollfd fds[2] = { { .events = POLLIN }, { .events = POLLIN } };

	if (argc != 5) {
		fputs("usage: tunlink NS1 DEV1 NS2 DEV2\n", stderr);
		return 2;
	}
	fds[0].fd = tun_open(argv[1], argv[2]);
	fds[1].fd = tun_open(argv[3], argv[4]);
	while (poll(fds, 2, -1) > 0) {
		pump(fds[0].fd, fds[1].fd);
		pump(fds[1].fd, fds[0].fd);
	}
	return EXIT_SUCCESS;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TUN devices in other network namespaces. */
#ifndef ASYM_TESTS_TUN_H
#define ASYM_TESTS_TUN_H

#include "tool.h"
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Non-blocking, without packet information; this process is in that namespace from then on. */
static inline int tun_open(const char *netns, const char *device)
{
	struct ifreq ifr = {.ifr_flags = IFF_TUN | IFF_NO_PI};
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

#endif

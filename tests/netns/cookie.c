// SPDX-License-Identifier: GPL-2.0-or-later
/* Prints the cookie of the network namespace that it runs in. */
#include <inttypes.h>
#include <stdio.h>
#include <sys/socket.h>

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71 /* include/uapi/asm-generic/socket.h */
#endif

int main(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	uint64_t cookie;
	socklen_t len = sizeof(cookie);

	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &len) < 0) {
		perror("cookie");
		return 1;
	}
	printf("%" PRIu64 "\n", cookie);
	return 0;
}

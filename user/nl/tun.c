// SPDX-License-Identifier: GPL-2.0-or-later
#include "nl/tun.h"

#include "base/defs.h"
#include "base/str.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>

int tun_create(const char *name)
{
	_cleanup_close_ int fd = -1;
	/* without IFF_TUN_EXCL a TUN of this name that is there would be attached to */
	struct ifreq ifr = {.ifr_flags = IFF_TUN | IFF_NO_PI};
	int r = str_copy(ifr.ifr_name, sizeof(ifr.ifr_name), name);

	if (r)
		return r;
	ifr.ifr_flags |= (short)IFF_TUN_EXCL;
	fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (ioctl(fd, TUNSETIFF, &ifr) < 0)
		return errno == EBUSY || errno == EINVAL ? -EEXIST : -errno;
	return ioctl(fd, TUNSETPERSIST, 1) < 0 ? -errno : 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The network devices of this namespace. */
#ifndef NL_LINK_H
#define NL_LINK_H

#include "core/host.h"
#include "nl/nl.h"

/* Adds every device to ret->devices.  0 or -errno; what was added before an error stays. */
int link_dump(struct nl *nl, struct host *ret);

/* One device by its name; its master_kind stays empty.  0, -ENODEV, -errno. */
int link_find(struct nl *nl, const char *name, struct host_device *ret);

#endif

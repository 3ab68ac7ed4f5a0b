// SPDX-License-Identifier: GPL-2.0-only
/* The kfuncs by which the flow cache takes connections over: none in this build. */
#include <linux/errno.h>

#include "asymbpf.h"

int asym_offload_init(void)
{
	return -EOPNOTSUPP;
}

void asym_offload_exit(void)
{
}

u32 asym_offload_count(struct net *net)
{
	return 0;
}

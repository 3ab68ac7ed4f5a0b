// SPDX-License-Identifier: GPL-2.0-or-later
/* dhcp-shim: renewals leave by their own link, without BPF and without the daemon. */
#include "cmd/verb.h"
#include "run/shim_run.h"

int cmd_dhcp_shim(const struct command *self, int argc, char **argv)
{
	return verb_stay(self, argc, argv, shim_run);
}

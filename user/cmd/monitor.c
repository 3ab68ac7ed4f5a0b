// SPDX-License-Identifier: GPL-2.0-or-later
/* monitor: the daemon. */
#include "run/monitor.h"

#include "cmd/verb.h"

int cmd_monitor(const struct command *self, int argc, char **argv)
{
	return verb_stay(self, argc, argv, monitor_run);
}

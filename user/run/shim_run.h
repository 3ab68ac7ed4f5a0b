/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The shim as a process of its own: for what is loaded, or for a configuration alone. */
#ifndef RUN_SHIM_RUN_H
#define RUN_SHIM_RUN_H

#include "run/load.h"

/*
 * Runs until SIGTERM, SIGINT or, if it took over what was loaded, an unload.  told: filled by the
 * caller; of use if nothing is loaded.  json: events on stdout.  0, or -errno, said; -EDOM: the
 * flags are wrong.
 */
int shim_run(const struct load *told, bool json);

#endif

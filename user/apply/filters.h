/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who else looks at what arrives. */
#ifndef APPLY_FILTERS_H
#define APPLY_FILTERS_H

#include "core/host.h"
#include "nl/nl.h"

/* Fills ingress_filters of the host's devices.  0 or -errno. */
int filters_take(struct nl *nl, struct host *h);

#endif

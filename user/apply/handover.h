/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The hand-over of connections by the kernel module (kmod/lease.c): conntrack is told which
 * connections pass the flow cache, each time that one is checked, for a lease; it does not judge these
 * by their windows, and those alone.  Without the module, all of conntrack has to be liberal.
 *
 * Programs that name the module's functions hold it, whether they call them or not: it can be removed
 * only after unload; then it takes back what still was handed over.
 */
#ifndef APPLY_HANDOVER_H
#define APPLY_HANDOVER_H

#include <stdbool.h>

/* Whether the module is there, with our ABI and with type information that programs can be loaded by.  A
 * kernel that has it on disk loads it now. */
bool handover_is_offered(void);

#endif

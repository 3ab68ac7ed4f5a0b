/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside config_print*.c only. */
#ifndef CORE_CONFIG_PRINT_H
#define CORE_CONFIG_PRINT_H

#include "base/str.h"
#include "core/model.h"

/* The keys that were written, as a section; nothing when there are none. */
void config_print_probe(const struct model_probe *p, const char *indent, struct str *out);

#endif

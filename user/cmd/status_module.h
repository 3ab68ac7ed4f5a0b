/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel module, and who chooses for the router's own packets that no program sees; for status. */
#ifndef CMD_STATUS_MODULE_H
#define CMD_STATUS_MODULE_H

#include "run/session.h"
#include <json-c/json.h>

void status_module_print(const struct session *s);
/* Two values: "module" and "router". */
void status_module_add(const struct session *s, struct json_object *o);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What status tells of the flow cache. */
#ifndef CMD_STATUS_CACHE_H
#define CMD_STATUS_CACHE_H

#include "run/session.h"
#include <json-c/json.h>

void status_cache_print(const struct session *s);
struct json_object *status_cache_json(const struct session *s);

/* Says on which devices others have put ingress filters since the last load: the programs, which use
 * this bank, do not know of them. */
void status_cache_warn(const struct session *s, uint32_t bank);

#endif

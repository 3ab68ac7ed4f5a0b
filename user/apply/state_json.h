/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state as JSON; for state.c alone. */
#ifndef APPLY_STATE_JSON_H
#define APPLY_STATE_JSON_H

#include "apply/state.h"
#include <json-c/json.h>

/* The caller puts it. */
struct json_object *state_json(const struct state *s);

/* Into an empty state; a missing or mistyped member leaves its field so.  0, or -EBADMSG, -ENOMEM
 * with something filled in. */
int state_fill(struct state *s, struct json_object *o);

#endif

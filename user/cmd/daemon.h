/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What verbs have to do with the daemon that runs in this network namespace. */
#ifndef CMD_DAEMON_H
#define CMD_DAEMON_H

#include <json-c/json.h>
#include <stdint.h>

/* Says why the daemon (control_ask, control_listen) did not do it, and returns r. */
int daemon_error(int r);

/* Asks, and says what is wrong, also when the daemon refuses (-EINVAL).  Takes request over.  *ret: the
 * answer, to be json_object_put. */
int daemon_ask(uint64_t cookie, struct json_object *request, struct json_object **ret);

#endif

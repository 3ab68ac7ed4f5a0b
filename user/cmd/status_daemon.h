/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What status tells of the daemon, and of links by what the daemon found out. */
#ifndef CMD_STATUS_DAEMON_H
#define CMD_STATUS_DAEMON_H

#include <json-c/json.h>
#include <stdint.h>

/* The daemon's answer (run/control.h), to be json_object_put, or {"starting": true}; NULL: none runs, or it
 * does not answer, said. */
struct json_object *status_daemon_ask(uint64_t cookie);

/* daemon may be NULL in all of these; members that another version's daemon does not have are left
 * out. */
void status_daemon_print(struct json_object *daemon);
void status_daemon_print_links(struct json_object *daemon);
struct json_object *status_daemon_json(struct json_object *daemon);
/* Adds to a link, which has the objects "ipv4" and "ipv6", what the daemon knows of it. */
void status_daemon_add(struct json_object *daemon, const char *name, struct json_object *link);

#endif

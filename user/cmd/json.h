/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shorthands for json-c. */
#ifndef CMD_JSON_H
#define CMD_JSON_H

#include <json-c/json.h>
#include <stdint.h>

void json_add_str(struct json_object *o, const char *key, const char *s); /* NULL: null */
void json_add_u64(struct json_object *o, const char *key, uint64_t v);

/* Prints it to stdout and frees it. */
void json_print(struct json_object *o);

#endif

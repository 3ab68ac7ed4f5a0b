/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names: which are allowed, and the words and numbers that protocols and DSCPs go by. */
#ifndef CORE_NAME_H
#define CORE_NAME_H

#include <stdbool.h>
#include <stdint.h>

/* Of links, policies, sets and rules: [A-Za-z0-9_.-], a letter or digit first, 31 bytes at most. */
bool name_is_valid(const char *s);
/* Of devices: [A-Za-z0-9_.@+-], not "." or "..", 15 bytes at most (dev_valid_name in the kernel's
 * net/core/dev.c takes more, but nft reads a final "*" as a wildcard). */
bool name_is_device(const char *s);
/* In DNS: labels of letters, digits, "-" and "_", 1 to 63 bytes each, 253 in all and perhaps a
 * final dot (RFC 1035, 2.3.4). */
bool name_is_domain(const char *s);

/* A word ("tcp") or a number 0..255.  0; -EINVAL: no such word; -ERANGE. */
int name_parse_protocol(const char *s, uint32_t *ret);
/* A word ("ef", "cs1", "af41") or a number 0..63.  Errors as above. */
int name_parse_dscp(const char *s, uint32_t *ret);
/* The word for a number, or NULL when it has none. */
const char *name_protocol(uint32_t number);
const char *name_dscp(uint32_t number);
/* The word nearest to s, or NULL: "did you mean". */
const char *name_nearest_protocol(const char *s);
const char *name_nearest_dscp(const char *s);

#endif

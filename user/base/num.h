/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers from text, with their range. */
#ifndef BASE_NUM_H
#define BASE_NUM_H

#include <stdint.h>

/* Decimal or 0x hexadecimal, whole string.  0; -EINVAL: not a number; -ERANGE: outside min..max. */
int num_parse_u32(const char *s, uint32_t min, uint32_t max, uint32_t *ret);

/* "30", "30s", "10m", "2h", "1d" as seconds, 0..UINT32_MAX.  Errors as above. */
int num_parse_seconds(const char *s, uint32_t min, uint32_t max, uint32_t *ret);

/* The same, and "500ms", as milliseconds: "30" is 30000. */
int num_parse_ms(const char *s, uint32_t min, uint32_t max, uint32_t *ret);

/* "500kbit", "50mbit", "1gbit": bits per second, powers of 1000; the unit must be there.  Errors as
 * above. */
int num_parse_bits(const char *s, uint64_t min, uint64_t max, uint64_t *ret);
/* "200000", "200kB", "1MB", "2GB": bytes, powers of 1000.  Errors as above. */
int num_parse_bytes(const char *s, uint64_t min, uint64_t max, uint64_t *ret);

/* "443" or "1000-2000", 0..65535 and in order.  Errors as above. */
int num_parse_port_range(const char *s, uint16_t *ret_lo, uint16_t *ret_hi);

#endif

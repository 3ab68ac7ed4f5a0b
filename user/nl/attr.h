/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading netlink attributes through a policy.  Attributes that the policy does not know are
 * skipped, so newer kernels do no harm; one of a wrong size makes the message -EBADMSG.
 */
#ifndef NL_ATTR_H
#define NL_ATTR_H

#include "base/addr.h"
#include <libmnl/libmnl.h>

/* Sizes that an attribute's payload may have, in bytes; max 0: not read. */
struct attr_size {
	uint16_t min, max;
};

#define ATTR_U8 { 1, 1 }
#define ATTR_U32 { 4, 4 }
#define ATTR_ADDR { 4, 16 }
#define ATTR_STR(size) { 1, (size) } /* size with the NUL; read with attr_str */
#define ATTR_NEST { 0, UINT16_MAX }

/* Fills tb[n] with the attributes behind a message's family header (header bytes), or within a nest
 * or any other run of attributes; those that are missing are NULL.  0 or -EBADMSG. */
int attr_parse(const struct nlmsghdr *h, size_t header, const struct attr_size *policy, size_t n,
	       const struct nlattr **tb);
int attr_parse_nest(const struct nlattr *nest, const struct attr_size *policy, size_t n,
		    const struct nlattr **tb);
int attr_parse_run(const void *data, size_t len, const struct attr_size *policy, size_t n,
		   const struct nlattr **tb);

/* Values; `none` when the attribute is missing. */
uint8_t attr_u8(const struct nlattr *a, uint8_t none);
uint32_t attr_u32(const struct nlattr *a, uint32_t none);
/* Copies a text into dst[size], "" when the attribute is missing.  0, or -EBADMSG: does not fit. */
int attr_str(const struct nlattr *a, char *dst, size_t size);
/* 0, or -EBADMSG when the size is not the family's.  *ret is "::" when the attribute is missing. */
int attr_addr(const struct nlattr *a, int family, struct in6_addr *ret);
/* The same for a prefix whose length is counted as people do (0..32 or 0..128); without the
 * attribute the family's whole space, or its part of len bits. */
int attr_prefix(const struct nlattr *a, int family, uint8_t len, struct prefix *ret);

#endif

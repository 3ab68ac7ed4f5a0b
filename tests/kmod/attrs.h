/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Netlink attributes as a list that can be spoiled: any type, any length, in any order. */
#ifndef TESTS_KMOD_ATTRS_H
#define TESTS_KMOD_ATTRS_H

#include "bpf/abi.h"
#include <libmnl/libmnl.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define ATTRS_MAX 24
#define ATTRS_DATA (ASYM_BUCKETS_SPACE + 8)

struct attrs {
	struct {
		uint16_t type, len; /* of data */
		uint8_t data[ATTRS_DATA];
	} a[ATTRS_MAX];
	size_t n;
};

static inline void attrs_put(struct attrs *l, uint16_t type, const void *data, size_t len)
{
	l->a[l->n].type = type;
	l->a[l->n].len = (uint16_t)len;
	memset(l->a[l->n].data, 0, ATTRS_DATA);
	memcpy(l->a[l->n++].data, data, len);
}

static inline void attrs_u8(struct attrs *l, uint16_t type, uint8_t v)
{
	attrs_put(l, type, &v, sizeof(v));
}

static inline void attrs_u32(struct attrs *l, uint16_t type, uint32_t v)
{
	attrs_put(l, type, &v, sizeof(v));
}

static inline void attrs_be32(struct attrs *l, uint16_t type, uint32_t v)
{
	attrs_u32(l, type, htonl(v));
}

/* The index of a type that is there. */
static inline size_t attrs_find(const struct attrs *l, uint16_t type)
{
	size_t i = 0;

	while (l->a[i].type != type)
		i++;
	return i;
}

static inline void attrs_drop(struct attrs *l, uint16_t type)
{
	size_t i = attrs_find(l, type);

	l->a[i] = l->a[--l->n];
}

/* Another value in place of the one that is there, or a further attribute. */
static inline void attrs_set(struct attrs *l, uint16_t type, const void *data, size_t len)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->a[i].type == type)
			attrs_drop(l, type);
	attrs_put(l, type, data, len);
}

static inline void attrs_write(struct nlmsghdr *h, const struct attrs *l)
{
	for (size_t i = 0; i < l->n; i++)
		mnl_attr_put(h, l->a[i].type, l->a[i].len, l->a[i].data);
}

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Datagrams between the daemons of a mesh: a probe of one way, and what its sender knows of the
 * ways that lead to it.  Network byte order; whole datagrams, nothing behind:
 *
 *	0  u32 magic "amsh"	16 u64 session		40 u64 echo_ns
 *	4  u8 version		24 u64 sent_ns		48 u8 n, 1 byte 0, u16 padded
 *	5  u8 from, to, way	32 u32 seq		52 n times: u32 seq, u32 age_ms,
 *	8  u64 hash		36 u32 echo_age_us	   i64 min_ns, u16 loss, u16 padded
 *
 * A padded probe has a number in `padded`, no reports, and bytes of no meaning behind.  Who does not
 * know of them takes it for damaged and leaves both numbers 0.
 */
#ifndef CORE_MESH_WIRE_H
#define CORE_MESH_WIRE_H

#include "core/mesh_choice.h"
#include <stddef.h>

#define WIRE_VERSION 1
#define WIRE_HEAD 52 /* bytes */
#define WIRE_MAX (WIRE_HEAD + 20 * MESH_MAX_PATHS)

struct wire {
	uint8_t from, to; /* index of a node */
	uint8_t way;      /* index of the sender's */
	uint64_t hash;    /* of its description, see mesh_hash */
	uint64_t session; /* another one after each start of its daemon; not 0 */
	uint64_t sent_ns; /* its clock */
	uint32_t seq;
	/* of the last probe that came from the receiver: its sent_ns, and how long ago that was;
	 * echo_ns 0: none yet */
	uint64_t echo_ns;
	uint32_t echo_age_us;
	uint16_t padded; /* number of a padded probe; 0: it is none; else n is 0 */
	uint8_t n; /* ways from the receiver to the sender, by the receiver's indices */
	struct choice_report reports[MESH_MAX_PATHS];
};

/* Returns its length, of a padded probe without what is to be put behind. */
size_t wire_write(const struct wire *w, uint8_t ret[WIRE_MAX]);
/* 0, or with *ret untouched: -EBADMSG: none of these; -EPROTO: of another version.  Indices are
 * less than MESH_MAX_NODES and MESH_MAX_PATHS, losses at most 1000; no more is said of values. */
int wire_read(const void *data, size_t len, struct wire *ret);

#endif

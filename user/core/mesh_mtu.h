/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How large packets get through by one way, end to end, in the manner of RFC 8899 (DPLPMTUD). Pure:
 * time is handed in (ns), and what was heard.
 *
 * Padded probes go by the way one at a time, beside the small ones of every interval; the receiver
 * reports the number of the last one that came.  A padded one is lost when small ones that were
 * sent after it have come by the same way: so no timer is needed, and neither a pause nor a dead
 * way is taken for a size that does not fit.  As many have to be lost in a row as are no accident.
 *
 * What was given goes on being used until something is known to be lost.  A peer that reports no
 * numbers (another version) is never asked for more than a try now and then, and what was used
 * stays.
 */
#ifndef CORE_MESH_MTU_H
#define CORE_MESH_MTU_H

#include "core/mesh.h"

/* Sizes are those of IP packets, with their headers.  WireGuard pads to a multiple of 16, so
 * nothing is gained by smaller steps. */
#define MTU_STEP 16

enum mtu_phase {
	MTU_BASE,   /* whether the least gets through */
	MTU_TOP,    /* whether the most does */
	MTU_SEARCH, /* between the two */
	MTU_DONE,   /* found, and tried again now and then */
	MTU_RAISE,  /* found, and whether a bit more gets through by now */
	MTU_NARROW, /* not even the least did */
};

struct mtu {
	uint16_t most; /* what was given */
	uint16_t use;  /* what packets should be cut to */
	uint16_t low;  /* the largest that came through; 0: none yet */
	uint16_t high; /* the least that did not; more than most: none */
	uint16_t size; /* of the probe that is under way; 0: none is */
	uint16_t id;   /* of it or the last one; never 0 */
	uint8_t lost;  /* of this size, in a row */
	bool raised;   /* by trying more than was found before */
	enum mtu_phase phase;
	uint32_t seq; /* of the last small probe that was sent before it */
	uint32_t confirm_ms, raise_ms;
	uint64_t next_ns;        /* when the next one is due, MTU_DONE and MTU_NARROW */
	uint64_t raised_ns;      /* when MTU_DONE began, or more was tried last */
	uint64_t raise_after_ns; /* more is tried after so long; longer each time that it did not
	                            last */
};

struct mtu_heard {
	uint16_t id;  /* of the last padded probe that came by the way; 0: none */
	uint32_t seq; /* highest of the small ones that came by it */
	uint8_t many; /* losses in a row that are no accident, see mtu_many */
	bool speaks;  /* the peer has ever reported a number, by whatever way */
};

/* use: least..most; what packets are cut to now.  first_id: where numbers begin, so that those of
 * a daemon before are not taken for ours.  raise_ms: between tries of more than was found. */
void mtu_init(struct mtu *m, uint16_t most, uint16_t use, uint16_t first_id, uint32_t probe_ms,
              uint32_t raise_ms);
/* The peer is another one, or the way may be: all is found out anew, while use stays. */
void mtu_restart(struct mtu *m);
/* Size of the padded probe to be sent now, with the number m->id, after the small one seq; 0: none.
 * Only while the peer reports and the way is alive. */
uint16_t mtu_next(struct mtu *m, uint32_t seq, uint64_t now_ns);
/* True: m->use has changed. */
bool mtu_hear(struct mtu *m, const struct mtu_heard *h, uint64_t now_ns);
/* Whether m->use is known to get through. */
bool mtu_is_found(const struct mtu *m);
/* By what small probes lose.  loaded: by what we send ourselves, and queues may have no room for
 * large packets first. */
uint8_t mtu_many(uint32_t loss_ppm, bool loaded);

#endif

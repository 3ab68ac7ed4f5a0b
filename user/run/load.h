/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loading and reloading: the same change, from nothing or from what runs. */
#ifndef RUN_LOAD_H
#define RUN_LOAD_H

#include "apply/attach.h"
#include "run/session.h"

/* The wanted configuration and how it was said; zeroed but for what the caller fills in. */
struct load {
	/* the caller's */
	const char *config; /* path or NULL */
	char **flags;	    /* "--iface", "wan:2", ... */
	size_t n_flags;
	bool from_state; /* the flags are those of the load: devices may have gone since */
	attach_progress *progress; /* or NULL */
	/* what it came to */
	struct model model;
	struct plan plan;
	struct state state;
};

/* Why there is no flow cache though it is wanted. */
#define LOAD_CACHE_REFUSED                                                                         \
	"this kernel refuses its programs (bpf_skb_ct_lookup of nf_conntrack is needed)"

/* Has the kernel load our module if that is installed, and the session know it; everything works without it. */
void load_module(struct session *s);

/* Carries it out on a session that holds the lock.  0, or -errno, said, and nothing changed; -EDOM:
 * the flags themselves are wrong.  End with load_done in any case. */
int load_apply(struct session *s, struct load *l);
void load_done(struct load *l);

/* What a reload without options of its own reads again: what the last load was told.  0, or -ENOENT,
 * said: that is not known any more.  The strings stay the session's. */
int load_again(const struct session *s, struct load *ret);

#endif

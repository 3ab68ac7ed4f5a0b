/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a verb needs to know of this network namespace and of what runs in it. */
#ifndef CMD_SESSION_H
#define CMD_SESSION_H

#include "apply/object.h"
#include "apply/state.h"
#include "cmd/options.h"
#include "core/host.h"
#include "core/model.h"
#include "core/plan.h"

struct session {
	uint64_t cookie; /* of the network namespace */
	int lock;	 /* descriptor, negative: not held */
	bool loaded;	   /* a state file, or programs, or both */
	bool running;	   /* programs are there and speak our ABI */
	struct state state;
	bool has_state, damaged;
	struct object object; /* maps of what runs */
	struct host host;
	struct model model; /* as loaded; what runs is planned from it, on the machine of now */
	struct plan plan;
};

/* Every function says itself what is wrong and returns 0 or -errno. */

/* -EPERM when the process lacks a capability; verb is for the message. */
int session_privileged(const char *verb);

/* Reads all there is to know.  lock: hold the lock of load, reload and unload until session_close,
 * which the caller owes in any case. */
int session_open(struct session *s, bool lock);
void session_close(struct session *s);

/* Builds model and plan of the running configuration.  -ENOENT with a message: nothing loaded. */
int session_plan(struct session *s);

/* Fills a model from a file and flags; prints every finding.  -EINVAL: it has errors; -EDOM: the
 * flags themselves have, which is wrong usage.  The caller frees m in any case. */
int session_model(struct model *m, const char *config, char **flags, size_t n_flags);

/* How a verb runs: options, arguments, capabilities, then its body between open and close. */
struct verb {
	bool lock;    /* it changes something */
	bool planned; /* it needs model and plan of what is loaded */
	bool running; /* it needs programs that run */
	/* Judges options and arguments and returns an exit status; NULL: no argument is taken. */
	int (*usage)(const struct command *self, const struct options *o);
	/* 0 or -errno, having said what is wrong; -EDOM is wrong usage. */
	int (*body)(struct session *s, const struct options *o);
};

/* Returns the exit status. */
int session_run(const struct command *self, int argc, char **argv, const struct verb *verb);

/* Why there is no flow cache though it is wanted. */
#define CACHE_REFUSED                                                                              \
	"this kernel refuses its programs (bpf_skb_ct_lookup of nf_conntrack is needed)"

/* Prints findings to stderr, errors and warnings; -EINVAL when one is an error. */
int session_report(struct findings *f);

#endif

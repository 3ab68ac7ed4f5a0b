/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What there is to know of this network namespace and of what runs in it. */
#ifndef RUN_SESSION_H
#define RUN_SESSION_H

#include "apply/object.h"
#include "apply/state.h"
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

/* Reads all there is to know.  lock: hold the lock of load, reload and unload until session_close,
 * which the caller owes in any case; somebody who has it now is waited for, for 2 s. */
int session_open(struct session *s, bool lock);
void session_close(struct session *s);

/* Builds model and plan of the running configuration.  -ENOENT with a message: nothing loaded. */
int session_plan(struct session *s);

/* Fills a model from a file and flags; prints every finding.  -EINVAL: it has errors; -EDOM: the
 * flags themselves have, which is wrong usage.  The caller frees m in any case. */
int session_model(struct model *m, const char *config, char **flags, size_t n_flags);

/* Prints findings to stderr, errors and warnings; -EINVAL when one is an error. */
int session_report(struct findings *f);

#endif

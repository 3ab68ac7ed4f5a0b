/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a verb runs: options, arguments, capabilities, then its body on an open session. */
#ifndef CMD_VERB_H
#define CMD_VERB_H

#include "cmd/options.h"
#include "run/load.h"
#include "run/session.h"

struct verb {
	bool lock;    /* it changes something */
	bool planned; /* it needs model and plan of what is loaded */
	bool running; /* it needs programs that run */
	bool remote;  /* it talks to the daemon, or sees to it all itself: of the session nothing but
		       * the cookie is there, and capabilities are its own business */
	/* Judges options and arguments and returns an exit status; NULL: no argument is taken. */
	int (*usage)(const struct command *self, const struct options *o);
	/* 0 or -errno, having said what is wrong; -EDOM is wrong usage. */
	int (*body)(struct session *s, const struct options *o);
	/* NULL: once.  Else the body runs, on a new session, until this is false. */
	bool (*again)(const struct options *o);
};

/* Returns the exit status. */
int verb_run(const struct command *self, int argc, char **argv, const struct verb *verb);

/* A verb that stays: takes the options of load, no argument, and runs until it is told to end.  run: 0, or
 * -errno, said; -EDOM: the flags are wrong.  Returns the exit status. */
int verb_stay(const struct command *self, int argc, char **argv,
	      int (*run)(const struct load *told, bool json));

/* -EPERM, said, when the process lacks a capability; verb is for the message. */
int verb_privileged(const char *verb);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Options of the command line.  One table serves the parser and --help. */
#ifndef CMD_OPTIONS_H
#define CMD_OPTIONS_H

#include "cmd/cmd.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct options {
	const char *config; /* --config FILE */
	char **flags;	    /* --iface, --lan, --fastpath with their values, in order; free it */
	size_t n_flags;
	bool json, plan;
	const char *device;  /* --in DEV */
	uint32_t sport;	     /* --sport PORT */
	uint32_t dscp;	     /* --dscp N */
	const char *link;    /* --link NAME */
	const char *src, *dst, *proto, *sort; /* --src PREFIX and so on, unread */
	uint32_t port, limit; /* --port, --limit; 0: not given */
	bool count;
	uint32_t duration_s; /* --for SECONDS; 0: not given */
	const char *node, *wg_quick; /* --node NAME, --wg-quick DIR */
	bool dot, public_key; /* --dot, --public */
	const char *key;      /* --key FILE */
	bool adopt;
	uint32_t watch_s;    /* --watch[=SECONDS]; 0: not given */
	char **args;	     /* what is left */
	int n_args;
};

/*
 * Parses a verb's command line.  0: go on; otherwise *ret_status is the exit status: after --help,
 * or after a message about wrong usage.  End with options_done in any case.
 */
int options_parse(struct options *o, const struct command *c, int argc, char **argv,
		  int *ret_status);
void options_done(struct options *o);

/* Says what is wrong with the usage of a verb and returns STATUS_USAGE. */
int options_wrong(const struct command *c, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif

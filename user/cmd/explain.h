/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What explain was asked and found out; for explain*.c. */
#ifndef CMD_EXPLAIN_H
#define CMD_EXPLAIN_H

#include "apply/choose.h"
#include "base/str.h"
#include "cmd/options.h"
#include "run/session.h"

struct question {
	struct in6_addr src, dst;
	uint32_t proto, dport;
	const struct options *options;
	uint32_t ifindex; /* 0: the router itself */
};

struct answer {
	const struct session *s;
	struct question q;
	struct choose_verdict v;
	uint32_t mark;
	int route_err; /* of the look-up with the mark */
	struct route route;
	bool direct; /* main has a better route than a default: the mark does not count */
	struct str why;
};

/* By its id; a reserved one has a name, too. */
const char *explain_link_name(const struct session *s, uint8_t id);

void explain_print_text(const struct answer *a);
void explain_print_json(const struct answer *a);

#endif

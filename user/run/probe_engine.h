/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libcurl in our loop. */
#ifndef RUN_PROBE_ENGINE_H
#define RUN_PROBE_ENGINE_H

#include "run/probe_kind.h"
#include <curl/curl.h>

/* Embedded by who has it done. */
struct http_transfer {
	CURL *easy;
	/* It is over; told from the loop, outside of libcurl. */
	void (*done)(struct http_transfer *t, CURLcode code);
};

/* p->http is there from now on.  0 or -ENOMEM. */
int http_engine_open(struct prober *p);

/* Begins; easy and done are set.  0 or -ENOMEM. */
int http_engine_add(struct http_engine *e, struct http_transfer *t);
/* Ends it and frees easy, if there is one. */
void http_engine_remove(struct http_engine *e, struct http_transfer *t);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tools of these tests share. */
#ifndef ASYM_TESTS_TOOL_H
#define ASYM_TESTS_TOOL_H

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static inline void die(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

static volatile sig_atomic_t stop;

static inline void on_term(int sig)
{
	stop = 1;
}

static inline int64_t clock_us(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return ts.tv_sec * 1000000LL + ts.tv_nsec / 1000;
}

#endif

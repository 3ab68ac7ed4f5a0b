/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The program that the configuration names, run for every LINK, MANUAL and RELOAD event, one at a time
 * and in order, with the event in ASYMBPF_EVENT, ASYMBPF_LINK, ASYMBPF_DEVICE, ASYMBPF_FAMILY,
 * ASYMBPF_STATE, ASYMBPF_REASON; stdin is empty, stdout and stderr go nowhere.  Killed with its whole
 * process group after the time limit.  Never waited for.
 */
#ifndef RUN_HOOK_H
#define RUN_HOOK_H

#include "run/event.h"
#include <uv.h>

#define HOOK_QUEUE 256 /* events that wait; further ones are dropped, and counted in the log */

struct hook;
int hook_open(uv_loop_t *loop, struct events *events, struct hook **ret);
/* path NULL: none from now on. */
int hook_configure(struct hook *h, const char *path, uint32_t timeout_ms);
/* Kills what runs. */
void hook_close(struct hook *h);

#endif

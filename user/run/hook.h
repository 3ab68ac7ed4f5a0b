/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The program that the configuration names, run for every LINK, MANUAL and RELOAD event, one at a time
 * and in order, with the event in ASYMBPF_EVENT, ASYMBPF_LINK, ASYMBPF_DEVICE, ASYMBPF_FAMILY ("ipv4",
 * "ipv6"), ASYMBPF_STATE, ASYMBPF_REASON (empty where they do not apply) and PATH; in "/", in a session
 * of its own; stdin is empty, stdout and stderr go nowhere.  Killed after the time limit with its whole
 * process group; what is left of the group when the program ends is killed, too: a program that wants
 * something to go on starts it by setsid(1).  Never waited for.
 *
 * What goes wrong (it cannot be run, is killed, ends with another status than 0) is an ERROR event, sent
 * once until something else goes wrong or it succeeds.
 */
#ifndef RUN_HOOK_H
#define RUN_HOOK_H

#include "run/event.h"
#include <uv.h>

#define HOOK_QUEUE 256 /* events that wait; further ones are dropped, and counted in the log */

struct hook;
/* No program yet.  0 or -errno. */
int hook_open(uv_loop_t *loop, struct events *events, struct hook **ret);
/* path, copied, NULL: none from now on, and events that wait are forgotten; else they are the new
 * program's.  What runs is let run until its own time limit.  0 or -ENOMEM, nothing changed then. */
int hook_configure(struct hook *h, const char *path, uint32_t timeout_ms);
/* Kills what runs; memory goes once the loop has closed the handles.  NULL is fine. */
void hook_close(struct hook *h);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For core/health*.c alone: health.c has the rounds, health_figures.c the windows, health_judge.c
 * says what follows from them. */
#ifndef CORE_HEALTH_INT_H
#define CORE_HEALTH_INT_H

#include "core/health.h"

/* Puts one result, rtt_us or 0, into the window of its target. */
void health_feed(const struct health *h, struct health_target *t, uint32_t round, uint32_t rtt_us);

/* What it lost and will lose, until it answers again, is not put into its window. */
void health_excuse(struct health_target *t);

/*
 * Which of HEALTH_LOSS, HEALTH_LATENCY, HEALTH_JITTER has so many targets above its level that
 * fewer than the quorum are left; HEALTH_ANSWERS: none.  high: the high levels, else the low ones.
 */
enum health_reason health_fault(const struct health *h, bool high);

/* As configured, but 1 to the number of targets. */
uint32_t health_quorum(const struct health *h);

/* Takes the link up or down, if that is due. */
void health_judge(struct health *h, uint64_t now);

#endif

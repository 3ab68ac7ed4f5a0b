/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kernel settings below /proc/sys.  What was there before is handed back, to be kept in the state
 * and restored on unload.
 */
#ifndef APPLY_SYSCTL_H
#define APPLY_SYSCTL_H

#include "core/plan.h"

struct sysctl_saved {
	char path[96];	  /* below /proc/sys, '/' between its parts: dots belong to device names */
	char before[16];  /* without its newline */
	char written[16]; /* by us */
	bool pending;	  /* planned and not written yet */
};

/* A growing list; free items. */
struct sysctl_list {
	struct sysctl_saved *items;
	size_t n;
};

/* NULL: the list does not have it. */
struct sysctl_saved *sysctl_find(const struct sysctl_list *saved, const char *path);

/*
 * Adds to *saved every setting that is not yet as it should be, with what is there now, and writes
 * nothing: so the list can be kept safe first.  A setting that *saved has from an earlier load
 * keeps its `before`, unless somebody has changed it since.  What does not exist is skipped:
 * devices come and go.  0, or -errno with ret_path (96 bytes) the setting that failed.
 */
int sysctl_plan(const struct plan_sysctl *settings, size_t n, struct sysctl_list *saved,
		char *ret_path);

/* Writes what is pending in *saved.  0, or -errno with ret_path the setting that failed; those
 * before it stay written. */
int sysctl_write(struct sysctl_list *saved, char *ret_path);

/* Writes back, last first, what still is as we wrote or meant to write it; TCP connections outlive
 * PLAN_TCP_BE_LIBERAL.  0, or the first -errno and ret_path, after trying all of it. */
int sysctl_restore(const struct sysctl_list *saved, char *ret_path);

#endif

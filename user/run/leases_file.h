/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Leases in /run/asymbpf/COOKIE.leases, which goes with the state file (apply/state.h). */
#ifndef RUN_LEASES_FILE_H
#define RUN_LEASES_FILE_H

#include "run/leases.h"

#define LEASES_FILE_MAX (1u << 20) /* bytes; a larger one is not read */

/* Replaces the file by those of links[ASYM_LINK_IDS] that are worth it.  0; -EWOULDBLOCK: somebody
 * loads or unloads, try again; -ENOENT: nothing is loaded any more, nothing was written; -errno. */
int leases_file_write(uint64_t cookie, const struct leases_link *links);

/*
 * Fills links[ASYM_LINK_IDS], by id, with what makes sense now; what does not is left out, and
 * *ret_ignored says how many links that were (or 1 for a file that is none).  No request is
 * remembered.  0; -ENOENT: there is no file; -errno.
 */
int leases_file_read(uint64_t cookie, uint64_t now_ns, struct leases_link *links,
		     size_t *ret_ignored);

/* The same from and to text. */
char *leases_file_text(const struct leases_link *links); /* to be freed; NULL: no memory */
size_t leases_file_parse(const char *text, uint64_t now_ns, struct leases_link *links);

#endif

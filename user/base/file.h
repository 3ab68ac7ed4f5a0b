/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whole files. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stddef.h>

/* Reads all of path (at most max bytes) into a fresh NUL-terminated buffer, which the caller
 * frees.  0, -EFBIG, or -errno of open(2) and read(2). */
int file_read(const char *path, size_t max, char **ret, size_t *ret_len);

/* Replaces path by data in one step: path with FILE_NEW appended, fsync, rename.  Mode 0600.  The
 * name is always the same, so what a killed process left is used again; callers take turns. */
#define FILE_NEW ".new"
int file_replace(const char *path, const char *data, size_t len);

/* Writes data into an existing file in one write(2), as /proc/sys wants it.  0 or -errno. */
int file_write(const char *path, const char *data, size_t len);

/* mkdir -p with mode 0700.  0 or -errno. */
int file_mkdirs(const char *path);

#endif

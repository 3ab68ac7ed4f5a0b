/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small things the C library lacks: sizes, scoped clean-up, hand-over of what is owned. */
#ifndef BASE_DEFS_H
#define BASE_DEFS_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/param.h> /* before ours: its MIN and MAX, which uv.h brings in, evaluate twice */
#include <unistd.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#undef MIN
#undef MAX
#define MIN(a, b) ({ __typeof__(a) a_ = (a); __typeof__(b) b_ = (b); a_ < b_ ? a_ : b_; })
#define MAX(a, b) ({ __typeof__(a) a_ = (a); __typeof__(b) b_ = (b); a_ > b_ ? a_ : b_; })
#define PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/* Hands the value over: the variable is left empty, so that its clean-up does nothing. */
#define TAKE_PTR(p) ({ __typeof__(p) p_ = (p); (p) = NULL; p_; })
#define TAKE_FD(fd) ({ int fd_ = (fd); (fd) = -1; fd_; })

static inline void cleanup_free(void *p)
{
	free(*(void **)p);
}

static inline void cleanup_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static inline void cleanup_fclose(FILE **f)
{
	if (*f)
		fclose(*f);
}

#define _cleanup_(fn) __attribute__((cleanup(fn)))
#define _cleanup_free_ _cleanup_(cleanup_free)
#define _cleanup_close_ _cleanup_(cleanup_close)
#define _cleanup_fclose_ _cleanup_(cleanup_fclose)

/*
 * Makes room for one more element of a growing array and yields a pointer to it, zeroed, or NULL
 * when memory is out.  Use: struct x *x = ARRAY_ADD(list->items, list->n);
 */
#define ARRAY_ADD(items, n) ((__typeof__(items))array_add((void **)&(items), &(n), sizeof(*(items))))
void *array_add(void **items, size_t *n, size_t size);

#endif

// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/defs.h"
#include <stdint.h>
#include <string.h>

/* Room doubles whenever n is a power of two, so the array needs no field for its room.  Arrays
 * that were built in another way must have been allocated at least that large. */
void *array_add(void **items, size_t *n, size_t size)
{
	char *p = *items;

	if ((*n & (*n - 1)) == 0) {
		size_t room = *n ? *n * 2 : 1;

		if (room < *n || room > SIZE_MAX / size)
			return NULL;
		p = realloc(p, room * size);
		if (!p)
			return NULL;
		*items = p;
	}
	p += *n * size;
	memset(p, 0, size);
	(*n)++;
	return p;
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "run/metrics_guests.h"

#include <sys/socket.h>

#define MS 1000000ull
#define ALONE_NS (METRICS_GUEST_MS * MS)
#define CROWDED_NS (METRICS_CROWD_MS * MS)

/* libmicrohttpd finds the connection closed. */
static void dismiss(struct guest *guest)
{
	shutdown(guest->fd, SHUT_RDWR);
	guest->dismissed = true;
}

/* Of those that are to stay. */
static struct guest *oldest(struct guests *g, size_t *ret_n)
{
	struct guest *found = NULL;

	*ret_n = 0;
	for (struct guest *i = g->all; i < g->all + GUESTS_ROOM; i++) {
		if (!i->here || i->dismissed)
			continue;
		++*ret_n;
		if (!found || i->since_ns < found->since_ns)
			found = i;
	}
	return found;
}

struct guest *guests_add(struct guests *g, int fd)
{
	for (struct guest *i = g->all; i < g->all + GUESTS_ROOM; i++)
		if (!i->here) {
			*i = (struct guest){.fd = fd, .here = true, .since_ns = uv_hrtime()};
			return i;
		}
	return NULL;
}

void guests_remove(struct guest *guest)
{
	if (guest)
		guest->here = false;
}

uint64_t guests_look(struct guests *g)
{
	uint64_t now = uv_hrtime();
	struct guest *first;
	size_t n;

	while ((first = oldest(g, &n))) {
		uint64_t until_ns = first->since_ns + (n > METRICS_GUESTS ? CROWDED_NS : ALONE_NS);

		if (now < until_ns)
			return until_ns;
		dismiss(first);
	}
	return UINT64_MAX;
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "run/metrics_guests.h"

#include <sys/socket.h>

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
	struct guest *guest = g->all, *first;
	size_t n;

	while (guest < g->all + GUESTS_ROOM && guest->here)
		guest++;
	if (guest == g->all + GUESTS_ROOM)
		return NULL;
	first = oldest(g, &n);
	if (n >= METRICS_GUESTS)
		dismiss(first);
	*guest = (struct guest){.fd = fd, .here = true, .since_ns = uv_hrtime()};
	return guest;
}

void guests_remove(struct guest *guest)
{
	if (guest)
		guest->here = false;
}

uint64_t guests_look(struct guests *g)
{
	uint64_t now = uv_hrtime(), limit = METRICS_GUEST_MS * 1000000ull;
	struct guest *first;
	size_t n;

	while ((first = oldest(g, &n)) && now - first->since_ns >= limit)
		dismiss(first);
	return first ? first->since_ns + limit : UINT64_MAX;
}

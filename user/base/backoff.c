// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/backoff.h"

#include "base/defs.h"

#define FIRST_NS 1000000000ull
#define LAST_NS (30 * FIRST_NS)

void backoff_failed(struct backoff *b, uint64_t now)
{
	/* one that came before its time makes the next no later */
	if (now < b->next_ns) {
		b->failed_ns = now;
		return;
	}
	b->wait_ns = b->wait_ns ? MIN(2 * b->wait_ns, LAST_NS) : FIRST_NS;
	b->failed_ns = now;
	b->next_ns = now + b->wait_ns;
}

void backoff_worked(struct backoff *b)
{
	*b = (struct backoff){};
}

void backoff_hurry(struct backoff *b)
{
	if (b->failed_ns)
		b->next_ns = MIN(b->next_ns, b->failed_ns + FIRST_NS);
}

uint64_t backoff_left(const struct backoff *b, uint64_t now)
{
	return b->next_ns > now ? b->next_ns - now : 0;
}

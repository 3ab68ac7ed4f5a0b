// SPDX-License-Identifier: GPL-2.0-or-later
#include "apply/change_steps.h"

#include "apply/module.h"
#include "apply/router.h"
#include <string.h>

#define LOST "raw sockets of the router follow the main table"
#define MISLED "raw sockets of the router are not spread as configured"
#define KEPT "old policies of the kernel module stay"

/* The first error is the one that is told. */
static void note(struct change *c, int r, const char *what, const char *error)
{
	if (r && !c->router_error[0])
		snprintf(c->router_error, sizeof(c->router_error), "%s: %s", what, error);
}

/* What the table names is there before it, and what it named goes after it. */
bool change_follow_router(struct change *c)
{
	struct router_stamp known = c->state->router;
	bool programs = attach_host_attached(c->cookie), ignored;
	char error[256], refusal[256];
	struct module module;
	size_t n;
	int r, refused;

	refused = module_update(c->plan, &module, &n, refusal, sizeof(refusal));
	r = router_update(c->plan, programs, &known, &ignored, error, sizeof(error));
	/* a table that stands has the policies before these, or a hash */
	note(c, refused, known.table ? MISLED : LOST, refusal);
	note(c, r, known.table ? MISLED : LOST, error);
	r = module_trim(c->plan, error, sizeof(error));
	note(c, r, KEPT, error);
	if (!memcmp(&known, &c->state->router, sizeof(known)))
		return false;
	c->state->router = known;
	return true;
}

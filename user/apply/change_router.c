// SPDX-License-Identifier: GPL-2.0-or-later
#include "apply/change_steps.h"

#include "apply/module.h"
#include "apply/router.h"
#include <string.h>

/* The first error is the one that is told. */
static void note(struct change *c, const char *what, const char *error)
{
	if (!c->router_error[0])
		snprintf(c->router_error, sizeof(c->router_error), "%s: %s", what, error);
}

/* As it is now, whatever was meant to be. */
static void note_router(struct change *c, const char *error)
{
	enum plan_router_kind kind;
	size_t rules;
	char what[64];

	if (router_find(&kind, &rules))
		kind = PLAN_ROUTER_NONE;
	snprintf(what, sizeof(what), "raw sockets of the router %s", plan_router_words[kind]);
	note(c, what, error);
}

/* What the table names is there before it. */
static void write_router(struct change *c, struct router_stamp *known)
{
	bool programs = attach_host_attached(c->cookie), ignored;
	char error[250] = "", why[250];
	struct module module;
	size_t n;
	int r, failed;

	change_fault("policies");
	failed = module_update(c->plan, &module, &n, error, sizeof(error));
	change_fault("router");
	r = router_update(c->plan, programs, known, &ignored, why, sizeof(why));
	if (failed || r)
		note_router(c, failed ? error : why);
}

bool change_follow_router(struct change *c)
{
	struct router_stamp known = c->state->router;
	char error[250];

	write_router(c, &known);
	/* what it named goes after it */
	if (module_trim(c->plan, error, sizeof(error)))
		note(c, "old policies of the kernel module stay", error);
	if (!memcmp(&known, &c->state->router, sizeof(known)))
		return false;
	c->state->router = known;
	return true;
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "apply/remove.h"

#include "apply/module.h"
#include "apply/router.h"
#include "apply/routing.h"
#include "apply/ruleset.h"
#include "apply/tc.h"
#include "nl/conntrack.h"
#include <errno.h>
#include <string.h>

/* The first error is the one reported. */
static int first(int r, int next, char *error, size_t size, const char *what)
{
	if (!r && next)
		snprintf(error, size, "%s", what);
	return r ?: next;
}

/* Another configuration may give the ids to other links. */
static int clear_connections(uint32_t mask, char *error, size_t size)
{
	_cleanup_nl_ struct nl nl;
	size_t n;
	int r = nl_open(&nl, NETLINK_NETFILTER);

	r = r ?: conntrack_clear_marks(&nl, mask, &n);
	if (r)
		snprintf(error, size, "marks of connections: %s", strerror(-r));
	return r;
}

/* The kernel frees a program after an RCU grace period; a second is plenty. */
static int programs_gone(uint64_t cookie)
{
	int r = 0;

	for (int tries = 0; tries < 50; tries++) {
		struct object o;

		r = object_find(&o, cookie);
		object_done(&o);
		if (r == -ENOENT)
			return 0;
		usleep(20000);
	}
	return r ?: -EBUSY;
}

int remove_all(uint64_t cookie, const struct host *h, const struct state *s,
	       attach_progress *progress, char *error, size_t size)
{
	struct attachment a;
	struct routing routing = {0};
	char why[256] = "";
	int r = 0;

	attach_init(&a, cookie);
	a.progress = progress;
	attach_sweep(&a, h, NULL, false);
	for (size_t i = 0; s && i < s->n_clsact; i++)
		tc_remove_clsact(s->clsact[i]);
	attach_done(&a);
	r = first(r, router_remove(why, sizeof(why)), error, size, why);
	r = first(r, module_trim(NULL, why, sizeof(why)), error, size, why);
	r = first(r, ruleset_remove(why, sizeof(why)), error, size, why);
	r = first(r, routing_remove_all(&routing), error, size, routing.error);
	if (s)
		r = first(r, clear_connections(s->mark_mask, why, sizeof(why)), error, size, why);
	if (s)
		r = first(r, sysctl_restore(&s->sysctls, why), error, size, why);
	routing_done(&routing);
	r = first(r, programs_gone(cookie), error, size, "programs are still there, perhaps in the "
							 "cgroup tree of another namespace");
	if (!r)
		state_remove(cookie);
	return r;
}

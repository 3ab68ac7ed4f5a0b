// SPDX-License-Identifier: GPL-2.0-or-later
#include "apply/update_router.h"

#include "apply/attach.h"
#include <string.h>

int update_policies(struct update *u, bool *ret_done)
{
	size_t n;
	int r = module_update(u->plan, &u->module, &n, u->error, sizeof(u->error));

	*ret_done = n;
	return r;
}

int update_router(struct update *u, bool *ret_done)
{
	struct router_stamp known = u->state->router;
	int r = router_update(u->plan, attach_host_attached(u->cookie), &known, ret_done, u->error,
			      sizeof(u->error));

	u->state_changed |= memcmp(&known, &u->state->router, sizeof(known));
	u->state->router = known;
	return r;
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "apply/update_router.h"

#include "apply/attach.h"
#include <errno.h>

int update_policies(struct update *u, bool *ret_done)
{
	size_t n;
	int r = module_update(u->plan, &u->module, &n, u->error, sizeof(u->error));

	*ret_done = n;
	return r;
}

int update_router(struct update *u, bool *ret_done)
{
	bool programs = attach_host_attached(u->cookie);
	const struct router_stamp before = u->router;
	struct router_stamp now = {};
	enum plan_router_kind kind;
	int r = router_stamp(u->plan, programs, &now);

	*ret_done = false;
	if (!r && before.text && before.text == now.text && before.table == now.table)
		return 0;
	/* somebody else's table of that name, where none is wanted, is not looked at */
	r = router_apply(u->plan, programs, false, &kind, u->error, sizeof(u->error));
	*ret_done = before.text && before.text == now.text;
	u->router = (struct router_stamp){};
	if (!r)
		router_stamp(u->plan, programs, &u->router);
	return r;
}

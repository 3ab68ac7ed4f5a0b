// SPDX-License-Identifier: GPL-2.0-or-later
#include "nl/genl.h"

#include "nl/attr.h"
#include <errno.h>
#include <linux/genetlink.h>

static int take_id(const struct nlmsghdr *h, void *data)
{
	static const struct attr_size policy[] = {
		[CTRL_ATTR_FAMILY_ID] = {2, 2},
	};
	const struct nlattr *tb[ARRAY_SIZE(policy)];
	uint16_t *id = data;
	int r = attr_parse(h, sizeof(struct genlmsghdr), policy, ARRAY_SIZE(policy), tb);

	if (!r && tb[CTRL_ATTR_FAMILY_ID])
		*id = mnl_attr_get_u16(tb[CTRL_ATTR_FAMILY_ID]);
	return r;
}

int genl_family(struct nl *nl, const char *name, uint16_t *ret)
{
	const struct genlmsghdr header = {.cmd = CTRL_CMD_GETFAMILY, .version = 1};
	uint16_t id = 0;
	struct nl_msg m;
	int r;

	nl_begin(&m, GENL_ID_CTRL, 0, &header, sizeof(header));
	nl_put_str(&m, CTRL_ATTR_FAMILY_NAME, name);
	r = nl_ask(nl, &m, take_id, &id);
	if (!r && !id)
		r = -ENOENT;
	if (!r)
		*ret = id;
	return r;
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "nl/genl.h"

#include "nl/attr.h"
#include <errno.h>
#include <linux/genetlink.h>
#include <string.h>

static const struct attr_size policy[] = {
	[CTRL_ATTR_FAMILY_ID] = {2, 2},
	[CTRL_ATTR_FAMILY_NAME] = ATTR_STR(GENL_NAMSIZ),
};

static int take_id(const struct nlmsghdr *h, void *data)
{
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

_Static_assert(GENL_NOTIFY_GROUP == GENL_ID_CTRL, "its number is the controller's");

bool genl_is_about(const struct nlmsghdr *h, const char *name)
{
	const struct nlattr *tb[ARRAY_SIZE(policy)];
	char got[GENL_NAMSIZ + 1];

	return h->nlmsg_type == GENL_ID_CTRL &&
	       !attr_parse(h, sizeof(struct genlmsghdr), policy, ARRAY_SIZE(policy), tb) &&
	       !attr_str(tb[CTRL_ATTR_FAMILY_NAME], got, sizeof(got)) && !strcmp(got, name);
}

struct search {
	const char *name;
	uint16_t id; /* 0: not met */
};

static int compare(const struct nlmsghdr *h, void *data)
{
	const struct nlattr *tb[ARRAY_SIZE(policy)];
	struct search *s = data;
	int r = attr_parse(h, sizeof(struct genlmsghdr), policy, ARRAY_SIZE(policy), tb);
	char name[GENL_NAMSIZ + 1];

	r = r ?: attr_str(tb[CTRL_ATTR_FAMILY_NAME], name, sizeof(name));
	if (!r && tb[CTRL_ATTR_FAMILY_ID] && !strcmp(name, s->name))
		s->id = mnl_attr_get_u16(tb[CTRL_ATTR_FAMILY_ID]);
	return r;
}

static void reset(void *data)
{
	((struct search *)data)->id = 0;
}

int genl_family_present(struct nl *nl, const char *name, uint16_t *ret)
{
	const struct genlmsghdr header = {.cmd = CTRL_CMD_GETFAMILY, .version = 1};
	struct search s = {.name = name};
	struct nl_msg m;
	int r;

	nl_begin(&m, GENL_ID_CTRL, 0, &header, sizeof(header));
	r = nl_dump(nl, &m, compare, reset, &s);
	if (!r && !s.id)
		r = -ENOENT;
	if (!r)
		*ret = s.id;
	return r;
}

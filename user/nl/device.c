// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include "nl/device.h"

static void begin(struct nl_msg *m, uint16_t type, uint16_t flags, const char *name,
		  const struct ifinfomsg *ifi)
{
	nl_begin(m, type, flags, ifi, sizeof(*ifi));
	nl_put_str(m, IFLA_IFNAME, name);
}

int device_create(struct nl *nl, const char *name, const char *kind)
{
	const struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC };
	struct nlattr *info;
	struct nl_msg m;

	begin(&m, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, name, &ifi);
	info = nl_nest_begin(&m, IFLA_LINKINFO);
	nl_put_str(&m, IFLA_INFO_KIND, kind);
	nl_nest_end(&m, info);
	return nl_ask(nl, &m, NULL, NULL);
}

int device_delete(struct nl *nl, const char *name)
{
	const struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC };
	struct nl_msg m;

	begin(&m, RTM_DELLINK, 0, name, &ifi);
	return nl_ask(nl, &m, NULL, NULL);
}

int device_set_up(struct nl *nl, const char *name, bool up)
{
	const struct ifinfomsg ifi = {
		.ifi_family = AF_UNSPEC,
		.ifi_flags = up ? IFF_UP : 0,
		.ifi_change = IFF_UP,
	};
	struct nl_msg m;

	begin(&m, RTM_NEWLINK, 0, name, &ifi);
	return nl_ask(nl, &m, NULL, NULL);
}

int device_set_mtu(struct nl *nl, const char *name, uint32_t mtu)
{
	const struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC };
	struct nl_msg m;

	begin(&m, RTM_NEWLINK, 0, name, &ifi);
	nl_put_u32(&m, IFLA_MTU, mtu);
	return nl_ask(nl, &m, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "apply/handover.h"

#include "base/defs.h"
#include "kmod/uapi/nft_asym.h"
#include "nl/genl.h"
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <string.h>

#define MODULE "asymbpf"

/* What asks for its netlink family makes the kernel load it. */
static void load_module(void)
{
	_cleanup_nl_ struct nl nl;
	uint16_t family;

	if (!nl_open(&nl, NETLINK_GENERIC))
		genl_family(&nl, ASYM_GENL, &family);
}

static bool is_module(uint32_t btf_id)
{
	_cleanup_close_ int fd = bpf_btf_get_fd_by_id(btf_id);
	char name[sizeof(MODULE)] = "";
	struct bpf_btf_info info = {.name = (uintptr_t)name, .name_len = sizeof(name)};
	uint32_t len = sizeof(info);

	/* a longer name is cut, with an error */
	return fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &len) && info.kernel_btf &&
	       !strcmp(name, MODULE);
}

bool handover_is_offered(void)
{
	uint32_t id = 0;

	load_module();
	while (!bpf_btf_get_next_id(id, &id))
		if (is_module(id))
			return true;
	return false;
}

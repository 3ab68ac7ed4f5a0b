// SPDX-License-Identifier: GPL-2.0-or-later
#include "apply/handover.h"

#include "apply/module.h"
#include "base/defs.h"
#include "kmod/uapi/nft_asym.h"
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <string.h>

#define MODULE "asymbpf"

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
	struct module m;
	uint32_t id = 0;

	module_find(true, &m);
	if (m.state != MODULE_USED || !(m.info.features & ASYM_FEATURE_OFFLOAD))
		return false;
	while (!bpf_btf_get_next_id(id, &id))
		if (is_module(id))
			return true;
	return false;
}

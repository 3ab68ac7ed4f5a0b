// SPDX-License-Identifier: GPL-2.0-or-later
#include "apply/overlay_rules.h"

#include "core/plan.h"
#include <bpf/bpf.h>
#include <errno.h>

_Static_assert(MESH_MAX_RULES <= OV_RULES && MESH_MAX_NODES <= OV_NODES, "all of them fit");

static const uint8_t classes[MESH_CLASS_MAX] = {
	[MESH_CLASS_DEFAULT] = OV_CLASS_DEFAULT,
	[MESH_CLASS_INTERACTIVE] = OV_CLASS_INTERACTIVE,
	[MESH_CLASS_BULK] = OV_CLASS_BULK,
};

static void fill_rule(const struct mesh_rule *r, struct ov_rule *ret)
{
	*ret = (struct ov_rule){.class = classes[r->class]};
	plan_bpf_match(&r->match, &ret->match);
	for (uint32_t i = 0; i < OV_NODES; i++)
		if (mesh_nodes_have(&r->to, i))
			ret->to[i / 32] |= 1u << i % 32;
}

size_t overlay_rules_of(const struct mesh_plan *p, struct ov_rule *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < p->mesh->n_rules; i++)
		if (mesh_nodes_have(&p->mesh->rules[i].from, p->self))
			fill_rule(&p->mesh->rules[i], &ret[n++]);
	return n;
}

int overlay_rules_write(int config, int rules, const struct mesh_plan *p, uint32_t *ret_first)
{
	_cleanup_free_ struct ov_rule *all = calloc(OV_RULES + 1, sizeof(*all));
	size_t n = all ? overlay_rules_of(p, all) : 0;
	uint32_t zero = 0, first;
	struct ov_config now;

	if (!all)
		return -ENOMEM;
	if (bpf_map_lookup_elem(config, &zero, &now))
		return -errno;
	first = now.rules ? 0 : OV_RULES;
	/* the one behind the last ends the list */
	for (uint32_t i = 0; i <= n && i < OV_RULES; i++) {
		uint32_t slot = first + i;

		if (bpf_map_update_elem(rules, &slot, &all[i], BPF_ANY))
			return -errno;
	}
	*ret_first = first;
	return 0;
}

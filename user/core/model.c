// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/model.h"
#include "base/str.h"
#include "core/model_probe.h"
#include <errno.h>
#include <string.h>

const char *const model_nat_names[NAT_MAX] = {
	[NAT_MASQUERADE] = "masquerade",
	[NAT_SNAT] = "snat",
	[NAT_NONE] = "none",
};

const char *const model_last_resort_names[LAST_RESORT_MAX] = {
	[LAST_RESORT_UNREACHABLE] = "unreachable",
	[LAST_RESORT_BLACKHOLE] = "blackhole",
	[LAST_RESORT_MAIN] = "main",
};

const char *const model_key_names[ASYM_KEY_MAX] = {
	[ASYM_KEY_FLOW] = "flow",
	[ASYM_KEY_SRC] = "src",
	[ASYM_KEY_SRC_DST] = "src+dst",
};

const char *const model_fastpath_names[ASYM_FASTPATH_MAX] = {
	[ASYM_FASTPATH_ON] = "yes",
	[ASYM_FASTPATH_OFF] = "no",
	[ASYM_FASTPATH_STATELESS] = "stateless",
};

const char *const model_dhcp_names[DHCP_MAX] = {
	[DHCP_GUARD] = "guard",
	[DHCP_SHIM] = "shim",
	[DHCP_BOTH] = "both",
	[DHCP_OFF] = "off",
};

const char *const model_failback_names[FAILBACK_MAX] = {
	[FAILBACK_KEEP] = "keep",
	[FAILBACK_DRAIN] = "drain",
	[FAILBACK_MOVE] = "move",
};

void model_init(struct model *m)
{
	*m = (struct model){
		.mark_mask = 0xff00,
		.table_base = 10000,
		.priority_base = 20000,
		.seed = 1,
		.sticky_entries = 65536,
		.mss_clamp = true,
		.host_traffic = true,
		.host_raw = true,
		.fastpath = true,
		.revalidate_s = 1,
		.probe = model_probe_default,
		.dhcp_watchdog = true,
		.hook_timeout_ms = 10000,
	};
}

void model_policy_done(struct model_policy *p)
{
	for (size_t i = 0; i < p->n; i++)
		free(p->tiers[i].members);
	free(p->tiers);
}

void model_done(struct model *m)
{
	for (size_t i = 0; i < m->n_links; i++)
		model_probe_done(&m->links[i].probe);
	model_probe_done(&m->probe);
	free(m->hook);
	for (size_t i = 0; i < m->n_policies; i++)
		model_policy_done(&m->policies[i]);
	for (size_t i = 0; i < m->n_sets; i++)
		free(m->sets[i].prefixes);
	for (size_t i = 0; i < m->n_files; i++)
		free(m->files[i]);
	free(m->lans);
	free(m->links);
	free(m->policies);
	free(m->rules);
	free(m->sets);
	free(m->files);
	*m = (struct model){};
}

static int add_all_links(struct model *m, struct model_tier *tier)
{
	for (size_t i = 0; i < m->n_links; i++) {
		struct model_member *member = ARRAY_ADD(tier->members, tier->n);

		if (!member)
			return -ENOMEM;
		memcpy(member->link, m->links[i].name, sizeof(member->link));
		member->place = m->links[i].place;
	}
	return 0;
}

static int add_policy(struct model *m)
{
	struct model_policy *policy = ARRAY_ADD(m->policies, m->n_policies);
	struct model_tier *tier;

	if (!policy)
		return -ENOMEM;
	str_copy(policy->name, sizeof(policy->name), "balanced");
	tier = ARRAY_ADD(policy->tiers, policy->n);
	if (!tier)
		return -ENOMEM;
	return add_all_links(m, tier);
}

static int add_rule(struct model *m)
{
	struct model_rule *rule = ARRAY_ADD(m->rules, m->n_rules);

	if (!rule)
		return -ENOMEM;
	str_copy(rule->name, sizeof(rule->name), "default");
	memcpy(rule->policy, m->policies[0].name, sizeof(rule->policy));
	rule->sticky_key = ASYM_KEY_SRC;
	return 0;
}

int model_add_defaults(struct model *m)
{
	int r = 0;

	if (!m->n_policies && m->n_links)
		r = add_policy(m);
	if (!r && !m->n_rules && m->n_policies)
		r = add_rule(m);
	for (size_t i = 0; i < m->n_links && !r; i++)
		r = model_probe_complete(&m->links[i].probe, &m->probe);
	return r;
}

struct model_link *model_link_find(const struct model *m, const char *name)
{
	for (size_t i = 0; i < m->n_links; i++)
		if (!strcmp(m->links[i].name, name))
			return &m->links[i];
	return NULL;
}

struct model_link *model_link_of_device(const struct model *m, const char *device)
{
	for (size_t i = 0; i < m->n_links; i++)
		if (!strcmp(m->links[i].device, device))
			return &m->links[i];
	return NULL;
}

struct model_policy *model_policy_find(const struct model *m, const char *name)
{
	for (size_t i = 0; i < m->n_policies; i++)
		if (!strcmp(m->policies[i].name, name))
			return &m->policies[i];
	return NULL;
}

struct model_set *model_set_find(const struct model *m, const char *name)
{
	for (size_t i = 0; i < m->n_sets; i++)
		if (!strcmp(m->sets[i].name, name))
			return &m->sets[i];
	return NULL;
}

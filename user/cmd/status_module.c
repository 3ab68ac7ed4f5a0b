// SPDX-License-Identifier: GPL-2.0-or-later
#include "cmd/status_module.h"

#include "apply/attach.h"
#include "apply/module.h"
#include "apply/router.h"
#include "base/str.h"
#include "cmd/json.h"
#include "kmod/uapi/nft_asym.h"

static const char *const state_names[] = {
	[MODULE_ABSENT] = "absent",
	[MODULE_OTHER] = "other-abi",
	[MODULE_USED] = "used",
};

static const char *const chooser_names[] = {
	[PLAN_ROUTER_NONE] = "main",
	[PLAN_ROUTER_MODULE] = "module",
	[PLAN_ROUTER_HASH] = "hash",
};

static const struct {
	uint32_t bit;
	const char *name;
} features[] = {
	{ASYM_FEATURE_NFT, "nft"},
	{ASYM_FEATURE_OFFLOAD, "offload"},
};

struct look {
	struct module module;
	enum plan_router_kind kind;
	size_t rules;
	bool programs; /* they choose for connections */
};

static struct look look(const struct session *s)
{
	struct look ret = {};

	module_find(false, &ret.module);
	if (router_find(&ret.kind, &ret.rules))
		ret.kind = PLAN_ROUTER_NONE;
	ret.programs = attach_host_attached(s->cookie);
	return ret;
}

static void print_features(uint32_t bits)
{
	const char *before = ", features ";

	for (size_t i = 0; i < ARRAY_SIZE(features); i++) {
		if (!(bits & features[i].bit))
			continue;
		printf("%s%s", before, features[i].name);
		before = ", ";
	}
}

static void print_module(const struct look *l)
{
	const struct kmod_info *info = &l->module.info;

	printf("kernel module ");
	if (l->module.state == MODULE_ABSENT) {
		printf("absent\n");
	} else if (l->module.state == MODULE_OTHER) {
		printf("not used: ABI %u, expected %u\n", info->abi, ASYM_KMOD_ABI);
	} else {
		printf("%s, ABI %u", info->version, info->abi);
		print_features(info->features);
		printf(", used by %zu rule%s of ours\n", l->rules, l->rules == 1 ? "" : "s");
	}
}

void status_module_print(const struct session *s)
{
	const struct look l = look(s);

	print_module(&l);
	printf("raw sockets of the router %s%s\n", plan_router_words[l.kind],
	       !s->model.host_traffic ? " (host-traffic = no)" : s->model.host_raw ? "" : " (host-raw = no)");
	printf("connections of the router %s%s\n",
	       l.programs ? "go where programs on the cgroup tree say" : plan_router_words[l.kind],
	       s->model.host_traffic ? "" : " (host-traffic = no)");
}

static struct json_object *json_features(uint32_t bits)
{
	struct json_object *a = json_object_new_array();

	for (size_t i = 0; i < ARRAY_SIZE(features); i++)
		if (bits & features[i].bit)
			json_object_array_add(a, json_object_new_string(features[i].name));
	return a;
}

static struct json_object *json_module(const struct look *l)
{
	const struct kmod_info *info = &l->module.info;
	struct json_object *o = json_object_new_object();
	bool there = l->module.state != MODULE_ABSENT;

	json_add_str(o, "state", state_names[l->module.state]);
	json_add_str(o, "version", there ? info->version : NULL);
	json_object_object_add(o, "abi", there ? json_object_new_int64(info->abi) : NULL);
	json_add_u64(o, "expected_abi", ASYM_KMOD_ABI);
	json_object_object_add(o, "features", json_features(info->features));
	json_add_u64(o, "rules", l->rules);
	json_add_u64(o, "offloaded", info->offloaded);
	json_add_u64(o, "sticky_used", info->sticky_used);
	return o;
}

void status_module_add(const struct session *s, struct json_object *o)
{
	const struct look l = look(s);
	struct json_object *router = json_object_new_object();

	json_add_str(router, "raw_sockets", chooser_names[l.kind]);
	json_add_str(router, "connections", l.programs ? "programs" : chooser_names[l.kind]);
	json_object_object_add(o, "module", json_module(&l));
	json_object_object_add(o, "router", router);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* status: links as they are now, and the shares that the running programs give them. */
#include "apply/maps.h"
#include "apply/ruleset.h"
#include "base/log.h"
#include "cmd/json.h"
#include "cmd/verb.h"
#include "cmd/status_cache.h"
#include "cmd/status_daemon.h"
#include "cmd/status_module.h"
#include "cmd/table.h"
#include "core/buckets.h"
#include <errno.h>
#include <string.h>

struct view {
	const struct session *s;
	uint32_t bank;
	struct ruleset_count *counts; /* one for each link of the plan */
	struct asym_hits hits[ASYM_MAX_RULES];
	struct json_object *daemon; /* NULL: none runs */
};

/* Share of a link in a policy of the running configuration, 0..1. */
static double share(const struct view *v, size_t policy, enum asym_family f, uint8_t id)
{
	struct asym_buckets b;

	if (!v->s->running || maps_buckets(&v->s->object, v->bank, policy, f, &b))
		return 0;
	return (double)buckets_count(&b, id) / ASYM_BUCKETS;
}

static const char *addr_text(const struct in6_addr *a, char *buf)
{
	return addr_is_zero(a) ? "-" : addr_str(a, buf);
}

/* The share in the first policy: what most users have. */
static void add_link(struct table *t, const struct view *v, size_t i)
{
	const struct plan_link *l = &v->s->plan.links[i];
	const struct host_device *d = host_device_find(&v->s->host, l->conf->device);
	char a[ADDR_STRLEN], g[ADDR_STRLEN];

	table_add(t, "%s", l->conf->name);
	table_add(t, "%s", l->conf->device);
	table_add(t, "%s", plan_down_names[l->down[ASYM_V4]]);
	table_add(t, "%s", plan_down_names[l->down[ASYM_V6]]);
	table_add(t, "%s", addr_text(&l->addr[ASYM_V4], a));
	table_add(t, "%s", addr_text(&l->gateway[ASYM_V4], g));
	table_add(t, "%u", l->conf->weight);
	table_add(t, "%.1f%%", 100 * share(v, 0, ASYM_V4, l->id));
	table_add(t, "%.1f%%", 100 * share(v, 0, ASYM_V6, l->id));
	table_add(t, "%llu", (unsigned long long)v->counts[i].out);
	table_add(t, "%llu", (unsigned long long)v->counts[i].in);
	table_add(t, "%llu", (unsigned long long)(d ? d->rx_bytes : 0));
	table_add(t, "%llu", (unsigned long long)(d ? d->tx_bytes : 0));
}

static void print_links(const struct view *v)
{
	static const char *const heads[] = {"LINK",   "DEVICE", "IPv4",	  "IPv6",   "ADDRESS",
					    "GATEWAY", "WEIGHT", "SHARE4", "SHARE6", "CONN OUT",
					    "CONN IN", "RX BYTES", "TX BYTES"};
	struct table t = {.columns = ARRAY_SIZE(heads)};

	for (size_t i = 0; i < ARRAY_SIZE(heads); i++)
		table_add(&t, "%s", heads[i]);
	for (size_t i = 0; i < v->s->plan.n_links; i++)
		add_link(&t, v, i);
	table_print(&t, 0x1fc0, stdout);
	table_done(&t);
}

static void print_policies(const struct view *v)
{
	const struct plan *p = &v->s->plan;

	for (size_t i = 0; i < p->model->n_policies; i++)
		for (int f = 0; f < ASYM_FAMILIES; f++) {
			bool any = false;

			printf("policy %s IPv%d:", p->model->policies[i].name, f == ASYM_V4 ? 4 : 6);
			for (size_t k = 0; k < p->n_links; k++) {
				double part = share(v, i, f, p->links[k].id);

				if (part > 0)
					printf(" %s %.1f%%", p->links[k].conf->name, 100 * part);
				any |= part > 0;
			}
			printf(any ? "\n" : " %s\n",
			       model_last_resort_names[p->model->policies[i].last_resort]);
		}
}

static void print_text(const struct view *v)
{
	const struct session *s = v->s;

	printf("asymbpf %s, configuration %s, LANs", s->running ? "runs" : "is loaded, no program runs",
	       s->state.config_path ?: "from the command line");
	for (size_t i = 0; i < s->plan.n_lans; i++)
		printf(" %s%s", s->plan.lans[i].device,
		       s->plan.lans[i].ifindex ? "" : " (no device)");
	printf("\n");
	status_daemon_print(v->daemon);
	printf("\n");
	print_links(v);
	printf("\n");
	status_daemon_print_links(v->daemon);
	print_policies(v);
	status_cache_print(s);
	status_module_print(s);
}

/* JSON */

static struct json_object *json_family(const struct plan_link *l, enum asym_family f)
{
	struct json_object *o = json_object_new_object();
	char buf[ADDR_STRLEN];

	json_add_str(o, "state", plan_down_names[l->down[f]]);
	json_add_str(o, "address",
		     addr_is_zero(&l->addr[f]) ? NULL : addr_str(&l->addr[f], buf));
	json_add_str(o, "gateway",
		     addr_is_zero(&l->gateway[f]) ? NULL : addr_str(&l->gateway[f], buf));
	return o;
}

static struct json_object *json_link(const struct view *v, size_t i)
{
	const struct plan_link *l = &v->s->plan.links[i];
	const struct host_device *d = host_device_find(&v->s->host, l->conf->device);
	struct json_object *o = json_object_new_object();
	char mark[16];

	snprintf(mark, sizeof(mark), "0x%x", l->mark);
	json_add_str(o, "name", l->conf->name);
	json_add_u64(o, "id", l->id);
	json_add_str(o, "device", l->conf->device);
	json_add_u64(o, "weight", l->conf->weight);
	json_add_str(o, "mark", mark);
	json_add_u64(o, "table", l->table);
	json_object_object_add(o, "ipv4", json_family(l, ASYM_V4));
	json_object_object_add(o, "ipv6", json_family(l, ASYM_V6));
	status_daemon_add(v->daemon, l->conf->name, o);
	json_add_u64(o, "connections_out", v->counts[i].out);
	json_add_u64(o, "connections_in", v->counts[i].in);
	json_add_u64(o, "rx_bytes", d ? d->rx_bytes : 0);
	json_add_u64(o, "tx_bytes", d ? d->tx_bytes : 0);
	return o;
}

static struct json_object *json_shares(const struct view *v, size_t policy, enum asym_family f)
{
	struct json_object *o = json_object_new_object();

	for (size_t i = 0; i < v->s->plan.n_links; i++) {
		double part = share(v, policy, f, v->s->plan.links[i].id);

		if (part > 0)
			json_object_object_add(o, v->s->plan.links[i].conf->name,
					       json_object_new_double(part));
	}
	return o;
}

static struct json_object *json_policy(const struct view *v, size_t i)
{
	const struct model_policy *conf = &v->s->plan.model->policies[i];
	struct json_object *o = json_object_new_object();

	json_add_str(o, "name", conf->name);
	json_add_str(o, "key", model_key_names[conf->key]);
	json_add_str(o, "last_resort", model_last_resort_names[conf->last_resort]);
	json_object_object_add(o, "ipv4", json_shares(v, i, ASYM_V4));
	json_object_object_add(o, "ipv6", json_shares(v, i, ASYM_V6));
	return o;
}

static struct json_object *json_rule(const struct view *v, size_t i)
{
	const struct model_rule *conf = &v->s->plan.model->rules[i];
	struct json_object *o = json_object_new_object();

	json_add_str(o, "name", conf->name);
	json_add_str(o, "policy", conf->policy);
	json_add_u64(o, "packets", v->hits[i].packets);
	json_add_u64(o, "bytes", v->hits[i].bytes);
	return o;
}

static void print_json(const struct view *v)
{
	const struct plan *p = &v->s->plan;
	struct json_object *o = json_object_new_object();
	struct json_object *links = json_object_new_array(), *lans = json_object_new_array();
	struct json_object *policies = json_object_new_array(), *rules = json_object_new_array();

	json_object_object_add(o, "running", json_object_new_boolean(v->s->running));
	json_object_object_add(o, "daemon", status_daemon_json(v->daemon));
	json_add_str(o, "config", v->s->state.config_path);
	for (size_t i = 0; i < p->n_links; i++)
		json_object_array_add(links, json_link(v, i));
	for (size_t i = 0; i < p->n_lans; i++)
		json_object_array_add(lans, json_object_new_string(p->lans[i].device));
	for (size_t i = 0; i < p->model->n_policies; i++)
		json_object_array_add(policies, json_policy(v, i));
	for (size_t i = 0; i < p->model->n_rules; i++)
		json_object_array_add(rules, json_rule(v, i));
	json_object_object_add(o, "links", links);
	json_object_object_add(o, "lans", lans);
	json_object_object_add(o, "policies", policies);
	json_object_object_add(o, "rules", rules);
	json_object_object_add(o, "flow_cache", status_cache_json(v->s));
	status_module_add(v->s, o);
	json_print(o);
}

/* On a terminal, above what was there; elsewhere, after it. */
static void begin_again(const struct options *o)
{
	static bool again;

	if (o->watch_s && isatty(STDOUT_FILENO))
		printf("\033[H\033[2J");
	else if (again && !o->json)
		printf("\n");
	again = true;
	fflush(stdout);
}

static int show(struct session *s, const struct options *o)
{
	struct view v = {.s = s};
	struct asym_control control = {};

	v.counts = calloc(s->plan.n_links + 1, sizeof(*v.counts));
	if (!v.counts)
		return log_err(-ENOMEM, "status");
	v.daemon = status_daemon_ask(s->cookie);
	begin_again(o);
	if (s->running && !maps_control(&s->object, &control)) {
		v.bank = control.bank;
		maps_hits(&s->object, v.bank, v.hits);
	}
	if (ruleset_counters(&s->plan, v.counts))
		log_warn("table inet asymbpf is gone: no NAT, no connection counters; asymbpf reload "
			 "puts it back");
	if (!s->running)
		log_warn("no program of asymbpf runs: connections follow the main table; asymbpf "
			 "reload puts them back");
	status_cache_warn(s, v.bank);
	if (o->json)
		print_json(&v);
	else
		print_text(&v);
	free(v.counts);
	json_object_put(v.daemon);
	return fflush(stdout) ? log_err(-errno, "cannot print") : 0;
}

static bool wait_to_show(const struct options *o)
{
	if (o->watch_s)
		sleep(o->watch_s);
	return o->watch_s;
}

int cmd_status(const struct command *self, int argc, char **argv)
{
	static const struct verb verb = {.planned = true, .body = show, .again = wait_to_show};

	return verb_run(self, argc, argv, &verb);
}

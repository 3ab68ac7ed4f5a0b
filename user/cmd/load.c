// SPDX-License-Identifier: GPL-2.0-or-later
/* load and reload: the same change, from nothing or from what runs. */
#include "base/log.h"
#include "cmd/json.h"
#include "cmd/progress.h"
#include "cmd/verb.h"
#include "run/load.h"
#include <errno.h>

static struct json_object *json_links(const struct plan *p)
{
	struct json_object *links = json_object_new_array();

	for (size_t i = 0; i < p->n_links; i++) {
		struct json_object *o = json_object_new_object();

		json_add_str(o, "name", p->links[i].conf->name);
		json_add_u64(o, "id", p->links[i].id);
		json_add_str(o, "ipv4", plan_down_names[p->links[i].down[ASYM_V4]]);
		json_add_str(o, "ipv6", plan_down_names[p->links[i].down[ASYM_V6]]);
		json_object_array_add(links, o);
	}
	return links;
}

static void print_result(const struct plan *p, const char *verb, bool json)
{
	if (json) {
		struct json_object *o = json_object_new_object();

		json_add_str(o, "result", verb);
		json_object_object_add(o, "links", json_links(p));
		json_print(o);
		return;
	}
	printf("%s: %zu links, %zu LANs, %zu rules\n", verb, p->n_links, p->n_lans,
	       p->model->n_rules);
	for (size_t i = 0; i < p->n_links; i++)
		printf("  %-15s %-15s IPv4 %-10s IPv6 %s\n", p->links[i].conf->name,
		       p->links[i].conf->device, plan_down_names[p->links[i].down[ASYM_V4]],
		       plan_down_names[p->links[i].down[ASYM_V6]]);
}

static int change(struct session *s, struct load *l, const char *verb, bool json)
{
	int r = load_apply(s, l);

	if (!r)
		print_result(&l->plan, verb, json);
	load_done(l);
	return r;
}

static struct load told(const struct options *o)
{
	return (struct load){.config = o->config, .flags = o->flags, .n_flags = o->n_flags,
			     .progress = progress};
}

/* Left over from a load that was killed, or devices that all went: loading takes it over. */
static int load(struct session *s, const struct options *o)
{
	struct load l = told(o);

	if (s->running)
		return log_err(0, "already loaded in this network namespace, use asymbpf reload"),
		       -EEXIST;
	return change(s, &l, "loaded", o->json);
}

/* Without options of its own, a reload reads again what the last load was told. */
static int reload(struct session *s, const struct options *o)
{
	struct load l = told(o);

	if (!s->loaded)
		return log_err(0, "not loaded in this network namespace, use asymbpf load"),
		       -ENOENT;
	if (!l.config && !l.n_flags && load_again(s, &l))
		return -ENOENT;
	return change(s, &l, "reloaded", o->json);
}

static int load_usage(const struct command *self, const struct options *o)
{
	if (o->n_args)
		return options_wrong(self, "what is \"%s\"? links are named by --iface",
				     o->args[0]);
	if (!o->config && !o->n_flags)
		return options_wrong(self, "name the links with --iface DEV, or a file with "
					   "--config");
	return STATUS_OK;
}

int cmd_load(const struct command *self, int argc, char **argv)
{
	static const struct verb verb = {.lock = true, .usage = load_usage, .body = load};

	return verb_run(self, argc, argv, &verb);
}

int cmd_reload(const struct command *self, int argc, char **argv)
{
	static const struct verb verb = {.lock = true, .body = reload};

	return verb_run(self, argc, argv, &verb);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* load and reload: the same change, from nothing or from what runs. */
#include "apply/change.h"
#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "cmd/json.h"
#include "cmd/progress.h"
#include "cmd/session.h"
#include "core/check.h"
#include "core/config.h"
#include <errno.h>
#include <limits.h>
#include <string.h>

/* The wanted configuration and how it was said. */
struct wanted {
	const char *config; /* path or NULL */
	char **flags;
	size_t n_flags;
	bool from_state; /* the flags are those of the load: devices may have gone since */
	struct model model;
	struct plan plan;
	struct state state;
};

static void wanted_done(struct wanted *w)
{
	plan_done(&w->plan);
	model_done(&w->model);
	state_done(&w->state);
}

static int copy_flags(struct wanted *w)
{
	for (size_t i = 0; i < w->n_flags; i++) {
		char **flag = ARRAY_ADD(w->state.flags, w->state.n_flags);

		if (!flag)
			return -ENOMEM;
		*flag = strdup(w->flags[i]);
	}
	return 0;
}

/* Sets without their prefixes: these are in the maps, may be millions, and no verb asks for
 * them. */
static int print_config(const struct model *m, struct str *out)
{
	_cleanup_free_ struct model_set *sets = calloc(m->n_sets + 1, sizeof(*sets));
	struct model lean = *m;

	if (!sets)
		return -ENOMEM;
	for (size_t i = 0; i < m->n_sets; i++)
		memcpy(sets[i].name, m->sets[i].name, sizeof(sets[i].name));
	lean.sets = sets;
	return config_print(&lean, out);
}

/* The state keeps the configuration as text, and where it came from for a later reload. */
static int fill_state(struct wanted *w)
{
	struct str text = {};
	int r = print_config(&w->model, &text);

	w->state.config = TAKE_PTR(text.s);
	if (!r && !w->state.config)
		r = -ENOMEM;
	if (w->config)
		w->state.config_path = realpath(w->config, NULL);
	return r ?: copy_flags(w);
}

/* A device that the user names now must exist; one that was named at load is waited for. */
static void forgive_devices(struct model *m)
{
	for (size_t i = 0; i < m->n_links; i++)
		m->links[i].from_flags = false;
	m->n_lans_from_flags = 0;
}

static int want(struct wanted *w, const struct session *s)
{
	struct findings f = {};
	int r = session_model(&w->model, w->config, w->flags, w->n_flags);

	if (r)
		return r;
	if (w->from_state)
		forgive_devices(&w->model);
	check_host(&w->model, &s->host, s->state.ids, s->state.n_ids, &f);
	r = session_report(&f);
	findings_done(&f);
	if (r)
		return r;
	r = plan_build(&w->plan, &w->model, &s->host, s->state.ids, s->state.n_ids);
	r = r ?: fill_state(w);
	return r ? log_err(r, "cannot plan the configuration") : 0;
}

static bool forwards(const char *sysctl)
{
	_cleanup_free_ char *text = NULL;
	size_t len;

	return file_read(sysctl, 64, &text, &len) || *text != '0';
}

/* What works, but perhaps not as the user thinks. */
static void advise(const struct change *c)
{
	if (c->sticky_lost)
		log_warn("sticky entries are lost: the size of their table changed");
	if (c->host_missing)
		log_warn("the router's own connections follow the main table: no cgroup v2 here, "
			 "or it takes no more programs");
	if (c->fastpath_missing)
		log_warn("no flow cache, every packet goes through the stack: " CACHE_REFUSED);
	if (c->plan->n_lans && !forwards("/proc/sys/net/ipv4/ip_forward"))
		log_warn("net.ipv4.ip_forward is 0: nothing of the LAN is forwarded "
			 "(forwarding = yes switches it on)");
}

static int apply(struct session *s, struct wanted *w)
{
	struct change c = {
		.cookie = s->cookie,
		.host = &s->host,
		.plan = &w->plan,
		.old_plan = s->has_state ? &s->plan : NULL,
		.running = s->running ? &s->object : NULL,
		.old_state = s->has_state ? &s->state : NULL,
		.state = &w->state,
		.progress = progress,
	};
	int r = change_apply(&c);

	if (r)
		log_error("nothing changed: step %s", c.error);
	else
		advise(&c);
	s->loaded |= !r;
	change_done(&c);
	return r;
}

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

/* Connections carry marks under the old mask, which the new ruleset could not read. */
static int same_mask(const struct session *s, const struct wanted *w)
{
	if (!s->state.mark_mask || s->state.mark_mask == w->model.mark_mask)
		return 0;
	return log_err(0, "mark-mask: 0x%x is in use and cannot change to 0x%x, unload first",
		       s->state.mark_mask, w->model.mark_mask),
	       -EBUSY;
}

static int change(struct session *s, struct wanted *w, const char *verb, bool json)
{
	int r = s->has_state ? session_plan(s) : 0;

	r = r ?: want(w, s);
	r = r ?: same_mask(s, w);
	r = r ?: apply(s, w);
	if (!r)
		print_result(&w->plan, verb, json);
	wanted_done(w);
	return r;
}

/* Left over from a load that was killed, or devices that all went: loading takes it over. */
static int load(struct session *s, const struct options *o)
{
	struct wanted w = {.config = o->config, .flags = o->flags, .n_flags = o->n_flags};

	if (s->running)
		return log_err(0, "already loaded in this network namespace, use asymbpf reload"),
		       -EEXIST;
	return change(s, &w, "loaded", o->json);
}

/* Without options of its own, a reload reads again what the last load was told. */
static int reload(struct session *s, const struct options *o)
{
	struct wanted w = {.config = o->config, .flags = o->flags, .n_flags = o->n_flags};

	if (!s->loaded)
		return log_err(0, "not loaded in this network namespace, use asymbpf load"),
		       -ENOENT;
	if (!w.config && !w.n_flags) {
		if (!s->has_state)
			return log_err(0, "what was loaded is not known any more, name links or a "
					  "file"),
			       -ENOENT;
		w.from_state = true;
		w.config = s->state.config_path;
		w.flags = s->state.flags;
		w.n_flags = s->state.n_flags;
	}
	return change(s, &w, "reloaded", o->json);
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

	return session_run(self, argc, argv, &verb);
}

int cmd_reload(const struct command *self, int argc, char **argv)
{
	static const struct verb verb = {.lock = true, .body = reload};

	return session_run(self, argc, argv, &verb);
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "run/load.h"

#include "apply/change.h"
#include "apply/module.h"
#include "apply/router.h"
#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "core/check.h"
#include "core/config.h"
#include <errno.h>
#include <limits.h>
#include <string.h>

void load_done(struct load *l)
{
	plan_done(&l->plan);
	model_done(&l->model);
	state_done(&l->state);
}

static int copy_flags(struct load *l)
{
	for (size_t i = 0; i < l->n_flags; i++) {
		char **flag = ARRAY_ADD(l->state.flags, l->state.n_flags);

		if (!flag)
			return -ENOMEM;
		*flag = strdup(l->flags[i]);
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
static int fill_state(struct load *l)
{
	struct str text = {};
	int r = print_config(&l->model, &text);

	l->state.config = TAKE_PTR(text.s);
	if (!r && !l->state.config)
		r = -ENOMEM;
	if (l->config)
		l->state.config_path = realpath(l->config, NULL);
	return r ?: copy_flags(l);
}

/* A device that the user names now must exist; one that was named at load is waited for. */
static void forgive_devices(struct model *m)
{
	for (size_t i = 0; i < m->n_links; i++)
		m->links[i].from_flags = false;
	m->n_lans_from_flags = 0;
}

static int want(struct load *l, const struct session *s)
{
	struct findings f = {};
	int r = session_model(&l->model, l->config, l->flags, l->n_flags);

	if (r)
		return r;
	if (l->from_state)
		forgive_devices(&l->model);
	check_host(&l->model, &s->host, s->state.ids, s->state.n_ids, &f);
	r = session_report(&f);
	findings_done(&f);
	if (r)
		return r;
	r = plan_build(&l->plan, &l->model, &s->host, s->state.ids, s->state.n_ids);
	r = r ?: fill_state(l);
	return r ? log_err(r, "cannot plan the configuration") : 0;
}

static bool forwards(const char *sysctl)
{
	_cleanup_free_ char *text = NULL;
	size_t len;

	return file_read(sysctl, 64, &text, &len) || *text != '0';
}

/* Told as it is now, not as it was meant to be. */
static void advise_router(const struct change *c)
{
	enum plan_router_kind kind;
	size_t rules;

	if (router_find(&kind, &rules))
		kind = PLAN_ROUTER_NONE;
	if (c->host_missing)
		log_warn("connections of the router %s: no cgroup v2 here, or it takes no more "
			 "programs", plan_router_words[kind]);
	if (c->router_error[0])
		log_warn("%s", c->router_error);
}

/* What works, but perhaps not as the user thinks. */
static void advise(const struct change *c)
{
	advise_router(c);
	if (c->sticky_lost)
		log_warn("sticky entries are lost: the size of their table changed");
	if (c->fastpath_missing)
		log_warn("no flow cache, every packet goes through the stack: " LOAD_CACHE_REFUSED);
	if (c->plan->n_lans && !forwards("/proc/sys/net/ipv4/ip_forward"))
		log_warn("net.ipv4.ip_forward is 0: nothing of the LAN is forwarded "
			 "(forwarding = yes switches it on)");
}

static int apply(struct session *s, struct load *l)
{
	struct change c = {
		.cookie = s->cookie,
		.host = &s->host,
		.plan = &l->plan,
		.old_plan = s->has_state ? &s->plan : NULL,
		.running = s->running ? &s->object : NULL,
		.old_state = s->has_state ? &s->state : NULL,
		.state = &l->state,
		.progress = l->progress,
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

/* Connections carry marks under the old mask, which the new ruleset could not read. */
static int same_mask(const struct session *s, const struct load *l)
{
	if (!s->state.mark_mask || s->state.mark_mask == l->model.mark_mask)
		return 0;
	return log_err(0, "mark-mask: 0x%x is in use and cannot change to 0x%x, unload first",
		       s->state.mark_mask, l->model.mark_mask),
	       -EBUSY;
}

void load_module(struct session *s)
{
	char complaint[160];
	struct module m;

	module_find(true, &m);
	s->host.module = module_has_nft(&m);
	module_complaint(&m, complaint, sizeof(complaint));
	if (*complaint)
		log_warn("%s", complaint);
}

int load_apply(struct session *s, struct load *l)
{
	int r;

	load_module(s);
	r = s->has_state ? session_plan(s) : 0;
	r = r ?: want(l, s);
	r = r ?: same_mask(s, l);
	return r ?: apply(s, l);
}

int load_again(const struct session *s, struct load *ret)
{
	if (!s->has_state)
		return log_err(0, "what was loaded is not known any more, name links or a file"),
		       -ENOENT;
	ret->from_state = true;
	ret->config = s->state.config_path;
	ret->flags = s->state.flags;
	ret->n_flags = s->state.n_flags;
	return 0;
}

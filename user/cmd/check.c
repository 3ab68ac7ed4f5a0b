// SPDX-License-Identifier: GPL-2.0-or-later
/* check: everything that load would do up to the first change, and nothing after it. */
#include "apply/change.h"
#include "apply/router.h"
#include "apply/ruleset.h"
#include "base/log.h"
#include "base/str.h"
#include "cmd/json.h"
#include "cmd/verb.h"
#include "run/load.h"
#include "core/check.h"
#include <errno.h>
#include <string.h>

static int check_machine(const struct model *m, const struct session *s)
{
	struct findings f = {};
	int r;

	check_host(m, &s->host, s->state.ids, s->state.n_ids, &f);
	r = session_report(&f);
	findings_done(&f);
	return r;
}

static void advise(const struct plan *p, const struct object *o)
{
	if (p->model->host_traffic && !o->host)
		log_warn("the kernel refuses the cgroup programs: the router's own connections "
			 "would %s", plan_router_kind(p) == PLAN_ROUTER_NONE ?
			 "follow the main table" : "be chosen for as raw sockets are");
	if (p->model->fastpath && !o->fastpath)
		log_warn("no flow cache, every packet would go through the stack: " LOAD_CACHE_REFUSED);
}

static int try_programs(const struct plan *p, struct plan_taken *ret)
{
	const struct object_options options = change_options(p->model);
	char error[320] = "";
	struct object object;
	int r = object_load(&object, NULL, &options, error, sizeof(error));

	if (r)
		return log_err(r, "the kernel refuses the programs: %s", error);
	advise(p, &object);
	*ret = (struct plan_taken){
		.liberal = object_wants_liberal(&object),
		.programs = p->model->host_traffic && object.host,
	};
	object_done(&object);
	return 0;
}

/* The kernel judges ruleset and programs; both go away again with us. */
static int try_kernel(const struct plan *p, struct plan_taken *ret)
{
	enum plan_router_kind kind;
	char error[320] = "";
	int r = ruleset_apply(p, true, error, sizeof(error));

	if (r) {
		log_error("the kernel refuses the ruleset: %s", error);
		return r;
	}
	r = try_programs(p, ret);
	/* the module's rules name policies, which are not there before the load */
	if (r || plan_router_kind(p) == PLAN_ROUTER_MODULE)
		return r;
	if (router_apply(p, ret->programs, true, &kind, error, sizeof(error)))
		log_warn("raw sockets of the router would follow the main table: %s", error);
	return r;
}

static int print_plan(const struct plan *p, const struct plan_taken *taken)
{
	struct str text = {};

	plan_text(p, taken, &text);
	if (text.err)
		return log_err(text.err, "plan");
	fputs(text.s ?: "", stdout);
	str_done(&text);
	return 0;
}

static int check_here(const struct model *m, const struct options *o)
{
	struct plan_taken taken = {};
	struct session s = {.lock = -1};
	struct plan plan = {};
	int r = session_open(&s, false);

	if (!r)
		load_module(&s);
	r = r ?: check_machine(m, &s);
	if (!r) {
		r = plan_build(&plan, m, &s.host, s.state.ids, s.state.n_ids);
		if (r)
			log_err(r, "cannot plan the configuration");
	}
	r = r ?: try_kernel(&plan, &taken);
	if (!r && o->plan)
		r = print_plan(&plan, &taken);
	plan_done(&plan);
	session_close(&s);
	return r;
}

static int check(const struct options *o)
{
	struct model m;
	int r = session_model(&m, o->config, o->flags, o->n_flags);

	r = r ?: verb_privileged("trying the configuration against the kernel");
	r = r ?: check_here(&m, o);
	model_done(&m);
	return r;
}

static void print_result(const struct options *o, int r)
{
	struct json_object *json;

	if (!o->json) {
		if (!r && !o->plan)
			printf("%s: correct\n", o->config ?: "configuration");
		return;
	}
	json = json_object_new_object();
	json_add_str(json, "config", o->config);
	json_object_object_add(json, "correct", json_object_new_boolean(!r));
	json_print(json);
}

int cmd_check(const struct command *self, int argc, char **argv)
{
	struct options o;
	int status, r;

	if (options_parse(&o, self, argc, argv, &status))
		goto out;
	if (o.plan && o.json) {
		status = options_wrong(self, "--plan is text, --json cannot hold it");
		goto out;
	}
	if (o.n_args + !!o.config > 1 || (!o.n_args && !o.config && !o.n_flags)) {
		status = options_wrong(self, "name one configuration file, or links by --iface");
		goto out;
	}
	if (o.n_args)
		o.config = o.args[0];
	r = check(&o);
	print_result(&o, r);
	status = r == -EDOM ? STATUS_USAGE : r ? STATUS_FAILURE : STATUS_OK;
out:
	options_done(&o);
	return status;
}

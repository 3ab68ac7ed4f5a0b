// SPDX-License-Identifier: GPL-2.0-or-later
/* explain: which link a packet takes, and every step that leads there. */
#include "cmd/explain.h"

#include "base/log.h"
#include "base/num.h"
#include "cmd/verb.h"
#include "core/name.h"
#include "nl/lookup.h"
#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>

/* The sentence for people. */
static void explain_why(struct answer *a)
{
	const char *link = explain_link_name(a->s, a->v.link);

	if (a->direct)
		str_add(&a->why, "main has a route of its own to this destination, policies do not "
				 "apply");
	else if (a->v.rule < 0)
		str_add(&a->why, "no rule matches, main's default route is used");
	else if (a->v.last_resort)
		str_add(&a->why, "no link of the policy is live, its last resort is %s", link);
	else if (a->v.sticky)
		str_add(&a->why, "the source holds on to %s, last seen %u s ago", link,
			a->v.sticky_age_s);
	else
		str_add(&a->why, "bucket %u of policy %s is %s's", a->v.bucket,
			a->s->plan.model->policies[a->v.policy].name, link);
	if (!a->q.ifindex && a->v.rule >= 0 && !a->v.sticky && a->v.key == ASYM_KEY_FLOW)
		str_add(&a->why, "; sockets of the router hash by their own cookie, so each may "
				 "differ");
}

static int ask_route(struct answer *a)
{
	struct lookup l = {.src = a->q.src, .dst = a->q.dst, .iif = a->q.ifindex};
	_cleanup_nl_ struct nl nl;
	struct route plain = {};
	int r = nl_open(&nl, NETLINK_ROUTE);

	if (r)
		return log_err(r, "rtnetlink");
	if (!a->q.ifindex)
		l.src = (struct in6_addr){};
	l.mark = a->mark;
	a->route_err = lookup_route(&nl, &l, &a->route);
	/* a mark that nobody has: what is there without policies */
	l.mark = 0;
	if (!lookup_route(&nl, &l, &plain) && !a->route_err)
		a->direct = a->route.table == TABLE_LOCAL ||
			    (a->route.table == TABLE_MAIN && a->v.link &&
			     plan_link_by_id(&a->s->plan, a->v.link));
	return 0;
}

static int ask(struct answer *a)
{
	struct asym_flow flow = {
		.ifindex = a->q.ifindex,
		.sport = a->q.options->sport,
		.dport = a->q.dport,
		.family = addr_is_v4(&a->q.dst) ? ASYM_V4 : ASYM_V6,
		.proto = a->q.proto,
		.dscp = a->q.options->dscp,
	};
	int r;

	memcpy(&flow.src, &a->q.src, sizeof(flow.src));
	memcpy(&flow.dst, &a->q.dst, sizeof(flow.dst));
	r = choose_verdict(&a->s->object, &flow, &a->v);
	if (r)
		return log_err(r, "cannot read the maps");
	a->mark = a->v.link ? plan_mark(&a->s->plan, a->v.link) : 0;
	return ask_route(a);
}

/* The device that a LAN's host is behind; none for an address of the router's own. */
static int find_device(struct question *q, const struct session *s)
{
	struct lookup l = {.dst = q->src};
	_cleanup_nl_ struct nl nl;
	struct route route = {};
	int r;

	if (q->options->device) {
		const struct host_device *d = host_device_find(&s->host, q->options->device);

		if (!d)
			return log_err(0, "no device \"%s\"", q->options->device), -ENODEV;
		q->ifindex = d->ifindex;
		return 0;
	}
	r = nl_open(&nl, NETLINK_ROUTE);
	r = r ?: lookup_route(&nl, &l, &route);
	if (r)
		return log_err(r, "cannot tell where the source is, name its device with --in");
	q->ifindex = route.table == TABLE_LOCAL ? 0 : route.ifindex;
	return 0;
}

static int parse(struct question *q, const struct command *self, const struct options *o)
{
	q->options = o;
	if (o->n_args < 3 || o->n_args > 4)
		return options_wrong(self, "wants SRC, DST, PROTO and perhaps a PORT");
	if (addr_parse(o->args[0], &q->src))
		return options_wrong(self, "\"%s\" is not an address", o->args[0]);
	if (addr_parse(o->args[1], &q->dst))
		return options_wrong(self, "\"%s\" is not an address", o->args[1]);
	if (addr_is_v4(&q->src) != addr_is_v4(&q->dst))
		return options_wrong(self, "source and destination are of different families");
	if (name_parse_protocol(o->args[2], &q->proto))
		return options_wrong(self, "\"%s\" is not a protocol", o->args[2]);
	if (o->n_args == 4 && num_parse_u32(o->args[3], 0, 65535, &q->dport))
		return options_wrong(self, "\"%s\" is not a port", o->args[3]);
	return STATUS_OK;
}

static int usage(const struct command *self, const struct options *o)
{
	struct question q;

	return parse(&q, self, o);
}

static int explain(struct session *s, const struct options *o)
{
	struct answer a = {.s = s};
	int r;

	parse(&a.q, NULL, o);
	r = find_device(&a.q, s);
	r = r ?: ask(&a);
	if (r)
		return r;
	explain_why(&a);
	if (o->json)
		explain_print_json(&a);
	else
		explain_print_text(&a);
	str_done(&a.why);
	return 0;
}

int cmd_explain(const struct command *self, int argc, char **argv)
{
	static const struct verb verb = {
		.planned = true, .running = true, .usage = usage, .body = explain,
	};

	return verb_run(self, argc, argv, &verb);
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stddef.h>
#include <string.h>

#include "apply/routing.h"
#include "core/host_text.h"
#include "nl/batch.h"
#include "nl/route.h"
#include "nl/rule.h"

static void text_route(struct str *out, const struct route *route)
{
	char name[IFNAMSIZ];

	route_text(out, route, if_indextoname(route->ifindex, name) ?: "?");
}

static void add_route(struct nl_msg *m, const struct diff *d, size_t i)
{
	route_fill_add(m, &d->add_routes[i]);
}

static void take_back_route(struct nl_msg *m, const struct diff *d, size_t i)
{
	route_fill_delete(m, &d->add_routes[i]);
}

static void name_added_route(struct str *out, const struct diff *d, size_t i)
{
	text_route(out, &d->add_routes[i]);
}

static void replace_route(struct nl_msg *m, const struct diff *d, size_t i)
{
	route_fill_replace(m, &d->replace_routes[i].new);
}

static void restore_route(struct nl_msg *m, const struct diff *d, size_t i)
{
	route_fill_replace(m, &d->replace_routes[i].old);
}

static void name_replaced_route(struct str *out, const struct diff *d, size_t i)
{
	text_route(out, &d->replace_routes[i].new);
}

static void add_rule(struct nl_msg *m, const struct diff *d, size_t i)
{
	rule_fill_add(m, &d->add_rules[i]);
}

static void take_back_rule(struct nl_msg *m, const struct diff *d, size_t i)
{
	rule_fill_delete(m, &d->add_rules[i]);
}

static void name_added_rule(struct str *out, const struct diff *d, size_t i)
{
	rule_text(out, &d->add_rules[i]);
}

static void delete_rule(struct nl_msg *m, const struct diff *d, size_t i)
{
	rule_fill_delete(m, &d->delete_rules[i]);
}

static void name_deleted_rule(struct str *out, const struct diff *d, size_t i)
{
	rule_text(out, &d->delete_rules[i]);
}

static void delete_route(struct nl_msg *m, const struct diff *d, size_t i)
{
	route_fill_delete(m, &d->delete_routes[i]);
}

static void name_deleted_route(struct str *out, const struct diff *d, size_t i)
{
	text_route(out, &d->delete_routes[i]);
}

/* One batch of requests of a kind: fill makes the one for the i-th object of count. */
struct step {
	size_t count; /* offset of the number in struct diff */
	void (*fill)(struct nl_msg *m, const struct diff *d, size_t i);
	void (*unfill)(struct nl_msg *m, const struct diff *d, size_t i); /* NULL: no way back */
	void (*name)(struct str *out, const struct diff *d, size_t i);
};

static const struct step prepare[] = {
	{ offsetof(struct diff, n_add_routes), add_route, take_back_route, name_added_route },
	{ offsetof(struct diff, n_replace_routes), replace_route, restore_route,
	  name_replaced_route },
	{ offsetof(struct diff, n_add_rules), add_rule, take_back_rule, name_added_rule },
};

static const struct step finish[] = {
	{ offsetof(struct diff, n_delete_rules), delete_rule, NULL, name_deleted_rule },
	{ offsetof(struct diff, n_delete_routes), delete_route, NULL, name_deleted_route },
};

static size_t step_count(const struct step *s, const struct diff *d)
{
	return *(const size_t *)((const char *)d + s->count);
}

/* The kernel itself deletes routes of a device that goes down. */
static bool is_gone(const struct nl_batch *b, size_t i)
{
	const struct nlmsghdr *h = (const struct nlmsghdr *)(b->buf + b->requests[i].at);

	if (h->nlmsg_type != RTM_DELRULE && h->nlmsg_type != RTM_DELROUTE)
		return false;
	return b->requests[i].err == -ENOENT || b->requests[i].err == -ESRCH ||
	       b->requests[i].err == -ENODEV;
}

/* Sends the batch.  0, or the first error that counts and its index: b->n for the socket's own. */
static int talk(struct routing *r, struct nl_batch *b, size_t *ret_at)
{
	size_t i;
	int err = nl_batch_talk(&r->nl, b, &i);

	if (!err)
		return 0;
	if (i == b->n) {
		*ret_at = i;
		return err;
	}
	for (; i < b->n; i++)
		if (b->requests[i].err && !is_gone(b, i)) {
			*ret_at = i;
			return b->requests[i].err;
		}
	return 0;
}

static void explain(struct routing *r, const struct step *s, size_t i, int err)
{
	_cleanup_(str_done) struct str text = { 0 };

	if (i < step_count(s, &r->diff))
		s->name(&text, &r->diff, i);
	else
		str_add(&text, "rtnetlink");
	str_add(&text, ": %s", strerror(-err));
	if (r->nl.error[0])
		str_add(&text, " (%s)", r->nl.error);
	snprintf(r->error, sizeof(r->error), "%s", text.s ? text.s : strerror(-err));
}

/* Takes back, last first, what `done` does not say has failed; NULL: all.  A request without an
 * answer counts as done: one that was not is gone, which is no error. */
static int step_undo(struct routing *r, const struct step *s, const struct nl_batch *done)
{
	_cleanup_batch_ struct nl_batch b = { 0 };
	size_t i, at, n = step_count(s, &r->diff);
	struct nl_msg m;
	int err;

	for (i = n; i-- > 0;) {
		if (done && done->requests[i].err && done->requests[i].err != -ECANCELED)
			continue;
		s->unfill(&m, &r->diff, i);
		nl_batch_add(&b, &m);
	}
	err = talk(r, &b, &at);
	/* After a failed preparation its reason stands. */
	if (err && !r->error[0])
		explain(r, s, n - 1 - at, err);
	return err;
}

static int step_do(struct routing *r, const struct step *s)
{
	_cleanup_batch_ struct nl_batch b = { 0 };
	size_t i, at, n = step_count(s, &r->diff);
	struct nl_msg m;
	int err;

	for (i = 0; i < n; i++) {
		s->fill(&m, &r->diff, i);
		nl_batch_add(&b, &m);
	}
	err = talk(r, &b, &at);
	if (!err)
		return 0;
	if (!r->error[0])
		explain(r, s, at, err);
	if (s->unfill && b.n == n && !r->repair)
		step_undo(r, s, &b);
	return err;
}

int routing_undo(struct routing *r)
{
	int first = 0, err;

	for (; r->steps > 0; r->steps--) {
		err = step_undo(r, &prepare[r->steps - 1], NULL);
		if (err && !first)
			first = err;
	}
	return first;
}

static int open_socket(struct routing *r)
{
	int err = r->nl.sock ? 0 : nl_open(&r->nl, NETLINK_ROUTE);

	if (err)
		snprintf(r->error, sizeof(r->error), "rtnetlink: %s", strerror(-err));
	return err;
}

int routing_prepare(struct routing *r, const struct plan *plan, const struct host *host)
{
	int err = open_socket(r), first = 0;

	if (!err)
		err = diff_build(&r->diff, plan, host);
	first = err;
	while (!err && r->steps < ARRAY_SIZE(prepare)) {
		err = step_do(r, &prepare[r->steps]);
		first = first ?: err;
		err = r->repair ? 0 : err;
		r->steps += !err;
	}
	if (err)
		routing_undo(r);
	return first;
}

int routing_finish(struct routing *r)
{
	size_t i;
	int first = 0, err;

	for (i = 0; i < ARRAY_SIZE(finish); i++) {
		err = step_do(r, &finish[i]);
		if (err && !first)
			first = err;
	}
	return first;
}

void routing_done(struct routing *r)
{
	nl_close(&r->nl);
	diff_done(&r->diff);
}

int routing_remove_all(struct routing *r)
{
	_cleanup_(host_done) struct host host = { 0 };
	int err = open_socket(r);

	if (!err)
		err = rule_dump(&r->nl, &host);
	if (!err)
		err = route_dump(&r->nl, &host);
	if (!err)
		err = diff_build(&r->diff, NULL, &host);
	return err ? err : routing_finish(r);
}

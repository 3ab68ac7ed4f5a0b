// SPDX-License-Identifier: GPL-2.0-or-later
#include "apply/attach.h"

#include "apply/cgroup.h"
#include "apply/tc.h"
#include "base/defs.h"
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

void attach_init(struct attachment *a, uint64_t cookie)
{
	memset(a, 0, sizeof(*a));
	a->cookie = cookie;
	a->cgroup = cgroup_open();
}

void attach_done(struct attachment *a)
{
	for (size_t i = 0; i < a->n; i++)
		cleanup_close(&a->changes[i].before);
	free(a->changes);
	cleanup_close(&a->cgroup);
	memset(a, 0, sizeof(*a));
	a->cgroup = -1;
}

static bool is_learn(enum object_program which)
{
	return which == PROGRAM_LEARN_ETH || which == PROGRAM_LEARN_IP;
}

static struct tc_hook hook_of(const struct attachment *a, const struct attach_change *c)
{
	return (struct tc_hook){c->ifindex, is_learn(c->which), a->use_clsact};
}

/* A descriptor of our program on the hook, or -ENOENT. */
static int find_program(const struct attachment *a, const struct tc_hook *hook)
{
	uint32_t ids[TC_MAX_PROGRAMS];
	int n = tc_query(hook, ids, TC_MAX_PROGRAMS);
	enum object_program which;

	for (int i = 0; i < n; i++)
		if (object_owns(ids[i], a->cookie, &which)) {
			int fd = bpf_prog_get_fd_by_id(ids[i]);

			return fd < 0 ? -errno : fd;
		}
	return -ENOENT;
}

static struct attach_change *note_change(struct attachment *a, uint32_t ifindex,
					 enum object_program which, int before)
{
	struct attach_change *c = ARRAY_ADD(a->changes, a->n);

	if (!c)
		return NULL;
	*c = (struct attach_change){.ifindex = ifindex, .which = which, .before = before};
	return c;
}

/* tcx where the kernel has it; found out at the first device. */
static int put_on_tc(struct attachment *a, const struct object *o, struct attach_change *c)
{
	int program = o->program[c->which];
	struct tc_hook hook = hook_of(a, c);
	int r = tc_attach(&hook, program, c->before, &c->clsact_made);

	if (r != -EOPNOTSUPP || a->use_clsact)
		return r;
	a->use_clsact = hook.clsact = true;
	return tc_attach(&hook, program, c->before, &c->clsact_made);
}

static int find_before(struct attachment *a, uint32_t ifindex, enum object_program which)
{
	struct tc_hook hook = {.ifindex = ifindex, .egress = is_learn(which)};
	int before = find_program(a, &hook);

	if (before >= 0)
		return before;
	hook.clsact = true;
	before = find_program(a, &hook);
	a->use_clsact |= before >= 0;
	return before;
}

static int attach_device(struct attachment *a, const struct object *o, uint32_t ifindex,
			 const char *device, enum object_program which)
{
	int r, before = find_before(a, ifindex, which);
	struct attach_change *c = note_change(a, ifindex, which, before);

	if (!c)
		return -ENOMEM;
	r = put_on_tc(a, o, c);
	if (r == -EBUSY && is_learn(which))
		return 0; /* nothing leaves there through the flow cache */
	if (r) {
		cleanup_close(&c->before);
		a->n--;
		snprintf(a->error, sizeof(a->error), "tc %s of %s",
			 is_learn(which) ? "egress" : "ingress", device);
	}
	return r;
}

/* The program that we put there is found by asking; `before` takes its place or nothing does. */
static void undo_tc(struct attachment *a, const struct attach_change *c)
{
	struct tc_hook hook = hook_of(a, c);
	_cleanup_close_ int now = find_program(a, &hook);
	bool made;

	if (now < 0)
		return;
	if (c->before >= 0)
		tc_attach(&hook, c->before, now, &made);
	else
		tc_detach(&hook, now);
	if (c->clsact_made)
		tc_remove_clsact(c->ifindex);
}

static void undo_cgroup(struct attachment *a, const struct attach_change *c)
{
	_cleanup_close_ int now = cgroup_find(a->cgroup, a->cookie, c->which);

	if (now < 0)
		return;
	if (c->before >= 0)
		cgroup_attach(a->cgroup, c->which, c->before, now);
	else
		cgroup_detach(a->cgroup, c->which, now);
}

static void undo_to(struct attachment *a, size_t n)
{
	while (a->n > n) {
		struct attach_change *c = &a->changes[--a->n];

		if (c->ifindex)
			undo_tc(a, c);
		else
			undo_cgroup(a, c);
		cleanup_close(&c->before);
	}
}

/* The kernel allows 64 programs on a hook, and others may have claimed the hook for themselves: all
 * of our programs are put there, or none. */
static int attach_host(struct attachment *a, const struct object *o)
{
	size_t n = a->n;

	cgroup_remove_orphans(a->cgroup);
	for (int i = PROGRAM_HOST_FIRST; i < PROGRAM_MAX; i++) {
		int before = cgroup_find(a->cgroup, a->cookie, i);
		struct attach_change *c = note_change(a, 0, i, before);
		int r = c ? cgroup_attach(a->cgroup, i, o->program[i], before) : -ENOMEM;

		if (!r)
			continue;
		if (c)
			a->n--;
		undo_to(a, n);
		return r;
	}
	return 0;
}

static void report(const struct attachment *a, size_t done, size_t total)
{
	if (a->progress)
		a->progress(done, total);
}

/* The programs of one side of all devices, by the kind of device. */
struct side {
	enum object_program lan_eth, lan_ip, link_eth, link_ip;
};

static const struct side ingress = {PROGRAM_LAN_ETH, PROGRAM_LAN_IP, PROGRAM_LINK_ETH,
				    PROGRAM_LINK_IP};
static const struct side egress = {PROGRAM_LEARN_ETH, PROGRAM_LEARN_IP, PROGRAM_LEARN_ETH,
				   PROGRAM_LEARN_IP};

/* What is redirected to a device has no route with it: none is learned to leave by one that needs it. */
static bool has_hook(uint32_t ifindex, bool nbma, const struct side *side)
{
	return ifindex && !(nbma && side == &egress);
}

/* done and total: hooks, for the progress. */
static int attach_side(struct attachment *a, const struct object *o, const struct plan *p,
		       const struct side *side, size_t done, size_t total)
{
	int r = 0;

	for (size_t i = 0; i < p->n_lans && !r; i++) {
		const struct plan_lan *l = &p->lans[i];

		report(a, done++, total);
		if (has_hook(l->ifindex, l->nbma, side))
			r = attach_device(a, o, l->ifindex, l->device,
					  l->ethernet ? side->lan_eth : side->lan_ip);
	}
	for (size_t i = 0; i < p->n_links && !r; i++) {
		const struct plan_link *l = &p->links[i];

		report(a, done++, total);
		if (has_hook(l->ifindex, l->nbma, side))
			r = attach_device(a, o, l->ifindex, l->conf->device,
					  l->ethernet ? side->link_eth : side->link_ip);
	}
	return r;
}

int attach_all(struct attachment *a, const struct object *o, const struct plan *p)
{
	size_t devices = p->n_lans + p->n_links, done = o->fastpath ? devices : 0;
	int r = 0;

	if (o->fastpath)
		r = attach_side(a, o, p, &egress, 0, done + devices);
	r = r ?: attach_side(a, o, p, &ingress, done, done + devices);
	if (!r && p->model->host_traffic && o->host && a->cgroup >= 0)
		a->host_refused = attach_host(a, o);
	return r;
}

void attach_undo(struct attachment *a)
{
	undo_to(a, 0);
}

static bool plan_has_hook(const struct plan *p, uint32_t ifindex, const struct side *side)
{
	for (size_t i = 0; p && i < p->n_lans; i++)
		if (p->lans[i].ifindex == ifindex)
			return has_hook(ifindex, p->lans[i].nbma, side);
	for (size_t i = 0; p && i < p->n_links; i++)
		if (p->links[i].ifindex == ifindex)
			return has_hook(ifindex, p->links[i].nbma, side);
	return false;
}

static unsigned int sweep_hook(struct attachment *a, const struct tc_hook *hook)
{
	_cleanup_close_ int fd = find_program(a, hook);

	return fd >= 0 && !tc_detach(hook, fd);
}

/* p: the devices that keep their programs. */
static unsigned int sweep_side(struct attachment *a, const struct host *h, const struct plan *p,
			       const struct side *side)
{
	bool egress_side = side == &egress;
	unsigned int n = 0;

	for (size_t i = 0; i < h->n_devices; i++) {
		struct tc_hook hook = {.ifindex = h->devices[i].ifindex, .egress = egress_side};

		report(a, i + egress_side * h->n_devices, 2 * h->n_devices);
		if (plan_has_hook(p, hook.ifindex, side))
			continue;
		n += sweep_hook(a, &hook);
		hook.clsact = true;
		n += sweep_hook(a, &hook);
	}
	return n;
}

static unsigned int sweep_host(struct attachment *a)
{
	unsigned int n = 0;

	for (int i = PROGRAM_HOST_FIRST; i < PROGRAM_MAX; i++) {
		_cleanup_close_ int fd = cgroup_find(a->cgroup, a->cookie, i);

		n += fd >= 0 && !cgroup_detach(a->cgroup, i, fd);
	}
	return n;
}

unsigned int attach_sweep(struct attachment *a, const struct host *h, const struct plan *p,
			  bool fastpath)
{
	unsigned int n = sweep_side(a, h, p, &ingress);

	n += sweep_side(a, h, fastpath ? p : NULL, &egress);
	if (!(p && p->model->host_traffic) && a->cgroup >= 0)
		n += sweep_host(a) + cgroup_remove_orphans(a->cgroup);
	return n;
}

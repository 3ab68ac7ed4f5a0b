// SPDX-License-Identifier: GPL-2.0-or-later
#include "apply/attach.h"

#include "apply/attach_host.h"
#include "apply/cgroup.h"
#include "apply/hooks.h"
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

static struct tc_hook hook_of(const struct attachment *a, const struct attach_change *c)
{
	return (struct tc_hook){c->ifindex, hooks_is_egress(c->which), a->use_clsact};
}

/* The same few programs are on all devices: to ask the kernel whose one is takes 40 calls. */
static bool is_ours(struct attachment *a, uint32_t id, enum object_program *ret_which)
{
	for (int i = 0; i < PROGRAM_MAX; i++)
		if (a->known[i] == id) {
			*ret_which = i;
			return true;
		}
	if (!object_owns(id, a->cookie, ret_which))
		return false;
	a->known[*ret_which] = id;
	return true;
}

/* The id of our program on the hook, 0: none. */
static uint32_t find_id(struct attachment *a, const struct tc_hook *hook,
			enum object_program *ret_which)
{
	uint32_t ids[TC_MAX_PROGRAMS];
	int n = tc_query(hook, ids, TC_MAX_PROGRAMS);

	for (int i = 0; i < n; i++)
		if (is_ours(a, ids[i], ret_which))
			return ids[i];
	return 0;
}

/* A descriptor of it, or -ENOENT. */
static int find_program(struct attachment *a, const struct tc_hook *hook)
{
	enum object_program which;
	uint32_t id = find_id(a, hook, &which);
	int fd = id ? bpf_prog_get_fd_by_id(id) : -1;

	return fd < 0 ? -ENOENT : fd;
}

struct attach_change *attach_note(struct attachment *a, uint32_t ifindex, enum object_program which,
				  int before)
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
	struct tc_hook hook = {.ifindex = ifindex, .egress = hooks_is_egress(which)};
	int before = find_program(a, &hook);

	if (before >= 0)
		return before;
	hook.clsact = true;
	before = find_program(a, &hook);
	a->use_clsact |= before >= 0;
	return before;
}

static int attach_device(struct attachment *a, const struct object *o, const struct hook *hook)
{
	int r, before = find_before(a, hook->ifindex, hook->which);
	struct attach_change *c = attach_note(a, hook->ifindex, hook->which, before);

	if (!c)
		return -ENOMEM;
	r = put_on_tc(a, o, c);
	if (r == -EBUSY && hooks_is_egress(hook->which))
		return 0; /* nothing leaves there through the flow cache; see attach_has_guard */
	if (r) {
		cleanup_close(&c->before);
		a->n--;
		snprintf(a->error, sizeof(a->error), "tc %s of %s",
			 hooks_is_egress(hook->which) ? "egress" : "ingress", hook->device);
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

void attach_undo_to(struct attachment *a, size_t n)
{
	while (a->n > n) {
		struct attach_change *c = &a->changes[--a->n];

		if (c->ifindex)
			undo_tc(a, c);
		else
			attach_host_undo(a, c);
		cleanup_close(&c->before);
	}
}

static void report(const struct attachment *a, size_t done, size_t total)
{
	if (a->progress)
		a->progress(done, total);
}

static bool holds(struct attachment *a, const struct hook *h, bool clsact)
{
	struct tc_hook hook = {h->ifindex, hooks_is_egress(h->which), clsact};
	enum object_program which;

	return find_id(a, &hook, &which) && which == h->which;
}

static bool is_missing(struct attachment *a, const struct hook *h)
{
	struct tc_hook hook = {h->ifindex, hooks_is_egress(h->which), false};

	return !holds(a, h, false) && !holds(a, h, true) && tc_has_room(&hook);
}

bool attach_has_guard(struct attachment *a, uint32_t ifindex)
{
	struct hook eth = {.ifindex = ifindex, .which = PROGRAM_GUARD_ETH};
	struct hook ip = {.ifindex = ifindex, .which = PROGRAM_GUARD_IP};

	return holds(a, &eth, false) || holds(a, &ip, false) || holds(a, &eth, true) ||
	       holds(a, &ip, true);
}

size_t attach_missing(struct attachment *a, struct hook *hooks, size_t n)
{
	size_t missing = 0;

	for (size_t i = 0; i < n; i++)
		if (is_missing(a, &hooks[i]))
			hooks[missing++] = hooks[i];
	return missing;
}

int attach_hooks(struct attachment *a, const struct object *o, const struct hook *hooks, size_t n)
{
	int r = 0;

	for (size_t i = 0; i < n && !r; i++) {
		report(a, i, n);
		r = attach_device(a, o, &hooks[i]);
	}
	return r;
}

int attach_all(struct attachment *a, const struct object *o, const struct plan *p)
{
	_cleanup_free_ struct hook *hooks = NULL;
	size_t n = 0;
	int r = hooks_list(p, o->fastpath, &hooks, &n);

	r = r ?: attach_hooks(a, o, hooks, n);
	if (!r && p->model->host_traffic && o->host && a->cgroup >= 0)
		a->host_refused = attach_host(a, o, UINT32_MAX);
	return r;
}

void attach_undo(struct attachment *a)
{
	attach_undo_to(a, 0);
}

static unsigned int sweep_hook(struct attachment *a, const struct tc_hook *hook)
{
	_cleanup_close_ int fd = find_program(a, hook);

	return fd >= 0 && !tc_detach(hook, fd);
}

/* p: the devices that keep their programs. */
static unsigned int sweep_side(struct attachment *a, const struct host *h, const struct plan *p,
			       bool fastpath, bool egress)
{
	unsigned int n = 0;

	for (size_t i = 0; i < h->n_devices; i++) {
		struct tc_hook hook = {.ifindex = h->devices[i].ifindex, .egress = egress};

		report(a, i + egress * h->n_devices, 2 * h->n_devices);
		if (hooks_has(p, fastpath, hook.ifindex, egress))
			continue;
		n += sweep_hook(a, &hook);
		hook.clsact = true;
		n += sweep_hook(a, &hook);
	}
	return n;
}

unsigned int attach_sweep(struct attachment *a, const struct host *h, const struct plan *p,
			  bool fastpath)
{
	unsigned int n = sweep_side(a, h, p, fastpath, false);

	n += sweep_side(a, h, p, fastpath, true);
	if (!(p && p->model->host_traffic) && a->cgroup >= 0)
		n += attach_host_sweep(a) + cgroup_remove_orphans(a->cgroup);
	return n;
}

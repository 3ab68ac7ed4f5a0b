// SPDX-License-Identifier: GPL-2.0-or-later
#include "apply/tc.h"

#include "base/defs.h"
#include "nl/filter.h"
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <errno.h>

/* include/uapi/linux/bpf.h, Linux 6.6; libbpf 1.1 does not know them yet. */
#define TCX_INGRESS ((enum bpf_attach_type)46)
#define TCX_EGRESS ((enum bpf_attach_type)47)

/* Our place among the filters of a clsact qdisc. */
#define FILTER_HANDLE 0xa5
#define FILTER_PRIORITY 0xa5b

#define FILTER(...)                                                                                \
	(struct bpf_tc_opts)                                                                       \
	{                                                                                          \
		.sz = sizeof(struct bpf_tc_opts), .handle = FILTER_HANDLE,                         \
		.priority = FILTER_PRIORITY, ##__VA_ARGS__                                         \
	}

static struct bpf_tc_hook clsact_of(const struct tc_hook *hook)
{
	return (struct bpf_tc_hook){
		.sz = sizeof(struct bpf_tc_hook),
		.ifindex = hook->ifindex,
		.attach_point = hook->egress ? BPF_TC_EGRESS : BPF_TC_INGRESS,
	};
}

static enum bpf_attach_type tcx_of(const struct tc_hook *hook)
{
	return hook->egress ? TCX_EGRESS : TCX_INGRESS;
}

/* A filter for egress needs a clsact qdisc, which somebody's ingress qdisc leaves no room for. */
static bool has_no_room(const struct tc_hook *hook)
{
	_cleanup_nl_ struct nl nl = {0};

	return hook->egress && !nl_open(&nl, NETLINK_ROUTE) &&
	       filter_ingress_only(&nl, hook->ifindex);
}

static bool has_tcx(const struct tc_hook *hook)
{
	uint32_t n = 0;

	return !bpf_prog_query(hook->ifindex, tcx_of(hook), 0, NULL, NULL, &n) || errno != EINVAL;
}

bool tc_has_room(const struct tc_hook *hook)
{
	return has_tcx(hook) || !has_no_room(hook);
}

static int clsact_query(const struct tc_hook *hook, uint32_t *ret_ids)
{
	struct bpf_tc_hook clsact = clsact_of(hook);
	struct bpf_tc_opts opts = FILTER();
	int r = has_no_room(hook) ? -ENOENT : bpf_tc_query(&clsact, &opts);

	if (r == -ENOENT || r == -EINVAL)
		return 0;
	if (r)
		return r;
	*ret_ids = opts.prog_id;
	return 1;
}

int tc_query(const struct tc_hook *hook, uint32_t *ret_ids, uint32_t n)
{
	uint32_t count = n;

	if (hook->clsact)
		return clsact_query(hook, ret_ids);
	if (bpf_prog_query(hook->ifindex, tcx_of(hook), 0, NULL, ret_ids, &count))
		return errno == EINVAL ? 0 : -errno;
	return count;
}

/* A qdisc that is there already is used and left in place. */
static int clsact_attach(const struct tc_hook *hook, int program, bool replace, bool *ret_made)
{
	struct bpf_tc_hook clsact = clsact_of(hook);
	struct bpf_tc_opts opts = FILTER(.prog_fd = program,
					 .flags = replace ? BPF_TC_F_REPLACE : 0);
	int r = has_no_room(hook) ? -EBUSY : bpf_tc_hook_create(&clsact);

	*ret_made = !r;
	if (r && r != -EEXIST)
		return r;
	return bpf_tc_attach(&clsact, &opts);
}

int tc_attach(const struct tc_hook *hook, int program, int before, bool *ret_made)
{
	LIBBPF_OPTS(bpf_prog_attach_opts, opts, .flags = before < 0 ? 0 : BPF_F_REPLACE,
		    .replace_prog_fd = MAX(before, 0));

	*ret_made = false;
	if (hook->clsact)
		return clsact_attach(hook, program, before >= 0, ret_made);
	if (!bpf_prog_attach_opts(program, hook->ifindex, tcx_of(hook), &opts))
		return 0;
	/* kernels before 6.6 do not know the attach type; ERANGE: all places are taken (BPF_MPROG_MAX) */
	return errno == EINVAL ? -EOPNOTSUPP : errno == ERANGE ? -EBUSY : -errno;
}

int tc_detach(const struct tc_hook *hook, int program)
{
	struct bpf_tc_hook clsact = clsact_of(hook);
	struct bpf_tc_opts opts = FILTER();

	if (hook->clsact)
		return bpf_tc_detach(&clsact, &opts);
	return bpf_prog_detach2(program, hook->ifindex, tcx_of(hook)) ? -errno : 0;
}

int tc_others(struct nl *nl, uint32_t ifindex, bool *ret)
{
	static const struct filter_place ours = {FILTER_HANDLE, FILTER_PRIORITY};
	unsigned int n;
	int r = filter_count(nl, ifindex, false, &ours, &n);

	if (!r)
		*ret = n > 0;
	return r;
}

/* What the kernel does not tell is taken to be in use. */
static bool is_used(struct nl *nl, uint32_t ifindex, bool egress)
{
	unsigned int n;

	return filter_count(nl, ifindex, egress, NULL, &n) || n;
}

void tc_remove_clsact(uint32_t ifindex)
{
	struct bpf_tc_hook clsact = clsact_of(&(struct tc_hook){.ifindex = ifindex});
	_cleanup_nl_ struct nl nl;

	if (nl_open(&nl, NETLINK_ROUTE))
		return;
	if (is_used(&nl, ifindex, false) || is_used(&nl, ifindex, true))
		return;
	clsact.attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS;
	bpf_tc_hook_destroy(&clsact);
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "apply/object.h"

#include "apply/handover.h"
#include "apply/room.h"
#include "asymbpf.skel.h"
#include "base/defs.h"
#include "nl/conntrack.h"
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/random.h>

/* What not every kernel takes; found out by trying, as distributors add and leave out. */
enum feature {
	FEATURE_HANDOVER = 1 << 0, /* of the flow cache: the kernel module's asym_ct_offload */
	FEATURE_SUMMED = 1 << 1,   /* of the flow cache: bpf_cast_to_kern_ctx */
	FEATURE_CT = 1 << 2,	   /* the flow cache: bpf_skb_ct_lookup */
	FEATURE_HOST = 1 << 3,	   /* cgroup programs */
};

/* A check of a pair is two packets through the stack, 1 to 2 us each: so many are 1 to 2 % of a CPU. */
#define CHECKS_PER_S 6000u
/* A question to conntrack takes 0.1 to 0.2 us: 1 % of a CPU. */
#define QUESTIONS_PER_S 50000u
/* No later than this: the shortest of conntrack's timers on cached flows is 120 s. */
#define LATEST_S 30u
/* Times that, of a flow: no packet passes the cache any more when it is over, and the entry may go. */
#define LEASES 2

struct load {
	struct object *object;
	const struct object *running; /* or NULL */
	const struct object_options *options;
	enum feature features;
};

/* libbpf's messages of one load, kept for the error text instead of printed. */
static __thread struct {
	char *text;
	size_t size;
} load_log;

static int keep_message(enum libbpf_print_level level, const char *fmt, va_list args)
{
	if (level == LIBBPF_WARN && load_log.size && !*load_log.text)
		vsnprintf(load_log.text, load_log.size, fmt, args);
	return 0;
}

static bool map_fits(const struct bpf_map *map, int fd)
{
	struct bpf_map_info info = {};
	uint32_t len = sizeof(info);

	return !bpf_obj_get_info_by_fd(fd, &info, &len) && info.type == bpf_map__type(map) &&
	       info.key_size == bpf_map__key_size(map) &&
	       info.value_size == bpf_map__value_size(map) &&
	       info.max_entries == bpf_map__max_entries(map) &&
	       info.map_flags == bpf_map__map_flags(map);
}

/* same: all of them. */
static int reuse_maps(struct object *o, const struct object *running, bool same)
{
	for (int i = 0; i < MAP_MAX; i++) {
		struct bpf_map *map =
			bpf_object__find_map_by_name(o->skel->obj, object_map_names[i]);

		if (i == MAP_RODATA || running->map[i] < 0)
			continue;
		if (!map_fits(map, running->map[i])) {
			if (same)
				return -EPROTO;
			continue;
		}
		if (bpf_map__reuse_fd(map, running->map[i]))
			return -errno;
		o->sticky_kept |= i == MAP_STICKY;
	}
	return 0;
}

static struct bpf_program *program_of(const struct object *o, int i)
{
	return bpf_object__find_program_by_name(o->skel->obj, object_program_names[i]);
}

static bool is_learn(int program)
{
	return program == PROGRAM_LEARN_ETH || program == PROGRAM_LEARN_IP;
}

static bool is_wanted(const struct load *l, int program)
{
	if (l->options->programs && !(l->options->programs >> program & 1))
		return false;
	if (program >= PROGRAM_HOST_FIRST)
		return l->features & FEATURE_HOST;
	return !is_learn(program) || l->features & FEATURE_CT;
}

/* Entries are found in kept maps only by the hash that put them there. */
static uint32_t choose_seed(const struct object *running)
{
	uint32_t seed = running ? running->flow_seed : 0;

	while (!seed && getrandom(&seed, sizeof(seed), 0) == sizeof(seed))
		;
	return seed;
}

static uint32_t latest_s(uint32_t revalidate_s)
{
	uint32_t s = MIN(16 * revalidate_s, LATEST_S);

	return MAX(s, revalidate_s);
}

/* 0: there is none, or nobody knows. */
static uint32_t map_entries(int fd)
{
	struct bpf_map_info info = {};
	uint32_t len = sizeof(info);

	return fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len) ? 0 : info.max_entries;
}

/* Tables of one block are no tables: that of which the programs have no use is as small. */
static void choose_blocks(const struct load *l, uint32_t *ret)
{
	room_blocks(l->options->flow_pairs, ret);
	for (int f = 0; f < ASYM_FAMILIES && l->options->as_running; f++) {
		uint32_t n = map_entries(l->running->map[f ? MAP_FLOWS6 : MAP_FLOWS4]);

		if (n > 1)
			ret[f] = n;
	}
}

static uint32_t sticky_entries(const struct load *l)
{
	uint32_t n = l->options->as_running ? map_entries(l->running->map[MAP_STICKY]) : 0;

	return n ?: l->options->sticky_entries;
}

static void switch_cache_on(struct object *o, const struct load *l)
{
	choose_blocks(l, o->flow_blocks);
	o->fastpath = true;
	o->summed = l->features & FEATURE_SUMMED;
	o->flow_seed = choose_seed(l->running);
	o->revalidate_s = l->options->revalidate_s;
	o->lease_s = l->features & FEATURE_HANDOVER ? LEASES * latest_s(o->revalidate_s) : 0;
	bpf_map__set_max_entries(o->skel->maps.asym_flows4, o->flow_blocks[ASYM_V4]);
	bpf_map__set_max_entries(o->skel->maps.asym_flows6, o->flow_blocks[ASYM_V6]);
	o->skel->rodata->asym_has_ct = true;
	o->skel->rodata->asym_has_summed = o->summed;
	o->skel->rodata->asym_has_xfrm =
		libbpf_probe_bpf_helper(BPF_PROG_TYPE_SCHED_CLS, BPF_FUNC_skb_get_xfrm_state,
					NULL) == 1;
	o->skel->rodata->asym_flow_mask4 = o->flow_blocks[ASYM_V4] - 1;
	o->skel->rodata->asym_flow_mask6 = o->flow_blocks[ASYM_V6] - 1;
	o->skel->rodata->asym_flow_seed = o->flow_seed;
	o->skel->rodata->asym_flow_period = o->revalidate_s * object_hz();
	o->skel->rodata->asym_flow_latest = latest_s(o->revalidate_s) * object_hz();
	o->skel->rodata->asym_flow_checks = MAX(CHECKS_PER_S / object_hz(), 1u);
	o->skel->rodata->asym_flow_questions = QUESTIONS_PER_S / object_hz();
	o->skel->rodata->asym_flow_lease = o->lease_s;
}

static void switch_cache_off(struct object *o)
{
	bpf_map__set_max_entries(o->skel->maps.asym_flows4, 1);
	bpf_map__set_max_entries(o->skel->maps.asym_flows6, 1);
	bpf_map__set_max_entries(o->skel->maps.asym_hops, 1);
}

static int open_and_load(const struct load *l)
{
	struct object *o = l->object;
	int r;

	o->skel = asymbpf_bpf__open();
	if (!o->skel)
		return -errno;
	bpf_map__set_max_entries(o->skel->maps.asym_sticky, sticky_entries(l));
	if (l->features & FEATURE_CT)
		switch_cache_on(o, l);
	else
		switch_cache_off(o);
	for (int i = 0; i < PROGRAM_MAX; i++)
		bpf_program__set_autoload(program_of(o, i), is_wanted(l, i));
	r = l->running ? reuse_maps(o, l->running, l->options->as_running) : 0;
	return r ?: asymbpf_bpf__load(o->skel);
}

/* Large, and worth nothing without programs on devices, which the cgroup tree may outlive. */
static bool is_cache(int map)
{
	return map == MAP_FLOWS4 || map == MAP_FLOWS6 || map == MAP_HOPS || map == MAP_WRITTEN;
}

/* Every program holds every map, whether it refers to it or not: devices come and go, with their
 * programs, and what only these refer to would go too, the sets of the configuration say.  Since
 * Linux 5.10. */
static void bind_maps(const struct object *o, int program)
{
	for (int i = 0; i < MAP_MAX; i++)
		if (o->map[i] >= 0 && !(program >= PROGRAM_HOST_FIRST && is_cache(i)))
			bpf_prog_bind_map(o->program[program], o->map[i], NULL);
}

static void fill_fds(const struct load *l)
{
	struct object *o = l->object;

	for (int i = 0; i < MAP_MAX; i++)
		o->map[i] = bpf_object__find_map_fd_by_name(o->skel->obj, object_map_names[i]);
	for (int i = 0; i < PROGRAM_MAX; i++)
		if (is_wanted(l, i)) {
			o->program[i] = bpf_program__fd(program_of(o, i));
			bind_maps(o, i);
		}
	o->host = l->features & FEATURE_HOST;
}

/* Kfuncs of a module exist once it is loaded; what asks for ctnetlink makes the kernel load it. */
static void load_conntrack(void)
{
	_cleanup_nl_ struct nl nl;

	if (!nl_open(&nl, NETLINK_NETFILTER))
		conntrack_autoload(&nl);
}

/* Tries the features, all first, then without those of the lowest bits: whatever set the kernel
 * takes, this meets it before any part of it. */
static int try_features(struct load *l, enum feature most)
{
	int r = -EINVAL;

	for (int features = most; features >= 0; features--) {
		bool odd = features & (FEATURE_SUMMED | FEATURE_HANDOVER) && !(features & FEATURE_CT);

		if (features & ~most || odd)
			continue;
		object_init(l->object);
		l->features = features;
		r = open_and_load(l);
		if (!r)
			break;
		object_done(l->object);
		if (r == -EPERM || r == -ENOMEM)
			break;
	}
	return r;
}

static enum feature cache_features(bool summed, bool handover)
{
	return FEATURE_CT | (summed ? FEATURE_SUMMED : 0) | (handover ? FEATURE_HANDOVER : 0);
}

/* Programs that join others must be able to do what these do, neither more nor less. */
static int load_features(struct load *l)
{
	enum feature cache = 0;

	if (l->options->as_running && l->running->fastpath)
		cache = cache_features(l->running->summed, l->running->lease_s);
	else if (l->options->fastpath)
		cache = cache_features(true, handover_is_offered());
	if (l->options->programs && !(l->options->programs >> PROGRAM_HOST_FIRST))
		return try_features(l, cache);
	return try_features(l, cache | FEATURE_HOST);
}

int object_load(struct object *ret, const struct object *running,
		const struct object_options *options, char *error, size_t size)
{
	struct load l = {.object = ret, .running = running, .options = options};
	int r;

	*error = '\0';
	load_log.text = error;
	load_log.size = size;
	libbpf_set_print(keep_message);
	if (options->fastpath)
		load_conntrack();
	r = load_features(&l);
	load_log.size = 0;
	if (!r)
		fill_fds(&l);
	error[strcspn(error, "\n")] = '\0';
	return r;
}

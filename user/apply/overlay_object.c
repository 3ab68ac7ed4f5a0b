// SPDX-License-Identifier: GPL-2.0-or-later
#include "apply/overlay_object.h"

#include "apply/netns.h"
#include "apply/overlay_find.h"
#include "apply/overlay_hooks.h"
#include "apply/overlay_node.h"
#include "apply/overlay_read.h"
#include "apply/overlay_rules.h"
#include "base/defs.h"
#include "overlay.skel.h"
#include <bpf/bpf.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>

/* A flow that is slower is thin, whatever it has sent. */
#define SPLIT_BPS 125000u
/* Longer than ways usually differ by. */
#define GAP_NS 50000000ull

/* libbpf's first complaint, kept for the error text instead of printed. */
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

static void destroy(struct overlay_bpf **skel)
{
	if (*skel)
		overlay_bpf__destroy(*skel);
}

/* -------- loading */

static struct bpf_map *map_of(const struct overlay_bpf *skel, int map)
{
	return bpf_object__find_map_by_name(skel->obj, overlay_map_names[map]);
}

static bool map_fits(const struct bpf_map *map, int fd)
{
	struct bpf_map_info info = {};
	uint32_t len = sizeof(info);

	return !bpf_obj_get_info_by_fd(fd, &info, &len) && info.type == bpf_map__type(map) &&
	       info.key_size == bpf_map__key_size(map) &&
	       info.value_size == bpf_map__value_size(map) &&
	       info.max_entries == bpf_map__max_entries(map);
}

/* All or none: programs and user space must mean the same by them. */
static int reuse_maps(struct overlay_bpf *skel, const struct overlay_maps *running)
{
	const int *fds = (const int *)running;
	int r = 0;

	for (int i = 0; i < OVERLAY_MAP_MAX; i++)
		if (fds[i] < 0 || !map_fits(map_of(skel, i), fds[i]))
			return 0;
	for (int i = 0; i < OVERLAY_MAP_MAX && !r; i++)
		r = bpf_map__reuse_fd(map_of(skel, i), fds[i]);
	return r;
}

/* Each program holds every map, so that whoever finds one finds all.  Since Linux 5.10. */
static void bind_maps(const struct overlay_bpf *skel)
{
	int programs[] = {bpf_program__fd(skel->progs.asym_ov_out),
			  bpf_program__fd(skel->progs.asym_ov_in)};

	for (size_t i = 0; i < ARRAY_SIZE(programs); i++)
		for (int k = 0; k < OVERLAY_MAP_MAX; k++)
			bpf_prog_bind_map(programs[i], bpf_map__fd(map_of(skel, k)), NULL);
}

static int load(struct overlay_bpf **ret)
{
	_cleanup_(overlay_maps_done) struct overlay_maps running;
	bool known = !overlay_maps_find(&running);
	struct overlay_bpf *skel = overlay_bpf__open();
	int r;

	if (!skel)
		return -errno;
	r = known ? reuse_maps(skel, &running) : 0;
	r = r ?: overlay_bpf__load(skel);
	if (r) {
		overlay_bpf__destroy(skel);
		return r;
	}
	bind_maps(skel);
	*ret = skel;
	return 0;
}

/* -------- filling */

static int write_config(int fd, const struct mesh_plan *p, uint32_t overlay, uint32_t rules)
{
	struct ov_config c = {
		.abi = OV_ABI,
		.overlay = overlay,
		.mark_mask = OVERLAY_MARK_MASK,
		.mark_shift = __builtin_ctz(OVERLAY_MARK_MASK),
		.split_bytes = p->mesh->split_bytes,
		.split_bps = SPLIT_BPS,
		.gap_ns = GAP_NS,
		.rules = rules,
	};
	uint32_t zero = 0;
	uint64_t cookie;
	int r = netns_cookie(&cookie);

	if (r)
		return r;
	c.netns_cookie = cookie;
	return bpf_map_update_elem(fd, &zero, &c, BPF_ANY) ? -errno : 0;
}

static int write_prefix(int fd, const struct prefix *to, uint8_t node, bool self)
{
	struct ov_prefix_key key = {.prefixlen = to->len};
	struct ov_prefix value = {.node = node, .self = self};

	memcpy(&key.addr, &to->addr, sizeof(key.addr));
	return bpf_map_update_elem(fd, &key, &value, BPF_ANY) ? -errno : 0;
}

static int write_node_prefixes(int fd, const struct mesh_plan *p, uint8_t node)
{
	const struct mesh_node *n = &p->mesh->nodes[node];
	bool self = node == p->self;
	int r = 0;

	for (int i = 0; i < ASYM_FAMILIES && !r; i++) {
		const struct prefix host = {n->addr[i], 128};

		if (!IN6_IS_ADDR_UNSPECIFIED(&n->addr[i]))
			r = write_prefix(fd, &host, node, self);
	}
	for (size_t i = 0; i < n->n_lans && !r; i++)
		r = write_prefix(fd, &n->lans[i], node, self);
	return r;
}

static bool is_prefix(const struct prefix *a, const struct ov_prefix_key *key)
{
	return a->len == key->prefixlen && !memcmp(&a->addr, &key->addr, sizeof(key->addr));
}

static bool node_has(const struct mesh_node *n, const struct ov_prefix_key *key)
{
	for (int i = 0; i < ASYM_FAMILIES; i++) {
		const struct prefix host = {n->addr[i], 128};

		if (is_prefix(&host, key))
			return true;
	}
	for (size_t i = 0; i < n->n_lans; i++)
		if (is_prefix(&n->lans[i], key))
			return true;
	return false;
}

static bool plan_has(const struct mesh_plan *p, const struct ov_prefix_key *key)
{
	for (size_t i = 0; i < p->mesh->n_nodes; i++)
		if (node_has(&p->mesh->nodes[i], key))
			return true;
	return false;
}

/* Of former plans.  A key that is deleted is no place to go on from, so the next one is fetched
 * first. */
static void sweep_prefixes(int fd, const struct mesh_plan *p)
{
	struct ov_prefix_key key, next;
	int r = bpf_map_get_next_key(fd, NULL, &next);

	for (int i = 0; !r && i < OV_PREFIXES; i++) {
		key = next;
		r = bpf_map_get_next_key(fd, &key, &next);
		if (!plan_has(p, &key))
			bpf_map_delete_elem(fd, &key);
	}
}

static int write_prefixes(int fd, const struct mesh_plan *p)
{
	int r = 0;

	for (size_t i = 0; i < p->mesh->n_nodes && !r; i++)
		r = write_node_prefixes(fd, p, i);
	if (!r)
		sweep_prefixes(fd, p);
	return r;
}

/* A node that has another number now is another one. */
static void keep_chosen(const struct overlay_maps *m, const struct mesh_plan *before,
			const struct mesh_plan *p, const struct mesh_target *t, struct ov_node *n)
{
	const struct mesh_target *t_was = before ? mesh_plan_target(before, t->node) : NULL;
	struct ov_node was;

	if (t_was && !strcmp(before->mesh->nodes[t->node].name, p->mesh->nodes[t->node].name) &&
	    !overlay_read_node(m, t->node, &was))
		overlay_node_keep(t, t_was, &was, n);
}

static int write_nodes(const struct overlay_maps *m, const struct mesh_plan *p,
		       const struct mesh_plan *before, const uint32_t *ifindex)
{
	int r = 0;

	for (unsigned int i = 0; i < OV_NODES && !r; i++) {
		const struct mesh_target *t = mesh_plan_target(p, i);
		struct ov_node n = {};

		if (t) {
			overlay_node_of(p, t, ifindex, &n);
			keep_chosen(m, before, p, t, &n);
		}
		r = overlay_write_node(m, i, &n);
	}
	return r;
}

/* Nodes before the prefixes that lead to them, and the config, which names the rules, at last. */
static int fill(const struct overlay_bpf *skel, const struct mesh_plan *p,
		const struct mesh_plan *before, uint32_t overlay, const uint32_t *tunnels)
{
	struct overlay_maps m = {.nodes = bpf_map__fd(skel->maps.ov_nodes)};
	int config = bpf_map__fd(skel->maps.ov_config), r = write_nodes(&m, p, before, tunnels);
	uint32_t rules = 0;

	r = r ?: write_prefixes(bpf_map__fd(skel->maps.ov_prefixes), p);
	r = r ?: overlay_rules_write(config, bpf_map__fd(skel->maps.ov_rules), p, &rules);
	return r ?: write_config(config, p, overlay, rules);
}

/* -------- all of it */

static int load_and_attach(const struct mesh_plan *p, const struct mesh_plan *before,
			   uint32_t overlay, const uint32_t *tunnels, char *error, size_t size)
{
	_cleanup_(destroy) struct overlay_bpf *skel = NULL;
	int r = load(&skel);

	if (r)
		return r;
	r = fill(skel, p, before, overlay, tunnels);
	if (r) {
		snprintf(error, size, "cannot fill the overlay's maps");
		return r;
	}
	return overlay_hooks_attach(
		&(struct overlay_hooks){.out = bpf_program__fd(skel->progs.asym_ov_out),
					.in = bpf_program__fd(skel->progs.asym_ov_in),
					.overlay = overlay,
					.tunnels = tunnels,
					.n_tunnels = p->n_tunnels},
		error, size);
}

int overlay_programs(const struct mesh_plan *p, const struct mesh_plan *before,
		     uint32_t overlay_ifindex, const uint32_t *tunnel_ifindex, char *error,
		     size_t size)
{
	int r;

	*error = '\0';
	load_log.text = error;
	load_log.size = size;
	libbpf_set_print(keep_message);
	r = load_and_attach(p, before, overlay_ifindex, tunnel_ifindex, error, size);
	load_log.size = 0;
	error[strcspn(error, "\n")] = '\0';
	return r;
}

void overlay_programs_remove(void)
{
	libbpf_set_print(keep_message);
	overlay_hooks_sweep(NULL);
}

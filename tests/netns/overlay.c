/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * overlay apply FILE NODE      the overlay's programs on devices that are there under the plan's
 * names remove               takes them off counters             "NAME COUNT" for each reason,
 * "NODE:WAY PACKETS BYTES" for each way used set NODE FIELD=N...  of a node in place (a number):
 * dead0..7, delay0..7, thin, thick, direct, rate, burst
 */
#include "apply/overlay_object.h"
#include "base/addr.h"
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <net/if.h>
#include <string.h>

static void fail(const char *what, int r)
{
	fprintf(stderr, "overlay: %s: %s\n", what, strerror(-r));
	exit(EXIT_FAILURE);
}

static int apply(const char *file, const char *node)
{
	struct findings f = {};
	struct mesh_plan p;
	struct mesh m;
	uint32_t tunnels[MESH_MAX_TUNNELS];
	char error[256];
	int r;

	mesh_init(&m);
	r = mesh_read(&m, file, &f);
	if (r)
		fail(f.n ? f.items[0].text : file, r);
	r = mesh_plan_build(&p, &m, node);
	if (r)
		fail(node, r);
	for (size_t i = 0; i < p.n_tunnels; i++)
		tunnels[i] = if_nametoindex(p.tunnels[i].device);
	r = overlay_programs(&p, NULL, if_nametoindex(m.device), tunnels, error, sizeof(error));
	if (r)
		fail(error, r);
	return 0;
}

static void print_counters(int fd, int cpus)
{
	static const char *const names[] = {
#define X(name, label, help) label,
		OV_REASONS(X)
#undef X
	};
	uint64_t each[cpus], sum;

	for (uint32_t i = 0; i < OV_REASON_MAX; i++) {
		sum = 0;
		if (bpf_map_lookup_elem(fd, &i, each))
			fail("counters", -errno);
		for (int c = 0; c < cpus; c++)
			sum += each[c];
		printf("%s %lu\n", names[i], sum);
	}
}

static void print_ways(int fd, int cpus)
{
	struct ov_traffic each[cpus], sum;

	for (uint32_t i = 0; i < OV_NODES * OV_WAYS; i++) {
		sum = (struct ov_traffic){};
		if (bpf_map_lookup_elem(fd, &i, each))
			fail("ways", -errno);
		for (int c = 0; c < cpus; c++) {
			sum.packets += each[c].packets;
			sum.bytes += each[c].bytes;
		}
		if (sum.packets)
			printf("%u:%u %llu %llu\n", i / OV_WAYS, i % OV_WAYS, sum.packets,
			       sum.bytes);
	}
}

static void set_field(struct ov_node *n, const char *text)
{
	unsigned long long v;
	char name[16];
	size_t way;

	if (sscanf(text, "%15[^=]=%llu", name, &v) != 2)
		fail(text, -EINVAL);
	way = (size_t)(name[strlen(name) - 1] - '0') % OV_WAYS;
	if (!strncmp(name, "dead", 4))
		n->way[way].dead = v;
	else if (!strncmp(name, "delay", 5))
		n->way[way].delay_us = v;
	else if (!strcmp(name, "thin"))
		memset(n->thin, (int)v, sizeof(n->thin));
	else if (!strcmp(name, "thick"))
		memset(n->thick, (int)v, sizeof(n->thick));
	else if (!strcmp(name, "rate"))
		n->rate = v;
	else if (!strcmp(name, "burst"))
		n->burst = v;
	else if (!strcmp(name, "direct"))
		n->direct = v;
	else
		fail(name, -EINVAL);
}

static int set(const struct overlay_maps *m, char **args)
{
	uint32_t node = (uint32_t)atoi(*args);
	struct ov_node n;
	int r;

	if (bpf_map_lookup_elem(m->nodes, &node, &n))
		fail("node", -errno);
	while (*++args)
		set_field(&n, *args);
	r = overlay_write_node(m, node, &n);
	if (r)
		fail("node", r);
	return 0;
}

int main(int argc, char **argv)
{
	struct overlay_maps m;
	int r;

	if (argc == 4 && !strcmp(argv[1], "apply"))
		return apply(argv[2], argv[3]);
	if (argc == 2 && !strcmp(argv[1], "remove")) {
		overlay_programs_remove();
		return 0;
	}
	r = overlay_maps_find(&m);
	if (r)
		fail("maps", r);
	if (argc > 3 && !strcmp(argv[1], "set"))
		return set(&m, argv + 2);
	print_counters(m.counters, libbpf_num_possible_cpus());
	print_ways(m.ways, libbpf_num_possible_cpus());
	return 0;
}

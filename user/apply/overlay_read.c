// SPDX-License-Identifier: GPL-2.0-or-later
#include "apply/overlay_read.h"

#include "base/defs.h"
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>

int overlay_read_node(const struct overlay_maps *m, uint8_t node, struct ov_node *ret)
{
	uint32_t key = node;

	return bpf_map_lookup_elem(m->nodes, &key, ret) ? -errno : 0;
}

/* A value for each CPU, one after the other; `words` counters in each. */
static int sum(int fd, uint32_t key, size_t words, uint64_t *ret)
{
	int cpus = libbpf_num_possible_cpus();
	_cleanup_free_ uint64_t *values = NULL;

	if (cpus < 0)
		return cpus;
	values = calloc(cpus * words, sizeof(*values));
	if (!values)
		return -ENOMEM;
	if (bpf_map_lookup_elem(fd, &key, values))
		return -errno;
	memset(ret, 0, words * sizeof(*ret));
	for (size_t i = 0; i < cpus * words; i++)
		ret[i % words] += values[i];
	return 0;
}

int overlay_read_way(const struct overlay_maps *m, uint8_t node, uint8_t way,
		     struct ov_traffic *ret)
{
	uint64_t words[2];
	int r = sum(m->ways, node * OV_WAYS + way, 2, words);

	if (!r)
		*ret = (struct ov_traffic){.packets = words[0], .bytes = words[1]};
	return r;
}

int overlay_read_counters(const struct overlay_maps *m, uint64_t ret[OV_REASON_MAX])
{
	int r = 0;

	for (uint32_t i = 0; i < OV_REASON_MAX && !r; i++)
		r = sum(m->counters, i, 1, &ret[i]);
	return r;
}

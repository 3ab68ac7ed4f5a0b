// SPDX-License-Identifier: GPL-2.0-or-later
/* Programs for more devices, over the maps of those that run. */
#include "apply/object.h"

#include "base/defs.h"
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* The programs that run, as far as they are needed. */
static void take_running(struct object *o, uint64_t cookie, uint32_t programs)
{
	enum object_program which;
	uint32_t id = 0;

	while (!bpf_prog_get_next_id(id, &id))
		if (object_owns(id, cookie, &which) && programs >> which & 1 && o->program[which] < 0)
			o->program[which] = MAX(bpf_prog_get_fd_by_id(id), -1);
}

static uint32_t lacking(const struct object *o, uint32_t programs)
{
	uint32_t ret = 0;

	for (int i = 0; i < PROGRAM_MAX; i++)
		if (programs >> i & 1 && o->program[i] < 0)
			ret |= 1u << i;
	return ret;
}

/* Copies: the skeleton closes its own. */
static void adopt(int *to, int fd)
{
	if (*to < 0 && fd >= 0)
		*to = fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

static void adopt_all(struct object *o, const struct object *loaded)
{
	for (int i = 0; i < MAP_MAX; i++)
		adopt(&o->map[i], loaded->map[i]);
	for (int i = 0; i < PROGRAM_MAX; i++)
		adopt(&o->program[i], loaded->program[i]);
	o->host |= loaded->host;
	if (o->fastpath || !loaded->fastpath)
		return;
	o->fastpath = true;
	o->summed = loaded->summed;
	memcpy(o->flow_blocks, loaded->flow_blocks, sizeof(o->flow_blocks));
	o->flow_seed = loaded->flow_seed;
	o->revalidate_s = loaded->revalidate_s;
	o->lease_s = loaded->lease_s;
}

bool object_is_whole(const struct object *o)
{
	for (int i = 0; i < MAP_MAX; i++)
		if (o->map[i] < 0 && i != MAP_RODATA && i != MAP_SOCKETS)
			return false;
	return true;
}

int object_need(struct object *o, uint64_t cookie, uint32_t programs,
		const struct object_options *options, char *error, size_t size)
{
	struct object_options some = *options;
	struct object loaded;
	int r;

	*error = '\0';
	take_running(o, cookie, programs);
	some.as_running = true;
	some.programs = lacking(o, programs);
	if (!some.programs && object_is_whole(o))
		return 0;
	/* any one brings all maps */
	some.programs = some.programs ?: 1u << PROGRAM_LAN_ETH;
	r = object_load(&loaded, o, &some, error, size);
	if (r)
		return r;
	adopt_all(o, &loaded);
	object_done(&loaded);
	return lacking(o, programs & ((1u << PROGRAM_HOST_FIRST) - 1)) ? -EOPNOTSUPP : 0;
}

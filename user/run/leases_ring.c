// SPDX-License-Identifier: GPL-2.0-or-later
#include "run/leases_ring.h"

#include "base/defs.h"
#include "run/leases.h"
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

struct leases_ring {
	const struct leases_ring_ops *ops;
	void *data;
	struct ring_buffer *buffer;
	int map; /* of our own: epoll forgets a map when the last descriptor of its file goes */
	uint32_t id;
	uv_poll_t poll;
	int records; /* since the loop had its turn */
};

static int take(void *ctx, void *data, size_t size)
{
	struct leases_ring *r = ctx;
	const struct asym_bootp *record = data;

	if (size >= sizeof(*record) && record->len <= sizeof(record->data))
		r->ops->record(r->data, record);
	/* libbpf knows no other way to stop; this record counts as read */
	return ++r->records < LEASES_RECORDS ? 0 : -EAGAIN;
}

/* What is left keeps the descriptor readable. */
static void readable(uv_poll_t *poll, int status, int events)
{
	struct leases_ring *r = poll->data;

	r->records = 0;
	ring_buffer__consume(r->buffer);
	r->ops->read(r->data);
}

static int map_id(int map, uint32_t *ret)
{
	struct bpf_map_info info = {0};
	uint32_t size = sizeof(info);
	int r = bpf_obj_get_info_by_fd(map, &info, &size);

	if (!r)
		*ret = info.id;
	return r;
}

static void ring_free(struct leases_ring *r)
{
	ring_buffer__free(r->buffer);
	cleanup_close(&r->map);
	free(r);
}

static int ring_init(struct leases_ring *r, uv_loop_t *loop, int map)
{
	int result = map_id(map, &r->id);

	if (result)
		return result;
	r->map = fcntl(map, F_DUPFD_CLOEXEC, 0);
	if (r->map < 0)
		return -errno;
	r->buffer = ring_buffer__new(r->map, take, r, NULL);
	if (!r->buffer)
		return -errno;
	return uv_poll_init(loop, &r->poll, ring_buffer__epoll_fd(r->buffer));
}

int leases_ring_open(uv_loop_t *loop, int map, const struct leases_ring_ops *ops, void *data,
		     struct leases_ring **ret)
{
	struct leases_ring *r = calloc(1, sizeof(*r));
	int result;

	if (!r)
		return -ENOMEM;
	*r = (struct leases_ring){.ops = ops, .data = data, .map = -1};
	result = ring_init(r, loop, map);
	if (result) {
		ring_free(r);
		return result;
	}
	r->poll.data = r;
	uv_poll_start(&r->poll, UV_READABLE, readable);
	*ret = r;
	return 0;
}

static void closed(uv_handle_t *handle)
{
	ring_free(handle->data);
}

void leases_ring_close(struct leases_ring *r)
{
	if (r)
		uv_close((uv_handle_t *)&r->poll, closed);
}

bool leases_ring_reads(const struct leases_ring *r, int map)
{
	uint32_t id;

	return r && !map_id(map, &id) && id == r->id;
}

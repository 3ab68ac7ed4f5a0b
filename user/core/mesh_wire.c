// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/mesh_wire.h"

#include <errno.h>
#include <string.h>

#define MAGIC 0x616d7368u
#define REPORT 20

static uint8_t *put(uint8_t *at, uint64_t value, size_t bytes)
{
	for (size_t i = bytes; i--; value >>= 8)
		at[i] = value;
	return at + bytes;
}

static const uint8_t *get(const uint8_t *at, size_t bytes, uint64_t *ret)
{
	*ret = 0;
	for (size_t i = 0; i < bytes; i++)
		*ret = *ret << 8 | at[i];
	return at + bytes;
}

static uint8_t *put_report(uint8_t *at, const struct choice_report *r)
{
	at = put(at, r->seq, 4);
	at = put(at, r->age_ms, 4);
	at = put(at, (uint64_t)r->min_ns, 8);
	at = put(at, r->loss, 2);
	return put(at, r->padded, 2);
}

size_t wire_write(const struct wire *w, uint8_t ret[WIRE_MAX])
{
	uint8_t *at = put(ret, MAGIC, 4);

	at = put(at, WIRE_VERSION, 1);
	at = put(at, w->from, 1);
	at = put(at, w->to, 1);
	at = put(at, w->way, 1);
	at = put(at, w->hash, 8);
	at = put(at, w->session, 8);
	at = put(at, w->sent_ns, 8);
	at = put(at, w->seq, 4);
	at = put(at, w->echo_age_us, 4);
	at = put(at, w->echo_ns, 8);
	at = put(at, (uint64_t)w->n << 8, 2);
	at = put(at, w->padded, 2);
	for (size_t i = 0; i < w->n && i < MESH_MAX_PATHS; i++)
		at = put_report(at, &w->reports[i]);
	return at - ret;
}

static const uint8_t *get_report(const uint8_t *at, struct choice_report *ret)
{
	uint64_t seq, age_ms, min_ns, loss, padded;

	at = get(at, 4, &seq);
	at = get(at, 4, &age_ms);
	at = get(at, 8, &min_ns);
	at = get(at, 2, &loss);
	at = get(at, 2, &padded);
	*ret = (struct choice_report){.seq = seq,
	                              .age_ms = age_ms,
	                              .min_ns = (int64_t)min_ns,
	                              .loss = loss,
	                              .padded = padded};
	return at;
}

static const uint8_t *get_head(const uint8_t *at, struct wire *ret)
{
	uint64_t seq, age_us, padded;

	*ret = (struct wire){.from = at[5], .to = at[6], .way = at[7], .n = at[48]};
	at = get(at + 8, 8, &ret->hash);
	at = get(at, 8, &ret->session);
	at = get(at, 8, &ret->sent_ns);
	at = get(at, 4, &seq);
	at = get(at, 4, &age_us);
	at = get(at, 8, &ret->echo_ns);
	at = get(at + 2, 2, &padded);
	ret->padded = padded;
	ret->seq = seq;
	ret->echo_age_us = age_us;
	return at;
}

static bool is_sane(const struct wire *w)
{
	if (w->from >= MESH_MAX_NODES || w->to >= MESH_MAX_NODES || w->way >= MESH_MAX_PATHS ||
	    !w->session)
		return false;
	for (size_t i = 0; i < w->n; i++)
		if (w->reports[i].loss > 1000)
			return false;
	return true;
}

int wire_read(const void *data, size_t len, struct wire *ret)
{
	const uint8_t *at = data;
	uint64_t magic;
	struct wire w;

	if (len < 5)
		return -EBADMSG;
	get(at, 4, &magic);
	if (magic != MAGIC)
		return -EBADMSG;
	if (at[4] != WIRE_VERSION)
		return -EPROTO;
	if (len < WIRE_HEAD)
		return -EBADMSG;
	at = get_head(at, &w);
	if (w.n > MESH_MAX_PATHS || (w.padded && w.n) ||
	    (!w.padded && len != WIRE_HEAD + w.n * (size_t)REPORT))
		return -EBADMSG;
	for (size_t i = 0; i < w.n; i++)
		at = get_report(at, &w.reports[i]);
	if (!is_sane(&w))
		return -EBADMSG;
	*ret = w;
	return 0;
}

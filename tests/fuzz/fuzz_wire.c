// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Any bytes as datagrams of a mesh's peer: records of two bytes of length, one of the time that
 * passes before (10 ms each), and a datagram.  What is read is within its limits and is written as
 * it was read, and the choice that it leads to is one of the ways.
 */
#include "base/defs.h"
#include "core/mesh_mtu.h"
#include "core/mesh_wire.h"
#include <errno.h>
#include <string.h>

#define WAYS 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct peer {
	struct mesh_target t;
	struct choice c;
	struct choice_arrivals a;
	struct mtu m;
	uint64_t now_ns;
};

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void check_written(const struct wire *w, const uint8_t *data, size_t len)
{
	uint8_t bytes[WIRE_MAX];
	struct wire again;

	if (w->padded)
		len = WIRE_HEAD;
	must(wire_write(w, bytes) == len && !wire_read(bytes, len, &again));
	must(!memcmp(w, &again, sizeof(again)));
	must(!memcmp(bytes, data, 49));
}

static void check_choice(struct peer *p)
{
	struct choice_report r;

	choice_judge(&p->c, &p->t, p->now_ns);
	must(p->c.thin < WAYS && p->c.thick < WAYS);
	must(p->c.thin_reason < CHOICE_REASON_MAX && p->c.thick_reason < CHOICE_REASON_MAX);
	must(p->c.usable && p->c.usable < 1 << WAYS);
	for (uint8_t i = 0; i < WAYS; i++) {
		must(p->c.ways[i].loss_ppm <= 1000000 && p->c.ways[i].long_loss_ppm <= 1000000);
		must(p->c.ways[i].diff_ns >= -1 && p->c.ways[i].diff_ns <= 10000000000);
		choice_report(&p->a, i, p->now_ns, &r);
		must(r.loss <= 1000);
	}
}

static void hear(struct peer *p, const struct wire *w)
{
	struct mtu_heard h = {.seq = w->seq, .many = 3};
	uint16_t size = mtu_next(&p->m, w->seq, p->now_ns);

	must(!size || (size >= MESH_MIN_MTU && size <= p->m.most));
	for (uint8_t i = 0; i < w->n; i++) {
		h.id = w->reports[i].padded;
		h.seq = w->reports[i].seq;
		h.speaks |= h.id;
		mtu_hear(&p->m, &h, p->now_ns);
		must(p->m.use >= MESH_MIN_MTU && p->m.use <= p->m.most);
	}
}

static void see(struct peer *p, const uint8_t *data, size_t len)
{
	struct wire w;
	int r = wire_read(data, len, &w);

	if (r) {
		must(r == -EBADMSG || r == -EPROTO);
		return;
	}
	must(w.from < MESH_MAX_NODES && w.to < MESH_MAX_NODES && w.way < MESH_MAX_PATHS);
	must(w.n <= MESH_MAX_PATHS);
	check_written(&w, data, len);
	hear(p, &w);
	if (w.padded)
		return;
	choice_arrived(&p->a, w.way, w.seq, w.sent_ns, p->now_ns);
	choice_sent(&p->c, w.seq);
	choice_rtt(&p->c, p->now_ns - w.echo_ns - w.echo_age_us * 1000ull, p->now_ns);
	choice_reports(&p->c, w.reports, w.n, w.sent_ns, p->now_ns);
	check_choice(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct peer p = {.now_ns = 1000000000};

	p.t.n = p.t.paths.n = p.t.paths.n_own = WAYS;
	for (uint8_t i = 0; i < WAYS; i++)
		p.t.paths.order[i] = i;
	p.t.paths.automatic = true;
	choice_init(&p.c, &p.t, 100);
	choice_arrivals_init(&p.a, 100);
	mtu_init(&p.m, 1420, 1420, 0, 100, 600000);
	while (size >= 3) {
		size_t len = MIN((size_t)(data[0] * 256U + data[1]), size - 3);
		uint8_t *copy = malloc(len ?: 1);

		p.now_ns += data[2] * 10000000ull;
		memcpy(copy, data + 3, len);
		see(&p, copy, len);
		free(copy);
		data += 3 + len;
		size -= 3 + len;
	}
	return 0;
}

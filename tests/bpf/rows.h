/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables of packets: what goes in, the counter that rises, the mark that comes out. */
#ifndef TESTS_BPF_ROWS_H
#define TESTS_BPF_ROWS_H

#include "tests/bpf/wire.h"

struct row {
	const char *name;
	struct pkt_spec pkt;
	enum asym_reason reason;
	uint32_t mark;
};

static inline bool row_holds(const char *how, const struct row *row, const struct outcome *o)
{
	bool good = o->reason == row->reason && o->mark == row->mark;

	if (!good)
		print_error("%s, %s: %s, mark 0x%x; expected %s, mark 0x%x\n", row->name, how,
			    reason_name(o->reason), o->mark, reason_name(row->reason), row->mark);
	return good;
}

/* Returns how many do not hold. */
static inline unsigned int rows_run(enum object_program which, const struct row *rows, size_t n)
{
	unsigned int bad = 0;

	for (size_t i = 0; i < n; i++) {
		struct outcome o = lab_send(which, &rows[i].pkt);

		bad += !row_holds("test run", &rows[i], &o);
	}
	return bad;
}

static inline void row_expect(enum object_program which, const struct pkt_spec *s,
			      enum asym_reason reason, uint32_t mark)
{
	struct row row = { "packet", *s, reason, mark };

	assert_int_equal(rows_run(which, &row, 1), 0);
}

/* The rows that a device can bring; mark, unless 0, stands for every row's. */
static inline unsigned int rows_over(const struct wire *w, const char *how, const struct row *rows,
				     size_t n, uint32_t mark)
{
	unsigned int bad = 0;

	for (size_t i = 0; i < n; i++) {
		struct pkt p = pkt_to(&rows[i].pkt, w->ifindex);
		struct row row = rows[i];
		struct outcome o;

		if (row.pkt.mark || (!w->ethernet && row.pkt.mac))
			continue;
		row.mark = mark && row.mark ? mark : row.mark;
		o = wire_send(w, &p, 0);
		bad += !row_holds(how, &row, &o);
	}
	return bad;
}

/* The packet cut to every length below its own. */
static inline unsigned int cuts_over(const struct wire *w, const char *how, struct pkt_spec spec,
				     enum asym_reason reason)
{
	struct row row = { "cut", { 0 }, reason, 0 };
	uint32_t whole = pkt_make(&spec).len;
	unsigned int bad = 0;

	for (spec.cut = ETH_HLEN + !w->ethernet; spec.cut < whole; spec.cut++) {
		struct pkt p = pkt_to(&spec, w->ifindex);
		struct outcome o = wire_send(w, &p, 0);

		if (!row_holds(how, &row, &o))
			print_error("... at %u of %u bytes\n", spec.cut, whole), bad++;
	}
	return bad;
}

/* Linux takes VLAN tags off before tc ingress; such a frame is not the device's own all the same.
 * VLAN 0 is none. */
static inline bool vlans_hold(const struct wire *w, enum asym_reason own, enum asym_reason other)
{
	struct pkt zero = pkt_to(&(struct pkt_spec){ .vlan = VLAN(0) }, w->ifindex);
	struct pkt ten = pkt_to(&(struct pkt_spec){ .vlan = VLAN(10) }, w->ifindex);

	return wire_send(w, &zero, 0).reason == own && wire_send(w, &ten, 0).reason == other;
}

#endif

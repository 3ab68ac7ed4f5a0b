// SPDX-License-Identifier: GPL-2.0-or-later
#include "run/leases.h"

#include "base/log.h"
#include "base/str.h"
#include "run/leases_file.h"
#include "run/leases_int.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MS 1000000ull
#define SAVE_MS 200 /* one change seldom comes alone */

static void on_timer(uv_timer_t *timer);

/* --- the file */

static void on_save(uv_timer_t *timer);

static void save_in(struct leases *l, uint64_t ms)
{
	if (!uv_is_active((uv_handle_t *)&l->save))
		uv_timer_start(&l->save, on_save, ms, 0);
}

static void on_save(uv_timer_t *timer)
{
	struct leases *l = timer->data;
	int r = leases_file_write(l->cookie, l->links);

	l->changed = r && r != -ENOENT; /* the next look tries again */
	if (r == -EWOULDBLOCK)
		save_in(l, SAVE_MS);
	else if (l->changed && r != l->save_error)
		log_err(r, "cannot write down the leases");
	if (r != -EWOULDBLOCK)
		l->save_error = r;
}

static void load(struct leases *l)
{
	size_t ignored = 0;
	int r = leases_file_read(l->cookie, leases_now_ns(), l->links, &ignored);

	if (r && r != -ENOENT)
		log_err(r, "cannot read the leases of an earlier daemon, ignoring");
	else if (ignored)
		log_warn("/run/asymbpf/%llu.leases: %zu of its leases make no sense, ignoring",
			 (unsigned long long)l->cookie, ignored);
}

/* --- what is known */

uint32_t leases_device(const struct leases *l, const struct leases_link *k)
{
	const struct lease *lease = &k->lease;

	for (size_t i = 0; lease->addr.s_addr && i < l->n_owners; i++) {
		const struct plan_owner *o = &l->owners[i];

		if (o->link == k->id && addr_is_v4(&o->addr) &&
		    o->addr.s6_addr32[3] == lease->addr.s_addr &&
		    !memcmp(o->mac, lease->chaddr, sizeof(o->mac)))
			return o->ifindex;
	}
	return 0;
}

const struct leases_link *leases_find(const struct leases *l, uint8_t id)
{
	const struct leases_link *k = &l->links[id];

	return k->id && (k->lease.acks || k->lease.naks) ? k : NULL;
}

/* A link that is gone is not missed once its lease is over. */
static void forget(struct leases *l, struct leases_link *k, uint64_t now_ns)
{
	enum lease_state state = lease_state(&k->lease, now_ns);

	if (!l->now[k->id].present && (state == LEASE_NONE || state == LEASE_EXPIRED)) {
		memset(k, 0, sizeof(*k));
		l->changed = true;
	}
}

/* Looks at all links: tells, renews, saves, and knows when to look again. */
static void look(struct leases *l)
{
	uint64_t now = leases_now_ns(), next;

	for (size_t i = 1; i < ASYM_LINK_IDS; i++)
		if (l->links[i].id) {
			leases_tell_state(l, &l->links[i], now);
			forget(l, &l->links[i], now);
		}
	next = leases_watch(l, now);
	uv_update_time(l->loop);
	uv_timer_start(&l->timer, on_timer, (next - now) / MS + 1, 0);
	if (l->changed)
		save_in(l, SAVE_MS);
}

static void on_timer(uv_timer_t *timer)
{
	look(timer->data);
}

/* --- what is heard */

static void take_request(struct leases *l, struct leases_link *k, const struct dhcp_message *m,
			 enum asym_sender sender, uint64_t ns)
{
	struct in_addr before = k->lease.addr;

	if (leases_is_ours(&k->lease, m->xid))
		return;
	lease_request(&k->lease, m, false, ns);
	l->changed |= k->lease.addr.s_addr != before.s_addr;
	if (!dhcp_is_renewal(m))
		return;
	l->changed |= k->sender != sender && leases_find(l, k->id);
	k->sender = sender;
}

static void take_reply(struct leases *l, struct leases_link *k, const struct dhcp_message *m,
		       uint64_t ns)
{
	struct lease was = k->lease;
	enum lease_answer answer = lease_reply(&k->lease, m, ns);

	if (answer == LEASE_IGNORED)
		return;
	l->changed = true;
	leases_tell_answer(l, k, &was, answer, leases_now_ns());
}

static void on_record(void *data, const struct asym_bootp *r)
{
	struct leases *l = data;
	struct leases_link *k = &l->links[r->link];
	uint64_t ns = MIN(r->ns, leases_now_ns());
	struct dhcp_message m;

	if (!k->id || r->sender >= ASYM_SENDER_MAX || dhcp_parse(r->data, r->len, &m))
		return;
	if (r->what >= ASYM_BOOTP_REPLY && m.reply)
		take_reply(l, k, &m, ns);
	else if (r->what < ASYM_BOOTP_REPLY && !m.reply)
		take_request(l, k, &m, r->sender, ns);
}

static void on_read(void *data)
{
	look(data);
}

/* --- following the plan */

static void follow_link(struct leases *l, const struct plan_link *p)
{
	struct leases_link *k = &l->links[p->id];
	struct leases_now *now = &l->now[p->id];

	if (k->id && strcmp(k->name, p->conf->name))
		memset(k, 0, sizeof(*k)); /* ids begin anew with a load */
	k->id = p->id;
	str_copy(k->name, sizeof(k->name), p->conf->name);
	str_copy(now->device, sizeof(now->device), p->conf->device);
	now->present = true;
}

/* Nobody looks any more: what is known would grow old. */
static void forget_all(struct leases *l)
{
	for (size_t i = 0; i < ASYM_LINK_IDS; i++)
		l->changed |= leases_find(l, i) != NULL;
	memset(l->links, 0, sizeof(l->links));
}

static int follow_owners(struct leases *l, const struct plan *p)
{
	struct plan_owner *owners = malloc((p->n_owners + 1) * sizeof(*owners));

	if (!owners)
		return -ENOMEM;
	if (p->n_owners)
		memcpy(owners, p->owners, p->n_owners * sizeof(*owners));
	free(l->owners);
	l->owners = owners;
	l->n_owners = p->n_owners;
	l->watchdog = p->model->dhcp != DHCP_OFF && p->model->dhcp_watchdog;
	for (size_t i = 0; i < ASYM_LINK_IDS; i++)
		l->now[i].present = false;
	if (p->model->dhcp == DHCP_OFF)
		forget_all(l);
	for (size_t i = 0; i < p->n_links; i++)
		follow_link(l, &p->links[i]);
	return 0;
}

/* Both must not read at once. */
static int follow_ring(struct leases *l, const struct object *o)
{
	static const struct leases_ring_ops ops = {on_record, on_read};

	if (leases_ring_reads(l->ring, o->map[MAP_BOOTP]))
		return 0;
	leases_ring_close(l->ring);
	l->ring = NULL;
	if (o->map[MAP_BOOTP] < 0)
		return 0;
	return leases_ring_open(l->loop, o->map[MAP_BOOTP], &ops, l, &l->ring);
}

int leases_plan(struct leases *l, const struct plan *p, const struct object *o)
{
	int r = follow_owners(l, p);

	r = r ?: follow_ring(l, o);
	look(l);
	return r;
}

/* --- begin and end */

void leases_unref(struct leases *l)
{
	if (--l->refs)
		return;
	free(l->owners);
	free(l);
}

static void on_closed(uv_handle_t *handle)
{
	leases_unref(handle->data);
}

int leases_open(uv_loop_t *loop, uint64_t cookie, struct events *events, struct courier *courier,
		struct leases **ret)
{
	struct leases *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	l->cookie = cookie;
	l->events = events;
	l->courier = courier;
	l->loop = loop;
	uv_timer_init(loop, &l->timer);
	uv_timer_init(loop, &l->save);
	l->timer.data = l->save.data = l;
	l->refs = 2;
	load(l);
	*ret = l;
	return 0;
}

void leases_close(struct leases *l)
{
	if (!l)
		return;
	if (l->changed)
		leases_file_write(l->cookie, l->links);
	l->closed = true;
	leases_ring_close(l->ring);
	uv_close((uv_handle_t *)&l->timer, on_closed);
	uv_close((uv_handle_t *)&l->save, on_closed);
}

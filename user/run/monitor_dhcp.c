// SPDX-License-Identifier: GPL-2.0-or-later
/* DHCP clients' renewals: the shim where the guard cannot be, and the leases. */
#include "apply/attach.h"
#include "base/log.h"
#include "run/monitor.h"
#include <errno.h>

int monitor_dhcp_open(struct monitor *m)
{
	int r = courier_open(&m->loop, &m->courier);

	return r ?: leases_open(&m->loop, m->cookie, &m->events, m->courier, &m->leases);
}

void monitor_dhcp_close(struct monitor *m)
{
	shim_close(m->shim);
	leases_close(m->leases);
	courier_close(m->courier);
}

/* Each link is asked once, or until it has one: a guard that goes is put back by the update. */
static bool guard_is_missing(struct monitor *m, const struct plan *p)
{
	struct attachment a;
	bool missing = false;

	attach_init(&a, m->cookie);
	for (size_t i = 0; i < p->n_links; i++) {
		const struct plan_link *l = &p->links[i];

		if (!l->ethernet || !l->ifindex || m->guarded[l->id] == l->ifindex)
			continue;
		if (attach_has_guard(&a, l->ifindex))
			m->guarded[l->id] = l->ifindex;
		else
			missing = true;
	}
	attach_done(&a);
	return missing;
}

static bool wants_shim(struct monitor *m, const struct plan *p)
{
	switch (p->model->dhcp) {
	case DHCP_SHIM:
	case DHCP_BOTH:
		return true;
	case DHCP_GUARD:
		return guard_is_missing(m, p);
	default:
		return false;
	}
}

/* Said once.  Somebody else's shim may end, and its table with it, which leads to a sync; what the
 * kernel refuses, it refuses again. */
static void open_shim(struct monitor *m)
{
	int r, before = m->shim_error;

	if (m->shim || (before && before != -EEXIST))
		return;
	r = shim_open(&m->loop, &m->events, m->courier, &m->shim);
	m->shim_error = r;
	if (r == -EEXIST && before != r)
		log_warn("another process is the DHCP shim here, asymbpf dhcp-shim perhaps");
	else if (r && r != -EEXIST)
		log_err(r, "no DHCP shim: renewals may leave by the wrong link");
}

static void close_shim(struct monitor *m)
{
	shim_close(m->shim);
	m->shim = NULL;
	m->shim_error = 0;
}

void monitor_dhcp_follow(struct monitor *m)
{
	const struct plan *p = &m->s->plan;
	int r = leases_plan(m->leases, p, &m->s->object);

	if (r && r != m->leases_error)
		log_err(r, "cannot watch DHCP leases");
	m->leases_error = r;
	if (wants_shim(m, p))
		open_shim(m);
	else
		close_shim(m);
	r = m->shim ? shim_owners(m->shim, p->owners, p->n_owners) : 0;
	if (r)
		log_err(r, "the DHCP shim goes by the addresses of before");
}

void monitor_dhcp_anew(struct monitor *m)
{
	m->shim_error = 0;
}

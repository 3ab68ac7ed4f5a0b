// SPDX-License-Identifier: GPL-2.0-or-later
#include "run/mesh_names.h"

#include "apply/overlay_move.h"
#include "base/clock.h"
#include "base/defs.h"
#include "base/log.h"
#include "nl/wireguard.h"
#include "run/resolver.h"
#include <errno.h>
#include <netdb.h>
#include <string.h>

#define TICK_MS 1000
#define NS_PER_MS 1000000ull
#define HURRY_MS 2000	     /* between questions for one name, twice as long each time */
#define HANDSHAKE_TICKS 15   /* between looks at the age of handshakes */
#define HANDSHAKE_MAX_S 180  /* REJECT_AFTER_TIME: the session is over */

struct name {
	struct mesh_names *all;
	size_t tunnel; /* index of the plan's */
	char set[OVERLAY_ENDPOINT]; /* address that was set last */
	struct asking *asking;
	bool stale;    /* no handshake for too long */
	bool unknown;  /* the last question had no answer */
	uint64_t asked_ns, next_ns; /* next: not before */
	uint64_t wait_ns; /* to the question after the next, as nothing comes through; 0: it does */
};

struct mesh_names {
	uv_loop_t *loop;
	uv_timer_t timer;
	uint64_t cookie;
	const struct mesh_plan *plan;
	const struct paths *paths;
	struct events *events;
	struct name *items;
	size_t n;
	unsigned int ticks;
};

static const struct mesh_tunnel *tunnel_of(const struct name *n)
{
	return &n->all->plan->tunnels[n->tunnel];
}

static uint64_t period_ns(const struct name *n)
{
	return n->all->plan->mesh->resolve_ms * NS_PER_MS;
}

/* -------- answers */

static void tell_moved(const struct name *n, const struct overlay_moved *moved)
{
	const struct mesh_tunnel *t = tunnel_of(n);
	char text[MESH_ENDPOINT + 2 * OVERLAY_ENDPOINT + 32];
	const struct event e = {
		.kind = EVENT_ENDPOINT, .device = t->device, .state = "moved", .text = text};

	snprintf(text, sizeof(text), "%s is at %s now, was at %s", t->endpoint.host, moved->now,
		 moved->before);
	events_send(n->all->events, &e);
}

static bool is_as_set(const struct name *n, const struct resolved *a)
{
	char text[OVERLAY_ENDPOINT], ignored[1];
	union addr_socket to;

	if (overlay_endpoint_choose(&tunnel_of(n)->endpoint, a, n->set, &to, ignored, 0))
		return true;
	overlay_endpoint_text(&to, text);
	return !strcmp(text, n->set);
}

static void note_unknown(struct name *n, const struct resolved *a)
{
	if (!a->n && !n->unknown)
		log_warn("%s: cannot find the address of \"%s\": %s, going on with %s",
			 tunnel_of(n)->device, tunnel_of(n)->endpoint.host, gai_strerror(a->error),
			 n->set);
	n->unknown = !a->n;
}

static void answered(void *data, const struct resolved *a)
{
	struct overlay_moved moved = {};
	struct name *n = data;
	int r;

	n->asking = NULL;
	note_unknown(n, a);
	if (is_as_set(n, a))
		return;
	r = overlay_move(n->all->cookie, tunnel_of(n), a, &moved);
	if (*moved.now) {
		memcpy(n->set, moved.now, sizeof(n->set));
		tell_moved(n, &moved);
	}
	if (r >= 0)
		return;
	n->next_ns = MIN(n->next_ns, n->asked_ns + HURRY_MS * NS_PER_MS);
	if (r != -EWOULDBLOCK)
		log_err(r, "cannot set the endpoint of %s", tunnel_of(n)->device);
}

/* -------- questions */

static void ask(struct name *n, uint64_t now_ns)
{
	int r = asking_begin(n->all->loop, tunnel_of(n)->endpoint.host, answered, n, &n->asking);

	if (r)
		log_err(r, "cannot ask for the address of \"%s\"", tunnel_of(n)->endpoint.host);
	n->asked_ns = now_ns;
	n->next_ns = now_ns + (n->wait_ns ? MIN(n->wait_ns, period_ns(n)) : period_ns(n));
	n->wait_ns = MIN(2 * n->wait_ns, period_ns(n));
}

/* Something may be amiss with the address; or it is with everything else, for hours. */
static void hurry(struct name *n, bool silent)
{
	if (!silent) {
		n->wait_ns = 0;
	} else if (!n->wait_ns) {
		n->wait_ns = HURRY_MS * NS_PER_MS;
		n->next_ns = MIN(n->next_ns, n->asked_ns + n->wait_ns);
	}
}

static void look_at_handshake(struct name *n)
{
	struct wireguard w;
	int r = wireguard_get(tunnel_of(n)->device, &w);

	explicit_bzero(w.private_key, sizeof(w.private_key));
	n->stale = !r && (int64_t)(clock_ns(CLOCK_REALTIME) / NS_PER_S) - w.handshake_s >
				 HANDSHAKE_MAX_S;
}

static void on_timer(uv_timer_t *timer)
{
	struct mesh_names *names = timer->data;
	uint64_t now_ns = clock_ns(CLOCK_BOOTTIME);
	bool look = ++names->ticks % HANDSHAKE_TICKS == 0;

	for (size_t i = 0; i < names->n; i++) {
		struct name *n = &names->items[i];

		if (look)
			look_at_handshake(n);
		hurry(n, n->stale || paths_tunnel_silent(names->paths, n->tunnel));
		if (!n->asking && now_ns >= n->next_ns)
			ask(n, now_ns);
	}
}

/* -------- begin and end */

static int add(struct mesh_names *names, size_t tunnel, const struct overlay_state *s)
{
	const struct mesh_tunnel *t = &names->plan->tunnels[tunnel];
	const struct overlay_device *d = overlay_state_tunnel(s, t->device);
	struct name *n;

	if (!resolve_is_name(t->endpoint.host) || !d || d->adopted ||
	    strcmp(d->host, t->endpoint.host))
		return 0;
	n = ARRAY_ADD(names->items, names->n);
	if (!n)
		return -ENOMEM;
	*n = (struct name){.all = names, .tunnel = tunnel};
	memcpy(n->set, d->endpoint, sizeof(n->set));
	return 0;
}

static void closed(uv_handle_t *handle)
{
	struct mesh_names *names = handle->data;

	free(names->items);
	free(names);
}

void mesh_names_close(struct mesh_names *names)
{
	if (!names)
		return;
	for (size_t i = 0; i < names->n; i++)
		asking_end(names->items[i].asking);
	uv_close((uv_handle_t *)&names->timer, closed);
}

int mesh_names_open(uv_loop_t *loop, uint64_t cookie, const struct mesh_plan *plan,
		    const struct overlay_state *s, const struct paths *paths,
		    struct events *events, struct mesh_names **ret)
{
	struct mesh_names *names = calloc(1, sizeof(*names));
	int r = 0;

	if (!names)
		return -ENOMEM;
	*names = (struct mesh_names){
		.loop = loop, .cookie = cookie, .plan = plan, .paths = paths, .events = events};
	uv_timer_init(loop, &names->timer);
	names->timer.data = names;
	for (size_t i = 0; i < plan->n_tunnels && !r; i++)
		r = add(names, i, s);
	if (r) {
		mesh_names_close(names);
		return r;
	}
	if (names->n)
		uv_timer_start(&names->timer, on_timer, 0, TICK_MS);
	*ret = names;
	return 0;
}

void mesh_names_refresh(struct mesh_names *names, const struct overlay_state *s)
{
	for (size_t i = 0; names && i < names->n; i++) {
		struct name *n = &names->items[i];
		const struct overlay_device *d = overlay_state_tunnel(s, tunnel_of(n)->device);

		if (d)
			memcpy(n->set, d->endpoint, sizeof(n->set));
	}
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "run/paths.h"

#include "base/clock.h"
#include "base/defs.h"
#include "base/log.h"
#include "nl/wireguard.h"
#include "run/paths_int.h"
#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#define HOLD_S 10 /* longer than it takes; who applies may be stopped, and ways may die meanwhile */
#define READ_AT_ONCE 64 /* datagrams, then others in the loop have their turn */

/* -------- what comes */

struct path_peer *paths_peer(struct paths *p, uint8_t node)
{
	for (size_t i = 0; i < p->n_peers; i++)
		if (p->peers[i].t->node == node)
			return &p->peers[i];
	return NULL;
}

bool paths_is_from(const struct path_peer *peer, const union addr_socket *from, bool port)
{
	if (from->sa.sa_family != peer->addr.sa.sa_family)
		return false;
	if (from->sa.sa_family == AF_INET)
		return from->in.sin_addr.s_addr == peer->addr.in.sin_addr.s_addr &&
		       (!port || from->in.sin_port == peer->addr.in.sin_port);
	return addr_equal(&from->in6.sin6_addr, &peer->addr.in6.sin6_addr) &&
	       (!port || from->in6.sin6_port == peer->addr.in6.sin6_port);
}

static void take(struct paths *p, const void *data, size_t len, const union addr_socket *from)
{
	struct path_peer *peer;
	struct wire w;

	if (wire_read(data, len, &w))
		return;
	/* of another description, indices may be those of anybody: addresses are what counts */
	peer = paths_peer(p, w.from);
	for (size_t i = 0; w.hash != p->hash && i < p->n_peers; i++)
		if (paths_is_from(&p->peers[i], from, true))
			peer = &p->peers[i];
	if (!peer || !paths_is_from(peer, from, true) ||
	    (w.hash == p->hash && w.to != p->plan->self))
		return;
	path_peer_take(p, peer, &w, paths_now());
}

static void read_some(struct paths *p, size_t socket)
{
	for (int i = 0; i < READ_AT_ONCE; i++) {
		uint8_t data[PATHS_DATAGRAM + 1];
		union addr_socket from = {};
		socklen_t size = sizeof(from);
		ssize_t len =
			recvfrom(p->fds[socket], data, sizeof(data), MSG_DONTWAIT, &from.sa, &size);

		if (len >= 0 && socket >= PATHS_ECHO)
			paths_echo_take(p, data, len, &from);
		else if (len >= 0)
			take(p, data, len, &from);
		else if (errno == EAGAIN)
			return;
	}
}

static void readable(uv_poll_t *poll, int status, int events)
{
	struct paths *p = poll->data;

	read_some(p, poll - p->polls);
	/* libuv takes an error of the socket, such as an ICMP message, for its end */
	if (status < 0)
		uv_poll_start(poll, UV_READABLE, readable);
}

static void on_timer(uv_timer_t *timer)
{
	struct paths *p = timer->data;
	uint64_t now_ns = paths_now();

	for (size_t i = p->slot; i < p->n_peers; i += PATHS_SLOTS)
		path_peer_tick(p, &p->peers[i], now_ns);
	p->slot = (p->slot + 1) % PATHS_SLOTS;
}

/* -------- begin and end */

static int find_devices(struct paths *p)
{
	free(p->ifindex);
	p->ifindex = calloc(p->plan->n_tunnels + 1, sizeof(*p->ifindex));
	if (!p->ifindex)
		return -ENOMEM;
	for (size_t i = 0; i < p->plan->n_tunnels; i++)
		p->ifindex[i] = if_nametoindex(p->plan->tunnels[i].device);
	return 0;
}

/* Nodes with no family in common with us cannot be probed; nothing but static preference is there
 * for them. */
static int init_peers(struct paths *p)
{
	p->peers = calloc(p->plan->n_targets + 1, sizeof(*p->peers));
	if (!p->peers)
		return -ENOMEM;
	for (size_t i = 0; i < p->plan->n_targets; i++) {
		int r = path_peer_init(p, &p->peers[p->n_peers], &p->plan->targets[i]);

		if (r && r != -EAFNOSUPPORT)
			return r;
		p->n_peers += !r;
	}
	return 0;
}

static int open_poll(struct paths *p, uv_loop_t *loop, size_t socket)
{
	int r = uv_poll_init(loop, &p->polls[socket], p->fds[socket]);

	if (r)
		return r;
	p->handles++;
	p->polls[socket].data = p;
	return uv_poll_start(&p->polls[socket], UV_READABLE, readable);
}

static int open_socket(struct paths *p, uv_loop_t *loop, enum asym_family f)
{
	int r;

	if (addr_is_zero(&paths_mesh(p)->nodes[p->plan->self].addr[f]))
		return 0;
	p->fds[f] = paths_socket(p, f);
	r = p->fds[f] < 0 ? p->fds[f] : open_poll(p, loop, f);
	if (r)
		return r;
	p->fds[PATHS_ECHO + f] = paths_echo_socket(p, f);
	return p->fds[PATHS_ECHO + f] < 0 ? 0 : open_poll(p, loop, PATHS_ECHO + f);
}

static void free_all(struct paths *p)
{
	for (int i = 0; i < PATHS_SOCKETS; i++)
		if (p->fds[i] >= 0)
			close(p->fds[i]);
	overlay_maps_done(&p->maps);
	free(p->ifindex);
	free(p->peers);
	free(p);
}

static void closed(uv_handle_t *handle)
{
	struct paths *p = handle->data;

	if (!--p->handles)
		free_all(p);
}

void paths_close(struct paths *p)
{
	if (!p)
		return;
	/* now, not when the loop gets to it: others may open */
	for (int i = 0; i < PATHS_SOCKETS; i++) {
		if (!p->polls[i].data)
			continue;
		uv_close((uv_handle_t *)&p->polls[i], closed);
		close(TAKE_FD(p->fds[i]));
	}
	uv_close((uv_handle_t *)&p->timer, closed);
}

static int open_all(struct paths *p, uv_loop_t *loop)
{
	int r = find_devices(p) ?: mesh_probe_ms(paths_mesh(p), &p->probe_ms);

	p->hash = mesh_hash(paths_mesh(p));
	if (getrandom(&p->session, sizeof(p->session), 0) < 0)
		return -errno;
	p->session |= 1;
	r = r ?: init_peers(p);
	if (!r)
		paths_mtu_init(p);
	for (int f = 0; f < ASYM_FAMILIES && !r; f++)
		r = open_socket(p, loop, f);
	if (!r)
		uv_timer_start(&p->timer, on_timer, 0, MAX(p->probe_ms / PATHS_SLOTS, 1u));
	return r;
}

int paths_open(uv_loop_t *loop, const struct mesh_plan *plan, struct events *events,
               struct paths **ret)
{
	struct paths *p = calloc(1, sizeof(*p));
	int r = p ? overlay_maps_find(&p->maps) : -ENOMEM;

	if (r) {
		free(p);
		return r;
	}
	p->plan = plan;
	p->events = events;
	for (int i = 0; i < PATHS_SOCKETS; i++)
		p->fds[i] = -1;
	uv_timer_init(loop, &p->timer);
	p->timer.data = p;
	p->handles = 1;
	r = open_all(p, loop);
	if (r)
		paths_close(p);
	else
		*ret = p;
	return r;
}

/* -------- changes */

static void set_endpoint(const char *device)
{
	int r = wireguard_renew_endpoint(device);

	if (r && r != -ENODEV)
		log_err(r, "cannot set the endpoint of %s again", device);
}

void paths_address_changed(struct paths *p)
{
	uint64_t now_ns = paths_now();

	for (size_t i = 0; i < p->plan->n_tunnels; i++)
		set_endpoint(p->plan->tunnels[i].device);
	paths_mtu_restart(p);
	for (size_t i = 0; i < p->n_peers; i++)
		path_peer_tick(p, &p->peers[i], now_ns);
}

bool paths_tunnel_silent(const struct paths *p, size_t tunnel)
{
	uint64_t now_ns = paths_now();
	bool silent = false;

	for (size_t i = 0; i < p->n_peers; i++) {
		const struct path_peer *peer = &p->peers[i];
		bool talks = choice_talks(&peer->choice, now_ns);

		for (uint8_t k = 0; k < peer->choice.n; k++) {
			if (peer->t->ways[k].tunnel != tunnel)
				continue;
			if (talks && !peer->choice.ways[k].dead)
				return false;
			silent = true;
		}
	}
	return silent;
}

void paths_hold(struct paths *p)
{
	if (p)
		p->held_ns = paths_now() + HOLD_S * NS_PER_S;
}

void paths_refresh(struct paths *p)
{
	uint64_t now_ns = paths_now();
	struct overlay_maps maps;
	int r;

	/* where the programs were put on anew, maps are others */
	r = overlay_maps_find(&maps) ?: find_devices(p);
	if (r) {
		log_err(r, "cannot write the ways of the mesh");
		return;
	}
	overlay_maps_done(&p->maps);
	p->maps = maps;
	p->held_ns = 0;
	for (size_t i = 0; i < p->n_peers; i++)
		path_peer_write(p, &p->peers[i], true, now_ns);
	paths_mtu_write(p);
}

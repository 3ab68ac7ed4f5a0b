// SPDX-License-Identifier: GPL-2.0-or-later
#include "nl/wireguard_int.h"

#include "nl/device.h"
#include "nl/link.h"
#include <errno.h>
#include <linux/netlink.h>
#include <string.h>

enum kind { KIND_KERNEL, KIND_USER };

void wireguard_dump_done(struct wireguard_dump *d)
{
	explicit_bzero(d->private_key, sizeof(d->private_key));
	free(d->peers);
	*d = (struct wireguard_dump){};
}

static int find(struct nl *nl, const char *device, enum kind *ret)
{
	struct host_device d;
	int r = link_find(nl, device, &d);

	if (r)
		return r;
	if (!strcmp(d.kind, "wireguard"))
		*ret = KIND_KERNEL;
	else if (!strcmp(d.kind, "tun") && wireguard_process_listens(device))
		*ret = KIND_USER;
	else
		return -EMEDIUMTYPE;
	return 0;
}

static int find_kind(const char *device, enum kind *ret)
{
	_cleanup_nl_ struct nl nl = {};
	int r = nl_open(&nl, NETLINK_ROUTE);

	return r ?: find(&nl, device, ret);
}

bool wireguard_is(const char *device)
{
	enum kind kind;

	return !find_kind(device, &kind);
}

int wireguard_create(const char *device)
{
	_cleanup_nl_ struct nl nl = {};
	struct host_device d;
	int r = nl_open(&nl, NETLINK_ROUTE);

	r = r ?: device_create(&nl, device, "wireguard");
	if (r != -EOPNOTSUPP)
		return r;
	/* wireguard-go would only say that it failed */
	if (!link_find(&nl, device, &d))
		return -EEXIST;
	return wireguard_process_start(device);
}

int wireguard_remove(const char *device)
{
	_cleanup_nl_ struct nl nl = {};
	enum kind kind;
	int r = nl_open(&nl, NETLINK_ROUTE);

	r = r ?: find(&nl, device, &kind);
	r = r ?: device_delete(&nl, device);
	if (!r && kind == KIND_USER)
		wireguard_process_wait_end(device);
	return r;
}

static int dump(const char *device, struct wireguard_dump *d, enum kind *ret)
{
	int r = find_kind(device, ret);

	if (r)
		return r;
	return *ret == KIND_USER ? wireguard_user_dump(device, d) :
				   wireguard_kernel_dump(device, d);
}

static bool key_equal(const uint8_t *a, const uint8_t *b)
{
	return !memcmp(a, b, WIREGUARD_KEY);
}

static bool endpoint_equal(const union addr_socket *a, const union addr_socket *b)
{
	if (a->sa.sa_family != b->sa.sa_family)
		return false;
	if (a->sa.sa_family == AF_INET)
		return a->in.sin_port == b->in.sin_port &&
		       a->in.sin_addr.s_addr == b->in.sin_addr.s_addr;
	return a->sa.sa_family != AF_INET6 ||
	       (a->in6.sin6_port == b->in6.sin6_port &&
		addr_equal(&a->in6.sin6_addr, &b->in6.sin6_addr) &&
		a->in6.sin6_scope_id == b->in6.sin6_scope_id);
}

static void compare_peer(struct wireguard_change *c, const struct wireguard_peer *is,
			 bool set_endpoint)
{
	const struct wireguard *w = c->w;

	c->endpoint = w->endpoint.sa.sa_family &&
		      (!is || (set_endpoint && !endpoint_equal(&is->endpoint, &w->endpoint)));
	c->keepalive = !is || is->keepalive_s != w->keepalive_s;
	c->allowed_ips = !is || !is->all_v4 || !is->all_v6 || is->n_other;
	c->peer = !is || c->endpoint || c->keepalive || c->allowed_ips;
}

/* remove: room for all peers. */
static void compare(struct wireguard_change *c, const struct wireguard_dump *is, bool set_endpoint,
		    uint8_t (*remove)[WIREGUARD_KEY])
{
	const struct wireguard_peer *peer = NULL;
	const struct wireguard *w = c->w;

	c->private_key = !key_equal(is->private_key, w->private_key);
	c->listen_port = w->listen_port && is->listen_port != w->listen_port;
	c->fwmark = is->fwmark != w->fwmark;
	c->remove = remove;
	for (size_t i = 0; i < is->n_peers; i++)
		if (key_equal(is->peers[i].key, w->peer))
			peer = &is->peers[i];
		else
			memcpy(remove[c->n_remove++], is->peers[i].key, WIREGUARD_KEY);
	compare_peer(c, peer, set_endpoint);
}

static int change(const char *device, enum kind kind, const struct wireguard_change *c)
{
	return kind == KIND_USER ? wireguard_user_change(device, c) :
				   wireguard_kernel_change(device, c);
}

int wireguard_set(const char *device, const struct wireguard *w, bool set_endpoint)
{
	_cleanup_wireguard_dump_ struct wireguard_dump is = {};
	_cleanup_free_ uint8_t(*remove)[WIREGUARD_KEY] = NULL;
	struct wireguard_change c = {.w = w};
	enum kind kind;
	int r = dump(device, &is, &kind);

	if (r)
		return r;
	remove = calloc(is.n_peers + 1, sizeof(*remove));
	if (!remove)
		return -ENOMEM;
	compare(&c, &is, set_endpoint, remove);
	if (!c.private_key && !c.listen_port && !c.fwmark && !c.peer && !c.n_remove)
		return 0;
	return change(device, kind, &c);
}

int wireguard_release_port(const char *device)
{
	static const struct wireguard any = {};
	const struct wireguard_change c = {.w = &any, .listen_port = true};
	enum kind kind;
	int r = find_kind(device, &kind);

	return r ?: change(device, kind, &c);
}

static void copy_peer(const struct wireguard_peer *p, struct wireguard *ret)
{
	memcpy(ret->peer, p->key, sizeof(ret->peer));
	ret->endpoint = p->endpoint;
	ret->keepalive_s = p->keepalive_s;
	ret->rx_bytes = p->rx_bytes;
	ret->tx_bytes = p->tx_bytes;
	ret->handshake_s = p->handshake_s;
}

int wireguard_get(const char *device, struct wireguard *ret)
{
	_cleanup_wireguard_dump_ struct wireguard_dump is = {};
	enum kind kind;
	int r = dump(device, &is, &kind);

	if (r)
		return r;
	*ret = (struct wireguard){.listen_port = is.listen_port, .fwmark = is.fwmark};
	memcpy(ret->private_key, is.private_key, sizeof(ret->private_key));
	if (!is.n_peers)
		return -ENOENT;
	copy_peer(&is.peers[0], ret);
	return 0;
}

int wireguard_renew_endpoint(const char *device)
{
	_cleanup_wireguard_dump_ struct wireguard_dump is = {};
	struct wireguard w = {};
	const struct wireguard_change c = {.w = &w, .peer = true, .endpoint = true};
	enum kind kind;
	int r = dump(device, &is, &kind);

	if (r || !is.n_peers || !is.peers[0].endpoint.sa.sa_family)
		return r;
	copy_peer(&is.peers[0], &w);
	return change(device, kind, &c);
}

/* When keepalives begin, one is sent: by the kernel (drivers/net/wireguard/netlink.c, set_peer) and by
 * wireguard-go (device/uapi.go, handlePostConfig). */
static int send_keepalive(const char *device, enum kind kind, struct wireguard *w)
{
	const struct wireguard_change c = {.w = w, .peer = true, .keepalive = true};
	uint16_t wanted_s = w->keepalive_s;
	int r;

	w->keepalive_s = wanted_s ? 0 : UINT16_MAX;
	r = change(device, kind, &c);
	w->keepalive_s = wanted_s;
	return r ?: change(device, kind, &c);
}

int wireguard_move_endpoint(const char *device, const union addr_socket *endpoint)
{
	_cleanup_wireguard_dump_ struct wireguard_dump is = {};
	struct wireguard w = {};
	const struct wireguard_change c = {.w = &w, .peer = true, .endpoint = true};
	enum kind kind;
	int r = dump(device, &is, &kind);

	if (r || !is.n_peers)
		return r ?: -ENOENT;
	copy_peer(&is.peers[0], &w);
	w.endpoint = *endpoint;
	r = change(device, kind, &c);
	return r ?: send_keepalive(device, kind, &w);
}

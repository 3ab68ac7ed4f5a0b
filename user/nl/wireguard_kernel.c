// SPDX-License-Identifier: GPL-2.0-or-later
/* The kernel's WireGuard, by generic netlink. */
#include "nl/wireguard_int.h"

#include "nl/attr.h"
#include "nl/genl.h"
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/wireguard.h>
#include <net/if.h>
#include <string.h>

static const struct attr_size device_policy[] = {
	[WGDEVICE_A_PRIVATE_KEY] = {WIREGUARD_KEY, WIREGUARD_KEY},
	[WGDEVICE_A_LISTEN_PORT] = {2, 2},
	[WGDEVICE_A_FWMARK] = ATTR_U32,
	[WGDEVICE_A_PEERS] = ATTR_NEST,
};

static const struct attr_size peer_policy[] = {
	[WGPEER_A_PUBLIC_KEY] = {WIREGUARD_KEY, WIREGUARD_KEY},
	[WGPEER_A_ENDPOINT] = {sizeof(struct sockaddr_in), sizeof(struct sockaddr_in6)},
	[WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL] = {2, 2},
	[WGPEER_A_LAST_HANDSHAKE_TIME] = {2 * sizeof(int64_t), 2 * sizeof(int64_t)},
	[WGPEER_A_RX_BYTES] = {8, 8},
	[WGPEER_A_TX_BYTES] = {8, 8},
	[WGPEER_A_ALLOWEDIPS] = ATTR_NEST,
};

static const struct attr_size ip_policy[] = {
	[WGALLOWEDIP_A_FAMILY] = {2, 2},
	[WGALLOWEDIP_A_CIDR_MASK] = ATTR_U8,
};

static void copy(const struct nlattr *a, void *to, size_t size)
{
	if (a)
		memcpy(to, mnl_attr_get_payload(a),
		       MIN((size_t)mnl_attr_get_payload_len(a), size));
}

static int parse_allowed(const struct nlattr *nest, struct wireguard_peer *peer)
{
	const struct nlattr *tb[ARRAY_SIZE(ip_policy)], *a;

	mnl_attr_for_each_nested(a, nest) {
		int r = attr_parse_nest(a, ip_policy, ARRAY_SIZE(ip_policy), tb);
		bool v4;

		if (r || !tb[WGALLOWEDIP_A_FAMILY])
			return -EBADMSG;
		v4 = mnl_attr_get_u16(tb[WGALLOWEDIP_A_FAMILY]) == AF_INET;
		if (attr_u8(tb[WGALLOWEDIP_A_CIDR_MASK], 1))
			peer->n_other++;
		else if (v4)
			peer->all_v4 = true;
		else
			peer->all_v6 = true;
	}
	return 0;
}

/* A peer with many allowed IPs is continued in the next message, with its key alone. */
static struct wireguard_peer *peer_of(struct wireguard_dump *d, const struct nlattr *key)
{
	struct wireguard_peer *p = d->n_peers ? &d->peers[d->n_peers - 1] : NULL;

	if (p && !memcmp(p->key, mnl_attr_get_payload(key), sizeof(p->key)))
		return p;
	p = ARRAY_ADD(d->peers, d->n_peers);
	if (p)
		copy(key, p->key, sizeof(p->key));
	return p;
}

static int parse_peer(const struct nlattr *nest, struct wireguard_dump *d)
{
	const struct nlattr *tb[ARRAY_SIZE(peer_policy)];
	int r = attr_parse_nest(nest, peer_policy, ARRAY_SIZE(peer_policy), tb);
	struct wireguard_peer *p;

	if (r || !tb[WGPEER_A_PUBLIC_KEY])
		return r ?: -EBADMSG;
	p = peer_of(d, tb[WGPEER_A_PUBLIC_KEY]);
	if (!p)
		return -ENOMEM;
	copy(tb[WGPEER_A_ENDPOINT], &p->endpoint, sizeof(p->endpoint));
	copy(tb[WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL], &p->keepalive_s, sizeof(p->keepalive_s));
	copy(tb[WGPEER_A_RX_BYTES], &p->rx_bytes, sizeof(p->rx_bytes));
	copy(tb[WGPEER_A_TX_BYTES], &p->tx_bytes, sizeof(p->tx_bytes));
	copy(tb[WGPEER_A_LAST_HANDSHAKE_TIME], &p->handshake_s, sizeof(p->handshake_s));
	return tb[WGPEER_A_ALLOWEDIPS] ? parse_allowed(tb[WGPEER_A_ALLOWEDIPS], p) : 0;
}

static int on_device(const struct nlmsghdr *h, void *data)
{
	const struct nlattr *tb[ARRAY_SIZE(device_policy)], *a;
	struct wireguard_dump *d = data;
	int r = attr_parse(h, sizeof(struct genlmsghdr), device_policy, ARRAY_SIZE(device_policy),
			   tb);

	if (r)
		return r;
	copy(tb[WGDEVICE_A_PRIVATE_KEY], d->private_key, sizeof(d->private_key));
	copy(tb[WGDEVICE_A_LISTEN_PORT], &d->listen_port, sizeof(d->listen_port));
	copy(tb[WGDEVICE_A_FWMARK], &d->fwmark, sizeof(d->fwmark));
	if (tb[WGDEVICE_A_PEERS])
		mnl_attr_for_each_nested(a, tb[WGDEVICE_A_PEERS]) {
			r = parse_peer(a, d);
			if (r)
				return r;
		}
	return 0;
}

static void reset(void *data)
{
	wireguard_dump_done(data);
}

static int open_family(struct nl *nl, uint16_t *ret)
{
	int r = nl_open(nl, NETLINK_GENERIC);

	return r ?: genl_family(nl, WG_GENL_NAME, ret);
}

static void begin(struct nl_msg *m, uint16_t family, uint8_t cmd, const char *device)
{
	const struct genlmsghdr header = {.cmd = cmd, .version = WG_GENL_VERSION};

	nl_begin(m, family, 0, &header, sizeof(header));
	nl_put_str(m, WGDEVICE_A_IFNAME, device);
}

int wireguard_kernel_dump(const char *device, struct wireguard_dump *d)
{
	_cleanup_nl_ struct nl nl = {};
	struct nl_msg m;
	uint16_t family;
	int r = open_family(&nl, &family);

	if (r)
		return r;
	begin(&m, family, WG_CMD_GET_DEVICE, device);
	return nl_dump(&nl, &m, on_device, reset, d);
}

static void put_ip(struct nl_msg *m, uint16_t ip_family, size_t size)
{
	static const struct in6_addr any;
	struct nlattr *nest = nl_nest_begin(m, NLA_F_NESTED);

	nl_put_u16(m, WGALLOWEDIP_A_FAMILY, ip_family);
	nl_put(m, WGALLOWEDIP_A_IPADDR, &any, size);
	nl_put_u8(m, WGALLOWEDIP_A_CIDR_MASK, 0);
	nl_nest_end(m, nest);
}

static void put_peer_values(struct nl_msg *m, const struct wireguard_change *c)
{
	const union addr_socket *endpoint = &c->w->endpoint;
	struct nlattr *nest;

	if (c->endpoint)
		nl_put(m, WGPEER_A_ENDPOINT, endpoint,
		       endpoint->sa.sa_family == AF_INET ? sizeof(endpoint->in) :
							   sizeof(endpoint->in6));
	if (c->keepalive)
		nl_put_u16(m, WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL, c->w->keepalive_s);
	if (!c->allowed_ips)
		return;
	nest = nl_nest_begin(m, WGPEER_A_ALLOWEDIPS);
	put_ip(m, AF_INET, sizeof(struct in_addr));
	put_ip(m, AF_INET6, sizeof(struct in6_addr));
	nl_nest_end(m, nest);
}

/* c NULL: the peer goes. */
static void put_peer(struct nl_msg *m, const uint8_t *key, const struct wireguard_change *c)
{
	struct nlattr *peers = nl_nest_begin(m, WGDEVICE_A_PEERS);
	struct nlattr *peer = nl_nest_begin(m, NLA_F_NESTED);

	nl_put(m, WGPEER_A_PUBLIC_KEY, key, WIREGUARD_KEY);
	nl_put_u32(m, WGPEER_A_FLAGS,
		   !c ? WGPEER_F_REMOVE_ME : c->allowed_ips ? WGPEER_F_REPLACE_ALLOWEDIPS : 0);
	if (c)
		put_peer_values(m, c);
	nl_nest_end(m, peer);
	nl_nest_end(m, peers);
}

static int remove_peers(struct nl *nl, uint16_t family, const char *device,
			const struct wireguard_change *c)
{
	struct nl_msg m;
	int r = 0;

	for (size_t i = 0; i < c->n_remove && !r; i++) {
		begin(&m, family, WG_CMD_SET_DEVICE, device);
		put_peer(&m, c->remove[i], NULL);
		r = nl_ask(nl, &m, NULL, NULL);
	}
	return r;
}

int wireguard_kernel_change(const char *device, const struct wireguard_change *c)
{
	_cleanup_nl_ struct nl nl = {};
	struct nl_msg m;
	uint16_t family;
	int r = open_family(&nl, &family);

	if (r)
		return r;
	begin(&m, family, WG_CMD_SET_DEVICE, device);
	if (c->private_key)
		nl_put(&m, WGDEVICE_A_PRIVATE_KEY, c->w->private_key, WIREGUARD_KEY);
	if (c->listen_port)
		nl_put_u16(&m, WGDEVICE_A_LISTEN_PORT, c->w->listen_port);
	if (c->fwmark)
		nl_put_u32(&m, WGDEVICE_A_FWMARK, c->w->fwmark);
	if (c->peer)
		put_peer(&m, c->w->peer, c);
	r = nl_ask(&nl, &m, NULL, NULL);
	explicit_bzero(m.buf, sizeof(m.buf));
	return r ?: remove_peers(&nl, family, device, c);
}

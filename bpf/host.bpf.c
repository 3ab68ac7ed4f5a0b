// SPDX-License-Identifier: GPL-2.0-only
/*
 * The router's own connections, on the root of the cgroup tree: the same rules as for a LAN, asked
 * before the kernel chooses route and source address.
 *
 * connect() gets a mark on the socket, with which the route is looked up (net/ipv4/tcp_ipv4.c,
 * tcp_v4_connect, after pre_connect).  udp_sendmsg() of an unconnected socket has read the mark
 * before it comes here (net/ipv4/udp.c, ipcm_init_sk), so there the datagram gets the link's source
 * address, and the rule "from ADDRESS" does the rest: from the first datagram on, and for each
 * destination anew.  A source address of a link would be wrong where main has a route of its own, a
 * connected network say: the set ASYM_SET_SPECIFIC knows those.
 *
 * Left alone: sockets bound to an address or a device, sockets that their owner marked, requests
 * to DHCP servers, and UDP sockets that received before they ever sent: those are servers, and must
 * answer from the address that was asked.  The cgroup tree spans network namespaces; the cookie
 * keeps us to our own.
 */
#include "lib/choose.h"
#include "lib/parse.h"

/* include/linux/socket.h, include/uapi/asm-generic/socket.h */
#define AF_INET 2
#define AF_INET6 10
#define SOL_SOCKET 1
#define SO_MARK 36
/* include/uapi/asm-generic/errno.h */
#define EINVAL 22
#define ENETUNREACH 101

#define PORT_DHCP_SERVER 67
#define PORT_DHCPV6_SERVER 547

enum role { ROLE_UNKNOWN, ROLE_CLIENT, ROLE_SERVER };

/* What we know of a socket: who spoke first, and the mark that we gave it. */
struct host_socket {
	__u32 role;
	__u32 mark;
};

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct host_socket);
} asym_sockets SEC(".maps");

ASYM_INLINE bool in_our_netns(struct bpf_sock_addr *ctx)
{
	__u32 zero = 0;
	struct asym_control *control = bpf_map_lookup_elem(&asym_control, &zero);

	return control && bpf_get_netns_cookie(ctx) == control->netns_cookie;
}

ASYM_INLINE bool addr_is_any(const struct asym_addr *a)
{
	return !(a->w[0] | a->w[1] | a->w[2] | a->w[3]) ||
	       (!(a->w[0] | a->w[1] | a->w[3]) && a->w[2] == bpf_htonl(0xffff));
}

/*
 * The verifier takes socket fields by fixed offsets only, and clang 14 merges accesses of two
 * branches through a computed pointer ("pointer arithmetic on sock prohibited").  So the family is
 * a constant of each program, not a branch.
 */
ASYM_INLINE void flow_of_v4(struct bpf_sock_addr *ctx, struct bpf_sock *sk, struct asym_flow *f)
{
	f->family = ASYM_V4;
	f->dst = addr_from_v4(ctx->user_ip4);
	f->src = addr_from_v4(sk->src_ip4);
}

/* An IPv6 socket may speak to an IPv4 host, ::ffff:a.b.c.d. */
ASYM_INLINE void flow_of_v6(struct bpf_sock_addr *ctx, struct bpf_sock *sk, struct asym_flow *f)
{
	f->dst.w[0] = ctx->user_ip6[0];
	f->dst.w[1] = ctx->user_ip6[1];
	f->dst.w[2] = ctx->user_ip6[2];
	f->dst.w[3] = ctx->user_ip6[3];
	f->src.w[0] = sk->src_ip6[0];
	f->src.w[1] = sk->src_ip6[1];
	f->src.w[2] = sk->src_ip6[2];
	f->src.w[3] = sk->src_ip6[3];
	f->family = ASYM_V6;
	if (!(f->dst.w[0] | f->dst.w[1]) && f->dst.w[2] == bpf_htonl(0xffff))
		f->family = ASYM_V4;
}

/* Where the socket wants to go, and from where if it is bound. */
ASYM_INLINE void flow_of_socket(struct bpf_sock_addr *ctx, struct bpf_sock *sk, int family,
				struct asym_flow *f)
{
	if (family == AF_INET)
		flow_of_v4(ctx, sk, f);
	else
		flow_of_v6(ctx, sk, f);
	f->proto = ctx->protocol;
	f->dport = bpf_ntohs((__u16)ctx->user_port);
	f->has_ports = asym_proto_has_ports(f->proto);
}

ASYM_INLINE bool out_of_scope(const struct asym_flow *f)
{
	if (f->proto == IPPROTO_UDP &&
	    (f->dport == PORT_DHCP_SERVER || f->dport == PORT_DHCPV6_SERVER))
		return true;
	return f->family == ASYM_V4 ? scope_v4(f->dst.w[3]) : scope_v6(&f->dst);
}

/* The connection has no source port yet; the socket's cookie makes up for it, so that connections
 * to one server spread and the datagrams of one socket stay together. */
ASYM_INLINE void stand_in_source(struct bpf_sock_addr *ctx, struct asym_flow *f)
{
	__u64 cookie = bpf_get_socket_cookie(ctx);

	f->sport = cookie ^ (cookie >> 16) ^ (cookie >> 32);
}

ASYM_INLINE enum asym_reason set_mark(struct bpf_sock_addr *ctx, struct host_socket *known,
				      const struct choice *c, enum choose_result chosen)
{
	struct bpf_sock *sk = ctx->sk;
	__u32 mark = (sk->mark & ~c->config->mark_mask) | c->link << c->config->mark_shift;

	if (mark != sk->mark && bpf_setsockopt(ctx, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)))
		return ASYM_HOST_FAILED;
	known->mark = mark;
	return ASYM_HOST_BUCKET + chosen;
}

/* Fills c for a socket that is ours to steer; ASYM_REASON_MAX, or why it is not. */
ASYM_INLINE enum asym_reason host_begin(struct bpf_sock_addr *ctx, int family, bool source_given,
					struct choice *c, struct host_socket **ret_known)
{
	struct host_socket *known;
	struct bpf_sock *sk = ctx->sk;

	if (!sk || !choose_begin(c))
		return ASYM_HOST_NO_RULE;
	flow_of_socket(ctx, sk, family, &c->flow);
	if (out_of_scope(&c->flow))
		return ASYM_HOST_SCOPE;
	if (source_given || sk->bound_dev_if || !addr_is_any(&c->flow.src))
		return ASYM_HOST_BOUND;
	known = bpf_sk_storage_get(&asym_sockets, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (!known)
		return ASYM_HOST_FAILED;
	if (known->role == ROLE_SERVER)
		return ASYM_HOST_BOUND;
	known->role = ROLE_CLIENT;
	if ((sk->mark & c->config->mark_mask) && sk->mark != known->mark)
		return ASYM_HOST_MARKED;
	stand_in_source(ctx, &c->flow);
	*ret_known = known;
	return ASYM_REASON_MAX;
}

ASYM_INLINE enum asym_reason host_connect(struct bpf_sock_addr *ctx, int family)
{
	struct choice c = {};
	struct host_socket *known = NULL;
	enum asym_reason reason = host_begin(ctx, family, false, &c, &known);

	if (reason != ASYM_REASON_MAX || !known)
		return reason;
	return set_mark(ctx, known, &c, choose_link(&c));
}

/* What the last resort's rule says to connect().  The ids are those of enum plan_reserved. */
ASYM_INLINE int last_resort_error(const struct choice *c)
{
	__u32 top = c->config->mark_mask >> c->config->mark_shift;

	if (c->link == top - 1)
		return -ENETUNREACH;
	return c->link == top - 2 ? -EINVAL : 0;
}

struct send {
	struct asym_addr source; /* to be set, or zero */
	enum asym_reason reason;
	int error; /* 0, or the datagram is refused with it */
};

ASYM_INLINE void host_send(struct bpf_sock_addr *ctx, int family, bool source_given,
			   struct send *ret)
{
	struct choice c = {};
	struct host_socket *known = NULL;
	struct asym_link *link;
	enum choose_result chosen;
	__u32 slot;

	ret->reason = host_begin(ctx, family, source_given, &c, &known);
	if (ret->reason != ASYM_REASON_MAX)
		return;
	ret->reason = ASYM_HOST_SPECIFIC;
	if (asym_set_has(ASYM_SET_SPECIFIC, &c.flow.dst, &c))
		return;
	chosen = choose_link(&c);
	ret->reason = ASYM_HOST_BUCKET + chosen;
	if (chosen == CHOOSE_LAST_RESORT)
		ret->error = last_resort_error(&c);
	slot = c.bank * ASYM_LINK_IDS + (c.link & (ASYM_LINK_IDS - 1));
	link = bpf_map_lookup_elem(&asym_links, &slot);
	if (link)
		ret->source = link->addr[c.flow.family & 1];
}

ASYM_INLINE int verdict(const struct send *s)
{
	count_reason(s->reason);
	if (!s->error)
		return 1;
	bpf_set_retval(s->error);
	return 0;
}

SEC("cgroup/connect4")
int asym_connect4(struct bpf_sock_addr *ctx)
{
	if (in_our_netns(ctx))
		count_reason(host_connect(ctx, AF_INET));
	return 1;
}

SEC("cgroup/connect6")
int asym_connect6(struct bpf_sock_addr *ctx)
{
	if (in_our_netns(ctx))
		count_reason(host_connect(ctx, AF_INET6));
	return 1;
}

SEC("cgroup/sendmsg4")
int asym_sendmsg4(struct bpf_sock_addr *ctx)
{
	struct send s = {};

	if (!in_our_netns(ctx))
		return 1;
	host_send(ctx, AF_INET, ctx->msg_src_ip4, &s);
	if (s.source.w[3])
		ctx->msg_src_ip4 = s.source.w[3];
	return verdict(&s);
}

SEC("cgroup/sendmsg6")
int asym_sendmsg6(struct bpf_sock_addr *ctx)
{
	struct send s = {};

	if (!in_our_netns(ctx))
		return 1;
	host_send(ctx, AF_INET6,
		  ctx->msg_src_ip6[0] | ctx->msg_src_ip6[1] | ctx->msg_src_ip6[2] |
			  ctx->msg_src_ip6[3],
		  &s);
	if (s.source.w[3]) {
		ctx->msg_src_ip6[0] = s.source.w[0];
		ctx->msg_src_ip6[1] = s.source.w[1];
		ctx->msg_src_ip6[2] = s.source.w[2];
		ctx->msg_src_ip6[3] = s.source.w[3];
	}
	return verdict(&s);
}

/* A socket that is spoken to first is a server. */
ASYM_INLINE void host_received(struct bpf_sock_addr *ctx)
{
	struct host_socket *known;

	if (!ctx->sk || !in_our_netns(ctx))
		return;
	known = bpf_sk_storage_get(&asym_sockets, ctx->sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (known && known->role == ROLE_UNKNOWN)
		known->role = ROLE_SERVER;
}

SEC("cgroup/recvmsg4")
int asym_recvmsg4(struct bpf_sock_addr *ctx)
{
	host_received(ctx);
	return 1;
}

SEC("cgroup/recvmsg6")
int asym_recvmsg6(struct bpf_sock_addr *ctx)
{
	host_received(ctx);
	return 1;
}

char _license[] SEC("license") = "GPL";

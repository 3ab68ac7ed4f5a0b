// SPDX-License-Identifier: GPL-2.0-only
/*
 * Both ends of the benchmark's traffic: generate4/6 write UDP frames into the gateway's LAN device,
 * reflect answers for every Internet host, sink checks that an answer came back to its client.
 * A frame carries its flow number, so the sink knows a right answer without a table.  wire_out and
 * wire_in stand for a gateway, to tell what all this costs by itself.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>

#include "frame.h"
#include "traffic.h"

_Static_assert(FRAME4 == TRAFFIC_FRAME4, "frame4");
_Static_assert(FRAME6 == TRAFFIC_FRAME6, "frame6");

struct traffic_order order;
struct traffic_count count;
const volatile bool stamp; /* count.last_ns is wanted */

static __always_inline __u32 next_flow(void)
{
	__u32 nth = order.next;

	order.next = nth + 1 < order.flows ? nth + 1 : 0;
	return order.first + nth;
}

static __always_inline void write_common(struct frame *f, __be16 proto, __u32 flow)
{
	*f->eth = (struct ethhdr){
		.h_dest = {2, 0, 0, 0, 0, 1}, .h_source = {2, 0, 0, 0, 0, 2}, .h_proto = proto};
	*f->udp = (struct udphdr){
		.source = client_port(flow), .dest = PORT, .len = bpf_htons(UDP_LEN)};
	*f->data = (struct payload){.magic = MAGIC, .flow = flow};
}

/* All headers are written: a recycled frame still holds what the stack made of it. */
SEC("xdp")
int generate4(struct xdp_md *ctx)
{
	__u32 flow = next_flow();
	struct frame f;

	if (!frame_at((void *)(long)ctx->data, (void *)(long)ctx->data_end, false,
	              ETH_HLEN, &f))
		return XDP_ABORTED;
	write_common(&f, bpf_htons(ETH_P_IP), flow);
	*f.v4 = (struct iphdr){.version = 4,
	                       .ihl = 5,
	                       .tot_len = bpf_htons(FRAME4 - ETH_HLEN),
	                       .ttl = 64,
	                       .protocol = IPPROTO_UDP,
	                       .saddr = client4(flow),
	                       .daddr = host4(flow)};
	f.v4->check = fold(bpf_csum_diff(NULL, 0, (void *)f.v4, sizeof(*f.v4), 0));
	f.udp->check = udp_sum(&f.v4->saddr, 8, f.udp);
	return XDP_PASS;
}

SEC("xdp")
int generate6(struct xdp_md *ctx)
{
	__u32 flow = next_flow();
	struct frame f;

	if (!frame_at((void *)(long)ctx->data, (void *)(long)ctx->data_end, true,
	              ETH_HLEN, &f))
		return XDP_ABORTED;
	write_common(&f, bpf_htons(ETH_P_IPV6), flow);
	*f.v6 = (struct ipv6hdr){.version = 6,
	                         .payload_len = bpf_htons(UDP_LEN),
	                         .nexthdr = IPPROTO_UDP,
	                         .hop_limit = 64,
	                         .saddr = client6(flow),
	                         .daddr = host6(flow)};
	f.udp->check = udp_sum(&f.v6->saddr, 32, f.udp);
	return XDP_PASS;
}

/* Swapping addresses and ports leaves both checksums right. */
static __always_inline void swap_common(struct frame *f)
{
	__be16 port = f->udp->source;

	f->udp->source = f->udp->dest;
	f->udp->dest = port;
	if (!f->eth)
		return;
	f->eth->h_dest[5] = 1;
	f->eth->h_source[5] = 2;
}

static __always_inline bool swap4(struct frame *f)
{
	__be32 source = f->v4->saddr;

	f->v4->saddr = f->v4->daddr;
	f->v4->daddr = source;
	swap_common(f);
	return source != client4(f->data->flow);
}

static __always_inline bool swap6(struct frame *f)
{
	struct in6_addr source = f->v6->saddr, client = client6(f->data->flow);

	f->v6->saddr = f->v6->daddr;
	f->v6->daddr = source;
	swap_common(f);
	return !same6(&source, &client);
}

/* Makes the answer.  What is not ours (neighbour discovery) is to be dropped. */
static __always_inline bool turn(struct __sk_buff *skb, __u32 l2_len)
{
	void *start = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	struct frame f;

	if (frame_at(start, end, false, l2_len, &f) && frame_is_ours(&f))
		count.translated += swap4(&f);
	else if (frame_at(start, end, true, l2_len, &f) && frame_is_ours(&f))
		count.translated += swap6(&f);
	else
		return false;
	count.reflected++;
	count.device[skb->ifindex % TRAFFIC_DEVICES]++;
	return true;
}

/* At ingress of the far end of a link. */
SEC("tc")
int reflect(struct __sk_buff *skb)
{
	return turn(skb, ETH_HLEN) ? bpf_redirect(skb->ifindex, 0) : TC_ACT_SHOT;
}

/* At egress of a TUN link itself, so that no process has to read it.  The answer is a new packet. */
SEC("tc")
int reflect_tun(struct __sk_buff *skb)
{
	if (!turn(skb, 0))
		return TC_ACT_SHOT;
	skb->mark = 0;
	skb->tc_index = 0;
	return bpf_redirect(skb->ifindex, BPF_F_INGRESS);
}

static __always_inline bool ports_are_right(const struct frame *f)
{
	return f->udp->dest == client_port(f->data->flow) && f->udp->source == PORT;
}

static __always_inline bool addresses_are_right6(const struct frame *f)
{
	struct in6_addr client = client6(f->data->flow), host = host6(f->data->flow);

	return same6(&f->v6->daddr, &client) && same6(&f->v6->saddr, &host);
}

/* At ingress of the client. */
SEC("tc")
int sink(struct __sk_buff *skb)
{
	void *start = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	struct frame f;
	bool right;

	if (frame_at(start, end, false, ETH_HLEN, &f) && frame_is_ours(&f))
		right = f.v4->daddr == client4(f.data->flow) && f.v4->saddr == host4(f.data->flow);
	else if (frame_at(start, end, true, ETH_HLEN, &f) && frame_is_ours(&f))
		right = addresses_are_right6(&f);
	else
		return TC_ACT_SHOT;
	right = right && ports_are_right(&f);
	count.returned += right;
	count.astray += !right;
	if (stamp)
		count.last_ns = bpf_ktime_get_ns();
	return TC_ACT_SHOT;
}

/* A gateway that is a wire: at ingress of its LAN device and of its links.  Nothing can be cheaper.
 */
SEC("tc")
int wire_out(struct __sk_buff *skb)
{
	struct frame f;

	if (!order.links ||
	    !frame_at((void *)(long)skb->data, (void *)(long)skb->data_end, false,
	              ETH_HLEN, &f))
		return TC_ACT_SHOT;
	return bpf_redirect(order.wan1 + f.data->flow % order.links, 0);
}

SEC("tc")
int wire_in(struct __sk_buff *skb)
{
	return bpf_redirect(order.lan, 0);
}

/* The same for a TUN link. */
SEC("tc")
int wire_in_tun(struct __sk_buff *skb)
{
	struct ethhdr eth = {.h_dest = {2, 0, 0, 0, 0, 2},
	                     .h_source = {2, 0, 0, 0, 0, 1},
	                     .h_proto = bpf_htons(ETH_P_IP)};

	if (bpf_skb_change_head(skb, ETH_HLEN, 0) ||
	    bpf_skb_store_bytes(skb, 0, &eth, sizeof(eth), 0))
		return TC_ACT_SHOT;
	return bpf_redirect(order.lan, 0);
}

char _license[] SEC("license") = "GPL";

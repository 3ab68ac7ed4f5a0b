// SPDX-License-Identifier: GPL-2.0-or-later
#include <arpa/inet.h>
#include <errno.h>
#include <libnetfilter_queue/libnetfilter_queue.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <sys/socket.h>

#include "nl/attr.h"
#include "nl/queue.h"

#define TRIES 64 /* queues of others */

static const struct attr_size policy[] = {
	[NFQA_PACKET_HDR] = { sizeof(struct nfqnl_msg_packet_hdr), UINT16_MAX },
	[NFQA_IFINDEX_OUTDEV] = ATTR_U32,
	[NFQA_PAYLOAD] = { 0, UINT16_MAX },
};

static void begin(struct nl_msg *m, const struct queue *q, int type)
{
	m->err = 0;
	m->h = nfq_nlmsg_put(m->buf, type, q->number);
	m->h->nlmsg_flags = NLM_F_REQUEST;
}

static int bind_queue(struct queue *q)
{
	struct nl_msg m;

	begin(&m, q, NFQNL_MSG_CONFIG);
	nfq_nlmsg_cfg_put_cmd(m.h, AF_INET, NFQNL_CFG_CMD_BIND);
	return nl_ask(&q->nl, &m, NULL, NULL);
}

/* Another process's queue is -EPERM, our own -EBUSY (nfqnl_recv_config). */
static int bind_first(struct queue *q, uint16_t from)
{
	int r = -EBUSY;

	for (int i = 0; i < TRIES && (r == -EBUSY || r == -EPERM); i++) {
		q->number = from + i;
		r = bind_queue(q);
	}
	return r;
}

static int configure(struct queue *q)
{
	uint32_t flags = NFQA_CFG_F_FAIL_OPEN;
	struct nl_msg m;

	begin(&m, q, NFQNL_MSG_CONFIG);
	nfq_nlmsg_cfg_put_params(m.h, NFQNL_COPY_PACKET, QUEUE_PACKET);
	nfq_nlmsg_cfg_put_qmaxlen(m.h, QUEUE_HELD);
	mnl_attr_put_u32(m.h, NFQA_CFG_FLAGS, htonl(flags));
	mnl_attr_put_u32(m.h, NFQA_CFG_MASK, htonl(flags));
	return nl_ask(&q->nl, &m, NULL, NULL);
}

int queue_open(struct queue *ret, uint16_t from)
{
	struct queue q = { 0 };
	int r = nl_open(&q.nl, NETLINK_NETFILTER), on = 1;

	*ret = q;
	if (r)
		return r;
	/* lost packets went on: nothing is to be done about it */
	mnl_socket_setsockopt(q.nl.sock, NETLINK_NO_ENOBUFS, &on, sizeof(on));
	r = bind_first(&q, from);
	r = r ?: configure(&q);
	if (r)
		nl_close(&q.nl);
	*ret = q;
	return r;
}

void queue_close(struct queue *q)
{
	nl_close(&q->nl);
}

int queue_fd(const struct queue *q)
{
	return mnl_socket_get_fd(q->nl.sock);
}

static bool parse(const struct nlmsghdr *h, struct queue_packet *ret)
{
	const struct nfqnl_msg_packet_hdr *head;
	const struct nlattr *tb[ARRAY_SIZE(policy)];

	if (h->nlmsg_type != (NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_PACKET) ||
	    attr_parse(h, sizeof(struct nfgenmsg), policy, ARRAY_SIZE(policy), tb) ||
	    !tb[NFQA_PACKET_HDR])
		return false;
	head = mnl_attr_get_payload(tb[NFQA_PACKET_HDR]);
	*ret = (struct queue_packet){
		.id = ntohl(head->packet_id),
		.out = ntohl(attr_u32(tb[NFQA_IFINDEX_OUTDEV], 0)),
	};
	if (tb[NFQA_PAYLOAD]) {
		ret->data = mnl_attr_get_payload(tb[NFQA_PAYLOAD]);
		ret->len = mnl_attr_get_payload_len(tb[NFQA_PAYLOAD]);
	}
	return true;
}

int queue_read(struct queue *q, unsigned int max,
	       void (*take)(const struct queue_packet *p, void *data), void *data)
{
	char buf[QUEUE_PACKET + 1024] __attribute__((aligned(8)));

	for (unsigned int i = 0; i < max; i++) {
		const struct nlmsghdr *h = (const struct nlmsghdr *)buf;
		ssize_t n = recv(queue_fd(q), buf, sizeof(buf), MSG_DONTWAIT);
		int len = (int)n;
		struct queue_packet p;

		if (n < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : -errno;
		for (; mnl_nlmsg_ok(h, len); h = mnl_nlmsg_next(h, &len))
			if (parse(h, &p))
				take(&p, data);
	}
	return 0;
}

int queue_verdict(struct queue *q, uint32_t id, bool accept)
{
	struct nl_msg m;

	begin(&m, q, NFQNL_MSG_VERDICT);
	nfq_nlmsg_verdict_put(m.h, (int)id, accept ? NF_ACCEPT : NF_DROP);
	return mnl_socket_sendto(q->nl.sock, m.h, m.h->nlmsg_len) < 0 ? -errno : 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A TAP and a TUN device with the programs on their tc ingress.  Packet sockets of one protocol get
 * a packet behind that hook and tell its mark (SO_RCVMARK, Linux 5.19).
 */
#ifndef TESTS_BPF_WIRE_H
#define TESTS_BPF_WIRE_H

#include "apply/tc.h"
#include "tests/bpf/run.h"
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#ifndef SO_RCVMARK
#define SO_RCVMARK 75
#endif

struct wire {
	int fd;
	uint32_t ifindex;
	bool ethernet;
	int sniffer[2]; /* IPv4, IPv6 */
};

/* Skips without root, TUN devices or SO_RCVMARK. */
static inline void wire_need(void)
{
	int one = 1, fd;

	lab_need();
	fd = socket(AF_PACKET, SOCK_RAW, 0);
	one = setsockopt(fd, SOL_SOCKET, SO_RCVMARK, &one, sizeof(one));
	close(fd);
	if (one || access("/dev/net/tun", F_OK))
		skip();
}

static inline int wire_sniffer(uint32_t ifindex, uint16_t ether)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_ifindex = (int)ifindex,
				  .sll_protocol = htons(ether) };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, htons(ether)), one = 1;

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVMARK, &one, sizeof(one)), 0);
	return fd;
}

static inline struct wire wire_open(bool ethernet, enum object_program which)
{
	struct ifreq ifr = { .ifr_flags = ethernet ? IFF_TAP | IFF_NO_PI | IFF_VNET_HDR : IFF_TUN };
	struct wire w = { .ifindex = ethernet ? TAP : TUN, .ethernet = ethernet };
	struct tc_hook hook = { .ifindex = w.ifindex };
	int index = (int)w.ifindex;
	bool made;

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), ethernet ? "tap" : "tun");
	w.fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	assert_true(w.fd >= 0);
	assert_int_equal(ioctl(w.fd, TUNSETIFINDEX, &index), 0);
	assert_int_equal(ioctl(w.fd, TUNSETIFF, &ifr), 0);
	assert_int_equal(system(ethernet ? "ip link set tap address 02:00:00:00:00:31 up" :
					   "ip link set tun up"), 0);
	if (tc_attach(&hook, lab.o.program[which], -1, &made)) {
		hook.clsact = true;
		assert_int_equal(tc_attach(&hook, lab.o.program[which], -1, &made), 0);
	}
	w.sniffer[0] = wire_sniffer(w.ifindex, ETH_P_IP);
	w.sniffer[1] = wire_sniffer(w.ifindex, ETH_P_IPV6);
	return w;
}

static inline void wire_close(struct wire *w)
{
	close(w->fd);
	close(w->sniffer[0]);
	close(w->sniffer[1]);
}

/* The packet as the stack got it, with its mark; -1 when it did not come. */
static inline ssize_t wire_sniff(int fd, void *data, size_t size, uint32_t *ret_mark)
{
	struct iovec iov = { data, size };
	char control[64];
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			      .msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(fd, &msg, 0);
	struct cmsghdr *c;

	for (c = n < 0 ? NULL : CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_MARK)
			memcpy(ret_mark, CMSG_DATA(c), sizeof(*ret_mark));
	return n;
}

static inline void wire_drain(const struct wire *w)
{
	uint8_t data[64];
	uint32_t mark;

	for (int i = 0; i < 2; i++)
		while (wire_sniff(w->sniffer[i], data, sizeof(data), &mark) >= 0)
			;
}

/* Writes the packet; the kernel has taken it all the way when write returns.  linear: so many bytes
 * of it in the first piece, 0: all.  Linux does not break up what fits into a page. */
static inline void wire_write(const struct wire *w, const struct pkt *p, uint16_t linear)
{
	struct virtio_net_hdr vnet = { .hdr_len = linear };
	struct tun_pi pi = { 0 };
	struct iovec tap[] = { { &vnet, sizeof(vnet) }, { (void *)p->data, p->len } };
	struct iovec tun[] = { { &pi, sizeof(pi) },
			       { (void *)(p->data + ETH_HLEN), p->len - ETH_HLEN } };

	memcpy(&pi.proto, p->data + 2 * ETH_ALEN, sizeof(pi.proto));
	if (writev(w->fd, w->ethernet ? tap : tun, 2) < 0)
		fail_msg("%u bytes into the device: %s", p->len, strerror(errno));
}

static inline struct outcome wire_send(const struct wire *w, const struct pkt *p, uint16_t linear)
{
	struct outcome o = { 0 };
	uint32_t skip = w->ethernet ? 0 : ETH_HLEN;
	uint8_t data[sizeof(p->data)];
	uint16_t ether = (uint16_t)(p->data[12] << 8 | p->data[13]);
	ssize_t n;

	wire_drain(w);
	counters_begin();
	wire_write(w, p, linear);
	o.reason = counters_end();
	if (ether != ETH_P_IP && ether != ETH_P_IPV6)
		return o;
	n = wire_sniff(w->sniffer[ether == ETH_P_IPV6], data, sizeof(data), &o.mark);
	assert_int_equal(n, p->len - skip);
	assert_memory_equal(data, p->data + skip, n);
	return o;
}

#endif

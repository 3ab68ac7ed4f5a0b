/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TAP and TUN devices between which the flow cache passes packets for real.  A packet's header of
 * virtio says how the kernel is to see its checksum (CHECKSUM_NONE or CHECKSUM_PARTIAL) and whether
 * it is a GSO packet, and on the way out what is left to be done.
 */
#ifndef TESTS_BPF_PORT_H
#define TESTS_BPF_PORT_H

#include "tests/bpf/model.h"
#include "tests/bpf/wire.h"
#include <poll.h>

/* uapi/linux/if_tun.h and virtio_net.h of Linux 6.2 */
#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif
#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4 5
#endif
#ifndef IFF_NAPI
#define IFF_NAPI 0x0010
#endif

#define TAP2 33
#define TUN2 34

struct port {
	int fd;
	uint32_t ifindex;
	bool ethernet;
};

/* A packet, and what its checksum and its size are. */
struct parcel {
	struct virtio_net_hdr vnet;
	struct pkt p;
};

/* flags: IFF_NAPI or 0.  program: on tc ingress, or negative. */
static inline struct port port_open(uint32_t ifindex, bool ethernet, int flags, int program)
{
	struct port port = { .ifindex = ifindex, .ethernet = ethernet };
	struct tc_hook hook = { .ifindex = ifindex };
	struct ifreq ifr = { .ifr_flags = (short)(IFF_NO_PI | IFF_VNET_HDR | flags |
						  (ethernet ? IFF_TAP : IFF_TUN)) };
	char command[128], mac[40] = "";
	bool made;

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "port%u", ifindex);
	port.fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	assert_true(port.fd >= 0);
	assert_int_equal(ioctl(port.fd, TUNSETIFINDEX, &ifindex), 0);
	assert_int_equal(ioctl(port.fd, TUNSETIFF, &ifr), 0);
	if (ethernet)
		snprintf(mac, sizeof(mac), "address 02:00:00:00:00:%u", ifindex);
	snprintf(command, sizeof(command), "ip link set %s %s up", ifr.ifr_name, mac);
	assert_int_equal(system(command), 0);
	if (program >= 0 && tc_attach(&hook, program, -1, &made)) {
		hook.clsact = true;
		assert_int_equal(tc_attach(&hook, program, -1, &made), 0);
	}
	return port;
}

/* What the reader of the device takes: 0, or TUN_F_*. */
static inline bool port_offload(const struct port *port, unsigned long offload)
{
	return !ioctl(port->fd, TUNSETOFFLOAD, offload);
}

/* 0, or why the kernel does not take it. */
static inline int port_write(const struct port *port, const struct parcel *parcel)
{
	uint32_t skip = port->ethernet ? 0 : ETH_HLEN;
	struct virtio_net_hdr vnet = parcel->vnet;
	struct iovec iov[] = { { &vnet, sizeof(vnet) },
			       { (void *)(parcel->p.data + skip), parcel->p.len - skip } };

	if (vnet.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)
		vnet.csum_start = (uint16_t)(vnet.csum_start - skip);
	if (vnet.gso_type)
		vnet.hdr_len = (uint16_t)(vnet.hdr_len - skip);
	return writev(port->fd, iov, 2) < 0 ? -errno : 0;
}

/* Without link-layer header, 14 zeros stand for it.  False when nothing comes in time. */
static inline bool port_read(const struct port *port, int wait_ms, struct parcel *ret)
{
	uint32_t skip = port->ethernet ? 0 : ETH_HLEN;
	struct iovec iov[] = { { &ret->vnet, sizeof(ret->vnet) },
			       { ret->p.data + skip, sizeof(ret->p.data) - skip } };
	struct pollfd wait = { .fd = port->fd, .events = POLLIN };
	ssize_t n;

	memset(ret->p.data, 0, skip);
	if (poll(&wait, 1, wait_ms) <= 0)
		return false;
	n = readv(port->fd, iov, 2);
	if (n < 0)
		return false;
	ret->p.len = (uint32_t)n - (uint32_t)sizeof(ret->vnet) + skip;
	if (ret->vnet.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)
		ret->vnet.csum_start = (uint16_t)(ret->vnet.csum_start + skip);
	return true;
}

static inline void port_drain(const struct port *port)
{
	uint8_t data[64];

	while (read(port->fd, data, sizeof(data)) > 0)
		;
}

/* Leaves the checksum to others: the field holds the sum of the pseudo header. */
static inline void parcel_leave_sum(struct parcel *parcel, const struct layers *l)
{
	uint8_t *check = parcel->p.data + l->check;
	uint32_t l4_len = ETH_HLEN + l->len - l->l4;

	put16(check, 0);
	put16(check, (uint16_t)((model_residue(&parcel->p, l) + 0xffff -
				 model_sum(parcel->p.data + l->l4, l4_len)) % 0xffff));
	parcel->vnet.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	parcel->vnet.csum_start = (uint16_t)l->l4;
	parcel->vnet.csum_offset = (uint16_t)(l->check - l->l4);
}

/* What a device would do that computes checksums. */
static inline void parcel_complete(struct parcel *parcel)
{
	const struct virtio_net_hdr *vnet = &parcel->vnet;
	uint8_t *from = parcel->p.data + vnet->csum_start;
	uint32_t sum;

	if (!(vnet->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM))
		return;
	sum = 0xffff - model_sum(from, parcel->p.len - vnet->csum_start);
	if (vnet->csum_offset == 6)
		sum = sum ?: 0xffff;
	put16(from + vnet->csum_offset, (uint16_t)(vnet->csum_offset == 6 ? sum : sum % 0xffff));
}

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The two kinds of WireGuard; for wireguard*.c alone. */
#ifndef NL_WIREGUARD_INT_H
#define NL_WIREGUARD_INT_H

#include "nl/wireguard.h"

struct wireguard_peer {
	uint8_t key[WIREGUARD_KEY];
	union addr_socket endpoint;
	uint16_t keepalive_s;
	uint64_t rx_bytes, tx_bytes;
	int64_t handshake_s;
	bool all_v4, all_v6; /* allowed IPs: 0.0.0.0/0, ::/0 */
	size_t n_other;	     /* further ones */
};

/* A device as it is; secret. */
struct wireguard_dump {
	uint8_t private_key[WIREGUARD_KEY];
	uint16_t listen_port;
	uint32_t fwmark;
	struct wireguard_peer *peers;
	size_t n_peers;
};

void wireguard_dump_done(struct wireguard_dump *d);
#define _cleanup_wireguard_dump_ _cleanup_(wireguard_dump_done)

/* What is to be written. */
struct wireguard_change {
	const struct wireguard *w;
	bool private_key, listen_port, fwmark;
	bool peer; /* it is new, or one of the three below */
	bool endpoint, keepalive, allowed_ips;
	const uint8_t (*remove)[WIREGUARD_KEY]; /* peers */
	size_t n_remove;
};

/* Zeroed d is filled.  0, -ENODEV, -errno. */
int wireguard_kernel_dump(const char *device, struct wireguard_dump *d);
int wireguard_user_dump(const char *device, struct wireguard_dump *d);
/* 0 or -errno. */
int wireguard_kernel_change(const char *device, const struct wireguard_change *c);
int wireguard_user_change(const char *device, const struct wireguard_change *c);

/* wireguard-go's device of this name is there: down, and its socket answers.  0; -EOPNOTSUPP: there is
 * no wireguard-go; -EBUSY: that of another network namespace has the name; -EIO: it failed, for
 * reasons of its own. */
int wireguard_process_start(const char *device);
/* Whether a process of this network namespace listens at the device's socket. */
bool wireguard_process_listens(const char *device);
/* The device is gone: waits until its process has noticed, a second at most. */
void wireguard_process_wait_end(const char *device);
/* Of the socket. */
#define WIREGUARD_SOCKET_PATH 64
void wireguard_socket_path(const char *device, char ret[WIREGUARD_SOCKET_PATH]);

#endif

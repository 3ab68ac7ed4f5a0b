/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * WireGuard devices: the kernel's by generic netlink (linux/wireguard.h, Linux 5.6), wireguard-go's
 * by its socket /var/run/wireguard/NAME.sock (wireguard.com/xplatform, "cross-platform userspace
 * implementation").  Sockets are found by their network namespace, too: another's device of the same
 * name is never spoken to.
 */
#ifndef NL_WIREGUARD_H
#define NL_WIREGUARD_H

#include "base/addr.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WIREGUARD_KEY 32

/* A device with one peer, which may send and be sent everything (allowed IPs 0.0.0.0/0 and ::/0). */
struct wireguard {
	uint8_t private_key[WIREGUARD_KEY];
	uint16_t listen_port;	     /* host byte order; 0: any */
	uint32_t fwmark;	     /* of its own packets */
	uint8_t peer[WIREGUARD_KEY]; /* public key */
	union addr_socket endpoint;  /* sa_family 0: the peer comes to us */
	uint16_t keepalive_s;	     /* 0: none */
	/* filled by wireguard_get alone */
	uint64_t rx_bytes, tx_bytes;
	int64_t handshake_s; /* CLOCK_REALTIME of the last one; 0: none yet */
};

/* Makes a device of this name, down: the kernel's, or where the kernel has none a wireguard-go
 * process, which goes with its device.  0; -EEXIST; -EOPNOTSUPP: neither is there; -EBUSY: a
 * wireguard-go of another network namespace has this name; -EIO: wireguard-go failed; -errno. */
int wireguard_create(const char *device);
/* Whether a device of this name is WireGuard, of whatever kind. */
bool wireguard_is(const char *device);
/* Removes it, wireguard-go's process too.  0, -ENODEV, -errno. */
int wireguard_remove(const char *device);

/*
 * Makes it as wanted: writes what differs (a known peer's endpoint only if set_endpoint: peers roam),
 * removes other peers.  A session that is in use goes on.  0; -EADDRINUSE: the port is, of a device
 * that is up; -errno.
 */
int wireguard_set(const char *device, const struct wireguard *w, bool set_endpoint);
/* Listens at a port of the kernel's choice, so that another device can have the one it had.  0 or
 * -errno. */
int wireguard_release_port(const char *device);
/* Sets its peer's endpoint to what it is: wireguard-go sends from the address that it used before,
 * even if that has gone, until it is told again.  0, -ENODEV, -errno. */
int wireguard_renew_endpoint(const char *device);
/* Its peer is there now, and is sent a keepalive at once, so that it knows where we are.  0, -ENODEV,
 * -ENOENT: it has no peer; -errno. */
int wireguard_move_endpoint(const char *device, const union addr_socket *endpoint);
/* 0; -ENODEV; -ENOENT: it has no peer (the rest is filled); -errno. */
int wireguard_get(const char *device, struct wireguard *ret);

#endif

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A DNS query over UDP (RFC 1035).  Whatever the server says to our question, it is reached.  The
 * port is the kernel's random choice, the id ours; the socket takes nothing from other addresses.
 */
#include "base/defs.h"
#include "run/probe_kind.h"
#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#define DNS_NAME 255  /* most bytes of a name in a message */
#define DNS_LABEL 63
#define DNS_ROOM 1232 /* of an answer; we need its beginning only */
#define TYPE_A 1
#define TYPE_NS 2
#define CLASS_IN 1
#define FLAG_ANSWER 0x8000
#define FLAG_RECURSE 0x0100
#define MASK_OPCODE 0x7800
#define MASK_RCODE 0x000f
#define PACKETS_AT_ONCE 16

/* All in network order. */
struct dns_header {
	uint16_t id, flags, questions, answers, authorities, additional;
};

struct dns {
	struct probe probe;
	struct probe_io *io;
	uint8_t query[sizeof(struct dns_header) + DNS_NAME + 2 * sizeof(uint16_t)];
	size_t len;
};

/* "www.example.net", with or without a dot at the end, or ".", as labels.  Returns the length; 0: it
 * is not a name. */
static size_t name_write(const char *name, uint8_t *ret)
{
	size_t at = 0;

	if (!strcmp(name, "."))
		name++;
	while (*name) {
		size_t len = strcspn(name, ".");

		if (!len || len > DNS_LABEL || at + 1 + len + 1 > DNS_NAME)
			return 0;
		ret[at++] = (uint8_t)len;
		memcpy(ret + at, name, len);
		at += len;
		name += len + (name[len] == '.');
	}
	ret[at++] = 0;
	return at;
}

static int query_write(struct dns *d)
{
	const char *name = d->probe.conf->dns_name;
	uint16_t ask[] = { htons(strcmp(name, ".") ? TYPE_A : TYPE_NS), htons(CLASS_IN) };
	struct dns_header h = { .flags = htons(FLAG_RECURSE), .questions = htons(1) };
	size_t len = *name ? name_write(name, d->query + sizeof(h)) : 0;

	if (!len)
		return -EINVAL;
	if (getrandom(&h.id, sizeof(h.id), 0) != sizeof(h.id))
		return -EIO;
	memcpy(d->query, &h, sizeof(h));
	memcpy(d->query + sizeof(h) + len, ask, sizeof(ask));
	d->len = sizeof(h) + len + sizeof(ask);
	return 0;
}

/* Servers may change the case of letters.  Lengths are below 'A', so they compare as they are. */
static bool same_question(const struct dns *d, const uint8_t *data)
{
	for (size_t i = sizeof(struct dns_header); i < d->len; i++)
		if (tolower(d->query[i]) != tolower(data[i]))
			return false;
	return true;
}

/* An error may come without the question. */
static bool is_answer(const struct dns *d, const uint8_t *data, size_t len)
{
	struct dns_header h, ours;

	if (len < sizeof(h))
		return false;
	memcpy(&h, data, sizeof(h));
	memcpy(&ours, d->query, sizeof(ours));
	if (h.id != ours.id || !(h.flags & htons(FLAG_ANSWER)) || (h.flags & htons(MASK_OPCODE)))
		return false;
	if (!h.questions)
		return h.flags & htons(MASK_RCODE);
	return h.questions == htons(1) && len >= d->len && same_question(d, data);
}

static void dns_ready(void *data, int fd, bool failed)
{
	struct dns *d = data;
	uint8_t answer[DNS_ROOM];

	for (int i = 0; i < PACKETS_AT_ONCE; i++) {
		ssize_t len = recv(fd, answer, sizeof(answer), 0);

		if (len < 0 && errno == EAGAIN && !failed)
			return;
		if (len < 0) {
			probe_failed(&d->probe, probe_reason(errno == EAGAIN ? ENETDOWN : errno));
			return;
		}
		if (is_answer(d, answer, (size_t)len)) {
			probe_answered(&d->probe);
			return;
		}
	}
}

static int dns_start(struct probe *p)
{
	struct dns *d = (struct dns *)p;
	const struct model_target *target = p->target;
	_cleanup_close_ int fd = probe_socket_from(&p->path, target->family, SOCK_DGRAM);
	union addr_socket to;
	socklen_t len = addr_socket(&target->addr, target->port, p->path.ifindex, &to);
	int r;

	if (fd < 0)
		return fd;
	r = query_write(d);
	if (r)
		return r;
	if (connect(fd, &to.sa, len) || send(fd, d->query, d->len, 0) < 0)
		return -errno;
	return probe_io_open(p->prober, &fd, UV_READABLE, dns_ready, d, &d->io);
}

static void dns_stop(struct probe *p)
{
	probe_io_close(((struct dns *)p)->io);
}

const struct probe_kind probe_dns = { sizeof(struct dns), dns_start, dns_stop };

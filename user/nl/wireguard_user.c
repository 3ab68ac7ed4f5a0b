// SPDX-License-Identifier: GPL-2.0-or-later
/* wireguard-go, by lines of text over its socket. */
#include "nl/wireguard_int.h"

#include "base/str.h"
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <net/if.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#define ANSWER_MAX (4u << 20)
#define TIMEOUT_S 5 /* it answers at once; one that is stopped must not hold us for ever */

struct answer {
	char *text; /* lines; secret */
	size_t len;
};

static void answer_done(struct answer *a)
{
	if (a->text)
		explicit_bzero(a->text, a->len);
	free(a->text);
}

static int dial(const char *device, int *ret)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const struct timeval timeout = {.tv_sec = TIMEOUT_S};
	struct sockaddr_un to = {.sun_family = AF_UNIX};

	if (fd < 0)
		return -errno;
	wireguard_socket_path(device, to.sun_path);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		return -errno;
	*ret = TAKE_FD(fd);
	return 0;
}

static int send_all(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = send(fd, text, len, MSG_NOSIGNAL);

		if (n < 0)
			return -errno;
		text += n;
		len -= n;
	}
	return 0;
}

/* The end of an answer is an empty line, of everything. */
static bool is_complete(const struct answer *a)
{
	return a->len >= 2 && a->text[a->len - 1] == '\n' && a->text[a->len - 2] == '\n';
}

static int receive_all(int fd, struct answer *a)
{
	size_t room = 8192;

	while (!is_complete(a)) {
		char *text;
		ssize_t n;

		/* not realloc: it would leave keys behind */
		text = calloc(1, room + 1);
		if (!text)
			return -ENOMEM;
		memcpy(text, a->text ?: "", a->len);
		answer_done(a);
		a->text = text;
		n = recv(fd, a->text + a->len, room - a->len, 0);
		if (n <= 0)
			return n ? -errno : -EPIPE;
		a->len += n;
		if (a->len == room)
			room *= 2;
		if (room > ANSWER_MAX)
			return -EMSGSIZE;
	}
	return 0;
}

/* errno= is the last line, and -errno itself where wireguard-go has one. */
static int verdict(const struct answer *a)
{
	const char *line = strstr(a->text, "errno=");

	if (!line)
		return -EBADMSG;
	return -abs(atoi(line + strlen("errno=")));
}

static int talk(const char *device, const char *request, size_t len, struct answer *a)
{
	_cleanup_close_ int fd = -1;
	int r = dial(device, &fd);

	r = r ?: send_all(fd, request, len);
	r = r ?: receive_all(fd, a);
	return r ?: verdict(a);
}

static int parse_key(const char *hex, uint8_t ret[WIREGUARD_KEY])
{
	if (strlen(hex) != 2 * WIREGUARD_KEY)
		return -EBADMSG;
	for (size_t i = 0; i < WIREGUARD_KEY; i++)
		if (sscanf(hex + 2 * i, "%2hhx", &ret[i]) != 1)
			return -EBADMSG;
	return 0;
}

/* "192.0.2.1:51820", "[2001:db8::1]:51820", "[fe80::1%eth0]:51820" */
static int parse_endpoint(char *text, union addr_socket *ret)
{
	const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
				       .ai_socktype = SOCK_DGRAM};
	char *port = strrchr(text, ':'), *host = text;
	struct addrinfo *found;

	if (!port)
		return -EBADMSG;
	*port++ = 0;
	if (*host == '[') {
		host++;
		host[strcspn(host, "]")] = 0;
	}
	if (getaddrinfo(host, port, &hints, &found))
		return -EBADMSG;
	memcpy(ret, found->ai_addr, MIN((size_t)found->ai_addrlen, sizeof(*ret)));
	freeaddrinfo(found);
	return 0;
}

static int parse_peer(const char *key, char *value, struct wireguard_peer *p)
{
	if (!strcmp(key, "endpoint"))
		return parse_endpoint(value, &p->endpoint);
	if (!strcmp(key, "persistent_keepalive_interval"))
		p->keepalive_s = strtoul(value, NULL, 10);
	else if (!strcmp(key, "last_handshake_time_sec"))
		p->handshake_s = strtoll(value, NULL, 10);
	else if (!strcmp(key, "rx_bytes"))
		p->rx_bytes = strtoull(value, NULL, 10);
	else if (!strcmp(key, "tx_bytes"))
		p->tx_bytes = strtoull(value, NULL, 10);
	else if (strcmp(key, "allowed_ip"))
		return 0;
	else if (!strcmp(value, "0.0.0.0/0"))
		p->all_v4 = true;
	else if (!strcmp(value, "::/0"))
		p->all_v6 = true;
	else
		p->n_other++;
	return 0;
}

static int parse_line(const char *key, char *value, struct wireguard_dump *d)
{
	struct wireguard_peer *p;

	if (!strcmp(key, "public_key")) {
		p = ARRAY_ADD(d->peers, d->n_peers);
		return p ? parse_key(value, p->key) : -ENOMEM;
	}
	if (d->n_peers)
		return parse_peer(key, value, &d->peers[d->n_peers - 1]);
	if (!strcmp(key, "private_key"))
		return parse_key(value, d->private_key);
	if (!strcmp(key, "listen_port"))
		d->listen_port = strtoul(value, NULL, 10);
	else if (!strcmp(key, "fwmark"))
		d->fwmark = strtoul(value, NULL, 0);
	return 0;
}

int wireguard_user_dump(const char *device, struct wireguard_dump *d)
{
	static const char request[] = "get=1\n\n";
	_cleanup_(answer_done) struct answer a = {};
	char *line, *rest, *value;
	int r = talk(device, request, strlen(request), &a);

	rest = a.text;
	while (!r && (line = strsep(&rest, "\n"))) {
		value = strchr(line, '=');
		if (!value)
			continue;
		*value++ = 0;
		r = parse_line(line, value, d);
	}
	return r;
}

static void put_key(struct str *out, const char *name, const uint8_t key[WIREGUARD_KEY])
{
	str_add(out, "%s=", name);
	for (size_t i = 0; i < WIREGUARD_KEY; i++)
		str_add(out, "%02x", key[i]);
	str_add(out, "\n");
}

static void put_endpoint(struct str *out, const union addr_socket *e)
{
	char text[INET6_ADDRSTRLEN], zone[IFNAMSIZ];

	if (e->sa.sa_family == AF_INET) {
		inet_ntop(AF_INET, &e->in.sin_addr, text, sizeof(text));
		str_add(out, "endpoint=%s:%u\n", text, ntohs(e->in.sin_port));
		return;
	}
	inet_ntop(AF_INET6, &e->in6.sin6_addr, text, sizeof(text));
	str_add(out, "endpoint=[%s", text);
	if (e->in6.sin6_scope_id && if_indextoname(e->in6.sin6_scope_id, zone))
		str_add(out, "%%%s", zone);
	str_add(out, "]:%u\n", ntohs(e->in6.sin6_port));
}

static void put_peer(struct str *out, const struct wireguard_change *c)
{
	put_key(out, "public_key", c->w->peer);
	if (c->endpoint)
		put_endpoint(out, &c->w->endpoint);
	if (c->keepalive)
		str_add(out, "persistent_keepalive_interval=%u\n", c->w->keepalive_s);
	if (c->allowed_ips)
		str_add(out, "replace_allowed_ips=true\nallowed_ip=0.0.0.0/0\nallowed_ip=::/0\n");
}

int wireguard_user_change(const char *device, const struct wireguard_change *c)
{
	_cleanup_(answer_done) struct answer a = {};
	_cleanup_(str_done) struct str out = {};
	int r;

	str_add(&out, "set=1\n");
	if (c->private_key)
		put_key(&out, "private_key", c->w->private_key);
	if (c->listen_port)
		str_add(&out, "listen_port=%u\n", c->w->listen_port);
	if (c->fwmark)
		str_add(&out, "fwmark=%" PRIu32 "\n", c->w->fwmark);
	for (size_t i = 0; i < c->n_remove; i++) {
		put_key(&out, "public_key", c->remove[i]);
		str_add(&out, "remove=true\n");
	}
	if (c->peer)
		put_peer(&out, c);
	str_add(&out, "\n");
	r = out.err ?: talk(device, out.s, out.len, &a);
	if (out.s)
		explicit_bzero(out.s, out.len);
	return r;
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/dhcp_int.h"

#include <errno.h>
#include <string.h>

/* Values of option 52 (RFC 2132, 9.3). */
#define OVERLOAD_FILE 1
#define OVERLOAD_SNAME 2

enum fixed { REQUESTED, LEASE, OVERLOAD, TYPE, SERVER, T1, T2, FIXED_MAX };

static const struct {
	uint8_t code, len;
} fixed[] = {
	[REQUESTED] = {DHCP_OPTION_REQUESTED, 4},
	[LEASE] = {DHCP_OPTION_LEASE, 4},
	[OVERLOAD] = {DHCP_OPTION_OVERLOAD, 1},
	[TYPE] = {DHCP_OPTION_TYPE, 1},
	[SERVER] = {DHCP_OPTION_SERVER, 4},
	[T1] = {DHCP_OPTION_T1, 4},
	[T2] = {DHCP_OPTION_T2, 4},
};
_Static_assert(ARRAY_SIZE(fixed) == FIXED_MAX, "a row for each");

struct reader {
	const uint8_t *values[FIXED_MAX]; /* in the packet; NULL: not there */
	uint8_t *client_id;
	size_t client_id_len;
	bool has_client_id;
	uint8_t *repeat;
	size_t repeat_len; /* more than DHCP_REPEAT_MAX: they do not fit */
};

static int take_fixed(struct reader *r, enum fixed i, const uint8_t *data, size_t len)
{
	if (len != fixed[i].len || (r->values[i] && memcmp(r->values[i], data, len)))
		return -EBADMSG;
	r->values[i] = data;
	return 0;
}

static int join_client_id(struct reader *r, const uint8_t *data, size_t len)
{
	if (len > DHCP_CLIENT_ID_MAX - r->client_id_len)
		return -EBADMSG;
	memcpy(r->client_id + r->client_id_len, data, len);
	r->client_id_len += len;
	r->has_client_id = true;
	return 0;
}

static bool is_to_repeat(uint8_t code, const uint8_t *data, size_t len)
{
	switch (code) {
	case DHCP_OPTION_HOST_NAME:
	case DHCP_OPTION_PARAMETERS:
	case DHCP_OPTION_SIZE:
	case DHCP_OPTION_CLASS:
	case DHCP_OPTION_USER_CLASS:
	case DHCP_OPTION_NAME:
	case DHCP_OPTION_VENDOR_CLASS:
	case DHCP_OPTION_VENDOR:
		return true;
	case DHCP_OPTION_AUTH:
		return len && !data[0];
	default:
		return false;
	}
}

bool dhcp_may_repeat(const uint8_t *options, size_t len)
{
	while (len >= 2 && len - 2 >= options[1] && is_to_repeat(options[0], options + 2, options[1])) {
		len -= 2U + options[1];
		options += 2U + options[1];
	}
	return !len;
}

static void keep(struct reader *r, uint8_t code, const uint8_t *data, size_t len)
{
	size_t at = r->repeat_len;

	r->repeat_len = MIN(at + 2 + len, DHCP_REPEAT_MAX + 1UL);
	if (r->repeat_len > DHCP_REPEAT_MAX)
		return;
	r->repeat[at] = code;
	r->repeat[at + 1] = (uint8_t)len;
	memcpy(r->repeat + at + 2, data, len);
}

static int take(struct reader *r, uint8_t code, const uint8_t *data, size_t len)
{
	if (r->repeat && is_to_repeat(code, data, len))
		keep(r, code, data, len);
	if (code == DHCP_OPTION_CLIENT_ID)
		return join_client_id(r, data, len);
	for (enum fixed i = 0; i < FIXED_MAX; i++) {
		if (code == fixed[i].code)
			return take_fixed(r, i, data, len);
	}
	return 0;
}

static int walk(struct reader *r, const uint8_t *p, size_t len)
{
	const uint8_t *end = p + len;

	while (p < end && *p != DHCP_OPTION_END) {
		if (*p == DHCP_OPTION_PAD) {
			p++;
			continue;
		}
		if (end - p < 2 || end - p - 2 < p[1] || take(r, p[0], p + 2, p[1]))
			return -EBADMSG;
		p += 2 + p[1];
	}
	return 0;
}

/* First the options, then file, then sname: RFC 2131, 4.1, and RFC 3396, 5. */
static int walk_all(struct reader *r, const struct dhcp_bootp *b, const uint8_t *options,
		    size_t len)
{
	const uint8_t *overload;

	if (walk(r, options, len))
		return -EBADMSG;
	overload = r->values[OVERLOAD];
	if (!overload)
		return 0;
	if (!*overload || *overload > (OVERLOAD_FILE | OVERLOAD_SNAME))
		return -EBADMSG;
	if (*overload & OVERLOAD_FILE && walk(r, b->file, sizeof(b->file)))
		return -EBADMSG;
	if (*overload & OVERLOAD_SNAME && walk(r, b->sname, sizeof(b->sname)))
		return -EBADMSG;
	return 0;
}

static uint32_t seconds(const uint8_t *value)
{
	uint32_t be = 0;

	if (value)
		memcpy(&be, value, sizeof(be));
	return ntohl(be);
}

static struct in_addr address(const uint8_t *value)
{
	struct in_addr a = {};

	if (value)
		memcpy(&a, value, sizeof(a));
	return a;
}

int dhcp_read_options(const struct dhcp_bootp *b, const uint8_t *options, size_t len,
		      struct dhcp_message *m)
{
	struct reader r = { .client_id = m->client_id, .repeat = m->reply ? NULL : m->repeat };

	if (walk_all(&r, b, options, len) || (r.has_client_id && r.client_id_len < 2))
		return -EBADMSG;
	if (r.values[TYPE] && (!*r.values[TYPE] || *r.values[TYPE] >= DHCP_TYPE_MAX))
		return -EBADMSG;
	m->type = r.values[TYPE] ? *r.values[TYPE] : DHCP_BOOTP;
	m->requested = address(r.values[REQUESTED]);
	m->server_id = address(r.values[SERVER]);
	m->lease_s = seconds(r.values[LEASE]);
	m->t1_s = seconds(r.values[T1]);
	m->t2_s = seconds(r.values[T2]);
	m->client_id_len = (uint8_t)r.client_id_len;
	m->repeat_len = r.repeat_len <= DHCP_REPEAT_MAX ? (uint16_t)r.repeat_len : 0;
	return 0;
}

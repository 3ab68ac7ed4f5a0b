// SPDX-License-Identifier: GPL-2.0-or-later
/* DHCP renewals that we write, and requests that are given a source of ours. */
#include "dhcp_frames.h"

#define GUARD 0xee /* what nobody has written */

static const uint8_t client_id[] = {1, 0x02, 0x00, 0x00, 0x5e, 0x02, 0x01};

/* The client of renew_frame, by hand. */
static const uint8_t watchdog_frame[] = {
	0x45, 0x00, 0x01, 0x48, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11, 0xf0, 0xd7,
	100, 71, 64, 62, 100, 71, 64, 1,
	0x00, 0x44, 0x00, 0x43, 0x01, 0x34, 0xc6, 0x59,
	0x01, 0x01, 0x06, 0x00, 0x11, 0x22, 0x33, 0x44, 0x00, 0x07, 0x00, 0x00,
	100, 71, 64, 62, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0x02, 0x00, 0x00, 0x5e, 0x02, 0x01,
	[AT_COOKIE] = 0x63, 0x82, 0x53, 0x63,
	53, 1, 3,
	61, 7, 1, 0x02, 0x00, 0x00, 0x5e, 0x02, 0x01,
	255, [327] = 0,
};

static struct dhcp_renewal renewal(void)
{
	struct dhcp_renewal r = {
		.ciaddr.s_addr = inet_addr("100.71.64.62"),
		.server.s_addr = inet_addr("100.71.64.1"),
		.chaddr = {0x02, 0x00, 0x00, 0x5e, 0x02, 0x01},
		.client_id = client_id,
		.client_id_len = sizeof(client_id),
		.secs = 7,
	};

	memcpy(&r.xid, "\x11\x22\x33\x44", 4);
	return r;
}

static void test_bytes(void **state)
{
	struct dhcp_renewal r = renewal();
	uint8_t out[DHCP_MAX_PACKET + 1];

	memset(out, GUARD, sizeof(out));
	assert_int_equal(dhcp_write_renewal(&r, out), sizeof(watchdog_frame));
	assert_memory_equal(out, watchdog_frame, sizeof(watchdog_frame));
	for (size_t i = sizeof(watchdog_frame); i < sizeof(out); i++)
		assert_int_equal(out[i], GUARD);
}

static void write_and_read(const struct dhcp_renewal *r)
{
	uint8_t out[DHCP_MAX_PACKET];
	struct dhcp_message m;
	size_t len;

	memset(out, GUARD, sizeof(out));
	len = dhcp_write_renewal(r, out);
	assert_in_range(len, DHCP_RENEWAL_MIN, DHCP_RENEWAL_MAX);
	assert_int_equal(out[len], GUARD);
	assert_int_equal(dhcp_parse(out, len, &m), 0);
	assert_int_equal(out[2] * 256 + out[3], len);
	assert_int_equal(ip_sum(out), 0xffff);
	assert_int_equal(udp_sum(out), 0xffff);
	assert_true(out[26] || out[27]); /* 0 would mean: no checksum */
	assert_true(dhcp_is_renewal(&m));
	assert_int_equal(m.type, DHCP_REQUEST);
	assert_int_equal(m.server_id.s_addr | m.requested.s_addr, 0);
	assert_int_equal(m.src.s_addr, r->ciaddr.s_addr);
	assert_int_equal(m.ciaddr.s_addr, r->ciaddr.s_addr);
	assert_int_equal(m.dst.s_addr, r->server.s_addr);
	assert_int_equal(m.sport, 68);
	assert_int_equal(m.xid, r->xid);
	assert_int_equal(m.secs, r->secs);
	assert_memory_equal(m.chaddr, r->chaddr, 6);
	assert_int_equal(m.client_id_len, r->client_id_len);
	assert_memory_equal(m.client_id, r->client_id ?: m.client_id, r->client_id_len);
	assert_int_equal(m.repeat_len, r->repeat_len);
	assert_memory_equal(m.repeat, r->repeat ?: m.repeat, r->repeat_len);
}

static void test_client_ids(void **state)
{
	uint8_t id[DHCP_CLIENT_ID_MAX], repeat[DHCP_REPEAT_MAX] = {12, 254, [256] = 60, 254};
	struct dhcp_renewal r = renewal();
	uint8_t out[DHCP_MAX_PACKET];

	memset(id, 0xff, sizeof(id));
	r.client_id = id;
	for (unsigned int len = 2; len <= sizeof(id); len++) {
		r.client_id_len = (uint8_t)len;
		write_and_read(&r);
	}
	r.repeat = repeat;
	r.repeat_len = 256;
	write_and_read(&r);
	r.repeat_len = sizeof(repeat);
	write_and_read(&r);
	assert_int_equal(dhcp_write_renewal(&r, out), DHCP_RENEWAL_MAX);
	r.repeat = NULL;
	r.repeat_len = 0;
	r.client_id = NULL;
	r.client_id_len = 0;
	write_and_read(&r);
	assert_int_equal(dhcp_write_renewal(&r, out), DHCP_RENEWAL_MIN);
}

/* One of them is bound to sum up to zero. */
static void test_all_sums(void **state)
{
	struct dhcp_renewal r = renewal();
	bool all_ones = false;

	for (uint32_t secs = 0; secs <= UINT16_MAX; secs++) {
		uint8_t out[DHCP_MAX_PACKET];

		r.secs = (uint16_t)secs;
		dhcp_write_renewal(&r, out);
		assert_int_equal(udp_sum(out), 0xffff);
		assert_true(out[26] || out[27]);
		all_ones |= out[26] == 0xff && out[27] == 0xff;
	}
	assert_true(all_ones);
}

/* -------- a source of ours */

enum sum { COMPLETE, NONE, WRONG };

static void set_sum(struct packet *p, enum sum sum)
{
	uint8_t *field = p->data + (p->data[0] & 15) * 4U + 6;

	if (sum == NONE)
		memset(field, 0, 2);
	else if (sum == WRONG)
		field[1] ^= 0x55;
}

/* All but source, port and sums stays. */
static void check_rest(const struct packet *a, const struct packet *b)
{
	struct packet copy = *a;
	size_t udp = (b->data[0] & 15) * 4U;

	memcpy(copy.data + 10, b->data + 10, 6);
	memcpy(copy.data + udp, b->data + udp, 2);
	memcpy(copy.data + udp + 6, b->data + udp + 6, 2);
	assert_memory_equal(copy.data, b->data, sizeof(copy.data));
}

static void set_and_check(struct packet p, enum sum sum, const char *source)
{
	const struct packet before = p;
	size_t len = (size_t)p.data[2] * 256 + p.data[3], udp = (p.data[0] & 15) * 4U;
	struct dhcp_message m;

	assert_int_equal(dhcp_set_source(p.data, p.len, (struct in_addr){inet_addr(source)}), len);
	assert_int_equal(dhcp_parse(p.data, len, &m), 0);
	assert_string_equal(text(m.src), source);
	assert_int_equal(m.sport, 68);
	assert_int_equal(ip_sum(p.data), 0xffff);
	if (sum == NONE)
		assert_int_equal(p.data[udp + 6] | p.data[udp + 7], 0);
	else
		assert_int_equal(udp_sum(p.data), 0xffff);
	check_rest(&before, &p);
}

static struct packet stretched(size_t ip_options, size_t behind_udp, size_t behind_ip)
{
	struct packet p = packet_of(renew_frame, AT_UDP);

	memset(p.data + AT_UDP, 1, ip_options);
	memcpy(p.data + AT_UDP + ip_options, renew_frame + AT_UDP, sizeof(renew_frame) - AT_UDP);
	p.len = sizeof(renew_frame) + ip_options;
	p.data[0] = (uint8_t)(0x45 + ip_options / 4);
	memset(p.data + p.len, 0x77, behind_udp + behind_ip);
	put16(p.data + 2, p.len + behind_udp);
	p.len += behind_udp + behind_ip;
	return p;
}

static void test_set_source(void **state)
{
	static const size_t behind[] = {0, 1, 2, 7, 600};

	for (enum sum sum = COMPLETE; sum <= WRONG; sum++) {
		for (size_t i = 0; i < ARRAY_SIZE(behind) * ARRAY_SIZE(behind) * 2; i++) {
			struct packet p = stretched(i % 2 * 12, behind[i / 2 % 5], behind[i / 10]);

			put16(p.data + (p.data[0] & 15) * 4U, 503); /* as after masquerading */
			set_sum(&p, sum);
			set_and_check(p, sum, "100.71.64.62");
			set_and_check(p, sum, "198.51.100.255");
		}
	}
}

/* A datagram of an odd length, its last byte being of weight. */
static void test_odd(void **state)
{
	struct packet p = packet_with("\x35\1\3\x0c\1\x80", 6);

	assert_int_equal(p.len % 2, 0);
	set_sum(&p, WRONG);
	set_and_check(p, WRONG, "100.71.64.62");
	p = packet_with("\x35\1\3\x0c\2\x80\x81", 7);
	set_sum(&p, WRONG);
	set_and_check(p, WRONG, "100.71.64.62");
}

/* What was right comes out as it was. */
static void test_own_source(void **state)
{
	struct packet p = packet_of(renew_frame, sizeof(renew_frame));

	dhcp_set_source(p.data, p.len, (struct in_addr){inet_addr("100.71.64.62")});
	assert_memory_equal(p.data, renew_frame, sizeof(renew_frame));
	set_sum(&p, WRONG);
	memset(p.data + 10, 0, 2);
	dhcp_set_source(p.data, p.len, (struct in_addr){inet_addr("100.71.64.62")});
	assert_memory_equal(p.data, renew_frame, sizeof(renew_frame));
}

/* A sum of zero is written as all ones, or it would say that there is none (RFC 768). */
static void test_zero_sum(void **state)
{
	bool seen = false;

	for (uint32_t xid = 0; xid <= UINT16_MAX; xid++) {
		struct packet p = packet_of(renew_frame, sizeof(renew_frame));

		put16(p.data + 32, xid);
		dhcp_set_source(p.data, p.len, (struct in_addr){inet_addr("100.71.64.62")});
		assert_true(p.data[26] || p.data[27]);
		seen |= p.data[26] == 0xff && p.data[27] == 0xff;
	}
	assert_true(seen);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes),	   cmocka_unit_test(test_client_ids),
		cmocka_unit_test(test_all_sums),   cmocka_unit_test(test_set_source),
		cmocka_unit_test(test_odd),	   cmocka_unit_test(test_own_source),
		cmocka_unit_test(test_zero_sum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

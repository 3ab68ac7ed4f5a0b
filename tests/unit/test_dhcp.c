// SPDX-License-Identifier: GPL-2.0-or-later
/* DHCP messages: as clients and servers send them, and as nobody should. */
#include "dhcp_frames.h"

static void test_renewal(void **state)
{
	struct packet p = packet_of(renew_frame, sizeof(renew_frame));
	static const uint8_t mac[] = {0x02, 0x00, 0x00, 0x5e, 0x02, 0x01};
	struct dhcp_message m;

	assert_int_equal(packet_parse(&p, &m), 0);
	assert_string_equal(text(m.src), "100.71.64.62");
	assert_string_equal(text(m.dst), "100.71.64.1");
	assert_int_equal(m.sport, 68);
	assert_int_equal(m.dport, 67);
	assert_false(m.reply);
	assert_int_equal(m.hops, 0);
	assert_int_equal(m.secs, 5);
	assert_int_equal(m.flags, 0);
	assert_memory_equal(&m.xid, "\x39\x03\xf3\x26", 4);
	assert_string_equal(text(m.ciaddr), "100.71.64.62");
	assert_int_equal(m.yiaddr.s_addr | m.siaddr.s_addr | m.giaddr.s_addr, 0);
	assert_memory_equal(m.chaddr, mac, 6);
	assert_int_equal(m.type, DHCP_REQUEST);
	assert_int_equal(m.server_id.s_addr | m.requested.s_addr, 0);
	assert_int_equal(m.lease_s | m.t1_s | m.t2_s, 0);
	assert_int_equal(m.client_id_len, 7);
	assert_int_equal(m.client_id[0], 1);
	assert_memory_equal(m.client_id + 1, mac, 6);
	assert_true(dhcp_is_renewal(&m));
}

static void test_ack(void **state)
{
	struct packet p = packet_of(ack_frame, sizeof(ack_frame));
	struct dhcp_message m;

	assert_int_equal(packet_parse(&p, &m), 0);
	assert_int_equal(m.sport, 67);
	assert_int_equal(m.dport, 68);
	assert_true(m.reply);
	assert_int_equal(m.hops, 1);
	assert_int_equal(m.flags, 0x8000);
	assert_string_equal(text(m.ciaddr), "100.71.64.62");
	assert_string_equal(text(m.yiaddr), "100.71.64.62");
	assert_string_equal(text(m.siaddr), "100.71.64.2");
	assert_string_equal(text(m.giaddr), "100.71.64.3");
	assert_int_equal(m.type, DHCP_ACK);
	assert_string_equal(text(m.server_id), "203.0.113.10");
	assert_int_equal(m.lease_s, 3600);
	assert_int_equal(m.t1_s, 1801);
	assert_int_equal(m.t2_s, 3151);
	assert_int_equal(m.client_id_len, 0);
	assert_false(dhcp_is_renewal(&m));
}

/* Cut anywhere, with headers that still tell of the whole. */
static void test_cut(void **state)
{
	struct packet p = packet_of(renew_frame, sizeof(renew_frame));
	struct dhcp_message m;

	for (size_t len = 0; len < p.len; len++)
		assert_int_equal(packet_parse_len(&p, len, &m), -EBADMSG);
}

/* Where the renewal's options end, and its padding begins. */
static bool is_between_options(size_t at)
{
	static const size_t ends[] = {268, 271, 277, 286, 295};

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		if (at == ends[i])
			return true;
	}
	return at > 295;
}

/* Cut anywhere, with headers that know. */
static void test_short(void **state)
{
	struct dhcp_message m;

	for (size_t len = AT_UDP; len <= sizeof(renew_frame); len++) {
		struct packet p = packet_of(renew_frame, len);
		bool whole = len >= AT_COOKIE && (len < AT_OPTIONS || is_between_options(len));

		packet_fit(&p);
		assert_int_equal(packet_parse(&p, &m), whole ? 0 : -EBADMSG);
		if (whole)
			assert_int_equal(m.type, len < 271 ? DHCP_BOOTP : DHCP_REQUEST);
		if (whole)
			assert_int_equal(m.client_id_len, len < 295 ? 0 : 7);
	}
}

/* One byte of the renewal, or of the ACK, is another. */
static void test_bytes(void **state)
{
	static const struct {
		uint16_t at;
		uint8_t value;
		int renew, ack;
	} rows[] = {
		{0, 0x65, -ENOENT, -ENOENT}, /* IPv6 */
		{0, 0x05, -ENOENT, -ENOENT},
		{0, 0x44, -EBADMSG, -EBADMSG}, /* header of 16 bytes */
		{0, 0x40, -EBADMSG, -EBADMSG},
		{2, 0x00, -EBADMSG, -EBADMSG}, /* IP of 72 bytes, UDP of 308 */
		{3, 0x47, -EBADMSG, -EBADMSG}, /* UDP is longer than IP */
		{3, 0x49, -EBADMSG, -EBADMSG},
		{2, 0xff, -EBADMSG, -EBADMSG},
		{6, 0x20, -ENOENT, -ENOENT}, /* more fragments */
		{6, 0x01, -ENOENT, -ENOENT}, /* offsets */
		{7, 0x01, -ENOENT, -ENOENT},
		{6, 0x40, 0, 0},
		{8, 0x00, 0, 0},
		{9, 6, -ENOENT, -ENOENT}, /* TCP */
		{10, 0x00, 0, 0}, /* checksums are not looked at */
		{26, 0xbe, 0, 0},
		{20, 0x30, 0, 0}, /* nor the source port */
		{22, 0x01, -ENOENT, -ENOENT},
		{23, 0x43, 0, -ENOENT},
		{23, 0x44, -ENOENT, 0},
		{23, 0x35, -ENOENT, -ENOENT},
		{24, 0x00, -EBADMSG, -EBADMSG}, /* UDP of 52 bytes */
		{25, 0x35, -EBADMSG, -EBADMSG},
		{24, 0xff, -EBADMSG, -EBADMSG},
		{28, 0, -EBADMSG, -EBADMSG},
		{28, 1, 0, -ENOENT},
		{28, 2, -ENOENT, 0},
		{28, 3, -EBADMSG, -EBADMSG},
		{29, 0, -EBADMSG, -EBADMSG},
		{29, 6, -EBADMSG, -EBADMSG}, /* IEEE 802 */
		{29, 32, -EBADMSG, -EBADMSG}, /* InfiniBand */
		{30, 0, -EBADMSG, -EBADMSG},
		{30, 5, -EBADMSG, -EBADMSG},
		{30, 7, -EBADMSG, -EBADMSG},
		{30, 16, -EBADMSG, -EBADMSG},
		{30, 255, -EBADMSG, -EBADMSG},
		{62, 0xff, 0, 0}, /* padding of chaddr */
	};
	struct dhcp_message m;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct packet a = packet_of(renew_frame, sizeof(renew_frame));
		struct packet b = packet_of(ack_frame, sizeof(ack_frame));

		a.data[rows[i].at] = b.data[rows[i].at] = rows[i].value;
		if (packet_parse(&a, &m) != rows[i].renew ||
		    packet_parse(&b, &m) != rows[i].ack)
			fail_msg("byte %u := %#x", rows[i].at, rows[i].value);
	}
}

/* UDP of 0..7 bytes, and IP too short for UDP. */
static void test_tiny_lengths(void **state)
{
	struct packet p = packet_of(renew_frame, sizeof(renew_frame));
	struct dhcp_message m;

	for (size_t len = 0; len < AT_BOOTP - AT_UDP; len++) {
		put16(p.data + AT_UDP + 4, len);
		assert_int_equal(packet_parse(&p, &m), -EBADMSG);
	}
	for (size_t len = 0; len < AT_BOOTP; len++) {
		put16(p.data + 2, len);
		assert_int_equal(packet_parse(&p, &m), -EBADMSG);
	}
}

/* Router alert and a no-operation, or 40 bytes of them. */
static struct packet with_ip_options(const uint8_t *frame, size_t len, size_t n)
{
	struct packet p = { .len = len + n };

	memcpy(p.data, frame, AT_UDP);
	memset(p.data + AT_UDP, 1, n);
	memcpy(p.data + AT_UDP + n, frame + AT_UDP, len - AT_UDP);
	p.data[0] = (uint8_t)(0x45 + n / 4);
	packet_fit(&p);
	return p;
}

static void test_ip_options(void **state)
{
	struct dhcp_message m;

	for (size_t n = 4; n <= 40; n += 4) {
		struct packet p = with_ip_options(renew_frame, sizeof(renew_frame), n);

		assert_int_equal(packet_parse(&p, &m), 0);
		assert_int_equal(m.type, DHCP_REQUEST);
		assert_memory_equal(&m.xid, "\x39\x03\xf3\x26", 4);
		for (size_t len = 0; len < p.len; len++)
			assert_int_equal(packet_parse_len(&p, len, &m), -EBADMSG);
	}
}

/* Ethernet pads; what is behind the datagram is nobody's, even if it looks like options. */
static void test_trailing(void **state)
{
	static const uint8_t server[] = {54, 4, 192, 0, 2, 66};
	struct packet p = packet_with("\x35\1\3", 3);
	struct dhcp_message m;

	memcpy(p.data + p.len, server, sizeof(server));
	p.len += sizeof(server);
	assert_int_equal(packet_parse(&p, &m), 0);
	assert_int_equal(m.server_id.s_addr, 0);
	put16(p.data + 2, p.len);
	assert_int_equal(packet_parse(&p, &m), 0);
	assert_int_equal(m.server_id.s_addr, 0);
	packet_fit(&p);
	assert_int_equal(packet_parse(&p, &m), 0);
	assert_string_equal(text(m.server_id), "192.0.2.66");
}

static void test_long(void **state)
{
	struct packet p = packet_of(renew_frame, sizeof(renew_frame));
	struct dhcp_message m;

	p.len = DHCP_MAX_PACKET;
	packet_fit(&p);
	assert_int_equal(packet_parse(&p, &m), 0);
	p.len = sizeof(p.data);
	assert_int_equal(packet_parse(&p, &m), 0);
	put16(p.data + 2, DHCP_MAX_PACKET + 1);
	assert_int_equal(packet_parse(&p, &m), -EBADMSG);
	put16(p.data + 2, 0xffff);
	assert_int_equal(packet_parse(&p, &m), -EBADMSG);
}

static void test_without_cookie(void **state)
{
	struct dhcp_message m;

	for (size_t i = 0; i < 4; i++) {
		struct packet p = packet_of(renew_frame, sizeof(renew_frame));

		p.data[AT_COOKIE + i] ^= 0x10;
		assert_int_equal(packet_parse(&p, &m), 0);
		assert_int_equal(m.type, DHCP_BOOTP);
		assert_int_equal(m.client_id_len, 0);
	}
}

static void test_any_alignment(void **state)
{
	uint8_t room[sizeof(renew_frame) + 8] __attribute__((aligned(8)));
	struct dhcp_message m;

	for (size_t skew = 0; skew < 8; skew++) {
		memcpy(room + skew, renew_frame, sizeof(renew_frame));
		assert_int_equal(dhcp_parse(room + skew, sizeof(renew_frame), &m), 0);
		assert_int_equal(m.client_id_len, 7);
	}
}

static void test_is_renewal(void **state)
{
	static const struct {
		const char *dst, *ciaddr, *giaddr;
		bool reply, want;
		enum dhcp_type type;
	} rows[] = {
		{"192.0.2.1", "192.0.2.9", "0.0.0.0", false, true, DHCP_REQUEST},
		{"192.0.2.1", "192.0.2.9", "0.0.0.0", false, true, DHCP_RELEASE},
		{"192.0.2.1", "192.0.2.9", "0.0.0.0", false, true, DHCP_INFORM},
		{"192.0.2.1", "192.0.2.9", "0.0.0.0", true, false, DHCP_ACK},
		{"192.0.2.1", "0.0.0.0", "0.0.0.0", false, false, DHCP_REQUEST},
		{"255.255.255.255", "0.0.0.0", "0.0.0.0", false, false, DHCP_DISCOVER},
		{"255.255.255.255", "192.0.2.9", "0.0.0.0", false, false, DHCP_REQUEST},
		{"224.0.0.1", "192.0.2.9", "0.0.0.0", false, false, DHCP_REQUEST},
		{"239.255.255.255", "192.0.2.9", "0.0.0.0", false, false, DHCP_REQUEST},
		{"223.255.255.255", "192.0.2.9", "0.0.0.0", false, true, DHCP_REQUEST},
		{"0.0.0.0", "192.0.2.9", "0.0.0.0", false, false, DHCP_REQUEST},
		{"192.0.2.1", "192.0.2.9", "192.0.2.2", false, false, DHCP_REQUEST},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct dhcp_message m = { .reply = rows[i].reply, .type = rows[i].type };

		assert_int_equal(inet_pton(AF_INET, rows[i].dst, &m.dst), 1);
		assert_int_equal(inet_pton(AF_INET, rows[i].ciaddr, &m.ciaddr), 1);
		assert_int_equal(inet_pton(AF_INET, rows[i].giaddr, &m.giaddr), 1);
		if (dhcp_is_renewal(&m) != rows[i].want)
			fail_msg("row %zu", i);
	}
}

static void test_is_unicast(void **state)
{
	static const char *const yes[] = {"1.0.0.0", "126.255.255.255", "128.0.0.0",
					  "223.255.255.255", "100.64.0.1"};
	static const char *const no[] = {"0.0.0.0", "0.255.255.255", "127.0.0.1",
					 "127.255.255.255", "224.0.0.0", "239.1.1.1",
					 "240.0.0.1", "255.255.255.255"};

	for (size_t i = 0; i < ARRAY_SIZE(yes); i++)
		assert_true(dhcp_is_unicast((struct in_addr){inet_addr(yes[i])}));
	for (size_t i = 0; i < ARRAY_SIZE(no); i++)
		assert_false(dhcp_is_unicast((struct in_addr){inet_addr(no[i])}));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_renewal),
		cmocka_unit_test(test_ack),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_short),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_tiny_lengths),
		cmocka_unit_test(test_ip_options),
		cmocka_unit_test(test_trailing),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_without_cookie),
		cmocka_unit_test(test_any_alignment),
		cmocka_unit_test(test_is_renewal),
		cmocka_unit_test(test_is_unicast),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* What is known of a mesh, to the file and back; names to addresses, ports.  /run is the test's own. */
#include "apply/overlay_endpoint.h"
#include "apply/overlay_state.h"
#include "tests/unit/netns.h"
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define COOKIE 4711
#define FILE_NAME "/run/asymbpf/4711.mesh"

static int setup(void **state)
{
	netns_ours = !unshare(CLONE_NEWNET | CLONE_NEWNS) &&
		     !mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) &&
		     !mount("none", "/run", "tmpfs", 0, NULL);
	return 0;
}

#define test(fn) cmocka_unit_test_setup(fn, setup)

static void put(const char *text)
{
	FILE *f;

	mkdir("/run/asymbpf", 0700);
	f = fopen(FILE_NAME, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void test_there_and_back(void **state)
{
	struct overlay_device tunnels[2] = {
		{.name = "w-b", .ifindex = 7, .host = "b.example.net", .endpoint = "192.0.2.1:51820"},
		{.name = "w-c", .adopted = true},
	};
	struct overlay_state s = {.description = (char *)"mesh \"m\" {}\n\tnode", .node = "a",
				  .overlay = {.name = "ov0", .ifindex = 9},
				  .tunnels = tunnels, .n_tunnels = 2}, is;

	netns_need();
	assert_int_equal(addr_parse("10.9.0.1", &s.addr[ASYM_V4]), 0);
	assert_int_equal(overlay_state_read(&is, COOKIE), -ENOENT);
	assert_int_equal(overlay_state_write(&s, COOKIE), 0);
	assert_int_equal(overlay_state_read(&is, COOKIE), 0);
	assert_string_equal(is.description, s.description);
	assert_string_equal(is.node, "a");
	assert_memory_equal(&is.overlay, &s.overlay, sizeof(s.overlay));
	assert_memory_equal(is.addr, s.addr, sizeof(s.addr));
	assert_int_equal(is.n_tunnels, 2);
	assert_memory_equal(is.tunnels, tunnels, sizeof(tunnels));
	assert_ptr_equal(overlay_state_tunnel(&is, "w-c"), &is.tunnels[1]);
	assert_null(overlay_state_tunnel(&is, "w-d"));
	overlay_state_done(&is);
	overlay_state_remove(COOKIE);
	assert_int_equal(overlay_state_read(&is, COOKIE), -ENOENT);
	assert_int_equal(access("/run/asymbpf", F_OK), -1);
}

static void test_damaged(void **state)
{
	static const char *const texts[] = {
		"", "[]", "{}", "{\"node\":\"a\"}",
		"{\"node\":\"a_very_long_name\",\"description\":\"\",\"addresses\":[],\"tunnels\":[]}",
		"{\"node\":\"a\",\"description\":7,\"addresses\":[],\"tunnels\":[]}",
		"{\"node\":\"a\",\"description\":\"\",\"addresses\":[\"x\"],\"tunnels\":[]}",
		"{\"node\":\"a\",\"description\":\"\",\"addresses\":[null],\"tunnels\":[]}",
		"{\"node\":\"a\",\"description\":\"\",\"addresses\":[],\"tunnels\":[{}]}",
		"{\"node\":\"a\",\"description\":\"\",\"addresses\":[],\"tunnels\":[7]}",
		"{\"node\":\"a\",\"description\":\"\",\"addresses\":[],\"tunnels\":"
		"[{\"device\":\"w\",\"ifindex\":-1}]}",
	};
	struct overlay_state is;

	netns_need();
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		put(texts[i]);
		if (overlay_state_read(&is, COOKIE) != -EBADMSG)
			fail_msg("read: %s", texts[i]);
	}
}

static int choose(const struct mesh_endpoint *e, const char *before, char text[OVERLAY_ENDPOINT],
		  char error[200])
{
	struct resolved found;
	union addr_socket a = {};
	int r;

	resolve(e->host, AF_UNSPEC, &found);
	r = overlay_endpoint_choose(e, &found, before, &a, error, 200);
	overlay_endpoint_text(&a, text);
	return r;
}

static void test_endpoints(void **state)
{
	struct mesh_endpoint e = {.host = "192.0.2.9", .port = 14967};
	char text[OVERLAY_ENDPOINT], error[200] = "";

	assert_int_equal(choose(&e, "", text, error), 0);
	assert_string_equal(text, "192.0.2.9:14967");
	strcpy(e.host, "2001:db8::c");
	assert_int_equal(choose(&e, "192.0.2.9:14967", text, error), 0);
	assert_string_equal(text, "[2001:db8::c]:14967");
	strcpy(e.host, "nowhere.invalid");
	assert_int_equal(choose(&e, "", text, error), -EHOSTUNREACH);
	assert_string_equal(text, "");
	assert_non_null(strstr(error, "nowhere.invalid"));
}

/* Of several addresses the one in use stays as long as the name has it. */
static void test_endpoints_of_many(void **state)
{
	static const char *const known[] = {"192.0.2.1", "192.0.2.2", "2001:db8::3"};
	static const struct {
		const char *before, *now;
	} cases[] = {
		{"", "192.0.2.1:77"},
		{"192.0.2.1:77", "192.0.2.1:77"},
		{"192.0.2.2:77", "192.0.2.2:77"},
		{"[2001:db8::3]:77", "[2001:db8::3]:77"},
		{"192.0.2.2:78", "192.0.2.1:77"},
		{"192.0.2.9:77", "192.0.2.1:77"},
	};
	struct mesh_endpoint e = {.host = "name.example", .port = 77};
	struct resolved found = {.n = 3};
	char text[OVERLAY_ENDPOINT];

	for (size_t i = 0; i < 3; i++) {
		struct in6_addr a;

		assert_int_equal(addr_parse(known[i], &a), 0);
		addr_socket(&a, 0, 0, &found.addr[i]);
	}
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		union addr_socket a;

		assert_int_equal(overlay_endpoint_choose(&e, &found, cases[i].before, &a, text, 0), 0);
		overlay_endpoint_text(&a, text);
		assert_string_equal(text, cases[i].now);
	}
}

static void test_names_of_hosts(void **state)
{
	struct resolved r;

	assert_true(resolve_is_name("relay.example"));
	assert_true(resolve_is_name("10.example"));
	assert_false(resolve_is_name(""));
	assert_false(resolve_is_name("192.0.2.1"));
	assert_false(resolve_is_name("2001:db8::1"));
	assert_false(resolve_is_name("fe80::1%eth0"));
	resolve("192.0.2.1", AF_UNSPEC, &r);
	assert_int_equal(r.n, 1);
	assert_int_equal(r.error, 0);
	resolve("192.0.2.1", AF_INET6, &r);
	assert_int_equal(r.n, 0);
	assert_int_not_equal(r.error, 0);
}

static void test_ports(void **state)
{
	struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_port = htons(4800)};
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(4801)};
	int six, four;

	netns_need();
	sh("ip link set lo up");
	assert_int_equal(overlay_port_check(4800), 0);
	six = socket(AF_INET6, SOCK_DGRAM, 0);
	assert_int_equal(setsockopt(six, IPPROTO_IPV6, IPV6_V6ONLY, &(int){1}, sizeof(int)), 0);
	assert_int_equal(bind(six, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(overlay_port_check(4800), -EADDRINUSE);
	four = socket(AF_INET, SOCK_DGRAM, 0);
	inet_pton(AF_INET, "127.0.0.1", &v4.sin_addr);
	assert_int_equal(bind(four, (struct sockaddr *)&v4, sizeof(v4)), 0);
	assert_int_equal(overlay_port_check(4801), -EADDRINUSE);
	assert_int_equal(overlay_port_check(4802), 0);
	close(six);
	close(four);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(test_there_and_back),
		test(test_damaged),
		test(test_endpoints),
		test(test_endpoints_of_many),
		test(test_names_of_hosts),
		test(test_ports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

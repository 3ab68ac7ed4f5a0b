// SPDX-License-Identifier: GPL-2.0-or-later
/* DNS: what is taken for an answer, and names as they are asked. */
#include "tests/unit/probe_lab.h"

static void dns_code(struct frame *f)
{
	f->l4[DNS_AT + 3] = 5; /* REFUSED */
	dns_right(f);
}

static void dns_letters(struct frame *f)
{
	f->l4[DNS_AT + 13] = 'W';
	dns_right(f);
}

static void dns_bare_error(struct frame *f)
{
	f->l4[DNS_AT + 3] = 1; /* FORMERR */
	f->l4[DNS_AT + 5] = 0;
	f->l4_len = DNS_AT + 12;
	dns_right(f);
}

static void dns_bare(struct frame *f)
{
	f->l4[DNS_AT + 5] = 0;
	f->l4_len = DNS_AT + 12;
	dns_right(f);
}

static void dns_id(struct frame *f)
{
	f->l4[DNS_AT] ^= 1;
	dns_right(f);
}

static void dns_query(struct frame *f)
{
	frame_turn(f);
	send_back(f);
}

static void dns_other_name(struct frame *f)
{
	f->l4[DNS_AT + 13] = 'x';
	dns_right(f);
}

static void dns_other_type(struct frame *f)
{
	f->l4[f->l4_len - 3] = 28;
	dns_right(f);
}

static void dns_cut(struct frame *f)
{
	f->l4_len -= 1;
	dns_right(f);
}

static void dns_header_cut(struct frame *f)
{
	f->l4_len = DNS_AT + 11;
	dns_right(f);
}

static void dns_opcode(struct frame *f)
{
	f->l4[DNS_AT + 2] |= 0x10;
	dns_right(f);
}

static void dns_source(struct frame *f)
{
	turn_aside(f);
	dns_right(f);
}

static void dns_empty(struct frame *f)
{
	f->l4_len = DNS_AT;
	frame_turn(f);
	send_back(f);
}

static void dns_all_lies(struct frame *f)
{
	static answer_fn *const lies[] = { dns_bare, dns_id, dns_query, dns_other_name, dns_cut,
					   dns_header_cut, dns_opcode, dns_source, dns_empty,
					   dns_right };

	answer_each(f, lies, ARRAY_SIZE(lies));
}

static void test_dns(void **state)
{
	static const struct lie lies[] = {
		{ "answer", dns_right, NULL },
		{ "error", dns_code, NULL },
		{ "other letters", dns_letters, NULL },
		{ "error without question", dns_bare_error, NULL },
		{ "no error and no question", dns_bare, "timeout" },
		{ "another id", dns_id, "timeout" },
		{ "a query", dns_query, "timeout" },
		{ "another name", dns_other_name, "timeout" },
		{ "another type", dns_other_type, "timeout" },
		{ "question cut off", dns_cut, "timeout" },
		{ "header cut off", dns_header_cut, "timeout" },
		{ "another operation", dns_opcode, "timeout" },
		{ "another source", dns_source, "timeout" },
		{ "nothing in it", dns_empty, "timeout" },
		{ "lies, then the truth", dns_all_lies, NULL },
		{ "no server", port_by_target, "refused" },
		{ "silence", NULL, "timeout" },
	};

	expect_all(PROBE_DNS, lies, ARRAY_SIZE(lies));
}

static void dns_asks(const char *name, const void *wire_name, size_t len, uint8_t type)
{
	struct model_target t = target_of(PROBE_DNS, ASYM_V4);
	struct model_probe c = conf_of(PATIENT);
	struct probe_path path = path_of("wan0");

	snprintf(c.dns_name, sizeof(c.dns_name), "%s", name);
	probe_once(&path, &t, &c, dns_right);
	assert_int_equal(seen.l4_len, DNS_AT + 12 + len + 4);
	assert_memory_equal(seen.l4 + DNS_AT + 12, wire_name, len);
	assert_int_equal(seen.l4[DNS_AT + 12 + len + 1], type);
}

static void dns_does_not_ask(const char *name)
{
	struct model_target t = target_of(PROBE_DNS, ASYM_V4);
	struct model_probe c = conf_of(PATIENT);
	struct probe_path path = path_of("wan0");
	struct result r = { 0 };
	struct probe *p;

	snprintf(c.dns_name, sizeof(c.dns_name), "%s", name);
	assert_int_equal(start(&path, &t, &c, &r, &p), -EINVAL);
}

/* Labels of as many 'a', as on the wire.  Returns the length. */
static size_t write_labels(const uint8_t *labels, size_t n, uint8_t *ret)
{
	size_t at = 0;

	for (size_t i = 0; i < n; i++) {
		ret[at++] = labels[i];
		memset(ret + at, 'a', labels[i]);
		at += labels[i];
	}
	ret[at++] = 0;
	return at;
}

static void test_dns_names(void **state)
{
	char text[256], part[65];
	uint8_t on_wire[256];

	netns_need();
	memset(part, 'a', 64);
	part[64] = '\0';
	dns_asks(".", "", 1, 2);
	dns_asks("a.bc", "\1a\2bc", 6, 1);
	dns_asks("a.bc.", "\1a\2bc", 6, 1);
	snprintf(text, sizeof(text), "%.63s.%.63s.%.63s.%.61s", part, part, part, part);
	dns_asks(text, on_wire, write_labels((const uint8_t[]){ 63, 63, 63, 61 }, 4, on_wire), 1);
	snprintf(text, sizeof(text), "%.63s.%.63s.%.63s.%.62s", part, part, part, part);
	dns_does_not_ask(text);
	dns_does_not_ask(part);
	dns_does_not_ask("");
	dns_does_not_ask("a..b");
	dns_does_not_ask(".a");
	dns_does_not_ask("a..");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		probe_test(test_dns),
		probe_test(test_dns_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

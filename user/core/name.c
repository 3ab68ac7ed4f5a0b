// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/name.h"
#include "base/num.h"
#include "base/str.h"
#include "core/model.h"
#include <errno.h>
#include <string.h>

#define LETTERS_DIGITS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

struct word {
	const char *name;
	uint8_t number;
};

/* https://www.iana.org/assignments/protocol-numbers */
static const struct word protocols[] = {
	{ "icmp", 1 },	   { "igmp", 2 },	{ "ipip", 4 },	  { "tcp", 6 },
	{ "udp", 17 },	   { "dccp", 33 },	{ "ipv6", 41 },	  { "rsvp", 46 },
	{ "gre", 47 },	   { "esp", 50 },	{ "ah", 51 },	  { "icmpv6", 58 },
	{ "ospf", 89 },	   { "etherip", 97 },	{ "pim", 103 },	  { "ipcomp", 108 },
	{ "vrrp", 112 },   { "l2tp", 115 },	{ "sctp", 132 },  { "udplite", 136 },
	{ "mpls", 137 },
};

/* https://www.iana.org/assignments/dscp-registry; "be" is the usual name of 0, RFC 8622 for le */
static const struct word dscps[] = {
	{ "be", 0 },	 { "cs0", 0 },	 { "le", 1 },	 { "cs1", 8 },	 { "af11", 10 },
	{ "af12", 12 },	 { "af13", 14 }, { "cs2", 16 },	 { "af21", 18 }, { "af22", 20 },
	{ "af23", 22 },	 { "cs3", 24 },	 { "af31", 26 }, { "af32", 28 }, { "af33", 30 },
	{ "cs4", 32 },	 { "af41", 34 }, { "af42", 36 }, { "af43", 38 }, { "cs5", 40 },
	{ "va", 44 },	 { "ef", 46 },	 { "cs6", 48 },	 { "cs7", 56 },
};

bool name_is_valid(const char *s)
{
	size_t len = strlen(s);

	return len && len < MODEL_NAME && strchr(LETTERS_DIGITS, s[0]) &&
	       strspn(s, LETTERS_DIGITS "_.-") == len;
}

bool name_is_device(const char *s)
{
	size_t len = strlen(s);

	return len && len < IFNAMSIZ && strcmp(s, ".") && strcmp(s, "..") &&
	       strspn(s, LETTERS_DIGITS "_.@+-") == len;
}

bool name_is_domain(const char *s)
{
	size_t len = strlen(s), label;

	if (!len || len - (s[len - 1] == '.') > 253)
		return false;
	while (*s) {
		label = strspn(s, LETTERS_DIGITS "-_");
		if (!label || label > 63)
			return false;
		s += label;
		s += *s == '.';
	}
	return true;
}

static int parse_word(const char *s, const struct word *words, size_t n, uint32_t max,
		      uint32_t *ret)
{
	for (size_t i = 0; i < n; i++) {
		if (!strcmp(words[i].name, s)) {
			*ret = words[i].number;
			return 0;
		}
	}
	return num_parse_u32(s, 0, max, ret);
}

int name_parse_protocol(const char *s, uint32_t *ret)
{
	return parse_word(s, protocols, ARRAY_SIZE(protocols), 255, ret);
}

int name_parse_dscp(const char *s, uint32_t *ret)
{
	return parse_word(s, dscps, ARRAY_SIZE(dscps), 63, ret);
}

static const char *find_number(uint32_t number, const struct word *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (words[i].number == number)
			return words[i].name;
	return NULL;
}

const char *name_protocol(uint32_t number)
{
	return find_number(number, protocols, ARRAY_SIZE(protocols));
}

const char *name_dscp(uint32_t number)
{
	return find_number(number, dscps, ARRAY_SIZE(dscps));
}

const char *name_nearest_protocol(const char *s)
{
	const char *names[ARRAY_SIZE(protocols)];

	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++)
		names[i] = protocols[i].name;
	return str_nearest(s, names, ARRAY_SIZE(names));
}

const char *name_nearest_dscp(const char *s)
{
	const char *names[ARRAY_SIZE(dscps)];

	for (size_t i = 0; i < ARRAY_SIZE(dscps); i++)
		names[i] = dscps[i].name;
	return str_nearest(s, names, ARRAY_SIZE(names));
}

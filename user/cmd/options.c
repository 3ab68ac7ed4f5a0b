// SPDX-License-Identifier: GPL-2.0-or-later
#include "cmd/options.h"

#include "base/defs.h"
#include "base/log.h"
#include "base/num.h"
#include "cmd/wg.h"
#include "run/control.h"
#include <getopt.h>
#include <stdarg.h>
#include <string.h>

static const struct row {
	char letter; /* as in command.options */
	const char *name;
	const char *value; /* NULL: takes none; "[...]": may be left out */
	const char *help;
} rows[] = {
	{'i', "iface", "DEV[:WEIGHT]", "link by its device; may be given again"},
	{'l', "lan", "DEV", "device of a LAN; may be given again (default: others with an address)"},
	{'c', "config", "FILE", "configuration file, see asymbpf.conf(5)"},
	{'f', "fastpath", "yes|no", "whether connections may pass the stack by (default: yes)"},
	{'p', "plan", NULL, "print everything the kernel would be given"},
	{'d', "in", "DEV", "device the packet comes in by (default: where its source is)"},
	{'s', "sport", "PORT", "source port"},
	{'q', "dscp", "N", "DSCP, 0 to 63"},
	{'k', "link", "NAME", "flows of this link only"},
	{'S', "src", "PREFIX", "flows from there, as sent or as translated"},
	{'D', "dst", "PREFIX", "flows to there, as sent or as translated"},
	{'P', "proto", "tcp|udp", "flows of this protocol only"},
	{'n', "port", "PORT", "flows with this port at either end"},
	{'o', "sort", "KEY", "bytes (default), packets or age, the most first"},
	{'m', "limit", "N", "no more than the first N"},
	{'C', "count", NULL, "print only how many, for each link"},
	{'F', "for", "SECONDS", "end it after this time (30, 10m, 2h, 1d)"},
	{'N', "node", "NAME", "plan: this node only; apply, run: the node that the key must be of"},
	{'W', "wg-quick", "DIR", "write files for wg-quick(8) there, keeping private keys in them"},
	{'G', "dot", NULL, "print a graph for Graphviz"},
	{'K', "key", "FILE", "private key of this node, as of asymbpf wg genkey"},
	{'a', "adopt", NULL, "use devices of the right names that somebody else made, as they are"},
	{'u', "public", NULL, "read a private key, print its public one"},
	{'w', "watch", "[SECONDS]", "show it again every second, or so many"},
	{'j', "json", NULL, "print JSON"},
	{'h', "help", NULL, "print this help"},
};

static bool is_optional(const struct row *r)
{
	return r->value && *r->value == '[';
}

static bool takes(const struct command *c, char letter)
{
	return letter == 'h' || strchr(c->options, letter);
}

/* The file of wg's verbs is another one. */
static const char *help_of(const struct row *r, const struct command *c)
{
	if (r->letter == 'c' && !strncmp(c->name, "wg ", 3))
		return "description of the mesh, see asymbpf-mesh(5) (default: " WG_CONFIG ")";
	return r->help;
}

static void print_help(const struct command *c)
{
	char left[48];

	printf("usage: asymbpf %s %s\n%s.\n\n", c->name, c->usage, c->help);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (!takes(c, rows[i].letter))
			continue;
		if (is_optional(&rows[i]))
			snprintf(left, sizeof(left), "--%s[=%s", rows[i].name, rows[i].value + 1);
		else
			snprintf(left, sizeof(left), "--%s%s%s", rows[i].name,
				 rows[i].value ? " " : "", rows[i].value ?: "");
		printf("  -%c, %-22s %s\n", rows[i].letter, left, help_of(&rows[i], c));
	}
}

int options_wrong(const struct command *c, const char *fmt, ...)
{
	char text[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	log_error("%s: %s", c->name, text);
	fprintf(stderr, "usage: asymbpf %s %s\n", c->name, c->usage);
	return STATUS_USAGE;
}

static int number(const struct command *c, const char *name, const char *s, uint32_t min,
		  uint32_t max, uint32_t *ret)
{
	if (num_parse_u32(s, min, max, ret))
		return options_wrong(c, "--%s: \"%s\" is not a number from %u to %u", name, s, min,
				     max);
	return STATUS_OK;
}

static int seconds(const struct command *c, const char *name, const char *s, uint32_t max,
		   uint32_t *ret)
{
	if (num_parse_seconds(s, 1, max, ret))
		return options_wrong(c, "--%s: \"%s\" is not a time from 1 s to %u d", name, s,
				     max / 86400);
	return STATUS_OK;
}

/* Options whose text the verb reads. */
static const char **word(struct options *o, int letter)
{
	switch (letter) {
	case 'd':
		return &o->device;
	case 'k':
		return &o->link;
	case 'S':
		return &o->src;
	case 'D':
		return &o->dst;
	case 'P':
		return &o->proto;
	case 'o':
		return &o->sort;
	case 'N':
		return &o->node;
	case 'W':
		return &o->wg_quick;
	case 'K':
		return &o->key;
	default:
		return NULL;
	}
}

static int take(struct options *o, const struct command *c, int letter)
{
	const char **to = word(o, letter);

	if (to) {
		*to = optarg;
		return STATUS_OK;
	}
	switch (letter) {
	case 'i':
	case 'l':
	case 'f':
		o->flags[o->n_flags++] = letter == 'i' ? "--iface" :
					 letter == 'l' ? "--lan" : "--fastpath";
		o->flags[o->n_flags++] = optarg;
		return STATUS_OK;
	case 'c':
		if (o->config)
			return options_wrong(c, "--config is given twice");
		o->config = optarg;
		return STATUS_OK;
	case 'p':
		o->plan = true;
		return STATUS_OK;
	case 's':
		return number(c, "sport", optarg, 0, 65535, &o->sport);
	case 'q':
		return number(c, "dscp", optarg, 0, 63, &o->dscp);
	case 'n':
		return number(c, "port", optarg, 1, 65535, &o->port);
	case 'm':
		return number(c, "limit", optarg, 1, UINT32_MAX, &o->limit);
	case 'F':
		return seconds(c, "for", optarg, CONTROL_MAX_SECONDS, &o->duration_s);
	case 'w':
		return seconds(c, "watch", optarg ?: "1", 86400, &o->watch_s);
	case 'C':
		o->count = true;
		return STATUS_OK;
	case 'G':
		o->dot = true;
		return STATUS_OK;
	case 'a':
		o->adopt = true;
		return STATUS_OK;
	case 'u':
		o->public_key = true;
		return STATUS_OK;
	case 'j':
		o->json = true;
		return STATUS_OK;
	default:
		return STATUS_USAGE;
	}
}

/* getopt's tables, cut to what the verb takes. */
static void build_getopt(const struct command *c, struct option *longs, char *shorts)
{
	size_t n = 0, k = 0;

	shorts[k++] = ':';
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (!takes(c, rows[i].letter))
			continue;
		longs[n++] = (struct option){rows[i].name,
					     is_optional(&rows[i]) ? optional_argument :
					     rows[i].value ? required_argument : no_argument,
					     NULL, rows[i].letter};
		shorts[k++] = rows[i].letter;
		if (rows[i].value)
			shorts[k++] = ':';
		if (is_optional(&rows[i]))
			shorts[k++] = ':';
	}
}

/* getopt leaves the letter in optopt when it was one of several after a single dash, or one that we know
 * with a value. */
static int wrong_option(const struct command *c, const char *word)
{
	if (optopt && word[1] == '-')
		return options_wrong(c, "%.*s takes no value", (int)strcspn(word, "="), word);
	if (optopt)
		return options_wrong(c, "unknown option \"-%c\"", optopt);
	return options_wrong(c, "unknown option \"%s\"", word);
}

int options_parse(struct options *o, const struct command *c, int argc, char **argv,
		  int *ret_status)
{
	struct option longs[ARRAY_SIZE(rows) + 1] = {};
	char shorts[3 * ARRAY_SIZE(rows) + 2] = "";
	int letter;

	memset(o, 0, sizeof(*o));
	o->flags = calloc(2 * argc, sizeof(*o->flags));
	build_getopt(c, longs, shorts);
	*ret_status = o->flags ? STATUS_OK : STATUS_FAILURE;
	optind = 1;
	while (!*ret_status && (letter = getopt_long(argc, argv, shorts, longs, NULL)) >= 0) {
		if (letter == 'h') {
			print_help(c);
			return -1;
		}
		if (letter == ':')
			*ret_status = options_wrong(c, "%s needs a value", argv[optind - 1]);
		else if (letter == '?')
			*ret_status = wrong_option(c, argv[optind - 1]);
		else
			*ret_status = take(o, c, letter);
	}
	o->args = argv + optind;
	o->n_args = argc - optind;
	return *ret_status ? -1 : 0;
}

void options_done(struct options *o)
{
	free(o->flags);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* The table of verbs; help is printed from it. */
#include "base/log.h"
#include "base/str.h"
#include "cmd/cmd.h"
#include <fcntl.h>
#include <string.h>

static const struct command commands[] = {
	{"load", "{--iface DEV[:WEIGHT]... | --config FILE} [--lan DEV]... "
	 "[--fastpath yes|no] [--json]",
	 "Balance the LAN's and the router's connections over links", "ilcfj", cmd_load},
	{"reload", "[--iface DEV[:WEIGHT]...] [--config FILE] [--lan DEV]... [--fastpath yes|no] [--json]",
	 "Change to a new configuration, or read the present one again, without losing a packet",
	 "ilcfj", cmd_reload},
	{"unload", "[--json]", "Remove everything that asymbpf added", "j", cmd_unload},
	{"monitor", "[--iface DEV[:WEIGHT]...] [--config FILE] [--lan DEV]... [--fastpath yes|no] [--json]",
	 "Run as a daemon: load, test the links, switch over, follow the machine's changes",
	 "ilcfj", cmd_monitor},
	{"dhcp-shim", "[--iface DEV[:WEIGHT]...] [--config FILE] [--json]",
	 "Run in the foreground: have DHCP renewals leave by their own link, without BPF", "icj",
	 cmd_dhcp_shim},
	{"status", "[--watch[=SECONDS]] [--json]", "Show links, their state and their shares", "wj",
	 cmd_status},
	{"events", "[--json]", "Print what happens to links, as it happens", "j", cmd_events},
	{"link", "LINK up|down|auto [--for SECONDS]", "Force a link up or down, or leave it to its state",
	 "F", cmd_link},
	{"dhcp", "[--json]", "Show the leases of the links and which way their renewals go", "j",
	 cmd_dhcp},
	{"stats", "[--json]", "Show what the programs counted, and the hits of rules", "j", cmd_stats},
	{"flows",
	 "[--link NAME] [--src PREFIX] [--dst PREFIX] [--proto tcp|udp] [--port PORT] [--sort KEY] "
	 "[--limit N] [--count] [--json]",
	 "Show the connections in the flow cache", "kSDPnomCj", cmd_flows},
	{"check",
	 "[--iface DEV[:WEIGHT]...] [--lan DEV]... [--fastpath yes|no] [--plan | --json] "
	 "[[--config] FILE]",
	 "Try a configuration without changing anything", "ilcfpj", cmd_check},
	{"explain", "[--in DEV] [--sport PORT] [--dscp N] [--json] SRC DST PROTO [PORT]",
	 "Say which link a packet takes, and why", "dsqj", cmd_explain},
	{"wg", "VERB [OPTION]...", "Plan, apply and run a mesh of WireGuard tunnels", "", cmd_wg},
};

static void usage(FILE *to)
{
	fprintf(to, "usage: asymbpf VERB [OPTION]...\n       asymbpf --version\n\n");
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(to, "  %-9s %s\n", commands[i].name, commands[i].help);
	fprintf(to, "\nasymbpf VERB --help tells more; the manual is asymbpf(8).\n");
}

static const struct command *find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

static int unknown(const char *name)
{
	const char *names[ARRAY_SIZE(commands)];
	const char *near;

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		names[i] = commands[i].name;
	near = str_nearest(name, names, ARRAY_SIZE(names));
	if (near)
		log_error("unknown verb \"%s\", did you mean \"%s\"?", name, near);
	else
		log_error("unknown verb \"%s\", see asymbpf --help", name);
	return STATUS_USAGE;
}

/* Descriptors 0 to 2 must not become something else that messages are then written into.  Writing to
 * one that was closed still fails. */
static void keep_standard_files(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDONLY);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

int main(int argc, char **argv)
{
	const struct command *c;

	keep_standard_files();

	if (argc < 2) {
		usage(stderr);
		return STATUS_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		usage(stdout);
		return STATUS_OK;
	}
	if (!strcmp(argv[1], "--version")) {
		printf("asymbpf %s\n", VERSION);
		return STATUS_OK;
	}
	c = find(argv[1]);
	return c ? c->run(c, argc - 1, argv + 1) : unknown(argv[1]);
}

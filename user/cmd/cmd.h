/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The verbs, and what their command lines have in common.  Every verb returns an exit status. */
#ifndef CMD_CMD_H
#define CMD_CMD_H

enum status { STATUS_OK = 0, STATUS_FAILURE = 1, STATUS_USAGE = 2 };

/* One verb.  `usage` follows "asymbpf NAME"; `options`: letters of the table in options.c that it
 * takes. */
struct command {
	const char *name;
	const char *usage;
	const char *help; /* one line */
	const char *options;
	int (*run)(const struct command *self, int argc, char **argv);
};

int cmd_load(const struct command *self, int argc, char **argv);
int cmd_reload(const struct command *self, int argc, char **argv);
int cmd_unload(const struct command *self, int argc, char **argv);
int cmd_status(const struct command *self, int argc, char **argv);
int cmd_stats(const struct command *self, int argc, char **argv);
int cmd_check(const struct command *self, int argc, char **argv);
int cmd_monitor(const struct command *self, int argc, char **argv);
int cmd_dhcp_shim(const struct command *self, int argc, char **argv);
int cmd_dhcp(const struct command *self, int argc, char **argv);
int cmd_flows(const struct command *self, int argc, char **argv);
int cmd_events(const struct command *self, int argc, char **argv);
int cmd_link(const struct command *self, int argc, char **argv);
int cmd_explain(const struct command *self, int argc, char **argv);
int cmd_wg(const struct command *self, int argc, char **argv);

#endif

#include "cmd/cmd.h"
int cmd_status(const struct command *self, int argc, char **argv){ return 1; }

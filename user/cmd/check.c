#include "cmd/cmd.h"
int cmd_check(const struct command *self, int argc, char **argv){ return 1; }

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CMD_DURATION_H
#define CMD_DURATION_H

#include <stdint.h>

/* "12s", "3m12s", "5h3m", "2d4h". */
#define DURATION_TEXT 32
const char *duration_text(int64_t s, char ret[DURATION_TEXT]);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What echod tells its clients: the address it saw as text, filled up with NUL bytes, and in the
 * last two bytes the port in network byte order. */
#ifndef ASYM_TESTS_SEEN_H
#define ASYM_TESTS_SEEN_H

#define SEEN_LEN 48

#endif

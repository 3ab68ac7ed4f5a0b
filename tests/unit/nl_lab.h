/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What tests of nl/ share. */
#ifndef TESTS_UNIT_NL_LAB_H
#define TESTS_UNIT_NL_LAB_H

#include "tests/unit/netns.h"

#include "nl/nl.h"
#include "tests/unit/addr.h"

static inline struct nl open_nl(int bus)
{
	struct nl nl;

	assert_int_equal(nl_open(&nl, bus), 0);
	return nl;
}

#endif

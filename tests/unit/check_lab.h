/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What check says of a configuration.  Include cmocka.h before. */
#ifndef TESTS_UNIT_CHECK_LAB_H
#define TESTS_UNIT_CHECK_LAB_H

#include "core/check.h"
#include "core/plan.h"
#include "tests/unit/config.h"

#define LINKS "link wan {} link wan2 {} "
#define POLICY "policy p { links = {wan, wan2} } "
#define BASE LINKS POLICY "rule all { policy = p } "

/* A configuration that the parser takes, and what check_model says. */
static inline struct parsed judge(const char *text)
{
	struct parsed p = parse(text);

	if (p.r)
		findings_show(&p.f);
	assert_int_equal(p.r, 0);
	for (size_t i = 0; i < p.m.n_links; i++)
		assert_int_equal(model_probe_complete(&p.m.links[i].probe, &p.m.probe), 0);
	check_model(&p.m, &p.f);
	return p;
}

#endif

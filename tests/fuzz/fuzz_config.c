// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Any bytes as a configuration file.  What is accepted must print and parse again.
 *
 *	make fuzz
 *
 * The config can read any file the name of which the fuzzer hits on: run it in an empty directory.
 */
#include "base/str.h"
#include "core/check.h"
#include "core/config.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void print_and_parse(const struct model *m)
{
	_cleanup_(str_done) struct str s = {}, t = {};
	_cleanup_(findings_done) struct findings f = {};
	_cleanup_(model_done) struct model again;

	model_init(&again);
	if (config_print(m, &s) || config_parse(&again, "printed", s.s, s.len, &f))
		abort();
	if (config_print(&again, &t) || strcmp(s.s, t.s))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(findings_done) struct findings f = {};
	_cleanup_(model_done) struct model m;
	int r;

	model_init(&m);
	r = config_parse(&m, "fuzz", (const char *)data, size, &f);
	if ((r == 0) != (findings_errors(&f) == 0))
		abort();
	if (!r) {
		print_and_parse(&m);
		model_add_defaults(&m);
		print_and_parse(&m);
		check_model(&m, &f);
	}
	return 0;
}

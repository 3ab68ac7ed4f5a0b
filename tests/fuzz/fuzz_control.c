// SPDX-License-Identifier: GPL-2.0-or-later
/* Any bytes as a line to the control socket.  What is accepted is within its limits. */
#include "core/name.h"
#include "run/control_request.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_sane(const struct control_request *r)
{
	if (r->what >= CONTROL_DO_MAX)
		return false;
	if (r->what != CONTROL_LINK)
		return !*r->link && !r->seconds && r->manual == PLAN_AUTO;
	return memchr(r->link, 0, sizeof(r->link)) && name_is_valid(r->link) &&
	       r->manual < PLAN_MANUAL_MAX && r->seconds <= CONTROL_MAX_SECONDS &&
	       (r->manual != PLAN_AUTO || !r->seconds);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* on the heap and without a final NUL, so that a byte too far is seen */
	char *line = malloc(size ?: 1);
	struct control_request r, before;
	const char *why = NULL;

	memcpy(line, data, size);
	memset(&r, 0xa5, sizeof(r));
	before = r;
	if (control_request_parse(line, size, &r, &why)) {
		if (!why || memcmp(&r, &before, sizeof(r)))
			abort();
	} else if (why || !is_sane(&r)) {
		abort();
	}
	free(line);
	return 0;
}

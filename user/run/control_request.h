/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One line from a client of the control socket, as control.h defines it. */
#ifndef RUN_CONTROL_REQUEST_H
#define RUN_CONTROL_REQUEST_H

#include "run/control.h"
#include <stddef.h>

enum control_do { CONTROL_STATUS, CONTROL_LINK, CONTROL_RELOAD, CONTROL_EVENTS, CONTROL_DO_MAX };
extern const char *const control_do_names[CONTROL_DO_MAX];

struct control_request {
	enum control_do what;
	/* of CONTROL_LINK */
	char link[MODEL_NAME];
	enum plan_manual manual;
	uint32_t seconds; /* 0: without end */
};

/* Any bytes, without the newline.  0; -EINVAL with what is wrong in *ret_why (a literal), *ret is
 * untouched then. */
int control_request_parse(const char *line, size_t len, struct control_request *ret,
			  const char **ret_why);

#endif

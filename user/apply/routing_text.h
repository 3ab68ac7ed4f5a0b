/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules and routes in the words of ip(8), for messages. */
#ifndef APPLY_ROUTING_TEXT_H
#define APPLY_ROUTING_TEXT_H

#include "base/str.h"
#include "core/host.h"

void routing_text_rule(struct str *out, const struct rule *rule);
void routing_text_route(struct str *out, const struct route *route);

#endif

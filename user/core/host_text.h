/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules and routes in the words of ip(8): "rule 20600 lookup main". */
#ifndef CORE_HOST_TEXT_H
#define CORE_HOST_TEXT_H

#include "base/str.h"
#include "core/host.h"

void rule_text(struct str *out, const struct rule *rule);
/* device: name of the one with route->ifindex. */
void route_text(struct str *out, const struct route *route, const char *device);

#endif

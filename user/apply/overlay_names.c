// SPDX-License-Identifier: GPL-2.0-or-later
#include "apply/overlay_names.h"

#include <errno.h>
#include <netdb.h>
#include <string.h>

static struct overlay_name *find(const struct overlay_names *names, const char *host)
{
	for (size_t i = 0; i < names->n; i++)
		if (!strcmp(names->items[i].host, host))
			return &names->items[i];
	return NULL;
}

int overlay_names_add(struct overlay_names *names, const struct mesh_plan *p)
{
	for (size_t i = 0; i < p->n_tunnels; i++) {
		const char *host = p->tunnels[i].endpoint.host;
		struct overlay_name *n;

		if (!*host || find(names, host))
			continue;
		n = ARRAY_ADD(names->items, names->n);
		if (!n)
			return -ENOMEM;
		memcpy(n->host, host, sizeof(n->host));
		n->found = (struct resolved){.error = EAI_AGAIN};
	}
	return 0;
}

void overlay_names_done(struct overlay_names *names)
{
	free(names->items);
	*names = (struct overlay_names){};
}

const struct resolved *overlay_names_find(const struct overlay_names *names, const char *host)
{
	static const struct resolved none = {.error = EAI_AGAIN};
	const struct overlay_name *n = find(names, host);

	return n ? &n->found : &none;
}

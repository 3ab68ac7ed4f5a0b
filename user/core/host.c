// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "core/host.h"

void host_done(struct host *h)
{
	free(h->devices);
	free(h->addrs);
	free(h->routes);
	free(h->rules);
	free(h->marks);
	*h = (struct host){ 0 };
}

const struct host_device *host_device_find(const struct host *h, const char *name)
{
	size_t i;

	for (i = 0; i < h->n_devices; i++)
		if (!strcmp(h->devices[i].name, name))
			return &h->devices[i];
	return NULL;
}

const struct host_device *host_device_by_index(const struct host *h, uint32_t ifindex)
{
	size_t i;

	for (i = 0; i < h->n_devices; i++)
		if (h->devices[i].ifindex == ifindex)
			return &h->devices[i];
	return NULL;
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "run/mesh_own.h"

#include "base/addr.h"
#include <ifaddrs.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>

/* FNV-1a, 64 bits (draft-eastlake-fnv). */
#define FNV_BASIS 14695981039346656037ull
#define FNV_PRIME 1099511628211ull

static uint64_t digest(const void *data, size_t len)
{
	const uint8_t *p = data;
	uint64_t h = FNV_BASIS;

	for (size_t i = 0; i < len; i++)
		h = (h ^ p[i]) * FNV_PRIME;
	return h;
}

static bool is_ours(const struct mesh_plan *p, const char *device)
{
	if (!p)
		return false;
	for (size_t i = 0; i < p->n_tunnels; i++)
		if (!strcmp(p->tunnels[i].device, device))
			return true;
	return !strcmp(p->mesh->device, device);
}

static uint64_t of_address(const struct ifaddrs *a)
{
	const union addr_socket *s = (const union addr_socket *)a->ifa_addr;
	uint64_t name = digest(a->ifa_name, strlen(a->ifa_name));

	if (s->sa.sa_family == AF_INET)
		return name ^ digest(&s->in.sin_addr, sizeof(s->in.sin_addr));
	return name ^ digest(&s->in6.sin6_addr, sizeof(s->in6.sin6_addr));
}

/* A sum, whatever their order; those of a device that is down do not count. */
uint64_t mesh_own_digest(const struct mesh_plan *p)
{
	struct ifaddrs *all;
	uint64_t sum = 0;

	if (getifaddrs(&all))
		return 0;
	for (const struct ifaddrs *a = all; a; a = a->ifa_next)
		if (a->ifa_addr && a->ifa_flags & IFF_UP && !is_ours(p, a->ifa_name) &&
		    (a->ifa_addr->sa_family == AF_INET || a->ifa_addr->sa_family == AF_INET6))
			sum += of_address(a) * FNV_PRIME;
	freeifaddrs(all);
	return sum;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* policies: what the kernel module holds in this namespace, a line for each:
 *	NUMBER key KEY mask MASK last ID rules N IPv4 ID=BUCKETS ... IPv6 ID=BUCKETS ...
 * policies del N: deletes one. */
#include "nl/kmod.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_buckets(const struct kmod_policy *p, int f)
{
	unsigned int n[ASYM_LINK_IDS] = {0};

	for (int i = 0; i < ASYM_BUCKETS; i++)
		n[p->buckets[f][i]]++;
	printf(" IPv%d", f == ASYM_V4 ? 4 : 6);
	for (int id = 0; id < ASYM_LINK_IDS; id++)
		if (n[id])
			printf(" %d=%u", id, n[id]);
}

static void print(const struct kmod_policy *p)
{
	printf("%u key %u mask 0x%x last %u rules %u", p->number, p->key, p->mark_mask, p->last_resort,
	       p->references);
	for (int f = 0; f < ASYM_FAMILIES; f++)
		print_buckets(p, f);
	printf("\n");
}

static int fail(int r, const struct kmod *k)
{
	fprintf(stderr, "policies: %s %s\n", strerror(-r), k->nl.error);
	return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	_cleanup_kmod_list_ struct kmod_list list = {};
	_cleanup_kmod_ struct kmod k = {};
	int r = kmod_open(&k, false);

	if (!r && argc > 2)
		r = kmod_delete(&k, atoi(argv[2]));
	else
		r = r ?: kmod_list(&k, &list);
	if (r)
		return fail(r, &k);
	for (size_t i = 0; i < list.n; i++)
		print(&list.items[i]);
	return EXIT_SUCCESS;
}

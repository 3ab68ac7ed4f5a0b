// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/plan_nft_set.h"

#include <errno.h>
#include <string.h>

/* nft sorts the elements by key, as little-endian numbers. */
struct element {
	uint8_t key[IFNAMSIZ];
	char text[IFNAMSIZ + PLAN_NFT_NAME + 16];
};

static struct element *element_add(struct elements *set, struct str *out)
{
	struct element *e = ARRAY_ADD(set->items, set->n);

	if (!e)
		out->err = -ENOMEM;
	return e;
}

void elements_device(struct elements *set, struct str *out, const struct plan_link *l,
		     const char *value)
{
	struct element *e = element_add(set, out);

	if (!e)
		return;
	memcpy(e->key, l->conf->device, strnlen(l->conf->device, IFNAMSIZ));
	snprintf(e->text, sizeof(e->text), "\"%s\"%s", l->conf->device, value);
}

void elements_mark(struct elements *set, struct str *out, uint32_t mark, const char *chain)
{
	struct element *e = element_add(set, out);

	if (!e)
		return;
	for (int i = 0; i < 4; i++)
		e->key[i] = mark >> 8 * i;
	snprintf(e->text, sizeof(e->text), "0x%08x : goto %s", mark, chain);
}

static int element_order(const void *a, const void *b)
{
	const struct element *x = a, *y = b;

	for (int i = IFNAMSIZ - 1; i >= 0; i--)
		if (x->key[i] != y->key[i])
			return x->key[i] < y->key[i] ? -1 : 1;
	return 0;
}

void elements_print(struct elements *set, struct str *out)
{
	if (set->n)
		qsort(set->items, set->n, sizeof(*set->items), element_order);
	str_add(out, "{ ");
	for (size_t i = 0; i < set->n; i++)
		str_add(out, "%s%s", i ? ", " : "", set->items[i].text);
	str_add(out, " }");
	free(set->items);
}

void elements_print_test(struct elements *set, struct str *out)
{
	if (set->n != 1) {
		elements_print(set, out);
		return;
	}
	str_add(out, "%s", set->items[0].text);
	free(set->items);
}

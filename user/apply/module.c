// SPDX-License-Identifier: GPL-2.0-or-later
#include "apply/module.h"

#include "kmod/uapi/nft_asym.h"
#include <errno.h>
#include <string.h>

static int look(struct kmod *k, bool load, struct module *ret)
{
	int r = kmod_open(k, load);

	*ret = (struct module){};
	r = r ?: kmod_info(k, &ret->info);
	if (!r)
		ret->state = ret->info.abi == ASYM_KMOD_ABI ? MODULE_USED : MODULE_OTHER;
	return r;
}

void module_find(bool load, struct module *ret)
{
	_cleanup_kmod_ struct kmod k = {};

	look(&k, load, ret);
}

bool module_has_nft(const struct module *m)
{
	return m->state == MODULE_USED && m->info.features & ASYM_FEATURE_NFT;
}

void module_complaint(const struct module *m, char *ret, size_t size)
{
	snprintf(ret, size, "%s", "");
	if (m->state == MODULE_OTHER)
		snprintf(ret, size, "kernel module asymbpf: has ABI %u, expected %u: not used, install "
			 "the module of this version", m->info.abi, ASYM_KMOD_ABI);
}

/* Of a list, by its number; NULL: none. */
static const struct kmod_policy *find(const struct kmod_list *list, uint32_t number)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->items[i].number == number)
			return &list->items[i];
	return NULL;
}

static struct kmod_policy of_plan(const struct plan *p, uint32_t number)
{
	const struct asym_policy *from = &p->policies[number];
	struct kmod_policy ret = {
		.number = number,
		.seed = p->config.seed,
		.mark_mask = p->config.mark_mask,
		.key = from->key,
		.last_resort = from->last_resort,
	};

	memcpy(ret.live, from->live, sizeof(ret.live));
	for (int f = 0; f < ASYM_FAMILIES; f++)
		memcpy(ret.buckets[f], p->buckets[number][f].link, ASYM_BUCKETS);
	return ret;
}

static bool is_same(const struct kmod_policy *a, const struct kmod_policy *b)
{
	return a->seed == b->seed && a->mark_mask == b->mark_mask && a->key == b->key &&
	       a->last_resort == b->last_resort && !memcmp(a->buckets, b->buckets, sizeof(a->buckets)) &&
	       !memcmp(a->live, b->live, sizeof(a->live));
}

/* What the module lacks, into an array of ASYM_MAX_POLICIES.  Returns how many. */
static size_t differing(const struct plan *p, const struct kmod_list *have, struct kmod_policy *ret)
{
	size_t n = 0;

	for (uint32_t i = 0; i < p->model->n_policies; i++) {
		const struct kmod_policy want = of_plan(p, i), *old = find(have, i);

		if (!old || !is_same(old, &want))
			ret[n++] = want;
	}
	return n;
}

static int fail(int r, const struct kmod *k, const char *what, char *error, size_t size)
{
	snprintf(error, size, "kernel module asymbpf: %s: %s%s%s", what, strerror(-r),
		 k->nl.error[0] ? ": " : "", k->nl.error);
	return r;
}

/* -ENOENT: no module that we can use. */
static int open_used(struct kmod *k, struct module *m, struct kmod_list *ret, char *error, size_t size)
{
	int r = look(k, false, m);

	snprintf(error, size, "%s", "");
	if (r || m->state != MODULE_USED)
		return -ENOENT;
	r = kmod_list(k, ret);
	return r ? fail(r, k, "policies", error, size) : 0;
}

int module_update(const struct plan *p, struct module *ret, size_t *ret_written, char *error, size_t size)
{
	_cleanup_free_ struct kmod_policy *policies = calloc(ASYM_MAX_POLICIES, sizeof(*policies));
	_cleanup_kmod_list_ struct kmod_list have = {};
	_cleanup_kmod_ struct kmod k = {};
	int r = open_used(&k, ret, &have, error, size);

	*ret_written = 0;
	if (r)
		return r == -ENOENT ? 0 : r;
	if (!policies)
		return fail(-ENOMEM, &k, "policies", error, size);
	*ret_written = differing(p, &have, policies);
	r = kmod_set(&k, policies, *ret_written);
	return r ? fail(r, &k, "policies", error, size) : 0;
}

int module_trim(const struct plan *p, char *error, size_t size)
{
	_cleanup_kmod_list_ struct kmod_list have = {};
	_cleanup_kmod_ struct kmod k = {};
	struct module ignored;
	int r = open_used(&k, &ignored, &have, error, size), first = 0;

	if (r)
		return r == -ENOENT ? 0 : r;
	for (size_t i = 0; i < have.n; i++) {
		char what[32];

		if (p && have.items[i].number < p->model->n_policies)
			continue;
		r = kmod_delete(&k, have.items[i].number);
		snprintf(what, sizeof(what), "policy %u", have.items[i].number);
		if (r && r != -ENOENT && !first)
			first = fail(r, &k, what, error, size);
	}
	return first;
}

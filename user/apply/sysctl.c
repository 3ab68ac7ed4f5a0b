// SPDX-License-Identifier: GPL-2.0-or-later
#include "apply/sysctl.h"
#include "base/file.h"
#include "base/str.h"
#include "nl/conntrack.h"
#include <errno.h>
#include <string.h>

#define PATH_SIZE sizeof(((struct plan_sysctl *)0)->path)
#define FULL_SIZE (sizeof("/proc/sys/") + PATH_SIZE)
/* Longer values are lists or texts, which no plan sets. */
#define VALUE_MAX 64

static void full_path(const char *path, char *full)
{
	snprintf(full, FULL_SIZE, "/proc/sys/%s", path);
}

/* -ENAMETOOLONG: not a single short value. */
static int value_read(const char *path, char *ret, size_t size)
{
	_cleanup_free_ char *text = NULL;
	char full[FULL_SIZE];
	size_t len;
	int r;

	full_path(path, full);
	r = file_read(full, VALUE_MAX, &text, &len);
	if (r)
		return r;
	text[strcspn(text, "\n")] = '\0';
	return str_copy(ret, size, text);
}

static int value_write(const char *path, const char *value)
{
	char full[FULL_SIZE];

	full_path(path, full);
	return file_write(full, value, strlen(value));
}

/* What all/ says cannot be read: the safe side. */
static bool is_strict(const char *present)
{
	char all[16];

	if (value_read("net/ipv4/conf/all/rp_filter", all, sizeof(all)))
		return true;
	return MAX(strtoll(present, NULL, 10), strtoll(all, NULL, 10)) == 1;
}

static bool is_met(const struct plan_sysctl *s, const char *present)
{
	switch (s->when) {
	case PLAN_SYSCTL_SMALLER:
		return strtoll(present, NULL, 10) >= strtoll(s->value, NULL, 10);
	case PLAN_SYSCTL_STRICT:
		return !is_strict(present);
	default:
		return !strcmp(present, s->value);
	}
}

struct sysctl_saved *sysctl_find(const struct sysctl_list *saved, const char *path)
{
	size_t i;

	for (i = 0; i < saved->n; i++)
		if (!strcmp(saved->items[i].path, path))
			return &saved->items[i];
	return NULL;
}

/* The place to remember a setting in; a new one holds the present value. */
static struct sysctl_saved *remember(struct sysctl_list *saved, const char *path,
				     const char *present)
{
	struct sysctl_saved *item = sysctl_find(saved, path);

	if (item && !strcmp(item->written, present))
		return item;
	/* else somebody changed what we wrote: theirs is what to go back to */
	if (!item)
		item = ARRAY_ADD(saved->items, saved->n);
	if (!item)
		return NULL;
	str_copy(item->path, sizeof(item->path), path);
	str_copy(item->before, sizeof(item->before), present);
	return item;
}

static int plan_one(const struct plan_sysctl *s, struct sysctl_list *saved)
{
	struct sysctl_saved *item;
	char present[sizeof(s->value)];
	int r = value_read(s->path, present, sizeof(present));

	if (r || is_met(s, present))
		return r == -ENOENT ? 0 : r;
	item = remember(saved, s->path, present);
	if (!item)
		return -ENOMEM;
	str_copy(item->written, sizeof(item->written), s->value);
	item->pending = true;
	return 0;
}

int sysctl_plan(const struct plan_sysctl *settings, size_t n, struct sysctl_list *saved,
		char *ret_path)
{
	size_t i;
	int r = 0;

	for (i = 0; !r && i < n; i++) {
		r = plan_one(&settings[i], saved);
		if (r)
			str_copy(ret_path, PATH_SIZE, settings[i].path);
	}
	return r;
}

int sysctl_write(struct sysctl_list *saved, char *ret_path)
{
	size_t i;
	int r = 0;

	for (i = 0; !r && i < saved->n; i++) {
		struct sysctl_saved *item = &saved->items[i];

		if (!item->pending)
			continue;
		r = value_write(item->path, item->written);
		/* the device went meanwhile */
		r = r == -ENOENT ? 0 : r;
		item->pending = r;
		if (r)
			str_copy(ret_path, PATH_SIZE, item->path);
	}
	return r;
}

/* conntrack has missed what passed the flow cache of connections that go on: strict again, it would
 * find them out of their windows and withhold their NAT. */
static void spare_connections(void)
{
	_cleanup_nl_ struct nl nl;

	if (!nl_open(&nl, NETLINK_NETFILTER))
		conntrack_make_liberal(&nl);
}

static int restore_one(const struct sysctl_saved *item)
{
	char present[sizeof(item->written)];
	int r = value_read(item->path, present, sizeof(present));

	if (!r && !strcmp(present, item->written) && strcmp(present, item->before)) {
		if (!strcmp(item->path, PLAN_TCP_BE_LIBERAL))
			spare_connections();
		r = value_write(item->path, item->before);
	}
	return r == -ENOENT || r == -ENAMETOOLONG || r == -EFBIG ? 0 : r;
}

int sysctl_restore(const struct sysctl_list *saved, char *ret_path)
{
	size_t i;
	int first = 0, r;

	for (i = saved->n; i-- > 0;) {
		r = restore_one(&saved->items[i]);
		if (!r || first)
			continue;
		first = r;
		str_copy(ret_path, PATH_SIZE, saved->items[i].path);
	}
	return first;
}

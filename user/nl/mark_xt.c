// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/netfilter/xt_connmark.h>
#include <linux/netfilter/xt_mark.h>
#include <stddef.h>
#include <string.h>

#include "nl/mark_xt.h"

/* mark and connmark, revision 1 of both, have the same layout. */
bool mark_xt_match(const char *name, uint32_t rev, const void *info, size_t size,
		   struct host_mark_use *ret)
{
	struct xt_mark_mtinfo1 mt;

	if (rev != 1 || size < sizeof(mt) || (strcmp(name, "mark") && strcmp(name, "connmark")))
		return false;
	memcpy(&mt, info, sizeof(mt));
	ret->value = mt.mark;
	ret->mask = mt.mask;
	return true;
}

/* mark = (mark & ~mask) ^ value */
static bool mark_target(uint32_t rev, const void *info, size_t size, struct host_mark_use *ret)
{
	struct xt_mark_tginfo2 tg;

	if (rev != 2 || size < sizeof(tg))
		return false;
	memcpy(&tg, info, sizeof(tg));
	ret->value = tg.mark;
	ret->mask = tg.mask | tg.mark;
	ret->sets = true;
	return true;
}

/* set: ct = (ct & ~ctmask) ^ ctmark; save: ct = (ct & ~ctmask) ^ (mark & nfmask); restore:
 * mark = (mark & ~nfmask) ^ (ct & ctmask).  Revision 2 adds shifts behind the same members. */
static bool connmark_target(uint32_t rev, const void *info, size_t size, struct host_mark_use *ret)
{
	struct xt_connmark_tginfo1 tg;

	if (rev < 1 || rev > 2 || size < offsetof(struct xt_connmark_tginfo1, mode) + 1)
		return false;
	memcpy(&tg, info, offsetof(struct xt_connmark_tginfo1, mode) + 1);
	ret->value = tg.mode == XT_CONNMARK_SET ? tg.ctmark : 0;
	ret->mask = tg.ctmask | tg.nfmask;
	if (tg.mode == XT_CONNMARK_SET)
		ret->mask = tg.ctmask | tg.ctmark;
	ret->sets = true;
	return true;
}

bool mark_xt_target(const char *name, uint32_t rev, const void *info, size_t size,
		    struct host_mark_use *ret)
{
	if (!strcmp(name, "MARK"))
		return mark_target(rev, info, size, ret);
	if (!strcmp(name, "CONNMARK"))
		return connmark_target(rev, info, size, ret);
	return false;
}

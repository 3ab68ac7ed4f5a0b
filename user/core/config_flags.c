// SPDX-License-Identifier: GPL-2.0-or-later
/* --iface, --lan and --fastpath of the command line. */
#include "base/num.h"
#include "base/str.h"
#include "core/config.h"
#include "core/name.h"
#include <errno.h>
#include <string.h>

/* Values in messages are cut to this many bytes. */
#define SHOWN "%.80s"

static int fail(struct findings *f, const char *fmt, ...) PRINTF(2, 3);
static int fail(struct findings *f, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	finding_addv(f, FINDING_ERROR, NULL, 0, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

static int add_link(struct model *m, const char *device, struct findings *f,
		    struct model_link **ret)
{
	const struct model_link *taken = model_link_find(m, device);
	struct model_link *link;

	if (taken)
		return fail(f, "--iface: \"%s\" is the name of the link of device \"%s\", expected "
			    "another", device, taken->device);
	if (!name_is_valid(device))
		return fail(f, "--iface: \"%s\" cannot name a link, expected a letter or digit, "
			    "then letters, digits, \"_\", \".\" and \"-\"; give it a name in a file",
			    device);
	if (m->n_links >= ASYM_MAX_LINKS)
		return fail(f, "--iface: one more than the limit, expected at most %d",
			    ASYM_MAX_LINKS);
	link = ARRAY_ADD(m->links, m->n_links);
	if (!link)
		return fail(f, "--iface: out of memory");
	str_copy(link->name, sizeof(link->name), device);
	str_copy(link->device, sizeof(link->device), device);
	link->weight = 1;
	*ret = link;
	return 0;
}

int config_add_iface(struct model *m, const char *arg, struct findings *f)
{
	const char *colon = strchr(arg, ':');
	char device[IFNAMSIZ + 1];
	struct model_link *link;
	uint32_t weight = 1;
	int r;

	snprintf(device, sizeof(device), "%.*s", (int)(strchrnul(arg, ':') - arg), arg);
	if (!name_is_device(device))
		return fail(f, "--iface: \"" SHOWN "\" is no name of a device, expected DEVICE or "
			    "DEVICE:WEIGHT", arg);
	if (colon && num_parse_u32(colon + 1, 1, MODEL_MAX_WEIGHT, &weight))
		return fail(f, "--iface: \"" SHOWN "\" is no weight, expected 1 to %d", colon + 1,
			    MODEL_MAX_WEIGHT);
	link = model_link_of_device(m, device);
	if (!link) {
		r = add_link(m, device, f, &link);
		if (r)
			return r;
	}
	if (link->from_flags)
		return fail(f, "--iface: \"%s\" is given twice, expected once", device);
	if (colon)
		link->weight = weight;
	link->from_flags = true;
	return 0;
}

int config_add_lan(struct model *m, const char *arg, struct findings *f)
{
	char (*slot)[IFNAMSIZ];

	if (!name_is_device(arg))
		return fail(f, "--lan: \"" SHOWN "\" is no name of a device, expected DEVICE", arg);
	for (size_t i = 0; i < m->n_lans; i++)
		if (!strcmp(m->lans[i], arg))
			return 0;
	if (m->n_lans >= MODEL_MAX_LANS)
		return fail(f, "--lan: one more than the limit, expected at most %d",
			    MODEL_MAX_LANS);
	slot = ARRAY_ADD(m->lans, m->n_lans);
	if (!slot)
		return fail(f, "--lan: out of memory");
	str_copy(*slot, sizeof(*slot), arg);
	m->n_lans_from_flags++;
	return 0;
}

int config_set_fastpath(struct model *m, const char *arg, struct findings *f)
{
	if (strcmp(arg, "yes") && strcmp(arg, "no"))
		return fail(f, "--fastpath: \"" SHOWN "\" is neither, expected yes or no", arg);
	m->fastpath = !strcmp(arg, "yes");
	return 0;
}

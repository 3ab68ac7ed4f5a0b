// SPDX-License-Identifier: GPL-2.0-or-later
/* Marks, ip rules and tables of somebody else's, against those that we are going to use. */
#include "core/check_int.h"
#include "core/plan_parts.h"
#include <string.h>

/* -------- who it is */

struct trace {
	uint32_t value, mask; /* of a mark */
	uint32_t table, priority; /* of an ip rule; 0: none */
	const char *names[2]; /* nft table and chain, or NULL */
};

/* What the programs' own sources and manuals say they use by default. */
static const struct owner {
	const char *name;
	uint32_t value, mask; /* mask 0: no mark of its own; value 0: any value under the mask */
	uint32_t table;
	uint32_t first, last; /* priorities */
	const char *prefix;   /* of nft tables and chains */
} owners[] = {
	{ "wg-quick", 0xca6c, 0xffffffff, 51820, 0, 0, "wg-quick" },
	{ "Tailscale", 0x80000, 0xff0000, 52, 5200, 5299, "ts-" },
	{ "mwan3", 0, 0x3f00, 0, 1000, 3999, "mwan3" },
	{ "pbr", 0, 0xff0000, 0, 29000, 30999, "pbr" },
	{ "Kubernetes", 0x4000, 0x4000, 0, 0, 0, "KUBE" },
	{ "Kubernetes", 0x8000, 0x8000, 0, 0, 0, "KUBE" },
	{ "Docker", 0, 0, 0, 0, 0, "DOCKER" },
	{ "Docker", 0, 0, 0, 0, 0, "docker" },
};

static bool is_owner(const struct owner *o, const struct trace *t)
{
	if (o->mask && t->mask == o->mask && (!o->value || t->value == o->value))
		return true;
	if (t->table && t->table == o->table)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(t->names); i++)
		if (t->names[i] && !strncmp(t->names[i], o->prefix, strlen(o->prefix)))
			return true;
	return false;
}

/* Weaker: anybody may use a priority. */
static bool may_be_owner(const struct owner *o, const struct trace *t)
{
	return t->priority && t->priority >= o->first && t->priority <= o->last;
}

/* " (mwan3)", or nothing. */
static const char *owner(const struct trace *t, char *buf, size_t size)
{
	for (size_t i = 0; i < ARRAY_SIZE(owners); i++) {
		if (is_owner(&owners[i], t)) {
			snprintf(buf, size, " (%s)", owners[i].name);
			return buf;
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(owners); i++) {
		if (may_be_owner(&owners[i], t)) {
			snprintf(buf, size, " (perhaps %s)", owners[i].name);
			return buf;
		}
	}
	*buf = 0;
	return buf;
}

/* -------- marks */

/* The ids that the links have or will have, in the model's order, and those given before. */
struct ids {
	uint8_t link[ASYM_MAX_LINKS];
	const struct plan_id *given;
	size_t n_given;
};

/* Does an id of ours meet the test, as far as our bits go? */
static bool meets(const struct model *m, const struct trace *t, uint32_t id)
{
	return !(((id << __builtin_ctz(m->mark_mask)) ^ t->value) & t->mask & m->mark_mask);
}

static const struct model_link *find_link(const struct model *m, const struct ids *ids,
					  const struct trace *t)
{
	for (size_t i = 0; i < MIN(m->n_links, (size_t)ASYM_MAX_LINKS); i++)
		if (meets(m, t, ids->link[i]))
			return &m->links[i];
	return NULL;
}

/* The first id in use that meets the test: a link's, or a reserved one at the top.  Writes what it
 * stands for into ret; false when there is none. */
static bool find_id(const struct model *m, const struct ids *ids, const struct trace *t, char *ret,
		    size_t size)
{
	static const char *const reserved[PLAN_RESERVED_MAX] = {
		[PLAN_PROBE] = "probes",
		[PLAN_UNREACHABLE] = "last-resort unreachable",
		[PLAN_BLACKHOLE] = "last-resort blackhole",
		[PLAN_MAIN] = "last-resort main",
	};
	const struct model_link *l = find_link(m, ids, t);
	uint32_t top = m->mark_mask >> __builtin_ctz(m->mark_mask);

	if (l) {
		snprintf(ret, size, "link \"%s\"", l->name);
		return true;
	}
	for (uint32_t i = 0; i < PLAN_RESERVED_MAX; i++) {
		if (!meets(m, t, top - i))
			continue;
		snprintf(ret, size, "%s", reserved[i]);
		return true;
	}
	return false;
}

/* Of what is no link's: packets of connections that a link left behind still get the mark. */
static const struct plan_id *find_gone(const struct model *m, const struct ids *ids,
				       const struct trace *t)
{
	for (size_t i = 0; i < ids->n_given; i++)
		if (meets(m, t, ids->given[i].id))
			return &ids->given[i];
	return NULL;
}

static void judge_unused(const struct model *m, const struct ids *ids, const struct trace *t,
			 const char *what, const char *who, struct findings *f)
{
	const struct plan_id *gone = find_gone(m, ids, t);

	if (gone)
		check_warn(f, NULL, "mark-mask: %s%s: mark 0x%x/0x%x is that of connections of "
			   "link \"%s\", which is no more", what, who, t->value, t->mask,
			   gone->name);
	else
		check_warn(f, NULL, "mark-mask: %s%s: mark 0x%x/0x%x shares bits with our mask "
			   "0x%x", what, who, t->value, t->mask, m->mark_mask);
}

static void judge(const struct model *m, const struct ids *ids, const struct trace *t,
		  const char *what, struct findings *f)
{
	char who[32], whose[MODEL_NAME + 16];

	if (!m->mark_mask || !(t->mask & m->mark_mask))
		return;
	owner(t, who, sizeof(who));
	if (find_id(m, ids, t, whose, sizeof(whose)))
		check_error(f, NULL, "mark-mask: %s%s: mark 0x%x/0x%x is that of %s, expected a "
			    "mask without bits of others (now 0x%x)", what, who, t->value, t->mask,
			    whose, m->mark_mask);
	else
		judge_unused(m, ids, t, what, who, f);
}

static void check_rule_mark(const struct model *m, const struct ids *ids, const struct rule *r,
			    struct findings *f)
{
	const struct trace t = { .value = r->mark, .mask = r->mask, .priority = r->priority,
				 .table = r->action == RULE_TABLE ? r->table : 0 };
	char what[48];

	snprintf(what, sizeof(what), "ip%s rule %u", r->family == AF_INET6 ? " -6" : "",
		 r->priority);
	judge(m, ids, &t, what, f);
}

static void check_nft_mark(const struct model *m, const struct ids *ids,
			   const struct host_mark_use *u, struct findings *f)
{
	const struct trace t = { .value = u->value, .mask = u->mask,
				 .names = { u->table, u->chain } };
	char what[176];

	snprintf(what, sizeof(what), "nft table \"%s\", chain \"%s\" %s a mark", u->table, u->chain,
		 u->sets ? "sets" : "tests");
	judge(m, ids, &t, what, f);
}

/* -------- priorities and tables */

static void check_priority(const struct model *m, const struct rule *r, struct findings *f)
{
	const struct trace t = { .value = r->mark, .mask = r->mask, .priority = r->priority,
				 .table = r->action == RULE_TABLE ? r->table : 0 };
	char who[32];

	if (r->priority < m->priority_base || r->priority - m->priority_base >= PLAN_PRIORITIES)
		return;
	check_error(f, NULL, "priority-base: ip%s rule %u%s is in our range %u to %u, expected "
		    "another base", r->family == AF_INET6 ? " -6" : "", r->priority,
		    owner(&t, who, sizeof(who)), m->priority_base,
		    m->priority_base + PLAN_PRIORITIES - 1);
}

/* One finding a table, however many routes it holds. */
static void check_tables(const struct model *m, const struct host *h, struct findings *f)
{
	bool seen[ASYM_MAX_LINKS] = {};
	char who[32];

	for (size_t i = 0; i < h->n_routes; i++) {
		const struct route *r = &h->routes[i];
		uint32_t n = r->table - m->table_base - 1;
		const struct trace t = { .table = r->table };

		if (r->protocol == PLAN_RTPROT || n >= ASYM_MAX_LINKS || seen[n])
			continue;
		seen[n] = true;
		check_error(f, NULL, "table-base: table %u%s holds routes of somebody else's, "
			    "expected another base", r->table, owner(&t, who, sizeof(who)));
	}
}

void check_marks(const struct model *m, const struct host *h, const struct plan_id *ids,
		 size_t n_ids, struct findings *f)
{
	struct ids known = { .given = ids, .n_given = n_ids };

	plan_link_ids(m, ids, n_ids, known.link);
	for (size_t i = 0; i < h->n_rules; i++) {
		if (h->rules[i].protocol == PLAN_RTPROT)
			continue;
		check_rule_mark(m, &known, &h->rules[i], f);
		check_priority(m, &h->rules[i], f);
	}
	for (size_t i = 0; i < h->n_marks; i++)
		check_nft_mark(m, &known, &h->marks[i], f);
	check_tables(m, h, f);
}

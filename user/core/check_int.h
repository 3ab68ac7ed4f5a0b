/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside check*.c, and what config_link.c shares with them. */
#ifndef CORE_CHECK_INT_H
#define CORE_CHECK_INT_H

#include "core/check.h"
#include "core/plan.h"

/* Of the global keys; config_link.c asks too.  Our rules come before "lookup main" (32766). */
#define CHECK_MAX_PRIORITY_BASE (32766 - PLAN_PRIORITIES)
#define CHECK_MARK_MASK_TEXT "3 to 8 bits in a row" /* ids are bytes in bpf/abi.h */
#define CHECK_TABLE_BASE_TEXT "0, 1, or 255 to 4294967045"
bool check_mark_mask(uint32_t mask);
bool check_table_base(uint32_t base);

void check_error(struct findings *f, const struct place *p, const char *fmt, ...) PRINTF(3, 4);
void check_warn(struct findings *f, const struct place *p, const char *fmt, ...) PRINTF(3, 4);
/* The file of a place, for messages that name a second one. */
const char *check_file(const struct place *p);
/* "key: there is no link ..., did you mean ...". */
void check_unknown_link(const struct model *m, struct findings *f, const struct place *p,
			const char *key, const char *name);

/* Families as bits; whether the link translates addresses of one of them. */
#define CHECK_BOTH_FAMILIES (1 << ASYM_V4 | 1 << ASYM_V6)
int check_families(const struct model_rule *r); /* that it can match */
bool check_link_nat(const struct model_link *l, int families);

/* The fields of one rule. */
void check_match(const struct model_rule *r, struct findings *f);
/* Whether the earlier rule takes all that the later one could.  m: has the sets. */
bool check_rule_covers(const struct model *m, const struct model_rule *earlier,
		       const struct model_rule *later);

/* Of complete links. */
void check_probes(const struct model *m, struct findings *f);
void check_policies(const struct model *m, struct findings *f);
void check_rules(const struct model *m, struct findings *f);
void check_shadows(const struct model *m, struct findings *f);
void check_unused(const struct model *m, struct findings *f);

/* Marks, rules and tables of others. */
void check_marks(const struct model *m, const struct host *h, const struct plan_id *ids,
		 size_t n_ids, struct findings *f);

#endif

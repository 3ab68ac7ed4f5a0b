/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the running programs would choose for a flow: their own maps, their own select.h. */
#ifndef APPLY_CHOOSE_H
#define APPLY_CHOOSE_H

#include "apply/object.h"
#include <stdbool.h>

struct choose_verdict {
	uint32_t rules;			  /* how many there are */
	uint32_t misses[ASYM_MAX_RULES]; /* of the rules before the match: enum asym_match */
	bool unseen[ASYM_MAX_RULES];	  /* the rule tests ports and the packet shows none */
	int rule;			  /* index of the match, -1: none */
	uint8_t policy;			  /* index */
	uint8_t key;			  /* enum asym_key */
	uint32_t hash, bucket;
	uint8_t bucket_link; /* id, 0: the policy has no live link */
	bool sticky;	     /* a live sticky entry decides */
	uint32_t sticky_age_s;
	bool last_resort;
	uint8_t link; /* id of a link, or a reserved one; 0: no rule */
};

/* Ports of a protocol that has none are not looked at.  0 or -errno of reading the maps. */
int choose_verdict(const struct object *o, const struct asym_flow *flow,
		   struct choose_verdict *ret);

#endif

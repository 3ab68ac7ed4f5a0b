// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <libnftnl/rule.h>
#include <stdarg.h>
#include <string.h>

#include "nl/nft_message.h"

static void rule_name(struct nft_batch *b, const char *chain, const char *line)
{
	if (strcmp(b->chain, chain)) {
		snprintf(b->chain, sizeof(b->chain), "%s", chain);
		b->rule_number = 0;
	}
	snprintf(b->rule_label.text, sizeof(b->rule_label.text), "chain %s, rule %u: %s", chain,
		 ++b->rule_number, line);
}

void nft_rule_begin(struct nft_batch *b, const char *chain, const char *line, ...)
{
	char text[128];
	va_list ap;

	if (b->err)
		return;
	va_start(ap, line);
	vsnprintf(text, sizeof(text), line, ap);
	va_end(ap);
	rule_name(b, chain, text);
	b->rule = nftnl_rule_alloc();
	if (!b->rule || nftnl_rule_set_str(b->rule, NFTNL_RULE_TABLE, b->table) ||
	    nftnl_rule_set_str(b->rule, NFTNL_RULE_CHAIN, chain))
		nft_fail(b, -ENOMEM);
}

void nft_rule_end(struct nft_batch *b)
{
	struct nlmsghdr *h;

	if (b->err)
		return;
	h = nft_message_begin(b, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);
	nftnl_rule_nlmsg_build_payload(h, b->rule);
	nft_message_add(b, h, "%s", b->rule_label.text);
	nftnl_rule_free(b->rule);
	b->rule = NULL;
}

void nft_rules_flush(struct nft_batch *b)
{
	struct nftnl_rule *r = b->err ? NULL : nftnl_rule_alloc();
	struct nlmsghdr *h;

	if (!r || nftnl_rule_set_str(r, NFTNL_RULE_TABLE, b->table)) {
		nft_fail(b, -ENOMEM);
	} else {
		h = nft_message_begin(b, NFT_MSG_DELRULE, 0);
		nftnl_rule_nlmsg_build_payload(h, r);
		nft_message_add(b, h, "flush of table %s", b->table);
	}
	if (r)
		nftnl_rule_free(r);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One message of an nftables transaction; for nft*.c alone. */
#ifndef NL_NFT_MESSAGE_H
#define NL_NFT_MESSAGE_H

#include "nl/nft.h"

/* Keeps the first failure. */
void nft_fail(struct nft_batch *b, int err);

/* Starts a message (type NFT_MSG_*) in the scratch space; only while b->err is 0. */
struct nlmsghdr *nft_message_begin(struct nft_batch *b, uint16_t type, uint16_t flags);
/* Copies the finished message into the batch, with the label that errors name. */
void nft_message_add(struct nft_batch *b, const struct nlmsghdr *h, const char *fmt, ...)
	PRINTF(3, 4);

#endif

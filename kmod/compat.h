/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where kernels differ.  What ASYM_HAVE_ names was found out by Kbuild, which tries to compile it:
 * a kernel's version says little, as distributions carry later interfaces back.
 */
#ifndef ASYM_COMPAT_H
#define ASYM_COMPAT_H

/* Linux 6.2, and 6.1 of late, tell an expression's dump whether to reset what it counts. */
#ifdef ASYM_HAVE_NFT_DUMP_RESET
#define ASYM_NFT_DUMP_ARGS struct sk_buff *skb, const struct nft_expr *expr, bool reset
#else
#define ASYM_NFT_DUMP_ARGS struct sk_buff *skb, const struct nft_expr *expr
#endif

#endif

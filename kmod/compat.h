/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where kernels differ.  What ASYM_HAVE_ names was found out by Kbuild, which tries to compile it:
 * a kernel's version says little, as distributions carry later interfaces back.
 */
#ifndef ASYM_COMPAT_H
#define ASYM_COMPAT_H

#include <linux/btf.h>
#include <linux/btf_ids.h>

/* Linux 6.2, and 6.1 of late, tell an expression's dump whether to reset what it counts. */
#ifdef ASYM_HAVE_NFT_DUMP_RESET
#define ASYM_NFT_DUMP_ARGS struct sk_buff *skb, const struct nft_expr *expr, bool reset
#else
#define ASYM_NFT_DUMP_ARGS struct sk_buff *skb, const struct nft_expr *expr
#endif

/* How kfuncs are marked, since Linux 6.3, and sets of them, since 6.9. */
#ifndef __bpf_kfunc
#define __bpf_kfunc __used
#endif
#ifndef BTF_KFUNCS_START
#define BTF_KFUNCS_START(name) BTF_SET8_START(name)
#define BTF_KFUNCS_END(name) BTF_SET8_END(name)
#endif

#endif

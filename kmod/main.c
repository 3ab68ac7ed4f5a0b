// SPDX-License-Identifier: GPL-2.0-only
/* The module's coming and going, and that of network namespaces. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>

#include "asymbpf.h"

static unsigned int asym_net_id __read_mostly;
static bool asym_offloads __ro_after_init;

struct pernet {
	struct asym_net *an;
};

struct asym_net *asym_net_of(const struct net *net)
{
	struct pernet *p = net_generic(net, asym_net_id);

	return p->an;
}

u32 asym_features(void)
{
	return ASYM_FEATURE_NFT | (asym_offloads ? ASYM_FEATURE_OFFLOAD : 0);
}

static int __net_init pernet_init(struct net *net)
{
	struct pernet *p = net_generic(net, asym_net_id);

	p->an = asym_net_new();
	return p->an ? 0 : -ENOMEM;
}

static void __net_exit pernet_exit(struct net *net)
{
	asym_net_put(asym_net_of(net));
}

static struct pernet_operations pernet_ops = {
	.init = pernet_init,
	.exit = pernet_exit,
	.id = &asym_net_id,
	.size = sizeof(struct pernet),
};

static int __init asym_init(void)
{
	int ret = register_pernet_subsys(&pernet_ops);

	if (ret)
		return ret;
	ret = asym_offload_init();
	if (ret)
		pr_info("no kfuncs for conntrack here (%pe), going on without\n", ERR_PTR(ret));
	asym_offloads = !ret;
	ret = asym_genl_init();
	if (ret)
		goto offload;
	/* last, as the module cannot fail to load while somebody holds it */
	ret = asym_nft_init();
	if (ret)
		goto genl;
	return 0;
genl:
	asym_genl_exit();
offload:
	if (asym_offloads)
		asym_offload_exit();
	unregister_pernet_subsys(&pernet_ops);
	return ret;
}

/* Nobody has an expression of ours by now: each holds the module. */
static void __exit asym_exit(void)
{
	asym_nft_exit();
	asym_genl_exit();
	if (asym_offloads)
		asym_offload_exit();
	unregister_pernet_subsys(&pernet_ops);
}

module_init(asym_init);
module_exit(asym_exit);

MODULE_LICENSE("GPL");
MODULE_AUTHOR("asymbpf");
MODULE_DESCRIPTION("asymbpf: choice of links in nftables, hand-over of connections to BPF");
MODULE_VERSION(ASYM_VERSION);

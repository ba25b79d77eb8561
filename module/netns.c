// SPDX-License-Identifier: GPL-2.0
/* What a network namespace has of its own, from its birth to its end. */
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <net/netns/generic.h>
#include "conn/conn.h"
#include "netns.h"
#include "sock/sock.h"

unsigned int xtcp_net_id;
static DECLARE_WAIT_QUEUE_HEAD(netns_idle);

struct xtcp_net *xtcp_pernet(const struct net *net)
{
	return net_generic(net, xtcp_net_id);
}

void xtcp_netns_wake(void)
{
	wake_up_all(&netns_idle);
}

/* Each chain ends in its own number. */
static struct hlist_nulls_head *table_alloc(u32 bits)
{
	struct hlist_nulls_head *h = kvcalloc(BIT(bits), sizeof(*h),
					      GFP_KERNEL_ACCOUNT);
	u32 i;

	for (i = 0; h && i < BIT(bits); i++)
		INIT_HLIST_NULLS_HEAD(&h[i], i);
	return h;
}

static void netns_free(struct xtcp_net *xn)
{
	kvfree(xn->ehash);
	kvfree(xn->bhash);
	kvfree(xn->lhash);
	free_percpu(xn->mib);
}

static int netns_alloc(struct xtcp_net *xn)
{
	xn->ehash = table_alloc(XTCP_EHASH_BITS);
	xn->bhash = kvcalloc(BIT(XTCP_BHASH_BITS), sizeof(*xn->bhash),
			     GFP_KERNEL_ACCOUNT);
	xn->lhash = table_alloc(XTCP_LHASH_BITS);
	xn->mib = alloc_percpu_gfp(struct xtcp_counters, GFP_KERNEL_ACCOUNT);
	if (!xn->ehash || !xn->bhash || !xn->lhash || !xn->mib) {
		netns_free(xn);
		return -ENOMEM;
	}
	return 0;
}

static void netns_seed(struct xtcp_net *xn)
{
	get_random_bytes(&xn->isn_secret, sizeof(xn->isn_secret));
	get_random_bytes(&xn->ts_secret, sizeof(xn->ts_secret));
	get_random_bytes(&xn->port_secret, sizeof(xn->port_secret));
	get_random_bytes(&xn->cookie_secret, sizeof(xn->cookie_secret));
	get_random_bytes(&xn->peer_secret, sizeof(xn->peer_secret));
	xn->hash_secret = get_random_u32();
	xn->listen_secret = get_random_u32();
}

static int __net_init netns_start(struct net *net)
{
	struct xtcp_net *xn = xtcp_pernet(net);
	int i, err;

	err = netns_alloc(xn);
	if (err)
		return err;
	xn->net = net;
	for (i = 0; i < XTCP_EHASH_LOCKS; i++)
		spin_lock_init(&xn->ehash_lock[i]);
	spin_lock_init(&xn->bhash_lock);
	spin_lock_init(&xn->lhash_lock);
	spin_lock_init(&xn->orphan_lock);
	INIT_LIST_HEAD(&xn->orphans);
	netns_seed(xn);
	xtcp_cfg_defaults(&xn->cfg);
	xtcp_limits_init(xn);
	err = xtcp_sysctl_init(xn);
	if (err)
		goto out_free;
	err = xtcp_proc_init(net);
	if (err)
		goto out_sysctl;
	return 0;
out_sysctl:
	xtcp_sysctl_exit(xn);
out_free:
	netns_free(xn);
	return err;
}

/*
 * The user's sockets are gone, they keep a namespace; the ones they closed
 * do not.  Segments below IP may hold their memory for as long as a queue,
 * of whatever namespace, holds the segments: nobody waits for that here.
 */
static void __net_exit netns_end(struct net *net)
{
	struct xtcp_net *xn = xtcp_pernet(net);

	xtcp_proc_exit(net);
	xtcp_sysctl_exit(xn);
	xtcp_orphans_purge(xn);
	xtcp_minis_purge(xn);
	wait_event(netns_idle, !atomic_read(&xn->nsocks));
	/* The last of them is over; who has just ended it or found it, goes. */
	synchronize_net();
	WARN_ON_ONCE(atomic_read(&xn->ntw) || atomic_read(&xn->nreqs));
	netns_free(xn);
}

static struct pernet_operations netns_ops = {
	.init	= netns_start,
	.exit	= netns_end,
	.id	= &xtcp_net_id,
	.size	= sizeof(struct xtcp_net),
};

int xtcp_netns_init(void)
{
	return register_pernet_subsys(&netns_ops);
}

void xtcp_netns_exit(void)
{
	unregister_pernet_subsys(&netns_ops);
}

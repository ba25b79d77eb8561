// SPDX-License-Identifier: GPL-2.0
/* What a network namespace has of its own, from its birth to its end. */
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/slab.h>
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

static void netns_free(struct xtcp_net *xn)
{
	kvfree(xn->peers);
	free_percpu(xn->edges);
	free_percpu(xn->mib);
}

/*
 * Most namespaces never see a socket of ours: programs make one for each
 * thing that they shut in, and a user may make them in a loop.  They cost what
 * arriving segments are counted in, the settings, and their files.
 */
bool xtcp_netns_use(struct xtcp_net *xn)
{
	static DEFINE_MUTEX(lock);

	/* Pairs with the release below. */
	if (likely(smp_load_acquire(&xn->used)))
		return true;
	mutex_lock(&lock);
	if (!xn->peers)
		xn->peers = kvcalloc(XTCP_NPEERS, sizeof(*xn->peers),
				     GFP_KERNEL_ACCOUNT);
	if (!xn->edges)
		xn->edges = xtcp_edges_alloc();
	if (xn->peers && xn->edges)
		/* Pairs with the acquire above, and in edges_of(). */
		smp_store_release(&xn->used, true);
	mutex_unlock(&lock);
	return xn->peers && xn->edges;
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
	xn->group_secret = get_random_u32();
}

static int __net_init netns_start(struct net *net)
{
	struct xtcp_net *xn = xtcp_pernet(net);
	int err;

	xn->mib = alloc_percpu_gfp(struct xtcp_counters, GFP_KERNEL_ACCOUNT);
	if (!xn->mib)
		return -ENOMEM;
	xn->net = net;
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

/* No new ways in, and an end for the connections that users have closed. */
static void netns_shut(struct net *net)
{
	struct xtcp_net *xn = xtcp_pernet(net);

	xtcp_proc_exit(net);
	xtcp_sysctl_exit(xn);
	xtcp_orphans_purge(xn);
	WRITE_ONCE(xn->dying, true);
}

/*
 * The sockets and mini-sockets of the namespaces in @list, in which there have
 * been any, are over, and nobody looks at the namespaces any more.  One walk
 * over the table and one grace period for all of them: this is the machine's
 * one thread for dying namespaces.
 */
static void netns_drain(struct list_head *list)
{
	bool used = false, minis = false;
	struct xtcp_net *xn;
	struct net *net;

	list_for_each_entry(net, list, exit_list) {
		xn = xtcp_pernet(net);
		wait_event(netns_idle, !atomic_read(&xn->nsocks));
		used |= xn->used;
		/* Sockets leave them: there are no more from here on. */
		minis |= atomic_read(&xn->ntw) > 0;
	}
	if (minis)
		xtcp_minis_purge();
	/* Who has just ended the last of them, or found it, goes. */
	if (used)
		synchronize_net();
}

/*
 * The user's sockets are gone, they keep a namespace; the ones they closed
 * do not.  Segments below IP may hold their memory for as long as a queue,
 * of whatever namespace, holds the segments: nobody waits for that here.
 */
static void __net_exit netns_end(struct list_head *list)
{
	struct xtcp_net *xn;
	struct net *net;

	list_for_each_entry(net, list, exit_list)
		netns_shut(net);
	netns_drain(list);
	list_for_each_entry(net, list, exit_list) {
		xn = xtcp_pernet(net);
		WARN_ON_ONCE(atomic_read(&xn->ntw) || atomic_read(&xn->nreqs));
		netns_free(xn);
	}
}

static struct pernet_operations netns_ops = {
	.init	= netns_start,
	.exit_batch = netns_end,
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

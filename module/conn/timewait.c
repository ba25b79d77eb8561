// SPDX-License-Identifier: GPL-2.0
/*
 * TIME_WAIT, and FIN_WAIT_2 of orphans, in mini-sockets.  Whoever gets one out
 * of the table owns it.
 */
#include <linux/slab.h>
#include <net/ip.h>
#include "conn/conn.h"
#include "netns.h"
#include "timer.h"
#include "tx/tx.h"

static struct kmem_cache *tw_cache;

int xtcp_timewait_init(void)
{
	tw_cache = kmem_cache_create("xtcp_tw", sizeof(struct xtcp_twsk), 0,
				     SLAB_HWCACHE_ALIGN | SLAB_ACCOUNT, NULL);
	return tw_cache ? 0 : -ENOMEM;
}

void xtcp_timewait_exit(void)
{
	kmem_cache_destroy(tw_cache);
}

static void tw_free_rcu(struct rcu_head *head)
{
	kmem_cache_free(tw_cache, container_of(head, struct xtcp_twsk, rcu));
}

/* The last of it; the caller has taken it out of the table. */
static void tw_free(struct xtcp_net *xn, struct xtcp_twsk *tw)
{
	xtcp_claim_put(xn, tw->claim);
	timer_shutdown(&tw->timer);
	atomic_dec(&xn->ntw);
	call_rcu(&tw->rcu, tw_free_rcu);
}

/* Ends it by @ev; nothing if somebody else has. */
static void tw_end(struct xtcp_net *xn, struct xtcp_twsk *tw, u8 ev)
{
	if (!xtcp_table_remove(xn, &tw->entry))
		return;
	xtcp_edge_count(xn, READ_ONCE(tw->tw.state), ev, XTCP_CLOSED);
	tw_free(xn, tw);
}

static void tw_timer(struct timer_list *t)
{
	struct xtcp_twsk *tw = from_timer(tw, t, timer);
	struct xtcp_net *xn = xtcp_pernet(tw->entry.net);

	tw_end(xn, tw, XTCP_EV_2MSL);
}

void xtcp_timewait_enter(struct sock *sk)
{
	struct xtcp_net *xn = xtcp_pernet(sock_net(sk));
	struct xtcp_sock *xs = xtcp_sk(sk);
	struct xtcp_twsk *tw = NULL;

	if (atomic_read(&xn->ntw) < READ_ONCE(xn->max_tw_buckets))
		tw = kmem_cache_zalloc(tw_cache, GFP_ATOMIC);
	if (!tw) {
		/* The tuple is free at once: a risk, but not for memory. */
		XTCP_INC(sock_net(sk), TWOVERFLOW);
		xtcp_state_hand_over(sk);
		return;
	}
	tw->entry.net = sock_net(sk);
	tw->mark = sk->sk_mark;
	tw->tos = inet_sk(sk)->tos;
	tw->priority = sk->sk_priority;
	tw->txhash = sk->sk_txhash;
	tw->entry.key = xs->entry.key;
	tw->entry.bound_if = xs->entry.bound_if;
	tw->entry.kind = XTCP_KIND_TW;
	tw->entry.node.pprev = NULL;
	spin_lock_init(&tw->lock);
	timer_setup(&tw->timer, tw_timer, 0);
	xtcp_tw_open(&tw->tw, &xs->core);
	tw->claim = xtcp_claim_get(xn, sk);
	atomic_inc(&xn->ntw);
	XTCP_INC(sock_net(sk), TIMEWAITED);
	/* In the table first: a timer that finds it elsewhere does nothing. */
	rcu_read_lock();
	if (xs->hashed && xtcp_table_replace(xn, &xs->entry, &tw->entry))
		mod_timer(&tw->timer, jiffies +
			  xtcp_jiffies(xtcp_core_mini_time(&xs->core,
							   xtcp_now())));
	else
		tw_free(xn, tw);
	rcu_read_unlock();
	xs->hashed = false;
	xtcp_state_hand_over(sk);
}

/* What the core makes of a segment; another CPU may have one too. */
static u8 tw_decide(struct xtcp_net *xn, struct xtcp_twsk *tw,
		    const struct xtcp_seg *s, struct xtcp_hdr *h)
{
	u8 todo;
	u64 now;

	spin_lock_bh(&tw->lock);
	/* Not before the lock: what the other has noted must not be the future. */
	now = xtcp_now();
	todo = xtcp_tw_input(&tw->tw, s, &xn->cfg, now);
	if (todo & XTCP_TW_FIN)
		xtcp_edge_count(xn, XTCP_FIN_WAIT2, XTCP_EV_RCV_FIN, XTCP_TIME_WAIT);
	if (todo & XTCP_TW_ACK)
		xtcp_tw_ack(&tw->tw, now, h);
	spin_unlock_bh(&tw->lock);
	if (todo & XTCP_TW_PAWS)
		XTCP_INC(tw->entry.net, DROP_PAWS);
	if (todo & XTCP_TW_SKIPPED)
		XTCP_INC(tw->entry.net, ACKSKIPPED);
	return todo;
}

/* Answers leave as the connection's own segments did, but for the TTL. */
static void tw_reply(const struct xtcp_twsk *tw, const struct sk_buff *skb,
		     struct xtcp_reply *r)
{
	xtcp_reply_init(r, tw->entry.net, skb);
	if (tw->entry.bound_if)
		r->oif = tw->entry.bound_if;
	r->mark = r->mark ?: tw->mark;
	r->txhash = tw->txhash;
	r->priority = tw->priority;
	r->tos = tw->tos;
}

bool xtcp_timewait_segment(struct xtcp_twsk *tw, struct sk_buff *skb,
			   const struct xtcp_seg *s, u32 *iss)
{
	struct xtcp_net *xn = xtcp_pernet(tw->entry.net);
	struct xtcp_reply r;
	struct xtcp_hdr h;
	u8 todo = tw_decide(xn, tw, s, &h);

	if (todo & XTCP_TW_SYN) {
		*iss = xtcp_tw_next_iss(&tw->tw);
		return true;
	}
	/* A timer that is shut down is not started again. */
	if (todo & XTCP_TW_RESTART)
		mod_timer(&tw->timer, jiffies + xtcp_jiffies(xn->cfg.timewait));
	if (todo & (XTCP_TW_ACK | XTCP_TW_REFUSE))
		tw_reply(tw, skb, &r);
	if (todo & XTCP_TW_ACK)
		xtcp_reply_seg(tw->entry.net, &r, s, &h);
	if (todo & XTCP_TW_REFUSE) {
		XTCP_INC(tw->entry.net, DROP_CLOSED);
		r.tos = ip_hdr(skb)->tos;
		xtcp_reply_reset(tw->entry.net, &r, s);
		tw_end(xn, tw, XTCP_EV_ABORT);
	}
	if (todo & XTCP_TW_KILL)
		tw_end(xn, tw, XTCP_EV_RCV_RST);
	return false;
}

void xtcp_timewait_no_listener(struct xtcp_twsk *tw, struct sk_buff *skb,
			       const struct xtcp_seg *s)
{
	struct xtcp_reply r;
	struct xtcp_hdr h;

	spin_lock_bh(&tw->lock);
	xtcp_tw_ack(&tw->tw, xtcp_now(), &h);
	spin_unlock_bh(&tw->lock);
	tw_reply(tw, skb, &r);
	xtcp_reply_seg(tw->entry.net, &r, s, &h);
}

void xtcp_timewait_give_way(struct xtcp_twsk *tw)
{
	tw_end(xtcp_pernet(tw->entry.net), tw, XTCP_EV_RCV_SYN);
}

void xtcp_timewait_taken(struct xtcp_twsk *tw)
{
	struct xtcp_net *xn = xtcp_pernet(tw->entry.net);

	xtcp_edge_count(xn, READ_ONCE(tw->tw.state), XTCP_EV_ABORT, XTCP_CLOSED);
	tw_free(xn, tw);
}

/*
 * One mini-socket of a dying namespace out of chain @i; NULL: none is left.  The
 * sockets of living namespaces stand in the same chains and may be used anew
 * under this walk: as in find_in(), the end of the chain tells.
 */
static struct xtcp_twsk *tw_pop(u32 i)
{
	struct xtcp_twsk *found = NULL;
	struct hlist_nulls_node *n;
	struct xtcp_entry *e;

	rcu_read_lock();
again:
	hlist_nulls_for_each_entry_rcu(e, n, &xtcp_tables.ehash[i], node) {
		if (e->kind != XTCP_KIND_TW ||
		    !READ_ONCE(xtcp_pernet(e->net)->dying))
			continue;
		if (!xtcp_table_remove(xtcp_pernet(e->net), e))
			continue;
		found = container_of(e, struct xtcp_twsk, entry);
		break;
	}
	if (!found && get_nulls_value(n) != i)
		goto again;
	rcu_read_unlock();
	return found;
}

void xtcp_minis_purge(void)
{
	struct xtcp_twsk *tw;
	struct xtcp_net *xn;
	u32 i;

	for (i = 0; i <= xtcp_tables.emask; i++) {
		while ((tw = tw_pop(i))) {
			xn = xtcp_pernet(tw->entry.net);
			timer_shutdown_sync(&tw->timer);
			xtcp_edge_count(xn, READ_ONCE(tw->tw.state),
					XTCP_EV_ABORT, XTCP_CLOSED);
			tw_free(xn, tw);
			/* There may be millions. */
			cond_resched();
		}
		if (!(i & 0xfff))
			cond_resched();
	}
}

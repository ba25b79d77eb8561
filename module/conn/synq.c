// SPDX-License-Identifier: GPL-2.0
/*
 * The SYN queue: requests in SYN_RECV as mini-sockets, until the final ACK
 * makes connections of them.  A request belongs to whoever takes it off its
 * listener's list under the listener's lock.
 */
#include <linux/slab.h>
#include <net/inet_common.h>
#include <net/ip.h>
#include <net/route.h>
#include "conn/conn.h"
#include "rx/rx.h"
#include "sock/sock.h"
#include "timer.h"
#include "tx/tx.h"

static struct kmem_cache *req_cache;

int xtcp_synq_init(void)
{
	req_cache = kmem_cache_create("xtcp_req", sizeof(struct xtcp_reqsk), 0,
				      SLAB_HWCACHE_ALIGN, NULL);
	return req_cache ? 0 : -ENOMEM;
}

void xtcp_synq_exit(void)
{
	kmem_cache_destroy(req_cache);
}

struct xtcp_listener *xtcp_listener_alloc(void)
{
	struct xtcp_listener *l = kzalloc(sizeof(*l), GFP_KERNEL);

	if (!l)
		return NULL;
	spin_lock_init(&l->lock);
	INIT_LIST_HEAD(&l->reqs);
	INIT_LIST_HEAD(&l->ready);
	l->open = true;
	return l;
}

/* Sends the SYN-ACK of @r, the first one or again. */
static void req_send_synack(struct xtcp_reqsk *r)
{
	const struct xtcp_key *k = &r->entry.key;
	struct xtcp_reply reply = {
		.saddr = xtcp_addr_v4(&k->laddr),
		.daddr = xtcp_addr_v4(&k->raddr),
		.oif = r->entry.bound_if,
		.mark = r->mark,
		.txhash = r->txhash,
		.tos = r->tos,
	};
	struct xtcp_hdr h;

	xtcp_req_synack(&r->req, xtcp_now(), &h);
	h.sport = ntohs(k->lport);
	h.dport = ntohs(k->rport);
	xtcp_reply_send(sock_net(r->lsk), &reply, &h);
}

static void req_free_rcu(struct rcu_head *head)
{
	kmem_cache_free(req_cache, container_of(head, struct xtcp_reqsk, rcu));
}

/* The last of a request that is on no list any more. */
static void req_free(struct xtcp_reqsk *r)
{
	struct sock *lsk = r->lsk;
	struct xtcp_net *xn = xtcp_pernet(sock_net(lsk));

	xtcp_table_remove(xn, &r->entry);
	timer_shutdown(&r->timer);
	atomic_dec(&xn->nreqs);
	call_rcu(&r->rcu, req_free_rcu);
	sock_put(lsk);
}

/* Off the listener's list: true for the one caller that got it. */
static bool req_take(struct xtcp_listener *l, struct xtcp_reqsk *r)
{
	lockdep_assert_held(&l->lock);
	if (list_empty(&r->link))
		return false;
	list_del_init(&r->link);
	l->nreqs--;
	return true;
}

/* Ends @r by event @ev; nothing if somebody else has it. */
static void req_kill(struct xtcp_listener *l, struct xtcp_reqsk *r, u8 ev)
{
	bool mine;

	spin_lock_bh(&l->lock);
	mine = req_take(l, r);
	spin_unlock_bh(&l->lock);
	if (!mine)
		return;
	xtcp_edge_count(XTCP_SYN_RECV, ev, xtcp_fsm[XTCP_SYN_RECV][ev].next);
	XTCP_INC(sock_net(r->lsk), ATTEMPTFAILS);
	req_free(r);
}

static void req_timer(struct timer_list *t)
{
	struct xtcp_reqsk *r = from_timer(r, t, timer);
	struct xtcp_listener *l;
	const struct xtcp_cfg *cfg;
	bool again = false;
	struct net *net;

	rcu_read_lock();
	l = rcu_dereference(xtcp_sk(r->lsk)->listener);
	if (!l)
		goto out;
	net = sock_net(r->lsk);
	cfg = &xtcp_pernet(net)->cfg;
	spin_lock(&l->lock);
	if (!list_empty(&r->link)) {
		again = r->req.retrans < cfg->synack_retries;
		if (again) {
			r->req.retrans++;
			mod_timer(&r->timer, jiffies +
				  xtcp_jiffies(xtcp_req_backoff(&r->req, cfg)));
		}
	}
	spin_unlock(&l->lock);
	if (again) {
		XTCP_INC(net, RETRANSSEGS);
		req_send_synack(r);
	} else {
		req_kill(l, r, XTCP_EV_TIMEOUT);
	}
out:
	rcu_read_unlock();
}

/* The route back to the peer, for what we may announce. */
static u16 req_own_mss(const struct sock *lsk, const struct xtcp_reqsk *r)
{
	struct flowi4 fl4;
	struct rtable *rt;
	u16 mss = XTCP_MSS_DEFAULT;

	flowi4_init_output(&fl4, r->entry.bound_if, r->mark, r->tos,
			   RT_SCOPE_UNIVERSE, xtcp_ipproto, 0,
			   xtcp_addr_v4(&r->entry.key.raddr),
			   xtcp_addr_v4(&r->entry.key.laddr),
			   r->entry.key.rport, r->entry.key.lport, lsk->sk_uid);
	rt = ip_route_output_flow(sock_net(lsk), &fl4, lsk);
	if (IS_ERR(rt))
		return 0;
	mss = min_t(u32, dst_metric_advmss(&rt->dst), 65495);
	ip_rt_put(rt);
	if (xtcp_sk(lsk)->user_mss)
		mss = min(mss, xtcp_sk(lsk)->user_mss);
	return mss;
}

static struct xtcp_reqsk *req_make(struct sock *lsk, struct sk_buff *skb,
				   const struct xtcp_seg *s, u32 iss)
{
	const struct iphdr *iph = ip_hdr(skb);
	struct xtcp_net *xn = xtcp_pernet(sock_net(lsk));
	struct xtcp_reqsk *r = kmem_cache_zalloc(req_cache, GFP_ATOMIC);
	u32 space;
	u16 mss;

	if (!r)
		return NULL;
	INIT_LIST_HEAD(&r->link);
	r->entry.node.pprev = NULL;
	timer_setup(&r->timer, req_timer, 0);
	r->entry.kind = XTCP_KIND_REQ;
	r->entry.bound_if = READ_ONCE(lsk->sk_bound_dev_if);
	xtcp_key_v4(&r->entry.key, iph->daddr, htons(s->dport),
		    iph->saddr, htons(s->sport));
	r->lsk = lsk;
	r->mark = READ_ONCE(lsk->sk_mark);
	r->tos = READ_ONCE(inet_sk(lsk)->tos);
	r->txhash = net_tx_rndhash();
	mss = req_own_mss(lsk, r);
	if (!mss) {
		kmem_cache_free(req_cache, r);
		return NULL;
	}
	space = READ_ONCE(lsk->sk_rcvbuf) / 2;
	xtcp_req_open(&r->req, s, iss ?: xtcp_isn(xn, &r->entry.key), mss, space,
		      max_t(u32, space, READ_ONCE(xn->rmem[2]) / 2),
		      xtcp_ts_off(xn, &r->entry.key), &xn->cfg);
	r->req.sent = xtcp_now();
	return r;
}

/* Into the queue and the table; takes a reference on the listener. */
static bool req_queue(struct sock *lsk, struct xtcp_listener *l,
		      struct xtcp_reqsk *r)
{
	struct xtcp_net *xn = xtcp_pernet(sock_net(lsk));
	bool ok = false;

	spin_lock_bh(&l->lock);
	if (!l->open || l->nreqs >= max_t(u32, READ_ONCE(lsk->sk_max_ack_backlog), 8) ||
	    xtcp_acceptq_full(lsk, l))
		goto out;
	if (xtcp_table_insert(xn, &r->entry))
		goto out;
	sock_hold(lsk);
	atomic_inc(&xn->nreqs);
	list_add_tail(&r->link, &l->reqs);
	l->nreqs++;
	mod_timer(&r->timer, jiffies +
		  xtcp_jiffies(xtcp_req_backoff(&r->req, &xn->cfg)));
	ok = true;
out:
	spin_unlock_bh(&l->lock);
	return ok;
}

void xtcp_synq_syn(struct sock *lsk, struct sk_buff *skb,
		   const struct xtcp_seg *s, u32 iss)
{
	struct xtcp_listener *l = rcu_dereference(xtcp_sk(lsk)->listener);
	struct net *net = sock_net(lsk);
	struct xtcp_reqsk *r;

	if (!l || (skb_rtable(skb)->rt_flags & (RTCF_BROADCAST | RTCF_MULTICAST)))
		goto drop;
	if (READ_ONCE(l->nready) > READ_ONCE(lsk->sk_max_ack_backlog)) {
		XTCP_INC(net, LISTENOVERFLOWS);
		goto drop;
	}
	r = req_make(lsk, skb, s, iss);
	if (!r)
		goto drop;
	if (!req_queue(lsk, l, r)) {
		kmem_cache_free(req_cache, r);
		goto drop;
	}
	xtcp_edge_count(XTCP_LISTEN, XTCP_EV_RCV_SYN, XTCP_SYN_RECV);
	req_send_synack(r);
	return;
drop:
	XTCP_INC(net, LISTENDROPS);
}

/* What the child has of its own rather than of its listener. */
static void child_init(struct sock *sk, struct xtcp_reqsk *r)
{
	struct xtcp_sock *xs = xtcp_sk(sk);
	struct inet_sock *inet = inet_sk(sk);

	xtcp_core_renew(&xs->core);
	xs->core.sport = ntohs(r->entry.key.lport);
	xs->core.dport = ntohs(r->entry.key.rport);

	inet->inet_saddr = xtcp_addr_v4(&r->entry.key.laddr);
	inet->inet_rcv_saddr = inet->inet_saddr;
	inet->inet_daddr = xtcp_addr_v4(&r->entry.key.raddr);
	inet->inet_dport = r->entry.key.rport;
	inet->inet_sport = r->entry.key.lport;
	RCU_INIT_POINTER(inet->inet_opt, NULL);
	inet->mc_list = NULL;
	atomic_set(&inet->inet_id, get_random_u16());
	sk->sk_txhash = r->txhash;
}

static void child_init_host(struct sock *sk, struct xtcp_reqsk *r)
{
	struct xtcp_sock *xs = xtcp_sk(sk);

	RCU_INIT_POINTER(xs->listener, NULL);
	xs->entry.key = r->entry.key;
	xs->entry.bound_if = r->entry.bound_if;
	xs->entry.kind = XTCP_KIND_SOCK;
	xs->entry.node.pprev = NULL;
	INIT_HLIST_NODE(&xs->lnode);
	INIT_LIST_HEAD(&xs->ready_link);
	INIT_LIST_HEAD(&xs->orphan_link);
	xs->owner.bucket = NULL;
	xs->listed = false;
	xs->hashed = true;
	xs->destroyed = false;
	xs->deferred = 0;
	xs->rcvq_bytes = 0;
	xs->tx_hint = NULL;
	sk->sk_max_ack_backlog = 0;
	sk->sk_ack_backlog = 0;
	xtcp_timer_init(sk);
}

/* The route for a child; its connection is as good as none without one. */
static bool child_route(struct sock *sk)
{
	struct dst_entry *dst = xtcp_route(sk);

	if (!dst)
		return false;
	xtcp_init_mss(sk, dst);
	return true;
}

/* The end of what sk_clone_lock() began: its lock, its second reference. */
static void child_unlock(struct sock *sk)
{
	__acquire(&sk->sk_lock.slock);
	bh_unlock_sock(sk);
	sock_put(sk);
}

/*
 * A full socket for @r in its place in the table, locked, with two
 * references; NULL for want of memory or route.
 */
static struct sock *child_make(struct sock *lsk, struct xtcp_reqsk *r, u64 now)
{
	struct xtcp_net *xn = xtcp_pernet(sock_net(lsk));
	struct sock *sk = sk_clone_lock(lsk, GFP_ATOMIC);
	struct xtcp_sock *xs;

	if (!sk)
		return NULL;
	xs = xtcp_sk(sk);
	xtcp_sock_born(sk);
	child_init_host(sk, r);
	child_init(sk, r);
	xtcp_port_inherit(xn, lsk, sk);
	xtcp_state_child(sk);
	if (!child_route(sk) || !xs->owner.bucket)
		goto fail;
	xs->core.rcv_buf = sk->sk_rcvbuf / 2;
	xs->core.rcv_free = xs->core.rcv_buf;
	xtcp_core_accept(&xs->core, &r->req, now);
	if (!xtcp_table_replace(xn, &r->entry, &xs->entry))
		goto fail;
	return sk;
fail:
	xs->hashed = false;
	xtcp_child_kill(sk);
	child_unlock(sk);
	return NULL;
}

/* The connection is there: into the accept queue, unless that has ended. */
static void child_ready(struct sock *lsk, struct xtcp_listener *l,
			struct sock *sk)
{
	bool queued;

	spin_lock_bh(&l->lock);
	/* Closed meanwhile, it has counted down to nothing already. */
	queued = l->open;
	if (queued) {
		sock_hold(sk);
		list_add_tail(&xtcp_sk(sk)->ready_link, &l->ready);
		WRITE_ONCE(lsk->sk_ack_backlog, l->nready);
	}
	spin_unlock_bh(&l->lock);
	if (!queued)
		xtcp_child_kill(sk);
	child_unlock(sk);
	if (queued)
		lsk->sk_data_ready(lsk);
}

/* Takes @r and a place in the accept queue; false if either is not to be had. */
static bool req_claim(struct sock *lsk, struct xtcp_listener *l,
		      struct xtcp_reqsk *r)
{
	bool ok = false;

	spin_lock_bh(&l->lock);
	if (l->open && !list_empty(&r->link)) {
		if (xtcp_acceptq_full(lsk, l)) {
			XTCP_INC(sock_net(lsk), LISTENOVERFLOWS);
		} else {
			ok = req_take(l, r);
			l->nready++;
		}
	}
	spin_unlock_bh(&l->lock);
	return ok;
}

static bool req_establish(struct xtcp_listener *l, struct xtcp_reqsk *r,
			  struct sk_buff *skb, const struct xtcp_seg *s)
{
	struct sock *lsk = r->lsk, *sk;

	if (!req_claim(lsk, l, r))
		return false;
	sk = child_make(lsk, r, xtcp_now());
	if (!sk) {
		XTCP_INC(sock_net(lsk), LISTENDROPS);
		spin_lock_bh(&l->lock);
		if (l->open)
			l->nready--;
		spin_unlock_bh(&l->lock);
		req_free(r);
		return false;
	}
	XTCP_INC(sock_net(lsk), PASSIVEOPENS);
	xtcp_input(sk, skb, s);
	child_ready(lsk, l, sk);
	req_free(r);
	return true;
}

static void req_answer_ack(struct xtcp_reqsk *r, struct sk_buff *skb,
			   const struct xtcp_seg *s)
{
	struct xtcp_hdr h;

	xtcp_req_ack(&r->req, xtcp_now(), &h);
	XTCP_INC(sock_net(r->lsk), CHALLENGEACKS);
	xtcp_reply_to(sock_net(r->lsk), skb, s, &h);
}

bool xtcp_synq_segment(struct xtcp_reqsk *r, struct sk_buff *skb,
		       const struct xtcp_seg *s)
{
	struct xtcp_listener *l = rcu_dereference(xtcp_sk(r->lsk)->listener);

	if (!l)
		return false;
	switch (xtcp_req_input(&r->req, s)) {
	case XTCP_REQ_ESTABLISH:
		return req_establish(l, r, skb, s);
	case XTCP_REQ_SYNACK:
		req_send_synack(r);
		break;
	case XTCP_REQ_ACK:
		req_answer_ack(r, skb, s);
		break;
	case XTCP_REQ_RST:
		xtcp_send_reset(sock_net(r->lsk), skb, s);
		break;
	case XTCP_REQ_KILL:
		req_kill(l, r, XTCP_EV_RCV_RST_PASSIVE);
		break;
	case XTCP_REQ_DROP:
		break;
	}
	return false;
}

void xtcp_listener_close(struct sock *lsk)
{
	struct xtcp_listener *l;
	struct xtcp_reqsk *r, *rn;
	struct xtcp_sock *xs, *xn;
	LIST_HEAD(reqs);
	LIST_HEAD(ready);

	l = rcu_dereference_protected(xtcp_sk(lsk)->listener,
				      lockdep_sock_is_held(lsk));
	if (!l)
		return;
	xtcp_listeners_del(xtcp_pernet(sock_net(lsk)), lsk);
	spin_lock_bh(&l->lock);
	l->open = false;
	list_splice_init(&l->ready, &ready);
	l->nready = 0;
	list_for_each_entry_safe(r, rn, &l->reqs, link) {
		/* Off this list is the claim; the RCU head is still free. */
		list_del_init(&r->link);
		list_add_tail(&r->link, &reqs);
	}
	l->nreqs = 0;
	spin_unlock_bh(&l->lock);
	WRITE_ONCE(lsk->sk_ack_backlog, 0);

	list_for_each_entry_safe(r, rn, &reqs, link)
		req_free(r);
	list_for_each_entry_safe(xs, xn, &ready, ready_link) {
		struct sock *sk = &xs->inet.sk;

		list_del_init(&xs->ready_link);
		local_bh_disable();
		bh_lock_sock(sk);
		xtcp_child_kill(sk);
		bh_unlock_sock(sk);
		local_bh_enable();
		sock_put(sk);
	}
	rcu_assign_pointer(xtcp_sk(lsk)->listener, NULL);
	kfree_rcu(l, rcu);
}

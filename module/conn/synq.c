// SPDX-License-Identifier: GPL-2.0
/*
 * The SYN queue: requests in SYN_RECV as mini-sockets, until the final ACK
 * makes connections of them.  A request belongs to whoever takes it off its
 * listener's list under the listener's lock.  When the queue is full, cookies
 * take its place.
 */
#include <linux/slab.h>
#include <net/inet_common.h>
#include <net/ip.h>
#include <net/ipv6.h>
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

/* Sends the SYN-ACK of @r, the first one or again; @cookie: to be forgotten. */
static void req_send_synack(struct xtcp_reqsk *r, bool cookie)
{
	const struct xtcp_key *k = &r->entry.key;
	struct xtcp_reply reply = {
		.saddr = xtcp_addr_v4(&k->laddr),
		.daddr = xtcp_addr_v4(&k->raddr),
		.oif = r->entry.bound_if,
		.mark = r->mark,
		.txhash = r->txhash,
		.tos = r->tos,
		.sk = r->lsk,
		.priority = READ_ONCE(r->lsk->sk_priority),
		.ttl = max_t(int, READ_ONCE(inet_sk(r->lsk)->uc_ttl), 0),
	};
	u64 now = xtcp_now();
	struct xtcp_hdr h;

	xtcp_req_synack(&r->req, now, &h);
	if (cookie && r->req.ts_ok)
		h.tsval = xtcp_cookie_tsval(&r->req, now);
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

/*
 * Off the listener's list: true for the one caller that got it.  What a
 * closing listener has taken it frees itself.
 */
static bool req_take(struct xtcp_listener *l, struct xtcp_reqsk *r)
{
	lockdep_assert_held(&l->lock);
	if (!l->open || list_empty(&r->link))
		return false;
	list_del_init(&r->link);
	l->nreqs--;
	l->nyoung -= !r->req.timeouts;
	return true;
}

/* On it, (again) with its timer running. */
static void req_put(struct xtcp_net *xn, struct xtcp_listener *l,
		    struct xtcp_reqsk *r)
{
	lockdep_assert_held(&l->lock);
	list_add_tail(&r->link, &l->reqs);
	l->nreqs++;
	l->nyoung += !r->req.timeouts;
	mod_timer(&r->timer, jiffies +
		  xtcp_jiffies(xtcp_req_backoff(&r->req, &xn->cfg)));
}

static void req_edge(u8 ev)
{
	xtcp_edge_count(XTCP_SYN_RECV, ev, xtcp_fsm[XTCP_SYN_RECV][ev].next);
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
	req_edge(ev);
	XTCP_INC(sock_net(r->lsk), ATTEMPTFAILS);
	req_free(r);
}

/* The SYN-ACK again. */
static void req_repeat_synack(struct xtcp_reqsk *r)
{
	XTCP_INC(sock_net(r->lsk), RETRANSSEGS);
	XTCP_INC(sock_net(r->lsk), SYNRETRANS);
	req_send_synack(r, false);
}

enum req_timeout {
	REQ_EXPIRED,
	REQ_WAITS,	/* for data, TCP_DEFER_ACCEPT */
	REQ_REPEATS,	/* the SYN-ACK */
};

/* What is to be done when @r's timer has run out.  Listener's lock. */
static enum req_timeout req_timeout(const struct sock *lsk,
				    struct xtcp_listener *l,
				    struct xtcp_reqsk *r)
{
	const struct xtcp_cfg *cfg = &xtcp_pernet(sock_net(lsk))->cfg;
	u8 retries = READ_ONCE(xtcp_sk(lsk)->core.syn_cnt) ?:
		     READ_ONCE(cfg->synack_retries);
	u8 defer = READ_ONCE(xtcp_sk(lsk)->defer_accept);
	bool resend = xtcp_req_resend(&r->req, defer);

	if (!l->open || list_empty(&r->link))
		return REQ_WAITS;
	retries = xtcp_req_retries(l->nreqs, l->nyoung,
				   READ_ONCE(lsk->sk_max_ack_backlog), retries);
	if (xtcp_req_expired(&r->req, retries, defer))
		return REQ_EXPIRED;
	l->nyoung -= !r->req.timeouts;
	if (r->req.timeouts < 255)
		r->req.timeouts++;
	r->req.retrans += resend && r->req.retrans < 255;
	mod_timer(&r->timer,
		  jiffies + xtcp_jiffies(xtcp_req_backoff(&r->req, cfg)));
	return resend ? REQ_REPEATS : REQ_WAITS;
}

static void req_timer(struct timer_list *t)
{
	struct xtcp_reqsk *r = from_timer(r, t, timer);
	enum req_timeout what = REQ_WAITS;
	struct xtcp_listener *l;

	rcu_read_lock();
	l = rcu_dereference(xtcp_sk(r->lsk)->listener);
	if (l) {
		spin_lock(&l->lock);
		what = req_timeout(r->lsk, l, r);
		spin_unlock(&l->lock);
	}
	if (what == REQ_REPEATS)
		req_repeat_synack(r);
	else if (what == REQ_EXPIRED)
		req_kill(l, r, XTCP_EV_TIMEOUT);
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

/* Who talks with whom, and how we answer. */
static void req_address(struct xtcp_reqsk *r, struct sock *lsk,
			const struct sk_buff *skb, const struct xtcp_seg *s)
{
	const struct iphdr *iph = ip_hdr(skb);

	memset(r, 0, sizeof(*r));
	INIT_LIST_HEAD(&r->link);
	r->entry.kind = XTCP_KIND_REQ;
	r->entry.bound_if = READ_ONCE(lsk->sk_bound_dev_if);
	xtcp_key_v4(&r->entry.key, iph->daddr, htons(s->dport),
		    iph->saddr, htons(s->sport));
	r->lsk = lsk;
	r->mark = READ_ONCE(lsk->sk_mark);
	r->tos = READ_ONCE(inet_sk(lsk)->tos);
	r->txhash = net_tx_rndhash();
}

/* From the peer's SYN, or from what is known of it.  False: no way back. */
static bool req_open(struct xtcp_reqsk *r, const struct xtcp_seg *syn, u32 iss)
{
	struct xtcp_net *xn = xtcp_pernet(sock_net(r->lsk));
	u32 space = READ_ONCE(r->lsk->sk_rcvbuf) / 2;
	u16 mss = req_own_mss(r->lsk, r);

	if (!mss)
		return false;
	xtcp_req_open(&r->req, syn, iss, mss, space,
		      max_t(u32, space, READ_ONCE(xn->rmem[2]) / 2),
		      xtcp_ts_off(xn, &r->entry.key), &xn->cfg);
	return true;
}

static struct xtcp_reqsk *req_make(struct sock *lsk, struct sk_buff *skb,
				   const struct xtcp_seg *s, u32 iss)
{
	struct xtcp_net *xn = xtcp_pernet(sock_net(lsk));
	struct xtcp_reqsk *r = kmem_cache_alloc(req_cache,
						GFP_ATOMIC | __GFP_NOWARN);

	if (!r)
		return NULL;
	req_address(r, lsk, skb, s);
	timer_setup(&r->timer, req_timer, 0);
	if (!req_open(r, s, iss ?: xtcp_isn(xn, &r->entry.key))) {
		kmem_cache_free(req_cache, r);
		return NULL;
	}
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
	/* The socket may have left this port for another since it was found. */
	if (!l->open || l->port != ntohs(r->entry.key.lport))
		goto out;
	if (xtcp_table_insert(xn, &r->entry))
		goto out;
	sock_hold(lsk);
	atomic_inc(&xn->nreqs);
	req_put(xn, l, r);
	ok = true;
out:
	spin_unlock_bh(&l->lock);
	return ok;
}

static bool synq_full(const struct sock *lsk, const struct xtcp_listener *l)
{
	return READ_ONCE(l->nreqs) > READ_ONCE(lsk->sk_max_ack_backlog);
}

/* The queue is full: may a cookie be sent?  Tells the log, once. */
static bool flooded(struct sock *lsk, struct xtcp_listener *l)
{
	struct net *net = sock_net(lsk);
	u8 how = READ_ONCE(xtcp_pernet(net)->cfg.syncookies);

	if (how)
		XTCP_INC(net, REQQFULLDOCOOKIES);
	else
		XTCP_INC(net, REQQFULLDROP);
	if (how != 2 && !READ_ONCE(l->flood_told) && !xchg(&l->flood_told, 1))
		net_info_ratelimited("xtcp: possible SYN flooding on port %pI4:%u: %s\n",
				     &inet_sk(lsk)->inet_rcv_saddr, l->port,
				     how ? "sending cookies" :
					   "dropping requests");
	return how;
}

/* Without cookies the last quarter is for those who are known to exist. */
static bool synq_reserved(struct xtcp_net *xn, const struct xtcp_listener *l,
			  const struct sk_buff *skb)
{
	int max = READ_ONCE(xn->cfg.max_syn_backlog);
	struct in6_addr peer;

	if (READ_ONCE(xn->cfg.syncookies) ||
	    max - (int)READ_ONCE(l->nreqs) >= max >> 2)
		return false;
	ipv6_addr_set_v4mapped(ip_hdr(skb)->saddr, &peer);
	return !xtcp_peer_proven(xn, &peer);
}

/* Answers a SYN, and keeps nothing. */
static bool cookie_send(struct sock *lsk, struct xtcp_listener *l,
			struct sk_buff *skb, const struct xtcp_seg *s)
{
	struct xtcp_net *xn = xtcp_pernet(sock_net(lsk));
	struct xtcp_seg syn = *s;
	struct xtcp_reqsk r;
	u32 iss;

	/* Without timestamps there is no room for other options. */
	if (!(s->opts & XTCP_OPT_TS) || !READ_ONCE(xn->cfg.timestamps))
		syn.opts &= XTCP_OPT_MSS;
	req_address(&r, lsk, skb, s);
	iss = xtcp_cookie_make(xn, &r.entry.key, s->seq, s->opts & XTCP_OPT_MSS ?
			       s->mss : XTCP_MSS_DEFAULT);
	if (!req_open(&r, &syn, iss))
		return false;
	xtcp_cookie_overflow(lsk, l);
	XTCP_INC(sock_net(lsk), SYNCOOKIESSENT);
	req_send_synack(&r, true);
	return true;
}

/* A place in the SYN queue.  False: drop. */
static bool syn_queue(struct sock *lsk, struct xtcp_listener *l,
		      struct sk_buff *skb, const struct xtcp_seg *s, u32 iss)
{
	struct xtcp_reqsk *r;

	if (!iss && synq_reserved(xtcp_pernet(sock_net(lsk)), l, skb))
		return false;
	r = req_make(lsk, skb, s, iss);
	if (!r)
		return false;
	if (!req_queue(lsk, l, r)) {
		kmem_cache_free(req_cache, r);
		return false;
	}
	xtcp_edge_count(XTCP_LISTEN, XTCP_EV_RCV_SYN, XTCP_SYN_RECV);
	req_send_synack(r, false);
	return true;
}

/*
 * A SYN that TIME_WAIT gave way to (@iss) is not subject to the limits of the
 * SYN queue, as natively: there are no more of those than of mini-sockets.
 */
void xtcp_synq_syn(struct sock *lsk, struct sk_buff *skb,
		   const struct xtcp_seg *s, u32 iss)
{
	struct xtcp_listener *l = rcu_dereference(xtcp_sk(lsk)->listener);
	struct net *net = sock_net(lsk);
	bool cookie = false;

	if (!l || (skb_rtable(skb)->rt_flags & (RTCF_BROADCAST | RTCF_MULTICAST)))
		goto drop;
	if (!iss && (READ_ONCE(xtcp_pernet(net)->cfg.syncookies) == 2 ||
		     synq_full(lsk, l))) {
		cookie = flooded(lsk, l);
		if (!cookie)
			goto drop;
	}
	if (READ_ONCE(l->nready) > READ_ONCE(lsk->sk_max_ack_backlog)) {
		XTCP_INC(net, LISTENOVERFLOWS);
		goto drop;
	}
	if (cookie ? cookie_send(lsk, l, skb, s) :
		     syn_queue(lsk, l, skb, s, iss))
		return;
drop:
	XTCP_INC(net, LISTENDROPS);
}

/* What the child has of its own rather than of its listener. */
static void child_init(struct sock *sk, struct xtcp_reqsk *r)
{
	struct xtcp_sock *xs = xtcp_sk(sk);
	struct inet_sock *inet = inet_sk(sk);
	bool interactive = xs->core.interactive;

	xtcp_core_renew(&xs->core);
	xs->core.interactive = interactive;
	xs->core.rcv_shut = sk->sk_shutdown & RCV_SHUTDOWN;
	xs->core.snd_shut = sk->sk_shutdown & SEND_SHUTDOWN;
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
	xs->lnode.pprev = NULL;
	INIT_LIST_HEAD(&xs->ready_link);
	INIT_LIST_HEAD(&xs->orphan_link);
	xs->owner.bucket = NULL;
	xs->listed = false;
	xs->defer_accept = 0;
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
 * In its request's place in the table, if that stands there; a cookie's child
 * finds the place taken if the ACK was there before.  The child is locked: who
 * finds it now waits.
 */
static bool child_place(struct xtcp_net *xn, struct xtcp_reqsk *r,
			struct xtcp_sock *xs, bool cookie)
{
	if (cookie)
		return !xtcp_table_insert(xn, &xs->entry);
	return xtcp_table_replace(xn, &r->entry, &xs->entry);
}

/*
 * A full socket for @r, in the table, locked, with two references; NULL for
 * want of memory or route, and if there is one already.
 */
static struct sock *child_make(struct sock *lsk, struct xtcp_reqsk *r,
			       bool cookie)
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
	if (!child_route(sk) || !xs->owner.bucket ||
	    !child_place(xn, r, xs, cookie))
		goto fail;
	xs->core.rcv_buf = sk->sk_rcvbuf / 2;
	xs->core.rcv_free = xs->core.rcv_buf;
	xtcp_core_accept(&xs->core, &r->req, xtcp_now());
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

/* One of the places in the accept queue.  Listener's lock. */
static bool place_reserve(struct sock *lsk, struct xtcp_listener *l)
{
	if (xtcp_acceptq_full(lsk, l)) {
		XTCP_INC(sock_net(lsk), LISTENOVERFLOWS);
		return false;
	}
	l->nready++;
	return true;
}

/*
 * Takes @r, and makes its connection if there is a place for that.  0 if that
 * was done, -EALREADY if somebody else has @r, or why it stays a request.
 */
static int req_to_child(struct xtcp_listener *l, struct xtcp_reqsk *r,
			struct sock **sk)
{
	struct sock *lsk = r->lsk;
	int err = -EALREADY;

	spin_lock_bh(&l->lock);
	if (l->open && !list_empty(&r->link)) {
		err = place_reserve(lsk, l) ? 0 : -ENOSPC;
		if (!err)
			req_take(l, r);
	}
	spin_unlock_bh(&l->lock);
	if (err)
		return err;
	*sk = child_make(lsk, r, false);
	if (*sk)
		return 0;

	err = -ENOMEM;
	spin_lock_bh(&l->lock);
	if (l->open) {
		l->nready--;
		req_put(xtcp_pernet(sock_net(lsk)), l, r);
	} else {
		err = -EALREADY;
	}
	spin_unlock_bh(&l->lock);
	if (err == -EALREADY)
		req_free(r);
	return err;
}

/*
 * The handshake is over, but there is no connection: the SYN-ACK, sent again,
 * asks for another ACK, unless the user wants the peer to know at once.
 */
static void req_overflow(struct xtcp_listener *l, struct xtcp_reqsk *r,
			 struct sk_buff *skb, const struct xtcp_seg *s)
{
	struct net *net = sock_net(r->lsk);

	XTCP_INC(net, LISTENDROPS);
	if (!READ_ONCE(xtcp_pernet(net)->cfg.abort_on_overflow)) {
		WRITE_ONCE(r->req.acked, true);
		return;
	}
	XTCP_INC(net, EMBRYONICRSTS);
	xtcp_send_reset(net, r->lsk, skb, s);
	req_kill(l, r, XTCP_EV_ABORT);
}

/* The final ACK.  True if it has become a connection's, @skb consumed. */
static bool req_establish(struct xtcp_listener *l, struct xtcp_reqsk *r,
			  struct sk_buff *skb, const struct xtcp_seg *s)
{
	struct sock *lsk = r->lsk, *sk;
	int err;

	if (xtcp_req_defer(&r->req, s, READ_ONCE(xtcp_sk(lsk)->defer_accept))) {
		WRITE_ONCE(r->req.acked, true);
		XTCP_INC(sock_net(lsk), DEFERACCEPTDROP);
		return false;
	}
	err = req_to_child(l, r, &sk);
	if (err) {
		if (err != -EALREADY)
			req_overflow(l, r, skb, s);
		return false;
	}
	XTCP_INC(sock_net(lsk), PASSIVEOPENS);
	xtcp_input(sk, skb, s);
	child_ready(lsk, l, sk);
	req_free(r);
	return true;
}

/* A child from a cookie, which @r was made from; NULL: no place, no memory. */
static struct sock *cookie_child(struct sock *lsk, struct xtcp_listener *l,
				 struct xtcp_reqsk *r)
{
	struct sock *sk = NULL;
	bool place;

	spin_lock_bh(&l->lock);
	place = l->open && l->port == ntohs(r->entry.key.lport) &&
		place_reserve(lsk, l);
	spin_unlock_bh(&l->lock);
	if (!place)
		return NULL;
	sk = child_make(lsk, r, true);
	if (sk)
		return sk;
	spin_lock_bh(&l->lock);
	if (l->open)
		l->nready--;
	spin_unlock_bh(&l->lock);
	return NULL;
}

/* What the SYN must have said. */
static void cookie_syn(struct xtcp_seg *syn, const struct xtcp_seg *s, u16 mss)
{
	*syn = (struct xtcp_seg){
		.seq = s->seq - 1,
		.flags = XTCP_SYN,
		.wnd = s->wnd,
		.opts = XTCP_OPT_MSS,
		.mss = mss,
	};
}

enum xtcp_synq_verdict xtcp_synq_ack(struct sock *lsk, struct sk_buff *skb,
				     const struct xtcp_seg *s)
{
	struct xtcp_listener *l = rcu_dereference(xtcp_sk(lsk)->listener);
	struct net *net = sock_net(lsk);
	struct xtcp_net *xn = xtcp_pernet(net);
	struct xtcp_seg syn;
	struct xtcp_reqsk r;
	struct sock *sk;
	u16 mss;

	if (!l || (s->flags & XTCP_SYN) || !READ_ONCE(xn->cfg.syncookies) ||
	    !xtcp_cookie_expected(lsk, l))
		return XTCP_SYNQ_STRANGER;
	req_address(&r, lsk, skb, s);
	mss = xtcp_cookie_check(xn, &r.entry.key, s->seq - 1, s->ack - 1);
	if (!mss) {
		XTCP_INC(net, SYNCOOKIESFAILED);
		return XTCP_SYNQ_STRANGER;
	}
	XTCP_INC(net, SYNCOOKIESRECV);
	cookie_syn(&syn, s, mss);
	if (!xtcp_cookie_options(xn, &r.entry.key, s, &syn))
		return XTCP_SYNQ_STRANGER;
	sk = req_open(&r, &syn, s->ack - 1) ? cookie_child(lsk, l, &r) : NULL;
	if (!sk) {
		XTCP_INC(net, LISTENDROPS);
		return XTCP_SYNQ_DROP;
	}
	/* The edge that its request would have taken. */
	xtcp_edge_count(XTCP_LISTEN, XTCP_EV_RCV_SYN, XTCP_SYN_RECV);
	XTCP_INC(net, PASSIVEOPENS);
	xtcp_input(sk, skb, s);
	child_ready(lsk, l, sk);
	return XTCP_SYNQ_TAKEN;
}

/*
 * Answers to what is out of order are rationed, as native TCP does it, but for
 * those to payload, which an honest peer may repeat.
 */
static bool req_rationed(struct xtcp_reqsk *r, const struct xtcp_seg *s)
{
	const struct xtcp_cfg *cfg = &xtcp_pernet(sock_net(r->lsk))->cfg;
	u32 now = jiffies, last = READ_ONCE(r->last_oow);

	if (xtcp_seg_space(s) && !(s->flags & XTCP_SYN))
		return false;
	if (last && now - last < xtcp_jiffies(cfg->invalid_ratelimit)) {
		XTCP_INC(sock_net(r->lsk), SYNRECVSKIPPED);
		return true;
	}
	WRITE_ONCE(r->last_oow, now ?: 1);
	return false;
}

/* The SYN came again: so does the SYN-ACK, and its timer begins anew. */
static void req_answer_syn(struct xtcp_listener *l, struct xtcp_reqsk *r)
{
	const struct xtcp_cfg *cfg = &xtcp_pernet(sock_net(r->lsk))->cfg;

	spin_lock_bh(&l->lock);
	r->req.retrans += r->req.retrans < 255;
	spin_unlock_bh(&l->lock);
	req_repeat_synack(r);
	mod_timer_pending(&r->timer, jiffies +
			  xtcp_jiffies(xtcp_req_backoff(&r->req, cfg)));
}

static void req_answer_ack(struct xtcp_reqsk *r, struct sk_buff *skb,
			   const struct xtcp_seg *s)
{
	struct xtcp_reply reply;
	struct xtcp_hdr h;

	xtcp_req_ack(&r->req, xtcp_now(), &h);
	XTCP_INC(sock_net(r->lsk), CHALLENGEACKS);
	xtcp_reply_init(&reply, sock_net(r->lsk), skb);
	xtcp_reply_as(&reply, r->lsk);
	reply.txhash = r->txhash;
	xtcp_reply_seg(sock_net(r->lsk), &reply, s, &h);
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
		if (!req_rationed(r, s))
			req_answer_syn(l, r);
		break;
	case XTCP_REQ_ACK:
		if (!req_rationed(r, s))
			req_answer_ack(r, skb, s);
		break;
	case XTCP_REQ_RST:
		xtcp_send_reset(sock_net(r->lsk), r->lsk, skb, s);
		break;
	case XTCP_REQ_ABORT:
		XTCP_INC(sock_net(r->lsk), EMBRYONICRSTS);
		xtcp_send_reset(sock_net(r->lsk), r->lsk, skb, s);
		req_kill(l, r, XTCP_EV_ABORT);
		break;
	case XTCP_REQ_KILL:
		XTCP_INC(sock_net(r->lsk), EMBRYONICRSTS);
		req_kill(l, r, XTCP_EV_RCV_RST_PASSIVE);
		break;
	case XTCP_REQ_DROP:
		break;
	}
	return false;
}

void xtcp_synq_error(struct xtcp_reqsk *r, u32 seq, bool fatal)
{
	struct xtcp_listener *l = rcu_dereference(xtcp_sk(r->lsk)->listener);

	if (seq != r->req.iss) {
		XTCP_INC(sock_net(r->lsk), OUTOFWINDOWICMPS);
	} else if (l && fatal) {
		XTCP_INC(sock_net(r->lsk), LISTENDROPS);
		req_kill(l, r, XTCP_EV_NET_ERROR);
	}
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
	/* Nobody takes a request of a listener that is not open: ours, all. */
	list_splice_init(&l->reqs, &reqs);
	l->nreqs = 0;
	l->nyoung = 0;
	spin_unlock_bh(&l->lock);
	WRITE_ONCE(lsk->sk_ack_backlog, 0);

	list_for_each_entry_safe(r, rn, &reqs, link) {
		req_edge(XTCP_EV_ABORT);
		req_free(r);
	}
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

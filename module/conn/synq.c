// SPDX-License-Identifier: GPL-2.0
/*
 * The SYN queue: which SYN becomes a request, and what becomes of requests.
 * When the queue is full, cookies take its place.
 */
#include <linux/security.h>
#include <linux/slab.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/route.h>
#include "conn/synq.h"
#include "rx/rx.h"
#include "sock/sock.h"
#include "tx/tx.h"

struct xtcp_listener *xtcp_listener_alloc(void)
{
	struct xtcp_listener *l = kzalloc(sizeof(*l), GFP_KERNEL_ACCOUNT);

	if (!l)
		return NULL;
	spin_lock_init(&l->lock);
	INIT_LIST_HEAD(&l->reqs);
	INIT_LIST_HEAD(&l->ready);
	l->open = true;
	return l;
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
	xtcp_reqsk_address(&r, lsk, skb, s);
	iss = xtcp_cookie_make(xn, &r.entry.key, s->seq, s->opts & XTCP_OPT_MSS ?
			       s->mss : XTCP_MSS_DEFAULT);
	if (!xtcp_reqsk_open(&r, skb, &syn, iss))
		return false;
	xtcp_cookie_overflow(lsk, l);
	XTCP_INC(sock_net(lsk), SYNCOOKIESSENT);
	xtcp_reqsk_synack(&r, true);
	return true;
}

/* A place in the SYN queue.  False: drop. */
static bool syn_queue(struct sock *lsk, struct xtcp_listener *l,
		      struct sk_buff *skb, const struct xtcp_seg *s, u32 iss)
{
	struct xtcp_reqsk *r;

	if (!iss && synq_reserved(xtcp_pernet(sock_net(lsk)), l, skb))
		return false;
	r = xtcp_reqsk_make(lsk, skb, s, iss);
	if (!r)
		return false;
	if (!xtcp_reqsk_queue(lsk, l, r)) {
		xtcp_reqsk_discard(r);
		return false;
	}
	xtcp_edge_count(xtcp_pernet(sock_net(lsk)), XTCP_LISTEN,
			XTCP_EV_RCV_SYN, XTCP_SYN_RECV);
	xtcp_reqsk_synack(r, false);
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

/* Gives back what place_reserve() reserved. */
static void place_release(struct xtcp_listener *l)
{
	spin_lock_bh(&l->lock);
	/* Closed meanwhile, it has counted down to nothing already. */
	if (l->open)
		l->nready--;
	spin_unlock_bh(&l->lock);
}

/* Is the request still in its queue?  A cookie's never was.  Listener's lock. */
static bool req_waits(const struct xtcp_listener *l, const struct xtcp_reqsk *r,
		      bool cookie)
{
	if (!l->open)
		return false;
	return cookie ? l->port == ntohs(r->entry.key.lport) :
			!list_empty(&r->link);
}

/*
 * The connection that @r becomes, if there is a place for it: -ENOSPC if there
 * is none, else as xtcp_child_make().  -EALREADY as well if the listener has
 * closed.
 */
static struct sock *req_to_child(struct xtcp_listener *l, struct xtcp_reqsk *r,
				 bool cookie)
{
	struct sock *sk;
	int err = 0;

	spin_lock_bh(&l->lock);
	if (!req_waits(l, r, cookie))
		err = -EALREADY;
	else if (!place_reserve(r->lsk, l))
		err = -ENOSPC;
	spin_unlock_bh(&l->lock);
	if (err)
		return ERR_PTR(err);
	sk = xtcp_child_make(r->lsk, l, r, cookie);
	if (IS_ERR(sk))
		place_release(l);
	return sk;
}

/*
 * @r ends by event @ev, and its peer is told by RST unless @skb is one.  If
 * somebody else has taken @r, @skb is for what has become of it.
 */
static enum xtcp_synq_verdict req_end(struct xtcp_listener *l,
				      struct xtcp_reqsk *r, u8 ev,
				      struct sk_buff *skb,
				      const struct xtcp_seg *s)
{
	struct sock *lsk = r->lsk;

	/* The listener may go with its last request; RCU keeps its memory. */
	if (!xtcp_reqsk_kill(l, r, ev))
		return XTCP_SYNQ_AGAIN;
	XTCP_INC(sock_net(lsk), EMBRYONICRSTS);
	xtcp_send_reset(sock_net(lsk), lsk, skb, s);
	return XTCP_SYNQ_DROP;
}

/*
 * The handshake is over, but there is no connection: the SYN-ACK, sent again,
 * asks for another ACK, unless the user wants the peer to know at once.
 */
static enum xtcp_synq_verdict req_overflow(struct xtcp_listener *l,
					   struct xtcp_reqsk *r,
					   struct sk_buff *skb,
					   const struct xtcp_seg *s)
{
	struct net *net = sock_net(r->lsk);

	XTCP_INC(net, LISTENDROPS);
	if (READ_ONCE(xtcp_pernet(net)->cfg.abort_on_overflow))
		return req_end(l, r, XTCP_EV_ABORT, skb, s);
	WRITE_ONCE(r->req.acked, true);
	return XTCP_SYNQ_DROP;
}

/* New child @sk gets @skb, which made it, and goes into the accept queue. */
static void child_begin(struct sock *lsk, struct xtcp_listener *l,
			struct sock *sk, struct sk_buff *skb,
			const struct xtcp_seg *s)
{
	XTCP_INC(sock_net(lsk), PASSIVEOPENS);
	/*
	 * For SO_PEERSEC: natively the peer's label comes with the request, by
	 * security_inet_csk_clone(), which is not exported.
	 */
	security_inet_conn_established(sk, skb);
	xtcp_input(sk, skb, s);
	xtcp_child_ready(lsk, l, sk);
}

/* The final ACK. */
static enum xtcp_synq_verdict req_establish(struct xtcp_listener *l,
					    struct xtcp_reqsk *r,
					    struct sk_buff *skb,
					    const struct xtcp_seg *s)
{
	struct sock *lsk = r->lsk, *sk;

	if (xtcp_req_defer(&r->req, s, READ_ONCE(xtcp_sk(lsk)->defer_accept))) {
		WRITE_ONCE(r->req.acked, true);
		XTCP_INC(sock_net(lsk), DEFERACCEPTDROP);
		return XTCP_SYNQ_DROP;
	}
	sk = req_to_child(l, r, false);
	if (sk == ERR_PTR(-EALREADY))
		return XTCP_SYNQ_AGAIN;
	if (IS_ERR(sk))
		return req_overflow(l, r, skb, s);
	child_begin(lsk, l, sk, skb, s);
	xtcp_reqsk_free(r);
	return XTCP_SYNQ_TAKEN;
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

	if (!l)
		return XTCP_SYNQ_DROP;
	if ((s->flags & XTCP_SYN) || !READ_ONCE(xn->cfg.syncookies) ||
	    !xtcp_cookie_expected(lsk, l))
		return XTCP_SYNQ_STRANGER;
	xtcp_reqsk_address(&r, lsk, skb, s);
	mss = xtcp_cookie_check(xn, &r.entry.key, s->seq - 1, s->ack - 1);
	if (!mss) {
		XTCP_INC(net, SYNCOOKIESFAILED);
		return XTCP_SYNQ_STRANGER;
	}
	XTCP_INC(net, SYNCOOKIESRECV);
	cookie_syn(&syn, s, mss);
	if (!xtcp_cookie_options(xn, &r.entry.key, s, &syn))
		return XTCP_SYNQ_STRANGER;
	sk = xtcp_reqsk_open(&r, skb, &syn, s->ack - 1) ?
		req_to_child(l, &r, true) : ERR_PTR(-ENOMEM);
	/* Another segment with the same cookie was faster. */
	if (sk == ERR_PTR(-EALREADY))
		return XTCP_SYNQ_AGAIN;
	if (IS_ERR(sk)) {
		XTCP_INC(net, LISTENDROPS);
		return XTCP_SYNQ_DROP;
	}
	/* The edge that its request would have taken. */
	xtcp_edge_count(xn, XTCP_LISTEN, XTCP_EV_RCV_SYN, XTCP_SYN_RECV);
	child_begin(lsk, l, sk, skb, s);
	return XTCP_SYNQ_TAKEN;
}

enum xtcp_synq_verdict xtcp_synq_segment(struct xtcp_reqsk *r,
					 struct sk_buff *skb,
					 const struct xtcp_seg *s)
{
	struct xtcp_listener *l = rcu_dereference(xtcp_sk(r->lsk)->listener);

	if (!l)
		return XTCP_SYNQ_AGAIN;
	switch (xtcp_req_input(&r->req, s)) {
	case XTCP_REQ_ESTABLISH:
		return req_establish(l, r, skb, s);
	case XTCP_REQ_SYNACK:
		xtcp_reqsk_answer_syn(l, r, s);
		break;
	case XTCP_REQ_ACK:
		xtcp_reqsk_answer_ack(r, skb, s);
		break;
	case XTCP_REQ_RST:
		xtcp_send_reset(sock_net(r->lsk), r->lsk, skb, s);
		break;
	case XTCP_REQ_ABORT:
		return req_end(l, r, XTCP_EV_ABORT, skb, s);
	case XTCP_REQ_KILL:
		return req_end(l, r, XTCP_EV_RCV_RST_PASSIVE, skb, s);
	case XTCP_REQ_DROP:
		break;
	}
	return XTCP_SYNQ_DROP;
}

void xtcp_synq_error(struct xtcp_reqsk *r, u32 seq, bool fatal)
{
	struct xtcp_listener *l = rcu_dereference(xtcp_sk(r->lsk)->listener);

	if (seq != r->req.iss) {
		XTCP_INC(sock_net(r->lsk), OUTOFWINDOWICMPS);
	} else if (l && fatal) {
		XTCP_INC(sock_net(r->lsk), LISTENDROPS);
		xtcp_reqsk_kill(l, r, XTCP_EV_NET_ERROR);
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

	/* Who has found one may look at the next listener of this socket, which
	 * is open: there it must not seem to be on the list.
	 */
	list_for_each_entry_safe(r, rn, &reqs, link) {
		list_del_init(&r->link);
		xtcp_reqsk_edge(xtcp_pernet(sock_net(lsk)), XTCP_EV_ABORT);
		xtcp_reqsk_free(r);
		/* As many as somaxconn lets the user have. */
		cond_resched();
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
		cond_resched();
	}
	rcu_assign_pointer(xtcp_sk(lsk)->listener, NULL);
	kfree_rcu(l, rcu);
}

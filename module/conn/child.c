// SPDX-License-Identifier: GPL-2.0
/*
 * Children: the full sockets that requests and cookies become when their
 * handshake is over.
 */
#include <net/ip.h>
#include "conn/synq.h"
#include "sock/sock.h"
#include "timer.h"
#include "tx/tx.h"

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
	/* A listener has none, unless it is a connection by now. */
	sk->sk_frag.page = NULL;
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
 * Puts the child in its request's place in the table, or in an empty one if it
 * is a cookie's.  False if somebody else has the request, or the cookie's place.
 * The request is taken and replaced under one lock: whoever fails to take it
 * finds the child when he looks into the table again.  The child is locked, so
 * he then waits until the segment that made it has been worked on.
 */
static bool child_place(struct xtcp_net *xn, struct xtcp_listener *l,
			struct xtcp_reqsk *r, struct xtcp_sock *xs, bool cookie)
{
	bool mine;

	if (cookie)
		return !xtcp_table_insert(xn, &xs->entry);
	spin_lock_bh(&l->lock);
	mine = xtcp_reqsk_take(l, r);
	/* A request stays in the table until whoever takes it frees it. */
	if (mine)
		WARN_ON_ONCE(!xtcp_table_replace(xn, &r->entry, &xs->entry));
	spin_unlock_bh(&l->lock);
	return mine;
}

struct sock *xtcp_child_make(struct sock *lsk, struct xtcp_listener *l,
			     struct xtcp_reqsk *r, bool cookie)
{
	struct xtcp_net *xn = xtcp_pernet(sock_net(lsk));
	struct sock *sk = sk_clone_lock(lsk, GFP_ATOMIC);
	struct xtcp_sock *xs;
	int err = -ENOMEM;

	if (!sk)
		return ERR_PTR(err);
	xs = xtcp_sk(sk);
	xtcp_sock_born(sk);
	child_init_host(sk, r);
	child_init(sk, r);
	/* The state first: beside one more listener none could listen again. */
	xtcp_state_child(sk);
	xtcp_port_inherit(xn, lsk, sk);
	if (!child_route(sk) || !xs->owner.bucket)
		goto fail;
	err = -EALREADY;
	if (!child_place(xn, l, r, xs, cookie))
		goto fail;
	xs->core.rcv_buf = sk->sk_rcvbuf / 2;
	xs->core.rcv_free = xs->core.rcv_buf;
	xtcp_core_accept(&xs->core, &r->req, xtcp_now());
	return sk;
fail:
	xs->hashed = false;
	xtcp_child_kill(sk);
	child_unlock(sk);
	return ERR_PTR(err);
}

void xtcp_child_ready(struct sock *lsk, struct xtcp_listener *l,
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

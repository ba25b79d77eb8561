// SPDX-License-Identifier: GPL-2.0
/* shutdown() and close(), and what becomes of a socket after them. */
#include <net/xfrm.h>
#include "conn/conn.h"
#include "rx/rx.h"
#include "sock/sock.h"
#include "timer.h"
#include "tx/tx.h"

void xtcp_sock_destroy(struct sock *sk)
{
	struct xtcp_sock *xs = xtcp_sk(sk);

	WARN_ON_ONCE(!sock_flag(sk, SOCK_DEAD) || sk->sk_state != TCP_CLOSE);
	if (xs->destroyed)
		return;
	xs->destroyed = true;
	xtcp_orphan_del(sk);
	xtcp_put_port(sk);
	xtcp_core_purge(&xs->core);
	xtcp_sendq_purge(sk);
	sk_stream_kill_queues(sk);
	xfrm_sk_free_policy(sk);
	/* A route is its namespace's. */
	sk_dst_reset(sk);
	xtcp_sock_leave(sk);
	sock_put(sk);
}

void xtcp_done(struct sock *sk)
{
	struct xtcp_sock *xs = xtcp_sk(sk);

	xtcp_timer_stop(sk);
	if (xs->hashed) {
		xtcp_table_remove(xtcp_pernet(sock_net(sk)), &xs->entry);
		xs->hashed = false;
	}
	if (!(sk->sk_userlocks & SOCK_BINDPORT_LOCK))
		xtcp_put_port(sk);
	xtcp_core_purge(&xs->core);
	xtcp_sendq_purge(sk);
	WRITE_ONCE(sk->sk_shutdown, SHUTDOWN_MASK);
	if (!sock_flag(sk, SOCK_DEAD))
		sk->sk_state_change(sk);
	else
		xtcp_sock_destroy(sk);
}

void xtcp_shutdown(struct sock *sk, int how)
{
	struct xtcp_core *c = &xtcp_sk(sk)->core;

	/* In FIN_WAIT new data is then answered by RST. */
	if (how & RCV_SHUTDOWN)
		c->rcv_shut = true;
	if (!(how & SEND_SHUTDOWN))
		return;
	/* Without a connection it is remembered for the next, as by TCP. */
	c->snd_shut = c->state == XTCP_CLOSED;
	xtcp_core_shutdown(c, xtcp_now());
	xtcp_settle(sk);
}

/* The connection's part of close(): FIN, or RST if data would be lost. */
static void close_connection(struct sock *sk, long timeout)
{
	struct xtcp_core *c = &xtcp_sk(sk)->core;
	bool unread = xtcp_sk(sk)->rcvq_bytes != 0;

	__skb_queue_purge(&sk->sk_receive_queue);
	WRITE_ONCE(xtcp_sk(sk)->rcvq_bytes, 0);
	c->rcv_shut = true;
	if (c->state == XTCP_CLOSED)
		return;
	if (unread) {
		/* RFC 2525, 2.17: the peer must learn that data was lost. */
		XTCP_INC(sock_net(sk), ABORTCLOSE);
		xtcp_core_abort(c, 0);
		c->sig |= XTCP_SIG_SEND_RST;
	} else if (sock_flag(sk, SOCK_LINGER) && !sk->sk_lingertime) {
		XTCP_INC(sock_net(sk), ABORTDATA);
		xtcp_core_abort(c, 0);
	} else {
		xtcp_core_shutdown(c, xtcp_now());
	}
	xtcp_settle(sk);
	sk_stream_wait_close(sk, timeout);
}

/* proto.close: process context, no lock. */
void xtcp_close(struct sock *sk, long timeout)
{
	struct xtcp_sock *xs = xtcp_sk(sk);

	lock_sock(sk);
	WRITE_ONCE(sk->sk_shutdown, SHUTDOWN_MASK);
	if (sk->sk_state == TCP_LISTEN) {
		xtcp_listener_close(sk);
		xtcp_core_shutdown(&xs->core, xtcp_now());
		xtcp_settle(sk);
	} else {
		close_connection(sk, timeout);
	}
	sock_hold(sk);
	sock_orphan(sk);
	xtcp_sock_unpin(sk);
	xs->core.orphan = true;
	/* What waits in the backlog is handled here, and may end it all. */
	release_sock(sk);

	local_bh_disable();
	bh_lock_sock(sk);
	WARN_ON_ONCE(sock_owned_by_user(sk));
	xtcp_orphan_add(sk);
	bh_unlock_sock(sk);
	local_bh_enable();
	sock_put(sk);
}

void xtcp_child_kill(struct sock *sk)
{
	struct xtcp_sock *xs = xtcp_sk(sk);

	sock_set_flag(sk, SOCK_DEAD);
	xtcp_sock_unpin(sk);
	if (xs->core.state == XTCP_CLOSED) {
		if (sk->sk_state != TCP_CLOSE)
			xtcp_state_hand_over(sk);
		xtcp_done(sk);
	} else {
		xtcp_core_abort(&xs->core, 0);
		xtcp_settle(sk);
	}
}

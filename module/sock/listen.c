// SPDX-License-Identifier: GPL-2.0
/* listen() */
#include "conn/conn.h"
#include "sock/sock.h"

/* A bound or fresh socket begins to listen.  Socket lock. */
static int listen_start(struct sock *sk)
{
	struct inet_sock *inet = inet_sk(sk);
	struct xtcp_sock *xs = xtcp_sk(sk);
	struct xtcp_listener *l = xtcp_listener_alloc();
	int err;

	if (!l)
		return -ENOMEM;
	/*
	 * The state first: of two listeners racing for a port with
	 * SO_REUSEADDR, each must find the other listening.
	 */
	rcu_assign_pointer(xs->listener, l);
	xtcp_core_listen(&xs->core);
	err = xtcp_get_port(sk, inet->inet_num);
	if (err)
		goto fail;
	l->port = inet->inet_num;
	inet->inet_sport = htons(inet->inet_num);
	sk_dst_reset(sk);
	err = xtcp_listeners_add(xtcp_pernet(sock_net(sk)), sk);
	if (!err)
		return 0;
fail:
	rcu_assign_pointer(xs->listener, NULL);
	kfree_rcu(l, rcu);
	xtcp_core_shutdown(&xs->core, xtcp_now());
	xs->core.sig = 0;
	return err;
}

int xtcp_listen(struct socket *sock, int backlog)
{
	struct sock *sk = sock->sk;
	u8 state;
	int err = -EINVAL;

	lock_sock(sk);
	if (sock->state != SS_UNCONNECTED)
		goto out;
	state = xtcp_sk(sk)->core.state;
	if (state != XTCP_CLOSED && state != XTCP_LISTEN)
		goto out;
	WRITE_ONCE(sk->sk_max_ack_backlog, backlog);
	err = state == XTCP_LISTEN ? 0 : listen_start(sk);
out:
	release_sock(sk);
	return err;
}

// SPDX-License-Identifier: GPL-2.0
/* The accept queue: connections whose handshake is over, first come first served. */
#include <linux/sched/signal.h>
#include "conn/conn.h"

bool xtcp_acceptq_full(const struct sock *lsk, const struct xtcp_listener *l)
{
	return l->nready > READ_ONCE(lsk->sk_max_ack_backlog);
}

static struct xtcp_sock *acceptq_pop(struct sock *lsk, struct xtcp_listener *l)
{
	struct xtcp_sock *xs;

	spin_lock_bh(&l->lock);
	xs = list_first_entry_or_null(&l->ready, struct xtcp_sock, ready_link);
	if (xs) {
		list_del_init(&xs->ready_link);
		l->nready--;
		WRITE_ONCE(lsk->sk_ack_backlog, l->nready);
	}
	spin_unlock_bh(&l->lock);
	return xs;
}

static struct xtcp_listener *listener_of(struct sock *lsk)
{
	return rcu_dereference_protected(xtcp_sk(lsk)->listener,
					 lockdep_sock_is_held(lsk));
}

/* Waits until there is something to accept.  Drops and takes the lock. */
static int acceptq_wait(struct sock *lsk, long *timeo)
{
	DEFINE_WAIT(wait);
	int err = 0;

	for (;;) {
		struct xtcp_listener *l = listener_of(lsk);

		prepare_to_wait_exclusive(sk_sleep(lsk), &wait,
					  TASK_INTERRUPTIBLE);
		err = -EINVAL;
		if (lsk->sk_state != TCP_LISTEN || !l)
			break;
		err = 0;
		if (!list_empty_careful(&l->ready))
			break;
		err = -EAGAIN;
		if (!*timeo)
			break;
		err = sock_intr_errno(*timeo);
		if (signal_pending(current))
			break;
		release_sock(lsk);
		*timeo = schedule_timeout(*timeo);
		lock_sock(lsk);
	}
	finish_wait(sk_sleep(lsk), &wait);
	return err;
}

struct sock *xtcp_accept(XTCP_ACCEPT_ARGS)
{
	struct xtcp_sock *xs = NULL;
	long timeo;
	int ret = 0;

	lock_sock(sk);
	timeo = sock_rcvtimeo(sk, XTCP_ACCEPT_FLAGS & O_NONBLOCK);
	while (!ret && !xs) {
		ret = -EINVAL;
		if (sk->sk_state != TCP_LISTEN || !listener_of(sk))
			break;
		ret = 0;
		xs = acceptq_pop(sk, listener_of(sk));
		if (!xs)
			ret = acceptq_wait(sk, &timeo);
	}
	release_sock(sk);
	*XTCP_ACCEPT_ERR = ret;
	/* The queue's reference is now the file's. */
	if (xs)
		sock_put(&xs->inet.sk);
	return xs ? &xs->inet.sk : NULL;
}

// SPDX-License-Identifier: GPL-2.0
/* poll(), select(), epoll: what is ready; and the ioctls that say how much. */
#include <asm/ioctls.h>
#include <linux/poll.h>
#include <linux/sockios.h>
#include "conn/conn.h"
#include "rx/rx.h"
#include "sock/sock.h"
#include "tx/tx.h"

static __poll_t poll_listener(struct sock *sk)
{
	struct xtcp_listener *l;
	__poll_t mask = 0;

	rcu_read_lock();
	l = rcu_dereference(xtcp_sk(sk)->listener);
	if (l && !list_empty_careful(&l->ready))
		mask = EPOLLIN | EPOLLRDNORM;
	rcu_read_unlock();
	return mask;
}

/* Room enough to tell a writer, with @wake 1 or 0 (xtcp_stream_memory_free()). */
static bool writeable(const struct sock *sk, int wake)
{
	return __sk_stream_is_writeable(sk, wake) && !xtcp_sendq_no_memory(sk);
}

static __poll_t poll_write(struct sock *sk)
{
	if ((READ_ONCE(sk->sk_shutdown) & SEND_SHUTDOWN) || writeable(sk, 1))
		return EPOLLOUT | EPOLLWRNORM;
	sk_set_bit(SOCKWQ_ASYNC_NOSPACE, sk);
	set_bit(SOCK_NOSPACE, &sk->sk_socket->flags);
	/* Room may have come between the look and the flag. */
	smp_mb__after_atomic();
	return writeable(sk, 1) ? EPOLLOUT | EPOLLWRNORM : 0;
}

/* No lock: what is seen may be stale, a wake-up follows every change. */
__poll_t xtcp_poll(struct file *file, struct socket *sock, poll_table *wait)
{
	struct sock *sk = sock->sk;
	__poll_t mask = 0;
	u8 shutdown;
	int state;

	sock_poll_wait(file, sock, wait);
	state = inet_sk_state_load(sk);
	if (state == TCP_LISTEN)
		return poll_listener(sk);
	shutdown = READ_ONCE(sk->sk_shutdown);
	if (shutdown == SHUTDOWN_MASK || state == TCP_CLOSE)
		mask |= EPOLLHUP;
	if (shutdown & RCV_SHUTDOWN)
		mask |= EPOLLIN | EPOLLRDNORM | EPOLLRDHUP;
	if (state != TCP_SYN_SENT && state != TCP_SYN_RECV) {
		if (xtcp_recvq_ready(sk, sock_rcvlowat(sk, 0, INT_MAX)))
			mask |= EPOLLIN | EPOLLRDNORM;
		mask |= poll_write(sk);
	}
	/* The error is set before the state: seen after, it is not missed. */
	smp_rmb();	/* pairs with publish_error() */
	if (READ_ONCE(sk->sk_err) ||
	    !skb_queue_empty_lockless(&sk->sk_error_queue))
		mask |= EPOLLERR;
	return mask;
}

/* sk_write_space: the peer has acknowledged, there is room again. */
void xtcp_write_space(struct sock *sk)
{
	struct socket *sock = sk->sk_socket;
	struct socket_wq *wq;

	if (!sock || !writeable(sk, 0))
		return;
	clear_bit(SOCK_NOSPACE, &sock->flags);
	rcu_read_lock();
	wq = rcu_dereference(sk->sk_wq);
	if (skwq_has_sleeper(wq))
		wake_up_interruptible_poll(&wq->wait, EPOLLOUT | EPOLLWRNORM |
					   EPOLLWRBAND);
	if (wq && wq->fasync_list && !(sk->sk_shutdown & SEND_SHUTDOWN))
		sock_wake_async(wq, SOCK_WAKE_SPACE, POLL_OUT);
	rcu_read_unlock();
}

/* SIOCINQ, SIOCOUTQ, SIOCOUTQNSD, SIOCATMARK, as TCP has them: a FIN counts. */
int xtcp_ioctl(struct sock *sk, int cmd, XTCP_IOCTL_ARG)
{
	const struct xtcp_core *c = &xtcp_sk(sk)->core;
	bool quiet = c->state == XTCP_SYN_SENT || c->state == XTCP_SYN_RECV ||
		c->state == XTCP_CLOSED;
	int answer;

	if (sk->sk_state == TCP_LISTEN &&
	    (cmd == SIOCINQ || cmd == SIOCOUTQ || cmd == SIOCOUTQNSD))
		return -EINVAL;
	lock_sock(sk);
	switch (cmd) {
	case SIOCINQ:
		answer = xtcp_recvq_bytes(sk);
		break;
	case SIOCOUTQ:
		answer = quiet ? 0 : xtcp_core_send_end(c) - c->snd_una;
		break;
	case SIOCOUTQNSD:
		answer = quiet ? 0 : xtcp_core_send_end(c) - c->snd_nxt;
		break;
	case SIOCATMARK:
		answer = 0;
		break;
	default:
		release_sock(sk);
		return -ENOIOCTLCMD;
	}
	release_sock(sk);
	return xtcp_ioctl_put(karg, max(answer, 0));
}

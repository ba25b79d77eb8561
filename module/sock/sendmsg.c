// SPDX-License-Identifier: GPL-2.0
/* send() and its relatives. */
#include "conn/conn.h"
#include "sock/sock.h"
#include "tx/tx.h"

static bool can_send(const struct sock *sk)
{
	return sk->sk_state == TCP_ESTABLISHED || sk->sk_state == TCP_CLOSE_WAIT;
}

/* What was appended goes out, as far as it may. */
static void push(struct sock *sk)
{
	xtcp_core_push(&xtcp_sk(sk)->core);
	xtcp_settle(sk);
}

/*
 * The writer has to wait.  With nothing on its way no ACK will ever make room:
 * what a cork or MSG_MORE holds back, less than a segment, has to go.
 */
static void make_room(struct sock *sk)
{
	struct xtcp_core *c = &xtcp_sk(sk)->core;

	if (c->snd_una == c->snd_nxt)
		xtcp_core_push_all(c);
	push(sk);
}

/*
 * @unpushed bytes have been written that the wire has not been told of.  It
 * need not wait for the rest of the copy when they are more than half of the
 * peer's window (native TCP's forced_push()).
 */
static bool push_due(const struct xtcp_core *c, u32 unpushed)
{
	return unpushed > min_t(u32, c->max_snd_wnd / 2, 65535);
}

/*
 * A long write holds the lock for long.  What has come meanwhile, ACKs that let
 * more go, is worked through at every 64 KiB, before there is so much of it
 * that some has to be dropped.
 */
static void work_backlog(struct sock *sk, u32 *unflushed)
{
	if (*unflushed < 65536)
		return;
	*unflushed = 0;
	sk_flush_backlog(sk);
}

/*
 * The writer sleeps until there is room.  What @more, MSG_MORE, does not hold
 * back may go meanwhile.  Returns 0 or an error.
 */
static int wait_for_room(struct sock *sk, long *timeo, bool more)
{
	struct xtcp_core *c = &xtcp_sk(sk)->core;
	int err;

	c->more = more;
	make_room(sk);
	set_bit(SOCK_NOSPACE, &sk->sk_socket->flags);
	err = sk_stream_wait_memory(sk, timeo);
	c->more = true;
	return err;
}

/*
 * Appends all of @msg, waiting for room; returns 0 or why it stopped.  While it
 * goes on, core.more keeps back a last segment that is not full yet: what has
 * to be sent or is acknowledged meanwhile must not tear it off.
 */
static int send_all(struct sock *sk, struct msghdr *msg, long *timeo,
		    int *copied)
{
	struct xtcp_core *c = &xtcp_sk(sk)->core;
	bool more = msg->msg_flags & XTCP_MSG_MORE;
	u32 unpushed = 0, unflushed = 0;

	c->more = true;
	while (msg_data_left(msg)) {
		int n;

		if (sk->sk_err || (sk->sk_shutdown & SEND_SHUTDOWN) ||
		    !xtcp_core_can_write(c))
			return -EPIPE;
		n = xtcp_sendq_append(sk, msg, msg_data_left(msg));
		if (n > 0) {
			xtcp_core_wrote(c, n);
			*copied += n;
			unpushed += n;
			unflushed += n;
			if (push_due(c, unpushed)) {
				unpushed = 0;
				xtcp_settle(sk);
			}
			work_backlog(sk, &unflushed);
			continue;
		}
		if (n != -EAGAIN && n != -ENOMEM)
			return n;
		if (n == -ENOMEM)
			xtcp_sendq_refused(sk);
		n = wait_for_room(sk, timeo, more);
		if (n)
			return n;
	}
	return 0;
}

/* Control messages are only judged, as natively; returns 0 or -EINVAL. */
static int check_control(struct sock *sk, struct msghdr *msg)
{
	struct sockcm_cookie cookie;

	if (!msg->msg_controllen)
		return 0;
	sockcm_init(&cookie, sk);
	return sock_cmsg_send(sk, msg, &cookie) ? -EINVAL : 0;
}

/*
 * MSG_FASTOPEN asks to connect and to send at once, which is not there yet:
 * programs then use connect().  Who is connected, or listens, is told so, as
 * natively by __inet_stream_connect(); who waits for his connection may go on
 * waiting.  Returns 0 or an error.  Socket lock.
 */
static int check_fastopen(struct sock *sk, const struct msghdr *msg)
{
	const struct sockaddr *to = msg->msg_name;

	if (likely(!(msg->msg_flags & MSG_FASTOPEN)))
		return 0;
	if (to && msg->msg_namelen >= sizeof(to->sa_family) &&
	    to->sa_family == AF_UNSPEC)
		return -EOPNOTSUPP;
	switch (sk->sk_socket->state) {
	case SS_CONNECTED:
		return -EISCONN;
	case SS_CONNECTING:
		return sock_sndtimeo(sk, msg->msg_flags & MSG_DONTWAIT) ?
		       0 : -EALREADY;
	default:
		return sk->sk_state == TCP_CLOSE ? -EOPNOTSUPP : -EISCONN;
	}
}

/* proto.sendmsg: process context, no lock. */
int xtcp_sendmsg(struct sock *sk, struct msghdr *msg, size_t len)
{
	struct xtcp_core *c = &xtcp_sk(sk)->core;
	int copied = 0, err;
	long timeo;

	if (msg->msg_flags & MSG_OOB)
		return -EOPNOTSUPP;
	lock_sock(sk);
	timeo = sock_sndtimeo(sk, msg->msg_flags & MSG_DONTWAIT);
	err = check_fastopen(sk, msg);
	if (!err && !can_send(sk))
		err = sk_stream_wait_connect(sk, &timeo);
	if (!err)
		err = check_control(sk, msg);
	sk_clear_bit(SOCKWQ_ASYNC_NOSPACE, sk);
	if (!err) {
		if (sk->sk_err || (sk->sk_shutdown & SEND_SHUTDOWN))
			err = -EPIPE;
		else
			err = send_all(sk, msg, &timeo, &copied);
		c->more = msg->msg_flags & XTCP_MSG_MORE;
		/* Nothing added: what MSG_MORE held back stays. */
		if (copied)
			push(sk);
		c->more = false;
	}
	if (err && !copied) {
		copied = sk_stream_error(sk, msg->msg_flags, err);
		/*
		 * No ACK will come and tell of room: whoever waits for an edge
		 * would wait for ever.
		 */
		if (copied == -EAGAIN && skb_queue_empty(&sk->sk_write_queue))
			sk->sk_write_space(sk);
	}
	release_sock(sk);
	return copied;
}

void xtcp_splice_eof(struct socket *sock)
{
	struct sock *sk = sock->sk;

	lock_sock(sk);
	if (can_send(sk))
		push(sk);
	release_sock(sk);
}

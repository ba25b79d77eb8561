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

/* Appends all of @msg, waiting for room; returns 0 or why it stopped. */
static int send_all(struct sock *sk, struct msghdr *msg, long *timeo,
		    int *copied)
{
	struct xtcp_core *c = &xtcp_sk(sk)->core;
	u32 unpushed = 0;

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
			/* The wire need not wait for the rest of the copy. */
			if (unpushed >= 65536) {
				unpushed = 0;
				xtcp_settle(sk);
			}
			continue;
		}
		if (n != -EAGAIN && n != -ENOMEM)
			return n;
		make_room(sk);
		set_bit(SOCK_NOSPACE, &sk->sk_socket->flags);
		n = sk_stream_wait_memory(sk, timeo);
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

/* proto.sendmsg: process context, no lock. */
int xtcp_sendmsg(struct sock *sk, struct msghdr *msg, size_t len)
{
	struct xtcp_core *c = &xtcp_sk(sk)->core;
	int copied = 0, err = 0;
	long timeo;

	if (msg->msg_flags & MSG_OOB)
		return -EOPNOTSUPP;
	lock_sock(sk);
	timeo = sock_sndtimeo(sk, msg->msg_flags & MSG_DONTWAIT);
	if (!can_send(sk))
		err = sk_stream_wait_connect(sk, &timeo);
	if (!err)
		err = check_control(sk, msg);
	sk_clear_bit(SOCKWQ_ASYNC_NOSPACE, sk);
	if (!err) {
		c->more = msg->msg_flags & XTCP_MSG_MORE;
		if (sk->sk_err || (sk->sk_shutdown & SEND_SHUTDOWN))
			err = -EPIPE;
		else
			err = send_all(sk, msg, &timeo, &copied);
		/* Nothing added: what MSG_MORE held back stays. */
		if (copied)
			push(sk);
		c->more = false;
	}
	if (err && !copied) {
		copied = sk_stream_error(sk, msg->msg_flags, err);
		/* Edge-triggered pollers must hear of room they never saw. */
		if (copied == -EAGAIN)
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

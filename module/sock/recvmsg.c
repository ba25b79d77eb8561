// SPDX-License-Identifier: GPL-2.0
/* recv() and its relatives. */
#include <linux/sched/signal.h>
#include <net/busy_poll.h>
#include <net/inet_common.h>
#include "conn/conn.h"
#include "rx/rx.h"
#include "sock/sock.h"

struct reader {
	struct msghdr *msg;
	size_t left;		/* bytes wanted still */
	int copied;
	int flags;
	int target;		/* enough to return with */
	long timeo;
};

/* Copies up to @want bytes of @skb from @off; returns 0 or an error. */
static int copy_part(struct reader *rd, struct sk_buff *skb, u32 off, u32 want)
{
	if (rd->flags & MSG_TRUNC)
		return 0;
	return skb_copy_datagram_msg(skb, off, rd->msg, want);
}

/* MSG_PEEK: copies without taking.  Starts anew on each call. */
static int peek_queue(struct sock *sk, struct reader *rd)
{
	struct sk_buff *skb;
	u32 skip = rd->copied;
	int err;

	skb_queue_walk(&sk->sk_receive_queue, skb) {
		struct xtcp_rx_cb *cb = XTCP_RX_CB(skb);
		u32 have = cb->end - cb->off, want;

		if (skip >= have) {
			skip -= have;
			continue;
		}
		want = min_t(size_t, have - skip, rd->left);
		err = copy_part(rd, skb, cb->off + skip, want);
		if (err)
			return err;
		skip = 0;
		rd->copied += want;
		rd->left -= want;
		if (!rd->left)
			break;
	}
	return 0;
}

static int take_queue(struct sock *sk, struct reader *rd)
{
	struct xtcp_sock *xs = xtcp_sk(sk);
	struct sk_buff *skb;
	u32 unflushed = 0;
	int err;

	while (rd->left && (skb = skb_peek(&sk->sk_receive_queue))) {
		struct xtcp_rx_cb *cb = XTCP_RX_CB(skb);
		u32 want = min_t(size_t, cb->end - cb->off, rd->left);

		/* In a long read segments would pile up behind the lock. */
		unflushed += want;
		if (unflushed > 65536) {
			unflushed = 0;
			if (sk_flush_backlog(sk))
				continue;
		}
		err = copy_part(rd, skb, cb->off, want);
		if (err)
			return err;
		cb->off += want;
		rd->copied += want;
		rd->left -= want;
		WRITE_ONCE(xs->rcvq_bytes, xs->rcvq_bytes - want);
		if (cb->off == cb->end) {
			__skb_unlink(skb, &sk->sk_receive_queue);
			consume_skb(skb);
		}
	}
	return 0;
}

/* Room was made: perhaps the peer should know. */
static void window_update(struct sock *sk)
{
	u8 state = xtcp_sk(sk)->core.state;
	u64 now;

	if (state == XTCP_CLOSED || state == XTCP_LISTEN)
		return;
	now = xtcp_now();
	xtcp_rcv_grow(sk, now);
	xtcp_rcv_refresh(sk);
	xtcp_core_read(&xtcp_sk(sk)->core, now);
	xtcp_settle(sk);
}

/* Nothing more to read now: stop (true, with *err) or wait? */
static bool read_ends(struct sock *sk, struct reader *rd, int *err)
{
	*err = 0;
	if (rd->copied)
		return sk->sk_err || sk->sk_state == TCP_CLOSE ||
		       (sk->sk_shutdown & RCV_SHUTDOWN) || !rd->timeo ||
		       signal_pending(current);
	if (sock_flag(sk, SOCK_DONE))
		return true;
	if (sk->sk_err) {
		*err = sock_error(sk);
		return true;
	}
	if (sk->sk_shutdown & RCV_SHUTDOWN)
		return true;
	if (sk->sk_state == TCP_CLOSE)
		*err = -ENOTCONN;
	else if (!rd->timeo)
		*err = -EAGAIN;
	else if (signal_pending(current))
		*err = sock_intr_errno(rd->timeo);
	return *err;
}

static int read_loop(struct sock *sk, struct reader *rd)
{
	struct sk_buff *seen;
	int err;

	for (;;) {
		err = rd->flags & MSG_PEEK ? peek_queue(sk, rd) :
			take_queue(sk, rd);
		if (err)
			return err;
		/* The wait below ends when something is added behind this. */
		seen = skb_peek_tail(&sk->sk_receive_queue);
		if (rd->copied >= rd->target) {
			/* What waits behind the lock may be read as well. */
			if (!rd->left || !sk_flush_backlog(sk))
				return 0;
			continue;
		}
		/* No bytes wanted: still an end or an error must be told. */
		if (!rd->left && seen)
			return 0;
		if (read_ends(sk, rd, &err))
			return err;
		if (!(rd->flags & MSG_PEEK))
			window_update(sk);
		err = sk_wait_data(sk, &rd->timeo, seen);
		if (err < 0)
			return err;
	}
}

/* proto.recvmsg: process context, no lock. */
int xtcp_recvmsg(struct sock *sk, struct msghdr *msg, size_t len, int flags,
		 int *addr_len)
{
	struct reader rd = { .msg = msg, .left = len, .flags = flags };
	int err;

	if (unlikely(flags & MSG_ERRQUEUE))
		return inet_recv_error(sk, msg, len, addr_len);
	/* SO_BUSY_POLL, as natively; in poll() sock_poll() does it. */
	if (sk_can_busy_loop(sk) && sk->sk_state == TCP_ESTABLISHED &&
	    skb_queue_empty_lockless(&sk->sk_receive_queue))
		sk_busy_loop(sk, flags & MSG_DONTWAIT);
	lock_sock(sk);
	err = -ENOTCONN;
	if (sk->sk_state == TCP_LISTEN)
		goto out;
	rd.timeo = sock_rcvtimeo(sk, flags & MSG_DONTWAIT);
	err = -EINVAL;
	if (flags & MSG_OOB)
		goto out;
	rd.target = sock_rcvlowat(sk, flags & MSG_WAITALL, len);
	err = read_loop(sk, &rd);
	if (rd.copied && !(flags & MSG_PEEK))
		window_update(sk);
out:
	release_sock(sk);
	return rd.copied ?: err;
}

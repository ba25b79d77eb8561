// SPDX-License-Identifier: GPL-2.0
/*
 * The one trampoline under all timers of a connection: lock, defer if the
 * user has the socket, let the core handle what is due, put.
 */
#include "conn/conn.h"
#include "rx/rx.h"
#include "sock/sock.h"
#include "timer.h"
#include "tx/tx.h"

unsigned long xtcp_jiffies(u64 us)
{
	u64 ticks = div_u64(us + USEC_PER_SEC / HZ - 1, USEC_PER_SEC / HZ);

	return min_t(u64, ticks, MAX_JIFFY_OFFSET) + 1;
}

static void timer_run(struct sock *sk)
{
	u64 now;

	xtcp_sk(sk)->timer_at = 0;
	if (sk->sk_state == TCP_CLOSE || sk->sk_state == TCP_LISTEN)
		return;
	now = xtcp_now();
	if (unlikely(sock_flag(sk, SOCK_DEAD))) {
		xtcp_sk(sk)->core.dubious = READ_ONCE(sk->sk_err_soft);
		if (xtcp_orphan_timeout(sk, now))
			return;
	}
	xtcp_core_timeout(&xtcp_sk(sk)->core, now);
	xtcp_settle(sk);
}

/* Softirq; the pending timer held a reference. */
static void timer_fire(struct timer_list *t)
{
	struct xtcp_sock *xs = from_timer(xs, t, timer);
	struct sock *sk = &xs->inet.sk;

	bh_lock_sock(sk);
	if (!sock_owned_by_user(sk))
		timer_run(sk);
	else if (!test_and_set_bit(XTCP_DEFER_TIMER, &xs->deferred))
		sock_hold(sk);
	bh_unlock_sock(sk);
	sock_put(sk);
}

void xtcp_timer_init(struct sock *sk)
{
	timer_setup(&xtcp_sk(sk)->timer, timer_fire, 0);
	xtcp_sk(sk)->timer_at = 0;
}

void xtcp_timer_sync(struct sock *sk)
{
	struct xtcp_sock *xs = xtcp_sk(sk);
	u64 at = xtcp_core_deadline(&xs->core), now;

	/* An early firing is harmless and re-arms; a late one is not. */
	if (!at || (xs->timer_at && xs->timer_at <= at))
		return;
	now = xtcp_now();
	xs->timer_at = at;
	sk_reset_timer(sk, &xs->timer,
		       jiffies + xtcp_jiffies(at > now ? at - now : 0));
}

void xtcp_timer_stop(struct sock *sk)
{
	xtcp_sk(sk)->timer_at = 0;
	sk_stop_timer(sk, &xtcp_sk(sk)->timer);
}

void xtcp_release_cb(struct sock *sk)
{
	struct xtcp_sock *xs = xtcp_sk(sk);

	if (likely(!READ_ONCE(xs->deferred)))
		return;
	if (test_and_clear_bit(XTCP_DEFER_TIMER, &xs->deferred)) {
		timer_run(sk);
		__sock_put(sk);
	}
	if (test_and_clear_bit(XTCP_DEFER_MTU, &xs->deferred)) {
		xtcp_mtu_reduced(sk);
		__sock_put(sk);
	}
	if (test_and_clear_bit(XTCP_DEFER_TX, &xs->deferred))
		xtcp_below_go_on(sk);
}

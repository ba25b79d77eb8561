// SPDX-License-Identifier: GPL-2.0
/*
 * What waits below IP: a limit to the segments of a connection that queueing
 * disciplines and devices hold.  Without one, an ACK that opens a large window
 * would push thousands of segments into a queue in one run of the softirq, and
 * what the queue cannot take would be lost on this very machine.  With it the
 * socket stops sending when two bursts, or what leaves in about a millisecond,
 * are below, and goes on when the first of them has left.  Native TCP calls
 * the same "TCP small queues" (tcp_small_queue_check(), tcp_wfree()).
 *
 * sk_wmem_alloc counts those bytes (truesize of the buffers, and 1 for the
 * socket itself).  The destructor of a segment may run in any context but a
 * hard interrupt, and without the socket's lock: it leaves the socket to a
 * tasklet of this processor, and one byte of sk_wmem_alloc with it, which keeps
 * the socket's memory.
 */
#include <linux/interrupt.h>
#include <linux/llist.h>
#include <linux/percpu.h>
#include "conn/conn.h"
#include "tx/tx.h"

/* Bytes that may always be below, and never more: net.ipv4.tcp_limit_output_bytes. */
#define BELOW_MOST	(1U << 20)

/* Memory of a segment beside its payload, about. */
#define BELOW_SKB	2048

struct below_cpu {
	struct tasklet_struct tasklet;
	struct llist_head socks;	/* xtcp_sock.below_node */
};

static DEFINE_PER_CPU(struct below_cpu, below_cpus);

/* Bytes that may be below at once; @skb_bytes: memory of one burst. */
static u32 below_limit(const struct sock *sk, u32 skb_bytes)
{
	const struct xtcp_core *c = &xtcp_sk(sk)->core;
	u32 srtt = c->rtt.srtt >> 3;
	u64 rate = BELOW_MOST;

	/* The window leaves once in a round trip; this is a millisecond's part. */
	if (srtt > USEC_PER_MSEC)
		rate = 2 * div_u64((u64)xtcp_core_cwnd_bytes(c) * USEC_PER_MSEC, srtt);
	return clamp_t(u64, rate, 2 * skb_bytes, BELOW_MOST);
}

bool xtcp_below_full(struct sock *sk, u32 len)
{
	struct xtcp_sock *xs = xtcp_sk(sk);
	u32 skb_bytes = len + BELOW_SKB, limit;

	if (likely(refcount_read(&sk->sk_wmem_alloc) <= 2 * skb_bytes))
		return false;
	limit = below_limit(sk, skb_bytes);
	if (refcount_read(&sk->sk_wmem_alloc) <= limit)
		return false;
	set_bit(XTCP_DEFER_BELOW, &xs->deferred);
	/*
	 * Pairs with the atomic in xtcp_wfree(): either that sees the bit, or
	 * this sees what it has given back.
	 */
	smp_mb__after_atomic();
	if (refcount_read(&sk->sk_wmem_alloc) > limit)
		return true;
	clear_bit(XTCP_DEFER_BELOW, &xs->deferred);
	return false;
}

void xtcp_below_go_on(struct sock *sk)
{
	if (sk->sk_state == TCP_CLOSE || sk->sk_state == TCP_LISTEN)
		return;
	xtcp_sk(sk)->core.sig |= XTCP_SIG_TX;
	xtcp_settle(sk);
}

/* One byte of sk_wmem_alloc, left by xtcp_wfree(), is given back here. */
static void below_sock(struct xtcp_sock *xs)
{
	struct sock *sk = &xs->inet.sk;

	/* The next segment that leaves may queue the socket again. */
	smp_mb__before_atomic();
	clear_bit(XTCP_DEFER_QUEUED, &xs->deferred);
	bh_lock_sock(sk);
	if (!sock_owned_by_user(sk))
		xtcp_below_go_on(sk);
	else
		set_bit(XTCP_DEFER_TX, &xs->deferred);
	bh_unlock_sock(sk);
	sk_free(sk);
}

static void below_run(struct tasklet_struct *t)
{
	struct below_cpu *b = from_tasklet(b, t, tasklet);
	struct xtcp_sock *xs, *next;

	llist_for_each_entry_safe(xs, next, llist_del_all(&b->socks),
				  below_node)
		below_sock(xs);
}

/* Leaves @sk, with a byte of its sk_wmem_alloc, to this processor's tasklet. */
static void below_queue(struct sock *sk)
{
	struct below_cpu *b = get_cpu_ptr(&below_cpus);

	if (llist_add(&xtcp_sk(sk)->below_node, &b->socks))
		tasklet_schedule(&b->tasklet);
	put_cpu_ptr(&below_cpus);
}

void xtcp_wfree(struct sk_buff *skb)
{
	struct sock *sk = skb->sk;
	struct xtcp_sock *xs = xtcp_sk(sk);

	/* One byte stays for now: the socket must outlive the look at it. */
	WARN_ON_ONCE(refcount_sub_and_test(skb->truesize - 1,
					   &sk->sk_wmem_alloc));
	/* Pairs with the one in xtcp_below_full(). */
	smp_mb__after_atomic();
	if (unlikely(test_bit(XTCP_DEFER_BELOW, &xs->deferred)) &&
	    test_and_clear_bit(XTCP_DEFER_BELOW, &xs->deferred) &&
	    !test_and_set_bit(XTCP_DEFER_QUEUED, &xs->deferred))
		below_queue(sk);
	else
		sk_free(sk);
}

void xtcp_below_init(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct below_cpu *b = &per_cpu(below_cpus, cpu);

		init_llist_head(&b->socks);
		tasklet_setup(&b->tasklet, below_run);
	}
}

/* No socket is left: at most the end of a run is still to come. */
void xtcp_below_exit(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		tasklet_kill(&per_cpu(below_cpus, cpu).tasklet);
}

// SPDX-License-Identifier: GPL-2.0
/* Sends all that the core allows, a burst of segments a decision. */
#include <net/dst.h>
#include <net/route.h>
#include "conn/conn.h"
#include "rx/rx.h"
#include "tx/tx.h"

/* Bytes of IP and XTCP header in a full segment. */
#define XTCP_V4_OVERHEAD	(sizeof(struct iphdr) + XTCP_HDR_MIN)

/* Bytes of memory that a socket's segments may take in queues below IP. */
#define BELOW_MIN	(4U << 20)
#define BELOW_MAX	(1U << 30)

static u32 options_len(const struct sock *sk)
{
	const struct ip_options_rcu *opt;
	u32 len = 0;

	rcu_read_lock();
	opt = rcu_dereference(inet_sk(sk)->inet_opt);
	if (opt)
		len = opt->opt.optlen;
	rcu_read_unlock();
	return len;
}

static u16 mss_of_mtu(const struct sock *sk, u32 mtu)
{
	u32 head = XTCP_V4_OVERHEAD + options_len(sk);
	u32 mss = mtu > head ? mtu - head : 0;
	u16 user = xtcp_sk(sk)->mss_clamp;

	mss = clamp_t(u32, mss, XTCP_MSS_MIN, 65495);
	return user ? min_t(u32, mss, user) : mss;
}

void xtcp_sync_mss(struct sock *sk, u32 mtu)
{
	struct xtcp_sock *xs = xtcp_sk(sk);

	xs->mtu = mtu;
	xtcp_core_set_mss(&xs->core, mss_of_mtu(sk, mtu), xtcp_now());
}

void xtcp_options_changed(struct sock *sk)
{
	lock_sock(sk);
	if (sk->sk_state != TCP_CLOSE && sk->sk_state != TCP_LISTEN) {
		xtcp_sync_mss(sk, xtcp_sk(sk)->mtu);
		xtcp_settle(sk);
	}
	release_sock(sk);
}

void xtcp_init_mss(struct sock *sk, struct dst_entry *dst)
{
	struct xtcp_sock *xs = xtcp_sk(sk);

	xs->mtu = dst_mtu(dst);
	xs->mss_clamp = xs->user_mss;
	xs->core.mss = mss_of_mtu(sk, xs->mtu);
	xs->core.own_mss = min_t(u32, dst_metric_advmss(dst), 65495);
	if (xs->user_mss)
		xs->core.own_mss = min(xs->core.own_mss, xs->user_mss);
}

/*
 * The payload of decision @d in one buffer; what does not fit into its
 * fragments is taken off @d and decided upon again.  NULL: no memory.
 */
static struct sk_buff *output_payload(struct sock *sk, struct xtcp_txd *d)
{
	u16 mss = xtcp_sk(sk)->core.mss;
	struct sk_buff *skb = xtcp_xmit_alloc(0, GFP_ATOMIC);
	u32 n;

	if (!skb || !d->len)
		return skb;
	n = xtcp_sendq_attach(sk, skb, d->seq, d->len);
	if (likely(n == d->len))
		return skb;
	if (d->len > mss)
		d->flags &= ~(XTCP_PSH | XTCP_FIN);
	if (n >= mss) {
		d->len = n - n % mss;
		if (!pskb_trim(skb, d->len))
			return skb;
	}
	/* Not even one segment fits: it is in too many pieces.  Copied, it is one. */
	kfree_skb(skb);
	d->len = min_t(u32, d->len, mss);
	skb = xtcp_xmit_alloc(d->len, GFP_ATOMIC);
	if (skb && xtcp_sendq_copy(sk, skb, d->seq, d->len)) {
		kfree_skb(skb);
		return NULL;
	}
	return skb;
}

/* What xtcp_xmit() returned, to the core. */
static enum xtcp_tx_result output_result(int err)
{
	if (likely(!err))
		return XTCP_TX_SENT;
	if (err > 0)
		return err == NET_XMIT_CN ? XTCP_TX_CONGESTED : XTCP_TX_REFUSED;
	if (err == -ENOBUFS || err == -ENOMEM)
		return XTCP_TX_NO_MEMORY;
	/*
	 * No route, a filter's rule, a device that is down: like a segment lost
	 * further on.  The timers see to it, and to the end.
	 */
	return XTCP_TX_SENT;
}

/* One decision; @d is shortened to what was sent. */
static enum xtcp_tx_result output_one(struct sock *sk, struct xtcp_txd *d,
				      u64 now)
{
	struct xtcp_core *c = &xtcp_sk(sk)->core;
	struct sk_buff *skb = output_payload(sk, d);
	struct xtcp_hdr h;

	if (!skb)
		return XTCP_TX_NO_MEMORY;
	if (d->len > c->mss)
		xtcp_set_gso(sk, skb, c->mss);
	xtcp_core_hdr(c, d, now, &h);
	return output_result(xtcp_xmit(sk, skb, &h));
}

/*
 * Do segments pile up in a queue that hardly drains?  A peer who goes on
 * asking for old ones must not fill memory with them, nor make sk_wmem_alloc
 * overflow: the socket would never be freed.  No honest queue is as long.
 */
static bool below_full(const struct sock *sk, const struct xtcp_txd *d)
{
	u32 most = BELOW_MAX;

	if (d->len)
		most = clamp_t(u64, 4ULL * READ_ONCE(sk->sk_sndbuf), BELOW_MIN,
			       BELOW_MAX);
	return refcount_read(&sk->sk_wmem_alloc) > most;
}

/* Room to write grows with what may be in flight, up to the limit. */
static void sndbuf_expand(struct sock *sk)
{
	u32 want = 2 * (xtcp_core_cwnd_bytes(&xtcp_sk(sk)->core) + 16384);

	if ((sk->sk_userlocks & SOCK_SNDBUF_LOCK) ||
	    sk_under_memory_pressure(sk))
		return;
	want = min_t(u32, want, READ_ONCE(xtcp_pernet(sock_net(sk))->wmem[2]));
	if (want > sk->sk_sndbuf)
		WRITE_ONCE(sk->sk_sndbuf, want);
}

void xtcp_output(struct sock *sk)
{
	struct xtcp_core *c = &xtcp_sk(sk)->core;
	struct dst_entry *dst;
	enum xtcp_tx_result res;
	struct xtcp_txd d;
	u64 now = xtcp_now();

	/* Nobody answers: perhaps there is another way, or none at all. */
	if (unlikely(c->retrans))
		dst = xtcp_route(sk);
	else
		dst = __sk_dst_get(sk);
	if (dst && unlikely(dst_mtu(dst) != xtcp_sk(sk)->mtu))
		xtcp_sync_mss(sk, dst_mtu(dst));
	xtcp_rcv_refresh(sk);
	c->burst = xtcp_burst_max(sk);
	while (xtcp_core_next_tx(c, now, &d)) {
		if (d.len && c->snd_nxt != c->snd_una &&
		    xtcp_below_full(sk, d.len)) {
			xtcp_core_tx_done(c, &d, XTCP_TX_HELD, now);
			continue;
		}
		res = XTCP_TX_NO_MEMORY;
		if (likely(!below_full(sk, &d)))
			res = output_one(sk, &d, now);
		if (unlikely(res == XTCP_TX_NO_MEMORY))
			XTCP_INC(sock_net(sk), NOMEM);
		xtcp_core_tx_done(c, &d, res, now);
	}
	xtcp_heed_route(sk);
	sndbuf_expand(sk);
}

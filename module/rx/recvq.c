// SPDX-License-Identifier: GPL-2.0
/* The receive queue: payload in order, and what memory it may take. */
#include "core/host.h"
#include "rx/rx.h"

/* Room of the buffers that payload is copied to, bytes: two fit at least. */
#define RECVQ_CHUNK	SKB_WITH_OVERHEAD(4096)
#define RECVQ_CHUNK_BIG	SKB_WITH_OVERHEAD(8192)

u32 xtcp_rcv_space(const struct sock *sk)
{
	int free = READ_ONCE(sk->sk_rcvbuf) - atomic_read(&sk->sk_rmem_alloc);

	/* Half of a buffer is payload, as native TCP reckons by default. */
	return free > 0 ? free / 2 : 0;
}

/*
 * A buffer takes one segment whole as long as it is not exceeded already.  So
 * one that is hardly larger than a segment is offered as one segment when it is
 * empty: with less in the window a sender would wait for the rest each time.
 */
static u32 recvq_one(const struct sock *sk, u16 mss)
{
	return mss <= sk->sk_rcvbuf ? mss : 0;
}

void xtcp_rcv_refresh(struct sock *sk)
{
	struct xtcp_core *c = &xtcp_sk(sk)->core;
	u32 one = recvq_one(sk, c->own_mss);

	c->rcv_buf = max_t(u32, sk->sk_rcvbuf / 2, one);
	c->rcv_free = xtcp_rcv_space(sk);
	if (unlikely(c->rcv_free < one) && !atomic_read(&sk->sk_rmem_alloc))
		c->rcv_free = one;
	if (unlikely(xtcp_sk(sk)->window_clamp)) {
		c->rcv_buf = min(c->rcv_buf, xtcp_sk(sk)->window_clamp);
		c->rcv_free = min(c->rcv_free, xtcp_sk(sk)->window_clamp);
	}
	/* Little is left for all: each gets a small window, as natively. */
	if (unlikely(sk_under_memory_pressure(sk)))
		c->rcv_free = min_t(u32, c->rcv_free, 4 * c->own_mss);
}

/* Is there room for @len more bytes behind the payload of @tail? */
static bool recvq_has_room(const struct sk_buff *tail, u32 len)
{
	return tail && XTCP_RX_CB(tail)->end == tail->len &&
	       !skb_cloned(tail) && len <= skb_tailroom(tail);
}

/* Room in the buffer for one more, and memory of all sockets for it. */
static bool recvq_take(struct sock *sk, struct sk_buff *skb)
{
	return atomic_read(&sk->sk_rmem_alloc) <= sk->sk_rcvbuf &&
	       sk_rmem_schedule(sk, skb, skb->truesize);
}

/*
 * However little is left for all, a reader who waits for the next piece gets
 * it: nothing else would ever make room.  A memory cgroup cannot be charged
 * from a module, its sockets are left out.
 */
static bool recvq_force(struct sock *sk, struct sk_buff *skb)
{
	int pages = sk_mem_pages(skb->truesize);

	if (!skb_queue_empty(&sk->sk_receive_queue) ||
	    atomic_read(&sk->sk_rmem_alloc) > sk->sk_rcvbuf ||
	    (mem_cgroup_sockets_enabled && sk->sk_memcg))
		return false;
	sk_forward_alloc_add(sk, pages << PAGE_SHIFT);
	/* Past the processor's share of the count, whose limit 6.1 hides. */
	atomic_long_add(pages, sk->sk_prot->memory_allocated);
	return true;
}

/* For what is in order something out of order goes, the last of it first. */
static bool recvq_make_room(struct sock *sk, struct sk_buff *skb)
{
	XTCP_INC(sock_net(sk), OFOPRUNED);
	while (xtcp_core_prune(&xtcp_sk(sk)->core))
		if (recvq_take(sk, skb))
			return true;
	return recvq_force(sk, skb);
}

bool xtcp_host_charge(struct xtcp_core *c, struct xtcp_rxd *d, bool in_order)
{
	struct sock *sk = xtcp_core_sk(c);
	struct sk_buff *skb = xtcp_rxd_skb(d);
	struct net *net = sock_net(sk);

	if (unlikely(!recvq_take(sk, skb))) {
		if (!in_order) {
			XTCP_INC(net, OFODROP);
			return false;
		}
		/* It is copied to where memory is charged already. */
		if (recvq_has_room(skb_peek_tail(&sk->sk_receive_queue),
				   d->end - d->seq)) {
			skb_orphan(skb);
			return true;
		}
		if (!recvq_make_room(sk, skb)) {
			XTCP_INC(net, RCVQDROP);
			return false;
		}
	}
	skb_set_owner_r(skb, sk);
	return true;
}

/* More may not come: too little memory is left, of this socket or of all. */
static bool recvq_pressed(const struct sock *sk)
{
	int size = READ_ONCE(sk->sk_rcvbuf);

	return atomic_read(&sk->sk_rmem_alloc) > size - (size >> 3) ||
	       sk_under_memory_pressure(sk);
}

/* xtcp_rcv_left_open() for who has no lock: it may be old by now. */
static u32 recvq_left_open(const struct xtcp_core *c)
{
	s32 left = READ_ONCE(c->rcv_wup) + READ_ONCE(c->rcv_wnd) -
		   READ_ONCE(c->rcv_nxt);

	return max(left, 0);
}

bool xtcp_recvq_ready(const struct sock *sk, u32 target)
{
	const struct xtcp_core *c = &xtcp_sk(sk)->core;
	u32 bytes = READ_ONCE(xtcp_sk(sk)->rcvq_bytes);

	if (!bytes)
		return false;
	return bytes >= target || recvq_pressed(sk) ||
	       recvq_left_open(c) <= READ_ONCE(c->rcv_mss);
}

u32 xtcp_recvq_bytes(const struct sock *sk)
{
	return xtcp_sk(sk)->rcvq_bytes;
}

/* Copies [off, off + len) of @skb into @tail's buffer, if that has room. */
static bool recvq_append(struct sk_buff *tail, struct sk_buff *skb, u32 off,
			 u32 len)
{
	struct xtcp_rx_cb *cb = XTCP_RX_CB(tail);

	if (!recvq_has_room(tail, len) ||
	    skb_copy_bits(skb, off, skb_tail_pointer(tail), len))
		return false;
	skb_put(tail, len);
	cb->end += len;
	consume_skb(skb);
	return true;
}

/* Hands the pages of @skb to @tail; consumes @skb if so. */
static bool recvq_coalesce(struct sock *sk, struct sk_buff *tail,
			   struct sk_buff *skb, u32 off, u32 len)
{
	struct xtcp_rx_cb *cb = XTCP_RX_CB(tail);
	bool stolen;
	int delta;

	if (off || len != skb->len || cb->end != tail->len ||
	    !skb_try_coalesce(tail, skb, &stolen, &delta))
		return false;
	cb->end += len;
	atomic_add(delta, &sk->sk_rmem_alloc);
	sk_mem_charge(sk, delta);
	kfree_skb_partial(skb, stolen);
	return true;
}

/*
 * Half of the buffer was offered as window.  What costs more than twice its
 * payload would fill it before that, once there is much of it: such is copied.
 */
static bool recvq_dear(const struct sock *sk, const struct sk_buff *skb, u32 len)
{
	return skb->truesize > 2 * len && len <= RECVQ_CHUNK_BIG / 2 &&
	       atomic_read(&sk->sk_rmem_alloc) >= sk->sk_rcvbuf / 4;
}

/*
 * The payload moved to a buffer with room for the next ones.  @skb itself if
 * there is no memory for it.
 */
static struct sk_buff *recvq_compact(struct sock *sk, struct sk_buff *skb,
				     u32 *off, u32 len)
{
	u32 room = len <= RECVQ_CHUNK / 2 ? RECVQ_CHUNK : RECVQ_CHUNK_BIG;
	struct sk_buff *n = alloc_skb(room, GFP_ATOMIC | __GFP_NOWARN);

	if (!n)
		return skb;
	XTCP_RX_CB(n)->end = 0;
	__skb_header_release(n);
	if (sk_rmem_schedule(sk, n, n->truesize)) {
		/* @skb's end gives back all that nobody has taken by then. */
		skb_set_owner_r(n, sk);
		if (recvq_append(n, skb, *off, len)) {
			*off = 0;
			return n;
		}
	}
	kfree_skb(n);
	return skb;
}

void xtcp_host_deliver(struct xtcp_core *c, struct xtcp_rxd *d, u32 off, u32 len)
{
	struct sock *sk = xtcp_core_sk(c);
	struct sk_buff *skb = xtcp_rxd_skb(d);
	struct sk_buff *tail = skb_peek_tail(&sk->sk_receive_queue);
	struct xtcp_sock *xs = xtcp_sk(sk);
	bool dear = recvq_dear(sk, skb, len);

	WRITE_ONCE(xs->rcvq_bytes, xs->rcvq_bytes + len);
	if (tail && (recvq_append(tail, skb, off, len) ||
		     (!dear && recvq_coalesce(sk, tail, skb, off, len))))
		return;
	if (dear)
		skb = recvq_compact(sk, skb, &off, len);
	XTCP_RX_CB(skb)->off = off;
	XTCP_RX_CB(skb)->end = off + len;
	__skb_queue_tail(&sk->sk_receive_queue, skb);
}

void xtcp_host_discard(struct xtcp_core *c, struct xtcp_rxd *d)
{
	kfree_skb(xtcp_rxd_skb(d));
}

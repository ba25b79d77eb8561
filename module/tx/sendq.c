// SPDX-License-Identifier: GPL-2.0
/*
 * The send queue: what the user has written, in buffers of pages, cut into
 * segments as late as possible.  The buffers themselves never go to IP: a
 * segment refers to their pages.
 */
#include <linux/uio.h>
#include "tx/tx.h"

/* Payload bytes of one buffer, at most. */
#define SENDQ_SKB_MAX	65536

static u32 skb_end_seq(struct sk_buff *skb)
{
	return XTCP_TX_CB(skb)->seq + skb->len;
}

/*
 * How much may wait unsent behind the point where the send buffer's limit was
 * last looked at.  Native TCP's size_goal: half of the peer's window, so that
 * the ACK of one part can come while the next is written, in whole segments,
 * so that a writer who has to wait leaves no short one behind.  An even number
 * of them: the peer may keep the ACK of an odd one back.
 */
static u32 sendq_goal(const struct xtcp_core *c)
{
	u32 most = c->max_snd_wnd;

	if (most > XTCP_MSS_DEFAULT)
		most /= 2;
	most = clamp_t(u32, most, 1, SENDQ_SKB_MAX);
	if (most < 2U * c->mss)
		return min_t(u32, most, c->mss);
	return most - most % (2U * c->mss);
}

/*
 * However little is left for all, the first piece of an empty queue, and what
 * the least buffer of wmem[0] has room for, is charged all the same: else
 * nobody would ever get anything out.  Natively that is
 * sk_forced_mem_schedule(), which no module may call; but over the limit
 * __sk_mem_raise_allocated() lets through what fills the whole send buffer, and
 * charges it to the memory cgroup, too.  What was not wanted is given back.
 */
static void sendq_force(struct sock *sk, int size)
{
	int fill = max(size, READ_ONCE(sk->sk_sndbuf) - sk->sk_wmem_queued);

	if (__sk_mem_schedule(sk, fill, SK_MEM_SEND))
		__sk_mem_reclaim(sk, (sk_mem_pages(fill) - sk_mem_pages(size))
				     << PAGE_SHIFT);
}

/* Memory for @size more bytes; returns for how many there is. */
static int sendq_schedule(struct sock *sk, int size)
{
	int left;

	if (likely(sk_wmem_schedule(sk, size)))
		return size;
	left = size;
	if (!skb_queue_empty(&sk->sk_write_queue))
		left = READ_ONCE(xtcp_pernet(sock_net(sk))->wmem[0]) -
		       sk->sk_wmem_queued;
	if (left > 0)
		sendq_force(sk, min(left, size));
	return clamp(sk->sk_forward_alloc, 0, size);
}

/* A new buffer at the queue's end, charged; NULL for want of memory. */
static struct sk_buff *sendq_new(struct sock *sk)
{
	struct sk_buff *skb = alloc_skb(0, sk->sk_allocation);

	if (!skb) {
		sk->sk_prot->enter_memory_pressure(sk);
		sk_stream_moderate_sndbuf(sk);
		return NULL;
	}
	if (sendq_schedule(sk, skb->truesize) < skb->truesize) {
		kfree_skb(skb);
		return NULL;
	}
	XTCP_TX_CB(skb)->seq = xtcp_sk(sk)->core.write_seq;
	/* Nobody needs a sum of the payload while it is copied here. */
	skb->ip_summed = CHECKSUM_PARTIAL;
	__skb_header_release(skb);
	__skb_queue_tail(&sk->sk_write_queue, skb);
	sk_wmem_queued_add(sk, skb->truesize);
	sk_mem_charge(sk, skb->truesize);
	return skb;
}

static void sendq_free(struct sock *sk, struct sk_buff *skb)
{
	if (xtcp_sk(sk)->tx_hint == skb)
		xtcp_sk(sk)->tx_hint = NULL;
	__skb_unlink(skb, &sk->sk_write_queue);
	sk_wmem_queued_add(sk, -(int)skb->truesize);
	sk_mem_uncharge(sk, skb->truesize);
	__kfree_skb(skb);
}

/*
 * Can @skb take bytes at @pf?  *@merge: they continue its last fragment, which
 * they do not have to when there is room for another one.
 */
static bool sendq_fits(struct sk_buff *skb, struct page_frag *pf, bool *merge)
{
	int n = skb_shinfo(skb)->nr_frags;

	if (skb->len >= SENDQ_SKB_MAX)
		return false;
	*merge = skb_can_coalesce(skb, n, pf->page, pf->offset);
	return *merge || n < MAX_SKB_FRAGS;
}

/*
 * Bytes that may be appended before the limit has to be looked at (again):
 * natively what the last buffer has room for, unless all of it has been sent.
 */
static u32 sendq_room(const struct sock *sk, u32 goal)
{
	const struct xtcp_core *c = &xtcp_sk(sk)->core;
	struct sk_buff *skb = skb_peek_tail(&sk->sk_write_queue);
	u32 unsent = c->write_seq - c->snd_nxt;

	if (!skb || !unsent)
		return 0;
	/*
	 * A goal may need several buffers, and one that is full of small pieces
	 * has few bytes: what is over the limit already has a limit, too.
	 */
	if (sk->sk_wmem_queued > sk->sk_sndbuf + SENDQ_SKB_MAX)
		return 0;
	unsent = min(unsent, skb->len);
	return unsent < goal ? goal - unsent : 0;
}

int xtcp_sendq_append(struct sock *sk, struct msghdr *msg, size_t len)
{
	u32 goal = sendq_goal(&xtcp_sk(sk)->core);
	struct page_frag *pf = sk_page_frag(sk);
	struct sk_buff *skb;
	bool merge = false;
	int err, n, room;

	room = sendq_room(sk, goal);
	if (!room) {
		if (!sk_stream_memory_free(sk))
			return -EAGAIN;
		room = goal;
	}
	if (!sk_page_frag_refill(sk, pf))
		return -ENOMEM;
	skb = skb_peek_tail(&sk->sk_write_queue);
	if (!skb || !sendq_fits(skb, pf, &merge)) {
		merge = false;
		skb = sendq_new(sk);
		if (!skb)
			return -ENOMEM;
	}
	len = min3(len, (size_t)room, (size_t)(pf->size - pf->offset));
	len = min_t(size_t, len, SENDQ_SKB_MAX - skb->len);
	len = sendq_schedule(sk, len);
	err = len ? 0 : -ENOMEM;
	if (likely(!err))
		err = skb_copy_to_page_nocache(sk, &msg->msg_iter, skb,
					       pf->page, pf->offset, len);
	if (unlikely(err)) {
		if (!skb->len)
			sendq_free(sk, skb);
		return err;
	}
	n = skb_shinfo(skb)->nr_frags;
	if (merge) {
		skb_frag_size_add(&skb_shinfo(skb)->frags[n - 1], len);
	} else {
		skb_fill_page_desc(skb, n, pf->page, pf->offset, len);
		page_ref_inc(pf->page);
	}
	pf->offset += len;
	if (unlikely(xtcp_sk(sk)->refused_at))
		WRITE_ONCE(xtcp_sk(sk)->refused_at, 0);
	return len;
}

void xtcp_sendq_refused(struct sock *sk)
{
	WRITE_ONCE(xtcp_sk(sk)->refused_at, sk->sk_wmem_queued);
}

bool xtcp_sendq_no_memory(const struct sock *sk)
{
	int at = READ_ONCE(xtcp_sk(sk)->refused_at);

	/* Below the lowest threshold nobody is refused, but by his cgroup. */
	return at && READ_ONCE(sk->sk_wmem_queued) > at / 2 &&
	       ((mem_cgroup_sockets_enabled && sk->sk_memcg) ||
		sk_memory_allocated(sk) > sk_prot_mem_limits(sk, 0));
}

/* The first @len bytes of @skb, less than all, are given back. */
static void sendq_trim(struct sock *sk, struct sk_buff *skb, u32 len)
{
	struct skb_shared_info *sh = skb_shinfo(skb);
	u32 left = len, size;
	int gone = 0;

	while (left >= (size = skb_frag_size(&sh->frags[gone]))) {
		put_page(skb_frag_page(&sh->frags[gone++]));
		left -= size;
	}
	if (gone) {
		sh->nr_frags -= gone;
		memmove(sh->frags, sh->frags + gone,
			sh->nr_frags * sizeof(*sh->frags));
	}
	skb_frag_off_add(&sh->frags[0], left);
	skb_frag_size_sub(&sh->frags[0], left);
	XTCP_TX_CB(skb)->seq += len;
	skb_len_add(skb, -(int)len);
	sk_wmem_queued_add(sk, -(int)len);
	sk_mem_uncharge(sk, len);
}

void xtcp_sendq_acked(struct sock *sk)
{
	u32 una = xtcp_sk(sk)->core.snd_una;
	struct sk_buff *skb;

	while ((skb = skb_peek(&sk->sk_write_queue)) &&
	       seq_le(skb_end_seq(skb), una))
		sendq_free(sk, skb);
	if (skb && seq_gt(una, XTCP_TX_CB(skb)->seq))
		sendq_trim(sk, skb, una - XTCP_TX_CB(skb)->seq);
}

void xtcp_sendq_purge(struct sock *sk)
{
	struct sk_buff *skb;

	while ((skb = skb_peek(&sk->sk_write_queue)))
		sendq_free(sk, skb);
	WRITE_ONCE(xtcp_sk(sk)->refused_at, 0);
	sk_mem_reclaim(sk);
}

/* The buffer that holds @seq: mostly the one after, or of, the last search. */
static struct sk_buff *sendq_find(struct sock *sk, u32 seq)
{
	struct sk_buff *skb = xtcp_sk(sk)->tx_hint;

	if (!skb || seq_lt(seq, XTCP_TX_CB(skb)->seq))
		skb = skb_peek(&sk->sk_write_queue);
	if (skb && seq_ge(seq, XTCP_TX_CB(skb)->seq))
		skb_queue_walk_from(&sk->sk_write_queue, skb)
			if (seq_lt(seq, skb_end_seq(skb)))
				return skb;
	return NULL;
}

/*
 * Adds to @skb at most @len bytes of @src from @off on, as long as it has room
 * for fragments; returns how many.
 */
static u32 attach_from(struct sk_buff *skb, struct sk_buff *src, u32 off, u32 len)
{
	u32 done = 0;
	int i;

	for (i = 0; i < skb_shinfo(src)->nr_frags && done < len; i++) {
		skb_frag_t *f = &skb_shinfo(src)->frags[i];
		u32 size = skb_frag_size(f), part;
		int n = skb_shinfo(skb)->nr_frags;

		if (off >= size) {
			off -= size;
			continue;
		}
		part = min(size - off, len - done);
		if (skb_can_coalesce(skb, n, skb_frag_page(f),
				     skb_frag_off(f) + off)) {
			skb_frag_size_add(&skb_shinfo(skb)->frags[n - 1], part);
		} else if (n < MAX_SKB_FRAGS) {
			skb_fill_page_desc(skb, n, skb_frag_page(f),
					   skb_frag_off(f) + off, part);
			get_page(skb_frag_page(f));
		} else {
			break;
		}
		done += part;
		off = 0;
	}
	skb_len_add(skb, done);
	return done;
}

/* The buffer behind @skb, NULL at the end. */
static struct sk_buff *sendq_next(struct sock *sk, struct sk_buff *skb)
{
	return skb_queue_is_last(&sk->sk_write_queue, skb) ?
		NULL : skb_queue_next(&sk->sk_write_queue, skb);
}

u32 xtcp_sendq_attach(struct sock *sk, struct sk_buff *skb, u32 seq, u32 len)
{
	struct sk_buff *src = sendq_find(sk, seq);
	u32 done = 0;

	while (src && done < len) {
		u32 off = seq + done - XTCP_TX_CB(src)->seq;
		u32 n = attach_from(skb, src, off, len - done);

		if (!n)
			break;
		xtcp_sk(sk)->tx_hint = src;
		done += n;
		src = sendq_next(sk, src);
	}
	return done;
}

int xtcp_sendq_copy(struct sock *sk, struct sk_buff *skb, u32 seq, u32 len)
{
	struct sk_buff *src = sendq_find(sk, seq);

	while (src && len) {
		u32 off = seq - XTCP_TX_CB(src)->seq;
		u32 n = min(len, src->len - off);

		if (skb_copy_bits(src, off, skb_put(skb, n), n))
			return -EFAULT;
		seq += n;
		len -= n;
		src = sendq_next(sk, src);
	}
	return WARN_ON_ONCE(len) ? -EINVAL : 0;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * The send queue: what the user has written, in buffers of pages, cut into
 * segments as late as possible.  The buffers themselves never go to IP: a
 * segment refers to their pages.
 */
#include <linux/uio.h>
#include "tx/tx.h"

/* Payload of one buffer: small enough that acknowledged memory comes back. */
#define SENDQ_SKB_MAX	65536

static u32 skb_end_seq(struct sk_buff *skb)
{
	return XTCP_TX_CB(skb)->seq + skb->len;
}

/* A new buffer at the queue's end, charged; NULL for want of memory. */
static struct sk_buff *sendq_new(struct sock *sk)
{
	struct sk_buff *skb = alloc_skb(0, sk->sk_allocation);

	if (!skb)
		return NULL;
	if (!sk_wmem_schedule(sk, skb->truesize)) {
		kfree_skb(skb);
		return NULL;
	}
	XTCP_TX_CB(skb)->seq = xtcp_sk(sk)->core.write_seq;
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

/* Can @skb take bytes at @pf?  *@merge: they continue its last fragment. */
static bool sendq_fits(struct sk_buff *skb, struct page_frag *pf, bool *merge)
{
	int n = skb_shinfo(skb)->nr_frags;

	if (skb->len >= SENDQ_SKB_MAX)
		return false;
	*merge = skb_can_coalesce(skb, n, pf->page, pf->offset);
	return *merge || n < MAX_SKB_FRAGS;
}

int xtcp_sendq_append(struct sock *sk, struct msghdr *msg, size_t len)
{
	struct page_frag *pf = sk_page_frag(sk);
	struct sk_buff *skb;
	bool merge = false;
	int err, n;

	if (!sk_stream_memory_free(sk))
		return -EAGAIN;
	if (!sk_page_frag_refill(sk, pf))
		return -ENOMEM;
	skb = skb_peek_tail(&sk->sk_write_queue);
	if (!skb || !sendq_fits(skb, pf, &merge)) {
		merge = false;
		skb = sendq_new(sk);
		if (!skb)
			return -ENOMEM;
	}
	len = min_t(size_t, len, pf->size - pf->offset);
	len = min_t(size_t, len, SENDQ_SKB_MAX - skb->len);
	if (!sk_wmem_schedule(sk, len)) {
		err = -ENOMEM;
		goto undo;
	}
	err = skb_copy_to_page_nocache(sk, &msg->msg_iter, skb, pf->page,
				       pf->offset, len);
	if (err)
		goto undo;
	n = skb_shinfo(skb)->nr_frags;
	if (merge) {
		skb_frag_size_add(&skb_shinfo(skb)->frags[n - 1], len);
	} else {
		skb_fill_page_desc(skb, n, pf->page, pf->offset, len);
		page_ref_inc(pf->page);
	}
	pf->offset += len;
	return len;
undo:
	if (!skb->len)
		sendq_free(sk, skb);
	return err;
}

void xtcp_sendq_acked(struct sock *sk)
{
	u32 una = xtcp_sk(sk)->core.snd_una;
	struct sk_buff *skb;

	while ((skb = skb_peek(&sk->sk_write_queue)) &&
	       seq_le(skb_end_seq(skb), una))
		sendq_free(sk, skb);
}

void xtcp_sendq_purge(struct sock *sk)
{
	struct sk_buff *skb;

	while ((skb = skb_peek(&sk->sk_write_queue)))
		sendq_free(sk, skb);
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

/* Adds to @skb at most @len bytes of @src from @off on; returns how many. */
static int attach_from(struct sk_buff *skb, struct sk_buff *src, u32 off, u32 len)
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
		if (n >= MAX_SKB_FRAGS)
			return -ENOMEM;
		part = min(size - off, len - done);
		skb_fill_page_desc(skb, n, skb_frag_page(f),
				   skb_frag_off(f) + off, part);
		get_page(skb_frag_page(f));
		skb_len_add(skb, part);
		done += part;
		off = 0;
	}
	return done;
}

/* The buffer behind @skb, NULL at the end. */
static struct sk_buff *sendq_next(struct sock *sk, struct sk_buff *skb)
{
	return skb_queue_is_last(&sk->sk_write_queue, skb) ?
		NULL : skb_queue_next(&sk->sk_write_queue, skb);
}

int xtcp_sendq_attach(struct sock *sk, struct sk_buff *skb, u32 seq, u32 len)
{
	struct sk_buff *src = sendq_find(sk, seq);

	while (src && len) {
		int n = attach_from(skb, src, seq - XTCP_TX_CB(src)->seq, len);

		if (n <= 0)
			return -ENOMEM;
		xtcp_sk(sk)->tx_hint = src;
		seq += n;
		len -= n;
		src = sendq_next(sk, src);
	}
	return WARN_ON_ONCE(len) ? -EINVAL : 0;
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

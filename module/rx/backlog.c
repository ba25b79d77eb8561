// SPDX-License-Identifier: GPL-2.0
/*
 * Segments that find the socket locked by its user wait in the backlog.  There
 * is a limit to their memory, and a short segment takes several times as much
 * of that as it has payload: what the window has promised to take could not
 * wait.  So a segment that continues the last one is joined to it, as
 * tcp_add_backlog() does it natively; it is then handled as if the two had been
 * joined on arrival (GRO), for less work, too.
 */
#include <linux/tcp.h>
#include <net/ip.h>
#include "rx/rx.h"

/* Payload and an ACK, and nothing that has to be looked at by itself. */
static bool plain(const struct xtcp_seg *s)
{
	const u8 mask = XTCP_FIN | XTCP_SYN | XTCP_RST | XTCP_ACK | XTCP_URG;

	return s->len && (s->flags & mask) == XTCP_ACK;
}

/*
 * Does @skb, parsed as @s, go on where @tail, parsed as @t, ends?  The options,
 * timestamps among them, are the same, and @tail consists of full segments of
 * the size that @skb's payload has or falls short of.
 */
static bool continues(const struct sk_buff *tail, const struct xtcp_seg *t,
		      const struct sk_buff *skb, const struct xtcp_seg *s)
{
	return plain(t) && plain(s) && s->seq == t->seq + t->len &&
	       s->hlen == t->hlen &&
	       !((s->flags ^ t->flags) & (XTCP_ECE | XTCP_CWR)) &&
	       t->len % xtcp_seg_size(t) == 0 &&
	       xtcp_seg_size(s) <= xtcp_seg_size(t) &&
	       (!s->joined || s->joined == xtcp_seg_size(t)) &&
	       ip_hdr(tail)->tos == ip_hdr(skb)->tos &&
	       tail->mark == skb->mark &&
	       !memcmp(tail->data + XTCP_HDR_MIN, skb->data + XTCP_HDR_MIN,
		       s->hlen - XTCP_HDR_MIN);
}

/* The newer acknowledgment and window count, and whether somebody pushed. */
static void take_header(struct sk_buff *tail, const struct xtcp_seg *t,
			const struct sk_buff *skb, const struct xtcp_seg *s)
{
	struct tcphdr *to = (struct tcphdr *)tail->data;
	const struct tcphdr *from = (const struct tcphdr *)skb->data;

	if (seq_ge(s->ack, t->ack)) {
		to->ack_seq = from->ack_seq;
		to->window = from->window;
	}
	to->psh |= from->psh;
}

bool xtcp_backlog_join(struct sock *sk, struct sk_buff *skb,
		       const struct xtcp_seg *s)
{
	struct sk_buff *tail = sk->sk_backlog.tail;
	struct skb_shared_info *sh;
	struct xtcp_seg t;
	bool stolen;
	int delta;
	u32 segs;

	if (!tail || skb_cloned(tail) || xtcp_skb_parse(tail, &t) ||
	    !continues(tail, &t, skb, s))
		return false;
	segs = xtcp_seg_count(&t) + xtcp_seg_count(s);
	__skb_pull(skb, s->hlen);
	if (segs > U16_MAX || !skb_try_coalesce(tail, skb, &stolen, &delta)) {
		__skb_push(skb, s->hlen);
		return false;
	}
	__skb_push(skb, s->hlen);
	take_header(tail, &t, skb, s);
	sh = skb_shinfo(tail);
	sh->gso_size = xtcp_seg_size(&t);
	sh->gso_segs = segs;
	sk->sk_backlog.len += delta;
	kfree_skb_partial(skb, stolen);
	return true;
}

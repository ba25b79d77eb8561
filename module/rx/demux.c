// SPDX-License-Identifier: GPL-2.0
/*
 * Where a segment arrives: checked and parsed once, then to the connection,
 * mini-socket or listener it is for.
 */
#include <linux/filter.h>
#include <linux/icmp.h>
#include <net/ip.h>
#include <net/inet_common.h>
#include <net/protocol.h>
#include <net/xfrm.h>
#include "conn/conn.h"
#include "rx/rx.h"
#include "tx/tx.h"

void xtcp_drop(struct net *net, struct sk_buff *skb, enum xtcp_counter why)
{
	this_cpu_inc(xtcp_pernet(net)->mib->v[why]);
	kfree_skb(skb);
}

/* Makes the header linear, verifies the checksum, parses.  False: dropped. */
static bool segment_check(struct net *net, struct sk_buff *skb,
			  struct xtcp_seg *s)
{
	u8 hlen;

	if (skb->pkt_type != PACKET_HOST)
		goto bad;
	XTCP_INC(net, INSEGS);
	if (!pskb_may_pull(skb, XTCP_HDR_MIN))
		goto bad;
	hlen = xtcp_seg_hlen(skb->data);
	if (!hlen || !pskb_may_pull(skb, hlen))
		goto bad;
	/* skb_checksum_init() wants the name inet_compute_pseudo. */
	if (skb_checksum_init(skb, XTCP_CSUM_PROTO, inet_compute_pseudo) ||
	    skb_checksum_complete(skb)) {
		XTCP_INC(net, INCSUMERRORS);
		goto bad;
	}
	if (xtcp_seg_parse(skb->data, hlen, skb->len, s))
		goto bad;
	return true;
bad:
	xtcp_drop(net, skb, XTCP_CNT_INERRS);
	return false;
}

/* The socket's filter, which may also cut payload off.  False: drop. */
static bool filter_ok(struct sock *sk, struct sk_buff *skb, struct xtcp_seg *s)
{
	if (sk_filter_trim_cap(sk, skb, s->hlen))
		return false;
	s->len = skb->len - s->hlen;
	return true;
}

static bool policy_ok(struct sock *sk, struct sk_buff *skb)
{
	if (!xfrm4_policy_check(sk, XFRM_POLICY_IN, skb))
		return false;
	nf_reset_ct(skb);
	return true;
}

/* IP_MINTTL: from how far may it come (RFC 5082)?  False: drop. */
static bool ttl_ok(const struct sock *sk, const struct sk_buff *skb)
{
	u8 least = READ_ONCE(inet_sk(sk)->min_ttl);

	return likely(!least) || ip_hdr(skb)->ttl >= least;
}

/* To a connection; consumes @skb. */
static void to_sock(struct net *net, struct sock *sk, struct sk_buff *skb,
		    struct xtcp_seg *s)
{
	enum xtcp_counter why = XTCP_CNT_MINTTLDROP;
	u64 limit;

	if (!ttl_ok(sk, skb))
		goto drop;
	why = XTCP_CNT_DROP_POLICY;
	if (!policy_ok(sk, skb))
		goto drop;
	why = XTCP_CNT_DROP_FILTER;
	if (!filter_ok(sk, skb, s))
		goto drop;
	skb->dev = NULL;
	bh_lock_sock_nested(sk);
	if (!sock_owned_by_user(sk)) {
		xtcp_input(sk, skb, s);
		bh_unlock_sock(sk);
		return;
	}
	limit = 2ULL * READ_ONCE(sk->sk_rcvbuf) +
		READ_ONCE(sk->sk_sndbuf) / 2 + 64 * 1024;
	if (likely(!sk_add_backlog(sk, skb, min_t(u64, limit, UINT_MAX)))) {
		bh_unlock_sock(sk);
		return;
	}
	bh_unlock_sock(sk);
	why = XTCP_CNT_BACKLOGDROP;
drop:
	xtcp_drop(net, skb, why);
}

/* For nobody, or for a listener; consumes @skb. */
static void to_listener(struct net *net, struct sk_buff *skb,
			struct xtcp_seg *s, u32 iss)
{
	struct sock *lsk = xtcp_listener_find(xtcp_pernet(net), skb, s);

	if (!lsk || inet_sk_state_load(lsk) != TCP_LISTEN)
		goto none;
	if (!ttl_ok(lsk, skb)) {
		xtcp_drop(net, skb, XTCP_CNT_MINTTLDROP);
		return;
	}
	if (!policy_ok(lsk, skb) || !filter_ok(lsk, skb, s)) {
		xtcp_drop(net, skb, XTCP_CNT_DROP_FILTER);
		return;
	}
	/* RFC 9293, 3.10.7.2: RST is ignored, ACK is answered by RST. */
	if (s->flags & XTCP_RST)
		goto drop;
	if (s->flags & XTCP_ACK) {
		switch (xtcp_synq_ack(lsk, skb, s)) {
		case XTCP_SYNQ_TAKEN:
			return;
		case XTCP_SYNQ_STRANGER:
			xtcp_send_reset(net, lsk, skb, s);
			break;
		case XTCP_SYNQ_DROP:
			break;
		}
		goto drop;
	}
	if (s->flags & XTCP_SYN)
		xtcp_synq_syn(lsk, skb, s, iss);
drop:
	kfree_skb(skb);
	return;
none:
	if (xfrm4_policy_check(NULL, XFRM_POLICY_IN, skb))
		xtcp_send_reset(net, NULL, skb, s);
	xtcp_drop(net, skb, XTCP_CNT_DROP_NO_SOCKET);
}

static void to_timewait(struct net *net, struct xtcp_twsk *tw,
			struct sk_buff *skb, struct xtcp_seg *s)
{
	u32 iss = 0;

	if (!xfrm4_policy_check(NULL, XFRM_POLICY_IN, skb)) {
		xtcp_drop(net, skb, XTCP_CNT_DROP_POLICY);
		return;
	}
	if (!xtcp_timewait_segment(tw, skb, s, &iss)) {
		consume_skb(skb);
		return;
	}
	if (!xtcp_listener_find(xtcp_pernet(net), skb, s)) {
		/* As natively: the old connection's peer may still be there. */
		xtcp_timewait_no_listener(tw, skb, s);
		xtcp_drop(net, skb, XTCP_CNT_DROP_NO_SOCKET);
		return;
	}
	xtcp_timewait_give_way(tw);
	to_listener(net, skb, s, iss);
}

/* The listener's policy and filter are those of its requests. */
static void to_request(struct net *net, struct xtcp_reqsk *r,
		       struct sk_buff *skb, struct xtcp_seg *s)
{
	if (!policy_ok(r->lsk, skb))
		xtcp_drop(net, skb, XTCP_CNT_DROP_POLICY);
	else if (!filter_ok(r->lsk, skb, s))
		xtcp_drop(net, skb, XTCP_CNT_DROP_FILTER);
	else if (!xtcp_synq_segment(r, skb, s))
		consume_skb(skb);
}

static void dispatch(struct net *net, struct sk_buff *skb,
		     struct xtcp_seg *s)
{
	const struct iphdr *iph = ip_hdr(skb);
	struct xtcp_entry *e;
	struct xtcp_key key;
	struct sock *sk;

	xtcp_key_v4(&key, iph->daddr, htons(s->dport), iph->saddr,
		    htons(s->sport));
	e = xtcp_table_lookup(xtcp_pernet(net), &key, inet_iif(skb));
	if (!e) {
		to_listener(net, skb, s, 0);
		return;
	}
	switch (e->kind) {
	case XTCP_KIND_SOCK:
		sk = xtcp_entry_get(e, &key);
		if (!sk)
			break;
		to_sock(net, sk, skb, s);
		sock_put(sk);
		return;
	case XTCP_KIND_REQ:
		to_request(net, container_of(e, struct xtcp_reqsk, entry),
			   skb, s);
		return;
	case XTCP_KIND_TW:
		to_timewait(net, container_of(e, struct xtcp_twsk, entry),
			    skb, s);
		return;
	}
	xtcp_drop(net, skb, XTCP_CNT_DROP_NO_SOCKET);
}

/* net_protocol.handler: softirq, under RCU; skb->data at our header. */
static int xtcp_v4_rcv(struct sk_buff *skb)
{
	struct net *net = dev_net(skb->dev);
	struct xtcp_seg s;

	if (segment_check(net, skb, &s))
		dispatch(net, skb, &s);
	return 0;
}

static const struct net_protocol xtcp_protocol = {
	.handler	= xtcp_v4_rcv,
	.err_handler	= xtcp_v4_err,
	.no_policy	= 1,
	.icmp_strict_tag_validation = 1,
};

int xtcp_demux_init(void)
{
	return inet_add_protocol(&xtcp_protocol, xtcp_ipproto);
}

void xtcp_demux_exit(void)
{
	inet_del_protocol(&xtcp_protocol, xtcp_ipproto);
}

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
	XTCP_ADD(net, INSEGS, max_t(u16, skb_shinfo(skb)->gso_segs, 1));
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
	if (xtcp_skb_parse(skb, s))
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
	sk_incoming_cpu_update(sk);
	skb->dev = NULL;
	bh_lock_sock_nested(sk);
	if (!sock_owned_by_user(sk)) {
		xtcp_input(sk, skb, s);
		bh_unlock_sock(sk);
		return;
	}
	if (xtcp_backlog_join(sk, skb, s)) {
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
	sk_drops_add(sk, skb);
	xtcp_drop(net, skb, why);
}

/* Nobody is there, and the sender is told so; consumes @skb. */
static void to_nobody(struct net *net, struct sk_buff *skb,
		      const struct xtcp_seg *s)
{
	if (xfrm4_policy_check(NULL, XFRM_POLICY_IN, skb))
		xtcp_send_reset(net, NULL, skb, s);
	xtcp_drop(net, skb, XTCP_CNT_DROP_NO_SOCKET);
}

/* A segment with ACK for a listener.  False: to be looked up again. */
static bool listener_ack(struct net *net, struct sock *lsk,
			 struct sk_buff *skb, struct xtcp_seg *s)
{
	switch (xtcp_synq_ack(lsk, skb, s)) {
	case XTCP_SYNQ_TAKEN:
		return true;
	case XTCP_SYNQ_AGAIN:
		return false;
	case XTCP_SYNQ_STRANGER:
		xtcp_send_reset(net, lsk, skb, s);
		break;
	case XTCP_SYNQ_DROP:
		break;
	}
	kfree_skb(skb);
	return true;
}

/*
 * To @lsk, which listens or did so when it was found.  @iss: as in
 * xtcp_synq_syn().  True: @skb is consumed; false: to be looked up again.
 */
static bool to_listener(struct net *net, struct sock *lsk, struct sk_buff *skb,
			struct xtcp_seg *s, u32 iss)
{
	enum xtcp_counter why = XTCP_CNT_MINTTLDROP;

	if (!ttl_ok(lsk, skb))
		goto drop;
	why = XTCP_CNT_DROP_POLICY;
	if (!policy_ok(lsk, skb))
		goto drop;
	why = XTCP_CNT_DROP_FILTER;
	if (!filter_ok(lsk, skb, s))
		goto drop;
	/*
	 * It was closed meanwhile.  Another may listen here by now, or in a
	 * moment: a SYN comes again and finds it.  As by tcp_rcv_state_process()
	 * in TCP_CLOSE nothing is answered.
	 */
	why = XTCP_CNT_DROP_CLOSED;
	if (inet_sk_state_load(lsk) != TCP_LISTEN)
		goto drop;
	/* RFC 9293, 3.10.7.2: RST is ignored, ACK is answered by RST. */
	why = XTCP_CNT_DROP_RST;
	if (s->flags & XTCP_RST)
		goto drop;
	if (s->flags & XTCP_ACK)
		return listener_ack(net, lsk, skb, s);
	why = XTCP_CNT_DROP_BAD_FLAGS;
	if (!(s->flags & XTCP_SYN))
		goto drop;
	xtcp_synq_syn(lsk, skb, s, iss);
	consume_skb(skb);
	return true;
drop:
	xtcp_drop(net, skb, why);
	return true;
}

/* To a mini-socket in TIME_WAIT.  False: to be looked up again. */
static bool to_timewait(struct net *net, struct xtcp_twsk *tw,
			struct sk_buff *skb, struct xtcp_seg *s)
{
	struct sock *lsk;
	u32 iss = 0;

	if (!xfrm4_policy_check(NULL, XFRM_POLICY_IN, skb)) {
		xtcp_drop(net, skb, XTCP_CNT_DROP_POLICY);
		return true;
	}
	if (!xtcp_timewait_segment(tw, skb, s, &iss)) {
		consume_skb(skb);
		return true;
	}
	lsk = xtcp_listener_find(xtcp_pernet(net), skb, s);
	if (!lsk) {
		/* As natively: the old connection's peer may still be there. */
		xtcp_timewait_no_listener(tw, skb, s);
		xtcp_drop(net, skb, XTCP_CNT_DROP_NO_SOCKET);
		return true;
	}
	xtcp_timewait_give_way(tw);
	return to_listener(net, lsk, skb, s, iss);
}

/*
 * To a request, which has its listener's policy and filter.  False: to be
 * looked up again.
 */
static bool to_request(struct net *net, struct xtcp_reqsk *r,
		       struct sk_buff *skb, struct xtcp_seg *s)
{
	if (!policy_ok(r->lsk, skb)) {
		xtcp_drop(net, skb, XTCP_CNT_DROP_POLICY);
		return true;
	}
	if (!filter_ok(r->lsk, skb, s)) {
		xtcp_drop(net, skb, XTCP_CNT_DROP_FILTER);
		return true;
	}
	switch (xtcp_synq_segment(r, skb, s)) {
	case XTCP_SYNQ_AGAIN:
		return false;
	case XTCP_SYNQ_TAKEN:
		return true;
	default:
		consume_skb(skb);
		return true;
	}
}

/*
 * Looks up whom @skb is for, and hands it over.  False if what was found has
 * become something else meanwhile: @skb is the caller's still.
 */
static bool dispatch(struct net *net, struct sk_buff *skb, struct xtcp_seg *s)
{
	const struct iphdr *iph = ip_hdr(skb);
	struct xtcp_entry *e;
	struct xtcp_key key;
	struct sock *sk;

	xtcp_key_v4(&key, iph->daddr, htons(s->dport), iph->saddr,
		    htons(s->sport));
	e = xtcp_table_lookup(xtcp_pernet(net), &key, inet_iif(skb));
	if (!e) {
		sk = xtcp_listener_find(xtcp_pernet(net), skb, s);
		if (sk)
			return to_listener(net, sk, skb, s, 0);
		to_nobody(net, skb, s);
		return true;
	}
	if (e->kind == XTCP_KIND_REQ)
		return to_request(net, container_of(e, struct xtcp_reqsk, entry),
				  skb, s);
	if (e->kind == XTCP_KIND_TW)
		return to_timewait(net, container_of(e, struct xtcp_twsk, entry),
				   skb, s);
	sk = xtcp_entry_get(e, &key);
	if (!sk)
		return false;
	to_sock(net, sk, skb, s);
	sock_put(sk);
	return true;
}

/*
 * How often a segment is looked up before it is dropped.  Each further time is
 * a step in its connection's life that another processor took between the look
 * and the use: a request has become a connection, that a mini-socket.
 */
#define LOOKUPS	4

/* net_protocol.handler: softirq, under RCU; skb->data at our header. */
static int xtcp_v4_rcv(struct sk_buff *skb)
{
	struct net *net = dev_net(skb->dev);
	struct xtcp_seg s;
	int tries;

	if (!segment_check(net, skb, &s))
		return 0;
	for (tries = 0; tries < LOOKUPS; tries++)
		if (dispatch(net, skb, &s))
			return 0;
	xtcp_drop(net, skb, XTCP_CNT_DROP_NO_SOCKET);
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

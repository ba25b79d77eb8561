// SPDX-License-Identifier: GPL-2.0
/* A segment meets its connection: the core, then deeds. */
#include <linux/security.h>
#include <net/busy_poll.h>
#include <net/ip.h>
#include "conn/conn.h"
#include "rx/rx.h"
#include "tx/tx.h"

/*
 * Answers with RST, from the socket's own addresses.  @tos, @mark: of the
 * segment, which may be gone.
 */
static void reply_reset(struct sock *sk, const struct xtcp_seg *s, u8 tos,
			u32 mark)
{
	struct xtcp_reply r = {
		.saddr = inet_sk(sk)->inet_saddr,
		.daddr = inet_sk(sk)->inet_daddr,
		.mark = IP4_REPLY_MARK(sock_net(sk), mark),
		.tos = tos,
	};
	struct flowi_common flow = { };

	xtcp_reply_as(&r, sk);
	/* The segment's label may be gone as well: the socket's own. */
	security_sk_classify_flow(sk, &flow);
	r.secid = flow.flowic_secid;
	xtcp_reply_reset(sock_net(sk), &r, s);
}

/* A writer waits for the connection, or the user has said that one will. */
static bool data_soon(const struct sock *sk)
{
	return sk->sk_write_pending || xtcp_sk(sk)->defer_accept;
}

void xtcp_input(struct sock *sk, struct sk_buff *skb, const struct xtcp_seg *s)
{
	struct xtcp_core *c = &xtcp_sk(sk)->core;
	bool opening = c->state == XTCP_SYN_SENT;
	/* Payload of the peer's SYN is left to be sent again. */
	struct xtcp_rxd *d = s->len && !opening ? &XTCP_RX_CB(skb)->rxd : NULL;
	u8 tos = ip_hdr(skb)->tos;
	u32 mark = skb->mark;
	enum xtcp_drop why;

	if (c->state == XTCP_CLOSED || c->state == XTCP_LISTEN) {
		/* A socket that is over may have outlived its namespace. */
		if (xtcp_sk(sk)->destroyed)
			kfree_skb(skb);
		else
			xtcp_drop(sock_net(sk), skb, XTCP_CNT_DROP_CLOSED);
		return;
	}
	/* SO_INCOMING_NAPI_ID, SO_BUSY_POLL and receive flow steering. */
	sock_rps_save_rxhash(sk, skb);
	sk_mark_napi_id(sk, skb);
	skb_dst_drop(skb);
	__skb_pull(skb, s->hlen);
	if (unlikely(opening))
		c->data_soon = data_soon(sk);
	why = xtcp_core_input(c, s, d, xtcp_now());
	/* For SO_PEERSEC, as in tcp_finish_connect(). */
	if (unlikely(opening && (c->sig & XTCP_SIG_CONNECTED)))
		security_inet_conn_established(sk, skb);
	if (!d)
		consume_skb(skb);
	xtcp_rcv_refresh(sk);
	if (unlikely(READ_ONCE(sk->sk_err_soft)) && !why)
		WRITE_ONCE(sk->sk_err_soft, 0);
	if (unlikely(why)) {
		atomic_inc(&sk->sk_drops);
		this_cpu_inc(xtcp_pernet(sock_net(sk))->mib->v
			     [XTCP_CNT_DROP_OLD_SEQ + why - XTCP_DROP_OLD_SEQ]);
	}
	if (unlikely(c->sig & XTCP_SIG_REPLY_RST)) {
		c->sig &= ~XTCP_SIG_REPLY_RST;
		reply_reset(sk, s, tos, mark);
	}
	xtcp_settle(sk);
}

int xtcp_skb_parse(const struct sk_buff *skb, struct xtcp_seg *s)
{
	int err = xtcp_seg_parse(skb->data, xtcp_seg_hlen(skb->data), skb->len,
				 s);

	if (skb_is_gso(skb))
		s->joined = skb_shinfo(skb)->gso_size;
	return err;
}

int xtcp_backlog_rcv(struct sock *sk, struct sk_buff *skb)
{
	struct xtcp_seg s;

	/* It was checked on arrival; only the parsed form was not kept. */
	if (xtcp_skb_parse(skb, &s))
		kfree_skb(skb);
	else
		xtcp_input(sk, skb, &s);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0
/* Segments that carry no payload and need no socket: SYN-ACK, ACK, RST. */
#include <linux/security.h>
#include <net/ip.h>
#include <net/l3mdev.h>
#include <net/route.h>
#include "tx/tx.h"

void xtcp_reply_send(struct net *net, const struct xtcp_reply *r,
		     const struct xtcp_hdr *h)
{
	struct sk_buff *skb = xtcp_xmit_alloc(0, GFP_ATOMIC);

	if (!skb) {
		XTCP_INC(net, NOMEM);
		return;
	}
	xtcp_xmit_reply(net, skb, r, h);
}

void xtcp_reply_init(struct xtcp_reply *r, struct net *net,
		     const struct sk_buff *skb)
{
	const struct iphdr *iph = ip_hdr(skb);
	struct flowi_common flow = { };

	/* It only reads, but is declared otherwise. */
	security_skb_classify_flow((struct sk_buff *)skb, &flow);
	*r = (struct xtcp_reply){
		.saddr = iph->daddr,
		.daddr = iph->saddr,
		.mark = IP4_REPLY_MARK(net, skb->mark),
		.secid = flow.flowic_secid,
		.tos = iph->tos,
	};
	if (netif_index_is_l3_master(net, skb->skb_iif))
		r->oif = skb->skb_iif;
}

void xtcp_reply_as(struct xtcp_reply *r, const struct sock *sk)
{
	int bound = READ_ONCE(sk->sk_bound_dev_if);

	r->sk = sk;
	if (bound)
		r->oif = bound;
	r->mark = r->mark ?: READ_ONCE(sk->sk_mark);
	r->priority = READ_ONCE(sk->sk_priority);
	r->txhash = sk->sk_txhash;
}

void xtcp_reply_seg(struct net *net, const struct xtcp_reply *r,
		    const struct xtcp_seg *s, struct xtcp_hdr *h)
{
	h->sport = s->dport;
	h->dport = s->sport;
	xtcp_reply_send(net, r, h);
}

void xtcp_reply_reset(struct net *net, const struct xtcp_reply *r,
		      const struct xtcp_seg *s)
{
	struct xtcp_hdr h;

	if (!xtcp_rst_reply(s, &h))
		return;
	XTCP_INC(net, OUTRSTS);
	xtcp_reply_seg(net, r, s, &h);
}

void xtcp_send_reset(struct net *net, const struct sock *sk,
		     const struct sk_buff *skb, const struct xtcp_seg *s)
{
	struct xtcp_reply r;

	/* Nothing is answered that came to more than one host. */
	if (!sk && skb_rtable(skb)->rt_type != RTN_LOCAL)
		return;
	xtcp_reply_init(&r, net, skb);
	if (sk)
		xtcp_reply_as(&r, sk);
	xtcp_reply_reset(net, &r, s);
}

void xtcp_send_abort(struct sock *sk)
{
	struct sk_buff *skb = xtcp_xmit_alloc(0, GFP_ATOMIC);
	struct xtcp_hdr h;

	if (!skb) {
		XTCP_INC(sock_net(sk), ABORTFAILED);
		return;
	}
	xtcp_core_rst_hdr(&xtcp_sk(sk)->core, xtcp_now(), &h);
	XTCP_INC(sock_net(sk), OUTRSTS);
	xtcp_xmit(sk, skb, &h);
}

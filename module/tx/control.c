// SPDX-License-Identifier: GPL-2.0
/* Segments that carry no payload and need no socket: SYN-ACK, ACK, RST. */
#include <net/ip.h>
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

void xtcp_reply_to(struct net *net, struct sk_buff *skb,
		   const struct xtcp_seg *s, struct xtcp_hdr *h)
{
	const struct iphdr *iph = ip_hdr(skb);
	struct xtcp_reply r = {
		.saddr = iph->daddr,
		.daddr = iph->saddr,
		.oif = 0,
		.mark = IP4_REPLY_MARK(net, skb->mark),
	};

	h->sport = s->dport;
	h->dport = s->sport;
	xtcp_reply_send(net, &r, h);
}

void xtcp_send_reset(struct net *net, struct sk_buff *skb,
		     const struct xtcp_seg *s)
{
	struct xtcp_hdr h;

	/* Nothing is answered that came to more than one host. */
	if (skb_rtable(skb)->rt_type != RTN_LOCAL || !xtcp_rst_reply(s, &h))
		return;
	XTCP_INC(net, OUTRSTS);
	xtcp_reply_to(net, skb, s, &h);
}

void xtcp_send_abort(struct sock *sk)
{
	struct sk_buff *skb = xtcp_xmit_alloc(0, GFP_ATOMIC);
	struct xtcp_hdr h;

	if (!skb) {
		XTCP_INC(sock_net(sk), NOMEM);
		return;
	}
	xtcp_core_rst_hdr(&xtcp_sk(sk)->core, xtcp_now(), &h);
	XTCP_INC(sock_net(sk), OUTRSTS);
	xtcp_xmit(sk, skb, &h);
}

// SPDX-License-Identifier: GPL-2.0
/* News from below: unreachable hosts, ports and protocols, smaller path MTUs. */
#include <linux/icmp.h>
#include <net/icmp.h>
#include <net/ip.h>
#include <net/route.h>
#include "conn/conn.h"
#include "rx/rx.h"
#include "tx/tx.h"

void xtcp_mtu_reduced(struct sock *sk)
{
	struct dst_entry *dst;

	if (sk->sk_state == TCP_CLOSE || sk->sk_state == TCP_LISTEN)
		return;
	dst = xtcp_route(sk);
	if (!dst)
		return;
	/* This may leave an exception that replaces the route. */
	dst->ops->update_pmtu(dst, sk, NULL, xtcp_sk(sk)->mtu_news, true);
	dst = xtcp_route(sk);
	if (dst && dst_mtu(dst) < xtcp_sk(sk)->mtu)
		xtcp_sync_mss(sk, dst_mtu(dst));
	xtcp_settle(sk);
}

static void frag_needed(struct sock *sk, u32 mtu, u32 seq)
{
	struct xtcp_core *c = &xtcp_sk(sk)->core;

	if (seq_lt(seq, c->snd_una) || seq_ge(seq, c->snd_nxt))
		return;
	WRITE_ONCE(xtcp_sk(sk)->mtu_news, mtu);
	if (sock_owned_by_user(sk)) {
		if (!test_and_set_bit(XTCP_DEFER_MTU, &xtcp_sk(sk)->deferred))
			sock_hold(sk);
		return;
	}
	xtcp_mtu_reduced(sk);
}

/* What an ICMP error means; 0: nothing to report. */
static int icmp_errno(int type, int code, bool *hard)
{
	switch (type) {
	case ICMP_PARAMETERPROB:
		*hard = true;
		return EPROTO;
	case ICMP_DEST_UNREACH:
		if (code > NR_ICMP_UNREACH || code == ICMP_FRAG_NEEDED)
			return 0;
		*hard = icmp_err_convert[code].fatal;
		return icmp_err_convert[code].errno;
	case ICMP_TIME_EXCEEDED:
		*hard = false;
		return EHOSTUNREACH;
	}
	return 0;
}

static void report(struct sock *sk, u32 seq, int err, bool hard)
{
	struct xtcp_core *c = &xtcp_sk(sk)->core;
	/*
	 * While a connection is being opened every error is final, as
	 * natively; later only with IP_RECVERR, and the rest is remembered.
	 */
	bool opening = c->state == XTCP_SYN_SENT || c->state == XTCP_SYN_RECV;

	if (!xtcp_core_net_error(c, seq, err, opening))
		return;
	if (!opening && xtcp_inet_recverr(sk) && hard) {
		WRITE_ONCE(sk->sk_err, err);
		sk_error_report(sk);
	} else if (!opening) {
		WRITE_ONCE(sk->sk_err_soft, err);
	}
	xtcp_settle(sk);
}

/* The connection that the quoted datagram belongs to, with a reference. */
static struct sock *quoted_sock(struct net *net, const struct iphdr *iph,
				const u8 *th, int iif)
{
	struct xtcp_entry *e;
	struct xtcp_key key;

	xtcp_key_v4(&key, iph->saddr, htons(xtcp_get16(th)), iph->daddr,
		    htons(xtcp_get16(th + 2)));
	e = xtcp_table_lookup(xtcp_pernet(net), &key, iif);
	if (!e || e->kind != XTCP_KIND_SOCK)
		return NULL;
	return xtcp_entry_get(e, &key);
}

/*
 * net_protocol.err_handler: skb->data at the quoted IP header, of which the
 * caller has made the header and 8 bytes more readable.  Softirq, RCU.
 */
int xtcp_v4_err(struct sk_buff *skb, u32 info)
{
	const struct iphdr *iph = (const struct iphdr *)skb->data;
	const u8 *th = skb->data + (iph->ihl << 2);
	int type = icmp_hdr(skb)->type, code = icmp_hdr(skb)->code;
	struct net *net = dev_net(skb->dev);
	bool hard = false;
	struct sock *sk;
	u32 seq;
	int err;

	sk = quoted_sock(net, iph, th, inet_iif(skb));
	if (!sk) {
		XTCP_INC(net, ICMPERRS);
		return -ENOENT;
	}
	seq = xtcp_get32(th + 4);
	bh_lock_sock(sk);
	if (sk->sk_state == TCP_CLOSE)
		goto out;
	if (type == ICMP_DEST_UNREACH && code == ICMP_FRAG_NEEDED) {
		frag_needed(sk, info, seq);
		goto out;
	}
	err = icmp_errno(type, code, &hard);
	/* Natively too, nothing but the path MTU waits for the user. */
	if (err && !sock_owned_by_user(sk))
		report(sk, seq, err, hard);
	else if (err)
		WRITE_ONCE(sk->sk_err_soft, err);
out:
	bh_unlock_sock(sk);
	sock_put(sk);
	return 0;
}

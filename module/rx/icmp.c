// SPDX-License-Identifier: GPL-2.0
/*
 * News from below: unreachable hosts, ports and protocols, smaller path MTUs,
 * better first hops.  Whoever sees our segments can forge all of them, and
 * the rest of the world can guess: nothing is believed that does not quote a
 * sequence number in flight (RFC 5927).
 */
#include <linux/icmp.h>
#include <net/icmp.h>
#include <net/ip.h>
#include <net/route.h>
#include "conn/conn.h"
#include "rx/rx.h"
#include "tx/tx.h"

void xtcp_mtu_reduced(struct sock *sk)
{
	u32 news = READ_ONCE(xtcp_sk(sk)->mtu_news), mtu;
	struct dst_entry *dst;

	if (sk->sk_state == TCP_CLOSE || sk->sk_state == TCP_LISTEN)
		return;
	dst = xtcp_route(sk);
	if (!dst)
		return;
	/* This may leave an exception that replaces the route. */
	dst->ops->update_pmtu(dst, sk, NULL, news, true);
	dst = xtcp_route(sk);
	if (!dst)
		return;
	mtu = dst_mtu(dst);
	/* The route does not believe so little, and we must not fragment. */
	if (news < mtu && ip_dont_fragment(sk, dst))
		WRITE_ONCE(sk->sk_err_soft, EMSGSIZE);
	if (inet_sk(sk)->pmtudisc == IP_PMTUDISC_DONT ||
	    !ip_sk_accept_pmtu(sk) || mtu >= xtcp_sk(sk)->mtu)
		return;
	xtcp_sync_mss(sk, mtu);
	xtcp_core_too_long(&xtcp_sk(sk)->core);
	xtcp_settle(sk);
}

static void frag_needed(struct sock *sk, u32 mtu)
{
	WRITE_ONCE(xtcp_sk(sk)->mtu_news, mtu);
	if (!sock_owned_by_user(sk))
		xtcp_mtu_reduced(sk);
	else if (!test_and_set_bit(XTCP_DEFER_MTU, &xtcp_sk(sk)->deferred))
		sock_hold(sk);
}

/* There is a better first hop: the route's own rules decide. */
static void redirect(struct sock *sk, struct sk_buff *skb)
{
	struct dst_entry *dst;

	if (sock_owned_by_user(sk))
		return;
	dst = __sk_dst_check(sk, 0);
	if (dst)
		dst->ops->redirect(dst, sk, skb);
}

/* What an ICMP error means; 0: nothing to report. */
static int icmp_errno(int type, int code)
{
	switch (type) {
	case ICMP_PARAMETERPROB:
		return EPROTO;
	case ICMP_DEST_UNREACH:
		if (code > NR_ICMP_UNREACH || code == ICMP_FRAG_NEEDED)
			return 0;
		return icmp_err_convert[code].errno;
	case ICMP_TIME_EXCEEDED:
		return EHOSTUNREACH;
	}
	return 0;
}

static bool is_unreachable(int type, int code)
{
	return type == ICMP_DEST_UNREACH &&
	       (code == ICMP_NET_UNREACH || code == ICMP_HOST_UNREACH);
}

/* Does it end a request?  A port or protocol is not refused by an answer. */
static bool ends_request(int type, int code)
{
	return type == ICMP_PARAMETERPROB || type == ICMP_TIME_EXCEEDED ||
	       is_unreachable(type, code);
}

/* While a connection is being opened every error is final. */
static void report_opening(struct sock *sk, struct sk_buff *skb, int err,
			   u32 info, u8 *th)
{
	xtcp_icmp_error(sk, skb, err, inet_sk(sk)->inet_dport, info, th);
	if (sock_owned_by_user(sk)) {
		WRITE_ONCE(sk->sk_err_soft, err);
		return;
	}
	xtcp_core_net_error(&xtcp_sk(sk)->core, err);
	xtcp_settle(sk);
}

/*
 * Later only the user can know: told at once if he has asked for it, else
 * when the connection times out (RFC 1122, 4.2.3.9).
 */
static void report(struct sock *sk, int err)
{
	if (!sock_owned_by_user(sk) && xtcp_inet_recverr(sk)) {
		WRITE_ONCE(sk->sk_err, err);
		sk_error_report(sk);
	} else {
		WRITE_ONCE(sk->sk_err_soft, err);
	}
}

/* A snapshot is not enough here: if the user owns the socket, never mind. */
static void path_gone(struct sock *sk, u32 seq)
{
	if (sock_owned_by_user(sk))
		return;
	xtcp_core_unreachable(&xtcp_sk(sk)->core, seq, xtcp_now());
	xtcp_settle(sk);
}

static void sock_err(struct sock *sk, struct sk_buff *skb, u32 info, u8 *th)
{
	int type = icmp_hdr(skb)->type, code = icmp_hdr(skb)->code, err;

	if (type == ICMP_REDIRECT) {
		redirect(sk, skb);
	} else if (type == ICMP_DEST_UNREACH && code == ICMP_FRAG_NEEDED) {
		frag_needed(sk, info);
	} else {
		err = icmp_errno(type, code);
		if (!err)
			return;
		if (is_unreachable(type, code))
			path_gone(sk, xtcp_get32(th + 4));
		if (sk->sk_state == TCP_SYN_SENT || sk->sk_state == TCP_SYN_RECV)
			report_opening(sk, skb, err, info, th);
		else
			report(sk, err);
	}
}

/*
 * The user may own the socket: what is looked at here is then a snapshot,
 * which can make us believe or drop one error wrongly, as natively.
 */
static bool sock_err_ok(struct sock *sk, const struct iphdr *iph, u32 seq)
{
	if (sk->sk_state == TCP_CLOSE)
		return false;
	if (unlikely(iph->ttl < READ_ONCE(inet_sk(sk)->min_ttl))) {
		XTCP_INC(sock_net(sk), MINTTLDROP);
		return false;
	}
	if (!xtcp_core_in_flight(&xtcp_sk(sk)->core, seq)) {
		XTCP_INC(sock_net(sk), OUTOFWINDOWICMPS);
		return false;
	}
	return true;
}

static void to_sock(struct sock *sk, struct sk_buff *skb, u32 info, u8 *th)
{
	const struct iphdr *iph = (const struct iphdr *)skb->data;
	const struct icmphdr *ic = icmp_hdr(skb);

	bh_lock_sock(sk);
	/* Nothing but the path MTU waits until he is done. */
	if (sock_owned_by_user(sk) && !(ic->type == ICMP_DEST_UNREACH &&
					ic->code == ICMP_FRAG_NEEDED))
		XTCP_INC(sock_net(sk), LOCKDROPPEDICMPS);
	if (sock_err_ok(sk, iph, xtcp_get32(th + 4)))
		sock_err(sk, skb, info, th);
	bh_unlock_sock(sk);
}

/*
 * net_protocol.err_handler: skb->data at the quoted IP header, of which the
 * caller has made the header and 8 bytes more readable.  @info: next hop's
 * MTU, or the new gateway.  Softirq, RCU.
 */
int xtcp_v4_err(struct sk_buff *skb, u32 info)
{
	const struct iphdr *iph = (const struct iphdr *)skb->data;
	u8 *th = skb->data + (iph->ihl << 2);
	struct net *net = dev_net(skb->dev);
	struct xtcp_entry *e;
	struct xtcp_key key;
	struct sock *sk;

	xtcp_key_v4(&key, iph->saddr, htons(xtcp_get16(th)), iph->daddr,
		    htons(xtcp_get16(th + 2)));
	e = xtcp_table_lookup(xtcp_pernet(net), &key, inet_iif(skb));
	if (!e) {
		XTCP_INC(net, ICMPERRS);
		return -ENOENT;
	}
	switch (e->kind) {
	case XTCP_KIND_SOCK:
		sk = xtcp_entry_get(e, &key);
		if (!sk) {
			XTCP_INC(net, ICMPERRS);
			return -ENOENT;
		}
		to_sock(sk, skb, info, th);
		sock_put(sk);
		break;
	case XTCP_KIND_REQ:
		xtcp_synq_error(container_of(e, struct xtcp_reqsk, entry),
				xtcp_get32(th + 4),
				ends_request(icmp_hdr(skb)->type,
					     icmp_hdr(skb)->code));
		break;
	case XTCP_KIND_TW:
		break;
	}
	return 0;
}

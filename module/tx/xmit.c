// SPDX-License-Identifier: GPL-2.0
/*
 * The IP edge: the one place that calls IP's output, computes checksums and
 * knows which number the IP header carries.
 */
#include <linux/tcp.h>
#include <net/checksum.h>
#include <net/inet_ecn.h>
#include <net/ip.h>
#include <net/route.h>
#include <net/tcp.h>
#include <net/xfrm.h>
#include "tx/tx.h"

#define XTCP_HEADROOM	(LL_MAX_HEADER + sizeof(struct iphdr) + MAX_IPOPTLEN + \
			 XTCP_HDR_MAX + 64)

struct sk_buff *xtcp_xmit_alloc(u32 len, gfp_t gfp)
{
	struct sk_buff *skb = alloc_skb(XTCP_HEADROOM + len, gfp | __GFP_NOWARN);

	if (skb)
		skb_reserve(skb, XTCP_HEADROOM);
	return skb;
}

/*
 * Leaves the checksum to whoever sends the segment off at last: a device that
 * sums any range, or the kernel for one that cannot.  Which device that is
 * nobody knows here, IP may still choose another one and a bridge may stand
 * behind it.  A device that knows TCP's and UDP's checksums only is known by
 * the kernel (skb_csum_hwoffload_help()) to take what has its checksum where
 * TCP has it, 16 octets behind the start of the sum.  Such a device may look at
 * the IP header's number and go wrong; so the sum starts behind the ports, which
 * are added here, and no such device is ever asked.  For a burst the start is
 * TCP's: the kernel cuts it by TCP's rules (offload.c).
 */
static void set_checksum(struct sk_buff *skb, __be32 saddr, __be32 daddr)
{
	struct tcphdr *th = tcp_hdr(skb);
	__wsum sum = csum_tcpudp_nofold(saddr, daddr, skb->len,
					XTCP_CSUM_PROTO, 0);
	u32 skip = skb_is_gso(skb) ? 0 : offsetof(struct tcphdr, seq);

	if (skip)
		sum = csum_partial(th, skip, sum);
	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->csum_start = skb_transport_header(skb) - skb->head + skip;
	skb->csum_offset = offsetof(struct tcphdr, check) - skip;
	th->check = ~csum_fold(sum);
}

static void push_header(struct sk_buff *skb, const struct xtcp_hdr *h)
{
	u8 *p = skb_push(skb, xtcp_hdr_len(h));

	skb_reset_transport_header(skb);
	xtcp_hdr_write(p, h);
}

/* Where the next segment goes: a source route has its own first hop. */
static __be32 first_hop(const struct sock *sk)
{
	const struct inet_sock *inet = inet_sk(sk);
	const struct ip_options_rcu *opt;
	__be32 daddr = inet->inet_daddr;

	rcu_read_lock();
	opt = rcu_dereference(inet->inet_opt);
	if (opt && opt->opt.srr)
		daddr = opt->opt.faddr;
	rcu_read_unlock();
	return daddr;
}

void xtcp_heed_route(struct sock *sk)
{
	const struct dst_entry *dst = __sk_dst_get(sk);

	xtcp_sk(sk)->core.quickack = dst && dst_metric(dst, RTAX_QUICKACK);
}

/*
 * The kernel cuts bursts for a device that has no segmentation offload at all,
 * too: sk_setup_caps() reckons with that for TCP only.  Not where IPsec needs
 * each segment by itself.
 */
static void caps_software(struct sock *sk, const struct dst_entry *dst)
{
	const struct net_device *dev;

	if (sk->sk_gso_disabled ||
	    (dst->header_len && !xfrm_dst_offload_ok((struct dst_entry *)dst)))
		return;
	sk->sk_route_caps |= NETIF_F_GSO | NETIF_F_GSO_SOFTWARE | NETIF_F_SG |
			     NETIF_F_HW_CSUM;
	rcu_read_lock();
	dev = READ_ONCE(dst->dev);
	/* As sk_setup_caps() has it: headers count. */
	WRITE_ONCE(sk->sk_gso_max_size,
		   clamp_t(u32, READ_ONCE(dev->gso_max_size),
			   2 * MAX_TCP_HEADER, GSO_LEGACY_MAX_SIZE) -
		   (MAX_TCP_HEADER + 1));
	WRITE_ONCE(sk->sk_gso_max_segs,
		   max_t(u32, READ_ONCE(dev->gso_max_segs), 1));
	rcu_read_unlock();
}

void xtcp_set_route(struct sock *sk, struct dst_entry *dst)
{
	sk_setup_caps(sk, dst);
	if (!sk_can_gso(sk))
		caps_software(sk, dst);
	xtcp_heed_route(sk);
}

struct dst_entry *xtcp_route(struct sock *sk)
{
	struct inet_sock *inet = inet_sk(sk);
	struct dst_entry *dst = __sk_dst_check(sk, 0);
	struct rtable *rt;

	if (dst)
		return dst;
	rt = ip_route_output_ports(sock_net(sk), &inet->cork.fl.u.ip4, sk,
				   first_hop(sk), inet->inet_saddr,
				   inet->inet_dport, inet->inet_sport,
				   sk->sk_protocol, ip_sock_rt_tos(sk),
				   sk->sk_bound_dev_if);
	if (IS_ERR(rt)) {
		sk->sk_route_caps = 0;
		WRITE_ONCE(sk->sk_err_soft, -PTR_ERR(rt));
		return NULL;
	}
	xtcp_set_route(sk, &rt->dst);
	return &rt->dst;
}

u32 xtcp_burst_max(const struct sock *sk)
{
	u32 mss = xtcp_sk(sk)->core.mss, most;

	if (!sk_can_gso(sk))
		return mss;
	/* What headers take, MAX_TCP_HEADER, is taken off already. */
	most = min_t(u32, READ_ONCE(sk->sk_gso_max_size),
		     READ_ONCE(sk->sk_gso_max_segs) * mss);
	return max(most, mss);
}

void xtcp_set_gso(const struct sock *sk, struct sk_buff *skb, u16 mss)
{
	struct skb_shared_info *sh = skb_shinfo(skb);

	sh->gso_size = mss;
	sh->gso_segs = DIV_ROUND_UP(skb->len, mss);
	sh->gso_type = sk->sk_gso_type;
}

int xtcp_xmit(struct sock *sk, struct sk_buff *skb, const struct xtcp_hdr *h)
{
	struct inet_sock *inet = inet_sk(sk);

	push_header(skb, h);
	/*
	 * The socket stays until the segment has left the machine; nobody is
	 * woken then (SOCK_USE_WRITE_QUEUE): the ACK does that.
	 */
	skb->sk = sk;
	skb->destructor = xtcp_wfree;
	skb_set_hash_from_sk(skb, sk);
	/* The neighbour is told that the peer has answered (sk_dst_confirm()). */
	skb_set_dst_pending_confirm(skb, READ_ONCE(sk->sk_dst_pending_confirm));
	refcount_add(skb->truesize, &sk->sk_wmem_alloc);
	set_checksum(skb, inet->inet_saddr, inet->inet_daddr);
	XTCP_ADD(sock_net(sk), OUTSEGS, max_t(u16, skb_shinfo(skb)->gso_segs, 1));
	return ip_queue_xmit(sk, skb, &inet->cork.fl);
}

static struct rtable *reply_route(struct net *net, const struct xtcp_reply *r,
				  const struct xtcp_hdr *h)
{
	struct flowi4 fl4;

	flowi4_init_output(&fl4, r->oif, r->mark, r->tos & ~INET_ECN_MASK,
			   r->scope,
			   xtcp_ipproto, r->sk ? inet_sk_flowi_flags(r->sk) : 0, r->daddr,
			   r->saddr, htons(h->dport), htons(h->sport),
			   sock_net_uid(net, r->sk));
	fl4.flowi4_secid = r->secid;
	return ip_route_output_flow(net, &fl4, r->sk);
}

static void reply_ip_header(struct net *net, struct sk_buff *skb,
			    const struct xtcp_reply *r)
{
	struct iphdr *iph = skb_push(skb, sizeof(*iph));

	skb_reset_network_header(skb);
	memset(iph, 0, sizeof(*iph));
	iph->version = 4;
	iph->ihl = sizeof(*iph) / 4;
	iph->tos = r->tos & ~INET_ECN_MASK;
	iph->frag_off = htons(IP_DF);
	iph->ttl = r->ttl ?: ip4_dst_hoplimit(skb_dst(skb));
	iph->protocol = xtcp_ipproto;
	iph->saddr = r->saddr;
	iph->daddr = r->daddr;
	ip_select_ident(net, skb, NULL);
}

void xtcp_xmit_reply(struct net *net, struct sk_buff *skb,
		     const struct xtcp_reply *r, const struct xtcp_hdr *h)
{
	struct rtable *rt = reply_route(net, r, h);

	if (IS_ERR(rt)) {
		kfree_skb(skb);
		return;
	}
	skb_dst_set(skb, &rt->dst);
	push_header(skb, h);
	set_checksum(skb, r->saddr, r->daddr);
	skb->mark = r->mark;
	skb->priority = r->priority;
	if (r->txhash)
		__skb_set_hash(skb, r->txhash, false, true);
	reply_ip_header(net, skb, r);
	XTCP_INC(net, OUTSEGS);
	ip_local_out(net, NULL, skb);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * The table of listeners, by namespace, address and port: who may take a SYN.
 */
#include <linux/jhash.h>
#include <net/ip.h>
#include <net/route.h>
#include <net/sock_reuseport.h>
#include "conn/conn.h"

/*
 * Where those stand who listen at @addr, 0: any, and @port in host byte order.
 * Users choose both, so a secret goes in.
 */
static u32 lslot_of(const struct xtcp_net *xn, __be32 addr, u16 port)
{
	return jhash_2words((__force u32)addr, port, xn->listen_secret) &
	       xtcp_tables.lmask;
}

/* The chain for @sk, which has its address and port. */
static struct xtcp_lchain *lchain_of(struct xtcp_net *xn, const struct sock *sk)
{
	return &xtcp_tables.lhash[lslot_of(xn, inet_sk(sk)->inet_rcv_saddr,
					   inet_sk(sk)->inet_num)];
}

static bool same_group(const struct sock *a, const struct sock *b)
{
	return b->sk_reuseport && net_eq(sock_net(a), sock_net(b)) &&
	       inet_sk(a)->inet_num == inet_sk(b)->inet_num &&
	       a->sk_family == b->sk_family &&
	       a->sk_bound_dev_if == b->sk_bound_dev_if &&
	       inet_sk(a)->inet_rcv_saddr == inet_sk(b)->inet_rcv_saddr &&
	       uid_eq(a->sk_uid, b->sk_uid);
}

/*
 * Into the kernel's group of listeners with the same address, which stand in
 * @chain as @sk will; its lock.
 */
static int group_join(struct sock *sk, struct xtcp_lchain *chain)
{
	bool any = !inet_sk(sk)->inet_rcv_saddr;
	struct hlist_nulls_node *n;
	struct xtcp_sock *xs;

	hlist_nulls_for_each_entry(xs, n, &chain->head, lnode)
		if (same_group(sk, &xs->inet.sk))
			return reuseport_add_sock(sk, &xs->inet.sk, any);
	return reuseport_alloc(sk, any);
}

int xtcp_listeners_add(struct xtcp_net *xn, struct sock *sk)
{
	struct xtcp_lchain *chain = lchain_of(xn, sk);
	struct xtcp_sock *xs = xtcp_sk(sk);
	int err = 0;

	spin_lock_bh(&chain->lock);
	if (sk->sk_reuseport)
		err = group_join(sk, chain);
	if (!err) {
		hlist_nulls_add_head_rcu(&xs->lnode, &chain->head);
		xs->listed = true;
	}
	spin_unlock_bh(&chain->lock);
	return err;
}

void xtcp_listeners_del(struct xtcp_net *xn, struct sock *sk)
{
	struct xtcp_lchain *chain = lchain_of(xn, sk);
	struct xtcp_sock *xs = xtcp_sk(sk);

	spin_lock_bh(&chain->lock);
	if (xs->listed) {
		if (rcu_access_pointer(sk->sk_reuseport_cb))
			reuseport_stop_listen_sock(sk);
		hlist_nulls_del_init_rcu(&xs->lnode);
	}
	xs->listed = false;
	spin_unlock_bh(&chain->lock);
}

/*
 * How well @sk fits, which has to listen at @addr of @xn itself, 0: not at all.  A
 * device weighs as much as the processor that SO_INCOMING_CPU asks for: native
 * TCP's order.
 */
static int listener_score(const struct xtcp_net *xn, const struct sock *sk,
			  __be32 addr, u16 lport, int ifindex)
{
	int bound = READ_ONCE(sk->sk_bound_dev_if);
	int score = bound ? 2 : 1;

	if (inet_sk(sk)->inet_num != lport || !net_eq(sock_net(sk), xn->net) ||
	    READ_ONCE(inet_sk(sk)->inet_rcv_saddr) != addr ||
	    (bound && bound != ifindex))
		return 0;
	if (READ_ONCE(sk->sk_incoming_cpu) == raw_smp_processor_id())
		score++;
	return score;
}

static bool in_group(const struct sock *sk)
{
	return sk->sk_reuseport && rcu_access_pointer(sk->sk_reuseport_cb);
}

/*
 * Who listens at @addr, 0: any.  A member of a group ends the search, as
 * natively: tens of thousands of its like may follow in the chain.
 * A listener may leave a chain and join another under a reader's feet: as in
 * find_in(), the end of the chain tells.
 */
static struct sock *listener_at(struct xtcp_net *xn, __be32 addr, u16 lport,
				int ifindex)
{
	u32 slot = lslot_of(xn, addr, lport);
	struct hlist_nulls_node *n;
	struct xtcp_sock *xs;
	struct sock *best;
	int top, score;

again:
	best = NULL;
	top = 0;
	hlist_nulls_for_each_entry_rcu(xs, n, &xtcp_tables.lhash[slot].head,
				       lnode) {
		score = listener_score(xn, &xs->inet.sk, addr, lport,
				       ifindex);
		if (score <= top)
			continue;
		top = score;
		best = &xs->inet.sk;
		if (in_group(best))
			return best;
	}
	if (get_nulls_value(n) != slot)
		goto again;
	return best;
}

/* An exact address comes before everything else. */
static struct sock *listener_find(struct xtcp_net *xn, __be32 laddr, u16 lport,
				  int ifindex)
{
	return listener_at(xn, laddr, lport, ifindex) ?:
	       listener_at(xn, htonl(INADDR_ANY), lport, ifindex);
}

/*
 * What a member of a reuseport group is picked by.  It has a secret of its own:
 * whoever learns from some dozens of picks what that is, must not know the
 * chains of the table of connections as well.
 */
static u32 group_hash(const struct xtcp_net *xn, const struct iphdr *iph,
		      const struct xtcp_seg *s)
{
	return jhash_3words((__force u32)iph->daddr, (__force u32)iph->saddr,
			    (u32)s->dport << 16 | s->sport, xn->group_secret);
}

struct sock *xtcp_listener_find(struct xtcp_net *xn, struct sk_buff *skb,
				const struct xtcp_seg *s)
{
	const struct iphdr *iph = ip_hdr(skb);
	struct sock *sk = listener_find(xn, iph->daddr, s->dport,
					inet_iif(skb)), *member;

	if (!sk || !sk->sk_reuseport)
		return sk;
	member = reuseport_select_sock(sk, group_hash(xn, iph, s), skb,
				       s->hlen);
	return member ?: sk;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * The tables of a namespace: connections by their four-tuple, whatever their
 * kind, and listeners by their address and port.
 */
#include <linux/jhash.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/route.h>
#include <net/sock_reuseport.h>
#include "conn/conn.h"

void xtcp_key_v4(struct xtcp_key *key, __be32 laddr, __be16 lport,
		 __be32 raddr, __be16 rport)
{
	ipv6_addr_set_v4mapped(laddr, &key->laddr);
	ipv6_addr_set_v4mapped(raddr, &key->raddr);
	key->lport = lport;
	key->rport = rport;
}

__be32 xtcp_addr_v4(const struct in6_addr *a)
{
	return a->s6_addr32[3];
}

u32 xtcp_key_hash(const struct xtcp_net *xn, const struct xtcp_key *key)
{
	u32 ports = (__force u32)key->lport << 16 | (__force u32)key->rport;
	u32 l = (__force u32)key->laddr.s6_addr32[3];
	u32 r = (__force u32)key->raddr.s6_addr32[3];

	if (likely(ipv6_addr_v4mapped(&key->raddr)))
		return jhash_3words(l, r, ports, xn->hash_secret);
	return jhash2((const u32 *)key, sizeof(*key) / sizeof(u32),
		      xn->hash_secret);
}

static u32 slot_of(u32 hash)
{
	return hash & (BIT(XTCP_EHASH_BITS) - 1);
}

static struct hlist_nulls_head *bucket_of(struct xtcp_net *xn, u32 hash)
{
	return &xn->ehash[slot_of(hash)];
}

static spinlock_t *lock_of(struct xtcp_net *xn, u32 hash)
{
	return &xn->ehash_lock[hash & (XTCP_EHASH_LOCKS - 1)];
}

static bool key_equal(const struct xtcp_key *a, const struct xtcp_key *b)
{
	return a->lport == b->lport && a->rport == b->rport &&
	       ipv6_addr_equal(&a->raddr, &b->raddr) &&
	       ipv6_addr_equal(&a->laddr, &b->laddr);
}

/*
 * A socket may leave a chain and join another under a reader's feet (it is
 * used anew at once): the reader sees by the end of the chain that it is in
 * the wrong one, and begins again.
 */
static struct xtcp_entry *find_in(struct xtcp_net *xn, u32 hash,
				  const struct xtcp_key *key, int ifindex)
{
	struct hlist_nulls_node *n;
	struct xtcp_entry *e;

again:
	hlist_nulls_for_each_entry_rcu(e, n, bucket_of(xn, hash), node)
		if (e->hash == hash && key_equal(&e->key, key) &&
		    (!e->bound_if || e->bound_if == ifindex))
			return e;
	if (get_nulls_value(n) != slot_of(hash))
		goto again;
	return NULL;
}

struct xtcp_entry *xtcp_table_lookup(struct xtcp_net *xn,
				     const struct xtcp_key *key, int ifindex)
{
	return find_in(xn, xtcp_key_hash(xn, key), key, ifindex);
}

struct sock *xtcp_entry_get(struct xtcp_entry *e, const struct xtcp_key *key)
{
	struct sock *sk = &container_of(e, struct xtcp_sock, entry)->inet.sk;

	if (!refcount_inc_not_zero(&sk->sk_refcnt))
		return NULL;
	/* It may have become another connection meanwhile. */
	if (likely(key_equal(&e->key, key)))
		return sk;
	sock_put(sk);
	return NULL;
}

int xtcp_table_insert(struct xtcp_net *xn, struct xtcp_entry *e)
{
	int err = -EADDRNOTAVAIL;

	e->hash = xtcp_key_hash(xn, &e->key);
	spin_lock_bh(lock_of(xn, e->hash));
	if (!find_in(xn, e->hash, &e->key, e->bound_if)) {
		hlist_nulls_add_head_rcu(&e->node, bucket_of(xn, e->hash));
		err = 0;
	}
	spin_unlock_bh(lock_of(xn, e->hash));
	return err;
}

/* net.xtcp.tw_reuse: 2 is for connections within the machine only. */
static bool timewait_reuse(const struct xtcp_net *xn, const struct xtcp_twsk *tw)
{
	u8 reuse = READ_ONCE(xn->reuse_timewait);

	if (reuse != 2)
		return reuse;
	return tw->entry.bound_if == LOOPBACK_IFINDEX ||
	       ipv4_is_loopback(xtcp_addr_v4(&tw->entry.key.raddr)) ||
	       ipv4_is_loopback(xtcp_addr_v4(&tw->entry.key.laddr));
}

/* @old, if there is one, is a mini-socket that gives its place to connect(). */
static bool gives_way(const struct xtcp_net *xn, const struct xtcp_entry *old,
		      bool bound)
{
	const struct xtcp_twsk *tw;

	if (!old)
		return true;
	if (old->kind != XTCP_KIND_TW)
		return false;
	tw = container_of(old, const struct xtcp_twsk, entry);
	return xtcp_tw_reusable(&tw->tw, timewait_reuse(xn, tw), bound, xtcp_now());
}

int xtcp_table_connect(struct xtcp_net *xn, struct xtcp_entry *e, bool bound,
		       struct xtcp_twsk **tw)
{
	struct xtcp_entry *old;
	int err = -EADDRNOTAVAIL;

	*tw = NULL;
	e->hash = xtcp_key_hash(xn, &e->key);
	spin_lock_bh(lock_of(xn, e->hash));
	old = find_in(xn, e->hash, &e->key, e->bound_if);
	if (gives_way(xn, old, bound)) {
		/* The new one first, as in xtcp_table_replace(). */
		hlist_nulls_add_head_rcu(&e->node, bucket_of(xn, e->hash));
		if (old) {
			hlist_nulls_del_init_rcu(&old->node);
			*tw = container_of(old, struct xtcp_twsk, entry);
		}
		err = 0;
	}
	spin_unlock_bh(lock_of(xn, e->hash));
	return err;
}

bool xtcp_table_remove(struct xtcp_net *xn, struct xtcp_entry *e)
{
	bool was;

	spin_lock_bh(lock_of(xn, e->hash));
	was = !hlist_nulls_unhashed(&e->node);
	if (was)
		hlist_nulls_del_init_rcu(&e->node);
	spin_unlock_bh(lock_of(xn, e->hash));
	return was;
}

bool xtcp_table_replace(struct xtcp_net *xn, struct xtcp_entry *old,
			struct xtcp_entry *e)
{
	bool was;

	e->hash = old->hash;
	spin_lock_bh(lock_of(xn, old->hash));
	was = !hlist_nulls_unhashed(&old->node);
	if (was) {
		/* The new one first: a lookup must always find one of them. */
		hlist_nulls_add_head_rcu(&e->node, bucket_of(xn, old->hash));
		hlist_nulls_del_init_rcu(&old->node);
	}
	spin_unlock_bh(lock_of(xn, old->hash));
	return was;
}

/*
 * Where those stand who listen at @addr, 0: any, and @port in host byte order.
 * Users choose both, so a secret goes in.  Not that of the connections: what
 * that makes of a tuple shows in the member that a reuseport group picks for
 * it, and some dozens of picks tell the secret.
 */
static u32 lslot_of(const struct xtcp_net *xn, __be32 addr, u16 port)
{
	return jhash_2words((__force u32)addr, port, xn->listen_secret) &
	       (BIT(XTCP_LHASH_BITS) - 1);
}

/* The chain for @sk, which has its address and port. */
static struct hlist_nulls_head *lchain_of(struct xtcp_net *xn,
					  const struct sock *sk)
{
	return &xn->lhash[lslot_of(xn, inet_sk(sk)->inet_rcv_saddr,
				   inet_sk(sk)->inet_num)];
}

static bool same_group(const struct sock *a, const struct sock *b)
{
	return b->sk_reuseport && inet_sk(a)->inet_num == inet_sk(b)->inet_num &&
	       a->sk_family == b->sk_family &&
	       a->sk_bound_dev_if == b->sk_bound_dev_if &&
	       inet_sk(a)->inet_rcv_saddr == inet_sk(b)->inet_rcv_saddr &&
	       uid_eq(a->sk_uid, b->sk_uid);
}

/*
 * Into the kernel's group of listeners with the same address, which stand in
 * @chain as @sk will; lhash_lock.
 */
static int group_join(struct sock *sk, struct hlist_nulls_head *chain)
{
	bool any = !inet_sk(sk)->inet_rcv_saddr;
	struct hlist_nulls_node *n;
	struct xtcp_sock *xs;

	hlist_nulls_for_each_entry(xs, n, chain, lnode)
		if (same_group(sk, &xs->inet.sk))
			return reuseport_add_sock(sk, &xs->inet.sk, any);
	return reuseport_alloc(sk, any);
}

int xtcp_listeners_add(struct xtcp_net *xn, struct sock *sk)
{
	struct hlist_nulls_head *chain = lchain_of(xn, sk);
	struct xtcp_sock *xs = xtcp_sk(sk);
	int err = 0;

	spin_lock_bh(&xn->lhash_lock);
	if (sk->sk_reuseport)
		err = group_join(sk, chain);
	if (!err) {
		hlist_nulls_add_head_rcu(&xs->lnode, chain);
		xs->listed = true;
	}
	spin_unlock_bh(&xn->lhash_lock);
	return err;
}

void xtcp_listeners_del(struct xtcp_net *xn, struct sock *sk)
{
	struct xtcp_sock *xs = xtcp_sk(sk);

	spin_lock_bh(&xn->lhash_lock);
	if (xs->listed) {
		if (rcu_access_pointer(sk->sk_reuseport_cb))
			reuseport_stop_listen_sock(sk);
		hlist_nulls_del_init_rcu(&xs->lnode);
	}
	xs->listed = false;
	spin_unlock_bh(&xn->lhash_lock);
}

/*
 * How well @sk fits, which has to listen at @addr itself, 0: not at all.  A
 * device weighs as much as the processor that SO_INCOMING_CPU asks for: native
 * TCP's order.
 */
static int listener_score(const struct sock *sk, __be32 addr, u16 lport,
			  int ifindex)
{
	int bound = READ_ONCE(sk->sk_bound_dev_if);
	int score = bound ? 2 : 1;

	if (inet_sk(sk)->inet_num != lport ||
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
	hlist_nulls_for_each_entry_rcu(xs, n, &xn->lhash[slot], lnode) {
		score = listener_score(&xs->inet.sk, addr, lport, ifindex);
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

struct sock *xtcp_listener_find(struct xtcp_net *xn, struct sk_buff *skb,
				const struct xtcp_seg *s)
{
	const struct iphdr *iph = ip_hdr(skb);
	struct sock *sk = listener_find(xn, iph->daddr, s->dport,
					inet_iif(skb)), *member;
	struct xtcp_key key;

	if (!sk || !sk->sk_reuseport)
		return sk;
	xtcp_key_v4(&key, iph->daddr, htons(s->dport), iph->saddr,
		    htons(s->sport));
	member = reuseport_select_sock(sk, xtcp_key_hash(xn, &key), skb,
				       s->hlen);
	return member ?: sk;
}

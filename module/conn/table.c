// SPDX-License-Identifier: GPL-2.0
/*
 * The tables of a namespace: connections by their four-tuple, whatever their
 * kind, and listeners by their port.
 */
#include <linux/jhash.h>
#include <net/ipv6.h>
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
		    (!e->bound_if || !ifindex || e->bound_if == ifindex))
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

static struct hlist_head *lbucket_of(struct xtcp_net *xn, u16 port)
{
	return &xn->lhash[port & (BIT(XTCP_LHASH_BITS) - 1)];
}

void xtcp_listeners_add(struct xtcp_net *xn, struct sock *sk)
{
	spin_lock_bh(&xn->lhash_lock);
	hlist_add_head_rcu(&xtcp_sk(sk)->lnode,
			   lbucket_of(xn, inet_sk(sk)->inet_num));
	xtcp_sk(sk)->listed = true;
	spin_unlock_bh(&xn->lhash_lock);
}

void xtcp_listeners_del(struct xtcp_net *xn, struct sock *sk)
{
	spin_lock_bh(&xn->lhash_lock);
	if (xtcp_sk(sk)->listed)
		hlist_del_init_rcu(&xtcp_sk(sk)->lnode);
	xtcp_sk(sk)->listed = false;
	spin_unlock_bh(&xn->lhash_lock);
}

/* How well @sk fits; 0: not at all. */
static int listener_score(const struct sock *sk, __be32 laddr, u16 lport,
			  int ifindex)
{
	__be32 rcv = READ_ONCE(inet_sk(sk)->inet_rcv_saddr);
	int bound = READ_ONCE(sk->sk_bound_dev_if);
	int score = 1;

	if (inet_sk(sk)->inet_num != lport || (rcv && rcv != laddr) ||
	    (bound && bound != ifindex))
		return 0;
	if (rcv)
		score += 2;
	if (bound)
		score += 4;
	return score;
}

struct sock *xtcp_listeners_find(struct xtcp_net *xn, __be32 laddr, u16 lport,
				 int ifindex)
{
	struct sock *best = NULL;
	struct xtcp_sock *xs;
	int top = 0;

	hlist_for_each_entry_rcu(xs, lbucket_of(xn, lport), lnode) {
		struct sock *sk = &xs->inet.sk;
		int score = listener_score(sk, laddr, lport, ifindex);

		if (score > top) {
			top = score;
			best = sk;
		}
	}
	return best;
}

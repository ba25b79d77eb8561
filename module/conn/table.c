// SPDX-License-Identifier: GPL-2.0
/*
 * The table of connections, by namespace and four-tuple, whatever their kind;
 * and the making of all tables.  There is one of each for the whole module, as
 * native TCP has it: a namespace costs no memory for tables that it may never
 * use, and one with a million connections has as many chains as there are.
 */
#include <linux/jhash.h>
#include <linux/mm.h>
#include <linux/swap.h>
#include <linux/vmalloc.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/route.h>
#include "conn/conn.h"

struct xtcp_tables xtcp_tables __read_mostly;

/* One chain for each 2^@shift bytes of memory, within limits: a power of two. */
static u32 chains(u32 shift, u32 least, u32 most)
{
	unsigned long n = nr_free_buffer_pages() >> (shift - PAGE_SHIFT);

	return roundup_pow_of_two(clamp_t(unsigned long, n, least, most));
}

static bool tables_alloc(struct xtcp_tables *t, u32 e, u32 l, u32 b)
{
	u32 locks = min(e, roundup_pow_of_two(64 * num_possible_cpus()));

	t->emask = e - 1;
	t->elock_mask = locks - 1;
	t->lmask = l - 1;
	t->bmask = b - 1;
	t->ehash = kvcalloc(e, sizeof(*t->ehash), GFP_KERNEL);
	t->elocks = kvcalloc(locks, sizeof(*t->elocks), GFP_KERNEL);
	t->lhash = kvcalloc(l, sizeof(*t->lhash), GFP_KERNEL);
	t->bhash = kvcalloc(b, sizeof(*t->bhash), GFP_KERNEL);
	t->phash = kvcalloc(b, sizeof(*t->phash), GFP_KERNEL);
	return t->ehash && t->elocks && t->lhash && t->bhash && t->phash;
}

/*
 * A connection costs 2 KiB and more, a mini-socket 192 bytes.  One chain for
 * 16 KiB are 0.05 % of the memory, and chains of four when 16 % of it is in
 * connections; the most, a million, is reached with 16 GiB.
 */
int xtcp_tables_init(void)
{
	struct xtcp_tables *t = &xtcp_tables;
	u32 i;

	if (!tables_alloc(t, chains(14, 4096, 1 << 20),
			  chains(18, 1024, 1 << 16), chains(17, 1024, 1 << 16))) {
		xtcp_tables_exit();
		return -ENOMEM;
	}
	for (i = 0; i <= t->emask; i++)
		INIT_HLIST_NULLS_HEAD(&t->ehash[i], i);
	for (i = 0; i <= t->elock_mask; i++)
		spin_lock_init(&t->elocks[i]);
	for (i = 0; i <= t->lmask; i++) {
		INIT_HLIST_NULLS_HEAD(&t->lhash[i].head, i);
		spin_lock_init(&t->lhash[i].lock);
	}
	for (i = 0; i <= t->bmask; i++) {
		spin_lock_init(&t->bhash[i].lock);
		/* Taken inside of the other: lockdep must tell them apart. */
		spin_lock_init(&t->phash[i].lock);
	}
	return 0;
}

void xtcp_tables_exit(void)
{
	kvfree(xtcp_tables.ehash);
	kvfree(xtcp_tables.elocks);
	kvfree(xtcp_tables.lhash);
	kvfree(xtcp_tables.bhash);
	kvfree(xtcp_tables.phash);
}

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
	return hash & xtcp_tables.emask;
}

static struct hlist_nulls_head *bucket_of(u32 hash)
{
	return &xtcp_tables.ehash[slot_of(hash)];
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
static struct xtcp_entry *find_in(const struct xtcp_net *xn, u32 hash,
				  const struct xtcp_key *key, int ifindex)
{
	struct hlist_nulls_node *n;
	struct xtcp_entry *e;

again:
	hlist_nulls_for_each_entry_rcu(e, n, bucket_of(hash), node)
		if (e->hash == hash && e->net == xn->net &&
		    key_equal(&e->key, key) &&
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

	e->net = xn->net;
	e->hash = xtcp_key_hash(xn, &e->key);
	spin_lock_bh(xtcp_elock(e->hash));
	if (!find_in(xn, e->hash, &e->key, e->bound_if)) {
		hlist_nulls_add_head_rcu(&e->node, bucket_of(e->hash));
		err = 0;
	}
	spin_unlock_bh(xtcp_elock(e->hash));
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
	e->net = xn->net;
	e->hash = xtcp_key_hash(xn, &e->key);
	spin_lock_bh(xtcp_elock(e->hash));
	old = find_in(xn, e->hash, &e->key, e->bound_if);
	if (gives_way(xn, old, bound)) {
		/* The new one first, as in xtcp_table_replace(). */
		hlist_nulls_add_head_rcu(&e->node, bucket_of(e->hash));
		if (old) {
			hlist_nulls_del_init_rcu(&old->node);
			*tw = container_of(old, struct xtcp_twsk, entry);
		}
		err = 0;
	}
	spin_unlock_bh(xtcp_elock(e->hash));
	return err;
}

bool xtcp_table_remove(struct xtcp_net *xn, struct xtcp_entry *e)
{
	bool was;

	spin_lock_bh(xtcp_elock(e->hash));
	was = !hlist_nulls_unhashed(&e->node);
	if (was)
		hlist_nulls_del_init_rcu(&e->node);
	spin_unlock_bh(xtcp_elock(e->hash));
	return was;
}

bool xtcp_table_replace(struct xtcp_net *xn, struct xtcp_entry *old,
			struct xtcp_entry *e)
{
	bool was;

	e->net = old->net;
	e->hash = old->hash;
	spin_lock_bh(xtcp_elock(old->hash));
	was = !hlist_nulls_unhashed(&old->node);
	if (was) {
		/* The new one first: a lookup must always find one of them. */
		hlist_nulls_add_head_rcu(&e->node, bucket_of(old->hash));
		hlist_nulls_del_init_rcu(&old->node);
	}
	spin_unlock_bh(xtcp_elock(old->hash));
	return was;
}

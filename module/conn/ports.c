// SPDX-License-Identifier: GPL-2.0
/*
 * Local ports: who may share one (as native TCP decides it), and which one a
 * connection gets that asked for none (RFC 6056).
 */
#include <linux/slab.h>
#include <net/ip.h>
#include <net/sock_reuseport.h>
#include "conn/conn.h"

static struct hlist_head *bhead(struct xtcp_net *xn, u16 port)
{
	return &xn->bhash[port & (BIT(XTCP_BHASH_BITS) - 1)];
}

static struct xtcp_bucket *bucket_find(struct xtcp_net *xn, u16 port)
{
	struct xtcp_bucket *b;

	hlist_for_each_entry(b, bhead(xn, port), node)
		if (b->port == port)
			return b;
	return NULL;
}

static struct xtcp_bucket *bucket_get(struct xtcp_net *xn, u16 port)
{
	struct xtcp_bucket *b = bucket_find(xn, port);

	if (b)
		return b;
	b = kmalloc(sizeof(*b), GFP_ATOMIC);
	if (!b)
		return NULL;
	b->port = port;
	b->autobound = true;
	INIT_HLIST_HEAD(&b->owners);
	hlist_add_head(&b->node, bhead(xn, port));
	return b;
}

static void bucket_put(struct xtcp_bucket *b)
{
	if (b && hlist_empty(&b->owners)) {
		hlist_del(&b->node);
		kfree(b);
	}
}

static void owner_add(struct xtcp_bucket *b, struct xtcp_owner *o, bool autobound)
{
	o->bucket = b;
	b->autobound &= autobound;
	hlist_add_head(&o->node, &b->owners);
}

void xtcp_owner_drop(struct xtcp_net *xn, struct xtcp_owner *o)
{
	spin_lock_bh(&xn->bhash_lock);
	if (o->bucket) {
		hlist_del_init(&o->node);
		bucket_put(o->bucket);
		o->bucket = NULL;
	}
	spin_unlock_bh(&xn->bhash_lock);
}

void xtcp_put_port(struct sock *sk)
{
	xtcp_owner_drop(xtcp_pernet(sock_net(sk)), &xtcp_sk(sk)->owner);
	inet_sk(sk)->inet_num = 0;
}

void xtcp_port_inherit(struct xtcp_net *xn, struct sock *lsk, struct sock *sk)
{
	struct xtcp_owner *o = &xtcp_sk(sk)->owner;

	o->sk = sk;
	o->bucket = NULL;
	spin_lock_bh(&xn->bhash_lock);
	if (xtcp_sk(lsk)->owner.bucket)
		owner_add(xtcp_sk(lsk)->owner.bucket, o, false);
	spin_unlock_bh(&xn->bhash_lock);
}

void xtcp_port_to_timewait(struct xtcp_net *xn, struct sock *sk,
			   struct xtcp_owner *o)
{
	struct xtcp_owner *old = &xtcp_sk(sk)->owner;

	o->sk = NULL;
	o->bucket = NULL;
	o->rcv_saddr = inet_sk(sk)->inet_rcv_saddr;
	o->bound_if = sk->sk_bound_dev_if;
	o->reuse = sk->sk_reuse;
	o->reuseport = sk->sk_reuseport;
	o->uid = sk->sk_uid;
	spin_lock_bh(&xn->bhash_lock);
	if (old->bucket)
		owner_add(old->bucket, o, old->bucket->autobound);
	spin_unlock_bh(&xn->bhash_lock);
}

/* As sk_reuse, sk_reuseport and the rest of @o are now. */
static void owner_view(const struct xtcp_owner *o, struct xtcp_owner *v,
		       bool *listening)
{
	const struct sock *sk = o->sk;

	*v = *o;
	*listening = false;
	if (!sk)
		return;
	v->rcv_saddr = inet_sk(sk)->inet_rcv_saddr;
	v->bound_if = READ_ONCE(sk->sk_bound_dev_if);
	v->reuse = sk->sk_reuse;
	v->reuseport = sk->sk_reuseport;
	v->uid = sk->sk_uid;
	*listening = inet_sk_state_load(sk) == TCP_LISTEN;
}

/* It is in a group already (a program was attached): it joins no other. */
static bool has_group(const struct sock *sk)
{
	struct sock_reuseport *group;
	bool has;

	rcu_read_lock();
	group = rcu_dereference(sk->sk_reuseport_cb);
	has = group && !group->num_closed_socks;
	rcu_read_unlock();
	return has;
}

/* @sk, not yet in the bucket, cannot have the port beside owner @o. */
static bool owner_conflicts(const struct sock *sk, const struct xtcp_owner *o)
{
	struct xtcp_owner v;
	__be32 mine = inet_sk(sk)->inet_rcv_saddr;
	bool listening;

	if (o->sk == sk)
		return false;
	owner_view(o, &v, &listening);
	if (sk->sk_bound_dev_if && v.bound_if &&
	    sk->sk_bound_dev_if != v.bound_if)
		return false;
	if (mine && v.rcv_saddr && mine != v.rcv_saddr)
		return false;
	if (sk->sk_reuse && v.reuse && !listening)
		return false;
	if (sk->sk_reuseport && v.reuseport && !has_group(sk) &&
	    (!o->sk || uid_eq(sk->sk_uid, v.uid)))
		return false;
	return true;
}

static bool port_conflicts(const struct sock *sk, const struct xtcp_bucket *b)
{
	const struct xtcp_owner *o;

	hlist_for_each_entry(o, &b->owners, node)
		if (owner_conflicts(sk, o))
			return true;
	return false;
}

/* Takes @port for @sk if nobody's claim stands against it. */
static int port_claim(struct xtcp_net *xn, struct sock *sk, u16 port)
{
	struct xtcp_owner *o = &xtcp_sk(sk)->owner;
	struct xtcp_bucket *b;
	int err = -EADDRINUSE;

	spin_lock_bh(&xn->bhash_lock);
	b = bucket_get(xn, port);
	if (!b) {
		err = -ENOMEM;
	} else if (!port_conflicts(sk, b)) {
		o->sk = sk;
		if (!o->bucket)
			owner_add(b, o, false);
		err = 0;
	} else {
		bucket_put(b);
	}
	spin_unlock_bh(&xn->bhash_lock);
	return err;
}

int xtcp_get_port(struct sock *sk, unsigned short snum)
{
	struct xtcp_net *xn = xtcp_pernet(sock_net(sk));
	int low, high, i, n, err = -EADDRINUSE;
	u32 start;

	if (snum) {
		err = port_claim(xn, sk, snum);
		if (!err)
			inet_sk(sk)->inet_num = snum;
		/* inet_bind() and listen() expect 1 for "no". */
		return err;
	}
	inet_sk_get_local_port_range(sk, &low, &high);
	n = high - low + 1;
	start = get_random_u32_below(n);
	/* Odd steps first: even ports are left to connect(). */
	for (i = 0; i < n && err == -EADDRINUSE; i++) {
		u16 port = low + (start + i) % n;

		if (inet_is_local_reserved_port(sock_net(sk), port))
			continue;
		err = port_claim(xn, sk, port);
		if (!err)
			inet_sk(sk)->inet_num = port;
	}
	return err;
}

/* Takes @port if the whole tuple is free, whoever else connects from it. */
static int port_try_connect(struct xtcp_net *xn, struct sock *sk, u16 port)
{
	struct xtcp_sock *xs = xtcp_sk(sk);
	struct xtcp_bucket *b;
	int err = -EADDRNOTAVAIL;

	spin_lock_bh(&xn->bhash_lock);
	b = bucket_get(xn, port);
	if (!b) {
		err = -ENOMEM;
		goto out;
	}
	if (hlist_empty(&b->owners) || b->autobound) {
		xs->entry.key.lport = htons(port);
		err = xtcp_table_insert(xn, &xs->entry);
	}
	if (err) {
		bucket_put(b);
		goto out;
	}
	xs->owner.sk = sk;
	owner_add(b, &xs->owner, true);
out:
	spin_unlock_bh(&xn->bhash_lock);
	return err;
}

/* The first candidate: keyed by destination, and stepping (RFC 6056, 3.3.4). */
static u32 port_offset(struct xtcp_net *xn, const struct xtcp_key *key)
{
	u64 h = siphash(key, offsetof(struct xtcp_key, lport), &xn->port_secret) +
		(__force u16)key->rport;
	atomic_t *step = &xn->port_step[(h >> 32) % ARRAY_SIZE(xn->port_step)];

	return (u32)h + (u32)atomic_add_return(2, step);
}

int xtcp_port_connect(struct sock *sk)
{
	struct xtcp_net *xn = xtcp_pernet(sock_net(sk));
	struct xtcp_sock *xs = xtcp_sk(sk);
	int low, high, i, n, err = -EADDRNOTAVAIL;
	u32 off;

	if (inet_sk(sk)->inet_num) {
		xs->entry.key.lport = inet_sk(sk)->inet_sport;
		return xtcp_table_insert(xn, &xs->entry);
	}
	inet_sk_get_local_port_range(sk, &low, &high);
	n = high - low + 1;
	off = port_offset(xn, &xs->entry.key) % n;
	for (i = 0; i < n && err == -EADDRNOTAVAIL; i++) {
		/* All of one parity, then all of the other. */
		u32 k = (off + (i < (n + 1) / 2 ? 2 * i : 2 * i + 1)) % n;
		u16 port = low + k;

		if (inet_is_local_reserved_port(sock_net(sk), port))
			continue;
		err = port_try_connect(xn, sk, port);
		if (!err) {
			inet_sk(sk)->inet_num = port;
			inet_sk(sk)->inet_sport = htons(port);
		}
	}
	return err;
}

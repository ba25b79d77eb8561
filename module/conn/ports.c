// SPDX-License-Identifier: GPL-2.0
/*
 * Local ports: who may share one (as native TCP decides it), and which one a
 * socket gets that asked for none (RFC 6056).
 *
 * A port in use in a namespace is a bucket, with a place for each address at
 * which it is used.  A bind() at one address looks at that place and at the
 * one for any; a bind() at any looks at all of them.  Sockets stand in a place
 * one by one, as what they claim may change under way (SO_REUSEADDR, listen()).
 * What mini-sockets claim is constant, so equal claims are only counted: a
 * bind() beside tens of thousands of them looks at one.
 *
 * The lock of a port's chain protects everything in the port's bucket.  Places
 * stand in chains of their own besides, by their address, for a port that is
 * used at thousands of them: such a chain has a lock, taken inside of the
 * first.  The first place is a part of the bucket and stands in no chain: most
 * ports have no other.
 */
#include <linux/jhash.h>
#include <linux/slab.h>
#include <net/ip.h>
#include <net/sock_reuseport.h>
#include "conn/conn.h"

/*
 * Steps of RFC 6056, 3.3.4.  The table has to be large: with a small one two
 * destinations in one slot tell an observer of both about each other.
 */
#define PERTURB_BITS	16
static u32 port_perturb[BIT(PERTURB_BITS)];

/* A socket that asks for a port, and how hard it is to please. */
struct port_ask {
	const struct sock *sk;
	kuid_t uid;
	bool relaxed;		/* SO_REUSEADDR may share */
	bool reuseport;		/* so may SO_REUSEPORT */
	bool group_ok;		/* no reuseport group stands against it */
};

/* One owner's claim, as it is now. */
struct port_view {
	__be32 saddr;
	int bound_if;
	bool reuse;
	bool reuseport;
	bool listening;
	bool timewait;
	kuid_t uid;		/* not with @timewait */
};

void xtcp_ports_init(void)
{
	get_random_bytes(port_perturb, sizeof(port_perturb));
}

/* The chain of @port; its lock is that of the port's bucket. */
static struct xtcp_bchain *bchain(const struct xtcp_net *xn, u16 port)
{
	return &xtcp_tables.bhash[(xn->listen_secret + port) &
				  xtcp_tables.bmask];
}

/* ---- places; with the lock of the port's chain ---- */

/* Users choose port and address: a secret goes in. */
static struct xtcp_bchain *pchain(const struct xtcp_bucket *b, __be32 saddr)
{
	u32 h = jhash_2words((__force u32)saddr, b->port,
			     xtcp_pernet(b->net)->listen_secret);

	return &xtcp_tables.phash[h & xtcp_tables.bmask];
}

static bool place_empty(const struct xtcp_place *p)
{
	return hlist_empty(&p->bound) && hlist_empty(&p->kids) &&
	       hlist_empty(&p->claims);
}

static void place_init(struct xtcp_place *p, struct xtcp_bucket *b,
		       __be32 saddr)
{
	p->bucket = b;
	p->saddr = saddr;
	INIT_HLIST_HEAD(&p->bound);
	INIT_HLIST_HEAD(&p->kids);
	INIT_HLIST_HEAD(&p->claims);
}

/* The place of @b for @saddr, NULL if there is none; nobody may be in it. */
static struct xtcp_place *place_find(struct xtcp_bucket *b, __be32 saddr)
{
	struct xtcp_bchain *chain;
	struct xtcp_place *p;

	if (b->first.saddr == saddr)
		return &b->first;
	if (hlist_empty(&b->more))
		return NULL;
	chain = pchain(b, saddr);
	spin_lock(&chain->lock);
	hlist_for_each_entry(p, &chain->head, chain)
		if (p->bucket == b && p->saddr == saddr)
			break;
	spin_unlock(&chain->lock);
	return p;
}

/* Finds or makes it.  NULL without memory. */
static struct xtcp_place *place_get(struct xtcp_bucket *b, __be32 saddr)
{
	struct xtcp_place *p = place_find(b, saddr);
	struct xtcp_bchain *chain;

	if (p)
		return p;
	if (place_empty(&b->first)) {
		b->first.saddr = saddr;
		return &b->first;
	}
	p = kmalloc(sizeof(*p), GFP_ATOMIC | __GFP_ACCOUNT);
	if (!p)
		return NULL;
	place_init(p, b, saddr);
	hlist_add_head(&p->sibling, &b->more);
	chain = pchain(b, saddr);
	spin_lock(&chain->lock);
	hlist_add_head(&p->chain, &chain->head);
	spin_unlock(&chain->lock);
	return p;
}

/* Goes if it is empty. */
static void place_put(struct xtcp_place *p)
{
	struct xtcp_bchain *chain;

	if (p == &p->bucket->first || !place_empty(p))
		return;
	hlist_del(&p->sibling);
	chain = pchain(p->bucket, p->saddr);
	spin_lock(&chain->lock);
	hlist_del(&p->chain);
	spin_unlock(&chain->lock);
	kfree(p);
}

/* ---- buckets; with the lock of their chain ---- */

static struct xtcp_bucket *bucket_find(const struct xtcp_net *xn,
				       const struct xtcp_bchain *chain, u16 port)
{
	struct xtcp_bucket *b;

	hlist_for_each_entry(b, &chain->head, node)
		if (b->port == port && b->net == xn->net)
			return b;
	return NULL;
}

static bool bucket_empty(const struct xtcp_bucket *b)
{
	return place_empty(&b->first) && hlist_empty(&b->more);
}

/* Finds or makes it; a new one belongs to connect() until bind() says no. */
static struct xtcp_bucket *bucket_get(const struct xtcp_net *xn,
				      struct xtcp_bchain *chain, u16 port)
{
	struct xtcp_bucket *b = bucket_find(xn, chain, port);

	if (b)
		return b;
	b = kmalloc(sizeof(*b), GFP_ATOMIC | __GFP_ACCOUNT);
	if (!b)
		return NULL;
	b->net = xn->net;
	b->port = port;
	b->fastreuse = XTCP_FAST_AUTO;
	b->fastreuseport = XTCP_FAST_AUTO;
	place_init(&b->first, b, 0);
	INIT_HLIST_HEAD(&b->more);
	hlist_add_head(&b->node, &chain->head);
	return b;
}

static void bucket_put(struct xtcp_bucket *b)
{
	if (bucket_empty(b)) {
		hlist_del(&b->node);
		kfree(b);
	}
}

/* @p, and its bucket, go if they are empty. */
static void place_leave(struct xtcp_place *p)
{
	struct xtcp_bucket *b = p->bucket;

	place_put(p);
	bucket_put(b);
}

static void owner_add(struct xtcp_place *p, struct xtcp_owner *o, bool kid)
{
	o->place = p;
	o->kid = kid;
	hlist_add_head(&o->node, kid ? &p->kids : &p->bound);
	WRITE_ONCE(o->bucket, p->bucket);
}

void xtcp_put_port(struct sock *sk)
{
	struct xtcp_owner *o = &xtcp_sk(sk)->owner;
	struct xtcp_bchain *chain;

	if (o->bucket) {
		chain = bchain(xtcp_pernet(sock_net(sk)), o->bucket->port);
		spin_lock_bh(&chain->lock);
		WRITE_ONCE(o->bucket, NULL);
		hlist_del_init(&o->node);
		place_leave(o->place);
		spin_unlock_bh(&chain->lock);
	}
	inet_sk(sk)->inet_num = 0;
}

void xtcp_port_inherit(struct xtcp_net *xn, struct sock *lsk, struct sock *sk)
{
	struct xtcp_owner *o = &xtcp_sk(sk)->owner;
	u16 port = ntohs(inet_sk(sk)->inet_sport);
	struct xtcp_bchain *chain = bchain(xn, port);
	struct xtcp_place *p = NULL;
	struct xtcp_bucket *b;

	o->bucket = NULL;
	spin_lock_bh(&chain->lock);
	b = bucket_find(xn, chain, port);
	/* Closed meanwhile, the listener may have got another port since. */
	if (b && READ_ONCE(xtcp_sk(lsk)->owner.bucket) == b)
		p = place_get(b, inet_sk(sk)->inet_rcv_saddr);
	if (p)
		owner_add(p, o, true);
	spin_unlock_bh(&chain->lock);
}

int xtcp_port_move(struct sock *sk)
{
	__be32 saddr = inet_sk(sk)->inet_rcv_saddr;
	struct xtcp_owner *o = &xtcp_sk(sk)->owner;
	struct xtcp_place *old = o->place, *p;
	struct xtcp_bchain *chain;

	if (!o->bucket || old->saddr == saddr)
		return 0;
	chain = bchain(xtcp_pernet(sock_net(sk)), o->bucket->port);
	spin_lock_bh(&chain->lock);
	/* Out of the old one first: that may then become the new one. */
	hlist_del(&o->node);
	p = place_get(o->bucket, saddr);
	owner_add(p ?: old, o, o->kid);
	if (p && p != old)
		place_put(old);
	spin_unlock_bh(&chain->lock);
	return p ? 0 : -ENOMEM;
}

/* Looks at so many: a second claim like another only costs its memory. */
#define CLAIM_LOOKS	64

/* The claim in @p that equals @sk's, a new one if need be. */
static struct xtcp_claim *claim_find(struct xtcp_place *p, struct sock *sk)
{
	struct xtcp_claim *c;
	int looks = 0;

	hlist_for_each_entry(c, &p->claims, node) {
		if (c->bound_if == sk->sk_bound_dev_if &&
		    c->reuse == !!sk->sk_reuse &&
		    c->reuseport == !!sk->sk_reuseport)
			return c;
		if (++looks == CLAIM_LOOKS)
			break;
	}
	c = kmalloc(sizeof(*c), GFP_ATOMIC | __GFP_ACCOUNT);
	if (!c)
		return NULL;
	c->place = p;
	c->users = 0;
	c->bound_if = sk->sk_bound_dev_if;
	c->reuse = sk->sk_reuse;
	c->reuseport = sk->sk_reuseport;
	hlist_add_head(&c->node, &p->claims);
	return c;
}

struct xtcp_claim *xtcp_claim_get(struct xtcp_net *xn, struct sock *sk)
{
	struct xtcp_owner *o = &xtcp_sk(sk)->owner;
	struct xtcp_bchain *chain;
	struct xtcp_claim *c;

	if (!o->bucket)
		return NULL;
	chain = bchain(xn, o->bucket->port);
	spin_lock_bh(&chain->lock);
	c = claim_find(o->place, sk);
	if (c)
		c->users++;
	spin_unlock_bh(&chain->lock);
	return c;
}

void xtcp_claim_put(struct xtcp_net *xn, struct xtcp_claim *c)
{
	struct xtcp_bchain *chain;

	if (!c)
		return;
	/* It keeps its place, that its bucket, and that has one port. */
	chain = bchain(xn, c->place->bucket->port);
	spin_lock_bh(&chain->lock);
	if (!--c->users) {
		hlist_del(&c->node);
		place_leave(c->place);
		kfree(c);
	}
	spin_unlock_bh(&chain->lock);
}

/* A socket without a file counts as root's. */
static kuid_t uid_of(const struct sock *sk)
{
	return READ_ONCE(sk->sk_socket) ? sk->sk_uid : GLOBAL_ROOT_UID;
}

static void view_of_owner(const struct xtcp_owner *o, struct port_view *v)
{
	const struct sock *sk = xtcp_owner_sk(o);

	v->saddr = o->place->saddr;
	v->bound_if = READ_ONCE(sk->sk_bound_dev_if);
	v->reuse = sk->sk_reuse;
	v->reuseport = sk->sk_reuseport;
	v->listening = inet_sk_state_load(sk) == TCP_LISTEN;
	v->timewait = false;
	v->uid = uid_of(sk);
}

static void view_of_claim(const struct xtcp_claim *c, struct port_view *v)
{
	v->saddr = c->place->saddr;
	v->bound_if = c->bound_if;
	v->reuse = c->reuse;
	v->reuseport = c->reuseport;
	v->listening = false;
	v->timewait = true;
}

/* The socket that asks cannot have the port beside @v. */
static bool view_conflicts(const struct port_ask *a, const struct port_view *v)
{
	const struct sock *sk = a->sk;
	__be32 saddr = inet_sk(sk)->inet_rcv_saddr;
	bool group;

	if (sk->sk_bound_dev_if && v->bound_if &&
	    sk->sk_bound_dev_if != v->bound_if)
		return false;
	if (saddr && v->saddr && saddr != v->saddr)
		return false;
	group = sk->sk_reuseport && v->reuseport && a->group_ok &&
		(v->timewait || uid_eq(a->uid, v->uid));
	if (sk->sk_reuse && v->reuse && !v->listening)
		return !a->relaxed || (!a->reuseport && group);
	return !(a->reuseport && group);
}

/* Somebody of @owners, who are all at one address. */
static bool owners_conflict(const struct port_ask *a,
			    const struct hlist_head *owners)
{
	const struct xtcp_owner *o;
	struct port_view v;

	hlist_for_each_entry(o, owners, node) {
		if (xtcp_owner_sk(o) == a->sk)
			continue;
		view_of_owner(o, &v);
		if (view_conflicts(a, &v))
			return true;
	}
	return false;
}

/* Those who bound, a listener among them, and TIME_WAIT: few, as a rule. */
static bool place_conflicts(const struct port_ask *a,
			    const struct xtcp_place *p)
{
	const struct xtcp_claim *c;
	struct port_view v;

	if (!p)
		return false;
	hlist_for_each_entry(c, &p->claims, node) {
		view_of_claim(c, &v);
		if (view_conflicts(a, &v))
			return true;
	}
	return owners_conflict(a, &p->bound);
}

static bool kids_conflict(const struct port_ask *a, const struct xtcp_place *p)
{
	return p && owners_conflict(a, &p->kids);
}

/*
 * Those who are accepted last: there may be tens of thousands, and mostly their
 * listener has said no before.
 */
static bool port_conflicts(const struct port_ask *a, struct xtcp_bucket *b)
{
	__be32 saddr = inet_sk(a->sk)->inet_rcv_saddr;
	const struct xtcp_place *p, *any;

	if (saddr) {
		p = place_find(b, saddr);
		any = place_find(b, 0);
		return place_conflicts(a, p) || place_conflicts(a, any) ||
		       kids_conflict(a, p) || kids_conflict(a, any);
	}
	if (place_conflicts(a, &b->first))
		return true;
	hlist_for_each_entry(p, &b->more, sibling)
		if (place_conflicts(a, p))
			return true;
	hlist_for_each_entry(p, &b->more, sibling)
		if (kids_conflict(a, p))
			return true;
	return kids_conflict(a, &b->first);
}

static void ask_init(struct port_ask *a, struct sock *sk, bool relaxed,
		     bool reuseport)
{
	const struct sock_reuseport *cb;

	a->sk = sk;
	a->uid = uid_of(sk);
	a->relaxed = relaxed;
	a->reuseport = reuseport;
	rcu_read_lock();
	cb = rcu_dereference(sk->sk_reuseport_cb);
	a->group_ok = !cb || READ_ONCE(cb->num_closed_socks);
	rcu_read_unlock();
}

/* Known without a look at the owners: they all have SO_REUSEPORT as @sk. */
static bool reuseport_matches(const struct xtcp_bucket *b, struct sock *sk)
{
	if (b->fastreuseport <= 0 || !sk->sk_reuseport ||
	    rcu_access_pointer(sk->sk_reuseport_cb) ||
	    !uid_eq(b->fastuid, uid_of(sk)))
		return false;
	return b->fastreuseport == XTCP_FAST_ANY || !b->fast_saddr ||
	       b->fast_saddr == inet_sk(sk)->inet_rcv_saddr;
}

/* SO_REUSEADDR lets @sk share: not if it is about to listen. */
static bool reuses(const struct sock *sk)
{
	return sk->sk_reuse && sk->sk_state != TCP_LISTEN;
}

/* Known without a look at the owners: @sk fits in. */
static bool port_fits_fast(const struct xtcp_bucket *b, struct sock *sk)
{
	return (b->fastreuse > 0 && reuses(sk)) || reuseport_matches(b, sk);
}

static void fast_reuseport_set(struct xtcp_bucket *b, struct sock *sk, s8 how)
{
	b->fastreuseport = how;
	b->fastuid = uid_of(sk);
	b->fast_saddr = inet_sk(sk)->inet_rcv_saddr;
}

/* @sk has been let in: what may be known without a look from now on. */
static void bucket_note(struct xtcp_bucket *b, struct sock *sk)
{
	s8 how = XTCP_FAST_STRICT;

	if (bucket_empty(b)) {
		b->fastreuse = XTCP_BIND_TRUSTS_FIRST && reuses(sk);
		b->fastreuseport = XTCP_FAST_NO;
		if (XTCP_BIND_TRUSTS_FIRST)
			how = XTCP_FAST_ANY;
	} else if (!reuses(sk)) {
		b->fastreuse = 0;
	}
	if (!sk->sk_reuseport)
		b->fastreuseport = XTCP_FAST_NO;
	else if (!reuseport_matches(b, sk))
		fast_reuseport_set(b, sk, how);
}

/* @sk may have @b's port, and gets its place there unless it has one. */
static int bucket_enter(struct xtcp_bucket *b, struct sock *sk)
{
	struct xtcp_owner *o = &xtcp_sk(sk)->owner;
	struct xtcp_place *p = NULL;

	if (!o->bucket) {
		p = place_get(b, inet_sk(sk)->inet_rcv_saddr);
		if (!p)
			return -ENOMEM;
	}
	bucket_note(b, sk);
	if (p)
		owner_add(p, o, false);
	inet_sk(sk)->inet_num = b->port;
	return 0;
}

/* Takes @port for @sk if nobody's claim stands against it. */
static int port_claim(struct xtcp_net *xn, struct sock *sk,
		      const struct port_ask *a, u16 port, bool fast)
{
	struct xtcp_bchain *chain = bchain(xn, port);
	struct xtcp_bucket *b;
	int err = -EADDRINUSE;

	spin_lock_bh(&chain->lock);
	b = bucket_get(xn, chain, port);
	if (!b) {
		err = -ENOMEM;
		goto out;
	}
	if ((fast && port_fits_fast(b, sk)) || !port_conflicts(a, b))
		err = bucket_enter(b, sk);
	bucket_put(b);
out:
	spin_unlock_bh(&chain->lock);
	return err;
}

/* Every second port of [@low, @high), beginning anywhere. */
static int bind_parity(struct sock *sk, const struct port_ask *a, int low,
		       int high, u32 off)
{
	struct xtcp_net *xn = xtcp_pernet(sock_net(sk));
	int n = high - low, port = low + off, i, err;

	if (n > 1)
		n &= ~1;
	for (i = 0; i < n; i += 2, port += 2) {
		if (port >= high)
			port -= n;
		if (inet_is_local_reserved_port(sock_net(sk), port))
			continue;
		err = port_claim(xn, sk, a, port, false);
		if (err != -EADDRINUSE)
			return err;
		cond_resched();
	}
	return -EADDRINUSE;
}

/* Odd offsets first: even ones are left to connect(). */
static int bind_range(struct sock *sk, const struct port_ask *a, int low,
		      int high)
{
	int n = high - low, err;
	u32 off;

	if (n > 1)
		n &= ~1;
	off = get_random_u32_below(n) | 1;
	err = bind_parity(sk, a, low, high, off);
	if (err == -EADDRINUSE)
		err = bind_parity(sk, a, low, high, off - 1);
	return err;
}

/*
 * Any port of the range.  With SO_REUSEADDR, which most listeners set, the
 * lower half first: clients find room in the upper one.
 */
static int bind_any(struct sock *sk, bool relaxed)
{
	struct port_ask a;
	int low, high, half, err;

	ask_init(&a, sk, relaxed, false);
	inet_sk_get_local_port_range(sk, &low, &high);
	high++;
	if (sk->sk_reuse != SK_CAN_REUSE || high - low < 4)
		return bind_range(sk, &a, low, high);
	half = low + (((high - low) >> 2) << 1);
	err = bind_range(sk, &a, low, half);
	if (err == -EADDRINUSE)
		err = bind_range(sk, &a, half, high);
	return err;
}

int xtcp_get_port(struct sock *sk, unsigned short snum)
{
	struct xtcp_net *xn = xtcp_pernet(sock_net(sk));
	struct port_ask a;
	int err;

	if (snum) {
		ask_init(&a, sk, true, true);
		return port_claim(xn, sk, &a, snum, true);
	}
	err = bind_any(sk, false);
	if (err == -EADDRINUSE &&
	    READ_ONCE(sock_net(sk)->ipv4.sysctl_ip_autobind_reuse))
		err = bind_any(sk, true);
	return err;
}

/* @sk's place in @b and in the table of connections, for a tuple that is free. */
static int bucket_connect(struct xtcp_net *xn, struct xtcp_bucket *b,
			  struct sock *sk, struct xtcp_twsk **tw)
{
	struct xtcp_sock *xs = xtcp_sk(sk);
	struct xtcp_place *p;
	int err;

	/* A port that somebody bound is his, whatever he allows. */
	if (b->fastreuse != XTCP_FAST_AUTO ||
	    b->fastreuseport != XTCP_FAST_AUTO)
		return -EADDRNOTAVAIL;
	p = place_get(b, inet_sk(sk)->inet_rcv_saddr);
	if (!p)
		return -ENOMEM;
	xs->entry.key.lport = htons(b->port);
	err = xtcp_table_connect(xn, &xs->entry, false, tw);
	if (err) {
		place_put(p);
		return err;
	}
	owner_add(p, &xs->owner, false);
	inet_sk(sk)->inet_num = b->port;
	inet_sk(sk)->inet_sport = htons(b->port);
	return 0;
}

/* Takes @port if the whole tuple is free, whoever else connects from it. */
static int port_try_connect(struct xtcp_net *xn, struct sock *sk, u16 port,
			    struct xtcp_twsk **tw)
{
	struct xtcp_bchain *chain = bchain(xn, port);
	struct xtcp_bucket *b;
	int err = -ENOMEM;

	spin_lock_bh(&chain->lock);
	b = bucket_get(xn, chain, port);
	if (b) {
		err = bucket_connect(xn, b, sk, tw);
		bucket_put(b);
	}
	spin_unlock_bh(&chain->lock);
	return err;
}

/* Where the search for a port begins, and how wide its steps are. */
struct port_walk {
	int low;
	u32 n;
	u32 off;
	u32 step;	/* 2: all of one parity, then all of the other */
	u32 *perturb;
};

static void walk_init(struct port_walk *w, struct xtcp_net *xn,
		      struct sock *sk)
{
	const struct xtcp_key *key = &xtcp_sk(sk)->entry.key;
	u64 h = siphash(key, offsetof(struct xtcp_key, lport),
			&xn->port_secret) + (__force u16)key->rport;
	int high;

	/* A range of the socket's own is small, and nobody else's. */
	w->step = xtcp_local_port_range(sk, &w->low, &high) ? 1 : 2;
	w->n = high - w->low + 1;
	if (w->step == 2 && w->n > 1)
		w->n &= ~1U;
	w->perturb = &port_perturb[h & (BIT(PERTURB_BITS) - 1)];
	w->off = (READ_ONCE(*w->perturb) + (u32)(h >> 32)) % w->n;
	if (w->step == 2)
		w->off &= ~1U;
}

static int walk_ports(struct xtcp_net *xn, struct sock *sk,
		      const struct port_walk *w, u32 off, struct xtcp_twsk **tw)
{
	u32 i, on;
	int err;

	for (i = 0; i < w->n; i += w->step) {
		u16 port = w->low + (off + i) % w->n;

		if (inet_is_local_reserved_port(sock_net(sk), port))
			continue;
		err = port_try_connect(xn, sk, port, tw);
		if (!err) {
			/* Quiet times have a random gap, busy ones none. */
			on = max(i, get_random_u32_below(8) * w->step);
			WRITE_ONCE(*w->perturb,
				   READ_ONCE(*w->perturb) + on + w->step);
		}
		if (err != -EADDRNOTAVAIL)
			return err;
		cond_resched();
	}
	return -EADDRNOTAVAIL;
}

int xtcp_port_connect(struct sock *sk, struct xtcp_twsk **tw)
{
	struct xtcp_net *xn = xtcp_pernet(sock_net(sk));
	struct xtcp_sock *xs = xtcp_sk(sk);
	struct port_walk w;
	int err;

	if (inet_sk(sk)->inet_num) {
		xs->entry.key.lport = htons(inet_sk(sk)->inet_num);
		return xtcp_table_connect(xn, &xs->entry, true, tw);
	}
	walk_init(&w, xn, sk);
	err = walk_ports(xn, sk, &w, w.off, tw);
	if (err == -EADDRNOTAVAIL && w.step == 2 && w.n > 1)
		err = walk_ports(xn, sk, &w, w.off + 1, tw);
	return err;
}

/* SPDX-License-Identifier: GPL-2.0 */
/* Connections: their states, the tables they stand in, the queues they wait in. */
#ifndef XTCP_CONN_H
#define XTCP_CONN_H

#include "xtcp.h"

/* ---- state.c ---- */

/* Counters for a namespace, all 0; NULL without memory.  May sleep. */
struct xtcp_edges __percpu *xtcp_edges_alloc(void);

/*
 * One more time an edge was taken, @to 0: that the table does not have.  For
 * those that no xtcp_core stands behind (mini-sockets) the caller counts.
 * @xn is in use (xtcp_netns_use()).  Any context.
 */
void xtcp_edge_count(struct xtcp_net *xn, u8 from, u8 ev, u8 to);

/*
 * How often [from][ev] was taken in @xn, NULL: in all
 * namespaces since insertion; and what was no edge.  Any context.
 */
unsigned long xtcp_edge_sum(const struct xtcp_net *xn, u8 from, u8 ev);
unsigned long xtcp_edge_illegal(const struct xtcp_net *xn);

/*
 * The socket's part of TIME_WAIT is over, a mini-socket has it: sk_state
 * becomes TCP_CLOSE without an edge.  Socket lock.
 */
void xtcp_state_hand_over(struct sock *sk);

/* A child of a listener starts in SYN_RECV, likewise. */
void xtcp_state_child(struct sock *sk);

/*
 * xtcp_settle - carry out what the core decided: wake, send, free, re-arm
 * After every call of the core.  Socket lock, BH or process context.
 */
void xtcp_settle(struct sock *sk);

/* One more challenge ACK of this second is allowed, and counted; any context. */
bool xtcp_challenge_ok(struct xtcp_net *xn);

/* ---- table.c, listeners.c, ports.c ---- */

/* Listeners of one hash; the chain ends in its own number, RCU to read. */
struct xtcp_lchain {
	spinlock_t lock;
	struct hlist_nulls_head head;
};

/* Ports, or places, of one hash. */
struct xtcp_bchain {
	spinlock_t lock;
	struct hlist_head head;
};

/*
 * struct xtcp_tables - the tables of the whole module, for all namespaces
 * Sized at insertion, by the memory of the machine; a mask is the number of
 * chains less 1.  Locks are taken with BH off, Documentation/locking.md has
 * their order.
 */
struct xtcp_tables {
	struct hlist_nulls_head *ehash;	/* connections, struct xtcp_entry */
	spinlock_t *elocks;		/* one for several chains */
	u32 emask;
	u32 elock_mask;
	u32 lmask;
	u32 bmask;
	struct xtcp_lchain *lhash;	/* listeners, struct xtcp_sock.lnode */
	struct xtcp_bchain *bhash;	/* ports, struct xtcp_bucket */
	struct xtcp_bchain *phash;	/* struct xtcp_place; bmask as well */
};

extern struct xtcp_tables xtcp_tables;

/* At insertion; -ENOMEM.  And when nothing is in them any more. */
int xtcp_tables_init(void);
void xtcp_tables_exit(void);

/* The lock of chain, or of hash, @i of the table of connections. */
static inline spinlock_t *xtcp_elock(u32 i)
{
	return &xtcp_tables.elocks[i & xtcp_tables.elock_mask];
}

/* ---- table.c ---- */

/* The key of an IPv4 connection. */
void xtcp_key_v4(struct xtcp_key *key, __be32 laddr, __be16 lport,
		 __be32 raddr, __be16 rport);
__be32 xtcp_addr_v4(const struct in6_addr *a);
u32 xtcp_key_hash(const struct xtcp_net *xn, const struct xtcp_key *key);

/* Under rcu_read_lock(); NULL if nobody has the tuple. */
struct xtcp_entry *xtcp_table_lookup(struct xtcp_net *xn,
				     const struct xtcp_key *key, int ifindex);

/*
 * The socket of @e, of kind XTCP_KIND_SOCK, with a reference; NULL if it is
 * gone or has another key by now.  Under rcu_read_lock().
 */
struct sock *xtcp_entry_get(struct xtcp_entry *e, const struct xtcp_key *key);

/* Into the table; -EADDRNOTAVAIL if the tuple is taken.  key is set. */
int xtcp_table_insert(struct xtcp_net *xn, struct xtcp_entry *e);

/*
 * xtcp_table_connect - as xtcp_table_insert(), for connect()
 * A mini-socket may give up its place (xtcp_tw_reusable()): *@tw is then the
 * caller's, who frees it by xtcp_timewait_taken(); else it is NULL.
 * @bound: the user chose the port.
 */
int xtcp_table_connect(struct xtcp_net *xn, struct xtcp_entry *e, bool bound,
		       struct xtcp_twsk **tw);

/* Out of it; false if it was not in it (any more).  Any context. */
bool xtcp_table_remove(struct xtcp_net *xn, struct xtcp_entry *e);

/* @e takes @old's place; false, and nothing done, if @old was gone. */
bool xtcp_table_replace(struct xtcp_net *xn, struct xtcp_entry *old,
			struct xtcp_entry *e);

/* ---- listeners.c ---- */

/*
 * Listeners by local address and port, constant while they listen.  With
 * SO_REUSEPORT a listener joins the kernel's group of its like, and leaves it.
 * Socket lock.  Negative errno: not added.
 */
int xtcp_listeners_add(struct xtcp_net *xn, struct sock *sk);
void xtcp_listeners_del(struct xtcp_net *xn, struct sock *sk);

/*
 * xtcp_listener_find - who listens where @skb, parsed as @s, is going
 * The most exact address wins; of several groups there the one joined last; of
 * a group the member that its program or the hash of the tuple picks.  NULL if
 * there is nobody.  Under RCU, no reference; skb->data at the header, which may
 * be moved.
 */
struct sock *xtcp_listener_find(struct xtcp_net *xn, struct sk_buff *skb,
				const struct xtcp_seg *s);

/* ---- ports.c ---- */

void xtcp_ports_init(void);

/*
 * proto.get_port: bind @sk to @snum, host byte order, 0: any; or, if it is
 * bound and about to listen, see whether it still may.  Socket lock; may sleep.
 * -EADDRINUSE, -ENOMEM.
 */
int xtcp_get_port(struct sock *sk, unsigned short snum);

/* proto.put_port; inet_num becomes 0.  Socket lock, any context. */
void xtcp_put_port(struct sock *sk);

/*
 * The address that @sk is bound to has become another: so does what it claims
 * of its port, if it has one.  Socket lock.  -ENOMEM: it claims what it did.
 */
int xtcp_port_move(struct sock *sk);

/*
 * @sk shares the port of its listener: owner.bucket is set, or NULL for want
 * of memory or because the listener has left that port.  @sk is locked.
 */
void xtcp_port_inherit(struct xtcp_net *xn, struct sock *lsk, struct sock *sk);

/*
 * What @sk claims, for its TIME_WAIT mini-socket.  Socket lock; NULL if it
 * has no port, or for want of memory: then the tuple alone is kept.
 */
struct xtcp_claim *xtcp_claim_get(struct xtcp_net *xn, struct sock *sk);

/* Gives it back; @c may be NULL.  Any context. */
void xtcp_claim_put(struct xtcp_net *xn, struct xtcp_claim *c);

/*
 * A local port for a connection (RFC 6056), unless it has one, and its place
 * in the table of connections; @tw as with xtcp_table_connect().  Socket lock;
 * may sleep.  -EADDRNOTAVAIL, -ENOMEM.
 */
int xtcp_port_connect(struct sock *sk, struct xtcp_twsk **tw);

/* ---- isn.c ---- */

/* Initial sequence number (RFC 6528). */
u32 xtcp_isn(const struct xtcp_net *xn, const struct xtcp_key *key);

/*
 * What is added to timestamps (RFC 7323, 5.4): the same for all connections
 * of two addresses, so that the next one on a tuple is seen to be newer.
 */
u32 xtcp_ts_off(const struct xtcp_net *xn, const struct xtcp_key *key);

/* ---- synq.c ---- */

struct xtcp_listener *xtcp_listener_alloc(void);

/*
 * A SYN for a listener.  Under RCU; @skb stays the caller's.
 * @iss: initial sequence number to use, 0: any.
 */
void xtcp_synq_syn(struct sock *lsk, struct sk_buff *skb,
		   const struct xtcp_seg *s, u32 iss);

/* What has become of a segment for a request or a listener. */
enum xtcp_synq_verdict {
	XTCP_SYNQ_STRANGER,	/* no cookie of ours: to be answered by RST */
	XTCP_SYNQ_DROP,		/* to be dropped in silence; all else is done */
	XTCP_SYNQ_TAKEN,	/* the first of a connection, @skb consumed */
	XTCP_SYNQ_AGAIN,	/* to be looked up again: the request is gone */
};

/* A segment for a request.  Softirq, under RCU.  Never XTCP_SYNQ_STRANGER. */
enum xtcp_synq_verdict xtcp_synq_segment(struct xtcp_reqsk *r,
					 struct sk_buff *skb,
					 const struct xtcp_seg *s);

/*
 * A segment with ACK for a listener: is it the answer to a SYN cookie?
 * Softirq, under RCU.
 */
enum xtcp_synq_verdict xtcp_synq_ack(struct sock *lsk, struct sk_buff *skb,
				     const struct xtcp_seg *s);

/*
 * ICMP about our SYN-ACK that quotes @seq; @fatal: the request goes, and
 * nobody is told.  Under RCU.
 */
void xtcp_synq_error(struct xtcp_reqsk *r, u32 seq, bool fatal);

/* Listening ends: requests and connections not accepted go.  Socket lock. */
void xtcp_listener_close(struct sock *lsk);

/* ---- reqsk.c ---- */

int xtcp_reqsk_init(void);
void xtcp_reqsk_exit(void);

/* ---- cookie.c ---- */

/*
 * The initial sequence number that stands for a request: its tuple, the
 * peer's initial sequence number @irs, and @mss rounded down.
 */
u32 xtcp_cookie_make(const struct xtcp_net *xn, const struct xtcp_key *key,
		     u32 irs, u16 mss);

/* The segment size in cookie @iss; 0 if it is not ours, or too old. */
u16 xtcp_cookie_check(const struct xtcp_net *xn, const struct xtcp_key *key,
		      u32 irs, u32 iss);

/* Our TSval in the SYN-ACK of a cookie: options of the SYN in it. */
u32 xtcp_cookie_tsval(const struct xtcp_req *r, u64 now);

/*
 * The options of the SYN, added to @syn, from the timestamp that ACK @s
 * echoes.  False if it cannot have been one of ours, as settings are.
 */
bool xtcp_cookie_options(const struct xtcp_net *xn, const struct xtcp_key *key,
			 const struct xtcp_seg *s, struct xtcp_seg *syn);

/* Cookies are being sent for @lsk; cookies may come back to it.  Under RCU. */
void xtcp_cookie_overflow(const struct sock *lsk, struct xtcp_listener *l);
bool xtcp_cookie_expected(const struct sock *lsk, struct xtcp_listener *l);

/* ---- peers.c ---- */

/* A handshake with @addr was completed; has one been, as far as known?  Any context. */
void xtcp_peer_prove(struct xtcp_net *xn, const struct in6_addr *addr);
bool xtcp_peer_proven(struct xtcp_net *xn, const struct in6_addr *addr);

/* ---- acceptq.c ---- */

/* proto.accept. */
struct sock *xtcp_accept(XTCP_ACCEPT_ARGS);

/* No more fit in, those counted that are on their way.  Listener's lock. */
bool xtcp_acceptq_full(const struct sock *lsk, const struct xtcp_listener *l);

/* ---- timewait.c ---- */

/* Leaves a mini-socket in @sk's place; @sk is out of the tables after it. */
void xtcp_timewait_enter(struct sock *sk);

/*
 * A segment for it.  Under RCU.  True: it has given way to a new SYN,
 * *@iss is safe for its successor.
 */
bool xtcp_timewait_segment(struct xtcp_twsk *tw, struct sk_buff *skb,
			   const struct xtcp_seg *s, u32 *iss);

/* A new SYN that finds no listener: the last ACK again. */
void xtcp_timewait_no_listener(struct xtcp_twsk *tw, struct sk_buff *skb,
			       const struct xtcp_seg *s);

/* The new SYN finds a listener: the mini-socket goes. */
void xtcp_timewait_give_way(struct xtcp_twsk *tw);

/*
 * connect() has put its socket in the mini-socket's place in the table
 * (xtcp_table_replace()), xtcp_tw_reusable() having agreed: it goes.
 */
void xtcp_timewait_taken(struct xtcp_twsk *tw);

/* All mini-sockets of the namespaces that are dying.  May sleep. */
void xtcp_minis_purge(void);

int xtcp_timewait_init(void);
void xtcp_timewait_exit(void);

#endif /* XTCP_CONN_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The host's own structures: the socket, what stands in the tables, and the
 * state of a network namespace.  Who may touch what: Documentation/locking.md.
 */
#ifndef XTCP_H
#define XTCP_H

#include <linux/in6.h>
#include <linux/llist.h>
#include <linux/rculist.h>
#include <linux/rculist_nulls.h>
#include <linux/siphash.h>
#include <linux/skbuff.h>
#include <linux/timer.h>
#include <linux/timekeeping.h>
#include <linux/wait.h>
#include <net/inet_sock.h>
#include <net/net_namespace.h>
#include <net/sock.h>
#include "uapi/linux/xtcp.h"
#include "compat/compat.h"
#include "core/core.h"
#include "mib.h"

/* The pseudo-header has TCP's number whatever the IP header says. */
#define XTCP_CSUM_PROTO		IPPROTO_TCP

/*
 * What a burst says of itself.  Only a device that can cut both TCP's and SCTP's
 * takes it whole: those are virtual ones (lo, veth, bridges), which pass it on
 * as it is.  A network card never takes it, as it would look at the IP header's
 * number; the kernel cuts for it (offload.c).
 */
#define XTCP_GSO_V4		(SKB_GSO_TCPV4 | SKB_GSO_SCTP)

#define XTCP_NPEERS		1024	/* addresses proven to be somebody's */

extern int xtcp_family;		/* module parameters; fixed after load */
extern int xtcp_ipproto;

/*
 * struct xtcp_key - who talks with whom; IPv4 addresses are v4-mapped
 * Ports and addresses in network byte order, @l local and @r remote.
 */
struct xtcp_key {
	struct in6_addr laddr;
	struct in6_addr raddr;
	__be16 lport;
	__be16 rport;
};

enum xtcp_kind {
	XTCP_KIND_SOCK,		/* struct xtcp_sock */
	XTCP_KIND_REQ,		/* struct xtcp_reqsk */
	XTCP_KIND_TW,		/* struct xtcp_twsk */
};

/*
 * struct xtcp_entry - what the table of connections holds
 * Found under RCU.  Linked and unlinked under its bucket's lock.
 */
struct xtcp_entry {
	struct hlist_nulls_node node;
	struct xtcp_key key;
	u32 hash;
	struct net *net;	/* whose it is: the table is for all of them */
	int bound_if;		/* 0: any */
	u8 kind;		/* enum xtcp_kind */
};

/*
 * struct xtcp_place - a local port at one address, 0: at any
 * Under the lock of the port's chain (conn/ports.c).
 */
struct xtcp_place {
	struct xtcp_bucket *bucket;
	__be32 saddr;		/* constant while anybody is here */
	struct hlist_head bound;	/* by bind() and connect(), struct xtcp_owner */
	struct hlist_head kids;		/* by accept(), likewise */
	struct hlist_head claims;	/* TIME_WAIT, struct xtcp_claim */
	struct hlist_node chain;	/* places by address; not in use for the first */
	struct hlist_node sibling;	/* xtcp_bucket.more; likewise */
};

/*
 * struct xtcp_bucket - a local port in use in a namespace
 * The fast* fields sum up the owners for bind() and connect(), as they were
 * when each came (conn/ports.c).
 */
struct xtcp_bucket {
	struct hlist_node node;
	struct net *net;
	u16 port;		/* host byte order */
	s8 fastreuse;		/* > 0: all have SO_REUSEADDR, none listens */
	s8 fastreuseport;	/* > 0: all have SO_REUSEPORT and fastuid */
	kuid_t fastuid;
	__be32 fast_saddr;	/* with XTCP_FAST_STRICT */
	struct xtcp_place first;	/* most ports are used at one address only */
	struct hlist_head more;		/* the others */
};

enum {
	XTCP_FAST_AUTO = -1,	/* all owners got the port from connect() */
	XTCP_FAST_NO = 0,
	XTCP_FAST_ANY = 1,
	XTCP_FAST_STRICT = 2,	/* for sockets at fast_saddr */
};

/*
 * What a socket has of a port.  Written with the socket lock and the lock of
 * the port's chain.
 */
struct xtcp_owner {
	struct hlist_node node;
	struct xtcp_bucket *bucket;	/* NULL: owns no port */
	struct xtcp_place *place;	/* where in it */
	bool kid;			/* in xtcp_place.kids */
};

/*
 * struct xtcp_claim - what TIME_WAIT mini-sockets hold of a port
 * One for all of them that claim the same; as their sockets had it.
 */
struct xtcp_claim {
	struct hlist_node node;		/* xtcp_place.claims */
	struct xtcp_place *place;
	u32 users;
	int bound_if;
	bool reuse;
	bool reuseport;
};

/* What a listening socket has beside; allocated by listen(). */
struct xtcp_listener {
	spinlock_t lock;	/* everything in here; BH off */
	bool open;		/* cleared once, when listening ends */
	struct list_head reqs;	/* SYN queue, struct xtcp_reqsk.link */
	u32 nreqs;
	u32 nyoung;		/* of them without a timeout yet */
	struct list_head ready;	/* accept queue, struct xtcp_sock.ready_link */
	u32 nready;		/* with the slots reserved for the unfinished */
	u16 port;		/* constant: the socket may be used anew */
	u32 flood_told;		/* the log knows of this flood; no lock */
	unsigned int overflow;	/* time of the last cookie, cookie.c; no lock */
	struct rcu_head rcu;
};

/*
 * struct xtcp_sock - a socket, whole
 * inet_sock must be first.  Socket lock, unless said otherwise.
 */
struct xtcp_sock {
	struct inet_sock inet;
	struct xtcp_core core;
	struct xtcp_entry entry;
	struct xtcp_owner owner;
	struct timer_list timer;	/* the only one; see timer.c */
	u64 timer_at;			/* microseconds it is armed for */
	unsigned long deferred;		/* atomic bits, XTCP_DEFER_* */
	bool hashed;			/* entry is in the table */
	bool listed;			/* lnode is in the table of listeners */
	u8 defer_accept;		/* TCP_DEFER_ACCEPT in timeouts, 0: off */
	bool destroyed;			/* xtcp_sock_destroy() was here */
	u32 rcvq_bytes;			/* payload bytes in sk_receive_queue */
	u16 user_mss;			/* TCP_MAXSEG, 0: none */
	u16 mss_clamp;			/* the same, of this connection */
	u32 window_clamp;		/* TCP_WINDOW_CLAMP, bytes, 0: none */
	u32 notsent_lowat;		/* TCP_NOTSENT_LOWAT, bytes, 0: xtcp_net's */
	u32 mtu;			/* path MTU that core.mss was made from */
	u32 mtu_news;			/* what ICMP last said of it */
	int refused_at;			/* xtcp_sendq_refused(): bytes charged then */
	struct sk_buff *tx_hint;	/* where the last sent range ended */
	struct hlist_nulls_node lnode;	/* table of listeners */
	struct xtcp_listener __rcu *listener;
	struct list_head ready_link;	/* accept queue of the parent */
	struct list_head orphan_link;	/* xtcp_net.orphans */
	struct llist_node below_node;	/* tx/below.c, with XTCP_DEFER_QUEUED */
};

enum {
	XTCP_DEFER_TIMER,	/* a deadline came while the user had the lock */
	XTCP_DEFER_MTU,		/* so did news of the path MTU */
	XTCP_DEFER_TX,		/* so did room below IP (tx/below.c) */
	XTCP_DEFER_BELOW,	/* no room below IP: who leaves there says so */
	XTCP_DEFER_QUEUED,	/* below_node is in a processor's list */
};

/* struct xtcp_reqsk - SYN queue mini-socket */
struct xtcp_reqsk {
	struct xtcp_entry entry;
	struct xtcp_req req;
	struct list_head link;	/* empty once taken; listener lock */
	struct sock *lsk;	/* the listener, held */
	struct timer_list timer;
	u32 mark;
	u32 txhash;
	u32 last_oow;		/* jiffies of the last answer that is rationed */
	u32 secid;		/* LSM's label of its flow, for IPsec; 0: none */
	u8 tos;
	struct rcu_head rcu;
};

/*
 * struct xtcp_twsk - mini-socket in TIME_WAIT, or in FIN_WAIT_2 for an orphan
 * There may be a hundred thousand: three cache lines, with none to spare.
 */
struct xtcp_twsk {
	struct xtcp_entry entry;
	struct xtcp_claim *claim;	/* on its port; NULL: none */
	spinlock_t lock;	/* tw; BH off */
	u32 mark;
	struct xtcp_tw tw;
	struct timer_list timer;
	u32 txhash;
	u32 priority;
	u8 tos;
	struct rcu_head rcu;
};

/* struct xtcp_net - a network namespace */
struct xtcp_net {
	struct net *net;
	struct xtcp_cfg cfg;
	bool used;		/* somebody has opened a socket here */
	bool dying;		/* netns.c has begun to take it down */
	u8 reuse_timewait;	/* 1: by connect(), 2: within the machine */
	siphash_key_t isn_secret;
	siphash_key_t ts_secret;
	siphash_key_t port_secret;
	siphash_key_t cookie_secret[2];
	siphash_key_t peer_secret;
	u32 *peers;		/* conn/peers.c; no lock; with @used */
	u32 hash_secret;	/* connections */
	u32 listen_secret;	/* listeners and ports */
	u32 group_secret;	/* which member of a reuseport group */
	struct list_head orphans;	/* xtcp_sock.orphan_link */
	spinlock_t orphan_lock;
	int max_orphans;		/* more are reset, as natively */
	int max_tw_buckets;		/* more end at once, likewise */
	u32 notsent_lowat;		/* bytes unsent that stop a writer */
	u8 moderate_rcvbuf;		/* 1: receive buffers grow by need */
	int rmem[3];			/* receive buffer, bytes: least, first, most */
	int wmem[3];			/* send buffer, likewise */
	atomic_t nsocks;		/* struct xtcp_sock that are not over */
	atomic_t ntw;
	atomic_t nreqs;
	atomic_t norphans;
	u32 challenge_second;		/* of which challenge_left tells */
	u32 challenge_left;
	struct xtcp_counters __percpu *mib;
	struct xtcp_edges __percpu *edges;	/* conn/state.c; with @used */
	struct ctl_table_header *sysctl;
	struct ctl_table_header *sysctl_global;	/* init_net only */
};

/*
 * What stands in skb->cb of a received segment: the core's descriptor until
 * the payload is delivered, then which part of it is still to be read.
 */
struct xtcp_rx_cb {
	union {
		struct xtcp_rxd rxd;
		struct {
			u32 off;	/* first byte not read */
			u32 end;	/* the one after the last */
		};
	};
};

/* The same for the send queue. */
struct xtcp_tx_cb {
	u32 seq;		/* of the first byte */
};

#define XTCP_RX_CB(skb) ((struct xtcp_rx_cb *)(skb)->cb)
#define XTCP_TX_CB(skb) ((struct xtcp_tx_cb *)(skb)->cb)

extern unsigned int xtcp_net_id;
extern struct proto xtcp_prot;
extern const struct proto_ops xtcp_stream_ops;

static inline struct xtcp_sock *xtcp_sk(const struct sock *sk)
{
	return (struct xtcp_sock *)sk;
}

static inline struct sock *xtcp_owner_sk(const struct xtcp_owner *o)
{
	return &container_of(o, struct xtcp_sock, owner)->inet.sk;
}

static inline struct sock *xtcp_core_sk(struct xtcp_core *c)
{
	return &container_of(c, struct xtcp_sock, core)->inet.sk;
}

/* xtcp_core_send_end() for who has no lock: it may be old by now. */
static inline u32 xtcp_send_end(const struct xtcp_core *c)
{
	return READ_ONCE(c->write_seq) + READ_ONCE(c->fin_queued);
}

static inline struct sk_buff *xtcp_rxd_skb(struct xtcp_rxd *d)
{
	return container_of((char *)d, struct sk_buff, cb[0]);
}

/* Microseconds of the core's clock, never 0. */
static inline u64 xtcp_now(void)
{
	return div_u64(ktime_get_ns(), NSEC_PER_USEC) | 1;
}

struct xtcp_net *xtcp_pernet(const struct net *net);

#define XTCP_INC(net, id) \
	this_cpu_inc(xtcp_pernet(net)->mib->v[XTCP_CNT_##id])
#define XTCP_ADD(net, id, n) \
	this_cpu_add(xtcp_pernet(net)->mib->v[XTCP_CNT_##id], n)

#endif /* XTCP_H */

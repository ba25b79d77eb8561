/* SPDX-License-Identifier: GPL-2.0 */
/* Socket -> segment -> IP. */
#ifndef XTCP_TX_H
#define XTCP_TX_H

#include "xtcp.h"

/* ---- sendq.c: what the user has written and the peer not acknowledged ---- */

/*
 * Copies at most @len bytes of @msg from the user to the queue's end.  Returns
 * how many, at least one; -EAGAIN if the send buffer is full; -ENOMEM if there
 * is no memory, which an empty queue hears only if an allocation failed, not
 * for what the limits say; -EFAULT.  Socket lock, process context, may sleep.
 */
int xtcp_sendq_append(struct sock *sk, struct msghdr *msg, size_t len);

/*
 * -ENOMEM has been told to a writer, who waits: there is no use in his trying
 * again before half of what is queued now has been acknowledged, or others have
 * given back enough.  Socket lock.
 */
void xtcp_sendq_refused(struct sock *sk);

/*
 * Would a writer be refused again, as far as can be told?  Any context, no
 * lock, a snapshot: each ACK of data that changes it is followed by
 * sk_write_space.
 */
bool xtcp_sendq_no_memory(const struct sock *sk);

/* What lies below snd_una is freed, and uncharged.  Socket lock. */
void xtcp_sendq_acked(struct sock *sk);

/* Frees it all.  Socket lock. */
void xtcp_sendq_purge(struct sock *sk);

/*
 * Lets [seq, seq + len) be the payload of @skb by reference to its pages.
 * Returns the bytes attached: fewer than @len if @skb has no room for so many
 * fragments.
 */
u32 xtcp_sendq_attach(struct sock *sk, struct sk_buff *skb, u32 seq, u32 len);

/* The same by copying: @skb has tailroom for @len bytes. */
int xtcp_sendq_copy(struct sock *sk, struct sk_buff *skb, u32 seq, u32 len);

/* ---- output.c: sends all that the core allows ---- */

void xtcp_output(struct sock *sk);

/* Path MTU and offload limits of the route to core.mss.  Socket lock. */
void xtcp_sync_mss(struct sock *sk, u32 mtu);

/* IP_OPTIONS were changed.  Process context, no lock. */
void xtcp_options_changed(struct sock *sk);

/* core.mss and own_mss for the route before the connection starts. */
void xtcp_init_mss(struct sock *sk, struct dst_entry *dst);

/* ---- control.c: segments without payload and without a socket ---- */

/*
 * struct xtcp_reply - whom to answer, and how
 * Addresses turned round.  @sk: whose flow it is, for IPsec's and routing's
 * rules (its policies, IP_TRANSPARENT, user); NULL for nobody's.
 */
struct xtcp_reply {
	const struct sock *sk;
	__be32 saddr;
	__be32 daddr;
	int oif;		/* 0: any */
	u32 mark;
	u32 txhash;		/* 0: none */
	u32 secid;		/* LSM's label of the flow, for IPsec; 0: none */
	u32 priority;
	u8 tos;			/* ECN bits are not sent */
	u8 scope;		/* RT_SCOPE_*; 0: RT_SCOPE_UNIVERSE */
	u8 ttl;			/* 0: the route's */
};

/*
 * Fills @r for the sender of @skb: TOS and security label as they came, the
 * mark if fwmark_reflect is on, and the way back into a VRF.
 */
void xtcp_reply_init(struct xtcp_reply *r, struct net *net,
		     const struct sk_buff *skb);

/* What @sk's user has set for the answers of his socket is added. */
void xtcp_reply_as(struct xtcp_reply *r, const struct sock *sk);

/* Answers @s along @r; ports set in @h too. */
void xtcp_reply_seg(struct net *net, const struct xtcp_reply *r,
		    const struct xtcp_seg *s, struct xtcp_hdr *h);

/* RST for @s along @r, unless it is one (RFC 9293, 3.10.7.1). */
void xtcp_reply_reset(struct net *net, const struct xtcp_reply *r,
		      const struct xtcp_seg *s);

/* Sends @h along @r.  Any context; lost silently for want of memory. */
void xtcp_reply_send(struct net *net, const struct xtcp_reply *r,
		     const struct xtcp_hdr *h);

/* The same for @skb, which came to @sk: a listener, or NULL for nobody. */
void xtcp_send_reset(struct net *net, const struct sock *sk,
		     const struct sk_buff *skb, const struct xtcp_seg *s);

/* The RST that ends @sk's connection.  Socket lock. */
void xtcp_send_abort(struct sock *sk);

/* ---- below.c: what waits below IP ---- */

/*
 * xtcp_below_full - is so much of @sk in queues below IP that it has to wait?
 * @len: payload bytes of the burst that is to be sent.  If true, the socket's
 * output is run again as soon as a segment has left.  Socket lock.
 */
bool xtcp_below_full(struct sock *sk, u32 len);

/* The wait is over: sends what may go.  Socket lock, not owned by a user. */
void xtcp_below_go_on(struct sock *sk);

/* The destructor of every segment that belongs to a socket. */
void xtcp_wfree(struct sk_buff *skb);

void xtcp_below_init(void);
/* After the last socket has gone.  May sleep. */
void xtcp_below_exit(void);

/* ---- xmit.c: the one caller of the IP output layer ---- */

/* Room in front for link, IP and 60 bytes of header, behind for @len bytes. */
struct sk_buff *xtcp_xmit_alloc(u32 len, gfp_t gfp);

/* @dst, with a reference, is @sk's route from now on.  Socket lock. */
void xtcp_set_route(struct sock *sk, struct dst_entry *dst);

/* What @sk's route says is heeded; IP may have found another one. */
void xtcp_heed_route(struct sock *sk);

/*
 * @sk's route as it is valid now, looked up if there is none; NULL, and the
 * reason in sk_err_soft, if there is none to be had.  Addresses and ports are
 * set.  Socket lock.
 */
struct dst_entry *xtcp_route(struct sock *sk);

/*
 * Payload bytes that one buffer of @sk may carry through IP to be cut later;
 * core.mss if its route's device has no use for that.  Socket lock.
 */
u32 xtcp_burst_max(const struct sock *sk);

/*
 * @skb's payload is to be cut into segments of @mss bytes below IP.  Before
 * xtcp_xmit().
 */
void xtcp_set_gso(const struct sock *sk, struct sk_buff *skb, u16 mss);

/*
 * Header and checksum in front of @skb's payload, then to IP, by @sk's route.
 * Takes @skb.  Returns 0, NET_XMIT_CN or NET_XMIT_DROP of a local queue, or a
 * negative error of IP.  Socket lock.
 */
int xtcp_xmit(struct sock *sk, struct sk_buff *skb, const struct xtcp_hdr *h);

/* The same along @r, without a socket. */
void xtcp_xmit_reply(struct net *net, struct sk_buff *skb,
		     const struct xtcp_reply *r, const struct xtcp_hdr *h);

#endif /* XTCP_TX_H */

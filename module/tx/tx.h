/* SPDX-License-Identifier: GPL-2.0 */
/* Socket -> segment -> IP. */
#ifndef XTCP_TX_H
#define XTCP_TX_H

#include "xtcp.h"

/* ---- sendq.c: what the user has written and the peer not acknowledged ---- */

/*
 * Copies from the user to the queue's end: at least one byte, or an error.
 * Returns bytes, -ENOMEM-like errors, -EFAULT; -EAGAIN if the buffer is full.
 * Socket lock, process context.
 */
int xtcp_sendq_append(struct sock *sk, struct msghdr *msg, size_t len);

/* Frees what lies wholly below snd_una. */
void xtcp_sendq_acked(struct sock *sk);

/* Frees it all. */
void xtcp_sendq_purge(struct sock *sk);

/*
 * Lets [seq, seq + len) be the payload of @skb by reference to its pages.
 * Returns 0, or -ENOMEM if @skb has no room for so many fragments.
 */
int xtcp_sendq_attach(struct sock *sk, struct sk_buff *skb, u32 seq, u32 len);

/* The same by copying: @skb has tailroom for @len bytes. */
int xtcp_sendq_copy(struct sock *sk, struct sk_buff *skb, u32 seq, u32 len);

/* ---- output.c: sends all that the core allows ---- */

void xtcp_output(struct sock *sk);

/* Path MTU and offload limits of the route to core.mss.  Socket lock. */
void xtcp_sync_mss(struct sock *sk, u32 mtu);

/* core.mss and own_mss for the route before the connection starts. */
void xtcp_init_mss(struct sock *sk, struct dst_entry *dst);

/* ---- control.c: segments without payload and without a socket ---- */

/* Whom to answer: addresses turned round, marks and TOS of the reply. */
struct xtcp_reply {
	__be32 saddr;
	__be32 daddr;
	int oif;
	u32 mark;
	u32 txhash;
	u8 tos;
};

/* Answers the sender of @skb, ports set in @h too. */
void xtcp_reply_to(struct net *net, struct sk_buff *skb,
		   const struct xtcp_seg *s, struct xtcp_hdr *h);

/* Sends @h along @r.  Any context; lost silently for want of memory. */
void xtcp_reply_send(struct net *net, const struct xtcp_reply *r,
		     const struct xtcp_hdr *h);

/* RST for @skb unless it is one (RFC 9293, 3.10.7.1). */
void xtcp_send_reset(struct net *net, struct sk_buff *skb,
		     const struct xtcp_seg *s);

/* The RST that ends @sk's connection.  Socket lock. */
void xtcp_send_abort(struct sock *sk);

/* ---- xmit.c: the one caller of the IP output layer ---- */

/* Room in front for link, IP and 60 bytes of header, behind for @len bytes. */
struct sk_buff *xtcp_xmit_alloc(u32 len, gfp_t gfp);

/*
 * @sk's route as it is valid now, looked up if there is none; NULL if there
 * is none to be had.  Addresses and ports are set.  Socket lock, RCU.
 */
struct dst_entry *xtcp_route(struct sock *sk);

/* Header and checksum in front of @skb's payload, then to IP, by @sk's route. */
int xtcp_xmit(struct sock *sk, struct sk_buff *skb, const struct xtcp_hdr *h);

/* The same along @r, without a socket. */
void xtcp_xmit_reply(struct net *net, struct sk_buff *skb,
		     const struct xtcp_reply *r, const struct xtcp_hdr *h);

#endif /* XTCP_TX_H */

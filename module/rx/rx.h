/* SPDX-License-Identifier: GPL-2.0 */
/* IP -> segment -> socket. */
#ifndef XTCP_RX_H
#define XTCP_RX_H

#include "xtcp.h"

/* ---- demux.c: the one inet_add_protocol() handler ---- */
int xtcp_demux_init(void);
void xtcp_demux_exit(void);

/* Counts and frees a segment nobody took. */
void xtcp_drop(struct net *net, struct sk_buff *skb, enum xtcp_counter why);

/* ---- input.c ---- */

/*
 * Parses @skb, whose data is at a header that was checked to be whole, and notes
 * how many segments were joined in it.  As xtcp_seg_parse() otherwise.
 */
int xtcp_skb_parse(const struct sk_buff *skb, struct xtcp_seg *s);

/*
 * A segment for a connection.  Consumes @skb, whose data is at the header.
 * Socket lock, BH off or owner of the socket.
 */
void xtcp_input(struct sock *sk, struct sk_buff *skb, const struct xtcp_seg *s);

/* proto.backlog_rcv */
int xtcp_backlog_rcv(struct sock *sk, struct sk_buff *skb);

/* ---- backlog.c ---- */

/*
 * Joins @skb, parsed as @s, to the last segment of @sk's backlog if it continues
 * that one; takes @skb if so.  skb->data is at the header, which was checked,
 * as was the socket's filter.  Softirq, socket locked but owned by its user.
 */
bool xtcp_backlog_join(struct sock *sk, struct sk_buff *skb,
		       const struct xtcp_seg *s);

/* ---- recvq.c: payload in order, and room for more ---- */

/* Payload bytes that the buffer can still take, and when empty. */
u32 xtcp_rcv_space(const struct sock *sk);
void xtcp_rcv_refresh(struct sock *sk);

/*
 * The user has read: sk_rcvbuf grows, unless he has set it, if the connection
 * can use more (net.xtcp.moderate_rcvbuf).  Socket lock.
 */
void xtcp_rcv_grow(struct sock *sk, u64 now);

/*
 * Enough to wake a reader for, as natively (tcp_epollin_ready()): @target bytes,
 * usually SO_RCVLOWAT; or something, and no more may come before it is read, as
 * seven eighths of the buffer are used, memory of all sockets is short, or the
 * window holds less than a segment.  Any context, a snapshot.
 */
bool xtcp_recvq_ready(const struct sock *sk, u32 target);

/* Payload bytes that can be read now.  Socket lock. */
u32 xtcp_recvq_bytes(const struct sock *sk);

/* ---- icmp.c ---- */
int xtcp_v4_err(struct sk_buff *skb, u32 info);

/* The path MTU of @sk's route is xtcp_sock.mtu_news.  Socket lock. */
void xtcp_mtu_reduced(struct sock *sk);

#endif /* XTCP_RX_H */

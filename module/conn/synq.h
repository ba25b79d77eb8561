/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Between the files that make connections of SYNs: reqsk.c, child.c, synq.c.
 * Softirq, under RCU, if nothing else is said.
 */
#ifndef XTCP_SYNQ_H
#define XTCP_SYNQ_H

#include "conn/conn.h"

/* ---- reqsk.c ---- */

/*
 * Who talks with whom, and how @lsk answers.  @r may be on the stack: it has
 * no timer and no reference yet.
 */
void xtcp_reqsk_address(struct xtcp_reqsk *r, struct sock *lsk,
			const struct sk_buff *skb, const struct xtcp_seg *s);

/*
 * Opens @r from the peer's SYN @syn, or from what is known of that; @skb is
 * what came.  False: a security module refuses, or there is no way back.
 */
bool xtcp_reqsk_open(struct xtcp_reqsk *r, struct sk_buff *skb,
		     const struct xtcp_seg *syn, u32 iss);

/*
 * A request for SYN @s, in no queue yet; NULL without memory or a way back.
 * @iss: initial sequence number to use, 0: any.
 */
struct xtcp_reqsk *xtcp_reqsk_make(struct sock *lsk, struct sk_buff *skb,
				   const struct xtcp_seg *s, u32 iss);

/* The end of one that has never been in a queue. */
void xtcp_reqsk_discard(struct xtcp_reqsk *r);

/*
 * Into the queue and the table; takes a reference on the listener.  False if
 * that has closed or moved, and if the tuple is taken: @r stays the caller's.
 */
bool xtcp_reqsk_queue(struct sock *lsk, struct xtcp_listener *l,
		      struct xtcp_reqsk *r);

/*
 * Off the listener's list: true for the one caller that got it, who puts it
 * back or frees it.  Listener's lock.
 */
bool xtcp_reqsk_take(struct xtcp_listener *l, struct xtcp_reqsk *r);

/* On it, with its timer running.  Listener's lock. */
void xtcp_reqsk_put(struct xtcp_net *xn, struct xtcp_listener *l,
		    struct xtcp_reqsk *r);

/* The last of a request that is on no list any more.  Also process context. */
void xtcp_reqsk_free(struct xtcp_reqsk *r);

/* Counts the edge that a request in SYN_RECV takes by event @ev in @xn.  Any context. */
void xtcp_reqsk_edge(struct xtcp_net *xn, u8 ev);

/* Ends @r by event @ev; false, and nothing done, if somebody else has it. */
bool xtcp_reqsk_kill(struct xtcp_listener *l, struct xtcp_reqsk *r, u8 ev);

/* Sends the SYN-ACK of @r, the first one or again; @cookie: to be forgotten. */
void xtcp_reqsk_synack(struct xtcp_reqsk *r, bool cookie);

/* SYN @s came again: so does the SYN-ACK, and its timer begins anew. */
void xtcp_reqsk_answer_syn(struct xtcp_listener *l, struct xtcp_reqsk *r,
			   const struct xtcp_seg *s);

/* @s is out of order: where we are (RFC 9293, 3.10.7.4). */
void xtcp_reqsk_answer_ack(struct xtcp_reqsk *r, struct sk_buff *skb,
			   const struct xtcp_seg *s);

/* ---- label.c ---- */

/*
 * Asks the security modules about @r, which has its addresses, and @skb, the
 * SYN or a cookie's ACK, as security_inet_conn_request() is asked natively;
 * sets @r->secid.  False: refused.
 */
bool xtcp_reqsk_label(struct xtcp_reqsk *r, struct sk_buff *skb);

/* ---- child.c ---- */

/*
 * xtcp_child_make - a full socket for request @r of listener @lsk
 * @l: @lsk's, in which a place in the accept queue is reserved
 * @cookie: @r stands in no queue and not in the table
 *
 * Takes @r off its list, and puts the socket in its place in the table.  The
 * socket is locked and has two references; @r is the caller's to free.
 * -ENOMEM for want of memory, port or route; -EALREADY if somebody else has
 * taken @r, or has the tuple of a cookie: a look into the table finds whom.
 * On error @r is as it was.
 */
struct sock *xtcp_child_make(struct sock *lsk, struct xtcp_listener *l,
			     struct xtcp_reqsk *r, bool cookie);

/*
 * The connection is there: into the accept queue, unless that has ended.
 * Unlocks @sk, and drops one of its references.
 */
void xtcp_child_ready(struct sock *lsk, struct xtcp_listener *l,
		      struct sock *sk);

#endif /* XTCP_SYNQ_H */

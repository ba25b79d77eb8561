/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of core/ offer each other.  Not for the host. */
#ifndef XTCP_CORE_INTERNAL_H
#define XTCP_CORE_INTERNAL_H

#include "core.h"
#include "host.h"

#define XTCP_DUPTHRESH		3	/* duplicate ACKs that mean a loss */
#define XTCP_QUICK_ACKS		16	/* most that are not delayed, at a start */
#define XTCP_MINI_WAIT		60000000 /* us that a mini-socket waits at most */
#define XTCP_SYN_SOON		8000	/* us until a SYN that met old news comes again */
#define XTCP_RTO_BASE		200000	/* us: what counts of retries are times of */
#define XTCP_RTO_FALLBACK	3000000	/* us (RFC 6298, 5.7) */
#define XTCP_PAWS_SLACK		1	/* ticks a segment may be late */
#define XTCP_CWND_MAX		(1U << 24) /* packets */
#define XTCP_SSTHRESH_NONE	0x7fffffff /* packets: no loss yet, as natively */
#define XTCP_RETRY_MIN		40000	/* us until the host tries to send again */
#define XTCP_RETRY_MAX		500000

/* What the ACK of a segment did. */
enum {
	XTCP_ACK_FIN	= 1 << 0,	/* it acknowledged our FIN */
	XTCP_ACK_DROP	= 1 << 1,	/* the segment goes no further */
};

/* fsm.c: the two ways into a state without an edge. */
void xtcp_fsm_birth(struct xtcp_core *c);
void xtcp_fsm_child(struct xtcp_core *c);

/* event.c: an edge together with its actions. */
void xtcp_event(struct xtcp_core *c, enum xtcp_event ev, u64 now);
void xtcp_fail(struct xtcp_core *c, enum xtcp_event ev, int err);
void xtcp_established(struct xtcp_core *c, enum xtcp_event ev, u64 now);
void xtcp_peer_options(struct xtcp_core *c, const struct xtcp_seg *s, u64 now);
void xtcp_mss_set(struct xtcp_core *c, u16 path);

/* A suspect segment may be answered again (RFC 5961, 7).  @last: when it was. */
static inline bool xtcp_rate_ok(u64 *last, const struct xtcp_cfg *cfg, u64 now)
{
	if (*last && now - *last < cfg->invalid_ratelimit)
		return false;
	*last = now;
	return true;
}

/* ack.c */
u8 xtcp_ack_input(struct xtcp_core *c, const struct xtcp_seg *s, u64 now,
		  enum xtcp_drop *why);
bool xtcp_ack_newer_window(const struct xtcp_core *c, const struct xtcp_seg *s);
void xtcp_ack_owed(struct xtcp_core *c);
void xtcp_ack_suspect(struct xtcp_core *c, u64 now);
void xtcp_ack_challenge(struct xtcp_core *c, u64 now);

/* data.c */

/* The stream ends here; what may have come from behind that is not its. */
static inline bool xtcp_fin_reached(const struct xtcp_core *c)
{
	return c->fin_seen && c->rcv_nxt == c->fin_seq;
}

enum xtcp_drop xtcp_data_input(struct xtcp_core *c, const struct xtcp_seg *s,
			       struct xtcp_rxd *d, u64 now, bool *fin);
void xtcp_data_fast(struct xtcp_core *c, const struct xtcp_seg *s,
		    struct xtcp_rxd *d, u64 now);

/*
 * delack.c: when to acknowledge.  Payload in order, @len octets of it new; a
 * segment behind a hole; one with nothing new; an edge of the table with
 * XTCP_DO_ACK, the new state being set; payload goes out; an ACK goes out, alone
 * or with something; the timer.  xtcp_delack_drained(): is an ACK due because
 * the user has read?
 */
void xtcp_delack_in_order(struct xtcp_core *c, const struct xtcp_seg *s,
			  u32 len, u64 now);
void xtcp_delack_hole(struct xtcp_core *c, const struct xtcp_seg *s);
void xtcp_delack_repeated(struct xtcp_core *c);
void xtcp_delack_edge(struct xtcp_core *c, enum xtcp_event ev, u64 now);
void xtcp_delack_answered(struct xtcp_core *c, u64 now);
void xtcp_delack_sent(struct xtcp_core *c);
void xtcp_delack_timeout(struct xtcp_core *c);
bool xtcp_delack_drained(const struct xtcp_core *c);

/* window.c */
u8 xtcp_wscale_choose(const struct xtcp_cfg *cfg, u32 rcv_buf_max);
u32 xtcp_rcv_right(const struct xtcp_core *c);
u32 xtcp_rcv_left_open(const struct xtcp_core *c);
u16 xtcp_window_select(struct xtcp_core *c);

/* timeout.c */
void xtcp_fin_wait2_orphan(struct xtcp_core *c, u64 now);
void xtcp_rtx_arm(struct xtcp_core *c, u64 now);
void xtcp_persist_arm(struct xtcp_core *c, u64 now);

/*
 * cwnd.c: what happens to cwnd whatever the algorithm is.  A connection
 * starts; a loss was noticed by duplicate ACKs, or by a timeout; fast recovery
 * is over; the local queue is congested; @acked packets were acknowledged; all that may be sent
 * was sent; the first data after a pause is about to be sent.
 */
void xtcp_cwnd_start(struct xtcp_core *c, u64 now);
void xtcp_cwnd_loss(struct xtcp_core *c);
void xtcp_cwnd_timeout(struct xtcp_core *c);
void xtcp_cwnd_recovered(struct xtcp_core *c);
void xtcp_cwnd_congested(struct xtcp_core *c);
void xtcp_cwnd_acked(struct xtcp_core *c, u32 acked, u64 now);
void xtcp_cwnd_validate(struct xtcp_core *c, u64 now);
void xtcp_cwnd_restart(struct xtcp_core *c, u64 now);

/* output.c */
void xtcp_rtx_mark(struct xtcp_core *c, u32 end);
static inline bool xtcp_rtx_pending(const struct xtcp_core *c)
{
	return seq_lt(c->rtx_nxt, c->rtx_end);
}

#endif /* XTCP_CORE_INTERNAL_H */

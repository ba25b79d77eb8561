// SPDX-License-Identifier: GPL-2.0
/*
 * A segment arrives.  The steps are numbered as in RFC 9293, 3.10.7.3 for
 * SYN_SENT and 3.10.7.4 for the other states.
 */
#include "internal.h"

/* ---- SYN_SENT ---- */

/* Synchronised with the peer's SYN. */
static void syn_taken(struct xtcp_core *c, const struct xtcp_seg *s, u64 now)
{
	c->irs = s->seq;
	c->rcv_nxt = s->seq + 1;
	c->rcv_wup = c->rcv_nxt;
	c->snd_wnd = s->wnd;
	c->max_snd_wnd = s->wnd;
	c->snd_wl1 = s->seq;
	c->snd_wl2 = s->flags & XTCP_ACK ? s->ack : c->iss;
	xtcp_peer_options(c, s, now);
}

/* Our SYN is covered: the SYN's round trip is measured, its timer ends. */
static void syn_covered(struct xtcp_core *c, const struct xtcp_seg *s,
			enum xtcp_event ev, u64 now)
{
	u64 rtt = c->rtt.sent ? now - c->rtt.sent : 0;

	c->last_rcv = now;
	c->bytes_acked = s->ack - c->snd_una;
	c->snd_una = s->ack;
	c->rtx_nxt = s->ack;
	c->rtx_end = s->ack;
	c->deadline[XTCP_T_RTX] = 0;
	/* TSecr tells which of several SYNs is answered. */
	if (!c->rtt.sent && c->ts_ok)
		rtt = xtcp_ts_rtt(c->ts_off, s, now);
	if (c->rtt.sent || rtt)
		xtcp_rtt_sample(&c->rtt, rtt, c->cfg, now);
	c->rtt.sent = 0;
	c->sig |= XTCP_SIG_ACKED;
	xtcp_established(c, ev, now);
}

static bool ack_of_syn(const struct xtcp_core *c, const struct xtcp_seg *s)
{
	return seq_gt(s->ack, c->iss) && seq_le(s->ack, c->snd_nxt);
}

/* An echo of what none of our SYNs has carried: of another life. */
static bool tsecr_foreign(const struct xtcp_core *c, const struct xtcp_seg *s,
			  u64 now)
{
	if (!c->cfg->timestamps || !(s->opts & XTCP_OPT_TS) || !s->tsecr)
		return false;
	return s->tsecr - c->ts_first >
	       xtcp_ts_val(c->ts_off, now) - c->ts_first;
}

/* A SYN older than the connection whose place in TIME_WAIT we took. */
static bool syn_outdated(const struct xtcp_core *c, const struct xtcp_seg *s,
			 u64 now)
{
	return c->ts_stamp && (s->opts & XTCP_OPT_TS) &&
	       !xtcp_paws_ok(c->ts_recent, c->ts_stamp, s->tsval, 0, now);
}

static enum xtcp_drop input_syn_sent(struct xtcp_core *c,
				     const struct xtcp_seg *s, u64 now)
{
	/* First: the ACK bit, and the echo that goes with it. */
	if ((s->flags & XTCP_ACK) && !ack_of_syn(c, s)) {
		/*
		 * The RST clears the peer's memory: then it hears a SYN.  Never
		 * later than it would have come, or a stream of such ACKs would
		 * put it off for ever.
		 */
		if (!c->retrans)
			c->deadline[XTCP_T_RTX] = min(c->deadline[XTCP_T_RTX],
						      now + XTCP_SYN_SOON);
		if (!(s->flags & XTCP_RST))
			c->sig |= XTCP_SIG_REPLY_RST;
		return seq_gt(s->ack, c->snd_nxt) ? XTCP_DROP_NEW_ACK :
						    XTCP_DROP_OLD_ACK;
	}
	if ((s->flags & XTCP_ACK) && tsecr_foreign(c, s, now)) {
		if (!(s->flags & XTCP_RST))
			c->sig |= XTCP_SIG_REPLY_RST;
		return XTCP_DROP_TSECR;
	}
	/* Second: RST. */
	if (s->flags & XTCP_RST) {
		if (!(s->flags & XTCP_ACK))
			return XTCP_DROP_NO_ACK;
		xtcp_fail(c, XTCP_EV_RCV_RST, ECONNREFUSED);
		return XTCP_DROP_RST;
	}
	/* Fourth: SYN.  Payload is left to be sent again. */
	if (!(s->flags & XTCP_SYN))
		return XTCP_DROP_BAD_FLAGS;
	if (!(s->flags & XTCP_ACK) && syn_outdated(c, s, now))
		return XTCP_DROP_PAWS;
	syn_taken(c, s, now);
	if (s->flags & XTCP_ACK) {
		syn_covered(c, s, XTCP_EV_RCV_SYNACK, now);
	} else {
		xtcp_event(c, XTCP_EV_RCV_SYN, now);
		xtcp_rtx_mark(c, c->snd_nxt);
	}
	return XTCP_DROP_NONE;
}

/* ---- TIME_WAIT, while no mini-socket has taken over ---- */

/* A newer SYN has to wait: there is nobody here to give way to it. */
static enum xtcp_drop input_time_wait(struct xtcp_core *c,
				      const struct xtcp_seg *s, u64 now)
{
	struct xtcp_tw tw;
	u8 todo;

	xtcp_tw_open(&tw, c);
	tw.last_ack = c->last_challenge;
	todo = xtcp_tw_input(&tw, s, c->cfg, now);
	c->last_challenge = tw.last_ack;
	c->ts_recent = tw.ts_recent;
	c->ts_stamp = tw.ts_stamp;
	if (todo & XTCP_TW_KILL) {
		xtcp_event(c, XTCP_EV_RCV_RST, now);
		return XTCP_DROP_RST;
	}
	if (todo & XTCP_TW_RESTART)
		c->deadline[XTCP_T_KEEP] = now + c->cfg->timewait;
	if (todo & XTCP_TW_ACK)
		xtcp_ack_owed(c);
	if (todo & XTCP_TW_SKIPPED)
		xtcp_host_count(c, XTCP_MIB_ACKSKIPPED);
	return todo & XTCP_TW_PAWS ? XTCP_DROP_PAWS : XTCP_DROP_OLD_SEQ;
}

/* ---- the other states ---- */

/*
 * First step: the sequence number.  An empty segment at the right edge is
 * taken, and so is one that is old only because of what we have not
 * acknowledged yet: either may carry the newest ACK.
 */
static bool seq_acceptable(const struct xtcp_core *c, const struct xtcp_seg *s)
{
	u32 right = c->rcv_nxt + xtcp_rcv_left_open(c);

	return seq_ge(xtcp_seg_end(s), c->rcv_wup) && seq_le(s->seq, right);
}

/*
 * Before it: the timestamp (RFC 7323, 5.3, R1).  A pure ACK that repeats what
 * is known may have been overtaken by data and does no harm; RST is exempt.
 */
static bool paws_refuses(const struct xtcp_core *c, const struct xtcp_seg *s,
			 u64 now)
{
	u32 behind = c->ts_recent - s->tsval;

	if (!c->ts_ok || !(s->opts & XTCP_OPT_TS) || (s->flags & XTCP_RST) ||
	    xtcp_paws_ok(c->ts_recent, c->ts_stamp, s->tsval, XTCP_PAWS_SLACK,
			 now))
		return false;
	return (s->flags & XTCP_SYN) || !(s->flags & XTCP_ACK) ||
	       xtcp_seg_space(s) || s->seq != c->rcv_nxt ||
	       s->ack != c->snd_una || xtcp_ack_newer_window(c, s) ||
	       behind > xtcp_ms(c->rtt.rto);
}

/* The peer may have missed our ACK; or it is not the peer. */
static void refused_answer(struct xtcp_core *c, const struct xtcp_seg *s,
			   u64 now)
{
	if (s->flags & XTCP_RST)
		return;
	/* Payload is no answer to an ACK: no loop can come of it. */
	if (s->flags & XTCP_SYN)
		xtcp_ack_challenge(c, now);
	else if (!xtcp_seg_space(s))
		xtcp_ack_suspect(c, now);
	else if (seq_lt(s->seq, c->rcv_nxt))
		xtcp_delack_repeated(c);
	else
		xtcp_ack_owed(c);
}

static enum xtcp_drop seq_refused(struct xtcp_core *c,
				  const struct xtcp_seg *s, u64 now)
{
	refused_answer(c, s, now);
	return seq_lt(s->seq, c->rcv_nxt) ? XTCP_DROP_OLD_SEQ :
					    XTCP_DROP_OUT_OF_WINDOW;
}

/* The number of the FIN: some stacks do not count their own. */
static bool rst_of_fin(const struct xtcp_core *c, const struct xtcp_seg *s)
{
	return (s->flags & XTCP_RST) && s->seq == c->rcv_nxt - 1 &&
	       (c->state == XTCP_CLOSE_WAIT || c->state == XTCP_LAST_ACK ||
		c->state == XTCP_CLOSING);
}

/* Second step: RST (RFC 5961, section 3). */
static enum xtcp_drop input_rst(struct xtcp_core *c, const struct xtcp_seg *s,
				u64 now)
{
	if (s->seq != c->rcv_nxt && !rst_of_fin(c, s)) {
		xtcp_ack_challenge(c, now);
		return XTCP_DROP_OUT_OF_WINDOW;
	}
	xtcp_fail(c, XTCP_EV_RCV_RST,
		  c->state == XTCP_CLOSE_WAIT ? EPIPE : ECONNRESET);
	return XTCP_DROP_RST;
}

/* The SYN-ACK of a simultaneous open: old, but its ACK is news. */
static bool is_crossing_synack(const struct xtcp_core *c,
			       const struct xtcp_seg *s)
{
	return !c->syn_acked && (s->flags & XTCP_ACK) &&
	       s->seq == c->irs && s->ack == c->snd_nxt &&
	       ack_of_syn(c, s);
}

/* Fifth step, while our SYN waits for its ACK. */
static enum xtcp_drop input_syn_recv(struct xtcp_core *c,
				     const struct xtcp_seg *s, u64 now)
{
	enum xtcp_event ev = s->flags & XTCP_SYN ? XTCP_EV_RCV_SYNACK :
						   XTCP_EV_RCV_ACK;

	if (!ack_of_syn(c, s)) {
		c->sig |= XTCP_SIG_REPLY_RST;
		return XTCP_DROP_NEW_ACK;
	}
	/* The user may have closed before the handshake ended. */
	syn_covered(c, s, c->state == XTCP_SYN_RECV ? ev : XTCP_NEVENTS, now);
	if (c->snd_shut)
		xtcp_core_shutdown(c, now);
	return XTCP_DROP_NONE;
}

/* Steps one to four and the check that there is an ACK. */
static enum xtcp_drop input_checks(struct xtcp_core *c,
				   const struct xtcp_seg *s, u64 now)
{
	if (!(s->flags & (XTCP_ACK | XTCP_RST | XTCP_SYN)))
		return XTCP_DROP_NO_ACK;
	if (paws_refuses(c, s, now)) {
		refused_answer(c, s, now);
		return XTCP_DROP_PAWS;
	}
	if (!seq_acceptable(c, s) && !rst_of_fin(c, s))
		return seq_refused(c, s, now);
	if (s->flags & XTCP_RST)
		return input_rst(c, s, now);
	if ((s->flags & XTCP_SYN) && !is_crossing_synack(c, s)) {
		xtcp_ack_challenge(c, now);
		return XTCP_DROP_BAD_FLAGS;
	}
	return XTCP_DROP_NONE;
}

/* New payload that nobody will ever read (RFC 9293, 3.6.1; RFC 2525, 2.16). */
static bool nobody_reads(const struct xtcp_core *c, const struct xtcp_seg *s)
{
	if (!c->rcv_shut && !c->orphan)
		return false;
	if (c->state != XTCP_FIN_WAIT1 && c->state != XTCP_FIN_WAIT2)
		return false;
	/* A FIN that overtook data tells of data. */
	return xtcp_seg_space(s) && seq_gt(s->seq + s->len, c->rcv_nxt);
}

static void input_refuse(struct xtcp_core *c, u64 now)
{
	c->err = c->orphan ? 0 : ECONNRESET;
	xtcp_host_count(c, XTCP_MIB_ABORTDATA);
	xtcp_event(c, XTCP_EV_ABORT, now);
	/* The answer takes its number from the segment: exactly right. */
	c->sig &= ~XTCP_SIG_SEND_RST;
	c->sig |= XTCP_SIG_REPLY_RST;
	if (c->err)
		c->sig |= XTCP_SIG_ERROR;
}

/* What the ACK of our FIN and the peer's FIN mean, once both are known. */
static void input_closing(struct xtcp_core *c, bool acked, bool fin, u64 now)
{
	if (fin)
		xtcp_event(c, acked ? XTCP_EV_RCV_FIN_ACK : XTCP_EV_RCV_FIN,
			   now);
	else if (acked)
		xtcp_event(c, XTCP_EV_RCV_ACK_OF_FIN, now);
	if (fin || !acked || c->state != XTCP_FIN_WAIT2 || !c->orphan)
		return;
	if (c->linger2 < 0)
		input_refuse(c, now);
	else
		xtcp_fin_wait2_orphan(c, now);
}

static enum xtcp_drop input_steps(struct xtcp_core *c,
				  const struct xtcp_seg *s,
				  struct xtcp_rxd **d, u64 now)
{
	enum xtcp_drop why = input_checks(c, s, now);
	struct xtcp_rxd *mine = *d;
	bool fin;
	u8 res;

	if (!why && !c->syn_acked)
		why = input_syn_recv(c, s, now);
	if (why)
		return why;
	res = xtcp_ack_input(c, s, now, &why);
	if (res & XTCP_ACK_DROP)
		return why;
	if (nobody_reads(c, s)) {
		input_refuse(c, now);
		return XTCP_DROP_CLOSED;
	}
	/* Sixth step: urgent data is data like any other. */
	if (!(s->flags & XTCP_SYN)) {
		*d = NULL;
		why = xtcp_data_input(c, s, mine, now, &fin);
		input_closing(c, res & XTCP_ACK_FIN, fin, now);
	}
	return why;
}

/* The next payload in ESTABLISHED, with nothing else to look at. */
static bool input_expected(const struct xtcp_core *c, const struct xtcp_seg *s)
{
	const u8 mask = XTCP_SYN | XTCP_FIN | XTCP_RST | XTCP_ACK;

	return c->state == XTCP_ESTABLISHED && (s->flags & mask) == XTCP_ACK &&
	       s->seq == c->rcv_nxt && s->ack == c->snd_una && s->len &&
	       s->len <= xtcp_rcv_left_open(c) && !c->ooo.count &&
	       !c->fin_seen && !c->probes &&
	       (u32)s->wnd << c->snd_wscale == c->snd_wnd &&
	       (!c->ts_ok || ((s->opts & XTCP_OPT_TS) &&
			      (s32)(s->tsval - c->ts_recent) >= 0));
}

enum xtcp_drop xtcp_core_input(struct xtcp_core *c, const struct xtcp_seg *s,
			       struct xtcp_rxd *d, u64 now)
{
	enum xtcp_drop why;

	if (likely(input_expected(c, s) && d)) {
		xtcp_data_fast(c, s, d, now);
		return XTCP_DROP_NONE;
	}
	switch (c->state) {
	case XTCP_SYN_SENT:
		why = input_syn_sent(c, s, now);
		break;
	case XTCP_TIME_WAIT:
		why = input_time_wait(c, s, now);
		break;
	case XTCP_CLOSED:
	case XTCP_LISTEN:
		why = XTCP_DROP_CLOSED;
		break;
	default:
		why = input_steps(c, s, &d, now);
	}
	if (d)
		xtcp_host_discard(c, d);
	return why;
}

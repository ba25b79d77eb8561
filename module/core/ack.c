// SPDX-License-Identifier: GPL-2.0
/*
 * The ACK field (RFC 9293, 3.10.7.4, fifth step): what it frees, what it says
 * about the path (RFC 5681, 6582, 6298), and the window beside it.
 */
#include "internal.h"

/* An ACK is to be sent without delay. */
void xtcp_ack_owed(struct xtcp_core *c)
{
	c->ack_now = true;
	c->sig |= XTCP_SIG_TX;
}

static bool suspect_ok(struct xtcp_core *c, u64 now)
{
	if (xtcp_rate_ok(&c->last_challenge, c->cfg, now))
		return true;
	xtcp_host_count(c, XTCP_MIB_ACKSKIPPED);
	return false;
}

/*
 * Answers a segment that is out of place, at a limited rate: two confused ends
 * must not answer each other for ever.
 */
void xtcp_ack_suspect(struct xtcp_core *c, u64 now)
{
	if (suspect_ok(c, now))
		xtcp_ack_owed(c);
}

/*
 * The same for one that may be forged: whoever guesses must not make us flood
 * our peer, nor learn from our silence what others get (RFC 5961, 7 and 10).
 */
void xtcp_ack_challenge(struct xtcp_core *c, u64 now)
{
	if (!suspect_ok(c, now) || !xtcp_host_challenge_ok(c))
		return;
	xtcp_host_count(c, XTCP_MIB_CHALLENGEACKS);
	xtcp_ack_owed(c);
}

static u32 wnd_of(const struct xtcp_core *c, const struct xtcp_seg *s)
{
	return s->flags & XTCP_SYN ? s->wnd : (u32)s->wnd << c->snd_wscale;
}

/*
 * RFC 9293, 3.10.7.4: SEG.WND counts if the segment is the newest seen.  Of
 * two that say the same otherwise the larger window is the newer, or none.
 */
bool xtcp_ack_newer_window(const struct xtcp_core *c, const struct xtcp_seg *s)
{
	u32 wnd = wnd_of(c, s);

	return seq_gt(s->ack, c->snd_una) || seq_gt(s->seq, c->snd_wl1) ||
	       (s->seq == c->snd_wl1 && (wnd > c->snd_wnd || !wnd));
}

/* Takes the window, if it is the newest; returns whether that is another one. */
static bool ack_window(struct xtcp_core *c, const struct xtcp_seg *s)
{
	u32 wnd = wnd_of(c, s), old = c->snd_wnd;

	if (!xtcp_ack_newer_window(c, s))
		return false;
	c->snd_wnd = wnd;
	c->max_snd_wnd = max(c->max_snd_wnd, wnd);
	c->snd_wl1 = s->seq;
	c->snd_wl2 = s->ack;
	return wnd != old;
}

/* ---- loss recovery without SACK (RFC 6582) ---- */

static void recovery_enter(struct xtcp_core *c, u64 now)
{
	xtcp_cwnd_loss(c);
	c->recover = c->snd_nxt;
	c->in_recovery = true;
	xtcp_host_count(c, XTCP_MIB_FASTRETRANS);
	xtcp_rtx_mark(c, c->snd_una + c->mss);
	xtcp_rtx_arm(c, now);
}

static void ack_duplicate(struct xtcp_core *c, u64 now)
{
	xtcp_host_count(c, XTCP_MIB_DUPACKS);
	if (c->dupacks < 255)
		c->dupacks++;
	c->sig |= XTCP_SIG_TX;
	/*
	 * While old data is being repeated, duplicates may be answers to the
	 * repetition (RFC 6582, section 3.2, step 2).
	 */
	if (c->in_loss)
		return;
	/*
	 * A packet has left the network, and a new one may take its place: that
	 * is limited transmit (RFC 3042), and in recovery what RFC 6582 has
	 * as inflation of cwnd.  The one that is missing has not left it.
	 */
	if (c->dup_left + 1 < c->pkts.out)
		c->dup_left++;
	if (c->dupacks == XTCP_DUPTHRESH && !c->in_recovery &&
	    seq_gt(c->snd_una, c->recover))
		recovery_enter(c, now);
}

/* @acked packets, the first of which had been missing, are acknowledged. */
static void recovery_advance(struct xtcp_core *c, u32 acked)
{
	if (seq_ge(c->snd_una, c->recover)) {
		c->in_recovery = false;
		xtcp_cwnd_recovered(c);
		return;
	}
	/* A partial ACK: the next hole begins here.  Duplicates told of the others. */
	c->dup_left -= min(c->dup_left, max(acked, 1U) - 1);
	c->dup_left = min(c->dup_left, max(c->pkts.out, 1U) - 1);
	if (!xtcp_rtx_pending(c))
		xtcp_rtx_mark(c, c->snd_una + c->mss);
}

/* ---- progress ---- */

static void ack_congestion(struct xtcp_core *c, u32 acked, u64 now)
{
	c->dupacks = 0;
	if (c->in_recovery) {
		recovery_advance(c, acked);
		return;
	}
	c->dup_left = 0;
	xtcp_cwnd_acked(c, acked, now);
	if (c->in_loss && seq_ge(c->snd_una, c->recover))
		c->in_loss = false;
	/* Kept close, so that comparing stays meaningful after 2 GiB. */
	if (!c->in_loss && seq_gt(c->snd_una, c->recover))
		c->recover = c->snd_una - 1;
}

/*
 * RFC 7323, 4.3: what the next segment echoes.  Not from one that lies beyond
 * what we have acknowledged: the delay of our ACK belongs to the round trip.
 */
static void ack_ts(struct xtcp_core *c, const struct xtcp_seg *s, u64 now)
{
	if (!c->ts_ok || !(s->opts & XTCP_OPT_TS) ||
	    seq_gt(s->seq, c->rcv_wup) ||
	    !xtcp_paws_ok(c->ts_recent, c->ts_stamp, s->tsval, 0, now))
		return;
	c->ts_recent = s->tsval;
	c->ts_stamp = now;
}

/* The round trip, if this ACK tells: false if not. */
static bool ack_rtt(struct xtcp_core *c, const struct xtcp_seg *s, u64 now)
{
	u64 rtt;

	if (c->rtt.sent) {
		if (seq_lt(c->snd_una, c->rtt.seq))
			return false;
		xtcp_rtt_sample(&c->rtt, now - c->rtt.sent, c->cfg, now);
		c->rtt.sent = 0;
		return true;
	}
	if (!c->ts_ok || !(c->retrans || c->in_recovery || c->in_loss))
		return false;
	/* Only an echo tells which of two equal segments has arrived. */
	rtt = xtcp_ts_rtt(c->ts_off, s, now);
	if (rtt)
		xtcp_rtt_sample(&c->rtt, rtt, c->cfg, now);
	return rtt;
}

/* snd_una moves.  Returns XTCP_ACK_FIN if our FIN is covered. */
static u8 ack_advance(struct xtcp_core *c, const struct xtcp_seg *s, u64 now)
{
	u32 ack = s->ack;

	c->bytes_acked += ack - c->snd_una;
	c->snd_una = ack;
	c->sig |= XTCP_SIG_ACKED;
	c->rtx_nxt = seq_max(c->rtx_nxt, ack);
	c->rtx_end = seq_max(c->rtx_end, ack);
	/* Karn: the longer timeout stays until a round trip is measured. */
	if (!ack_rtt(c, s, now))
		c->rtt.rto = xtcp_rtt_backoff(c->rtt.rto, c->rtx_backoff,
					      c->cfg->rto_max);
	c->retrans = 0;
	c->rtx_backoff = 0;
	c->retrans_start = 0;
	ack_congestion(c, xtcp_pkts_acked(&c->pkts, ack), now);
	c->deadline[XTCP_T_RTX] = 0;
	if (c->snd_nxt != ack)
		xtcp_rtx_arm(c, now);
	if (!c->fin_queued || ack != c->write_seq + 1)
		return 0;
	c->sig |= XTCP_SIG_FIN_ACKED;
	return XTCP_ACK_FIN;
}

/* The peer is alive, and may have opened its window. */
static void ack_alive(struct xtcp_core *c, u64 now)
{
	c->probes = 0;
	c->last_rcv = now;
	if (c->snd_wnd || c->snd_nxt != c->snd_una)
		c->probe_start = 0;
	if (c->snd_nxt != c->snd_una)
		return;
	if (c->snd_wnd && c->backoff) {
		/* Open, if only a little: the wait begins anew, short. */
		c->backoff = 0;
		c->deadline[XTCP_T_RTX] = 0;
	}
	if (xtcp_core_send_end(c) != c->snd_nxt)
		xtcp_persist_arm(c, now);
}

/*
 * The window was shut over data under way and is open again.  The peer has
 * refused what was sent into the shut window: where a loss was assumed already,
 * all of it is sent again from where the peer waits.
 */
static void ack_reopened(struct xtcp_core *c)
{
	if (c->snd_wnd && seq_gt(c->rtx_end, c->snd_una))
		xtcp_rtx_mark(c, c->snd_nxt);
}

static u8 ack_refused(struct xtcp_core *c, u64 now, enum xtcp_drop why,
		      enum xtcp_drop *out)
{
	xtcp_ack_challenge(c, now);
	*out = why;
	return XTCP_ACK_DROP;
}

/*
 * xtcp_ack_input - the ACK of a segment within the receive window
 * Our SYN is acknowledged already.  Returns XTCP_ACK_*, and with
 * XTCP_ACK_DROP the reason in @why (RFC 5961, section 5).
 */
u8 xtcp_ack_input(struct xtcp_core *c, const struct xtcp_seg *s, u64 now,
		  enum xtcp_drop *why)
{
	bool moved = seq_gt(s->ack, c->snd_una);
	bool shut = !c->snd_wnd;
	bool window;
	u8 res = 0;

	if (seq_gt(s->ack, c->snd_nxt))
		return ack_refused(c, now, XTCP_DROP_NEW_ACK, why);
	if (seq_lt(s->ack, c->snd_una)) {
		/* Nor from before the connection was there. */
		u32 range = min_t(u64, c->max_snd_wnd, c->bytes_acked);

		if (seq_lt(s->ack, c->snd_una - range))
			return ack_refused(c, now, XTCP_DROP_OLD_ACK, why);
		return 0;
	}
	ack_ts(c, s, now);
	window = ack_window(c, s);
	if (moved)
		res = ack_advance(c, s, now);
	else if (!xtcp_seg_space(s) && !window && c->snd_nxt != c->snd_una)
		ack_duplicate(c, now);
	if (unlikely(shut))
		ack_reopened(c);
	ack_alive(c, now);
	if (xtcp_core_send_end(c) != c->snd_nxt || xtcp_rtx_pending(c))
		c->sig |= XTCP_SIG_TX;
	return res;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * What to send, and what follows from having sent it.  Retransmission is a
 * range, [rtx_nxt, rtx_end), that loss detection sets and this file walks:
 * a SACK scoreboard has only to say which parts of it to skip.
 */
#include "internal.h"

static u32 burst_of(const struct xtcp_core *c)
{
	return max_t(u32, c->burst, c->mss);
}

/* Whole segments only. */
static u32 whole(const struct xtcp_core *c, u32 len)
{
	if (len < c->mss)
		return 0;
	return len < 2U * c->mss ? c->mss : len - len % c->mss;
}

/*
 * Retransmit from snd_una to @end.  What was to be retransmitted for another
 * reason, and has not been, still is: perhaps with some of it twice.
 */
void xtcp_rtx_mark(struct xtcp_core *c, u32 end)
{
	end = seq_min(end, c->snd_nxt);
	if (!xtcp_rtx_pending(c) || seq_gt(end, c->rtx_end))
		c->rtx_end = end;
	c->rtx_nxt = c->snd_una;
	c->sig |= XTCP_SIG_TX;
}

/* ---- SYN ---- */

static bool tx_syn(const struct xtcp_core *c, struct xtcp_txd *d)
{
	if (c->snd_nxt != c->iss && !xtcp_rtx_pending(c))
		return false;
	d->seq = c->iss;
	d->flags = XTCP_SYN;
	if (c->state != XTCP_SYN_SENT)
		d->flags |= XTCP_ACK;
	d->rtx = c->retrans > 0;
	return true;
}

/* ---- what was sent before ---- */

/* From snd_una, what may be sent again: the first segment whatever cwnd is. */
static u32 rtx_room(const struct xtcp_core *c)
{
	/* A peer that took its window back must hear of us all the same. */
	if (!c->snd_wnd)
		return c->rtx_nxt == c->snd_una ? c->mss : 0;
	return min(max_t(u32, xtcp_core_cwnd_bytes(c), c->mss), c->snd_wnd);
}

/*
 * Retransmissions are paced by cwnd, counted from snd_una, and stay in the
 * peer's window.  A window that the peer has made smaller than a segment is
 * used as it is, as natively (tcp_retransmit_skb): what stands beyond it
 * would be cut off, be missing, and cost a timeout.
 */
static bool tx_rtx(const struct xtcp_core *c, struct xtcp_txd *d)
{
	u32 off = c->rtx_nxt - c->snd_una;
	u32 end = seq_min(c->rtx_end, c->snd_nxt);
	u32 left = seq_min(end, c->write_seq) - c->rtx_nxt;
	u32 room = rtx_room(c);
	u32 len;

	if (seq_gt(c->rtx_nxt, c->write_seq))
		left = 0;
	if (room < off)
		return false;
	len = min3(left, burst_of(c), room - off);
	if (len < left) {
		if (len >= c->mss)
			len = whole(c, len);
		else if (room != c->snd_wnd || !len)
			return false;
	}
	d->seq = c->rtx_nxt;
	d->len = len;
	d->flags = XTCP_ACK;
	d->rtx = true;
	if (d->seq + len == c->write_seq && len)
		d->flags |= XTCP_PSH;
	if (d->seq + len + 1 == end && end == c->write_seq + 1)
		d->flags |= XTCP_FIN;
	return true;
}

/* ---- new data ---- */

/* May less than a full segment go, being all there is? (RFC 9293, 3.7.4) */
static bool tail_allowed(const struct xtcp_core *c)
{
	if (c->force || c->push || c->fin_queued)
		return true;
	if (c->cork || c->more)
		return false;
	if (c->nodelay)
		return true;
	/* Minshall: one small segment in flight, not one segment. */
	return !(seq_gt(c->snd_sml, c->snd_una) &&
		 seq_le(c->snd_sml, c->snd_nxt));
}

static u32 room_wnd(const struct xtcp_core *c)
{
	u32 end = c->snd_una + c->snd_wnd;

	return seq_gt(end, c->snd_nxt) ? end - c->snd_nxt : 0;
}

/* Bytes that may go in full segments; whole() of them, or one that is not full. */
static u32 room_cwnd(const struct xtcp_core *c)
{
	u32 used = xtcp_core_in_network(c);
	u32 room = c->cwnd > used ? c->cwnd - used : 0;

	if (unlikely(c->refill))
		room = min(room, c->refill_left);
	return min_t(u64, (u64)room * c->mss, burst_of(c));
}

/* How much new data may go now: windows, Nagle, sender's silly window. */
static u32 new_len(const struct xtcp_core *c, u32 left)
{
	u32 wnd = room_wnd(c);
	u32 len = min3(left, wnd, room_cwnd(c));

	if (!len)
		return 0;
	if (len == left && len < c->mss)
		return tail_allowed(c) ? len : 0;
	if (len == left && tail_allowed(c))
		return len;
	if (len >= c->mss)
		return whole(c, len);
	/* A part: worth it if the window has never been twice that. */
	if (len == wnd && (c->force || len >= c->max_snd_wnd / 2))
		return len;
	return 0;
}

static bool tx_new(struct xtcp_core *c, u64 now, struct xtcp_txd *d)
{
	u32 left, len = 0;

	if (seq_gt(c->snd_nxt, c->write_seq))
		return false;
	left = c->write_seq - c->snd_nxt;
	if (left) {
		if (c->snd_nxt == c->snd_una)
			xtcp_cwnd_restart(c, now);
		len = new_len(c, left);
		if (!len)
			return false;
	} else if (!c->fin_queued) {
		return false;
	}
	d->seq = c->snd_nxt;
	d->len = len;
	d->flags = XTCP_ACK;
	if (len && len == left)
		d->flags |= XTCP_PSH;
	if (len == left && c->fin_queued && room_wnd(c) > len)
		d->flags |= XTCP_FIN;
	return len || (d->flags & XTCP_FIN);
}

/* ---- the rest ---- */

static bool tx_probe(struct xtcp_core *c, struct xtcp_txd *d)
{
	if (!c->probe_due)
		return false;
	/* Old on purpose: the peer answers what it cannot use. */
	d->seq = c->snd_una - 1;
	d->flags = XTCP_ACK;
	d->probe = true;
	return true;
}

/* Beyond a window that the peer took back we would not be heard. */
static u32 audible_seq(const struct xtcp_core *c)
{
	u32 edge = c->snd_una + c->snd_wnd;

	return seq_gt(c->snd_nxt, edge) && c->syn_acked ? edge : c->snd_nxt;
}

static bool tx_ack(const struct xtcp_core *c, struct xtcp_txd *d)
{
	if (!c->ack_now || c->state == XTCP_SYN_SENT)
		return false;
	d->seq = audible_seq(c);
	d->flags = XTCP_ACK;
	return true;
}

static bool tx_data(struct xtcp_core *c, u64 now, struct xtcp_txd *d)
{
	if (xtcp_rtx_pending(c))
		return tx_rtx(c, d);
	if (xtcp_core_send_end(c) != c->snd_nxt && tx_new(c, now, d))
		return true;
	*d = (struct xtcp_txd){};
	return false;
}

/* No data goes in this run of the loop, or no more. */
static void tx_data_over(struct xtcp_core *c, u64 now)
{
	if (c->tx_new || xtcp_core_in_network(c) >= c->cwnd)
		xtcp_cwnd_validate(c, now);
	c->tx_new = false;
	/* Nothing under way will bring the ACK that lets it go. */
	if (c->snd_nxt == c->snd_una && xtcp_core_send_end(c) != c->snd_nxt)
		xtcp_persist_arm(c, now);
}

static bool tx_any(struct xtcp_core *c, u64 now, struct xtcp_txd *d)
{
	if (!c->syn_acked)
		return tx_syn(c, d) || tx_ack(c, d);
	if (!c->ack_only && tx_data(c, now, d))
		return true;
	tx_data_over(c, now);
	return (!c->ack_only && tx_probe(c, d)) || tx_ack(c, d);
}

bool xtcp_core_next_tx(struct xtcp_core *c, u64 now, struct xtcp_txd *d)
{
	*d = (struct xtcp_txd){};
	if (c->state == XTCP_CLOSED || c->state == XTCP_LISTEN)
		return false;
	if (!c->tx_stuck && tx_any(c, now, d))
		return true;
	/* The end of this run: the next one begins with everything again. */
	c->ack_only = false;
	c->tx_stuck = false;
	return false;
}

static void hdr_ts(const struct xtcp_core *c, u64 now, struct xtcp_hdr *h)
{
	h->opts |= XTCP_OPT_TS;
	h->tsval = xtcp_ts_val(c->ts_off, now);
	h->tsecr = c->ts_recent;
}

void xtcp_core_hdr(struct xtcp_core *c, const struct xtcp_txd *d, u64 now,
		   struct xtcp_hdr *h)
{
	bool offer = c->state == XTCP_SYN_SENT;


	*h = (struct xtcp_hdr){
		.sport = c->sport,
		.dport = c->dport,
		.seq = d->seq,
		.flags = d->flags,
	};
	if (d->flags & XTCP_ACK)
		h->ack = c->rcv_nxt;
	if (c->ts_ok || (offer && c->cfg->timestamps))
		hdr_ts(c, now, h);
	if (!(d->flags & XTCP_SYN)) {
		h->wnd = xtcp_window_select(c);
		return;
	}
	h->wnd = c->rcv_wnd;	/* never scaled in a SYN */
	h->opts |= XTCP_OPT_MSS;
	h->mss = c->own_mss;
	if (c->ws_ok || (offer && c->cfg->window_scaling)) {
		h->opts |= XTCP_OPT_WS;
		h->wscale = c->rcv_wscale;
	}
}

/* Packets that decision @d makes; a FIN goes with the last of them. */
static u32 packets_of(const struct xtcp_core *c, const struct xtcp_txd *d)
{
	return d->len > c->mss ? DIV_ROUND_UP(d->len, c->mss) : 1;
}

static void sent_new(struct xtcp_core *c, const struct xtcp_txd *d, u32 end,
		     u64 now)
{
	bool idle = c->snd_nxt == c->snd_una;

	c->snd_nxt = end;
	if (c->syn_acked)
		xtcp_pkts_sent(&c->pkts, d->seq, end, packets_of(c, d),
			       min_t(u32, d->len, c->mss) +
			       !!(d->flags & XTCP_FIN));
	c->tx_new = true;
	if (unlikely(c->refill))
		c->refill_left -= min(c->refill_left, packets_of(c, d));
	if (c->push && seq_ge(end, c->push_end))
		c->push = false;
	/* Behind a hole the ACK would measure the repair of the hole. */
	if (!c->rtt.sent && !c->in_recovery && !c->in_loss) {
		c->rtt.sent = now;
		c->rtt.seq = end;
	}
	if (d->len && d->len % c->mss)
		c->snd_sml = d->seq + d->len;
	if (idle)
		xtcp_rtx_arm(c, now);
}

static void sent_again(struct xtcp_core *c, const struct xtcp_txd *d, u32 end,
		       u64 now)
{
	u32 n;

	c->rtx_nxt = seq_max(c->rtx_nxt, end);
	/* Karn; the SYN-ACK of a simultaneous open is no repetition. */
	if (c->retrans || !(d->flags & XTCP_SYN))
		c->rtt.sent = 0;
	if (d->rtx) {
		c->total_retrans += packets_of(c, d);
		for (n = packets_of(c, d); n; n--)
			xtcp_host_count(c, XTCP_MIB_RETRANS);
	}
	/* A running timer runs on: else repetition could postpone it for ever. */
	if (!c->deadline[XTCP_T_RTX])
		xtcp_rtx_arm(c, now);
}

static void tx_sent(struct xtcp_core *c, const struct xtcp_txd *d, u64 now)
{
	u32 end = d->seq + d->len + !!(d->flags & XTCP_SYN) +
		  !!(d->flags & XTCP_FIN);

	if (d->probe)
		c->probe_due = false;
	if (end != d->seq) {
		c->last_snd = now;
		c->force = false;
		if (d->seq == c->snd_nxt)
			sent_new(c, d, end, now);
		else
			sent_again(c, d, end, now);
	}
	if (d->flags & XTCP_ACK)
		xtcp_delack_sent(c);
	if (d->len)
		xtcp_delack_answered(c, now);
}

/* It was not sent.  An ACK may still go: it is smaller.  That is tried once. */
static void tx_unsent(struct xtcp_core *c, const struct xtcp_txd *d)
{
	if (c->ack_only || !(d->len || d->probe || (d->flags & XTCP_FIN)))
		c->tx_stuck = true;
	c->ack_only = true;
}

/*
 * Another attempt, if nothing else leads to one.  Many may wait for the same
 * memory or queue, so it comes less and less often.
 */
static void retry_arm(struct xtcp_core *c, u64 now)
{
	u64 wait = xtcp_rtt_backoff(XTCP_RETRY_MIN, c->tx_failures,
				    XTCP_RETRY_MAX);

	if (c->deadline[XTCP_T_RETRY])
		return;
	c->deadline[XTCP_T_RETRY] = now + wait;
	if (c->tx_failures < 255)
		c->tx_failures++;
}

void xtcp_core_tx_done(struct xtcp_core *c, const struct xtcp_txd *d,
		       enum xtcp_tx_result res, u64 now)
{
	if (unlikely(res == XTCP_TX_CONGESTED || res == XTCP_TX_REFUSED))
		xtcp_cwnd_congested(c);
	if (unlikely(res >= XTCP_TX_HELD) && !(d->flags & XTCP_SYN)) {
		tx_unsent(c, d);
		if (res != XTCP_TX_HELD)
			retry_arm(c, now);
		return;
	}
	tx_sent(c, d, now);
	/* An ACK that goes says nothing of data that does not. */
	if (unlikely(c->tx_failures) && !c->ack_only) {
		c->tx_failures = 0;
		c->deadline[XTCP_T_RETRY] = 0;
	}
}

void xtcp_core_rst_hdr(struct xtcp_core *c, u64 now, struct xtcp_hdr *h)
{
	*h = (struct xtcp_hdr){
		.sport = c->sport,
		.dport = c->dport,
		.seq = audible_seq(c),
		.ack = c->rcv_nxt,
		.flags = XTCP_RST | XTCP_ACK,
	};
	if (c->ts_ok)
		hdr_ts(c, now, h);
}

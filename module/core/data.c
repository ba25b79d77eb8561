// SPDX-License-Identifier: GPL-2.0
/*
 * Payload and FIN (RFC 9293, 3.10.7.4, seventh and eighth step), and when to
 * acknowledge them (RFC 5681, 4.2; RFC 9293, 3.8.6.3).
 */
#include "internal.h"

/* ---- acknowledging ---- */

/*
 * What came in order: now, every second segment, or by the timer.  Where each
 * side answers the other, the answer is waited for even at the start.
 */
static void ack_in_order(struct xtcp_core *c, u32 len, u64 now)
{
	c->ack_bytes += len;
	if (len >= c->rcv_mss)
		c->rcv_mss = min_t(u32, len, c->own_mss);
	if ((c->quick && !c->interactive) || c->quickack ||
	    c->ack_bytes > c->rcv_mss)
		xtcp_ack_owed(c);
	else if (!c->deadline[XTCP_T_DELACK])
		c->deadline[XTCP_T_DELACK] = now + c->cfg->delack_min;
}

/* A hole or a repetition: the sender waits for every one of these ACKs. */
static void ack_at_once(struct xtcp_core *c)
{
	c->quick = max_t(u8, c->quick, 2);
	c->interactive = false;
	xtcp_ack_owed(c);
}

/* ---- payload ---- */

static void data_discard(struct xtcp_core *c, struct xtcp_rxd *d)
{
	if (d)
		xtcp_host_discard(c, d);
}

/* @d begins at or before rcv_nxt and ends behind it. */
static void data_deliver(struct xtcp_core *c, struct xtcp_rxd *d)
{
	u32 old = c->rcv_nxt - d->seq;
	u32 end = d->end;

	/* No byte behind the FIN exists, whatever came before it was known. */
	if (c->fin_seen)
		end = seq_min(end, c->fin_seq);
	if (seq_le(end, c->rcv_nxt)) {
		xtcp_host_discard(c, d);
		return;
	}
	xtcp_host_deliver(c, d, d->off + old, end - c->rcv_nxt);
	c->rcv_nxt = end;
	c->sig |= XTCP_SIG_READABLE;
}

/* What had waited for this. */
static void data_drain(struct xtcp_core *c)
{
	struct xtcp_rxd *d;

	while ((d = xtcp_reasm_first(&c->ooo))) {
		if (seq_gt(d->seq, c->rcv_nxt))
			return;
		xtcp_reasm_remove(&c->ooo, d);
		if (seq_gt(d->end, c->rcv_nxt))
			data_deliver(c, d);
		else
			xtcp_host_discard(c, d);
	}
}

static enum xtcp_drop data_out_of_order(struct xtcp_core *c,
					struct xtcp_rxd *d)
{
	ack_at_once(c);
	if (!xtcp_reasm_insert(c, d)) {
		xtcp_host_discard(c, d);
		return XTCP_DROP_DUP_OFO;
	}
	xtcp_host_count(c, XTCP_MIB_OFOQUEUE);
	return XTCP_DROP_NONE;
}

/* The part of the payload that is within the window; false if none is. */
static bool data_trim(struct xtcp_core *c, struct xtcp_rxd *d,
		      enum xtcp_drop *why)
{
	u32 right = xtcp_rcv_right(c);

	if (seq_gt(d->end, right)) {
		d->end = right;
		d->fin = false;
	}
	if (c->fin_seen && seq_gt(d->end, c->fin_seq)) {
		d->end = c->fin_seq;
		*why = XTCP_DROP_AFTER_FIN;
	}
	if (seq_ge(d->seq, d->end)) {
		if (!*why)
			*why = XTCP_DROP_OUT_OF_WINDOW;
		return false;
	}
	if (seq_le(d->end, c->rcv_nxt)) {
		*why = XTCP_DROP_OLD_SEQ;
		return false;
	}
	if (seq_lt(d->seq, c->rcv_nxt)) {
		d->off = c->rcv_nxt - d->seq;
		d->seq = c->rcv_nxt;
	}
	*why = XTCP_DROP_NONE;
	return true;
}

static enum xtcp_drop data_payload(struct xtcp_core *c,
				   const struct xtcp_seg *s,
				   struct xtcp_rxd *d, u64 now)
{
	enum xtcp_drop why = XTCP_DROP_NONE;
	u32 before = c->rcv_nxt;
	bool hole = c->ooo.count;

	d->seq = s->seq;
	d->end = s->seq + s->len;
	d->off = 0;
	d->fin = s->flags & XTCP_FIN;
	if (!data_trim(c, d, &why)) {
		xtcp_host_discard(c, d);
		ack_at_once(c);
		return why;
	}
	if (d->seq != c->rcv_nxt)
		return data_out_of_order(c, d);
	data_deliver(c, d);
	if (hole) {
		data_drain(c);
		ack_at_once(c);
	}
	ack_in_order(c, c->rcv_nxt - before, now);
	return XTCP_DROP_NONE;
}

/* ---- FIN ---- */

/*
 * Remembers where the peer's stream ends.  The first FIN counts; one beyond
 * the window, whose payload was cut, comes again.
 */
static void fin_note(struct xtcp_core *c, const struct xtcp_seg *s)
{
	u32 at = s->seq + s->len;

	if (c->fin_seen || seq_lt(at, c->rcv_nxt) ||
	    seq_gt(at, xtcp_rcv_right(c)))
		return;
	c->fin_seen = true;
	c->fin_seq = at;
}

/*
 * xtcp_data_input - payload and FIN of an acceptable segment; takes @d
 * @fin: set if the peer's FIN is reached by this segment
 */
enum xtcp_drop xtcp_data_input(struct xtcp_core *c, const struct xtcp_seg *s,
			       struct xtcp_rxd *d, u64 now, bool *fin)
{
	enum xtcp_drop why = XTCP_DROP_NONE;

	*fin = false;
	if (c->fin_rcvd) {
		data_discard(c, d);
		if (!xtcp_seg_space(s))
			return XTCP_DROP_NONE;
		xtcp_ack_owed(c);
		return seq_ge(s->seq, c->rcv_nxt) ? XTCP_DROP_AFTER_FIN :
						    XTCP_DROP_OLD_SEQ;
	}
	if (s->flags & XTCP_FIN)
		fin_note(c, s);
	if (s->len && d)
		why = data_payload(c, s, d, now);
	else
		data_discard(c, d);
	if (s->flags & XTCP_FIN)
		ack_at_once(c);
	if (c->fin_seen && c->rcv_nxt == c->fin_seq) {
		c->rcv_nxt++;
		c->fin_rcvd = true;
		*fin = true;
		xtcp_core_purge(c);
	}
	return why;
}

/* The common case, every check done: the next payload, nothing missing. */
void xtcp_data_fast(struct xtcp_core *c, const struct xtcp_seg *s,
		    struct xtcp_rxd *d, u64 now)
{
	d->seq = s->seq;
	d->end = s->seq + s->len;
	d->off = 0;
	d->fin = false;
	c->last_rcv = now;
	if (c->ts_ok && s->seq == c->rcv_wup) {
		c->ts_recent = s->tsval;
		c->ts_stamp = now;
	}
	xtcp_host_deliver(c, d, 0, s->len);
	c->rcv_nxt += s->len;
	c->sig |= XTCP_SIG_READABLE;
	ack_in_order(c, s->len, now);
}

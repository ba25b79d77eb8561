// SPDX-License-Identifier: GPL-2.0
/* Payload and FIN (RFC 9293, 3.10.7.4, seventh and eighth step). */
#include "internal.h"

/* ---- payload ---- */

static void data_discard(struct xtcp_core *c, struct xtcp_rxd *d)
{
	if (d)
		xtcp_host_discard(c, d);
}

/*
 * No room for @d.  The ACK says what is still wanted; if that was @d, it closes
 * the window.  A reader who waits for more than there is has to know that no
 * more may come before he reads.
 */
static void data_refuse(struct xtcp_core *c, struct xtcp_rxd *d)
{
	if (d->seq == c->rcv_nxt)
		c->rcv_refused = true;
	xtcp_host_discard(c, d);
	c->sig |= XTCP_SIG_READABLE;
	/* It comes again, perhaps segment by segment, each after our ACK. */
	xtcp_delack_repeated(c);
}

/* @d begins at or before rcv_nxt and ends behind it. */
static void data_deliver(struct xtcp_core *c, struct xtcp_rxd *d)
{
	u32 old = c->rcv_nxt - d->seq, end = d->end;

	xtcp_host_deliver(c, d, d->off + old, end - c->rcv_nxt);
	c->rcv_nxt = end;
	c->sig |= XTCP_SIG_READABLE;
}

/* What had waited for this. */
static void data_drain(struct xtcp_core *c)
{
	struct xtcp_rxd *d;

	while (!xtcp_fin_reached(c) && (d = xtcp_reasm_first(&c->ooo))) {
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
					const struct xtcp_seg *s,
					struct xtcp_rxd *d)
{
	xtcp_delack_hole(c, s);
	/* Payload where a FIN is said to stand: that was not the peer's. */
	if (c->fin_seen && seq_le(d->seq, c->fin_seq) &&
	    seq_lt(c->fin_seq, d->end))
		c->fin_seen = false;
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

	if (seq_gt(d->end, right))
		d->end = right;
	if (seq_ge(d->seq, d->end)) {
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
	if (!data_trim(c, d, &why)) {
		xtcp_host_discard(c, d);
		xtcp_delack_repeated(c);
		return why;
	}
	if (!xtcp_host_charge(c, d, d->seq == c->rcv_nxt)) {
		data_refuse(c, d);
		return XTCP_DROP_NONE;
	}
	if (d->seq != c->rcv_nxt)
		return data_out_of_order(c, s, d);
	data_deliver(c, d);
	/* What waits behind the peer's FIN is thrown away, not delivered. */
	if (hole && !xtcp_fin_reached(c)) {
		data_drain(c);
		xtcp_ack_owed(c);
	}
	xtcp_rcvspace_arrived(c, s, now);
	xtcp_delack_in_order(c, s, c->rcv_nxt - before, now);
	return XTCP_DROP_NONE;
}

/* ---- FIN ---- */

/*
 * Remembers where the peer's stream ends.  Before its turn a FIN may be forged,
 * and must neither cut the stream short nor make us deaf for the true one: it
 * counts if it is the nearest and nothing that is here goes on past it; the
 * payload before it tells that a nearer one was forged.  One beyond the window,
 * whose payload was cut, comes again.
 */
static void fin_note(struct xtcp_core *c, const struct xtcp_seg *s)
{
	u32 at = s->seq + s->len;

	if (seq_lt(at, c->rcv_nxt) || seq_gt(at, xtcp_rcv_right(c)))
		return;
	if (seq_gt(s->seq, c->rcv_nxt) &&
	    ((c->fin_seen && seq_lt(c->fin_seq, s->seq)) ||
	     xtcp_reasm_holds(&c->ooo, at)))
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
		/* RFC 9293, 3.10.7.4, seventh step: ignored. */
		if (seq_ge(s->seq, c->rcv_nxt))
			return XTCP_DROP_AFTER_FIN;
		xtcp_ack_owed(c);
		return XTCP_DROP_OLD_SEQ;
	}
	if (s->flags & XTCP_FIN)
		fin_note(c, s);
	if (s->len && d)
		why = data_payload(c, s, d, now);
	else
		data_discard(c, d);
	/* The stream goes on where one was said to stand. */
	if (c->fin_seen && seq_gt(c->rcv_nxt, c->fin_seq))
		c->fin_seen = false;
	if (xtcp_fin_reached(c)) {
		c->rcv_nxt++;
		c->fin_rcvd = true;
		*fin = true;
		xtcp_core_purge(c);
	} else if (s->flags & XTCP_FIN) {
		xtcp_ack_owed(c);
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
	c->last_rcv = now;
	/* The newest seen: else comparing means nothing after 2 GiB. */
	c->snd_wl1 = s->seq;
	c->snd_wl2 = s->ack;
	if (c->ts_ok && s->seq == c->rcv_wup) {
		c->ts_recent = s->tsval;
		c->ts_stamp = now;
	}
	if (unlikely(!xtcp_host_charge(c, d, true))) {
		data_refuse(c, d);
		return;
	}
	xtcp_host_deliver(c, d, 0, s->len);
	c->rcv_nxt += s->len;
	c->sig |= XTCP_SIG_READABLE;
	xtcp_rcvspace_arrived(c, s, now);
	xtcp_delack_in_order(c, s, s->len, now);
}

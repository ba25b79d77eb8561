// SPDX-License-Identifier: GPL-2.0
/*
 * What may still come after the end: in TIME_WAIT only the last ACK may be
 * missing at the other end (RFC 9293, 3.6.1), in FIN_WAIT_2 its FIN has yet to
 * come, and nobody is left to read what comes with it.
 */
#include "internal.h"

void xtcp_tw_open(struct xtcp_tw *tw, const struct xtcp_core *c)
{
	*tw = (struct xtcp_tw){
		.snd_nxt = c->snd_nxt,
		.rcv_nxt = c->rcv_nxt,
		.rcv_wnd = xtcp_rcv_left_open(c),
		.rcv_wscale = c->rcv_wscale,
		.state = c->state,
		.ts_recent = c->ts_recent,
		.ts_off = c->ts_off,
		.ts_stamp = c->ts_stamp,
	};
}

/* Too old.  RST is believed without it once a minute has gone by. */
static bool tw_paws(const struct xtcp_tw *tw, const struct xtcp_seg *s,
		    u64 now)
{
	if (!tw->ts_stamp || !(s->opts & XTCP_OPT_TS) ||
	    xtcp_paws_ok(tw->ts_recent, tw->ts_stamp, s->tsval, 0, now))
		return false;
	return !(s->flags & XTCP_RST) || now - tw->ts_stamp < XTCP_PAWS_MSL;
}

static void tw_ts(struct xtcp_tw *tw, const struct xtcp_seg *s, u64 now)
{
	if (!tw->ts_stamp || !(s->opts & XTCP_OPT_TS))
		return;
	tw->ts_recent = s->tsval;
	tw->ts_stamp = now;
}

/* An answer, unless it is one of many to segments without payload. */
static u8 tw_answer(struct xtcp_tw *tw, const struct xtcp_seg *s,
		    const struct xtcp_cfg *cfg, u64 now)
{
	if ((s->flags & XTCP_SYN) || !xtcp_seg_space(s)) {
		if (!xtcp_rate_ok(&tw->last_ack, cfg, now))
			return XTCP_TW_SKIPPED;
	}
	return XTCP_TW_ACK;
}

/* The four cases of RFC 9293, 3.4, table 6. */
static bool tw_in_window(const struct xtcp_tw *tw, const struct xtcp_seg *s)
{
	return xtcp_seg_in_window(s, tw->rcv_nxt, tw->rcv_nxt + tw->rcv_wnd);
}

static u8 fin_wait2_input(struct xtcp_tw *tw, const struct xtcp_seg *s,
			  const struct xtcp_cfg *cfg, u64 now)
{
	u32 end = xtcp_seg_end(s);

	if (!tw_in_window(tw, s))
		return tw_answer(tw, s, cfg, now);
	if (s->flags & XTCP_RST)
		return XTCP_TW_KILL;
	if ((s->flags & XTCP_SYN) && seq_ge(s->seq, tw->rcv_nxt))
		return XTCP_TW_REFUSE;
	if (!(s->flags & XTCP_ACK) || end == s->seq ||
	    seq_le(end, tw->rcv_nxt))
		return 0;
	/* Payload, or a FIN behind payload: there is nobody to take it. */
	if (!(s->flags & XTCP_FIN) || end != tw->rcv_nxt + 1)
		return XTCP_TW_REFUSE;
	tw->state = XTCP_TIME_WAIT;
	tw->rcv_nxt = end;
	tw_ts(tw, s, now);
	return XTCP_TW_FIN | XTCP_TW_ACK | XTCP_TW_RESTART;
}

static bool tw_newer_syn(const struct xtcp_tw *tw, const struct xtcp_seg *s)
{
	const u8 mask = XTCP_SYN | XTCP_ACK | XTCP_RST;

	if ((s->flags & mask) != XTCP_SYN)
		return false;
	return seq_gt(s->seq, tw->rcv_nxt) ||
	       (tw->ts_stamp && (s->opts & XTCP_OPT_TS) &&
		(s32)(s->tsval - tw->ts_recent) > 0);
}

/* Nothing more to say about what is exactly in place, but it was heard. */
static u8 tw_in_place(struct xtcp_tw *tw, const struct xtcp_seg *s,
		      const struct xtcp_cfg *cfg, u64 now)
{
	if ((s->flags & XTCP_RST) && !cfg->rfc1337)
		return XTCP_TW_KILL;
	tw_ts(tw, s, now);
	return s->flags & XTCP_RST ? 0 : XTCP_TW_RESTART;
}

static u8 time_wait_input(struct xtcp_tw *tw, const struct xtcp_seg *s,
			  bool old, const struct xtcp_cfg *cfg, u64 now)
{
	u8 todo;

	if (!old && s->seq == tw->rcv_nxt &&
	    (!xtcp_seg_space(s) || (s->flags & XTCP_RST)))
		return tw_in_place(tw, s, cfg, now);
	if (!old && tw_newer_syn(tw, s))
		return XTCP_TW_SYN;
	if (s->flags & XTCP_RST)
		return 0;
	todo = tw_answer(tw, s, cfg, now);
	/* A SYN without ACK may be of a new connection, which we hold up. */
	if (old || (s->flags & XTCP_ACK))
		todo |= XTCP_TW_RESTART;
	return todo;
}

u8 xtcp_tw_input(struct xtcp_tw *tw, const struct xtcp_seg *s,
		 const struct xtcp_cfg *cfg, u64 now)
{
	bool old = tw_paws(tw, s, now);
	u8 todo;

	if (tw->state == XTCP_TIME_WAIT)
		todo = time_wait_input(tw, s, old, cfg, now);
	else if (old)
		todo = tw_answer(tw, s, cfg, now);
	else
		todo = fin_wait2_input(tw, s, cfg, now);
	return old ? todo | XTCP_TW_PAWS : todo;
}

bool xtcp_tw_reusable(const struct xtcp_tw *tw, bool reuse, bool bound,
		      u64 now)
{
	u64 stamp = tw->ts_stamp;

	if (!stamp)
		return false;
	return bound || (reuse && tw->state == XTCP_TIME_WAIT &&
			 div_u64(now, 1000000) > div_u64(stamp, 1000000));
}

void xtcp_tw_ack(const struct xtcp_tw *tw, u64 now, struct xtcp_hdr *h)
{
	*h = (struct xtcp_hdr){
		.seq = tw->snd_nxt,
		.ack = tw->rcv_nxt,
		.wnd = min_t(u32, tw->rcv_wnd >> tw->rcv_wscale, 65535),
		.flags = XTCP_ACK,
	};
	if (!tw->ts_stamp)
		return;
	h->opts = XTCP_OPT_TS;
	h->tsval = xtcp_ts_val(tw->ts_off, now);
	h->tsecr = tw->ts_recent;
}

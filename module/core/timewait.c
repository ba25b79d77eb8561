// SPDX-License-Identifier: GPL-2.0
/*
 * TIME_WAIT: only the last ACK may be missing at the other end (RFC 9293,
 * 3.6.1 and 3.10.7.4).
 */
#include "core.h"

void xtcp_tw_open(struct xtcp_tw *tw, const struct xtcp_core *c)
{
	*tw = (struct xtcp_tw){
		.snd_nxt = c->snd_nxt,
		.rcv_nxt = c->rcv_nxt,
		.rcv_wnd = c->rcv_wnd,
		.rcv_wscale = c->rcv_wscale,
		.ts_recent = c->ts_recent,
		.ts_off = c->ts_off,
		.ts_stamp = c->ts_stamp,
	};
}

enum xtcp_tw_verdict xtcp_tw_input(const struct xtcp_tw *tw,
				   const struct xtcp_seg *s)
{
	if (s->flags & XTCP_RST)
		return s->seq == tw->rcv_nxt ? XTCP_TW_KILL : XTCP_TW_DROP;
	if (s->flags & XTCP_SYN) {
		if (!(s->flags & XTCP_ACK) && seq_gt(s->seq, tw->rcv_nxt))
			return XTCP_TW_SYN;
		return XTCP_TW_ACK;
	}
	if (!(s->flags & XTCP_ACK))
		return XTCP_TW_DROP;
	if (s->flags & XTCP_FIN)
		return seq_le(xtcp_seg_end(s), tw->rcv_nxt) ?
			XTCP_TW_ACK_RESTART : XTCP_TW_ACK;
	/*
	 * An empty segment that is not old is an answer to ours: to answer it
	 * could go on for ever.
	 */
	if (!s->len && seq_ge(s->seq, tw->rcv_nxt))
		return XTCP_TW_DROP;
	return XTCP_TW_ACK;
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

// SPDX-License-Identifier: GPL-2.0
/* A passive opener between the SYN and the ACK that ends the handshake. */
#include "internal.h"

void xtcp_req_open(struct xtcp_req *r, const struct xtcp_seg *s, u32 iss,
		   u16 own_mss, u32 rcv_wnd, u32 rcv_buf_max, u32 ts_off,
		   const struct xtcp_cfg *cfg)
{
	*r = (struct xtcp_req){
		.irs = s->seq,
		.iss = iss,
		.rcv_wnd = min_t(u32, rcv_wnd, 65535),
		.peer_mss = s->opts & XTCP_OPT_MSS ? s->mss : XTCP_MSS_DEFAULT,
		.own_mss = own_mss,
		.snd_wnd = s->wnd,
		.sack_ok = s->opts & XTCP_OPT_SACKOK,
		.ts_off = ts_off,
	};
	if (cfg->timestamps && (s->opts & XTCP_OPT_TS)) {
		r->ts_ok = true;
		r->ts_recent = s->tsval;
	}
	if (!cfg->window_scaling || !(s->opts & XTCP_OPT_WS))
		return;
	r->ws_ok = true;
	r->snd_wscale = s->wscale;
	r->rcv_wscale = xtcp_wscale_choose(cfg, rcv_buf_max);
}

static void req_ts(const struct xtcp_req *r, u64 now, struct xtcp_hdr *h)
{
	if (!r->ts_ok)
		return;
	h->opts |= XTCP_OPT_TS;
	h->tsval = xtcp_ts_val(r->ts_off, now);
	h->tsecr = r->ts_recent;
}

void xtcp_req_synack(const struct xtcp_req *r, u64 now, struct xtcp_hdr *h)
{
	*h = (struct xtcp_hdr){
		.seq = r->iss,
		.ack = r->irs + 1,
		.wnd = r->rcv_wnd,
		.flags = XTCP_SYN | XTCP_ACK,
		.opts = XTCP_OPT_MSS | (r->ws_ok ? XTCP_OPT_WS : 0),
		.mss = r->own_mss,
		.wscale = r->rcv_wscale,
	};
	req_ts(r, now, h);
}

void xtcp_req_ack(const struct xtcp_req *r, u64 now, struct xtcp_hdr *h)
{
	*h = (struct xtcp_hdr){
		.seq = r->iss + 1,
		.ack = r->irs + 1,
		.wnd = r->rcv_wnd >> r->rcv_wscale,
		.flags = XTCP_ACK,
	};
	req_ts(r, now, h);
}

static bool req_in_window(const struct xtcp_req *r, const struct xtcp_seg *s)
{
	return xtcp_seg_in_window(s, r->irs + 1, r->irs + 1 + r->rcv_wnd);
}

/* Older than the SYN.  A request does not live long enough for 24 days. */
static bool req_paws(const struct xtcp_req *r, const struct xtcp_seg *s)
{
	return r->ts_ok && (s->opts & XTCP_OPT_TS) &&
	       !xtcp_paws_ok(r->ts_recent, 0, s->tsval, 0, 0);
}

enum xtcp_req_verdict xtcp_req_input(const struct xtcp_req *r,
				     const struct xtcp_seg *s)
{
	bool old = req_paws(r, s);

	if (s->flags & XTCP_RST) {
		if (old)
			return XTCP_REQ_DROP;
		if (s->seq == r->irs + 1)
			return XTCP_REQ_KILL;
		return req_in_window(r, s) ? XTCP_REQ_ACK : XTCP_REQ_DROP;
	}
	if ((s->flags & (XTCP_SYN | XTCP_ACK)) == XTCP_SYN &&
	    s->seq == r->irs && !old)
		return XTCP_REQ_SYNACK;
	/* As native TCP: a wrong ACK is refused before the window is asked. */
	if ((s->flags & XTCP_ACK) && s->ack != r->iss + 1)
		return XTCP_REQ_RST;
	if (old || !req_in_window(r, s))
		return XTCP_REQ_ACK;
	/* As native TCP, which does not take this for a synchronised state. */
	if ((s->flags & XTCP_SYN) && s->seq != r->irs)
		return XTCP_REQ_ABORT;
	return s->flags & XTCP_ACK ? XTCP_REQ_ESTABLISH : XTCP_REQ_DROP;
}

u64 xtcp_req_backoff(const struct xtcp_req *r, const struct xtcp_cfg *cfg)
{
	return xtcp_rtt_backoff(cfg->rto_init, r->timeouts, cfg->rto_max);
}

u8 xtcp_req_retries(u32 len, u32 young, u32 backlog, u8 retries)
{
	if (len * 2 <= max_t(u32, backlog, 8))
		return retries;
	for (young *= 2; retries > 2 && len >= young; young *= 2)
		retries--;
	return retries;
}

bool xtcp_req_expired(const struct xtcp_req *r, u8 retries, u8 defer)
{
	if (r->timeouts < retries)
		return false;
	return !defer || !r->acked || r->timeouts >= defer;
}

bool xtcp_req_resend(const struct xtcp_req *r, u8 defer)
{
	return !defer || !r->acked || r->timeouts + 1 >= defer;
}

bool xtcp_req_defer(const struct xtcp_req *r, const struct xtcp_seg *s,
		    u8 defer)
{
	return r->timeouts < defer && xtcp_seg_end(s) == r->irs + 1;
}

#define SECOND_US	1000000

u8 xtcp_req_defer_timeouts(int seconds, const struct xtcp_cfg *cfg)
{
	s64 left = (s64)seconds * SECOND_US;
	u8 n = 0;

	while (left > 0 && n < 255)
		left -= xtcp_rtt_backoff(cfg->rto_init, n++, cfg->rto_max);
	return n;
}

int xtcp_req_defer_seconds(u8 timeouts, const struct xtcp_cfg *cfg)
{
	int seconds = 0;
	u8 n;

	for (n = 0; n < timeouts; n++)
		seconds += (u32)xtcp_rtt_backoff(cfg->rto_init, n,
						 cfg->rto_max) / SECOND_US;
	return seconds;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Any bytes as a segment header.  What parses is sane; what is written from
 * it parses to the same.
 */
#include <stdlib.h>

#include "../../module/core/core.h"

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void round_trip(const struct xtcp_seg *s)
{
	struct xtcp_hdr h = {
		.sport = s->sport, .dport = s->dport, .seq = s->seq,
		.ack = s->ack, .wnd = s->wnd, .flags = s->flags,
		.opts = s->opts & (XTCP_OPT_MSS | XTCP_OPT_WS |
				   XTCP_OPT_SACKOK | XTCP_OPT_TS),
		.mss = s->mss, .wscale = s->wscale,
		.tsval = s->tsval, .tsecr = s->tsecr,
	};
	u8 buf[XTCP_HDR_MAX];
	struct xtcp_seg t;
	u8 len = xtcp_hdr_write(buf, &h);

	must(len == xtcp_hdr_len(&h) && len % 4 == 0 && len <= XTCP_HDR_MAX);
	must(xtcp_seg_hlen(buf) == len);
	must(!xtcp_seg_parse(buf, len, len + s->len, &t));
	must(t.sport == s->sport && t.dport == s->dport && t.seq == s->seq);
	must(t.ack == s->ack && t.wnd == s->wnd && t.flags == s->flags);
	must(t.len == s->len && t.opts == h.opts);
	must(!(h.opts & XTCP_OPT_MSS) || t.mss == s->mss);
	must(!(h.opts & XTCP_OPT_WS) || t.wscale == s->wscale);
	must(!(h.opts & XTCP_OPT_TS) ||
	     (t.tsval == s->tsval && t.tsecr == s->tsecr));
}

static void mini(const struct xtcp_seg *s)
{
	struct xtcp_cfg cfg;
	struct xtcp_req r;
	struct xtcp_tw tw = { .snd_nxt = s->ack, .rcv_nxt = s->seq,
			      .rcv_wnd = s->wnd, .ts_stamp = s->urg,
			      .state = s->urg & 1 ? XTCP_TIME_WAIT :
						    XTCP_FIN_WAIT2 };
	u8 todo;
	struct xtcp_hdr h;

	xtcp_cfg_defaults(&cfg);
	xtcp_req_open(&r, s, s->ack, 1460, s->tsval, s->tsecr, s->seq,
		      &cfg);
	xtcp_req_synack(&r, s->seq, &h);
	must(h.flags == (XTCP_SYN | XTCP_ACK));
	must(r.rcv_wscale <= XTCP_WSCALE_MAX);
	must(xtcp_req_input(&r, s) <= XTCP_REQ_ESTABLISH);
	todo = xtcp_tw_input(&tw, s, &cfg, s->tsecr);
	must(!(todo & XTCP_TW_FIN) || tw.state == XTCP_TIME_WAIT);
	must(!(todo & XTCP_TW_FIN) || !(s->urg & 1));
	must(!(todo & XTCP_TW_SYN) || todo == XTCP_TW_SYN);
	if (xtcp_rst_reply(s, &h))
		must((h.flags & XTCP_RST) && !(s->flags & XTCP_RST));
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);
int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct xtcp_seg s;
	u8 hlen, *exact;

	if (size < XTCP_HDR_MIN)
		return 0;
	hlen = xtcp_seg_hlen(data);
	if (!hlen || hlen > size)
		return 0;
	/* Exactly what may be read, so that one byte more is found out. */
	exact = malloc(hlen);
	memcpy(exact, data, hlen);
	if (!xtcp_seg_parse(exact, hlen, size, &s)) {
		must(s.hlen == hlen);
		must(s.len == size - hlen);
		must(s.wscale <= XTCP_WSCALE_MAX && s.nsack <= XTCP_SACK_MAX);
		must(!(s.opts & XTCP_OPT_MSS) || s.mss);
		round_trip(&s);
		mini(&s);
	}
	free(exact);
	return 0;
}

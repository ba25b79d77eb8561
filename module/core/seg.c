// SPDX-License-Identifier: GPL-2.0
/* Segment headers between the wire and structs (RFC 9293, 3.1 and 3.2). */
#include "core.h"

/* Option kinds. */
enum {
	KIND_END = 0,
	KIND_NOP = 1,
	KIND_MSS = 2,
	KIND_WS = 3,
	KIND_SACKOK = 4,
	KIND_SACK = 5,
	KIND_TS = 8,
};

u8 xtcp_seg_hlen(const u8 *p)
{
	u8 hlen = (p[12] >> 4) * 4;

	return hlen < XTCP_HDR_MIN ? 0 : hlen;
}

/* MSS and window scale mean something on a SYN only (RFC 9293, RFC 7323). */
static void opt_mss(const u8 *v, u8 len, struct xtcp_seg *s)
{
	/* A peer that cannot take a byte did not mean it. */
	if (len != 2 || !(s->flags & XTCP_SYN) || !xtcp_get16(v))
		return;
	s->mss = xtcp_get16(v);
	s->opts |= XTCP_OPT_MSS;
}

static void opt_ws(const u8 *v, u8 len, struct xtcp_seg *s)
{
	if (len != 1 || !(s->flags & XTCP_SYN))
		return;
	s->wscale = min_t(u8, v[0], XTCP_WSCALE_MAX);
	s->opts |= XTCP_OPT_WS;
}

static void opt_sackok(const u8 *v, u8 len, struct xtcp_seg *s)
{
	if (len == 0 && (s->flags & XTCP_SYN))
		s->opts |= XTCP_OPT_SACKOK;
}

static void opt_ts(const u8 *v, u8 len, struct xtcp_seg *s)
{
	if (len != 8)
		return;
	s->tsval = xtcp_get32(v);
	s->tsecr = xtcp_get32(v + 4);
	s->opts |= XTCP_OPT_TS;
}

static void opt_sack(const u8 *v, u8 len, struct xtcp_seg *s)
{
	u8 i, n = len / 8;

	if (!n || n > XTCP_SACK_MAX || n * 8 != len)
		return;
	for (i = 0; i < n; i++) {
		s->sack[i].start = xtcp_get32(v + 8 * i);
		s->sack[i].end = xtcp_get32(v + 8 * i + 4);
	}
	s->nsack = n;
	s->opts |= XTCP_OPT_SACK;
}

static void opt_one(u8 kind, const u8 *v, u8 len, struct xtcp_seg *s)
{
	switch (kind) {
	case KIND_MSS:
		opt_mss(v, len, s);
		break;
	case KIND_WS:
		opt_ws(v, len, s);
		break;
	case KIND_SACKOK:
		opt_sackok(v, len, s);
		break;
	case KIND_SACK:
		opt_sack(v, len, s);
		break;
	case KIND_TS:
		opt_ts(v, len, s);
		break;
	}
}

/* NOP NOP TS and nothing else: what nearly every segment carries. */
static bool seg_only_ts(const u8 *p, u8 len, struct xtcp_seg *s)
{
	const u32 head = KIND_NOP << 24 | KIND_NOP << 16 | KIND_TS << 8 | 10;

	if (len != XTCP_TS_SPACE || xtcp_get32(p) != head)
		return false;
	opt_ts(p + 4, 8, s);
	return true;
}

static void seg_options(const u8 *p, u8 left, struct xtcp_seg *s)
{
	while (left) {
		if (p[0] == KIND_END)
			return;
		if (p[0] == KIND_NOP) {
			p++;
			left--;
			continue;
		}
		if (left < 2 || p[1] < 2 || p[1] > left)
			return;
		opt_one(p[0], p + 2, p[1] - 2, s);
		left -= p[1];
		p += p[1];
	}
}

int xtcp_seg_parse(const u8 *p, u8 hlen, u32 total, struct xtcp_seg *s)
{
	memset(s, 0, sizeof(*s));
	s->sport = xtcp_get16(p);
	s->dport = xtcp_get16(p + 2);
	s->seq = xtcp_get32(p + 4);
	s->ack = xtcp_get32(p + 8);
	s->flags = p[13];
	s->wnd = xtcp_get16(p + 14);
	s->urg = xtcp_get16(p + 18);
	s->hlen = hlen;
	s->len = total - hlen;
	if ((s->flags & XTCP_SYN) && (s->flags & (XTCP_FIN | XTCP_RST)))
		return -EINVAL;
	p += XTCP_HDR_MIN;
	hlen -= XTCP_HDR_MIN;
	if (hlen && !seg_only_ts(p, hlen, s))
		seg_options(p, hlen, s);
	return 0;
}

u8 xtcp_hdr_len(const struct xtcp_hdr *h)
{
	u8 len = XTCP_HDR_MIN;

	if (h->opts & XTCP_OPT_MSS)
		len += 4;
	if (h->opts & XTCP_OPT_TS)
		len += XTCP_TS_SPACE;
	else if (h->opts & XTCP_OPT_SACKOK)
		len += 4;
	if (h->opts & XTCP_OPT_WS)
		len += 4;
	return len;
}

/* SACK-permitted takes the place of the two NOPs that align timestamps. */
static u8 *write_sackok(u8 *o, const struct xtcp_hdr *h)
{
	if (h->opts & XTCP_OPT_SACKOK) {
		if (!(h->opts & XTCP_OPT_TS)) {
			*o++ = KIND_NOP;
			*o++ = KIND_NOP;
		}
		*o++ = KIND_SACKOK;
		*o++ = 2;
	} else if (h->opts & XTCP_OPT_TS) {
		*o++ = KIND_NOP;
		*o++ = KIND_NOP;
	}
	return o;
}

static u8 *write_ts(u8 *o, const struct xtcp_hdr *h)
{
	if (!(h->opts & XTCP_OPT_TS))
		return o;
	o[0] = KIND_TS;
	o[1] = 10;
	xtcp_put32(o + 2, h->tsval);
	xtcp_put32(o + 6, h->tsecr);
	return o + 10;
}

/* In the order that native TCP has them. */
static void write_options(u8 *o, const struct xtcp_hdr *h)
{
	if (h->opts & XTCP_OPT_MSS) {
		o[0] = KIND_MSS;
		o[1] = 4;
		xtcp_put16(o + 2, h->mss);
		o += 4;
	}
	o = write_sackok(o, h);
	o = write_ts(o, h);
	if (h->opts & XTCP_OPT_WS) {
		o[0] = KIND_NOP;
		o[1] = KIND_WS;
		o[2] = 3;
		o[3] = h->wscale;
	}
}

u8 xtcp_hdr_write(u8 *p, const struct xtcp_hdr *h)
{
	u8 len = xtcp_hdr_len(h);

	xtcp_put16(p, h->sport);
	xtcp_put16(p + 2, h->dport);
	xtcp_put32(p + 4, h->seq);
	xtcp_put32(p + 8, h->ack);
	p[12] = len / 4 << 4;
	p[13] = h->flags;
	xtcp_put16(p + 14, h->wnd);
	xtcp_put16(p + 16, 0);
	xtcp_put16(p + 18, 0);
	if (h->opts)
		write_options(p + XTCP_HDR_MIN, h);
	return len;
}

bool xtcp_seg_in_window(const struct xtcp_seg *s, u32 left, u32 right)
{
	if (s->seq == left)
		return true;
	if (seq_gt(xtcp_seg_end(s), left) && seq_lt(s->seq, right))
		return true;
	return s->seq == right && !xtcp_seg_space(s);
}

bool xtcp_rst_reply(const struct xtcp_seg *s, struct xtcp_hdr *h)
{
	if (s->flags & XTCP_RST)
		return false;
	*h = (struct xtcp_hdr){
		.sport = s->dport,
		.dport = s->sport,
		.flags = XTCP_RST,
	};
	if (s->flags & XTCP_ACK) {
		h->seq = s->ack;
	} else {
		h->flags |= XTCP_ACK;
		h->ack = xtcp_seg_end(s);
	}
	return true;
}

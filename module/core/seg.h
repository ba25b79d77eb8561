/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A segment, parsed once at the edge into a small struct, and the header to
 * be written (RFC 9293, section 3.1 and 3.2; RFC 7323 for the window scale).
 * Every number in these structs is in host byte order.
 */
#ifndef XTCP_CORE_SEG_H
#define XTCP_CORE_SEG_H

#include "port.h"

#define XTCP_HDR_MIN	20	/* bytes of a header without options */
#define XTCP_HDR_MAX	60	/* bytes of a header with 40 of options */
#define XTCP_SACK_MAX	4	/* SACK blocks that fit in 40 bytes */

/* Control bits, as they stand in byte 13 of the header. */
enum {
	XTCP_FIN = 0x01,
	XTCP_SYN = 0x02,
	XTCP_RST = 0x04,
	XTCP_PSH = 0x08,
	XTCP_ACK = 0x10,
	XTCP_URG = 0x20,
	XTCP_ECE = 0x40,
	XTCP_CWR = 0x80,
};

/* Which options a segment carries (bits of xtcp_seg.opts, xtcp_hdr.opts). */
enum {
	XTCP_OPT_MSS	= 1 << 0,
	XTCP_OPT_WS	= 1 << 1,
	XTCP_OPT_SACKOK	= 1 << 2,
	XTCP_OPT_TS	= 1 << 3,
	XTCP_OPT_SACK	= 1 << 4,
};

struct xtcp_sack_block {
	u32 start;	/* first sequence number of the block */
	u32 end;	/* the one after its last */
};

/*
 * struct xtcp_seg - a received segment
 * @len counts payload bytes only; SYN and FIN are in @flags.  The host may have
 * joined segments of one size that follow each other, of which the last may be
 * shorter: it sets @joined then, after xtcp_seg_parse().
 */
struct xtcp_seg {
	u32 seq;	/* SEG.SEQ */
	u32 ack;	/* SEG.ACK, valid if XTCP_ACK */
	u32 len;	/* payload bytes */
	u16 joined;	/* payload bytes of each segment in here; 0: it is one */
	u16 sport;
	u16 dport;
	u16 wnd;	/* SEG.WND as on the wire, unscaled */
	u16 urg;
	u8 flags;	/* XTCP_FIN ... */
	u8 hlen;	/* header bytes, options included */
	u8 opts;	/* XTCP_OPT_*: which of the following are valid */
	u8 wscale;	/* shift count, clamped to 14 (RFC 7323, 2.3) */
	u16 mss;	/* bytes */
	u8 nsack;
	u32 tsval;
	u32 tsecr;
	struct xtcp_sack_block sack[XTCP_SACK_MAX];
};

/* struct xtcp_hdr - a header to be written */
struct xtcp_hdr {
	u16 sport;
	u16 dport;
	u32 seq;
	u32 ack;
	u16 wnd;	/* as on the wire, already scaled */
	u8 flags;
	u8 opts;	/* XTCP_OPT_MSS, _SACKOK, _TS, _WS: what to write */
	u16 mss;
	u8 wscale;
	u32 tsval;
	u32 tsecr;
};

/* Sequence space that a segment takes: payload, SYN and FIN. */
static inline u32 xtcp_seg_space(const struct xtcp_seg *s)
{
	return s->len + !!(s->flags & XTCP_SYN) + !!(s->flags & XTCP_FIN);
}

/* How many segments came as one; a segment without payload is one. */
static inline u32 xtcp_seg_count(const struct xtcp_seg *s)
{
	return s->len > s->joined && s->joined ?
		(s->len + s->joined - 1) / s->joined : 1;
}

/* Payload bytes of the first of them. */
static inline u32 xtcp_seg_size(const struct xtcp_seg *s)
{
	return s->joined ? min_t(u32, s->joined, s->len) : s->len;
}

/* The sequence number after the segment's last. */
static inline u32 xtcp_seg_end(const struct xtcp_seg *s)
{
	return s->seq + xtcp_seg_space(s);
}

/* Touches it the window [@left, @right)? (RFC 9293, 3.4, table 6) */
bool xtcp_seg_in_window(const struct xtcp_seg *s, u32 left, u32 right);

/*
 * xtcp_seg_hlen - the header length that the first 20 bytes claim
 * @p: at least XTCP_HDR_MIN readable bytes
 * Returns bytes, at least XTCP_HDR_MIN, or 0 if the data offset is too small.
 * The caller makes that many bytes readable before xtcp_seg_parse().
 */
u8 xtcp_seg_hlen(const u8 *p);

/*
 * xtcp_seg_parse - read a header
 * @p: the header, network byte order, any alignment
 * @hlen: what xtcp_seg_hlen() said; that many bytes are readable at @p
 * @total: bytes of header and payload together, at least @hlen
 * @s: written whole
 * Malformed options are skipped as RFC 9293, 3.1 and 3.2 have it: an option with a wrong
 * length ends the parsing, the segment remains valid.  Any context.
 * Returns 0, or -EINVAL for a segment no connection can take: SYN with FIN
 * or with RST.  Port 0 is a number like another, nobody's: RST answers it.
 */
int xtcp_seg_parse(const u8 *p, u8 hlen, u32 total, struct xtcp_seg *s);

/* Bytes that xtcp_hdr_write() will write: 20 to 60, a multiple of 4. */
u8 xtcp_hdr_len(const struct xtcp_hdr *h);

/*
 * xtcp_hdr_write - write a header with checksum field 0
 * @p: room for xtcp_hdr_len() bytes
 * Returns the bytes written.
 */
u8 xtcp_hdr_write(u8 *p, const struct xtcp_hdr *h);

/*
 * xtcp_rst_reply - the RST that answers a segment nobody wants
 * RFC 9293, 3.10.7.1: <SEQ=SEG.ACK> if it had an ACK, else <SEQ=0,ACK=SEG.SEQ+SEG.LEN>.
 * Returns false, with @h untouched, for an RST, which is never answered.
 */
bool xtcp_rst_reply(const struct xtcp_seg *s, struct xtcp_hdr *h);

#endif /* XTCP_CORE_SEG_H */

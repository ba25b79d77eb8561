// SPDX-License-Identifier: GPL-2.0
#include "unit.h"

static u8 buf[XTCP_HDR_MAX];
static struct xtcp_seg s;

/* A SYN with @n bytes of options, padded with end-of-list. */
static int syn_with(const u8 *opts, u8 n)
{
	struct xtcp_hdr h = { .sport = 1, .dport = 2, .flags = XTCP_SYN };
	u8 len = 20 + (n + 3) / 4 * 4;
	u8 *exact = malloc(len);
	int ret;

	xtcp_hdr_write(buf, &h);
	memset(buf + 20, 0, 40);
	memcpy(buf + 20, opts, n);
	buf[12] = len / 4 << 4;
	memcpy(exact, buf, len);
	ret = xtcp_seg_parse(exact, xtcp_seg_hlen(exact), len + 7, &s);
	free(exact);
	EQUAL(s.len, 7);
	return ret;
}

#define SYN_WITH(...) ({ const u8 o[] = { __VA_ARGS__ };		\
			 syn_with(o, sizeof(o)); })

static void write_and_parse(void)
{
	struct xtcp_hdr h = {
		.sport = 0x1234, .dport = 0x5678, .seq = 0xdeadbeef,
		.ack = 0xcafef00d, .wnd = 0x4321,
		.flags = XTCP_SYN | XTCP_ACK,
		.opts = XTCP_OPT_MSS | XTCP_OPT_WS, .mss = 1460, .wscale = 7,
	};
	static const u8 wire[28] = {
		0x12, 0x34, 0x56, 0x78, 0xde, 0xad, 0xbe, 0xef,
		0xca, 0xfe, 0xf0, 0x0d, 0x70, 0x12, 0x43, 0x21,
		0, 0, 0, 0, 2, 4, 0x05, 0xb4, 1, 3, 3, 7,
	};

	EQUAL(xtcp_hdr_len(&h), 28);
	EQUAL(xtcp_hdr_write(buf, &h), 28);
	CHECK(!memcmp(buf, wire, 28));
	EQUAL(xtcp_seg_hlen(buf), 28);
	EQUAL(xtcp_seg_parse(buf, 28, 128, &s), 0);
	EQUAL(s.sport, 0x1234);
	EQUAL(s.seq, 0xdeadbeef);
	EQUAL(s.ack, 0xcafef00d);
	EQUAL(s.len, 100);
	EQUAL(s.mss, 1460);
	EQUAL(s.wscale, 7);
	EQUAL(xtcp_seg_space(&s), 101);
}

static void bad_headers(void)
{
	struct xtcp_hdr h = { .sport = 1, .dport = 2, .flags = XTCP_SYN };

	xtcp_hdr_write(buf, &h);
	buf[12] = 4 << 4;
	EQUAL(xtcp_seg_hlen(buf), 0);
	buf[12] = 15 << 4;
	EQUAL(xtcp_seg_hlen(buf), 60);
	buf[12] = 5 << 4;
	buf[13] = XTCP_SYN | XTCP_FIN;
	EQUAL(xtcp_seg_parse(buf, 20, 20, &s), -EINVAL);
	buf[13] = XTCP_SYN | XTCP_RST;
	EQUAL(xtcp_seg_parse(buf, 20, 20, &s), -EINVAL);
	buf[13] = XTCP_SYN;
	EQUAL(xtcp_seg_parse(buf, 20, 20, &s), 0);
	/* Port 0 is nobody's, which RST has to say. */
	buf[3] = 0;
	EQUAL(xtcp_seg_parse(buf, 20, 20, &s), 0);
}

static void options(void)
{
	EQUAL(SYN_WITH(1, 1, 2, 4, 1, 0), 0);
	EQUAL(s.mss, 256);
	EQUAL(SYN_WITH(2, 4, 0, 0), 0);
	EQUAL(s.opts, 0);
	/* 0 after a good one does not undo it. */
	EQUAL(SYN_WITH(2, 4, 1, 0, 2, 4, 0, 0), 0);
	EQUAL(s.mss, 256);
	EQUAL(SYN_WITH(3, 3, 15, 1), 0);
	EQUAL(s.wscale, 14);
	EQUAL(SYN_WITH(4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2), 0);
	EQUAL(s.opts, XTCP_OPT_SACKOK | XTCP_OPT_TS);
	EQUAL(s.tsval, 1);
	EQUAL(s.tsecr, 2);
	EQUAL(SYN_WITH(5, 10, 0, 0, 0, 1, 0, 0, 0, 9), 0);
	EQUAL(s.nsack, 1);
	EQUAL(s.sack[0].end, 9);
	/* An unknown one is skipped by its length. */
	EQUAL(SYN_WITH(99, 3, 0, 2, 4, 2, 0), 0);
	EQUAL(s.mss, 512);
	/* Nothing behind the end of the list counts. */
	EQUAL(SYN_WITH(0, 2, 4, 2, 0), 0);
	EQUAL(s.opts, 0);
}

static void broken_options(void)
{
	EQUAL(SYN_WITH(2, 0, 1, 1), 0);
	EQUAL(s.opts, 0);
	EQUAL(SYN_WITH(2, 1, 1, 1), 0);
	EQUAL(s.opts, 0);
	EQUAL(SYN_WITH(2, 40, 1, 1), 0);
	EQUAL(s.opts, 0);
	EQUAL(SYN_WITH(1, 1, 1, 2), 0);
	EQUAL(s.opts, 0);
	/* A wrong length for the kind: skipped, the rest counts. */
	EQUAL(SYN_WITH(2, 3, 1, 3, 3, 5), 0);
	EQUAL(s.opts, XTCP_OPT_WS);
	EQUAL(SYN_WITH(5, 9, 0, 0, 0, 1, 0, 0, 0), 0);
	EQUAL(s.nsack, 0);
}

static void rst_reply(void)
{
	struct xtcp_hdr h = { .seq = 77 };

	s = (struct xtcp_seg){ .sport = 1, .dport = 2, .seq = 100, .len = 5,
			       .flags = XTCP_SYN };
	CHECK(xtcp_rst_reply(&s, &h));
	EQUAL(h.seq, 0);
	EQUAL(h.ack, 106);
	EQUAL(h.flags, XTCP_RST | XTCP_ACK);
	EQUAL(h.sport, 2);
	s.flags = XTCP_ACK;
	s.ack = 900;
	CHECK(xtcp_rst_reply(&s, &h));
	EQUAL(h.seq, 900);
	EQUAL(h.flags, XTCP_RST);
	s.flags = XTCP_RST;
	h.seq = 77;
	CHECK(!xtcp_rst_reply(&s, &h));
	EQUAL(h.seq, 77);
}

static const struct unit_test tests[] = {
	{ "a header is written and read bit for bit", write_and_parse },
	{ "headers that no connection can take", bad_headers },
	{ "options", options },
	{ "broken options", broken_options },
	{ "RST in answer, never to an RST", rst_reply },
};
UNIT_MAIN(tests)

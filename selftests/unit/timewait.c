// SPDX-License-Identifier: GPL-2.0
#include "unit.h"

static struct xtcp_tw tw;

static enum xtcp_tw_verdict in(u32 seq, u8 flags, u32 len)
{
	struct xtcp_seg s = { .seq = seq, .ack = tw.snd_nxt, .flags = flags,
			      .len = len };

	return xtcp_tw_input(&tw, &s);
}

static void verdicts(void)
{
	u32 nxt;

	host_in(XTCP_TIME_WAIT);
	xtcp_tw_open(&tw, &H.c);
	nxt = tw.rcv_nxt;
	EQUAL(nxt, IRS + 2);
	EQUAL(tw.snd_nxt, ISS + 2);
	EQUAL(in(nxt, XTCP_ACK, 0), XTCP_TW_DROP);
	EQUAL(in(nxt + 5, XTCP_ACK, 0), XTCP_TW_DROP);
	EQUAL(in(nxt - 1, XTCP_ACK, 0), XTCP_TW_ACK);
	EQUAL(in(nxt - 1, XTCP_ACK | XTCP_FIN, 0), XTCP_TW_ACK_RESTART);
	EQUAL(in(nxt - 11, XTCP_ACK | XTCP_FIN, 10), XTCP_TW_ACK_RESTART);
	EQUAL(in(nxt, XTCP_ACK | XTCP_FIN, 0), XTCP_TW_ACK);
	EQUAL(in(nxt, XTCP_ACK, 10), XTCP_TW_ACK);
	EQUAL(in(nxt, XTCP_RST, 0), XTCP_TW_KILL);
	EQUAL(in(nxt + 1, XTCP_RST, 0), XTCP_TW_DROP);
	EQUAL(in(nxt + 1, XTCP_SYN, 0), XTCP_TW_SYN);
	EQUAL(in(nxt, XTCP_SYN, 0), XTCP_TW_ACK);
	EQUAL(in(nxt + 1, XTCP_SYN | XTCP_ACK, 0), XTCP_TW_ACK);
	EQUAL(in(nxt, 0, 10), XTCP_TW_DROP);
	CHECK(seq_gt(xtcp_tw_next_iss(&tw), tw.snd_nxt + 65535));
}

static void acking(void)
{
	struct xtcp_hdr h;

	tw = (struct xtcp_tw){ .snd_nxt = 5, .rcv_nxt = 9, .rcv_wnd = 1000,
			       .rcv_wscale = 2 };
	xtcp_tw_ack(&tw, T0, &h);
	EQUAL(h.seq, 5);
	EQUAL(h.ack, 9);
	EQUAL(h.wnd, 250);
	EQUAL(h.flags, XTCP_ACK);
}

static const struct unit_test tests[] = {
	{ "what a segment means", verdicts },
	{ "the last ACK again", acking },
};
UNIT_MAIN(tests)

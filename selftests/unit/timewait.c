// SPDX-License-Identifier: GPL-2.0
#include "unit.h"

#define PEER	700000u		/* the peer's clock */

static struct xtcp_tw tw;
static u64 now;

static u8 in_ts(u32 seq, u8 flags, u32 len, u32 tsval)
{
	struct xtcp_seg s = { .seq = seq, .ack = tw.snd_nxt, .flags = flags,
			      .len = len, .tsval = tsval,
			      .opts = tsval ? XTCP_OPT_TS : 0 };

	return xtcp_tw_input(&tw, &s, &H.cfg, now);
}

/* Far enough from the last one not to be limited. */
static u8 in(u32 seq, u8 flags, u32 len)
{
	now += 1000000;
	return in_ts(seq, flags, len, 0);
}

static void open_tw(u8 state, bool ts)
{
	host_in(state);
	xtcp_tw_open(&tw, &H.c);
	EQUAL(tw.state, state);
	now = H.now;
	if (!ts)
		return;
	tw.ts_recent = PEER;
	tw.ts_stamp = now;
}

static void time_wait(void)
{
	u32 nxt;

	open_tw(XTCP_TIME_WAIT, false);
	nxt = tw.rcv_nxt;
	EQUAL(nxt, IRS + 2);
	EQUAL(tw.snd_nxt, ISS + 2);
	/* What is in place needs no answer, but is a sign of life. */
	EQUAL(in(nxt, XTCP_ACK, 0), XTCP_TW_RESTART);
	EQUAL(in(nxt + 5, XTCP_ACK, 0), XTCP_TW_ACK | XTCP_TW_RESTART);
	EQUAL(in(nxt - 1, XTCP_ACK, 0), XTCP_TW_ACK | XTCP_TW_RESTART);
	EQUAL(in(nxt - 1, XTCP_ACK | XTCP_FIN, 0),
	      XTCP_TW_ACK | XTCP_TW_RESTART);
	EQUAL(in(nxt, XTCP_ACK, 10), XTCP_TW_ACK | XTCP_TW_RESTART);
	EQUAL(in(nxt, 0, 10), XTCP_TW_ACK);
	/* SYNs: a newer one, an old one, one with ACK. */
	EQUAL(in(nxt + 1, XTCP_SYN, 0), XTCP_TW_SYN);
	EQUAL(in(nxt, XTCP_SYN, 0), XTCP_TW_ACK);
	EQUAL(in(nxt + 1, XTCP_SYN | XTCP_ACK, 0),
	      XTCP_TW_ACK | XTCP_TW_RESTART);
	EQUAL(in(nxt + 1, XTCP_RST, 0), 0);
	EQUAL(in(nxt, XTCP_RST, 0), XTCP_TW_KILL);
	H.cfg.rfc1337 = 1;
	EQUAL(in(nxt, XTCP_RST, 0), 0);
	EQUAL(tw.state, XTCP_TIME_WAIT);
}

static void timestamps(void)
{
	u32 nxt;

	open_tw(XTCP_TIME_WAIT, true);
	nxt = tw.rcv_nxt;
	/* A SYN with an old number but a newer clock (RFC 6191). */
	EQUAL(in_ts(nxt - 5000, XTCP_SYN, 0, PEER + 1), XTCP_TW_SYN);
	/* The same clock, and an older one whatever its number. */
	EQUAL(in_ts(nxt - 5000, XTCP_SYN, 0, PEER), XTCP_TW_ACK);
	now += 1000000;
	EQUAL(in_ts(nxt + 5000, XTCP_SYN, 0, PEER), XTCP_TW_SYN);
	EQUAL(in_ts(nxt + 5000, XTCP_SYN, 0, PEER - 1),
	      XTCP_TW_ACK | XTCP_TW_RESTART | XTCP_TW_PAWS);
	/* RST: checked while the connection is fresh. */
	EQUAL(in_ts(nxt, XTCP_RST, 0, PEER - 1), XTCP_TW_PAWS);
	EQUAL(in_ts(nxt, XTCP_RST, 0, PEER), XTCP_TW_KILL);
	now += 61000000;
	EQUAL(in_ts(nxt, XTCP_RST, 0, PEER - 1), XTCP_TW_KILL);
	/* What is in place moves the clock on. */
	EQUAL(in_ts(nxt, XTCP_ACK, 0, PEER + 50), XTCP_TW_RESTART);
	EQUAL(tw.ts_recent, PEER + 50);
	EQUAL(tw.ts_stamp, now);
	now += XTCP_PAWS_LIFE;
	EQUAL(in_ts(nxt + 1, XTCP_SYN, 0, PEER), XTCP_TW_SYN);
}

static void limited(void)
{
	open_tw(XTCP_TIME_WAIT, false);
	EQUAL(in_ts(tw.rcv_nxt - 9, XTCP_ACK, 0, 0),
	      XTCP_TW_ACK | XTCP_TW_RESTART);
	now += 499999;
	EQUAL(in_ts(tw.rcv_nxt - 9, XTCP_ACK, 0, 0),
	      XTCP_TW_SKIPPED | XTCP_TW_RESTART);
	EQUAL(in_ts(tw.rcv_nxt, XTCP_SYN, 0, 0), XTCP_TW_SKIPPED);
	/* What has payload or FIN is always answered. */
	EQUAL(in_ts(tw.rcv_nxt - 1, XTCP_ACK | XTCP_FIN, 0, 0),
	      XTCP_TW_ACK | XTCP_TW_RESTART);
	now += 1;
	EQUAL(in_ts(tw.rcv_nxt - 9, XTCP_ACK, 0, 0),
	      XTCP_TW_ACK | XTCP_TW_RESTART);
	H.cfg.invalid_ratelimit = 0;
	EQUAL(in_ts(tw.rcv_nxt - 9, XTCP_ACK, 0, 0),
	      XTCP_TW_ACK | XTCP_TW_RESTART);
}

static void fin_wait2(void)
{
	u32 nxt;

	open_tw(XTCP_FIN_WAIT2, true);
	nxt = tw.rcv_nxt;
	EQUAL(nxt, IRS + 1);
	EQUAL(tw.rcv_wnd, 60000);
	EQUAL(in(nxt, XTCP_ACK, 0), 0);
	EQUAL(in(nxt - 1, XTCP_ACK, 0), XTCP_TW_ACK);
	EQUAL(in(nxt + 60001, XTCP_ACK, 10), XTCP_TW_ACK);
	EQUAL(in_ts(nxt, XTCP_ACK | XTCP_FIN, 0, PEER - 1),
	      XTCP_TW_ACK | XTCP_TW_PAWS);
	EQUAL(tw.state, XTCP_FIN_WAIT2);
	/* New data, data with FIN, SYN: nobody takes them. */
	EQUAL(in(nxt, XTCP_ACK, 10), XTCP_TW_REFUSE);
	EQUAL(in(nxt, XTCP_ACK | XTCP_FIN, 10), XTCP_TW_REFUSE);
	EQUAL(in(nxt + 9, XTCP_ACK | XTCP_FIN, 0), XTCP_TW_REFUSE);
	EQUAL(in(nxt, XTCP_SYN, 0), XTCP_TW_REFUSE);
	EQUAL(in(nxt, XTCP_FIN, 0), 0);
	EQUAL(in(nxt + 5, XTCP_RST, 0), XTCP_TW_KILL);
	EQUAL(in(nxt, XTCP_RST, 0), XTCP_TW_KILL);
	/* The FIN, and the FIN again. */
	EQUAL(in_ts(nxt, XTCP_ACK | XTCP_FIN, 0, PEER + 7),
	      XTCP_TW_FIN | XTCP_TW_ACK | XTCP_TW_RESTART);
	EQUAL(tw.state, XTCP_TIME_WAIT);
	EQUAL(tw.rcv_nxt, nxt + 1);
	EQUAL(tw.ts_recent, PEER + 7);
	EQUAL(in_ts(nxt, XTCP_ACK | XTCP_FIN, 0, PEER + 7),
	      XTCP_TW_ACK | XTCP_TW_RESTART);
}

static void reuse(void)
{
	open_tw(XTCP_TIME_WAIT, true);
	tw.ts_stamp = now = 5200000;
	CHECK(xtcp_tw_reusable(&tw, true, true, now));
	CHECK(!xtcp_tw_reusable(&tw, true, false, now));
	CHECK(!xtcp_tw_reusable(&tw, true, false, 5999999));
	CHECK(xtcp_tw_reusable(&tw, true, false, 6000000));
	CHECK(!xtcp_tw_reusable(&tw, false, false, 6000000));
	CHECK(xtcp_tw_reusable(&tw, false, true, 6000000));
	tw.state = XTCP_FIN_WAIT2;
	CHECK(!xtcp_tw_reusable(&tw, true, false, 6000000));
	CHECK(xtcp_tw_reusable(&tw, true, true, 6000000));
	/* Without timestamps nothing tells old from new. */
	tw.ts_stamp = 0;
	CHECK(!xtcp_tw_reusable(&tw, true, true, 6000000));
	CHECK(seq_gt(xtcp_tw_next_iss(&tw), tw.snd_nxt + 65535));
	tw.snd_nxt = -65537u;
	EQUAL(xtcp_tw_next_iss(&tw), 1);
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
	EQUAL(h.opts, 0);
	tw.ts_stamp = 1;
	tw.ts_recent = PEER;
	tw.ts_off = 3;
	xtcp_tw_ack(&tw, T0, &h);
	EQUAL(h.opts, XTCP_OPT_TS);
	EQUAL(h.tsval, T0 / 1000 + 3);
	EQUAL(h.tsecr, PEER);
}

static const struct unit_test tests[] = {
	{ "what a segment means in TIME_WAIT", time_wait },
	{ "timestamps in TIME_WAIT", timestamps },
	{ "answers are limited", limited },
	{ "what a segment means in FIN_WAIT_2", fin_wait2 },
	{ "when connect() may take it over", reuse },
	{ "the last ACK again", acking },
};
UNIT_MAIN(tests)

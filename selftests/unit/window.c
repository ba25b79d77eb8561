// SPDX-License-Identifier: GPL-2.0
#include "unit.h"

static void scale(void)
{
	struct xtcp_cfg cfg;

	xtcp_cfg_defaults(&cfg);
	EQUAL(xtcp_wscale_choose(&cfg, 65535), 0);
	EQUAL(xtcp_wscale_choose(&cfg, 65536), 1);
	EQUAL(xtcp_wscale_choose(&cfg, 6291456), 7);
	EQUAL(xtcp_wscale_choose(&cfg, ~0u), 14);
	cfg.window_scaling = false;
	EQUAL(xtcp_wscale_choose(&cfg, 6291456), 0);
}

/* Takes @n bytes in order, with @left bytes of buffer after that. */
static u32 taken(u32 n, u32 left)
{
	H.c.rcv_nxt += n;
	H.c.rcv_free = left;
	return xtcp_window_select(&H.c);
}

static void never_back(void)
{
	host_in(XTCP_ESTABLISHED);
	EQUAL(taken(1000, 59000), 59000);
	EQUAL(taken(1000, 100), 58000);
	EQUAL(taken(58000, 0), 0);
	/* Less than a segment is not worth telling. */
	EQUAL(taken(0, 999), 0);
	EQUAL(taken(0, 1000), 1000);
	EQUAL(taken(0, 1999), 1000);
}

static void small_buffer(void)
{
	host_in(XTCP_ESTABLISHED);
	H.c.rcv_buf = 400;
	H.c.rcv_wup = H.c.rcv_nxt;
	H.c.rcv_wnd = 0;
	EQUAL(taken(0, 199), 0);
	EQUAL(taken(0, 200), 200);
}

static void rounding(void)
{
	host_in(XTCP_ESTABLISHED);
	H.c.rcv_wscale = 7;
	H.c.rcv_buf = 300000;
	EQUAL(taken(0, 300000), 2343);
	EQUAL(H.c.rcv_wnd, 2343 * 128);
	/* 100 bytes later: up, for down would take something back. */
	EQUAL(taken(100, 299884 - 100), 2343);
	CHECK(seq_ge(xtcp_rcv_right(&H.c), IRS + 1 + 2343 * 128));
	EQUAL(taken(0, ~0u), 65535);
}

/* A buffer that is small beside the unit of the window field. */
static void rounding_small(void)
{
	host_in(XTCP_ESTABLISHED);
	H.c.rcv_wscale = 7;
	H.c.rcv_wup = H.c.rcv_nxt;
	H.c.rcv_wnd = 0;
	/* One segment stays one segment. */
	H.c.rcv_buf = MSS;
	EQUAL(taken(0, MSS), 8);
	CHECK(H.c.rcv_wnd >= MSS);
	/* Something does not become nothing, but too little does. */
	H.c.rcv_wscale = 14;
	H.c.rcv_wnd = 0;
	EQUAL(taken(0, MSS / 2 - 1), 0);
	EQUAL(taken(0, MSS / 2), 1);
}

static void unscaled_cap(void)
{
	host_in(XTCP_ESTABLISHED);
	EQUAL(taken(0, 1000000), 65535);
}

static void updates(void)
{
	host_in(XTCP_ESTABLISHED);
	taken(59000, 0);
	EQUAL(xtcp_rcv_left_open(&H.c), 1000);
	H.c.rcv_free = 1999;
	xtcp_core_read(&H.c, H.now);
	CHECK(!(H.c.sig & XTCP_SIG_TX));
	H.c.rcv_free = 2000;
	xtcp_core_read(&H.c, H.now);
	CHECK(H.c.sig & XTCP_SIG_TX);
	host_tx(false);
	EQUAL(H.out[0].h.wnd, 2000);
	H.c.rcv_free = 3999;
	xtcp_core_read(&H.c, H.now);
	CHECK(!(H.c.sig & XTCP_SIG_TX));
	/* After the peer's FIN nobody cares. */
	host_in(XTCP_CLOSE_WAIT);
	H.c.rcv_wnd = 0;
	xtcp_core_read(&H.c, H.now);
	CHECK(!H.c.sig);
}

/* An ACK that waits for its timer, once the reader has taken everything. */
static void reader_drains(void)
{
	host_in(XTCP_ESTABLISHED);
	host_past_start();
	host_seg(IRS + 1, ISS + 1, XTCP_ACK, 100, 60000);
	EQUAL(H.sent, 0);
	H.c.rcv_free = 59950;
	xtcp_core_read(&H.c, H.now);
	CHECK(!(H.c.sig & XTCP_SIG_TX));
	H.c.rcv_free = 60000;
	xtcp_core_read(&H.c, H.now);
	host_tx(false);
	EQUAL(H.sent, 1);
	/* Where answers carry the ACKs there is no hurry. */
	host_seg(IRS + 101, ISS + 1, XTCP_ACK, 100, 60000);
	host_wrote(10);
	EQUAL(H.sent, 2);
	CHECK(H.c.interactive);
	host_seg(IRS + 201, ISS + 11, XTCP_ACK, 100, 60000);
	xtcp_core_read(&H.c, H.now);
	CHECK(!(H.c.sig & XTCP_SIG_TX));
	host_expire();
	EQUAL(H.sent, 3);
	CHECK(!H.c.interactive);
}

static const struct unit_test tests[] = {
	{ "choice of the scale", scale },
	{ "the right edge never moves back", never_back },
	{ "a buffer smaller than a segment", small_buffer },
	{ "rounding with a scale", rounding },
	{ "rounding of what is little", rounding_small },
	{ "65535 without a scale", unscaled_cap },
	{ "updates after reading", updates },
	{ "the ACK when the reader has drained the queue", reader_drains },
};
UNIT_MAIN(tests)

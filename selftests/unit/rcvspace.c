// SPDX-License-Identifier: GPL-2.0
#include "unit.h"

#define MS	1000
#define RTT	(10 * MS)

/* Data of @len bytes at @at of the stream, with an echo if @tsecr is not 0. */
static void data(u32 at, u32 len, u32 tsecr)
{
	struct xtcp_seg s = {
		.seq = IRS + 1 + at, .ack = ISS + 1, .flags = XTCP_ACK,
		.len = len, .opts = tsecr ? XTCP_OPT_TS : 0, .tsecr = tsecr,
	};

	H.c.rcv_nxt = IRS + 1 + at + len;
	xtcp_rcvspace_arrived(&H.c, &s, H.now);
}

static u32 taken(u32 at)
{
	return xtcp_rcvspace_read(&H.c, IRS + 1 + at, H.now);
}

static void begin(void)
{
	host_in(XTCP_ESTABLISHED);
	xtcp_rcvspace_start(&H.c, H.now);
}

/* One window's worth takes a round trip. */
static void measured_by_window(void)
{
	begin();
	EQUAL(H.c.rcvspace.right, IRS + 1 + 60000);
	H.now += RTT;
	data(0, 59999, 0);
	EQUAL(H.c.rcvspace.rtt, 0);
	data(59999, 1, 0);
	EQUAL(H.c.rcvspace.rtt, RTT << 3);
	/* A longer one says that the sender was slow, a shorter one counts. */
	H.c.rcvspace.right = H.c.rcv_nxt + 1000;
	H.now += 3 * RTT;
	data(60000, 1000, 0);
	EQUAL(H.c.rcvspace.rtt, RTT << 3);
	H.c.rcvspace.right = H.c.rcv_nxt + 1000;
	H.now += RTT / 2;
	data(61000, 1000, 0);
	EQUAL(H.c.rcvspace.rtt, RTT / 2 << 3);
}

/* An hour without data is no round trip that anybody could use. */
static void not_for_ever(void)
{
	begin();
	H.now += 3600ull * 1000 * MS;
	data(0, 60000, 0);
	EQUAL(H.c.rcvspace.rtt, H.cfg.rto_max << 3);
}

static void measured_by_echo(void)
{
	u32 then;

	begin();
	H.c.ts_ok = true;
	H.c.rcv_mss = 1000;
	then = xtcp_ts_val(H.c.ts_off, H.now);
	H.now += RTT;
	/* A short one may have waited at the peer's. */
	data(0, 999, then);
	EQUAL(H.c.rcvspace.rtt, 0);
	data(999, 1000, then);
	EQUAL(H.c.rcvspace.rtt, RTT << 3);
	/* The same echo again measures nothing. */
	H.now += RTT;
	data(1999, 1000, then);
	EQUAL(H.c.rcvspace.rtt, RTT << 3);
	/* An eighth of the difference. */
	then = xtcp_ts_val(H.c.ts_off, H.now);
	H.now += 2 * RTT;
	data(2999, 1000, then);
	EQUAL(H.c.rcvspace.rtt, (RTT << 3) + RTT);
	/* Nonsense, from the future. */
	data(3999, 1000, then + 1000000);
	EQUAL(H.c.rcvspace.rtt, (RTT << 3) + RTT);
}

/* Of joined segments the size of one counts. */
static void joined_echo(void)
{
	struct xtcp_seg s = {
		.seq = IRS + 1, .ack = ISS + 1, .flags = XTCP_ACK, .len = 1500,
		.joined = 500, .opts = XTCP_OPT_TS, .tsecr = 1,
	};

	begin();
	H.c.ts_ok = true;
	H.c.rcv_mss = 1000;
	s.tsecr = xtcp_ts_val(H.c.ts_off, H.now);
	H.now += RTT;
	xtcp_rcvspace_arrived(&H.c, &s, H.now);
	EQUAL(H.c.rcvspace.rtt, 0);
	s.joined = 1000;
	xtcp_rcvspace_arrived(&H.c, &s, H.now);
	EQUAL(H.c.rcvspace.rtt, RTT << 3);
}

static void grows(void)
{
	u32 most;

	begin();
	EQUAL(taken(50000), 0);		/* no round trip is known */
	H.c.rcvspace.rtt = RTT << 3;
	most = H.c.rcvspace.most;
	EQUAL(most, 10000);		/* the sender's first window */
	H.now += RTT - 1;
	EQUAL(taken(50000), 0);		/* the round is not over */
	H.now += 1;
	EQUAL(taken(10000), 0);		/* no more than before */
	H.now += RTT;
	/* Twice, room for a first window, and as much again as it has grown. */
	EQUAL(taken(25000), (2 * 15000 + 16000) * 2);
	EQUAL(H.c.rcvspace.most, 15000);
	/* A slower round takes nothing back. */
	H.now += RTT;
	EQUAL(taken(26000), 0);
	EQUAL(H.c.rcvspace.most, 15000);
	/* A reader who has slept has one long round. */
	H.now += 100 * RTT;
	CHECK(taken(26000 + 60000) > 0);
}

/* However much it is, it is a number of bytes. */
static void bounded(void)
{
	begin();
	H.c.rcvspace.rtt = 8;
	H.c.rcvspace.most = 1;
	H.now += RTT;
	EQUAL(xtcp_rcvspace_read(&H.c, IRS + 1 + 0x7fffffff, H.now),
	      XTCP_CWND_MAX);
	host_in(XTCP_ESTABLISHED);
	H.c.rcv_wnd = 0;
	xtcp_rcvspace_start(&H.c, H.now);
	EQUAL(H.c.rcvspace.most, 1);	/* it divides */
}

static const struct unit_test tests[] = {
	{ "a window takes a round trip", measured_by_window },
	{ "a pause is no round trip", not_for_ever },
	{ "an echo measures it", measured_by_echo },
	{ "joined segments are as long as one of them", joined_echo },
	{ "grows by what is read", grows },
	{ "is bounded", bounded },
};

UNIT_MAIN(tests)

// SPDX-License-Identifier: GPL-2.0
#include "unit.h"

#define MS	1000
#define DATA(at, len) host_seg(IRS + 1 + (at), ISS + 1, XTCP_ACK, len, 60000)
#define PUSH(at, len) \
	host_seg(IRS + 1 + (at), ISS + 1, XTCP_ACK | XTCP_PSH, len, 60000)
#define WAIT(ms) EQUAL(H.c.deadline[XTCP_T_DELACK], H.now + (ms) * MS)

/* Sixteen, or as many as half of the window takes, at least two. */
static void start(void)
{
	int i;

	host_in(XTCP_ESTABLISHED);
	EQUAL(H.c.rcv_mss, 536);
	for (i = 0; i < 20; i++)
		PUSH(10 * i, 10);
	EQUAL(H.sent, 16);
	WAIT(40);
	host_in(XTCP_ESTABLISHED);
	H.c.rcv_wnd = 2 * 536 * 3;
	PUSH(0, 10);
	EQUAL(H.c.quick, 2);
	host_in(XTCP_ESTABLISHED);
	H.c.rcv_wnd = 500;
	PUSH(0, 10);
	EQUAL(H.c.quick, 1);
}

/* Only an ACK of something counts as one of them. */
static void own_data_is_no_ack(void)
{
	host_in(XTCP_ESTABLISHED);
	PUSH(0, 10);
	EQUAL(H.c.quick, 15);
	H.now += 50 * MS;
	host_wrote(10);
	EQUAL(H.sent, 2);
	EQUAL(H.c.quick, 15);
}

/* An answer within the time, though the ACK has gone: they take turns. */
static void dialogue(void)
{
	host_in(XTCP_ESTABLISHED);
	PUSH(0, 10);
	EQUAL(H.sent, 1);
	H.now += 39 * MS;
	host_wrote(10);
	CHECK(H.c.interactive);
	PUSH(10, 10);
	EQUAL(H.sent, 2);
	/* Too late, and the next one is waited for less long. */
	host_expire();
	EQUAL(H.sent, 3);
	CHECK(!H.c.interactive);
	EQUAL(H.c.ato, 40 * MS);
	host_wrote(10);
	CHECK(!H.c.interactive);
}

/* One who waits in vain waits longer, but no longer than a round trip. */
static void longer(void)
{
	host_in(XTCP_ESTABLISHED);
	host_past_start();
	H.c.rtt.srtt = 0;
	H.c.rtt.rto = 1000 * MS;
	PUSH(0, 10);
	WAIT(40);
	host_expire();
	EQUAL(H.c.ato, 80 * MS);
	PUSH(10, 10);
	EQUAL(H.c.ato, 80 * MS);	/* half of it, and the 40 ms that passed */
	WAIT(80);
}

static void paced(void)
{
	host_in(XTCP_ESTABLISHED);
	host_past_start();
	H.c.rtt.srtt = 0;
	H.c.rtt.rto = 1000 * MS;
	H.c.ato = 160 * MS;
	H.now += 100 * MS;
	PUSH(0, 10);
	EQUAL(H.c.ato, 180 * MS);
	WAIT(180);
	H.now += 150 * MS;
	/* 30 ms are left, less than a quarter: now. */
	PUSH(10, 10);
	EQUAL(H.c.ato, 200 * MS);
	EQUAL(H.sent, 1);
	H.now += 10 * MS;
	PUSH(20, 10);
	EQUAL(H.c.ato, 120 * MS);
	WAIT(120);
	H.now += 10 * MS;
	PUSH(30, 10);
	EQUAL(H.c.ato, 80 * MS);
	WAIT(80);			/* sooner than it was */
	/* A round trip of 60 ms: its sender would notice. */
	host_expire();
	H.c.rtt.srtt = 60 * MS << 3;
	H.c.ato = 150 * MS;
	H.c.last_data = H.now - 150 * MS;
	PUSH(40, 10);
	WAIT(60);
	/* After a pause longer than the timeout, the beginning again. */
	host_expire();
	H.now += 1100 * MS;
	PUSH(50, 10);
	EQUAL(H.c.quick, 15);
}

/* Two in a row of one size, full-sized or without PSH: a small path. */
static void segment_size(void)
{
	host_in(XTCP_ESTABLISHED);
	host_past_start();
	DATA(0, 700);
	EQUAL(H.c.rcv_mss, MSS);
	DATA(700, 700);
	EQUAL(H.c.rcv_mss, 700);
	EQUAL(H.sent, 1);
	host_past_start();
	PUSH(1400, 300);
	PUSH(1700, 300);
	EQUAL(H.c.rcv_mss, MSS);
	DATA(2000, 300);
	DATA(2300, 300);
	EQUAL(H.c.rcv_mss, 300);
	host_past_start();
	DATA(2600, 80);
	DATA(2680, 80);
	EQUAL(H.c.rcv_mss, MSS);
	DATA(2760, 1500);
	EQUAL(H.c.rcv_mss, min(1500, H.c.own_mss));
}

static bool read_brings_ack(void)
{
	u32 sent = H.sent;

	H.c.sig = 0;
	xtcp_core_read(&H.c, H.now);
	host_tx(false);
	return H.sent != sent;
}

/* A short segment is the end of a write; a full one says nothing. */
static void drained(void)
{
	host_in(XTCP_ESTABLISHED);
	host_past_start();
	H.c.rcv_buf = H.c.rcv_free;
	DATA(0, MSS);
	CHECK(!read_brings_ack());
	host_expire();
	PUSH(MSS, MSS);
	CHECK(read_brings_ack());
	PUSH(2 * MSS, 10);
	H.c.rcv_free--;
	CHECK(!read_brings_ack());
	H.c.rcv_free++;
	CHECK(read_brings_ack());
	H.c.interactive = true;
	PUSH(2 * MSS + 10, 10);
	CHECK(!read_brings_ack());
	PUSH(2 * MSS + 20, 10);
	CHECK(read_brings_ack());
}

static void fin(void)
{
	host_in(XTCP_ESTABLISHED);
	host_past_start();
	host_seg(IRS + 1, ISS + 1, XTCP_ACK | XTCP_FIN, 0, 60000);
	EQUAL(H.c.state, XTCP_CLOSE_WAIT);
	EQUAL(H.sent, 0);
	xtcp_core_shutdown(&H.c, H.now);
	host_tx(false);
	EQUAL(H.sent, 1);
	EQUAL(H.out[0].d.flags, XTCP_FIN | XTCP_ACK);
	EQUAL(H.out[0].h.ack, IRS + 2);
	EQUAL(H.c.deadline[XTCP_T_DELACK], 0);
	/* No answer: by the timer. */
	host_in(XTCP_ESTABLISHED);
	host_past_start();
	host_seg(IRS + 1, ISS + 1, XTCP_ACK | XTCP_FIN, 0, 60000);
	WAIT(40);
	host_expire();
	EQUAL(H.sent, 1);
	/* With data the ACK waits as well, were it a quick one. */
	host_in(XTCP_ESTABLISHED);
	host_seg(IRS + 1, ISS + 1, XTCP_ACK | XTCP_FIN, 10, 60000);
	EQUAL(H.sent, 0);
	WAIT(40);
	host_expire();
	EQUAL(H.sent, 1);
	EQUAL(H.out[0].h.ack, IRS + 12);
	/* But not the ACK of two segments, nor one for a hole that is filled. */
	host_in(XTCP_ESTABLISHED);
	host_past_start();
	DATA(0, MSS);
	host_seg(IRS + 1 + MSS, ISS + 1, XTCP_ACK | XTCP_FIN, 10, 60000);
	EQUAL(H.sent, 1);
	host_in(XTCP_ESTABLISHED);
	host_past_start();
	host_seg(IRS + 11, ISS + 1, XTCP_ACK | XTCP_FIN, 10, 60000);
	DATA(0, 10);
	EQUAL(H.sent, 2);
	EQUAL(H.out[1].h.ack, IRS + 22);
	/* Ours is out already: at once. */
	host_in(XTCP_FIN_WAIT1);
	host_past_start();
	host_seg(IRS + 1, ISS + 1, XTCP_ACK | XTCP_FIN, 0, 60000);
	EQUAL(H.sent, 1);
	/* One that overtook data: at once, there is a hole. */
	host_in(XTCP_ESTABLISHED);
	host_past_start();
	host_seg(IRS + 11, ISS + 1, XTCP_ACK | XTCP_FIN, 0, 60000);
	EQUAL(H.sent, 1);
	EQUAL(H.out[0].h.ack, IRS + 1);
}

static void repetition(void)
{
	host_in(XTCP_ESTABLISHED);
	host_past_start();
	PUSH(0, 10);
	H.c.interactive = true;
	H.c.ato = 100 * MS;
	PUSH(0, 10);
	EQUAL(H.sent, 1);
	EQUAL(H.c.quick, 15);
	CHECK(!H.c.interactive);
	EQUAL(H.c.ato, 40 * MS);
	/* Of what was acknowledged before the last ACK, too. */
	PUSH(10, 10);
	host_past_start();
	H.c.interactive = true;
	PUSH(0, 5);
	EQUAL(H.sent, 3);
	EQUAL(H.c.quick, 15);
	CHECK(!H.c.interactive);
	/* An empty segment there is a probe. */
	host_past_start();
	H.now += 1000 * MS;
	DATA(0, 0);
	EQUAL(H.sent, 4);
	EQUAL(H.c.quick, 0);
}

static void user(void)
{
	host_in(XTCP_ESTABLISHED);
	xtcp_core_quickack(&H.c, 0);
	PUSH(0, 10);
	EQUAL(H.sent, 0);
	H.c.rcv_buf = H.c.rcv_free + 10;
	xtcp_core_quickack(&H.c, 1);
	host_tx(false);
	EQUAL(H.sent, 0);		/* not read yet */
	CHECK(!H.c.interactive);
	H.c.rcv_buf = H.c.rcv_free;
	xtcp_core_quickack(&H.c, 2);
	host_tx(false);
	EQUAL(H.sent, 1);
	CHECK(H.c.interactive);		/* that one only */
	PUSH(10, 10);
	EQUAL(H.sent, 1);
}

/* Connected: one segment is sent, or the ACK as well if it is not delayed. */
static void connected(bool quick, bool data_soon)
{
	struct xtcp_seg s = {
		.seq = IRS, .ack = ISS + 1, .flags = XTCP_SYN | XTCP_ACK,
		.wnd = 60000,
	};

	host_new();
	xtcp_core_quickack(&H.c, quick);
	H.c.data_soon = data_soon;
	xtcp_core_connect(&H.c, ISS, 60000, H.now);
	host_tx(false);
	EQUAL(H.sent, 1);
	xtcp_core_input(&H.c, &s, NULL, H.now);
	EQUAL(H.c.state, XTCP_ESTABLISHED);
	host_tx(false);
}

/*
 * TCP_QUICKACK 0 before connect(), a waiting writer or TCP_DEFER_ACCEPT: the
 * third segment waits for data.
 */
static void third_segment(void)
{
	int i;

	for (i = 0; i < 2; i++) {
		connected(i, i);
		EQUAL(H.sent, 1);
		WAIT(200);
		host_wrote(10);
		EQUAL(H.sent, 2);
		EQUAL(H.out[1].h.ack, IRS + 1);
		EQUAL(H.c.deadline[XTCP_T_DELACK], 0);
	}
	connected(true, false);
	EQUAL(H.sent, 2);
	EQUAL(H.out[1].d.len, 0);
}

static void joined(u32 at, u32 len, u16 size, u8 flags)
{
	struct xtcp_seg s = {
		.seq = IRS + 1 + at, .ack = ISS + 1, .flags = XTCP_ACK | flags,
		.len = len, .wnd = 60000, .sport = 2, .dport = 1, .hlen = 20,
		.joined = size,
	};

	xtcp_core_input(&H.c, &s, calloc(1, sizeof(struct xtcp_rxd)), H.now);
	host_tx(false);
}

/* Of segments that came as one the size of one is learnt; two are enough. */
static void joined_segments(void)
{
	host_in(XTCP_ESTABLISHED);
	host_past_start();
	H.c.rcv_mss = 536;
	joined(0, 1500, 1000, 0);
	EQUAL(H.c.rcv_mss, 1000);
	EQUAL(H.sent, 1);
	CHECK(!H.c.deadline[XTCP_T_DELACK]);
	/* Ten of them: one ACK. */
	joined(1500, 10000, 1000, XTCP_PSH);
	EQUAL(H.sent, 2);
	EQUAL(H.out[1].h.ack, IRS + 1 + 11500);
	EQUAL(H.c.rcv_mss, 1000);
	/* The path has become smaller: twice in a row is believed. */
	joined(11500, 1200, 600, 0);
	EQUAL(H.c.rcv_mss, 1000);
	joined(12700, 1200, 600, 0);
	EQUAL(H.c.rcv_mss, 600);
	EQUAL(H.sent, 4);
	/* What a filter has cut to less than one is one, and waits. */
	host_clear();
	joined(13900, 100, 600, 0);
	EQUAL(H.sent, 0);
	CHECK(H.c.deadline[XTCP_T_DELACK]);
}

static void counted(void)
{
	struct xtcp_seg s = { .len = 0, .joined = 1000 };

	EQUAL(xtcp_seg_count(&s), 1);
	s.len = 1000;
	EQUAL(xtcp_seg_count(&s), 1);
	s.len = 1001;
	EQUAL(xtcp_seg_count(&s), 2);
	s.joined = 0;
	EQUAL(xtcp_seg_count(&s), 1);
	EQUAL(xtcp_seg_size(&s), 1001);
}

static const struct unit_test tests[] = {
	{ "quick ACKs at the start", start },
	{ "own data is no quick ACK", own_data_is_no_ack },
	{ "ends that take turns", dialogue },
	{ "a wait in vain is longer the next time", longer },
	{ "the pace of the data", paced },
	{ "the size of the peer's segments", segment_size },
	{ "the reader has drained the queue", drained },
	{ "the ACK of a FIN", fin },
	{ "after a repetition", repetition },
	{ "TCP_QUICKACK", user },
	{ "the third segment of a handshake", third_segment },
	{ "joined segments", joined_segments },
	{ "how many were joined", counted },
};
UNIT_MAIN(tests)

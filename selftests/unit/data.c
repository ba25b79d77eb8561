// SPDX-License-Identifier: GPL-2.0
#include "unit.h"

#define DATA(at, len) host_seg(IRS + 1 + (at), ISS + 1, XTCP_ACK, len, 60000)
#define FIN(at, len) \
	host_seg(IRS + 1 + (at), ISS + 1, XTCP_ACK | XTCP_FIN, len, 60000)

static void in_order(void)
{
	host_in(XTCP_ESTABLISHED);
	EQUAL(DATA(0, 100), XTCP_DROP_NONE);
	EQUAL(H.delivered, 100);
	EQUAL(H.c.rcv_nxt, IRS + 101);
	CHECK(H.sig & XTCP_SIG_READABLE);
	/* The first ones are acknowledged at once. */
	EQUAL(H.sent, 1);
	EQUAL(H.out[0].h.ack, IRS + 101);
}

static void delayed(void)
{
	host_in(XTCP_ESTABLISHED);
	host_past_start();
	DATA(0, MSS);
	EQUAL(H.sent, 0);
	EQUAL(H.c.deadline[XTCP_T_DELACK], H.now + H.cfg.delack_min);
	DATA(MSS, MSS);
	EQUAL(H.sent, 1);
	EQUAL(H.c.deadline[XTCP_T_DELACK], 0);
	DATA(2 * MSS, 10);
	EQUAL(H.sent, 1);
	host_expire();
	EQUAL(H.sent, 2);
	EQUAL(H.mib[XTCP_MIB_DELAYEDACKS], 1);
}

static void out_of_order(void)
{
	host_in(XTCP_ESTABLISHED);
	host_past_start();
	DATA(100, 100);
	EQUAL(H.delivered, 0);
	EQUAL(H.sent, 1);
	EQUAL(H.out[0].h.ack, IRS + 1);
	EQUAL(DATA(100, 100), XTCP_DROP_DUP_OFO);
	EQUAL(H.sent, 2);
	DATA(50, 100);
	EQUAL(H.c.ooo.count, 2);
	host_past_start();
	DATA(0, 70);
	EQUAL(H.delivered, 200);
	EQUAL(H.c.ooo.count, 0);
	EQUAL(H.sent, 4);
	EQUAL(H.out[3].h.ack, IRS + 201);
	/* What waited begins before what is wanted of it. */
	host_in(XTCP_ESTABLISHED);
	DATA(50, 100);
	DATA(0, 70);
	EQUAL(H.delivered, 150);
	EQUAL(H.off, 20);
}

static void repeated(void)
{
	host_in(XTCP_ESTABLISHED);
	DATA(0, 100);
	EQUAL(DATA(0, 100), XTCP_DROP_OLD_SEQ);
	EQUAL(H.sent, 2);
	/* Half old, half new. */
	EQUAL(DATA(50, 100), XTCP_DROP_NONE);
	EQUAL(H.delivered, 150);
	EQUAL(H.off, 50);
	EQUAL(H.discarded, 1);
}

static void right_edge(void)
{
	host_in(XTCP_ESTABLISHED);
	EQUAL(FIN(59990, 20), XTCP_DROP_NONE);
	EQUAL(H.c.ooo.bytes, 10);
	CHECK(!H.c.fin_seen);
	EQUAL(DATA(60000, 20), XTCP_DROP_OUT_OF_WINDOW);
	/* Less room than was offered changes nothing. */
	H.c.rcv_free = 0;
	EQUAL(DATA(0, 1000), XTCP_DROP_NONE);
	EQUAL(H.delivered, 1000);
}

static void fin(void)
{
	host_in(XTCP_ESTABLISHED);
	FIN(0, 100);
	EQUAL(H.c.state, XTCP_CLOSE_WAIT);
	EQUAL(H.delivered, 100);
	EQUAL(H.c.rcv_nxt, IRS + 102);
	CHECK(H.sig & XTCP_SIG_EOF);
	/* Our own FIN may follow soon. */
	EQUAL(H.sent, 0);
	host_expire();
	EQUAL(H.sent, 1);
	EQUAL(H.out[0].h.ack, IRS + 102);
	/* Again: acknowledged again. */
	EQUAL(FIN(0, 100), XTCP_DROP_OLD_SEQ);
	EQUAL(H.sent, 2);
	/* Behind it nothing exists, and nothing is said of it. */
	EQUAL(DATA(101, 10), XTCP_DROP_AFTER_FIN);
	EQUAL(H.sent, 2);
	EQUAL(H.delivered, 100);
}

/* A FIN in the window that is not the peer's. */
static void fin_forged(void)
{
	host_in(XTCP_ESTABLISHED);
	FIN(100, 0);
	FIN(0, 10);
	EQUAL(H.c.state, XTCP_CLOSE_WAIT);
	EQUAL(H.delivered, 10);
	/* What waits behind the true one never was. */
	host_in(XTCP_ESTABLISHED);
	DATA(50, 50);
	FIN(0, 50);
	EQUAL(H.c.state, XTCP_CLOSE_WAIT);
	EQUAL(H.delivered, 50);
}

static void fin_before_its_turn(void)
{
	host_in(XTCP_ESTABLISHED);
	FIN(100, 0);
	EQUAL(H.c.state, XTCP_ESTABLISHED);
	DATA(50, 50);
	DATA(110, 10);
	DATA(0, 60);
	EQUAL(H.c.state, XTCP_CLOSE_WAIT);
	EQUAL(H.delivered, 100);
	EQUAL(H.c.rcv_nxt, IRS + 102);
	EQUAL(H.c.ooo.count, 0);
}

/* Payload that goes on where a FIN was said to stand: it was not the peer's. */
static void fin_run_past(void)
{
	host_in(XTCP_ESTABLISHED);
	FIN(100, 0);
	DATA(50, 80);
	DATA(0, 60);
	EQUAL(H.delivered, 130);
	EQUAL(H.c.state, XTCP_ESTABLISHED);
	host_in(XTCP_ESTABLISHED);
	DATA(50, 80);
	FIN(100, 0);
	DATA(0, 60);
	EQUAL(H.delivered, 130);
	EQUAL(H.c.state, XTCP_ESTABLISHED);
	/* By the payload that the true one ends, too. */
	host_in(XTCP_ESTABLISHED);
	FIN(100, 0);
	FIN(50, 100);
	DATA(0, 50);
	EQUAL(H.delivered, 150);
	EQUAL(H.c.state, XTCP_CLOSE_WAIT);
	host_in(XTCP_ESTABLISHED);
	FIN(100, 0);
	FIN(100, 10);
	DATA(0, 100);
	EQUAL(H.delivered, 110);
	EQUAL(H.c.state, XTCP_CLOSE_WAIT);
	/* The nearer one counts if nothing contradicts it. */
	host_in(XTCP_ESTABLISHED);
	FIN(100, 0);
	FIN(101, 10);
	DATA(0, 100);
	EQUAL(H.delivered, 100);
	EQUAL(H.c.state, XTCP_CLOSE_WAIT);
	/* Not by the short way for expected payload either. */
	host_in(XTCP_ESTABLISHED);
	FIN(100, 0);
	DATA(0, 130);
	EQUAL(H.delivered, 130);
	EQUAL(H.c.state, XTCP_ESTABLISHED);
	/* It is forgotten for good. */
	FIN(200, 0);
	DATA(130, 70);
	EQUAL(H.delivered, 200);
	EQUAL(H.c.state, XTCP_CLOSE_WAIT);
}

static void zero_window(void)
{
	host_in(XTCP_ESTABLISHED);
	H.c.rcv_free = 0;
	DATA(0, 60000);
	EQUAL(H.out[0].h.wnd, 0);
	/* ACKs and a bare FIN are taken, payload is not. */
	EQUAL(DATA(60000, 10), XTCP_DROP_OUT_OF_WINDOW);
	host_wrote(10);
	host_seg(IRS + 60001, ISS + 11, XTCP_ACK, 0, 60000);
	EQUAL(H.c.snd_una, ISS + 11);
	host_seg(IRS + 60001, ISS + 11, XTCP_ACK | XTCP_FIN, 0, 60000);
	EQUAL(H.c.state, XTCP_CLOSE_WAIT);
}

/* Without room the payload is lost, in order or not; all else of it counts. */
static void no_room(void)
{
	host_in(XTCP_ESTABLISHED);
	host_wrote(MSS);
	host_clear();
	H.no_room = true;
	/* Refused, which shuts the window; behind it; and so on. */
	for (int i = 0; i < 4; i++)
		EQUAL(DATA(0, 100),
		      i % 2 ? XTCP_DROP_OUT_OF_WINDOW : XTCP_DROP_NONE);
	EQUAL(H.charged, 2);
	CHECK(H.in_order);
	EQUAL(DATA(100, 100), XTCP_DROP_NONE);
	EQUAL(H.charged, 3);
	CHECK(!H.in_order);
	EQUAL(H.sent, 5);
	EQUAL(H.out[4].h.ack, IRS + 1);
	EQUAL(H.discarded, 5);
	EQUAL(H.c.ooo.count, 0);
	/* Payload is no duplicate ACK, even if it is not taken. */
	EQUAL(H.c.dupacks, 0);
	host_seg(IRS + 1, ISS + 1 + MSS, XTCP_ACK | XTCP_FIN, 100, 60000);
	EQUAL(H.c.snd_una, ISS + 1 + MSS);
	EQUAL(H.c.state, XTCP_ESTABLISHED);
	EQUAL(H.delivered, 0);
	H.no_room = false;
	EQUAL(FIN(0, 100), XTCP_DROP_OUT_OF_WINDOW);
	FIN(0, 100);
	EQUAL(H.c.state, XTCP_CLOSE_WAIT);
	EQUAL(H.delivered, 100);
}

/*
 * What was promised room and found none: the answer offers nothing, so that the
 * peer probes instead of giving up; the next answer says what is there.
 */
static void refusal(void)
{
	host_in(XTCP_ESTABLISHED);
	H.no_room = true;
	/* Out of order nothing was promised to anybody who waits. */
	DATA(100, 100);
	EQUAL(H.out[0].h.wnd, 60000);
	H.sig = 0;
	DATA(0, 100);
	EQUAL(H.sent, 2);
	EQUAL(H.out[1].h.ack, IRS + 1);
	EQUAL(H.out[1].h.wnd, 0);
	EQUAL(xtcp_rcv_left_open(&H.c), 0);
	/* Whoever waits for more has to take what there is. */
	CHECK(H.sig & XTCP_SIG_READABLE);
	/* The rest of what was under way. */
	H.c.rcv_free = 0;
	EQUAL(DATA(100, 100), XTCP_DROP_OUT_OF_WINDOW);
	EQUAL(DATA(0, 100), XTCP_DROP_OUT_OF_WINDOW);
	EQUAL(H.sent, 4);
	EQUAL(H.out[2].h.wnd, 0);
	EQUAL(H.out[3].h.wnd, 0);
	/* Reading opens it again, and it is taken. */
	H.c.rcv_free = 2000;
	xtcp_core_read(&H.c, H.now);
	host_tx(false);
	EQUAL(H.sent, 5);
	EQUAL(H.out[4].h.wnd, 2000);
	H.no_room = false;
	DATA(0, 100);
	EQUAL(H.delivered, 100);
	/* It comes segment by segment: each is acknowledged at once. */
	EQUAL(H.sent, 6);
	DATA(100, 100);
	EQUAL(H.sent, 7);
}

/* The same in the path for what is expected. */
static void refusal_fast(void)
{
	host_in(XTCP_ESTABLISHED);
	host_past_start();
	DATA(0, 100);
	host_clear();
	H.no_room = true;
	DATA(100, 1000);
	EQUAL(H.sent, 1);
	EQUAL(H.out[0].h.wnd, 0);
	EQUAL(H.c.rcv_nxt, IRS + 101);
}

/* Nothing is thrown out for what is refused anyway. */
static void room_for_the_good(void)
{
	host_in(XTCP_ESTABLISHED);
	DATA(0, 100);
	host_clear();
	DATA(0, 100);
	DATA(70000, 100);
	host_seg(IRS + 101, ISS + 2, XTCP_ACK, 100, 60000);
	host_seg(IRS + 101, 0, 0, 100, 60000);
	host_seg(IRS + 51, ISS + 1, XTCP_ACK | XTCP_SYN, 100, 60000);
	host_seg(IRS + 102, 0, XTCP_RST, 100, 60000);
	host_seg(IRS + 70000, 0, XTCP_RST, 100, 60000);
	EQUAL(H.c.state, XTCP_ESTABLISHED);
	EQUAL(H.discarded, 7);
	EQUAL(H.charged, 0);
	/* Nor is an RST from outside of the window answered. */
	host_clear();
	H.no_room = true;
	host_seg(IRS + 70000, 0, XTCP_RST, 100, 60000);
	EQUAL(H.sent, 0);
}

/* However much came since the last one, a change of the window is news. */
static void window_after_2_gib(void)
{
	u32 at = 0, step = 1u << 29;

	host_in(XTCP_ESTABLISHED);
	H.c.rcv_wscale = 14;
	H.c.rcv_buf = step;
	H.c.rcv_free = step;
	while (at < 5 * step) {
		H.c.ack_now = true;
		host_tx(true);
		host_clear();
		EQUAL(DATA(at, step), XTCP_DROP_NONE);
		at += step;
	}
	host_seg(IRS + 1 + at, ISS + 1, XTCP_ACK, 0, 1000);
	EQUAL(H.c.snd_wnd, 1000);
}

static const struct unit_test tests[] = {
	{ "in order", in_order },
	{ "delayed ACKs", delayed },
	{ "out of order", out_of_order },
	{ "repeated", repeated },
	{ "at the window's right edge", right_edge },
	{ "FIN", fin },
	{ "FIN before its turn", fin_before_its_turn },
	{ "a forged FIN", fin_forged },
	{ "a FIN that the stream runs past", fin_run_past },
	{ "zero window", zero_window },
	{ "no room", no_room },
	{ "a refusal shuts the window", refusal },
	{ "a refusal of the expected", refusal_fast },
	{ "room is asked for when all was checked", room_for_the_good },
	{ "the peer's window after 2 GiB", window_after_2_gib },
};
UNIT_MAIN(tests)

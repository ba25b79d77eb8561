// SPDX-License-Identifier: GPL-2.0
#include "unit.h"

#define ACK(n)	host_seg(IRS + 1, ISS + 1 + (n), XTCP_ACK, 0, 60000)

static void syn(void)
{
	host_new();
	H.cfg.window_scaling = true;
	xtcp_core_connect(&H.c, ISS, 1000000, H.now);
	CHECK(H.c.sig & XTCP_SIG_TX);
	host_tx(false);
	EQUAL(H.sent, 1);
	EQUAL(H.out[0].h.flags, XTCP_SYN);
	EQUAL(H.out[0].h.seq, ISS);
	EQUAL(H.out[0].h.ack, 0);
	EQUAL(H.out[0].h.wnd, 60000);
	EQUAL(H.out[0].h.mss, MSS);
	EQUAL(H.out[0].h.opts, XTCP_OPT_MSS | XTCP_OPT_WS);
	EQUAL(H.out[0].h.wscale, 4);
	EQUAL(H.c.deadline[XTCP_T_RTX], H.now + 1000000);
}

static void segments(void)
{
	host_in(XTCP_ESTABLISHED);
	host_wrote(2500);
	EQUAL(H.sent, 3);
	EQUAL(H.out[0].d.len, MSS);
	EQUAL(H.out[0].h.flags, XTCP_ACK);
	EQUAL(H.out[2].d.len, 500);
	EQUAL(H.out[2].h.flags, XTCP_ACK | XTCP_PSH);
	EQUAL(H.out[2].h.ack, IRS + 1);
}

static void bursts(void)
{
	host_in(XTCP_ESTABLISHED);
	H.c.burst = 5500;
	host_wrote(7700);
	EQUAL(H.sent, 2);
	EQUAL(H.out[0].d.len, 5000);
	EQUAL(H.out[1].d.len, 2700);
	EQUAL(H.c.snd_sml, H.c.snd_nxt);
	/* PSH is the last one's, as FIN is. */
	EQUAL(H.out[0].h.flags, XTCP_ACK);
	EQUAL(H.out[1].h.flags, XTCP_ACK | XTCP_PSH);
	host_in(XTCP_ESTABLISHED);
	H.c.burst = 5500;
	H.c.cork = true;
	host_wrote(7700);
	EQUAL(H.sent, 2);
	EQUAL(H.out[1].d.len, 2000);
	host_clear();
	xtcp_core_shutdown(&H.c, H.now);
	host_tx(true);
	EQUAL(H.sent, 1);
	EQUAL(H.out[0].d.len, 700);
	EQUAL(H.out[0].h.flags, XTCP_ACK | XTCP_PSH | XTCP_FIN);
}

/* A window that ends within a segment ends a burst in front of it. */
static void burst_window(void)
{
	host_in(XTCP_ESTABLISHED);
	H.c.burst = 60000;
	H.c.snd_wnd = 4300;
	host_wrote(20000);
	EQUAL(H.sent, 1);
	EQUAL(H.out[0].d.len, 4000);
	EQUAL(H.out[0].h.flags, XTCP_ACK);
	host_in(XTCP_ESTABLISHED);
	H.c.burst = 60000;
	host_wrote(30000);
	/* cwnd's ten. */
	EQUAL(H.sent, 1);
	EQUAL(H.out[0].d.len, 10000);
	/* What is sent again is whole segments, too. */
	host_clear();
	host_expire();
	EQUAL(H.sent, 1);
	EQUAL(H.out[0].d.seq, ISS + 1);
	EQUAL(H.out[0].d.len, MSS);
	/* A smaller MTU: the next burst is of smaller segments. */
	host_in(XTCP_ESTABLISHED);
	H.c.burst = 5500;
	xtcp_core_set_mss(&H.c, 700, H.now);
	host_wrote(5600);
	EQUAL(H.out[0].d.len, 4900);
	EQUAL(H.out[1].d.len, 700);
	EQUAL(H.out[1].h.flags, XTCP_ACK | XTCP_PSH);
}

static void windows(void)
{
	host_in(XTCP_ESTABLISHED);
	host_wrote(30000);
	EQUAL(H.c.snd_nxt, ISS + 1 + 10 * MSS);
	CHECK(H.c.cwnd_limited);
	host_in(XTCP_ESTABLISHED);
	H.c.snd_wnd = 2500;
	host_wrote(30000);
	/* 500 more would be less than half of what was ever offered. */
	EQUAL(H.sent, 2);
	H.c.max_snd_wnd = 1000;
	xtcp_core_push(&H.c);
	host_tx(false);
	EQUAL(H.sent, 3);
	EQUAL(H.out[2].d.len, 500);
}

static void nagle(void)
{
	host_in(XTCP_ESTABLISHED);
	H.c.nodelay = false;
	host_wrote(1100);
	EQUAL(H.sent, 2);
	/* A small one is under way: the next waits. */
	host_wrote(100);
	EQUAL(H.sent, 2);
	/* A full one does not. */
	host_wrote(900);
	EQUAL(H.sent, 3);
	EQUAL(H.out[2].d.len, MSS);
	host_wrote(10);
	EQUAL(H.sent, 3);
	ACK(1100);
	EQUAL(H.sent, 4);
	/* FIN takes everything along. */
	host_wrote(10);
	xtcp_core_shutdown(&H.c, H.now);
	host_tx(false);
	EQUAL(H.sent, 5);
	EQUAL(H.out[4].d.flags, XTCP_ACK | XTCP_PSH | XTCP_FIN);
	EQUAL(H.out[4].d.len, 10);
}

static void cork(void)
{
	host_in(XTCP_ESTABLISHED);
	H.c.cork = true;
	host_wrote(1500);
	EQUAL(H.sent, 1);
	ACK(MSS);
	EQUAL(H.sent, 1);
	/* Not for ever: the persist timer lets it go. */
	CHECK(H.c.deadline[XTCP_T_RTX]);
	host_expire();
	EQUAL(H.sent, 2);
	EQUAL(H.out[1].d.len, 500);
	host_wrote(1);
	H.c.cork = false;
	xtcp_core_push(&H.c);
	host_tx(false);
	EQUAL(H.sent, 3);
	/* TCP_NODELAY lets go what is there, corked or not. */
	ACK(1501);
	H.c.cork = true;
	host_wrote(10);
	EQUAL(H.sent, 3);
	xtcp_core_push_all(&H.c);
	host_tx(false);
	EQUAL(H.sent, 4);
	ACK(1511);
	xtcp_core_push_all(&H.c);
	host_wrote(10);
	EQUAL(H.sent, 4);
	/* Also what cwnd has no room for yet. */
	host_in(XTCP_ESTABLISHED);
	H.c.cork = true;
	xtcp_core_wrote(&H.c, 12 * MSS + 500);
	xtcp_core_push_all(&H.c);
	host_tx(false);
	EQUAL(H.sent, 10);
	ACK(10 * MSS);
	EQUAL(H.sent, 13);
	EQUAL(H.out[12].d.len, 500);
	/* But not what is written later. */
	host_wrote(10);
	EQUAL(H.sent, 13);
}

static void fin(void)
{
	host_in(XTCP_ESTABLISHED);
	H.c.snd_wnd = 0;
	xtcp_core_shutdown(&H.c, H.now);
	host_tx(false);
	EQUAL(H.sent, 0);
	CHECK(H.c.deadline[XTCP_T_RTX]);
	host_seg(IRS + 1, ISS + 1, XTCP_ACK, 0, 10);
	EQUAL(H.sent, 1);
	EQUAL(H.out[0].h.flags, XTCP_ACK | XTCP_FIN);
	EQUAL(H.c.snd_nxt, ISS + 2);
	/* Repeated together with data. */
	host_in(XTCP_ESTABLISHED);
	host_wrote(100);
	xtcp_core_shutdown(&H.c, H.now);
	host_tx(false);
	host_clear();
	host_expire();
	EQUAL(H.sent, 1);
	EQUAL(H.out[0].d.len, 100);
	EQUAL(H.out[0].h.flags, XTCP_ACK | XTCP_PSH | XTCP_FIN);
	/* But not with data that it does not follow. */
	host_in(XTCP_ESTABLISHED);
	host_wrote(2500);
	xtcp_core_shutdown(&H.c, H.now);
	host_tx(false);
	host_clear();
	host_expire();
	EQUAL(H.sent, 1);
	EQUAL(H.out[0].h.flags, XTCP_ACK);
}

static void shrunk_window(void)
{
	host_in(XTCP_ESTABLISHED);
	host_wrote(3 * MSS);
	host_seg(IRS + 1, ISS + 1, XTCP_ACK, 10, 60000);
	host_seg(IRS + 11, ISS + 1, XTCP_ACK, 0, 0);
	host_clear();
	host_expire();
	EQUAL(H.sent, 1);
	EQUAL(H.out[0].d.seq, ISS + 1);
	EQUAL(H.out[0].d.len, MSS);
	host_expire();
	EQUAL(H.sent, 2);
	EQUAL(H.out[1].d.seq, ISS + 1);
}

static void not_sent(void)
{
	struct xtcp_txd d, again;

	host_in(XTCP_ESTABLISHED);
	xtcp_core_wrote(&H.c, 100);
	CHECK(xtcp_core_next_tx(&H.c, H.now, &d));
	CHECK(xtcp_core_next_tx(&H.c, H.now, &again));
	EQUAL(again.seq, d.seq);
	EQUAL(again.len, d.len);
	xtcp_core_tx_done(&H.c, &again, XTCP_TX_NO_MEMORY, H.now);
	CHECK(!xtcp_core_next_tx(&H.c, H.now, &d));
	H.c.sig = 0;
	EQUAL(H.c.deadline[XTCP_T_RETRY], H.now + XTCP_RETRY_MIN);
	host_expire();
	EQUAL(H.sent, 1);
	EQUAL(H.c.deadline[XTCP_T_RETRY], 0);
}

/* No memory for data: a pure ACK goes, and when its time has come, not later. */
static void ack_though_not_sent(void)
{
	u64 at;

	host_in(XTCP_ESTABLISHED);
	host_past_start();
	H.data_res = XTCP_TX_NO_MEMORY;
	host_seg(IRS + 1, ISS + 1, XTCP_ACK, 1, 60000);
	at = H.c.deadline[XTCP_T_DELACK];
	CHECK(at);
	H.now += 1000;
	host_clear();
	host_wrote(100);
	EQUAL(H.sent, 1);
	/* The timers of both run. */
	EQUAL(H.c.deadline[XTCP_T_DELACK], at);
	EQUAL(H.c.deadline[XTCP_T_RETRY], H.now + XTCP_RETRY_MIN);
	host_expire();
	EQUAL(H.now, at);
	EQUAL(H.out[H.sent - 1].d.len, 0);
	EQUAL(H.c.ack_bytes, 0);
	EQUAL(H.mib[XTCP_MIB_DELAYEDACKS], 1);
	/* What is due at once goes at once. */
	host_clear();
	host_seg(IRS + 100, ISS + 1, XTCP_ACK, 1, 60000);
	EQUAL(H.sent, 2);
	EQUAL(H.out[0].d.len, 100);
	EQUAL(H.out[1].d.len, 0);
	EQUAL(H.mib[XTCP_MIB_DELAYEDACKS], 0);
	CHECK(H.c.deadline[XTCP_T_RETRY]);
	/* No memory even for that. */
	H.ack_res = XTCP_TX_NO_MEMORY;
	host_clear();
	host_seg(IRS + 200, ISS + 1, XTCP_ACK, 1, 60000);
	EQUAL(H.sent, 2);
	CHECK(H.c.ack_now);
	H.ack_res = XTCP_TX_SENT;
	H.data_res = XTCP_TX_SENT;
	host_clear();
	host_expire();
	EQUAL(H.sent, 1);
	EQUAL(H.out[0].d.len, 100);
	CHECK(!H.c.ack_now);
	EQUAL(H.c.deadline[XTCP_T_RETRY], 0);
	EQUAL(H.mib[XTCP_MIB_DELAYEDACKS], 0);
}

/* The host waits for its queue, and comes again: no timer, but an ACK goes. */
static void held(void)
{
	host_in(XTCP_ESTABLISHED);
	host_wrote(100);
	H.data_res = XTCP_TX_HELD;
	host_clear();
	host_wrote(100);
	host_seg(IRS + 100, ISS + 1, XTCP_ACK, 1, 60000);
	EQUAL(H.sent, 3);
	EQUAL(H.out[1].d.len, 100);
	EQUAL(H.out[2].d.len, 0);
	EQUAL(H.c.deadline[XTCP_T_RETRY], 0);
	EQUAL(H.c.tx_failures, 0);
	EQUAL(H.c.cwnd, 10);
	H.data_res = XTCP_TX_SENT;
	xtcp_core_push(&H.c);
	host_tx(false);
	EQUAL(H.sent, 4);
	EQUAL(H.c.snd_nxt, ISS + 201);
}

static void never_sent(void)
{
	u64 start;
	u32 n = 0;

	host_in(XTCP_ESTABLISHED);
	H.data_res = XTCP_TX_NO_MEMORY;
	start = H.now;
	host_wrote(100);
	while (H.c.state == XTCP_ESTABLISHED && n++ < 100000)
		host_expire();
	EQUAL(H.c.err, ETIMEDOUT);
	CHECK(H.now - start < 2000000000ull);
	CHECK(H.sent < 5000);
	EQUAL(xtcp_core_deadline(&H.c), 0);
}

static void idle_restart(void)
{
	host_in(XTCP_ESTABLISHED);
	H.c.cwnd = 50;
	host_wrote(MSS);
	ACK(MSS);
	H.now += 5000000;
	host_clear();
	host_wrote(50 * MSS);
	EQUAL(H.sent, 10);
}

static void rst(void)
{
	struct xtcp_hdr h;

	host_in(XTCP_ESTABLISHED);
	host_wrote(10);
	xtcp_core_rst_hdr(&H.c, H.now, &h);
	EQUAL(h.seq, ISS + 11);
	EQUAL(h.ack, IRS + 1);
	EQUAL(h.flags, XTCP_RST | XTCP_ACK);
	EQUAL(h.sport, 1);
	/* The window has shrunk below it. */
	H.c.snd_wnd = 4;
	xtcp_core_rst_hdr(&H.c, H.now, &h);
	EQUAL(h.seq, ISS + 5);
}

static const struct unit_test tests[] = {
	{ "SYN", syn },
	{ "data in segments", segments },
	{ "bursts of whole segments", bursts },
	{ "a burst ends with a segment", burst_window },
	{ "congestion window, peer's window, silly window", windows },
	{ "Nagle, after Minshall", nagle },
	{ "cork", cork },
	{ "FIN", fin },
	{ "a window taken back over data in flight", shrunk_window },
	{ "a segment that could not be sent", not_sent },
	{ "an ACK goes when data does not", ack_though_not_sent },
	{ "data that the host holds back", held },
	{ "data that can never be sent", never_sent },
	{ "restart after idling", idle_restart },
	{ "RST", rst },
};
UNIT_MAIN(tests)

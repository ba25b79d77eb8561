// SPDX-License-Identifier: GPL-2.0
#include "unit.h"

static u64 connect_in_vain(void)
{
	u64 start = H.now;
	int n = 0;

	xtcp_core_connect(&H.c, ISS, 60000, H.now);
	host_tx(true);
	while (H.c.state == XTCP_SYN_SENT && ++n < 20)
		host_expire();
	EQUAL(H.c.state, XTCP_CLOSED);
	EQUAL(H.c.err, ETIMEDOUT);
	EQUAL(H.mib[XTCP_MIB_ABORTTIMEOUT], 1);
	return H.now - start;
}

static void syn_retries(void)
{
	/* Each second five times, then 2, 4, ... */
	host_new();
	EQUAL(connect_in_vain(), 131000000);
	EQUAL(H.sent, 11);
	EQUAL(H.out[5].h.tsval, 0);
	CHECK(H.sig & XTCP_SIG_REROUTE);
	host_new();
	H.cfg.syn_linear_timeouts = 0;
	EQUAL(connect_in_vain(), 127000000);
	EQUAL(H.sent, 7);
	/* Retries are a time, too. */
	host_new();
	H.c.syn_cnt = 1;
	EQUAL(connect_in_vain(), 3000000);
	EQUAL(H.sent, 3);
	/* TCP_USER_TIMEOUT counts from the first SYN, checked at a timeout. */
	host_new();
	H.c.user_timeout = 500000;
	EQUAL(connect_in_vain(), 1000001);
	EQUAL(H.sent, 2);
	host_new();
	H.c.user_timeout = 4500000;
	EQUAL(connect_in_vain(), 4500000);
	EQUAL(H.sent, 5);
}

/* A SYN for which there is never any memory is a SYN that is always lost. */
static void syn_never_sent(void)
{
	host_new();
	H.ack_res = XTCP_TX_NO_MEMORY;
	EQUAL(connect_in_vain(), 131000000);
	EQUAL(H.sent, 11);
	host_new();
	H.ack_res = XTCP_TX_REFUSED;
	EQUAL(connect_in_vain(), 131000000);
}

static void lost_syn(void)
{
	host_in(XTCP_SYN_SENT);
	host_expire();
	host_seg(IRS, ISS + 1, XTCP_SYN | XTCP_ACK, 0, 60000);
	EQUAL(H.c.rtt.srtt, 0);
	EQUAL(H.c.rtt.rto, 3000000);
	EQUAL(H.c.cwnd, 10);
	host_in(XTCP_SYN_SENT);
	host_expire();
	host_expire();
	host_seg(IRS, ISS + 1, XTCP_SYN | XTCP_ACK, 0, 60000);
	EQUAL(H.c.cwnd, 1);
}

/* SYNs at a steady pace have left no doubling, whatever comes next. */
static void lost_syn_crossing(void)
{
	int i;

	host_in(XTCP_SYN_SENT);
	for (i = 0; i < 4; i++)
		host_expire();
	EQUAL(H.c.retrans, 4);
	EQUAL(H.c.rtx_backoff, 0);
	host_seg(IRS, 0, XTCP_SYN, 0, 60000);
	EQUAL(H.c.state, XTCP_SYN_RECV);
	host_expire();
	EQUAL(H.c.deadline[XTCP_T_RTX], H.now + 2 * H.cfg.rto_init);
	host_in(XTCP_SYN_SENT);
	for (i = 0; i < 6; i++)
		host_expire();
	EQUAL(H.c.rtx_backoff, 2);
}

static void data_gives_up(void)
{
	u64 first, rto;

	host_in(XTCP_ESTABLISHED);
	host_wrote(10);
	rto = H.c.rtt.rto;
	host_expire();
	first = H.now;
	EQUAL(H.c.deadline[XTCP_T_RTX], H.now + 2 * rto);
	while (H.c.state == XTCP_ESTABLISHED)
		host_expire();
	EQUAL(H.c.err, ETIMEDOUT);
	CHECK(H.sig & XTCP_SIG_ERROR);
	CHECK(H.sig & XTCP_SIG_CLOSED);
	CHECK(H.now - first >= 924600000);
	CHECK(H.now - first < 924600000 + 120000000);
	EQUAL(xtcp_core_deadline(&H.c), 0);
}

static u64 orphan_time(u8 retries, u32 rto, bool dubious)
{
	u64 first;

	host_in(XTCP_FIN_WAIT1);
	H.c.orphan = true;
	H.c.dubious = dubious;
	H.cfg.orphan_retries = retries;
	if (rto)
		H.c.rtt.rto = rto;
	host_expire();
	first = H.now;
	while (H.c.state == XTCP_FIN_WAIT1)
		host_expire();
	EQUAL(H.c.err, ETIMEDOUT);
	return H.now - first;
}

static void orphan_gives_up_earlier(void)
{
	/* 102.2 s, looked at when the timer fires. */
	EQUAL(orphan_time(0, 200000, false), 204400000);
	EQUAL(orphan_time(8, 200000, false), 204400000);
	EQUAL(orphan_time(1, 200000, false), 1200000);
	/* At the longest timeout there is no patience. */
	EQUAL(orphan_time(0, 100000000, false), 120000000);
	EQUAL(orphan_time(15, 100000000, false), 960000000);
	/* Nor for a path of which ICMP spoke ill, but until then there is. */
	EQUAL(orphan_time(12, 200000, true), 324400000);
	EQUAL(orphan_time(3, 200000, true), 6000000);
	host_in(XTCP_FIN_WAIT1);
	H.c.orphan = true;
	H.cfg.rto_max = 1000000;
	H.c.rtt.rto = 1000000;
	host_expire();
	host_expire();
	EQUAL(H.c.state, XTCP_CLOSED);
}

static void new_route(void)
{
	u64 first;

	host_in(XTCP_ESTABLISHED);
	H.c.rtt.rto = 200000;
	host_wrote(10);
	host_expire();
	/* Another path of the same route is tried sooner. */
	CHECK(H.sig & XTCP_SIG_REHASH);
	CHECK(!(H.sig & XTCP_SIG_REROUTE));
	first = H.now;
	while (H.c.state == XTCP_ESTABLISHED && !(H.sig & XTCP_SIG_REROUTE))
		host_expire();
	/* 0.4, 0.8, 1.6 s: three retries are 3 s. */
	EQUAL(H.now - first, 6000000);
	EQUAL(H.c.state, XTCP_ESTABLISHED);
}

static void user_timeout(void)
{
	u64 first;

	host_in(XTCP_ESTABLISHED);
	H.c.user_timeout = 5000000;
	host_wrote(10);
	host_expire();
	first = H.now;
	while (H.c.state == XTCP_ESTABLISHED)
		host_expire();
	EQUAL(H.now - first, 5000000);
	EQUAL(H.c.err, ETIMEDOUT);
}

static void zero_window(void)
{
	u64 gap, at;

	host_in(XTCP_ESTABLISHED);
	H.c.snd_wnd = 0;
	host_wrote(10);
	EQUAL(H.sent, 0);
	for (int i = 0; i < 3; i++) {
		at = H.now;
		host_expire();
		EQUAL(H.sent, i + 1);
		EQUAL(H.out[i].h.seq, ISS);
		EQUAL(H.out[i].d.len, 0);
		CHECK(H.out[i].d.probe);
		if (i)
			EQUAL(H.now - at, 2 * gap);
		gap = H.now - at;
	}
	EQUAL(H.c.probes, 3);
	/* An answer that leaves it shut: alive, and waits on. */
	host_seg(IRS + 1, ISS + 1, XTCP_ACK, 0, 0);
	EQUAL(H.c.probes, 0);
	CHECK(H.c.deadline[XTCP_T_RTX]);
	for (int i = 0; i < 100; i++) {
		host_expire();
		host_seg(IRS + 1, ISS + 1, XTCP_ACK, 0, 0);
	}
	EQUAL(H.c.state, XTCP_ESTABLISHED);
	host_clear();
	host_seg(IRS + 1, ISS + 1, XTCP_ACK, 0, 100);
	EQUAL(H.sent, 1);
	EQUAL(H.out[0].d.len, 10);
	EQUAL(H.c.backoff, 0);
}

static void zero_window_unanswered(void)
{
	int n = 0;

	host_in(XTCP_ESTABLISHED);
	H.c.snd_wnd = 0;
	host_wrote(10);
	while (H.c.state == XTCP_ESTABLISHED && ++n < 100)
		host_expire();
	EQUAL(H.c.err, ETIMEDOUT);
	EQUAL(H.sent, 15);
}

/* Who answers lives, but not longer than the user wants. */
static void zero_window_limits(void)
{
	u64 start;
	int n = 0;

	host_in(XTCP_ESTABLISHED);
	H.c.snd_wnd = 0;
	H.c.user_timeout = 5000000;
	host_wrote(10);
	host_expire();
	start = H.now;
	while (H.c.state == XTCP_ESTABLISHED && ++n < 100) {
		host_seg(IRS + 1, ISS + 1, XTCP_ACK, 0, 0);
		host_expire();
	}
	EQUAL(H.c.err, ETIMEDOUT);
	EQUAL(H.now - start, 5000000);
	/* The window opened in between: the time begins anew. */
	host_in(XTCP_ESTABLISHED);
	H.c.snd_wnd = 0;
	H.c.user_timeout = 5000000;
	host_wrote(10);
	host_expire();
	host_seg(IRS + 1, ISS + 1, XTCP_ACK, 0, 100);
	EQUAL(H.c.probe_start, 0);
	/* An orphan: until the timer is at its slowest. */
	host_in(XTCP_FIN_WAIT1);
	n = 0;
	H.c.orphan = true;
	H.c.snd_una = H.c.snd_nxt = H.c.write_seq;
	H.c.rtx_nxt = H.c.rtx_end = H.c.write_seq;
	H.c.snd_wnd = 0;
	H.c.deadline[XTCP_T_RTX] = 0;
	host_tx(true);
	while (H.c.state == XTCP_FIN_WAIT1 && ++n < 100) {
		host_expire();
		if (H.c.state == XTCP_FIN_WAIT1)
			host_seg(IRS + 1, H.c.snd_una, XTCP_ACK, 0, 0);
	}
	EQUAL(H.c.err, ETIMEDOUT);
	CHECK(n > 5 && n < 15);
}

/* The window was taken back over data in flight. */
static void shrunk_window(void)
{
	u64 start;
	int n = 0;

	host_in(XTCP_ESTABLISHED);
	host_wrote(10);
	host_seg(IRS + 1, ISS + 1, XTCP_ACK, 0, 0);
	start = H.now;
	for (n = 0; n < 100; n++) {
		host_expire();
		host_seg(IRS + 1, ISS + 1, XTCP_ACK, 0, 0);
	}
	EQUAL(H.c.state, XTCP_ESTABLISHED);
	CHECK(H.now - start > 2000000000);
	start = H.now;
	while (H.c.state == XTCP_ESTABLISHED)
		host_expire();
	EQUAL(H.c.err, ETIMEDOUT);
	CHECK(H.now - start >= 240000000 && H.now - start <= 480000000);
}

static void junk_is_no_life(void)
{
	host_in(XTCP_ESTABLISHED);
	H.c.last_rcv = 5;
	host_seg(IRS + 90000, ISS + 1, XTCP_ACK, 0, 60000);
	host_seg(IRS + 1, ISS + 9, XTCP_ACK, 0, 60000);
	host_seg(IRS + 2, 0, XTCP_RST, 0, 60000);
	EQUAL(H.c.last_rcv, 5);
	host_seg(IRS + 1, ISS + 1, XTCP_ACK, 0, 60000);
	EQUAL(H.c.last_rcv, H.now);
	H.c.last_rcv = 5;
	host_seg(IRS + 1, ISS + 1, XTCP_ACK, 9, 60000);
	EQUAL(H.c.last_rcv, H.now);
}

static void part_of_window(void)
{
	host_in(XTCP_ESTABLISHED);
	H.c.snd_wnd = 300;
	host_wrote(5000);
	EQUAL(H.sent, 0);
	host_expire();
	EQUAL(H.sent, 1);
	EQUAL(H.out[0].d.len, 300);
	EQUAL(H.c.probes, 0);
}

static void keepalive(void)
{
	u64 start;

	host_in(XTCP_ESTABLISHED);
	EQUAL(xtcp_core_deadline(&H.c), 0);
	H.c.keepalive = true;
	xtcp_core_set_keepalive(&H.c, H.now);
	start = H.now;
	host_expire();
	EQUAL(H.now - start, 7200000000);
	EQUAL(H.sent, 1);
	EQUAL(H.out[0].h.seq, ISS);
	host_seg(IRS + 1, ISS + 1, XTCP_ACK, 0, 60000);
	EQUAL(H.c.probes, 0);
	while (H.c.state == XTCP_ESTABLISHED)
		host_expire();
	EQUAL(H.now - start, 7200000000 * 2 + 75000000ull * 9);
	EQUAL(H.c.err, ETIMEDOUT);
	CHECK(H.sig & XTCP_SIG_SEND_RST);
	EQUAL(H.sent, 10);
	host_in(XTCP_ESTABLISHED);
	H.c.keepalive = true;
	xtcp_core_set_keepalive(&H.c, H.now);
	H.c.keepalive = false;
	xtcp_core_set_keepalive(&H.c, H.now);
	EQUAL(xtcp_core_deadline(&H.c), 0);
}

/* SO_KEEPALIVE begins a wait of its own, and once it is on says nothing new. */
static void keepalive_switched(void)
{
	u64 start;

	host_in(XTCP_ESTABLISHED);
	H.now += 3 * H.cfg.keepalive_time;
	xtcp_core_keepalive(&H.c, true, H.now);
	EQUAL(xtcp_core_deadline(&H.c), H.now + H.cfg.keepalive_time);
	start = xtcp_core_deadline(&H.c);
	H.now += 1000000;
	xtcp_core_keepalive(&H.c, true, H.now);
	EQUAL(xtcp_core_deadline(&H.c), start);
	/* keep_time is counted from the last segment. */
	xtcp_core_set_keepalive(&H.c, H.now);
	EQUAL(xtcp_core_deadline(&H.c), H.now);
	xtcp_core_keepalive(&H.c, false, H.now);
	EQUAL(xtcp_core_deadline(&H.c), 0);
}

static void fin_wait2(void)
{
	host_in(XTCP_FIN_WAIT2);
	EQUAL(xtcp_core_deadline(&H.c), 0);
	H.c.orphan = true;
	xtcp_core_shutdown(&H.c, H.now);
	CHECK(H.c.sig & XTCP_SIG_FIN_WAIT2);
	EQUAL(xtcp_core_deadline(&H.c), H.now + H.cfg.fin_timeout);
	EQUAL(xtcp_core_mini_time(&H.c, H.now), H.cfg.fin_timeout);
	/* Where no mini-socket takes over. */
	host_expire();
	EQUAL(H.c.state, XTCP_CLOSED);
	CHECK(H.sig & XTCP_SIG_CLOSED);
	CHECK(H.sig & XTCP_SIG_SEND_RST);
	CHECK(!(H.sig & XTCP_SIG_ERROR));
	host_in(XTCP_FIN_WAIT1);
	H.c.orphan = true;
	H.c.linger2 = 5000000;
	host_seg(IRS + 1, ISS + 2, XTCP_ACK, 0, 60000);
	CHECK(H.sig & XTCP_SIG_FIN_WAIT2);
	EQUAL(xtcp_core_deadline(&H.c), H.now + 5000000);
	/* Never shorter than a few round trips. */
	host_in(XTCP_FIN_WAIT1);
	H.c.orphan = true;
	H.c.linger2 = 1000000;
	H.c.rtt.rto = 1000000;
	H.c.rtt.sent = 0;
	host_seg(IRS + 1, ISS + 2, XTCP_ACK, 0, 60000);
	EQUAL(xtcp_core_mini_time(&H.c, H.now), 3500000);
	/* Someone may still read: no limit. */
	host_in(XTCP_FIN_WAIT1);
	host_seg(IRS + 1, ISS + 2, XTCP_ACK, 0, 60000);
	EQUAL(H.c.state, XTCP_FIN_WAIT2);
	EQUAL(xtcp_core_deadline(&H.c), 0);
	CHECK(!(H.sig & XTCP_SIG_FIN_WAIT2));
}

/* More than a minute: as a whole socket first, then the same as a mini. */
static void fin_wait2_long(void)
{
	u64 start;

	host_in(XTCP_FIN_WAIT2);
	H.c.orphan = true;
	H.c.linger2 = 100000000;
	xtcp_core_shutdown(&H.c, H.now);
	CHECK(!(H.c.sig & XTCP_SIG_FIN_WAIT2));
	start = H.now;
	host_expire();
	EQUAL(H.now - start, 40000000);
	EQUAL(H.c.state, XTCP_FIN_WAIT2);
	CHECK(H.sig & XTCP_SIG_FIN_WAIT2);
	CHECK(!(H.sig & XTCP_SIG_SEND_RST));
	EQUAL(xtcp_core_mini_time(&H.c, H.now), 40000000);
	host_expire();
	EQUAL(H.c.state, XTCP_CLOSED);
}

/* TCP_LINGER2 below 0: no FIN_WAIT_2 for orphans. */
static void fin_wait2_none(void)
{
	host_in(XTCP_FIN_WAIT2);
	H.c.orphan = true;
	H.c.linger2 = -1;
	xtcp_core_shutdown(&H.c, H.now);
	EQUAL(H.c.state, XTCP_CLOSED);
	CHECK(H.c.sig & XTCP_SIG_SEND_RST);
	host_in(XTCP_FIN_WAIT1);
	H.c.orphan = true;
	H.c.linger2 = -1;
	host_seg(IRS + 1, ISS + 2, XTCP_ACK, 0, 60000);
	EQUAL(H.c.state, XTCP_CLOSED);
	CHECK(H.sig & XTCP_SIG_REPLY_RST);
	CHECK(!(H.sig & XTCP_SIG_SEND_RST));
	/* Not if the FIN comes with it. */
	host_in(XTCP_FIN_WAIT1);
	H.c.orphan = true;
	H.c.linger2 = -1;
	host_seg(IRS + 1, ISS + 2, XTCP_ACK | XTCP_FIN, 0, 60000);
	EQUAL(H.c.state, XTCP_TIME_WAIT);
}

static void early_calls(void)
{
	host_in(XTCP_ESTABLISHED);
	host_wrote(10);
	host_clear();
	xtcp_core_timeout(&H.c, H.c.deadline[XTCP_T_RTX] - 1);
	host_tx(false);
	EQUAL(H.sent, 0);
	EQUAL(H.c.retrans, 0);
}

/* One timeout is over; how long the next one is. */
static u64 expire(void)
{
	host_expire();
	return H.c.deadline[XTCP_T_RTX] - H.now;
}

/* RFC 6069 */
static void unreachable_path(void)
{
	u64 rto, left;

	host_in(XTCP_ESTABLISHED);
	host_wrote(10);
	rto = H.c.rtt.rto;
	/* Nothing to take back yet. */
	left = H.c.deadline[XTCP_T_RTX];
	xtcp_core_unreachable(&H.c, H.c.snd_una, H.now);
	EQUAL(H.c.deadline[XTCP_T_RTX], left);
	EQUAL(expire(), 2 * rto);
	EQUAL(expire(), 4 * rto);
	/* About another segment. */
	xtcp_core_unreachable(&H.c, H.c.snd_una + 1, H.now);
	EQUAL(H.c.deadline[XTCP_T_RTX], H.now + 4 * rto);
	/* The time that is over counts. */
	H.now += rto / 2;
	xtcp_core_unreachable(&H.c, H.c.snd_una, H.now);
	EQUAL(H.c.deadline[XTCP_T_RTX], H.now + 2 * rto - rto / 2);
	H.now += rto;
	host_clear();
	xtcp_core_unreachable(&H.c, H.c.snd_una, H.now);
	host_tx(false);
	EQUAL(H.sent, 1);
	EQUAL(H.c.retrans, 3);
	EQUAL(H.c.deadline[XTCP_T_RTX], H.now + 2 * rto);
	EQUAL(expire(), 4 * rto);
	/* Progress forgets it all. */
	host_seg(IRS + 1, ISS + 11, XTCP_ACK, 0, 60000);
	host_wrote(10);
	EQUAL(H.c.rtx_backoff, 0);
	xtcp_core_unreachable(&H.c, H.c.snd_una, H.now);
	EQUAL(H.c.rtx_backoff, 0);
}

/* However often the network says so, the limits in time stand. */
static void unreachable_for_long(void)
{
	u64 first = 0;
	int n = 0;

	host_in(XTCP_ESTABLISHED);
	host_wrote(10);
	while (H.c.state == XTCP_ESTABLISHED && ++n < 100000) {
		host_expire();
		if (!first)
			first = H.now;
		xtcp_core_unreachable(&H.c, H.c.snd_una, H.now);
	}
	EQUAL(H.c.err, ETIMEDOUT);
	CHECK(H.now - first >= 924600000);
	CHECK(H.now - first < 924600000 + 2000000);
	/* More timeouts than are counted, and still the next would double. */
	host_in(XTCP_ESTABLISHED);
	host_wrote(10);
	for (n = 0; n < 300; n++) {
		host_expire();
		xtcp_core_unreachable(&H.c, H.c.snd_una, H.now);
	}
	EQUAL(expire(), 2 * (u64)H.c.rtt.rto);
}

static const struct unit_test tests[] = {
	{ "SYN retries", syn_retries },
	{ "a SYN that can never be sent", syn_never_sent },
	{ "a lost SYN", lost_syn },
	{ "lost SYNs before a simultaneous open", lost_syn_crossing },
	{ "data is given up after 924.6 s", data_gives_up },
	{ "an orphan is given up earlier", orphan_gives_up_earlier },
	{ "a new route is looked for", new_route },
	{ "a path that is gone", unreachable_path },
	{ "a path that is gone for long", unreachable_for_long },
	{ "TCP_USER_TIMEOUT", user_timeout },
	{ "zero window, answered", zero_window },
	{ "zero window, unanswered", zero_window_unanswered },
	{ "limits of an answered zero window", zero_window_limits },
	{ "a window taken back", shrunk_window },
	{ "what is refused is no sign of life", junk_is_no_life },
	{ "part of a window after a while", part_of_window },
	{ "keepalive", keepalive },
	{ "keepalive switched on late", keepalive_switched },
	{ "FIN_WAIT_2 of an orphan", fin_wait2 },
	{ "FIN_WAIT_2 of more than a minute", fin_wait2_long },
	{ "no FIN_WAIT_2 for orphans", fin_wait2_none },
	{ "early calls do no harm", early_calls },
};
UNIT_MAIN(tests)

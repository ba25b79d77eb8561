// SPDX-License-Identifier: GPL-2.0
#include "unit.h"

#define ACK(n)	host_seg(IRS + 1, ISS + 1 + (n), XTCP_ACK, 0, 60000)

/* ESTABLISHED, @n packets in flight, and a cwnd of as many. */
static void in_flight(u32 n)
{
	host_in(XTCP_ESTABLISHED);
	H.c.cwnd = n;
	host_wrote(n * MSS);
	EQUAL(H.c.pkts.out, n);
	host_clear();
}

static void packets_count(void)
{
	host_in(XTCP_ESTABLISHED);
	for (int i = 0; i < 9000; i++)
		host_wrote(1);
	EQUAL(H.sent, 10);
	EQUAL(H.c.pkts.out, 10);
	/* The rest was joined meanwhile. */
	host_clear();
	ACK(2);
	EQUAL(H.sent, 4);
	EQUAL(H.out[0].d.len, MSS);
	ACK(10);
	EQUAL(H.c.snd_nxt, ISS + 1 + 9000);
	ACK(9000);
	EQUAL(H.c.pkts.out, 0);
}

static void bursts_count(void)
{
	host_in(XTCP_ESTABLISHED);
	H.c.burst = 65000;
	host_wrote(100500);
	EQUAL(H.sent, 1);
	EQUAL(H.out[0].d.len, 10 * MSS);
	EQUAL(H.c.pkts.out, 10);
	ACK(7 * MSS + 1);
	EQUAL(H.out[1].d.len, 14 * MSS);
	EQUAL(H.c.pkts.out, 17);
	EQUAL(H.c.cwnd, 17);
}

static void out_of_recovery(void)
{
	in_flight(40);
	for (int i = 0; i < 3; i++)
		ACK(0);
	CHECK(H.c.in_recovery);
	EQUAL(H.c.ssthresh, 20);
	EQUAL(H.c.cwnd, 20);
	ACK(40 * MSS);
	CHECK(!H.c.in_recovery);
	EQUAL(H.c.cwnd, 20);
	EQUAL(H.c.ssthresh, 20);
	EQUAL(xtcp_core_in_network(&H.c), 0);
	/* A burst of all that would be too much. */
	host_clear();
	host_wrote(60 * MSS);
	EQUAL(H.sent, 10);
	ACK(41 * MSS);
	EQUAL(H.sent, 20);
	CHECK(H.c.refill);
	ACK(42 * MSS);
	EQUAL(H.sent, 22);
	EQUAL(H.c.pkts.out, 20);
	CHECK(!H.c.refill);
	ACK(62 * MSS);
	EQUAL(H.sent, 43);
}

static void limited_transmit(void)
{
	in_flight(10);
	xtcp_core_wrote(&H.c, 20 * MSS);
	ACK(0);
	ACK(0);
	EQUAL(H.sent, 2);
	EQUAL(H.c.cwnd, 10);
	ACK(0);
	EQUAL(H.c.ssthresh, 5);
}

/* A peer that sends duplicates of nothing. */
static void inflation(void)
{
	in_flight(10);
	for (int i = 0; i < 1003; i++)
		ACK(0);
	EQUAL(H.c.cwnd, 5);
	EQUAL(xtcp_core_in_network(&H.c), 1);
	host_wrote(100 * MSS);
	EQUAL(H.c.pkts.out, 14);
	EQUAL(xtcp_core_in_network(&H.c), 5);
}

static void timeout_in_recovery(void)
{
	in_flight(43);
	for (int i = 0; i < 20; i++)
		ACK(0);
	EQUAL(H.c.ssthresh, 21);
	xtcp_core_wrote(&H.c, 40 * MSS);
	host_expire();
	CHECK(H.c.in_loss);
	EQUAL(H.c.ssthresh, 21);
	EQUAL(H.c.cwnd, 1);
	EQUAL(H.c.dup_left, 0);
}

static void timeout_again(void)
{
	in_flight(50);
	host_expire();
	EQUAL(H.c.ssthresh, 25);
	EQUAL(H.c.cwnd, 1);
	/* No progress: the same loss. */
	host_expire();
	EQUAL(H.c.ssthresh, 25);
	ACK(MSS);
	EQUAL(H.c.cwnd, 2);
	/* Two packets were under way when that was lost. */
	host_expire();
	EQUAL(H.c.ssthresh, 2);
	EQUAL(H.c.cwnd, 1);
}

/* @idle after one round trip with cwnd at @cwnd; what may be sent then. */
static void idle_for(u64 us, u32 cwnd)
{
	host_in(XTCP_ESTABLISHED);
	host_wrote(MSS);
	ACK(MSS);
	H.c.cwnd = cwnd;
	H.c.rtt.rto = 200000;
	H.c.cwnd_stamp = H.now;
	H.now += us;
	host_clear();
	host_wrote(55 * MSS);
}

static void idle_restart(void)
{
	idle_for(200000, 50);
	EQUAL(H.sent, 50);
	EQUAL(H.c.ssthresh, XTCP_SSTHRESH_NONE);
	idle_for(251000, 50);
	EQUAL(H.sent, 25);
	idle_for(500000, 50);
	EQUAL(H.sent, 12);
	idle_for(5000000, 50);
	EQUAL(H.sent, 10);
	idle_for(5000000, 3);
	EQUAL(H.sent, 3);
	/* Slow start leads back to three quarters of what there was. */
	host_in(XTCP_ESTABLISHED);
	host_wrote(MSS);
	ACK(MSS);
	H.c.cwnd = 50;
	H.c.ssthresh = 20;
	H.now += 10000000;
	host_wrote(MSS);
	EQUAL(H.c.cwnd, 10);
	EQUAL(H.c.ssthresh, 37);
}

/* What could not be sent after the pause does not make it another pause. */
static void idle_once(void)
{
	host_in(XTCP_ESTABLISHED);
	host_wrote(MSS);
	ACK(MSS);
	H.c.cwnd = 50;
	H.c.rtt.rto = 200000;
	H.c.cork = true;
	H.now += 251000;
	for (int i = 0; i < 5; i++)
		host_wrote(10);
	EQUAL(H.c.cwnd, 25);
}

static void idle_restart_off(void)
{
	host_in(XTCP_ESTABLISHED);
	H.cfg.slow_start_after_idle = 0;
	host_wrote(MSS);
	ACK(MSS);
	H.c.cwnd = 50;
	H.now += 10000000;
	host_clear();
	host_wrote(60 * MSS);
	EQUAL(H.sent, 50);
}

/* One small message after the other, never a pause of a whole timeout. */
static void application_limited(void)
{
	int i;

	host_in(XTCP_ESTABLISHED);
	H.c.cwnd = 50;
	H.c.ssthresh = 20;
	for (i = 0; i < 4; i++) {
		host_wrote(MSS);
		H.now += 60000;
		ACK((i + 1) * MSS);
	}
	EQUAL(H.c.cwnd, 50);
	for (; i < 200; i++) {
		host_wrote(MSS);
		H.now += 60000;
		ACK((i + 1) * MSS);
	}
	EQUAL(H.c.cwnd, 10);
	CHECK(H.c.ssthresh >= 37);
}

/* Of what this machine's own queue has dropped nothing counts as sent. */
static void refused(void)
{
	u32 i;

	in_flight(40);
	H.data_res = XTCP_TX_REFUSED;
	H.c.cwnd = 50;
	xtcp_core_wrote(&H.c, 30 * MSS);
	host_tx(true);
	EQUAL(H.sent, 1);
	EQUAL(H.c.pkts.out, 40);
	EQUAL(H.c.snd_nxt, ISS + 1 + 40 * MSS);
	EQUAL(H.c.ssthresh, 20);
	EQUAL(H.c.cwnd, 40);
	CHECK(H.c.deadline[XTCP_T_RETRY]);
	/* Once a window. */
	ACK(MSS);
	EQUAL(H.c.ssthresh, 20);
	H.data_res = XTCP_TX_SENT;
	/* Half as much as is acknowledged, down to ssthresh. */
	host_clear();
	for (i = 2; i <= 21; i++)
		ACK(i * MSS);
	EQUAL(H.sent, 11);
	EQUAL(H.out[0].d.seq, ISS + 1 + 40 * MSS);
	EQUAL(H.c.cwnd, 30);
	EQUAL(H.c.deadline[XTCP_T_RETRY], 0);
	for (; i <= 40; i++)
		ACK(i * MSS);
	EQUAL(H.c.cwnd, 20);
	CHECK(!H.c.in_cwr);
	EQUAL(H.c.total_retrans, 0);
	EQUAL(H.c.ssthresh, 20);
}

static void congested(void)
{
	host_in(XTCP_ESTABLISHED);
	H.c.cwnd = 20;
	H.data_res = XTCP_TX_CONGESTED;
	host_wrote(20 * MSS);
	/* The first, which was alone, tells nothing; the second does. */
	CHECK(H.c.in_cwr);
	CHECK(H.c.ssthresh < 20);
	EQUAL(H.c.snd_nxt, ISS + 1 + H.sent * MSS);
}

/* A loss in the window that has been reduced already; then a timeout. */
static void refused_and_lost(void)
{
	in_flight(40);
	H.data_res = XTCP_TX_REFUSED;
	H.c.cwnd = 50;
	host_wrote(MSS);
	H.data_res = XTCP_TX_SENT;
	EQUAL(H.c.ssthresh, 20);
	for (int i = 0; i < 3; i++)
		ACK(0);
	CHECK(H.c.in_recovery && !H.c.in_cwr);
	EQUAL(H.c.ssthresh, 20);
	EQUAL(H.c.cwnd, 20);
}

static void idle_and_refused(void)
{
	host_in(XTCP_ESTABLISHED);
	H.data_res = XTCP_TX_REFUSED;
	host_wrote(MSS);
	for (int i = 0; i < 5; i++)
		host_expire();
	CHECK(H.c.state == XTCP_ESTABLISHED);
	EQUAL(H.c.cwnd, 10);
	H.data_res = XTCP_TX_SENT;
	host_clear();
	while (!H.sent)
		host_expire();
	EQUAL(H.out[0].d.seq, ISS + 1);
	CHECK(!H.out[0].d.rtx);
}

static const struct unit_test tests[] = {
	{ "cwnd counts packets, not bytes", packets_count },
	{ "a burst counts its segments", bursts_count },
	{ "cwnd is ssthresh after fast recovery", out_of_recovery },
	{ "limited transmit is not in flight", limited_transmit },
	{ "duplicates for which nothing was sent", inflation },
	{ "a timeout in fast recovery", timeout_in_recovery },
	{ "a timeout after little progress", timeout_again },
	{ "restart after a pause", idle_restart },
	{ "one pause, one restart", idle_once },
	{ "slow_start_after_idle is off", idle_restart_off },
	{ "an application that uses little", application_limited },
	{ "the local queue drops", refused },
	{ "the local queue is congested", congested },
	{ "the local queue drops, then the network", refused_and_lost },
	{ "the local queue drops all", idle_and_refused },
};
UNIT_MAIN(tests)

// SPDX-License-Identifier: GPL-2.0
#include "unit.h"

static const struct xtcp_cc *cc = &xtcp_cc_newreno;

static void slow_start(void)
{
	host_in(XTCP_ESTABLISHED);
	EQUAL(H.c.cwnd, 10 * MSS);
	cc->acked(&H.c, 10 * MSS, T0);
	EQUAL(H.c.cwnd, 20 * MSS);
	/* What exceeds ssthresh counts for congestion avoidance. */
	H.c.ssthresh = 21 * MSS;
	cc->acked(&H.c, 3 * MSS, T0);
	EQUAL(H.c.cwnd, 21 * MSS);
	EQUAL(H.c.cwnd_acked, 2 * MSS);
}

static void avoidance(void)
{
	host_in(XTCP_ESTABLISHED);
	H.c.ssthresh = 4 * MSS;
	H.c.cwnd = 10 * MSS;
	for (int i = 0; i < 9; i++)
		cc->acked(&H.c, MSS, T0);
	EQUAL(H.c.cwnd, 10 * MSS);
	cc->acked(&H.c, MSS, T0);
	EQUAL(H.c.cwnd, 11 * MSS);
}

static void losses(void)
{
	host_in(XTCP_ESTABLISHED);
	H.c.snd_nxt = H.c.snd_una + 8 * MSS;
	cc->loss(&H.c, T0);
	EQUAL(H.c.ssthresh, 4 * MSS);
	cc->timeout(&H.c, true, T0);
	EQUAL(H.c.cwnd, MSS);
	EQUAL(H.c.ssthresh, 4 * MSS);
	H.c.snd_nxt = H.c.snd_una + MSS;
	cc->timeout(&H.c, false, T0);
	EQUAL(H.c.ssthresh, 4 * MSS);
	cc->timeout(&H.c, true, T0);
	EQUAL(H.c.ssthresh, 2 * MSS);
	/* One ACK of much, after a timeout, opens by one segment only. */
	H.c.in_loss = true;
	H.c.ssthresh = 20 * MSS;
	cc->acked(&H.c, 15 * MSS, T0);
	EQUAL(H.c.cwnd, 2 * MSS);
}

static void idle(void)
{
	host_in(XTCP_ESTABLISHED);
	H.c.cwnd = 50 * MSS;
	cc->idle(&H.c, T0);
	EQUAL(H.c.cwnd, 10 * MSS);
	H.c.cwnd = 3 * MSS;
	cc->idle(&H.c, T0);
	EQUAL(H.c.cwnd, 3 * MSS);
}

static const struct unit_test tests[] = {
	{ "slow start", slow_start },
	{ "congestion avoidance", avoidance },
	{ "losses", losses },
	{ "after idling", idle },
};
UNIT_MAIN(tests)

// SPDX-License-Identifier: GPL-2.0
#include "unit.h"

static const struct xtcp_cc *cc = &xtcp_cc_newreno;

static void slow_start(void)
{
	host_in(XTCP_ESTABLISHED);
	EQUAL(H.c.cwnd, 10);
	cc->acked(&H.c, 10, T0);
	EQUAL(H.c.cwnd, 20);
	/* What exceeds ssthresh counts for congestion avoidance. */
	H.c.ssthresh = 21;
	cc->acked(&H.c, 3, T0);
	EQUAL(H.c.cwnd, 21);
	EQUAL(H.c.cwnd_acked, 2);
}

static void avoidance(void)
{
	host_in(XTCP_ESTABLISHED);
	H.c.ssthresh = 4;
	H.c.cwnd = 10;
	for (int i = 0; i < 9; i++)
		cc->acked(&H.c, 1, T0);
	EQUAL(H.c.cwnd, 10);
	cc->acked(&H.c, 1, T0);
	EQUAL(H.c.cwnd, 11);
}

static void losses(void)
{
	host_in(XTCP_ESTABLISHED);
	H.c.pkts.out = 8;
	EQUAL(cc->ssthresh(&H.c), 4);
	/* What was sent beyond cwnd does not count. */
	H.c.pkts.out = 12;
	EQUAL(cc->ssthresh(&H.c), 5);
	H.c.pkts.out = 1;
	EQUAL(cc->ssthresh(&H.c), 2);
	/* One ACK of much, after a timeout, opens by one packet only. */
	H.c.in_loss = true;
	H.c.ssthresh = 20;
	H.c.cwnd = 1;
	cc->acked(&H.c, 15, T0);
	EQUAL(H.c.cwnd, 2);
}

static const struct unit_test tests[] = {
	{ "slow start", slow_start },
	{ "congestion avoidance", avoidance },
	{ "losses", losses },
};
UNIT_MAIN(tests)

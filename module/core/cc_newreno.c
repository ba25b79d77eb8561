// SPDX-License-Identifier: GPL-2.0
/* Slow start and congestion avoidance (RFC 5681), counting packets. */
#include "internal.h"

static void newreno_init(struct xtcp_core *c)
{
	c->cwnd_acked = 0;
}

static void newreno_acked(struct xtcp_core *c, u32 acked, u64 now)
{
	u32 room;

	if (c->cwnd < c->ssthresh) {
		/*
		 * After a timeout one ACK can cover much that had arrived
		 * before it: no reason to send that much at once.
		 */
		if (c->in_loss)
			acked = min(acked, 1U);
		room = min(acked, c->ssthresh - c->cwnd);
		c->cwnd += room;
		acked -= room;
	}
	c->cwnd_acked += acked;
	if (c->cwnd_acked >= c->cwnd) {
		c->cwnd_acked -= c->cwnd;
		c->cwnd++;
	}
	c->cwnd = min(c->cwnd, XTCP_CWND_MAX);
}

/*
 * Half of what is in flight.  Never more than cwnd is taken for that: limited
 * transmit has added two packets that do not count (RFC 5681, 3.2, step 2),
 * and after a timeout most of what is not acknowledged left the network long
 * ago.
 */
static u32 newreno_ssthresh(struct xtcp_core *c)
{
	return max(min(c->cwnd, c->pkts.out) / 2, 2U);
}

const struct xtcp_cc xtcp_cc_newreno = {
	.name = "newreno",
	.init = newreno_init,
	.acked = newreno_acked,
	.ssthresh = newreno_ssthresh,
};

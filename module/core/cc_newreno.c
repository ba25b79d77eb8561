// SPDX-License-Identifier: GPL-2.0
/*
 * Slow start and congestion avoidance (RFC 5681) counting bytes (RFC 3465).
 * The window's inflation in fast recovery (RFC 6582) is in ack.c: it belongs
 * to loss recovery, whatever the algorithm.
 */
#include "internal.h"

static u32 newreno_iw(const struct xtcp_core *c)
{
	return c->cfg->initial_cwnd * c->mss;
}

static u32 newreno_half(const struct xtcp_core *c)
{
	return max_t(u32, xtcp_core_flight(c) / 2, 2 * c->mss);
}

static void newreno_init(struct xtcp_core *c)
{
	c->cwnd = newreno_iw(c);
	c->ssthresh = XTCP_CWND_MAX;
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
			acked = min_t(u32, acked, c->mss);
		room = min(acked, c->ssthresh - c->cwnd);
		c->cwnd += room;
		acked -= room;
	}
	c->cwnd_acked += acked;
	if (c->cwnd_acked >= c->cwnd) {
		c->cwnd_acked -= c->cwnd;
		c->cwnd += c->mss;
	}
	c->cwnd = min(c->cwnd, XTCP_CWND_MAX);
}

static void newreno_loss(struct xtcp_core *c, u64 now)
{
	c->ssthresh = newreno_half(c);
	c->cwnd_acked = 0;
}

static void newreno_timeout(struct xtcp_core *c, bool first, u64 now)
{
	if (first)
		c->ssthresh = newreno_half(c);
	c->cwnd = c->mss;
	c->cwnd_acked = 0;
}

static void newreno_idle(struct xtcp_core *c, u64 now)
{
	c->cwnd = min(c->cwnd, newreno_iw(c));
	c->cwnd_acked = 0;
}

const struct xtcp_cc xtcp_cc_newreno = {
	.name = "newreno",
	.init = newreno_init,
	.acked = newreno_acked,
	.loss = newreno_loss,
	.timeout = newreno_timeout,
	.idle = newreno_idle,
};

// SPDX-License-Identifier: GPL-2.0
/*
 * The congestion window: how it falls after losses and pauses, and when it may
 * grow.  By how much it grows, and how far it falls, an algorithm says (cc.h).
 */
#include "internal.h"

void xtcp_cwnd_start(struct xtcp_core *c, u64 now)
{
	c->cwnd = max_t(u32, c->cfg->initial_cwnd, 1);
	c->ssthresh = XTCP_SSTHRESH_NONE;
	c->cwnd_seq = c->snd_una;
	c->cwnd_stamp = now;
	c->cc->init(c);
}

/* ---- after losses ---- */

/* Fast retransmit.  cwnd falls once for a window of data, whatever the reasons. */
void xtcp_cwnd_loss(struct xtcp_core *c)
{
	if (!c->in_cwr)
		c->ssthresh = c->cc->ssthresh(c);
	c->in_cwr = false;
	c->cwnd = c->ssthresh;
	c->cwnd_acked = 0;
}

/*
 * A retransmission timeout: nothing is in the network any more (RFC 5681, 3.1).
 * ssthresh falls if this is a new loss: not while the repair of another one
 * goes on that has lowered it (native: tcp_enter_loss()).
 */
void xtcp_cwnd_timeout(struct xtcp_core *c)
{
	bool anew = !c->in_recovery && !c->in_cwr &&
		    !(c->in_loss && c->retrans);

	if (anew)
		c->ssthresh = c->cc->ssthresh(c);
	c->in_cwr = false;
	c->refill = false;
	c->cwnd = 1;
	c->cwnd_acked = 0;
}

/*
 * Fast recovery is over.  cwnd is ssthresh, but of that little may be in flight,
 * and to send the rest at once could overflow a queue again.  Until cwnd is full
 * each ACK lets no more go than a new connection may send at once.
 */
void xtcp_cwnd_recovered(struct xtcp_core *c)
{
	c->dup_left = 0;
	c->refill = true;
	c->refill_left = c->cfg->initial_cwnd;
}

/*
 * A queue of this machine is full: the same sign as a loss, but nothing has to be
 * repaired.  cwnd shrinks by one for two packets that are acknowledged, so that
 * sending goes on (native: tcp_enter_cwr()).
 */
void xtcp_cwnd_congested(struct xtcp_core *c)
{
	if (c->in_recovery || c->in_loss || c->in_cwr)
		return;
	/* It is full of others' packets. */
	if (!c->pkts.out)
		return;
	c->ssthresh = c->cc->ssthresh(c);
	c->cwnd = max(min(c->cwnd, c->pkts.out), c->ssthresh);
	c->cwnd_acked = 0;
	c->in_cwr = true;
	c->cwr_end = c->snd_nxt;
}

static void shrink(struct xtcp_core *c, u32 acked)
{
	u32 less;

	c->cwnd_acked += acked;
	less = min(c->cwnd_acked / 2, c->cwnd - c->ssthresh);
	c->cwnd -= less;
	c->cwnd_acked %= 2;
	if (seq_lt(c->snd_una, c->cwr_end))
		return;
	c->in_cwr = false;
	c->cwnd = c->ssthresh;
	c->cwnd_acked = 0;
}

/* ---- growth ---- */

/*
 * Growth is earned by using what is there already (RFC 7661's concern): in this
 * window of data cwnd was full, or, in slow start, half full.
 */
static bool in_use(const struct xtcp_core *c)
{
	if (c->cwnd_limited || c->in_loss)
		return true;
	return c->cwnd < c->ssthresh && c->cwnd < 2 * c->cwnd_most;
}

void xtcp_cwnd_acked(struct xtcp_core *c, u32 acked, u64 now)
{
	c->refill_left = max(acked, c->cfg->initial_cwnd);
	if (c->in_cwr)
		shrink(c, acked);
	else if (in_use(c))
		c->cc->acked(c, acked, now);
}

/* ---- pauses ---- */

/* What a path has carried is not forgotten with cwnd: slow start leads back. */
static void remember(struct xtcp_core *c)
{
	if (!c->in_cwr)
		c->ssthresh = max(c->ssthresh, c->cwnd / 2 + c->cwnd / 4);
}

/* For a whole timeout the application has not used cwnd (RFC 7661's concern). */
static void unused(struct xtcp_core *c, u64 now)
{
	u32 used = max(c->cwnd_used, c->cfg->initial_cwnd);

	if (!c->in_recovery && !c->in_loss && !c->in_cwr && !c->dupacks &&
	    used < c->cwnd) {
		remember(c);
		c->cwnd = (c->cwnd + used) / 2;
	}
	c->cwnd_used = 0;
	c->cwnd_stamp = now;
}

/*
 * All that may be sent now is sent, some of it or none.  Notes how much of cwnd
 * this window of data uses (native: tcp_cwnd_validate()).
 */
void xtcp_cwnd_validate(struct xtcp_core *c, u64 now)
{
	bool full = xtcp_core_in_network(c) >= c->cwnd;
	u32 out = c->pkts.out;

	if (full)
		c->refill = false;
	if (seq_ge(c->snd_una, c->cwnd_seq) || full ||
	    (!c->cwnd_limited && out > c->cwnd_most)) {
		c->cwnd_limited = full;
		c->cwnd_most = out;
		c->cwnd_seq = c->snd_nxt;
	}
	if (in_use(c)) {
		c->cwnd_used = 0;
		c->cwnd_stamp = now;
		return;
	}
	c->cwnd_used = max(c->cwnd_used, out);
	if (c->cfg->slow_start_after_idle && now - c->cwnd_stamp >= c->rtt.rto)
		unused(c, now);
}

/*
 * Nothing is in flight and data is about to be sent.  For each timeout that
 * nothing was sent cwnd is halved, down to what a new connection may send
 * (native: tcp_cwnd_restart()).  cwnd_stamp keeps it from being done twice for
 * one pause, if the data may not go after all.
 */
void xtcp_cwnd_restart(struct xtcp_core *c, u64 now)
{
	u64 idle = now - max(c->last_snd, c->cwnd_stamp);
	u32 least = min(c->cwnd, c->cfg->initial_cwnd);

	if (!c->cfg->slow_start_after_idle || !c->last_snd ||
	    idle <= c->rtt.rto)
		return;
	remember(c);
	for (idle -= c->rtt.rto; c->cwnd > least; idle -= c->rtt.rto) {
		c->cwnd = max(c->cwnd / 2, least);
		if (idle <= c->rtt.rto)
			break;
	}
	c->refill = false;
	c->cwnd_used = 0;
	c->cwnd_stamp = now;
}

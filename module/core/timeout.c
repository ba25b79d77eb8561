// SPDX-License-Identifier: GPL-2.0
/*
 * What happens when time passes.  Deadlines are plain fields; the host
 * compares them with its clock.
 */
#include "internal.h"

u64 xtcp_core_deadline(const struct xtcp_core *c)
{
	u64 first = 0;
	size_t i;

	for (i = 0; i < XTCP_NTIMERS; i++)
		if (c->deadline[i] && (!first || c->deadline[i] < first))
			first = c->deadline[i];
	return first;
}

/* Starts or restarts the retransmission timer (RFC 6298, 5.1 and 5.3). */
void xtcp_rtx_arm(struct xtcp_core *c, u64 now)
{
	u64 at = now + xtcp_rtt_backoff(c->rtt.rto, c->retrans,
					c->cfg->rto_max);

	/* TCP_USER_TIMEOUT ends a connection when it says, not later. */
	if (c->user_timeout && c->retrans_start)
		at = clamp_t(u64, c->retrans_start + c->user_timeout,
			     now + 1, at);
	c->deadline[XTCP_T_RTX] = at;
}

/* Starts the persist timer, unless it runs (RFC 9293, 3.8.6.1). */
void xtcp_persist_arm(struct xtcp_core *c, u64 now)
{
	if (!c->deadline[XTCP_T_RTX])
		c->deadline[XTCP_T_RTX] = now +
			xtcp_rtt_backoff(c->rtt.rto, c->backoff,
					 c->cfg->rto_max);
}

/* A round trip with its ACK lost more than once must fit in. */
static u64 wait_min(const struct xtcp_core *c)
{
	return 4ULL * c->rtt.rto - c->rtt.rto / 2;
}

static u64 fin_time(const struct xtcp_core *c)
{
	u64 wait = c->linger2 > 0 ? (u64)c->linger2 : c->cfg->fin_timeout;

	return max_t(u64, wait, wait_min(c));
}

u64 xtcp_core_mini_time(const struct xtcp_core *c, u64 now)
{
	u64 at = c->deadline[XTCP_T_KEEP];

	if (c->state == XTCP_TIME_WAIT)
		return c->cfg->timewait;
	return max_t(u64, at > now ? at - now : 0, wait_min(c));
}

/*
 * An orphan does not wait for ever for the peer's FIN: a minute at most in a
 * mini-socket, and before that as long as it has to on its own.
 */
void xtcp_fin_wait2_orphan(struct xtcp_core *c, u64 now)
{
	u64 wait = fin_time(c);

	if (wait > XTCP_MINI_WAIT)
		wait -= XTCP_MINI_WAIT;
	else
		c->sig |= XTCP_SIG_FIN_WAIT2;
	c->deadline[XTCP_T_KEEP] = now + wait;
}

static void fin_wait2_timeout(struct xtcp_core *c, u64 now)
{
	u64 wait = fin_time(c);

	if (!c->fin_wait2_late && c->linger2 >= 0 && wait > XTCP_MINI_WAIT) {
		/* The rest in a mini-socket; without one it is over then. */
		c->fin_wait2_late = true;
		c->sig |= XTCP_SIG_FIN_WAIT2;
		c->deadline[XTCP_T_KEEP] = now + wait - XTCP_MINI_WAIT;
		return;
	}
	c->sig |= XTCP_SIG_SEND_RST;
	xtcp_event(c, XTCP_EV_2MSL, now);
}

static void give_up(struct xtcp_core *c)
{
	xtcp_host_count(c, XTCP_MIB_ABORTTIMEOUT);
	xtcp_fail(c, XTCP_EV_TIMEOUT, c->err_soft ? c->err_soft : ETIMEDOUT);
}

static u8 data_retries(const struct xtcp_core *c)
{
	if (!c->orphan)
		return c->cfg->retries2;
	return c->cfg->orphan_retries ? c->cfg->orphan_retries : 8;
}

static bool rtx_exhausted(const struct xtcp_core *c, u64 now)
{
	u64 limit;

	if (!c->retrans)
		return false;
	if (!c->syn_acked) {
		if (c->user_timeout &&
		    now - c->retrans_start >= c->user_timeout)
			return true;
		return c->retrans >= (c->syn_cnt ? c->syn_cnt :
						   c->cfg->syn_retries);
	}
	/* A peer that closed its window over our data, but answers, lives. */
	if (!c->snd_wnd && !c->orphan && now - c->last_rcv < c->cfg->rto_max)
		return false;
	limit = c->user_timeout;
	if (!limit)
		limit = xtcp_rtt_give_up(data_retries(c), c->cfg->rto_min,
					 c->cfg->rto_max);
	return now - c->retrans_start >= limit;
}

/* RFC 6298, 5.4 to 5.6; RFC 5681, 3.1. */
static void rtx_timeout(struct xtcp_core *c, u64 now)
{
	bool first = !c->retrans;

	if (rtx_exhausted(c, now)) {
		give_up(c);
		return;
	}
	xtcp_host_count(c, XTCP_MIB_TIMEOUTS);
	if (first)
		c->retrans_start = now;
	if (c->syn_acked) {
		c->cc->timeout(c, first, now);
		c->in_loss = true;
		c->in_recovery = false;
		c->dupacks = 0;
		c->recover = c->snd_nxt;
	}
	if (c->retrans < 255)
		c->retrans++;
	c->rtt.sent = 0;
	xtcp_rtx_mark(c, c->snd_nxt);
	xtcp_rtx_arm(c, now);
}

/*
 * Nothing is in flight and something is left: either Nagle, a cork or the
 * silly-window rule holds it back, which ends here, or the window is shut.
 */
static void persist_timeout(struct xtcp_core *c, u64 now)
{
	bool late = c->user_timeout && c->probes &&
		    now - c->retrans_start >= c->user_timeout;

	c->sig |= XTCP_SIG_TX;
	if (c->snd_wnd) {
		c->force = true;
		return;
	}
	if (late || c->probes >= data_retries(c)) {
		give_up(c);
		return;
	}
	if (!c->probes)
		c->retrans_start = now;
	c->probes++;
	if (c->backoff < 255)
		c->backoff++;
	c->probe_due = true;
	xtcp_host_count(c, XTCP_MIB_ZEROWINPROBES);
	xtcp_persist_arm(c, now);
}

static void on_rtx(struct xtcp_core *c, u64 now)
{
	if (c->snd_nxt != c->snd_una)
		rtx_timeout(c, now);
	else if (c->syn_acked && xtcp_core_send_end(c) != c->snd_nxt)
		persist_timeout(c, now);
}

static void on_delack(struct xtcp_core *c, u64 now)
{
	if (c->tx_stuck) {
		c->tx_stuck = false;
		c->sig |= XTCP_SIG_TX;
	}
	if (c->ack_bytes && !c->ack_now) {
		c->interactive = false;
		xtcp_host_count(c, XTCP_MIB_DELAYEDACKS);
		xtcp_ack_owed(c);
	}
}

/* ---- keepalive (RFC 9293, 3.8.4), and the waits at the end ---- */

static u64 keep_time(const struct xtcp_core *c)
{
	return c->keep_time ? c->keep_time : c->cfg->keepalive_time;
}

static bool keep_wanted(const struct xtcp_core *c)
{
	if (!c->keepalive || !c->syn_acked)
		return false;
	switch (c->state) {
	case XTCP_ESTABLISHED:
	case XTCP_CLOSE_WAIT:
	case XTCP_FIN_WAIT1:
	case XTCP_CLOSING:
	case XTCP_LAST_ACK:
		return true;
	case XTCP_FIN_WAIT2:
		return !c->orphan;
	default:
		return false;
	}
}

static bool keep_exhausted(const struct xtcp_core *c, u64 silent)
{
	u8 cnt = c->keep_cnt ? c->keep_cnt : c->cfg->keepalive_probes;

	if (c->user_timeout)
		return c->probes && silent >= c->user_timeout;
	return c->probes >= cnt;
}

static void keep_timeout(struct xtcp_core *c, u64 now)
{
	u64 *at = &c->deadline[XTCP_T_KEEP];
	u64 silent = now - c->last_rcv;

	/* Data under way is watched by its own timer. */
	if (xtcp_core_send_end(c) != c->snd_una) {
		*at = now + keep_time(c);
		return;
	}
	if (silent < keep_time(c)) {
		*at = c->last_rcv + keep_time(c);
		return;
	}
	if (keep_exhausted(c, silent)) {
		c->sig |= XTCP_SIG_SEND_RST;
		give_up(c);
		return;
	}
	c->probes++;
	c->probe_due = true;
	c->sig |= XTCP_SIG_TX;
	*at = now + (c->keep_intvl ? c->keep_intvl : c->cfg->keepalive_intvl);
}

void xtcp_core_set_keepalive(struct xtcp_core *c, u64 now)
{
	u64 *at = &c->deadline[XTCP_T_KEEP];

	if (keep_wanted(c))
		*at = max_t(u64, now, c->last_rcv + keep_time(c));
	else if (c->state != XTCP_TIME_WAIT && c->state != XTCP_FIN_WAIT2)
		*at = 0;
}

static void on_keep(struct xtcp_core *c, u64 now)
{
	if (c->state == XTCP_TIME_WAIT)
		xtcp_event(c, XTCP_EV_2MSL, now);
	else if (c->state == XTCP_FIN_WAIT2 && c->orphan)
		fin_wait2_timeout(c, now);
	else if (keep_wanted(c))
		keep_timeout(c, now);
}

void xtcp_core_timeout(struct xtcp_core *c, u64 now)
{
	static void (*const handler[XTCP_NTIMERS])(struct xtcp_core *, u64) = {
		[XTCP_T_RTX] = on_rtx,
		[XTCP_T_DELACK] = on_delack,
		[XTCP_T_KEEP] = on_keep,
	};
	size_t i;

	for (i = 0; i < XTCP_NTIMERS; i++) {
		if (!c->deadline[i] || c->deadline[i] > now)
			continue;
		c->deadline[i] = 0;
		handler[i](c, now);
	}
}

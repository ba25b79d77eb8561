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

static u64 rto_now(const struct xtcp_core *c)
{
	return xtcp_rtt_backoff(c->rtt.rto, c->rtx_backoff, c->cfg->rto_max);
}

static u64 persist_now(const struct xtcp_core *c)
{
	return xtcp_rtt_backoff(max_t(u32, c->rtt.rto, XTCP_RTO_BASE),
				c->backoff, c->cfg->rto_max);
}

/* TCP_USER_TIMEOUT ends a connection when it says, not later. */
static u64 user_clamp(const struct xtcp_core *c, u64 since, u64 now, u64 at)
{
	if (!c->user_timeout || !since)
		return at;
	return clamp_t(u64, since + c->user_timeout, now + 1, at);
}

/* Starts or restarts the retransmission timer (RFC 6298, 5.1 and 5.3). */
void xtcp_rtx_arm(struct xtcp_core *c, u64 now)
{
	c->deadline[XTCP_T_RTX] =
		user_clamp(c, c->retrans ? c->retrans_start : 0, now,
			   now + rto_now(c));
}

/* Starts the persist timer, unless it runs (RFC 9293, 3.8.6.1). */
void xtcp_persist_arm(struct xtcp_core *c, u64 now)
{
	if (!c->deadline[XTCP_T_RTX])
		c->deadline[XTCP_T_RTX] =
			user_clamp(c, c->probe_start, now,
				   now + persist_now(c));
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
	xtcp_fail(c, XTCP_EV_TIMEOUT, ETIMEDOUT);
}

/*
 * As long as the timeout may still grow (@alive) an orphan is given a fair
 * time; after that none at all if ICMP says that it waits in vain.
 */
static u8 orphan_retries(const struct xtcp_core *c, bool alive)
{
	u8 n = c->cfg->orphan_retries;

	if (!alive)
		return c->dubious ? 0 : n;
	return n ? n : 8;
}

/* The time that @retries of a timeout of @base would take is over. */
static bool timed_out(const struct xtcp_core *c, u8 retries, u32 base, u64 now)
{
	if (!c->retrans)
		return false;
	return now - c->retrans_start >=
	       xtcp_rtt_give_up(retries, base, c->cfg->rto_max);
}

static bool user_timed_out(const struct xtcp_core *c, u64 now)
{
	return c->retrans && now - c->retrans_start >= c->user_timeout;
}

static bool syn_exhausted(const struct xtcp_core *c, u64 now)
{
	u8 retries = c->syn_cnt ? c->syn_cnt : c->cfg->syn_retries;
	u32 most = retries;

	if (c->state == XTCP_SYN_SENT)
		most += c->cfg->syn_linear_timeouts;
	if (c->retrans >= most)
		return true;
	if (c->user_timeout)
		return user_timed_out(c, now);
	return timed_out(c, retries, c->cfg->rto_init, now);
}

/* The peer closed its window over our data, but as long as it answers... */
static bool shrunk_exhausted(const struct xtcp_core *c, u64 now)
{
	u64 since = c->retrans_start ? c->retrans_start : c->last_snd;
	u64 limit = 2ULL * c->cfg->rto_max;

	if (c->user_timeout) {
		if (now - since > c->user_timeout)
			return true;
		limit = min(limit, c->user_timeout);
	}
	return now - c->last_rcv > limit && now - since > limit;
}

static bool rtx_exhausted(const struct xtcp_core *c, u64 now)
{
	u8 retries = c->cfg->retries2;

	if (!c->syn_acked)
		return syn_exhausted(c, now);
	if (!c->snd_wnd && !c->orphan)
		return shrunk_exhausted(c, now);
	if (c->user_timeout)
		return user_timed_out(c, now);
	if (c->orphan)
		retries = orphan_retries(c, rto_now(c) < c->cfg->rto_max);
	return timed_out(c, retries, XTCP_RTO_BASE, now);
}

/* Before giving up: another route may be there (RFC 1122, 4.2.3.5, R1). */
static bool route_doubted(const struct xtcp_core *c, u64 now)
{
	if (!c->syn_acked)
		return c->retrans;
	return timed_out(c, c->cfg->retries1, XTCP_RTO_BASE, now);
}

/* SYNs go at a steady pace first: most losses are not of congestion. */
static bool steady(const struct xtcp_core *c)
{
	return c->state == XTCP_SYN_SENT &&
	       c->retrans <= c->cfg->syn_linear_timeouts;
}

/* RFC 6298, 5.4 to 5.6; RFC 5681, 3.1. */
static void rtx_timeout(struct xtcp_core *c, u64 now)
{
	if (rtx_exhausted(c, now)) {
		give_up(c);
		return;
	}
	xtcp_host_count(c, XTCP_MIB_TIMEOUTS);
	c->sig |= XTCP_SIG_REHASH;
	if (route_doubted(c, now))
		c->sig |= XTCP_SIG_REROUTE;
	if (!c->retrans_start)
		c->retrans_start = now;
	if (c->syn_acked) {
		xtcp_cwnd_timeout(c);
		c->in_loss = true;
		c->in_recovery = false;
		c->dupacks = 0;
		c->dup_left = 0;
		c->recover = c->snd_nxt;
	}
	if (c->retrans < 255)
		c->retrans++;
	if (c->rtx_backoff < 255 && !steady(c))
		c->rtx_backoff++;
	c->rtt.sent = 0;
	xtcp_rtx_mark(c, c->snd_nxt);
	xtcp_rtx_arm(c, now);
}

void xtcp_core_unreachable(struct xtcp_core *c, u32 seq, u64 now)
{
	u64 at;

	if (!c->syn_acked || seq != c->snd_una || !c->rtx_backoff)
		return;
	c->rtx_backoff--;
	at = c->last_snd + rto_now(c);
	if (at > now)
		c->deadline[XTCP_T_RTX] =
			user_clamp(c, c->retrans_start, now, at);
	else
		rtx_timeout(c, now);
}

/*
 * Probes that are answered keep a connection for ever, unless the user wants
 * it otherwise or has left (RFC 9293, 3.8.6.1).
 */
static bool persist_exhausted(const struct xtcp_core *c, u64 now)
{
	bool alive = persist_now(c) < c->cfg->rto_max;
	u8 most = c->cfg->retries2;

	if (c->user_timeout && c->probe_start &&
	    now - c->probe_start >= c->user_timeout)
		return true;
	if (c->orphan) {
		most = orphan_retries(c, alive);
		if (!alive && c->backoff >= most)
			return true;
	}
	return c->probes >= most;
}

/*
 * Nothing is in flight and something is left: either Nagle, a cork or the
 * silly-window rule holds it back, which ends here; or the window is shut; or
 * the host cannot send, which has an end as well, as natively, where the same
 * timer and its count (tcp_send_probe0()) serve for both.
 */
static void persist_timeout(struct xtcp_core *c, u64 now)
{
	bool window = c->snd_wnd;

	c->sig |= XTCP_SIG_TX;
	c->force = window;
	if (window && !c->tx_failures)
		return;
	if (persist_exhausted(c, now)) {
		give_up(c);
		return;
	}
	if (!c->probe_start)
		c->probe_start = now;
	if (c->probes < 255)
		c->probes++;
	if (c->backoff < c->cfg->retries2)
		c->backoff++;
	xtcp_persist_arm(c, now);
	if (window)
		return;
	c->probe_due = true;
	xtcp_host_count(c, XTCP_MIB_ZEROWINPROBES);
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
	xtcp_delack_timeout(c);
}

static void on_retry(struct xtcp_core *c, u64 now)
{
	c->sig |= XTCP_SIG_TX;
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
	xtcp_host_count(c, XTCP_MIB_KEEPALIVES);
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

void xtcp_core_keepalive(struct xtcp_core *c, bool on, u64 now)
{
	if (on && c->keepalive)
		return;
	c->keepalive = on;
	if (keep_wanted(c))
		c->deadline[XTCP_T_KEEP] = now + keep_time(c);
	else
		xtcp_core_set_keepalive(c, now);
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
		[XTCP_T_RETRY] = on_retry,
	};
	size_t i;

	for (i = 0; i < XTCP_NTIMERS; i++) {
		if (!c->deadline[i] || c->deadline[i] > now)
			continue;
		c->deadline[i] = 0;
		handler[i](c, now);
	}
}

// SPDX-License-Identifier: GPL-2.0
/* Edges of the state table, together with what goes along with them. */
#include "internal.h"

static void event_entered(struct xtcp_core *c, u64 now)
{
	size_t i;

	switch (c->state) {
	case XTCP_CLOSED:
		c->sig |= XTCP_SIG_CLOSED;
		c->ack_now = false;
		for (i = 0; i < XTCP_NTIMERS; i++)
			c->deadline[i] = 0;
		xtcp_core_purge(c);
		break;
	case XTCP_TIME_WAIT:
		/* The host moves it to a mini-socket; if not, this ends it. */
		c->sig |= XTCP_SIG_TIME_WAIT;
		c->deadline[XTCP_T_KEEP] = now + c->cfg->timewait;
		break;
	}
}

/* Takes an edge and carries out its actions. */
void xtcp_event(struct xtcp_core *c, enum xtcp_event ev, u64 now)
{
	u8 from = c->state;
	u16 acts = xtcp_fsm_apply(c, ev);

	if (acts & (XTCP_DO_SYN | XTCP_DO_SYNACK))
		c->sig |= XTCP_SIG_TX;
	if (acts & XTCP_DO_ACK)
		xtcp_delack_edge(c, ev, now);
	if (acts & XTCP_DO_FIN) {
		c->fin_queued = true;
		c->sig |= XTCP_SIG_TX;
	}
	if (acts & XTCP_DO_RST)
		c->sig |= XTCP_SIG_SEND_RST;
	if (acts & XTCP_DO_OPENED)
		c->sig |= XTCP_SIG_CONNECTED;
	if (acts & XTCP_DO_EOF)
		c->sig |= XTCP_SIG_EOF;
	if (acts & XTCP_DO_ERROR)
		c->sig |= XTCP_SIG_ERROR;
	if (c->state != from)
		event_entered(c, now);
}

/* An edge to CLOSED that the user, if the table says so, learns of as @err. */
void xtcp_fail(struct xtcp_core *c, enum xtcp_event ev, int err)
{
	if (xtcp_fsm[c->state][ev].actions & XTCP_DO_ERROR)
		c->err = err;
	xtcp_event(c, ev, 0);
}

/* Payload of a segment: what path and peer take, less timestamps. */
void xtcp_mss_set(struct xtcp_core *c, u16 path)
{
	int mss = min(path, c->peer_mss) - (c->ts_ok ? XTCP_TS_SPACE : 0);

	c->mss = max_t(int, mss, XTCP_MSS_MIN);
}

/* What the peer's SYN says: timestamps, segment size, window scale. */
void xtcp_peer_options(struct xtcp_core *c, const struct xtcp_seg *s, u64 now)
{
	c->ts_ok = c->cfg->timestamps && (s->opts & XTCP_OPT_TS);
	c->ts_recent = c->ts_ok ? s->tsval : 0;
	c->ts_stamp = c->ts_ok ? now : 0;
	c->peer_mss = s->opts & XTCP_OPT_MSS ? s->mss : XTCP_MSS_DEFAULT;
	xtcp_mss_set(c, c->mss);
	c->ws_ok = c->cfg->window_scaling && (s->opts & XTCP_OPT_WS);
	if (c->ws_ok) {
		c->snd_wscale = s->wscale;
	} else {
		c->snd_wscale = 0;
		c->rcv_wscale = 0;
	}
}

/*
 * Our SYN is acknowledged: data may flow.  @ev is the edge to ESTABLISHED,
 * or XTCP_NEVENTS if the user has closed already and the state stays.
 */
void xtcp_established(struct xtcp_core *c, enum xtcp_event ev, u64 now)
{
	c->syn_acked = true;
	c->recover = c->iss;
	c->snd_sml = c->iss + 1;
	c->last_data = now;
	xtcp_rcvspace_start(c, now);
	/* Too little is soon mended, too much would withhold ACKs. */
	c->rcv_mss = min3(c->own_mss, c->mss, (u16)XTCP_MSS_DEFAULT);
	xtcp_cwnd_start(c, now);
	/*
	 * A lost SYN says that the initial timeout may have been too short
	 * (RFC 6298, 5.7); losing it twice, that the path is congested.
	 */
	if (c->retrans && !c->rtt.srtt)
		c->rtt.rto = clamp_t(u32, XTCP_RTO_FALLBACK, c->rtt.rto,
				     c->cfg->rto_max);
	if (c->retrans > 1)
		c->cwnd = 1;
	c->retrans = 0;
	c->rtx_backoff = 0;
	c->retrans_start = 0;
	if (ev != XTCP_NEVENTS)
		xtcp_event(c, ev, now);
	xtcp_core_set_keepalive(c, now);
}

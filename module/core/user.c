// SPDX-License-Identifier: GPL-2.0
/* What the user does to a connection, and what the network below reports. */
#include "internal.h"

void xtcp_core_init(struct xtcp_core *c, const struct xtcp_cfg *cfg)
{
	memset(c, 0, sizeof(*c));
	xtcp_fsm_birth(c);
	c->cfg = cfg;
	c->cc = &xtcp_cc_newreno;
	c->own_mss = XTCP_MSS_DEFAULT;
	c->mss = XTCP_MSS_DEFAULT;
	c->peer_mss = XTCP_MSS_DEFAULT;
	c->rcv_mss = XTCP_MSS_DEFAULT;
	c->rtt.rto = cfg->rto_init;
	c->ooo.root = RB_ROOT;
}

void xtcp_core_renew(struct xtcp_core *c)
{
	struct xtcp_core anew;

	xtcp_core_init(&anew, c->cfg);
	anew.nodelay = c->nodelay;
	anew.cork = c->cork;
	anew.keepalive = c->keepalive;
	anew.keep_time = c->keep_time;
	anew.keep_intvl = c->keep_intvl;
	anew.keep_cnt = c->keep_cnt;
	anew.syn_cnt = c->syn_cnt;
	anew.linger2 = c->linger2;
	anew.user_timeout = c->user_timeout;
	anew.cc = c->cc;
	*c = anew;
}

void xtcp_core_retire(struct xtcp_core *c)
{
	xtcp_fsm_birth(c);
	memset(c->deadline, 0, sizeof(c->deadline));
	c->ack_now = false;
	xtcp_core_purge(c);
}

void xtcp_core_listen(struct xtcp_core *c)
{
	xtcp_event(c, XTCP_EV_LISTEN, 0);
}

static void send_space(struct xtcp_core *c, u32 iss)
{
	c->iss = iss;
	c->snd_una = iss;
	c->snd_nxt = iss;
	c->snd_sml = iss;
	c->rtx_nxt = iss;
	c->rtx_end = iss;
	c->recover = iss;
	c->write_seq = iss + 1;
	c->mss = max_t(u16, c->mss, XTCP_MSS_MIN);
}

void xtcp_core_connect(struct xtcp_core *c, u32 iss, u32 rcv_buf_max, u64 now)
{
	send_space(c, iss);
	c->rcv_wscale = xtcp_wscale_choose(c->cfg, rcv_buf_max);
	c->rcv_wnd = min_t(u32, c->rcv_free, 65535);
	c->ts_first = xtcp_ts_val(c->ts_off, now);
	c->retrans_start = now;
	xtcp_event(c, XTCP_EV_CONNECT, now);
}

void xtcp_core_accept(struct xtcp_core *c, const struct xtcp_req *r, u64 now)
{
	send_space(c, r->iss);
	c->snd_nxt = r->iss + 1;
	c->irs = r->irs;
	c->rcv_nxt = r->irs + 1;
	c->rcv_wup = c->rcv_nxt;
	c->rcv_wnd = min_t(u32, r->rcv_wnd, 65535);
	c->rcv_wscale = r->rcv_wscale;
	c->snd_wscale = r->snd_wscale;
	c->ws_ok = r->ws_ok;
	c->snd_wnd = r->snd_wnd;
	c->max_snd_wnd = r->snd_wnd;
	c->snd_wl1 = r->irs;
	c->snd_wl2 = r->iss;
	c->own_mss = r->own_mss;
	c->peer_mss = r->peer_mss;
	c->ts_ok = r->ts_ok;
	c->ts_off = r->ts_off;
	if (r->ts_ok) {
		c->ts_recent = r->ts_recent;
		c->ts_stamp = now;
	}
	xtcp_mss_set(c, c->mss);
	c->retrans = r->retrans;
	c->retrans_start = now;
	/* Karn: a repeated SYN-ACK measures nothing. */
	c->rtt.sent = r->retrans ? 0 : r->sent;
	c->rtt.seq = r->iss + 1;
	xtcp_fsm_child(c);
	xtcp_rtx_arm(c, now);
}

void xtcp_core_wrote(struct xtcp_core *c, u32 len)
{
	if (c->fin_queued)
		return;
	c->write_seq += len;
	c->sig |= XTCP_SIG_TX;
}

void xtcp_core_push(struct xtcp_core *c)
{
	c->sig |= XTCP_SIG_TX;
}

void xtcp_core_push_all(struct xtcp_core *c)
{
	if (c->snd_nxt != xtcp_core_send_end(c)) {
		c->push = true;
		c->push_end = c->write_seq;
	}
	c->sig |= XTCP_SIG_TX;
}

void xtcp_core_shutdown(struct xtcp_core *c, u64 now)
{
	if (xtcp_fsm[c->state][XTCP_EV_CLOSE].next) {
		xtcp_event(c, XTCP_EV_CLOSE, now);
	} else if (c->state == XTCP_FIN_WAIT2 && c->orphan && c->linger2 < 0) {
		xtcp_host_count(c, XTCP_MIB_ABORTLINGER);
		xtcp_event(c, XTCP_EV_ABORT, now);
	} else if (c->state == XTCP_FIN_WAIT2 && c->orphan) {
		xtcp_fin_wait2_orphan(c, now);
	}
}

void xtcp_core_abort(struct xtcp_core *c, int err)
{
	bool left = (c->state == XTCP_CLOSING || c->state == XTCP_LAST_ACK) &&
		    c->snd_nxt != xtcp_core_send_end(c);

	if (c->state == XTCP_CLOSED)
		return;
	c->err = err;
	xtcp_event(c, c->state == XTCP_LISTEN ? XTCP_EV_CLOSE : XTCP_EV_ABORT,
		   0);
	/*
	 * Not in the table: these states begin with close(), not with the FIN,
	 * and until it has gone the peer knows nothing of an end.
	 */
	if (left)
		c->sig |= XTCP_SIG_SEND_RST;
	if (err)
		c->sig |= XTCP_SIG_ERROR;
}

void xtcp_core_set_mss(struct xtcp_core *c, u16 mss, u64 now)
{
	/* Until its SYN is here the peer has announced nothing. */
	if (c->state != XTCP_CLOSED && c->state != XTCP_SYN_SENT)
		xtcp_mss_set(c, mss);
	else
		c->mss = max_t(u16, mss, XTCP_MSS_MIN);
}

void xtcp_core_too_long(struct xtcp_core *c)
{
	/* What is no longer in all than one segment may be has had room. */
	if (!c->syn_acked || xtcp_core_flight(c) <= c->mss)
		return;
	c->rtt.sent = 0;
	xtcp_rtx_mark(c, c->snd_nxt);
}

bool xtcp_core_net_error(struct xtcp_core *c, int err)
{
	if (!xtcp_fsm[c->state][XTCP_EV_NET_ERROR].next)
		return false;
	xtcp_fail(c, XTCP_EV_NET_ERROR, err);
	return true;
}

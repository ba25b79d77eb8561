// SPDX-License-Identifier: GPL-2.0
/* What must hold after every step, and at the end. */
#include "sim.h"

#define MUST(cond)							\
	do {								\
		if (!(cond))						\
			fail("%c: does not hold: %s", e->name, #cond);	\
	} while (0)

static void check_reasm(struct end *e)
{
	const struct xtcp_reasm *q = &e->core.ooo;
	struct xtcp_rxd *d, *last = NULL;
	u32 count = 0, bytes = 0, at = e->core.rcv_nxt;
	struct rb_node *n;

	for (n = rb_first(&q->root); n; n = rb_next(n)) {
		d = rb_entry(n, struct xtcp_rxd, node);
		MUST(count ? seq_ge(d->seq, at) : seq_gt(d->seq, at));
		MUST(seq_gt(d->end, d->seq));
		at = d->end;
		bytes += d->end - d->seq;
		count++;
		last = d;
	}
	MUST(q->count == count);
	MUST(q->bytes == bytes);
	MUST(q->last == last);
	MUST(!count || seq_le(at, e->far));
}

/* Nothing is in flight without a packet, nor is there one of nothing. */
static void check_packets(struct end *e)
{
	const struct xtcp_core *c = &e->core;

	MUST(!c->syn_acked || !c->pkts.out == !xtcp_core_flight(c));
	MUST(c->pkts.out <= xtcp_core_flight(c));
	MUST(c->pkts.out >= c->dup_left + !!c->pkts.out);
}

static void check_send(struct end *e)
{
	const struct xtcp_core *c = &e->core;

	MUST(seq_le(c->iss, c->snd_una));
	MUST(seq_le(c->snd_una, c->rtx_nxt));
	MUST(seq_le(c->rtx_nxt, c->snd_nxt));
	MUST(seq_le(c->rtx_end, c->snd_nxt));
	MUST(seq_le(c->snd_nxt, xtcp_core_send_end(c)));
	MUST(c->write_seq == c->iss + 1 + e->written);
	MUST(c->mss >= XTCP_MSS_MIN);
	MUST(!c->syn_acked || c->cwnd);
	check_packets(e);
	MUST(!c->syn_acked || c->ssthresh);
	MUST(c->rtt.rto <= c->cfg->rto_max);
	MUST(!(c->in_recovery && c->in_loss));
}

static void check_receive(struct end *e)
{
	const struct xtcp_core *c = &e->core;
	u32 right = c->rcv_wup + c->rcv_wnd;

	if (c->state == XTCP_SYN_SENT)
		return;
	MUST(seq_le(c->rcv_wup, c->rcv_nxt));
	MUST(e->delivered == c->rcv_nxt - c->irs - 1 - c->fin_rcvd);
	MUST(seq_le(c->rcv_nxt, right + c->fin_rcvd));
	/* What was offered is not taken back, except by a refusal. */
	if (e->right_valid)
		MUST(seq_ge(right, e->right));
	e->far = e->started ? seq_max(e->far, right) : right;
	e->started = true;
	e->right = right;
	e->right_valid = !c->rcv_refused;
	check_reasm(e);
	MUST(e->eof == (c->fin_rcvd && c->state != XTCP_CLOSED) ||
	     c->state == XTCP_CLOSED);
}

static void check_timers(struct end *e)
{
	const struct xtcp_core *c = &e->core;
	const u64 *at = c->deadline;

	if (e->tx_blocked) {
		MUST(at[XTCP_T_RETRY]);
		return;
	}
	MUST(c->snd_nxt == c->snd_una || at[XTCP_T_RTX]);
	MUST(c->snd_nxt == xtcp_core_send_end(c) || at[XTCP_T_RTX]);
	MUST(!c->ack_now);
	MUST(!c->ack_bytes || at[XTCP_T_DELACK]);
	/* Whatever has come is acknowledged, or will be. */
	MUST(c->state == XTCP_SYN_SENT || c->rcv_wup == c->rcv_nxt ||
	     at[XTCP_T_DELACK]);
	MUST(c->state != XTCP_TIME_WAIT || at[XTCP_T_KEEP]);
	MUST(c->state != XTCP_FIN_WAIT2 || !c->orphan || at[XTCP_T_KEEP]);
}

void check_end(struct end *e)
{
	if (e->mode != END_CORE)
		return;
	MUST(e->core.state >= 1 && e->core.state < XTCP_NSTATES);
	MUST(e->core.state != XTCP_CLOSED);
	check_send(e);
	check_receive(e);
	check_timers(e);
}

/* What the core wants to send now. */
void check_sent(struct end *e, const struct xtcp_txd *d)
{
	const struct xtcp_core *c = &e->core;
	u32 end = d->seq + d->len + !!(d->flags & XTCP_FIN);
	u32 packets = max_t(u32, DIV_ROUND_UP(d->len, c->mss), 1);

	if (!d->len && !(d->flags & (XTCP_FIN | XTCP_SYN)))
		return;
	if (d->flags & XTCP_SYN) {
		MUST(d->seq == c->iss && !d->len);
		return;
	}
	MUST(c->syn_acked);
	MUST(seq_ge(d->seq, c->snd_una));
	MUST(seq_le(end, xtcp_core_send_end(c)));
	MUST(d->len <= max_t(u32, c->burst, c->mss));
	if (d->rtx) {
		MUST(seq_le(end, c->snd_nxt));
		return;
	}
	MUST(d->seq == c->snd_nxt);
	MUST(seq_le(end, c->snd_una + c->snd_wnd));
	/* A FIN alone goes whatever cwnd says. */
	MUST(!d->len || xtcp_core_in_network(c) + packets <= c->cwnd);
}

static void check_complete(struct end *e)
{
	/* Where nothing goes wrong nothing may be sent twice. */
	MUST(!S.ideal || !e->core.total_retrans || e->queue_silent ||
	     S.class == CLASS_REUSE);

	MUST(e->connected);
	/* The last ACK may be lost as often as its FIN is repeated. */
	MUST(!e->err || e->left_alone);
	MUST(e->written == e->to_write);
	MUST(e->delivered == e->peer->to_write);
	MUST(e->eof);
}

/* Ghosts may keep it from happening, but not half of it. */
void check_incarnation(void)
{
	if (S.end[0].err || S.end[1].err)
		return;
	check_complete(&S.end[0]);
	check_complete(&S.end[1]);
}

void check_finished(void)
{
	struct end *e = &S.end[0];
	int i;

	if (S.rx_live)
		fail("%llu buffers were lost", (unsigned long long)S.rx_live);
	switch (S.class) {
	case CLASS_REUSE:
		if (S.rounds)
			fail("%u incarnations never came", S.rounds);
		check_incarnation();
		break;
	case CLASS_SIMCLOSE:
		for (i = 0; i < S.nends; i++) {
			e = &S.end[i];
			MUST(!S.ideal || e->was_closing);
		}
		fallthrough;
	case CLASS_HALF:
	case CLASS_CLEAN:
	case CLASS_SIMOPEN:
	case CLASS_SELF:
		for (i = 0; i < S.nends; i++)
			check_complete(&S.end[i]);
		break;
	case CLASS_ABORT:
		/* Who is left behind learns of it, or had all it wanted. */
		for (i = 0; i < S.nends; i++) {
			e = &S.end[i];
			MUST(e->closed || !e->connected || e->err || e->eof);
		}
		break;
	case CLASS_REFUSED:
		MUST(e->err == ECONNREFUSED);
		break;
	default:
		break;
	}
	for (i = 0; i < S.nends; i++) {
		e = &S.end[i];
		MUST(!e->err || e->err == ECONNRESET || e->err == EPIPE ||
		     e->err == ETIMEDOUT || e->err == ECONNREFUSED ||
		     e->err == EHOSTUNREACH);
	}
}

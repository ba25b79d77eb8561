// SPDX-License-Identifier: GPL-2.0
/*
 * Any series of segments, calls and timeouts on one connection.  Numbers in
 * the input are offsets from what the connection has, so that most of them
 * land near the edges that matter.
 */
#include <stdlib.h>

#include "../../module/core/host.h"

struct rx {
	struct xtcp_rxd d;
	u32 len;
};

static struct xtcp_core C;
static struct xtcp_cfg cfg;
static u64 now;
static u32 unread, live, right;
static bool right_valid;

static void must(bool holds)
{
	if (!holds)
		abort();
}

void xtcp_host_set_state(struct xtcp_core *c, u8 from, u8 ev, u8 to)
{
	must(to && c->state == to && xtcp_fsm[from][ev].next == to);
}

/* A full buffer, seldom: the way there is long enough for the fuzzer. */
bool xtcp_host_charge(struct xtcp_core *c, struct xtcp_rxd *d, bool in_order)
{
	must(d->seq == c->rcv_nxt || !in_order);
	if (now % 16)
		return true;
	if (in_order && xtcp_core_prune(c))
		return true;
	/* Payload that was promised room and got none shuts the window. */
	right_valid = false;
	return false;
}

void xtcp_host_deliver(struct xtcp_core *c, struct xtcp_rxd *d, u32 off,
		       u32 len)
{
	struct rx *r = container_of(d, struct rx, d);

	must(len && off <= r->len && len <= r->len - off);
	must(seq_le(c->rcv_nxt + len, right));
	unread += len;
	live--;
	free(r);
}

void xtcp_host_discard(struct xtcp_core *c, struct xtcp_rxd *d)
{
	live--;
	free(container_of(d, struct rx, d));
}

bool xtcp_host_challenge_ok(struct xtcp_core *c)
{
	return now & 1;
}

void xtcp_host_count(struct xtcp_core *c, enum xtcp_mib id)
{
	must(id < XTCP_MIB_NMAX_CORE);
}

/* ---- the input, taken byte by byte ---- */

static const u8 *in, *in_end;

static u8 byte(void)
{
	return in < in_end ? *in++ : 0;
}

static u16 word(void)
{
	u16 hi = byte();

	return hi << 8 | byte();
}

/* Near an edge, or anywhere. */
static u32 near(u32 edge)
{
	u8 b = byte();

	if (b < 200)
		return edge + (s32)b - 100;
	if (b < 250)
		return edge + (int16_t)word();
	return (u32)word() << 16 | word();
}

static u32 some_seq(void)
{
	switch (byte() % 5) {
	case 0:
		return C.rcv_nxt;
	case 1:
		return near(C.rcv_nxt);
	case 2:
		return near(C.rcv_wup + C.rcv_wnd);
	case 3:
		return near(C.irs);
	default:
		return C.ooo.last ? near(C.ooo.last->end) : near(0);
	}
}

static u32 some_ack(void)
{
	switch (byte() % 4) {
	case 0:
		return C.snd_nxt;
	case 1:
		return C.snd_una;
	case 2:
		return near(C.snd_una);
	default:
		return near(C.snd_nxt);
	}
}

/* ---- what must hold ---- */

static void check(void)
{
	u32 r = C.rcv_wup + C.rcv_wnd;

	must(C.state >= 1 && C.state < XTCP_NSTATES);
	if (C.state == XTCP_CLOSED) {
		must(!xtcp_core_deadline(&C) && !C.ooo.count);
		return;
	}
	must(seq_le(C.snd_una, C.rtx_nxt) && seq_le(C.rtx_nxt, C.snd_nxt));
	must(seq_le(C.rtx_end, C.snd_nxt));
	must(seq_le(C.snd_nxt, xtcp_core_send_end(&C)));
	must(!C.syn_acked || (C.cwnd && C.ssthresh));
	must(C.mss >= XTCP_MSS_MIN && C.rtt.rto <= cfg.rto_max);
	must(live == C.ooo.count);
	must(C.snd_nxt == C.snd_una || C.deadline[XTCP_T_RTX] ||
	     C.deadline[XTCP_T_RETRY]);
	must(C.pkts.out >= C.dup_left + !!C.pkts.runs);
	if (C.state == XTCP_SYN_SENT)
		return;
	must(!right_valid || seq_ge(r, right));
	must(seq_le(C.rcv_nxt, r + C.fin_rcvd));
	right = r;
	right_valid = !C.rcv_refused;
}

static void tx(void)
{
	struct xtcp_txd d;
	struct xtcp_hdr h;
	int guard = 0;
	u8 b;

	C.sig = 0;
	C.rcv_free = unread + C.ooo.bytes < C.rcv_buf ?
		     C.rcv_buf - unread - C.ooo.bytes : 0;
	while (xtcp_core_next_tx(&C, now, &d)) {
		must(++guard < 100000);
		b = byte();
		if (b >= 253) {
			xtcp_core_tx_done(&C, &d, b - 253 + XTCP_TX_HELD, now);
			continue;
		}
		must(d.len <= max_t(u32, C.burst, C.mss));
		must(d.rtx || d.probe || !d.len ||
		     seq_le(d.seq + d.len, C.snd_una + C.snd_wnd));
		xtcp_core_hdr(&C, &d, now, &h);
		xtcp_core_tx_done(&C, &d, b == 252 ? XTCP_TX_CONGESTED :
				  XTCP_TX_SENT, now);
	}
}

/* ---- events ---- */

static void ev_segment(void)
{
	struct xtcp_seg s = {
		.seq = some_seq(), .ack = some_ack(), .sport = 2, .dport = 1,
		.flags = byte(), .wnd = word(), .hlen = 20,
	};
	struct rx *r = NULL;
	u8 kind = byte();

	if (kind & 1)
		s.len = kind & 2 ? word() : byte();
	if (!(kind & 8))
		s.flags |= XTCP_ACK;
	if (kind & 4) {
		s.opts = byte() & (XTCP_OPT_MSS | XTCP_OPT_WS | XTCP_OPT_TS);
		s.mss = word() | 1;
		s.wscale = byte() % (XTCP_WSCALE_MAX + 1);
	}
	if (C.ts_ok && !(kind & 32)) {
		s.opts |= XTCP_OPT_TS;
		s.tsval = near(C.ts_recent);
		s.tsecr = near(xtcp_ms(now));
	}
	/* What the parser lets through. */
	if ((s.flags & XTCP_SYN) && (s.flags & (XTCP_FIN | XTCP_RST)))
		return;
	if (s.len || kind & 16) {
		r = calloc(1, sizeof(*r));
		r->len = s.len;
		live++;
	}
	xtcp_core_input(&C, &s, r ? &r->d : NULL, now);
}

static void ev_time(void)
{
	u64 at = xtcp_core_deadline(&C);
	u8 b = byte();

	if (at && b < 200)
		now = max_t(u64, now, at);
	else
		now += (u64)b * 10000;
	xtcp_core_timeout(&C, now);
}

static void ev_user(void)
{
	u32 n;

	switch (byte() % 10) {
	case 0:
		n = word();
		if (xtcp_core_can_write(&C))
			xtcp_core_wrote(&C, n);
		break;
	case 1:
		n = word();
		unread -= min(n, unread);
		C.rcv_free = C.rcv_buf > unread ? C.rcv_buf - unread : 0;
		xtcp_core_read(&C, now);
		break;
	case 2:
		xtcp_core_shutdown(&C, now);
		break;
	case 3:
		C.orphan = true;
		C.rcv_shut = true;
		xtcp_core_shutdown(&C, now);
		break;
	case 4:
		if (byte() > 250)
			xtcp_core_abort(&C, ECONNABORTED);
		break;
	case 5:
		C.nodelay = !C.nodelay;
		xtcp_core_push(&C);
		break;
	case 6:
		C.cork = !C.cork;
		xtcp_core_push(&C);
		break;
	case 7:
		xtcp_core_set_mss(&C, word(), now);
		if (byte() & 1)
			xtcp_core_too_long(&C);
		break;
	case 8:
		if (xtcp_core_in_flight(&C, near(C.snd_una)))
			xtcp_core_net_error(&C, EHOSTUNREACH);
		break;
	default:
		C.keepalive = !C.keepalive;
		xtcp_core_set_keepalive(&C, now);
	}
}

static void begin(void)
{
	struct xtcp_seg syn = {
		.seq = near(0), .flags = XTCP_SYN, .wnd = word(),
		.opts = XTCP_OPT_MSS | XTCP_OPT_WS, .mss = 1460, .wscale = 7,
		.tsval = ~0U - 2,
	};
	struct xtcp_seg ack;
	struct xtcp_req r;
	u8 b = byte();

	xtcp_cfg_defaults(&cfg);
	now = 1;
	unread = 0;
	live = 0;
	right_valid = false;
	xtcp_core_init(&C, &cfg);
	C.own_mss = b & 1 ? 1460 : 64;
	C.mss = C.own_mss;
	C.rcv_buf = b & 2 ? 100000 : 500;
	C.rcv_free = C.rcv_buf;
	C.burst = b & 4 ? 60000 : C.mss;
	if (b & 16)
		syn.opts |= XTCP_OPT_TS;
	if (b & 8) {
		xtcp_core_connect(&C, near(0), C.rcv_buf, now);
		return;
	}
	xtcp_req_open(&r, &syn, near(0), C.own_mss, C.rcv_buf, C.rcv_buf, 0,
		      &cfg);
	xtcp_core_accept(&C, &r, now);
	right = C.rcv_wup + C.rcv_wnd;
	right_valid = true;
	ack = (struct xtcp_seg){
		.seq = syn.seq + 1, .ack = r.iss + 1, .flags = XTCP_ACK,
		.wnd = word(), .hlen = 20,
	};
	xtcp_core_input(&C, &ack, NULL, now);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);
int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	in = data;
	in_end = data + size;
	begin();
	while (in < in_end) {
		u8 what = byte();

		now += what;
		if (what < 170)
			ev_segment();
		else if (what < 210)
			ev_time();
		else
			ev_user();
		check();
		tx();
		check();
	}
	xtcp_core_purge(&C);
	must(!live);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0
/* The host's side of the core: buffers, requests, TIME_WAIT, sending. */
#include "sim.h"

static struct end *end_of(struct xtcp_core *c)
{
	for (int i = 0; i < 2; i++)
		if (c == &S.end[i].core || c == &S.end[i].listener)
			return &S.end[i];
	abort();
}

/* ---- what the core asks for ---- */

void xtcp_host_set_state(struct xtcp_core *c, u8 from, u8 ev, u8 to)
{
	trace("%c   %s --%s--> %s", end_of(c)->name, xtcp_state_name(from),
	      xtcp_event_name(ev), xtcp_state_name(to));
	if (!to)
		fail("no such edge: %s on %s", xtcp_state_name(from),
		     xtcp_event_name(ev));
	if (c->state != to)
		fail("state not set");
	edges[from][ev]++;
	if (to == XTCP_CLOSING)
		end_of(c)->was_closing = true;
	if (ev == XTCP_EV_TIMEOUT &&
	    (from == XTCP_LAST_ACK || from == XTCP_CLOSING))
		end_of(c)->left_alone = true;
}

bool xtcp_host_charge(struct xtcp_core *c, struct xtcp_rxd *d, bool in_order)
{
	if (in_order != (d->seq == c->rcv_nxt))
		fail("%c: in order or not?", end_of(c)->name);
	if (S.now >= S.heal_at || !chance(S.mem_drop))
		return true;
	trace("%c   no memory to receive", end_of(c)->name);
	if (in_order && xtcp_core_prune(c))
		return true;
	/* The next ACK closes the window. */
	if (in_order)
		end_of(c)->right_valid = false;
	return false;
}

void xtcp_host_deliver(struct xtcp_core *c, struct xtcp_rxd *d, u32 off,
		       u32 len)
{
	struct rx *r = container_of(d, struct rx, d);
	struct end *e = end_of(c);

	if (off > r->len || len > r->len - off || !len)
		fail("%c: delivery outside of the payload", e->name);
	if (e->delivered + len > e->peer->written)
		fail("%c: more delivered than was sent", e->name);
	if (e->delivered != c->rcv_nxt - c->irs - 1)
		fail("%c: delivered at the wrong place", e->name);
	if (memcmp(r->data + off, e->peer->out + e->delivered, len))
		fail("%c: delivered bytes differ at %u", e->name, e->delivered);
	e->delivered += len;
	e->unread += len;
	if (e->delivered == e->peer->to_write)
		e->done_at = S.now;
	S.rx_live--;
	free(r);
}

void xtcp_host_discard(struct xtcp_core *c, struct xtcp_rxd *d)
{
	(void)c;
	S.rx_live--;
	free(container_of(d, struct rx, d));
}

bool xtcp_host_challenge_ok(struct xtcp_core *c)
{
	return !chance(100);
}

void xtcp_host_count(struct xtcp_core *c, enum xtcp_mib id)
{
	(void)c;
	if (id >= XTCP_MIB_NMAX_CORE)
		fail("no such counter");
}

/* An edge that a request takes; the core never sees it. */
static void edge_of_request(struct end *e, u8 from, u8 ev)
{
	u8 to = xtcp_fsm[from][ev].next;

	trace("%c   (request) %s --%s--> %s", e->name, xtcp_state_name(from),
	      xtcp_event_name(ev), xtcp_state_name(to));
	if (!to)
		fail("no such edge for a request");
	edges[from][ev]++;
}

void host_rcv_free(struct end *e)
{
	u32 used = e->unread + e->core.ooo.bytes;

	e->core.rcv_free = used < e->core.rcv_buf ? e->core.rcv_buf - used : 0;
}

/* ---- sending ---- */

static void host_ports(struct end *e, struct xtcp_hdr *h)
{
	h->sport = e->port;
	h->dport = e->peer->port;
}

static enum xtcp_tx_result host_xmit(struct end *e, const struct xtcp_txd *d)
{
	struct xtcp_core *c = &e->core;
	u32 pos = d->seq - c->iss - 1, off = 0;
	struct xtcp_hdr h;

	check_sent(e, d);
	xtcp_core_hdr(c, d, S.now, &h);
	if (!net_room(e, d->len)) {
		e->refused++;
		return e->queue_silent ? XTCP_TX_SENT : XTCP_TX_REFUSED;
	}
	e->sent_packets += DIV_ROUND_UP(d->len, c->mss);
	do {
		u32 n = min_t(u32, d->len - off, c->mss);
		struct xtcp_hdr one = h;

		one.seq += off;
		if (off + n < d->len)
			one.flags &= ~(XTCP_FIN | XTCP_PSH);
		net_send(e, &one, d->len ? e->out + pos + off : (u8 *)"", n);
		off += n;
	} while (off < d->len);
	return XTCP_TX_SENT;
}

/* The host below IP has enough for now, and says so when that is over. */
static bool host_holds(struct end *e, const struct xtcp_txd *d)
{
	const struct xtcp_core *c = &e->core;

	if (!d->len || c->snd_nxt == c->snd_una ||
	    (!e->held_at && !chance(S.hold)))
		return false;
	if (!e->held_at)
		e->held_at = S.now + 1 + rnd_below(2000);
	trace("%c   held", e->name);
	return true;
}

static void host_tx(struct end *e)
{
	struct xtcp_core *c = &e->core;
	struct xtcp_txd d;
	int guard = 0;

	e->tx_blocked = false;
	if (e->any_burst)
		c->burst = chance(300) ? c->mss : rnd_below(65000);
	while (xtcp_core_next_tx(c, S.now, &d)) {
		if (++guard > 5000)
			fail("%c: sending without end", e->name);
		if (S.now < S.heal_at && chance(S.tx_fail)) {
			trace("%c   no memory to send", e->name);
			xtcp_core_tx_done(c, &d, rnd_below(2) ?
					  XTCP_TX_NO_MEMORY : XTCP_TX_REFUSED,
					  S.now);
			e->tx_blocked |= !(d.flags & XTCP_SYN);
			continue;
		}
		if (host_holds(e, &d)) {
			xtcp_core_tx_done(c, &d, XTCP_TX_HELD, S.now);
			continue;
		}
		xtcp_core_tx_done(c, &d, host_xmit(e, &d), S.now);
	}
}

/* Does what the core signalled; @s is the segment that it answers, if any. */
void host_service(struct end *e, const struct xtcp_seg *s)
{
	struct xtcp_core *c = &e->core;
	struct xtcp_hdr h;
	u32 sig = c->sig;

	c->sig = 0;
	host_rcv_free(e);
	if (sig & XTCP_SIG_REPLY_RST) {
		if (!s || !xtcp_rst_reply(s, &h))
			fail("%c: RST with nothing to answer", e->name);
		net_send(e, &h, (u8 *)"", 0);
	}
	if (sig & XTCP_SIG_SEND_RST) {
		xtcp_core_rst_hdr(c, S.now, &h);
		net_send(e, &h, (u8 *)"", 0);
	}
	if (sig & XTCP_SIG_CONNECTED)
		e->connected = true;
	if (sig & XTCP_SIG_EOF)
		e->eof = true;
	if (sig & XTCP_SIG_ERROR) {
		trace("%c   error %d", e->name, c->err);
		e->err = c->err;
	}
	if (sig & XTCP_SIG_TX)
		host_tx(e);
	if (c->sig & ~XTCP_SIG_TX)
		fail("%c: sending raised signals %#x", e->name, c->sig);
	c->sig = 0;
	if ((sig & (XTCP_SIG_TIME_WAIT | XTCP_SIG_FIN_WAIT2)) &&
	    (c->state == XTCP_TIME_WAIT || c->state == XTCP_FIN_WAIT2) &&
	    e->use_tw && !e->tx_blocked) {
		xtcp_tw_open(&e->tw, c);
		e->tw_at = S.now + xtcp_core_mini_time(c, S.now);
		xtcp_core_purge(c);
		e->mode = END_TW;
	}
	if (sig & XTCP_SIG_CLOSED)
		e->mode = END_DEAD;
}

/* ---- opening ---- */

static void host_settings(struct end *e)
{
	struct xtcp_core *c = &e->core;
	u32 buf = c->rcv_buf;
	u16 mss = c->own_mss;
	u32 burst = c->burst;
	bool nodelay = c->nodelay, cork = c->cork, keep = c->keepalive;
	s64 linger2 = c->linger2;

	xtcp_core_init(c, &e->cfg);
	c->rcv_buf = buf;
	c->own_mss = mss;
	c->mss = mss;
	c->burst = burst;
	c->nodelay = nodelay;
	c->cork = cork;
	c->keepalive = keep;
	c->linger2 = linger2;
	e->held_at = 0;
	c->keep_time = 20 * US_S;
	c->keep_intvl = 5 * US_S;
	c->keep_cnt = 4;
	c->ts_off = e->ts_off;
	c->sport = e->port;
	c->dport = e->peer->port;
	host_rcv_free(e);
}

void host_connect(struct end *e)
{
	host_settings(e);
	e->mode = END_CORE;
	xtcp_core_connect(&e->core, rnd(), e->core.rcv_buf << rnd_below(4),
			  S.now);
	host_service(e, NULL);
}

void host_listen(struct end *e)
{
	host_settings(e);
	if (!e->listening) {
		xtcp_core_init(&e->listener, &e->cfg);
		xtcp_core_listen(&e->listener);
		e->listening = true;
	}
	e->mode = END_LISTEN;
}

void host_close_listener(struct end *e)
{
	if (!e->listening)
		return;
	if (chance(500))
		xtcp_core_shutdown(&e->listener, S.now);
	else
		xtcp_core_abort(&e->listener, 0);
	if (e->listener.state != XTCP_CLOSED)
		fail("listener not closed");
	e->listening = false;
	if (e->mode == END_LISTEN)
		e->mode = END_DEAD;
}

static void req_synack(struct end *e)
{
	struct xtcp_hdr h;

	xtcp_req_synack(&e->req, S.now, &h);
	host_ports(e, &h);
	net_send(e, &h, (u8 *)"", 0);
	e->req.sent = S.now;
	e->req_at = S.now + xtcp_req_backoff(&e->req, &e->cfg);
}

static void host_rst(struct end *e, const struct xtcp_seg *s)
{
	struct xtcp_hdr h;

	if (xtcp_rst_reply(s, &h))
		net_send(e, &h, (u8 *)"", 0);
}

static void listen_input(struct end *e, const struct xtcp_seg *s)
{
	if (s->flags & XTCP_RST)
		return;
	if (s->flags & XTCP_ACK) {
		host_rst(e, s);
		return;
	}
	if (!(s->flags & XTCP_SYN))
		return;
	edge_of_request(e, XTCP_LISTEN, XTCP_EV_RCV_SYN);
	xtcp_req_open(&e->req, s, e->next_iss ? e->next_iss : rnd(), e->core.own_mss, e->core.rcv_buf,
		      e->core.rcv_buf << rnd_below(4), e->ts_off, &e->cfg);
	e->has_req = true;
	req_synack(e);
}

static void host_input(struct end *e, const struct xtcp_seg *s, const u8 *data);

static void req_input(struct end *e, const struct xtcp_seg *s, const u8 *data)
{
	struct xtcp_hdr h;

	switch (xtcp_req_input(&e->req, s)) {
	case XTCP_REQ_DROP:
		return;
	case XTCP_REQ_SYNACK:
		req_synack(e);
		return;
	case XTCP_REQ_ACK:
		xtcp_req_ack(&e->req, S.now, &h);
		host_ports(e, &h);
		net_send(e, &h, (u8 *)"", 0);
		return;
	case XTCP_REQ_RST:
		host_rst(e, s);
		return;
	case XTCP_REQ_ABORT:
		host_rst(e, s);
		edge_of_request(e, XTCP_SYN_RECV, XTCP_EV_ABORT);
		e->has_req = false;
		return;
	case XTCP_REQ_KILL:
		edge_of_request(e, XTCP_SYN_RECV, XTCP_EV_RCV_RST_PASSIVE);
		e->has_req = false;
		return;
	case XTCP_REQ_ESTABLISH:
		host_settings(e);
		e->mode = END_CORE;
		e->has_req = false;
		xtcp_core_accept(&e->core, &e->req, S.now);
		host_input(e, s, data);
		return;
	}
}

/* ---- receiving ---- */

static void host_input(struct end *e, const struct xtcp_seg *s, const u8 *data)
{
	struct rx *r = NULL;
	enum xtcp_drop why;

	if (s->len) {
		r = malloc(sizeof(*r) + s->len);
		r->len = s->len;
		memcpy(r->data, data, s->len);
		S.rx_live++;
	}
	host_rcv_free(e);
	why = xtcp_core_input(&e->core, s, r ? &r->d : NULL, S.now);
	if (why)
		trace("%c   not used: reason %d", e->name, why);
	host_service(e, s);
}

/* The mini-socket goes by @ev, and its user with it. */
static void tw_end(struct end *e, u8 ev)
{
	edge_of_request(e, e->tw.state, ev);
	e->mode = e->listening ? END_LISTEN : END_DEAD;
}

static void tw_input(struct end *e, const struct xtcp_seg *s)
{
	u8 todo = xtcp_tw_input(&e->tw, s, &e->cfg, S.now);
	struct xtcp_hdr h;

	if (todo & XTCP_TW_FIN)
		edge_of_request(e, XTCP_FIN_WAIT2, XTCP_EV_RCV_FIN);
	if (todo & XTCP_TW_RESTART)
		e->tw_at = S.now + e->cfg.timewait;
	if (todo & XTCP_TW_ACK) {
		xtcp_tw_ack(&e->tw, S.now, &h);
		host_ports(e, &h);
		net_send(e, &h, (u8 *)"", 0);
	}
	if (todo & XTCP_TW_REFUSE) {
		host_rst(e, s);
		tw_end(e, XTCP_EV_ABORT);
	}
	if (todo & XTCP_TW_KILL)
		tw_end(e, XTCP_EV_RCV_RST);
	if (todo & XTCP_TW_SYN) {
		e->next_iss = xtcp_tw_next_iss(&e->tw);
		tw_end(e, XTCP_EV_RCV_SYN);
		if (e->mode == END_LISTEN)
			listen_input(e, s);
		e->next_iss = 0;
	}
}

/* ---- the same ports again ---- */

/* A new stream; of the old one nothing may ever arrive. */
static void end_renew(struct end *e)
{
	e->to_write = rnd_below(30000);
	e->out = realloc(e->out, e->to_write + 1);
	for (u32 n = 0; n < e->to_write; n++)
		e->out[n] = rnd();
	e->written = e->delivered = e->unread = 0;
	e->eof = e->shut = e->closed = e->connected = false;
	e->err = 0;
	e->right_valid = false;
	e->started = false;
}

/* Where the successor begins: by the clock alone it may be anywhere near. */
static u32 reuse_iss(const struct end *c, const struct end *s)
{
	u32 old = s->mode == END_TW ? s->tw.rcv_nxt : c->core.snd_nxt;
	bool ts = s->mode == END_TW && s->tw.ts_stamp && c->cfg.timestamps;

	return ts ? old - 40000 + rnd_below(80000) :
		    old + 1 + rnd_below(1 << 28);
}

void host_reuse(void)
{
	struct end *c = &S.end[0], *s = &S.end[1];
	u32 iss = reuse_iss(c, s), recent = 0;
	u64 stamp = 0;

	if (c->mode == END_TW) {
		if (!xtcp_tw_reusable(&c->tw, true, false, S.now))
			return;
		iss = xtcp_tw_next_iss(&c->tw);
		recent = c->tw.ts_recent;
		stamp = c->tw.ts_stamp;
		edge_of_request(c, c->tw.state, XTCP_EV_ABORT);
	}
	check_incarnation();
	trace("the same ports again, iss %u", iss);
	S.rounds--;
	S.reuse_at = 0;
	end_renew(c);
	end_renew(s);
	if (s->mode == END_DEAD)
		host_listen(s);
	host_settings(c);
	c->mode = END_CORE;
	c->core.ts_recent = recent;
	c->core.ts_stamp = stamp;
	xtcp_core_connect(&c->core, iss, c->core.rcv_buf, S.now);
	host_service(c, NULL);
}

void host_receive(struct end *e, const u8 *bytes, u32 len, u16 joined)
{
	u8 hlen = xtcp_seg_hlen(bytes);
	struct xtcp_seg s;

	if (!hlen || xtcp_seg_parse(bytes, hlen, len, &s))
		fail("%c: our own header does not parse", e->name);
	s.joined = joined;
	trace("%c <  seq=%u ack=%u len=%u of %u", e->name, s.seq, s.ack, s.len,
	      joined);
	switch (e->mode) {
	case END_LISTEN:
		if (e->has_req)
			req_input(e, &s, bytes + hlen);
		else
			listen_input(e, &s);
		return;
	case END_CORE:
		host_input(e, &s, bytes + hlen);
		return;
	case END_TW:
		tw_input(e, &s);
		return;
	default:
		host_rst(e, &s);
	}
}

/* ---- time ---- */

u64 host_deadline(const struct end *e)
{
	u64 at;

	switch (e->mode) {
	case END_LISTEN:
		return e->has_req ? e->req_at : 0;
	case END_CORE:
		at = xtcp_core_deadline(&e->core);
		return e->held_at && (!at || e->held_at < at) ? e->held_at : at;
	case END_TW:
		return e->tw_at;
	default:
		return 0;
	}
}

void host_timers(struct end *e)
{
	switch (e->mode) {
	case END_LISTEN:
		if (e->req.retrans >= e->cfg.synack_retries) {
			edge_of_request(e, XTCP_SYN_RECV, XTCP_EV_TIMEOUT);
			e->has_req = false;
			return;
		}
		e->req.retrans++;
		e->req.timeouts++;
		req_synack(e);
		return;
	case END_CORE:
		host_rcv_free(e);
		if (e->held_at && e->held_at <= S.now) {
			e->held_at = 0;
			e->core.sig |= XTCP_SIG_TX;
			host_service(e, NULL);
			return;
		}
		trace("%c   timer", e->name);
		xtcp_core_timeout(&e->core, S.now);
		host_service(e, NULL);
		return;
	case END_TW:
		tw_end(e, XTCP_EV_2MSL);
		return;
	default:
		return;
	}
}

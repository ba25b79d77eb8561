// SPDX-License-Identifier: GPL-2.0
#include "unit.h"

static struct xtcp_req r;

static void open_it(u8 opts)
{
	struct xtcp_seg s = { .seq = IRS, .flags = XTCP_SYN, .wnd = 500,
			      .opts = opts, .mss = 1200, .wscale = 9 };
	struct xtcp_cfg cfg;

	xtcp_cfg_defaults(&cfg);
	xtcp_req_open(&r, &s, ISS, MSS, 100000, 1000000, 7, &cfg);
}

static void opening(void)
{
	struct xtcp_hdr h;

	open_it(XTCP_OPT_MSS | XTCP_OPT_WS);
	xtcp_req_synack(&r, T0, &h);
	EQUAL(h.flags, XTCP_SYN | XTCP_ACK);
	EQUAL(h.seq, ISS);
	EQUAL(h.ack, IRS + 1);
	EQUAL(h.wnd, 65535);
	EQUAL(h.mss, MSS);
	EQUAL(h.wscale, 4);
	EQUAL(r.snd_wscale, 9);
	EQUAL(r.peer_mss, 1200);
	EQUAL(r.snd_wnd, 500);
	xtcp_req_ack(&r, T0, &h);
	EQUAL(h.seq, ISS + 1);
	EQUAL(h.wnd, 65535 >> 4);
	open_it(0);
	xtcp_req_synack(&r, T0, &h);
	EQUAL(h.opts, XTCP_OPT_MSS);
	EQUAL(r.peer_mss, 536);
	CHECK(!r.ws_ok);
}

static enum xtcp_req_verdict in(u32 seq, u32 ack, u8 flags, u32 len)
{
	struct xtcp_seg s = { .seq = seq, .ack = ack, .flags = flags,
			      .len = len };

	return xtcp_req_input(&r, &s);
}

static void verdicts(void)
{
	open_it(0);
	EQUAL(in(IRS + 1, ISS + 1, XTCP_ACK, 0), XTCP_REQ_ESTABLISH);
	EQUAL(in(IRS + 1, ISS + 1, XTCP_ACK, 10), XTCP_REQ_ESTABLISH);
	EQUAL(in(IRS + 1, ISS + 1, XTCP_ACK | XTCP_FIN, 0),
	      XTCP_REQ_ESTABLISH);
	EQUAL(in(IRS + 1, ISS, XTCP_ACK, 0), XTCP_REQ_RST);
	EQUAL(in(IRS + 1, ISS + 2, XTCP_ACK, 0), XTCP_REQ_RST);
	EQUAL(in(IRS, 0, XTCP_SYN, 0), XTCP_REQ_SYNACK);
	EQUAL(in(IRS + 9, 0, XTCP_SYN, 0), XTCP_REQ_ABORT);
	EQUAL(in(IRS + 9, ISS + 1, XTCP_SYN | XTCP_ACK, 0), XTCP_REQ_ABORT);
	EQUAL(in(IRS - 9, 0, XTCP_SYN, 0), XTCP_REQ_ACK);
	EQUAL(in(IRS, ISS + 1, XTCP_SYN | XTCP_ACK, 0), XTCP_REQ_ACK);
	EQUAL(in(IRS + 1, 0, XTCP_RST, 0), XTCP_REQ_KILL);
	EQUAL(in(IRS + 2, 0, XTCP_RST, 0), XTCP_REQ_ACK);
	EQUAL(in(IRS + 70000, 0, XTCP_RST, 0), XTCP_REQ_DROP);
	EQUAL(in(IRS, 0, XTCP_RST, 0), XTCP_REQ_DROP);
	EQUAL(in(IRS + 1, 0, 0, 10), XTCP_REQ_DROP);
	EQUAL(in(IRS + 70000, ISS + 1, XTCP_ACK, 10), XTCP_REQ_ACK);
	EQUAL(in(IRS - 50, ISS + 1, XTCP_ACK, 10), XTCP_REQ_ACK);
}

static void backoff(void)
{
	struct xtcp_cfg cfg;

	xtcp_cfg_defaults(&cfg);
	open_it(0);
	EQUAL(xtcp_req_backoff(&r, &cfg), 1000000);
	r.timeouts = 4;
	EQUAL(xtcp_req_backoff(&r, &cfg), 16000000);
	r.timeouts = 30;
	EQUAL(xtcp_req_backoff(&r, &cfg), 120000000);
}

/* The numbers are native TCP's for the same queues. */
static void ageing(void)
{
	/* Up to half of the backlog, and up to 4, nothing is hurried. */
	EQUAL(xtcp_req_retries(64, 0, 128, 5), 5);
	EQUAL(xtcp_req_retries(4, 0, 0, 5), 5);
	EQUAL(xtcp_req_retries(5, 0, 0, 5), 2);
	EQUAL(xtcp_req_retries(65, 0, 128, 5), 2);
	EQUAL(xtcp_req_retries(65, 65, 128, 5), 5);
	EQUAL(xtcp_req_retries(65, 32, 128, 5), 4);
	EQUAL(xtcp_req_retries(64, 32, 100, 5), 4);
	EQUAL(xtcp_req_retries(65, 16, 128, 5), 3);
	EQUAL(xtcp_req_retries(65, 8, 128, 5), 2);
	EQUAL(xtcp_req_retries(65, 8, 128, 1), 1);
}

static void timer_runs_out(void)
{
	open_it(0);
	r.timeouts = 4;
	CHECK(!xtcp_req_expired(&r, 5, 0));
	CHECK(xtcp_req_resend(&r, 0));
	r.timeouts = 5;
	CHECK(xtcp_req_expired(&r, 5, 0));
	/* Acknowledged, with a full accept queue: no difference. */
	r.acked = true;
	CHECK(xtcp_req_expired(&r, 5, 0));
	CHECK(xtcp_req_resend(&r, 0));
}

static void deferring(void)
{
	struct xtcp_seg s = { .seq = IRS + 1, .ack = ISS + 1,
			      .flags = XTCP_ACK };

	open_it(0);
	CHECK(!xtcp_req_defer(&r, &s, 0));
	CHECK(xtcp_req_defer(&r, &s, 3));
	s.len = 1;
	CHECK(!xtcp_req_defer(&r, &s, 3));
	s.len = 0;
	s.flags |= XTCP_FIN;
	CHECK(!xtcp_req_defer(&r, &s, 3));
	s.flags = XTCP_ACK;
	/* Nothing was heard: as if there was no such option. */
	CHECK(xtcp_req_resend(&r, 3));
	r.acked = true;
	r.timeouts = 1;
	CHECK(!xtcp_req_resend(&r, 3));
	CHECK(xtcp_req_defer(&r, &s, 3));
	r.timeouts = 2;
	CHECK(xtcp_req_resend(&r, 3));
	r.timeouts = 3;
	CHECK(!xtcp_req_defer(&r, &s, 3));
	/* Longer than SYN-ACKs are repeated, but not for ever. */
	r.timeouts = 6;
	CHECK(!xtcp_req_expired(&r, 5, 8));
	r.acked = false;
	CHECK(xtcp_req_expired(&r, 5, 8));
	r.acked = true;
	r.timeouts = 8;
	CHECK(xtcp_req_expired(&r, 5, 8));
}

static void defer_units(void)
{
	static const struct { int s; u8 n; int back; } row[] = {
		{ -5, 0, 0 }, { 0, 0, 0 }, { 1, 1, 1 }, { 2, 2, 3 },
		{ 3, 2, 3 }, { 4, 3, 7 }, { 10, 4, 15 }, { 127, 7, 127 },
		{ 128, 8, 247 }, { 0x7fffffff, 255, 29887 },
	};
	struct xtcp_cfg cfg;
	size_t i;

	xtcp_cfg_defaults(&cfg);
	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		EQUAL(xtcp_req_defer_timeouts(row[i].s, &cfg), row[i].n);
		EQUAL(xtcp_req_defer_seconds(row[i].n, &cfg), row[i].back);
	}
}

static const struct unit_test tests[] = {
	{ "from a SYN", opening },
	{ "what a segment means", verdicts },
	{ "back-off", backoff },
	{ "half of the queue is for young ones", ageing },
	{ "its timer runs out", timer_runs_out },
	{ "TCP_DEFER_ACCEPT", deferring },
	{ "TCP_DEFER_ACCEPT in seconds", defer_units },
};
UNIT_MAIN(tests)

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
	EQUAL(in(IRS + 9, 0, XTCP_SYN, 0), XTCP_REQ_ACK);
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
	r.retrans = 4;
	EQUAL(xtcp_req_backoff(&r, &cfg), 16000000);
}

static const struct unit_test tests[] = {
	{ "from a SYN", opening },
	{ "what a segment means", verdicts },
	{ "back-off", backoff },
};
UNIT_MAIN(tests)

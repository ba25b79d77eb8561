// SPDX-License-Identifier: GPL-2.0
#include "unit.h"

static void signals(void)
{
	host_in(XTCP_FIN_WAIT2);
	host_seg(IRS + 1, ISS + 2, XTCP_ACK | XTCP_FIN, 0, 60000);
	CHECK(H.sig & XTCP_SIG_TIME_WAIT);
	CHECK(H.sig & XTCP_SIG_EOF);
	EQUAL(H.sent, 1);
	EQUAL(H.c.deadline[XTCP_T_KEEP], H.now + H.cfg.timewait);
}

static void peer_options(void)
{
	struct xtcp_seg s = { .opts = XTCP_OPT_WS, .wscale = 5 };

	host_new();
	H.cfg.window_scaling = true;
	H.c.rcv_wscale = 3;
	xtcp_peer_options(&H.c, &s, T0);
	EQUAL(H.c.mss, 536);
	EQUAL(H.c.snd_wscale, 5);
	EQUAL(H.c.rcv_wscale, 3);
	s.opts = XTCP_OPT_MSS;
	s.mss = 10;
	xtcp_peer_options(&H.c, &s, T0);
	EQUAL(H.c.mss, XTCP_MSS_MIN);
	EQUAL(H.c.snd_wscale, 0);
	EQUAL(H.c.rcv_wscale, 0);
	CHECK(!H.c.ws_ok);
}

static const struct unit_test tests[] = {
	{ "signals of an edge", signals },
	{ "options of the peer's SYN", peer_options },
};
UNIT_MAIN(tests)

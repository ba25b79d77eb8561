// SPDX-License-Identifier: GPL-2.0
#include "unit.h"

static void defaults(void)
{
	struct xtcp_cfg c;

	xtcp_cfg_defaults(&c);
	EQUAL(c.rto_init, 1000000);
	EQUAL(c.rto_min, 200000);
	EQUAL(c.rto_max, 120000000);
	EQUAL(c.keepalive_time, 7200000000);
	EQUAL(c.keepalive_intvl, 75000000);
	EQUAL(c.keepalive_probes, 9);
	EQUAL(c.syn_retries, 6);
	EQUAL(c.synack_retries, 5);
	EQUAL(c.retries2, 15);
	EQUAL(c.timewait, 60000000);
	EQUAL(c.initial_cwnd, 10);
	EQUAL(c.slow_start_after_idle, 1);
	EQUAL(c.min_rtt_wlen, 300);
	CHECK(c.window_scaling);
}

static const struct unit_test tests[] = {
	{ "native TCP's defaults", defaults },
};
UNIT_MAIN(tests)

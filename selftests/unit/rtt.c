// SPDX-License-Identifier: GPL-2.0
#include "unit.h"

static struct xtcp_cfg cfg;
static struct xtcp_rtt r;

static void first_sample(void)
{
	xtcp_cfg_defaults(&cfg);
	r = (struct xtcp_rtt){};
	xtcp_rtt_sample(&r, 100000, &cfg);
	EQUAL(r.srtt >> 3, 100000);
	EQUAL(r.rttvar, 200000);
	EQUAL(r.rto, 300000);
	EQUAL(r.min_rtt, 100000);
}

static void smoothing(void)
{
	xtcp_cfg_defaults(&cfg);
	r = (struct xtcp_rtt){};
	xtcp_rtt_sample(&r, 800000, &cfg);
	xtcp_rtt_sample(&r, 1600000, &cfg);
	/* 7/8 of 0.8 s and 1/8 of 1.6 s; 3/4 of 0.4 s and 1/4 of 0.8 s. */
	EQUAL(r.srtt >> 3, 900000);
	EQUAL(r.rttvar, 4 * 500000);
	EQUAL(r.rto, 2900000);
	xtcp_rtt_sample(&r, 100000, &cfg);
	EQUAL(r.srtt >> 3, 800000);
	EQUAL(r.min_rtt, 100000);
}

static void limits(void)
{
	xtcp_cfg_defaults(&cfg);
	r = (struct xtcp_rtt){};
	for (int i = 0; i < 100; i++)
		xtcp_rtt_sample(&r, 10, &cfg);
	/* The floor is under the variation, as in native TCP. */
	EQUAL(r.rto, 200010);
	for (int i = 0; i < 100; i++)
		xtcp_rtt_sample(&r, ~0ull, &cfg);
	EQUAL(r.rto, cfg.rto_max);
	r = (struct xtcp_rtt){};
	xtcp_rtt_sample(&r, 0, &cfg);
	CHECK(r.srtt);
}

static void backoff(void)
{
	EQUAL(xtcp_rtt_backoff(200000, 0, 120000000), 200000);
	EQUAL(xtcp_rtt_backoff(200000, 3, 120000000), 1600000);
	EQUAL(xtcp_rtt_backoff(200000, 10, 120000000), 120000000);
	EQUAL(xtcp_rtt_backoff(200000, 255, 120000000), 120000000);
}

static void give_up(void)
{
	/* ip-sysctl's figure for 15 retries is 924.6 s. */
	EQUAL(xtcp_rtt_give_up(15, 200000, 120000000), 924600000);
	EQUAL(xtcp_rtt_give_up(0, 200000, 120000000), 200000);
	EQUAL(xtcp_rtt_give_up(2, 200000, 120000000), 1400000);
	CHECK(xtcp_rtt_give_up(255, 200000, 120000000) > 924600000);
}

static const struct unit_test tests[] = {
	{ "first sample", first_sample },
	{ "smoothing", smoothing },
	{ "limits", limits },
	{ "back-off", backoff },
	{ "time until giving up", give_up },
};
UNIT_MAIN(tests)

// SPDX-License-Identifier: GPL-2.0
#include "unit.h"

static struct xtcp_cfg cfg;
static struct xtcp_rtt r;

static void first_sample(void)
{
	xtcp_cfg_defaults(&cfg);
	r = (struct xtcp_rtt){};
	xtcp_rtt_sample(&r, 100000, &cfg, T0);
	EQUAL(r.srtt >> 3, 100000);
	EQUAL(r.rttvar, 200000);
	EQUAL(r.rto, 300000);
	EQUAL(xtcp_rtt_least(&r), 100000);
}

static void smoothing(void)
{
	xtcp_cfg_defaults(&cfg);
	r = (struct xtcp_rtt){};
	xtcp_rtt_sample(&r, 800000, &cfg, T0);
	xtcp_rtt_sample(&r, 1600000, &cfg, T0);
	/* 7/8 of 0.8 s and 1/8 of 1.6 s; 3/4 of 0.4 s and 1/4 of 0.8 s. */
	EQUAL(r.srtt >> 3, 900000);
	EQUAL(r.rttvar, 4 * 500000);
	EQUAL(r.rto, 2900000);
	xtcp_rtt_sample(&r, 100000, &cfg, T0);
	EQUAL(r.srtt >> 3, 800000);
	EQUAL(xtcp_rtt_least(&r), 100000);
}

static void limits(void)
{
	xtcp_cfg_defaults(&cfg);
	r = (struct xtcp_rtt){};
	for (int i = 0; i < 100; i++)
		xtcp_rtt_sample(&r, 10, &cfg, T0);
	/* The floor is under the variation, as in native TCP. */
	EQUAL(r.rto, 200010);
	for (int i = 0; i < 100; i++)
		xtcp_rtt_sample(&r, ~0ull, &cfg, T0);
	EQUAL(r.rto, cfg.rto_max);
	r = (struct xtcp_rtt){};
	xtcp_rtt_sample(&r, 0, &cfg, T0);
	CHECK(r.srtt);
}

#define S	1000000ull

static u32 least_at(u32 us, u64 now)
{
	xtcp_rtt_sample(&r, us, &cfg, now);
	return xtcp_rtt_least(&r);
}

/* A path that has become longer is known as that when 300 s have passed. */
static void least_expires(void)
{
	u64 at;

	xtcp_cfg_defaults(&cfg);
	r = (struct xtcp_rtt){};
	EQUAL(least_at(1000, T0), 1000);
	for (at = T0 + S; at <= T0 + 300 * S; at += S)
		EQUAL(least_at(5000, at), 1000);
	EQUAL(least_at(5000, T0 + 301 * S), 5000);
	EQUAL(least_at(4000, T0 + 302 * S), 4000);
	EQUAL(least_at(6000, T0 + 303 * S), 4000);
	/* Nothing for a long time. */
	EQUAL(least_at(9000, T0 + 2000 * S), 9000);
	cfg.min_rtt_wlen = 1;
	EQUAL(least_at(9500, T0 + 2001 * S), 9000);
	EQUAL(least_at(9500, T0 + 2002 * S), 9500);
}

/* Beside a list of all samples: never less, and the least that are remembered. */
static void least_of_window(void)
{
	static u32 us[3000];
	u32 next = 1, n, i, least;

	xtcp_cfg_defaults(&cfg);
	cfg.min_rtt_wlen = 100;
	r = (struct xtcp_rtt){};
	for (n = 0; n < ARRAY_SIZE(us); n++) {
		next = next * 1664525 + 1013904223;
		us[n] = 1000 + next / 4096 % 100000;
		least = ~0U;
		for (i = n > 100 ? n - 100 : 0; i <= n; i++)
			least = min(least, us[i]);
		CHECK(least_at(us[n], T0 + n * S) >= least);
		CHECK(xtcp_rtt_least(&r) <= least + 20000);
	}
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
	{ "the least round trip expires", least_expires },
	{ "the least round trip of a window", least_of_window },
	{ "back-off", backoff },
	{ "time until giving up", give_up },
};
UNIT_MAIN(tests)

// SPDX-License-Identifier: GPL-2.0
#include "unit.h"

static struct xtcp_pkts P;

static void start(void)
{
	P = (struct xtcp_pkts){};
}

static void equal_ones(void)
{
	start();
	xtcp_pkts_sent(&P, 100, 10100, 10, MSS);
	xtcp_pkts_sent(&P, 10100, 12600, 3, MSS);
	EQUAL(P.out, 13);
	EQUAL(P.runs, 1);
	EQUAL(xtcp_pkts_acked(&P, 100), 0);
	EQUAL(xtcp_pkts_acked(&P, 1099), 0);
	EQUAL(xtcp_pkts_acked(&P, 1100), 1);
	EQUAL(xtcp_pkts_acked(&P, 3099), 1);
	EQUAL(xtcp_pkts_acked(&P, 3100), 1);
	/* The last of them is short. */
	EQUAL(xtcp_pkts_acked(&P, 12599), 9);
	EQUAL(P.out, 1);
	EQUAL(xtcp_pkts_acked(&P, 12600), 1);
	EQUAL(P.out, 0);
	EQUAL(P.runs, 0);
}

static void single_bytes(void)
{
	start();
	for (u32 i = 0; i < 100; i++)
		xtcp_pkts_sent(&P, -50 + i, -49 + i, 1, 1);
	EQUAL(P.runs, 1);
	EQUAL(P.out, 100);
	EQUAL(xtcp_pkts_acked(&P, 0), 50);
	EQUAL(P.out, 50);
}

static void behind_a_short_one(void)
{
	start();
	xtcp_pkts_sent(&P, 0, 1500, 2, MSS);
	xtcp_pkts_sent(&P, 1500, 2500, 1, MSS);
	EQUAL(P.runs, 2);
	EQUAL(xtcp_pkts_acked(&P, 1000), 1);
	EQUAL(xtcp_pkts_acked(&P, 2000), 1);
	EQUAL(xtcp_pkts_acked(&P, 2500), 1);
}

static u32 random_next;

static u32 below(u32 n)
{
	random_next = random_next * 1664525 + 1013904223;
	return (random_next >> 8) % n;
}

static u32 ends[5000];

/* The same told by a plain list of the ends of all packets. */
static u32 slow_out(u32 sent, u32 una)
{
	u32 n = 0;

	while (sent && seq_gt(ends[sent - 1], una)) {
		sent--;
		n++;
	}
	return n;
}

/* @kinds of lengths; are as many runs as there is room for enough? */
static void beside_a_list(u32 seed, u32 kinds, u32 most_out)
{
	u32 seq = seed * 77777777, una = seq, sent = 0;
	bool exact = true;

	random_next = seed;
	start();
	while (sent < ARRAY_SIZE(ends)) {
		u32 len = 1 + below(kinds) * 100, off;

		if (slow_out(sent, una) >= most_out || below(3) == 0) {
			una += below(seq - una + 1);
			xtcp_pkts_acked(&P, una);
		} else {
			len = min_t(u32, len, (ARRAY_SIZE(ends) - sent) * MSS);
			for (off = 0; off < len; off += MSS)
				ends[sent++] = seq + min_t(u32, off + MSS, len);
			xtcp_pkts_sent(&P, seq, seq + len,
				       DIV_ROUND_UP(len, MSS),
				       min_t(u32, len, MSS));
			seq += len;
		}
		CHECK(P.out >= slow_out(sent, una));
		exact = exact && P.out == slow_out(sent, una);
		CHECK(seq_le(P.start, una) || !P.runs);
		CHECK(!P.out == !P.runs);
	}
	CHECK(exact || most_out > XTCP_PKTS_RUNS);
	xtcp_pkts_acked(&P, seq);
	EQUAL(P.out, 0);
}

static void never_too_few(void)
{
	for (u32 seed = 1; seed < 50; seed++) {
		beside_a_list(seed, 50, 16);
		beside_a_list(seed, 50, 200);
		beside_a_list(seed, 3, 1000);
	}
}

static const struct unit_test tests[] = {
	{ "packets of one size", equal_ones },
	{ "packets of one byte", single_bytes },
	{ "behind a short one", behind_a_short_one },
	{ "never too few, and exact while there is room", never_too_few },
};
UNIT_MAIN(tests)

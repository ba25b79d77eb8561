// SPDX-License-Identifier: GPL-2.0
#include "unit.h"

#define ACK(n)	host_seg(IRS + 1, ISS + 1 + (n), XTCP_ACK, 0, 60000)

static void frees_and_rearms(void)
{
	host_in(XTCP_ESTABLISHED);
	host_wrote(3 * MSS);
	EQUAL(H.sent, 3);
	H.now += 50000;
	ACK(MSS);
	EQUAL(H.c.snd_una, ISS + 1 + MSS);
	CHECK(H.sig & XTCP_SIG_ACKED);
	EQUAL(H.c.rtt.srtt >> 3, 50000);
	EQUAL(H.c.deadline[XTCP_T_RTX], H.now + H.c.rtt.rto);
	ACK(3 * MSS);
	EQUAL(H.c.deadline[XTCP_T_RTX], 0);
	EQUAL(H.c.rtt.sent, 0);
}

static void fast_retransmit(void)
{
	host_in(XTCP_ESTABLISHED);
	host_wrote(20 * MSS);
	EQUAL(H.sent, 10);
	host_clear();
	/* Two duplicates let one new segment out each (limited transmit). */
	ACK(0);
	ACK(0);
	EQUAL(H.sent, 2);
	EQUAL(H.out[0].d.seq, ISS + 1 + 10 * MSS);
	CHECK(!H.c.in_recovery);
	ACK(0);
	EQUAL(H.sent, 3);
	CHECK(H.c.in_recovery);
	EQUAL(H.out[2].d.seq, ISS + 1);
	EQUAL(H.out[2].d.len, MSS);
	CHECK(H.out[2].d.rtx);
	/* Karn: its round trip is no longer measured. */
	EQUAL(H.c.rtt.sent, 0);
	EQUAL(H.c.ssthresh, 5);
	EQUAL(H.c.cwnd, 5);
	EQUAL(xtcp_core_in_network(&H.c), 9);
	EQUAL(H.mib[XTCP_MIB_FASTRETRANS], 1);
	EQUAL(H.mib[XTCP_MIB_DUPACKS], 3);
	/* A partial ACK repeats the next hole and deflates. */
	ACK(4 * MSS);
	EQUAL(H.out[3].d.seq, ISS + 1 + 4 * MSS);
	EQUAL(H.c.cwnd, 5);
	EQUAL(xtcp_core_in_network(&H.c), 8);
	CHECK(H.c.in_recovery);
	/* A full one ends it. */
	ACK(12 * MSS);
	CHECK(!H.c.in_recovery);
	EQUAL(H.c.cwnd, 5);
}

static void not_duplicates(void)
{
	host_in(XTCP_ESTABLISHED);
	host_wrote(5 * MSS);
	for (int i = 0; i < 5; i++)
		host_seg(IRS + 1, ISS + 1, XTCP_ACK, 0, 60001 + i);
	EQUAL(H.c.dupacks, 0);
	for (int i = 0; i < 5; i++)
		host_seg(IRS + 1 + i, ISS + 1, XTCP_ACK, 1, H.c.snd_wnd);
	EQUAL(H.c.dupacks, 0);
	ACK(5 * MSS);
	for (int i = 0; i < 5; i++)
		ACK(5 * MSS);
	EQUAL(H.c.dupacks, 0);
}

/* The window is smaller and no newer: refused, so nothing has changed. */
static void window_refused(void)
{
	host_in(XTCP_ESTABLISHED);
	host_wrote(10 * MSS);
	host_clear();
	for (int i = 0; i < 5; i++)
		host_seg(IRS + 1, ISS + 1, XTCP_ACK, 0, 59000);
	EQUAL(H.c.dupacks, 5);
	CHECK(H.c.in_recovery);
	EQUAL(H.sent, 1);
	EQUAL(H.c.snd_wnd, 60000);
}

/* The path's MTU and a loss: what the first leaves, the second does not forget. */
static void two_reasons(void)
{
	host_in(XTCP_ESTABLISHED);
	host_wrote(10 * MSS);
	host_clear();
	H.c.cwnd = 4;
	xtcp_core_set_mss(&H.c, MSS, H.now);
	xtcp_core_too_long(&H.c);
	host_tx(true);
	EQUAL(H.sent, 4);
	EQUAL(H.c.rtx_nxt, ISS + 1 + 4 * MSS);
	for (int i = 0; i < 3; i++)
		ACK(0);
	CHECK(H.c.in_recovery);
	EQUAL(H.c.rtx_end, ISS + 1 + 10 * MSS);
	host_clear();
	for (int i = 1; i < 10; i++)
		ACK(i * MSS);
	EQUAL(H.c.rtx_nxt, ISS + 1 + 10 * MSS);
	CHECK(H.out[H.sent - 1].d.rtx);
	EQUAL(H.mib[XTCP_MIB_TIMEOUTS], 0);
}

static void after_timeout(void)
{
	host_in(XTCP_ESTABLISHED);
	host_wrote(8 * MSS);
	host_clear();
	host_expire();
	CHECK(H.c.in_loss);
	EQUAL(H.sent, 1);
	EQUAL(H.out[0].d.seq, ISS + 1);
	EQUAL(H.c.cwnd, 1);
	EQUAL(H.c.ssthresh, 4);
	/* Duplicates now answer the repetition. */
	for (int i = 0; i < 5; i++)
		ACK(0);
	CHECK(!H.c.in_recovery);
	/* Go back N, as slow start lets it. */
	ACK(MSS);
	EQUAL(H.c.cwnd, 2);
	EQUAL(H.sent, 3);
	EQUAL(H.out[2].d.seq, ISS + 1 + 2 * MSS);
	CHECK(H.out[2].d.rtx);
	EQUAL(H.c.rtt.sent, 0);
	ACK(8 * MSS);
	CHECK(!H.c.in_loss);
	EQUAL(H.c.retrans, 0);
	/* RFC 6582: no fast retransmit before recover is passed. */
	EQUAL(H.c.recover, H.c.snd_una);
}

/* Nothing measured, the timeout stays as long as it was (Karn). */
static void repeated_measures_nothing(void)
{
	u64 rto;

	host_in(XTCP_ESTABLISHED);
	rto = H.c.rtt.rto;
	host_wrote(MSS);
	host_expire();
	host_expire();
	host_seg(IRS + 1, ISS + 1 + MSS, XTCP_ACK, 0, 60000);
	EQUAL(H.c.rtt.rto, 4 * rto);
	EQUAL(H.c.retrans, 0);
	host_wrote(MSS);
	H.now += 1000;
	host_seg(IRS + 1, ISS + 1 + 2 * MSS, XTCP_ACK, 0, 60000);
	CHECK(H.c.rtt.rto < 4 * rto);
}

static void window_updates(void)
{
	host_in(XTCP_ESTABLISHED);
	host_seg(IRS + 1, ISS + 1, XTCP_ACK, 0, 61000);
	EQUAL(H.c.snd_wnd, 61000);
	EQUAL(H.c.max_snd_wnd, 61000);
	/* The same numbers and a smaller window: an older segment. */
	host_seg(IRS + 1, ISS + 1, XTCP_ACK, 0, 100);
	EQUAL(H.c.snd_wnd, 61000);
	host_seg(IRS + 1, ISS + 1, XTCP_ACK, 10, 100);
	EQUAL(H.c.snd_wnd, 61000);
	host_seg(IRS + 11, ISS + 1, XTCP_ACK, 0, 100);
	EQUAL(H.c.snd_wnd, 100);
	H.c.snd_wscale = 3;
	host_seg(IRS + 11, ISS + 1, XTCP_ACK, 0, 100);
	EQUAL(H.c.snd_wnd, 800);
}

/*
 * The peer takes its window back and opens it again: what was sent again in
 * between was refused as well, and goes once more at once.
 */
static void window_reopened(void)
{
	host_in(XTCP_ESTABLISHED);
	host_wrote(5 * MSS);
	host_seg(IRS + 1, ISS + 1, XTCP_ACK, 0, 0);
	host_expire();
	host_clear();
	host_seg(IRS + 1, ISS + 1, XTCP_ACK, 0, 0);
	EQUAL(H.sent, 0);
	/* No more than the window takes, even if that is part of a segment. */
	host_seg(IRS + 1, ISS + 1, XTCP_ACK, 0, MSS - 100);
	EQUAL(H.sent, 1);
	EQUAL(H.out[0].d.seq, ISS + 1);
	EQUAL(H.out[0].d.len, MSS - 100);
	/* Taken, and shut again: the next one is a probe. */
	host_seg(IRS + 1, ISS + 1 + MSS - 100, XTCP_ACK, 0, 0);
	EQUAL(H.sent, 2);
	EQUAL(H.out[1].d.seq, ISS + 1 + MSS - 100);
	host_seg(IRS + 1, ISS + 1 + MSS - 100, XTCP_ACK, 0, 0);
	EQUAL(H.sent, 2);
	host_seg(IRS + 1, ISS + 1 + MSS - 100, XTCP_ACK, 0, 2 * MSS);
	CHECK(H.sent >= 3);
	EQUAL(H.out[2].d.seq, ISS + 1 + MSS - 100);
	EQUAL(H.out[2].d.len, MSS);
}

static void recover_follows(void)
{
	host_in(XTCP_ESTABLISHED);
	for (int i = 0; i < 3; i++) {
		host_wrote(MSS);
		ACK((i + 1) * MSS);
		EQUAL(H.c.recover, H.c.snd_una - 1);
	}
}

static void cwnd_validation(void)
{
	host_in(XTCP_ESTABLISHED);
	for (int i = 0; i < 20; i++) {
		host_wrote(MSS);
		ACK((i + 1) * MSS);
	}
	EQUAL(H.c.cwnd, 10);
}

static void fin_acked(void)
{
	host_in(XTCP_FIN_WAIT1);
	ACK(1);
	EQUAL(H.c.state, XTCP_FIN_WAIT2);
	CHECK(H.sig & XTCP_SIG_FIN_ACKED);
	CHECK(!(H.sig & XTCP_SIG_FIN_WAIT2));
	host_in(XTCP_LAST_ACK);
	host_seg(IRS + 2, ISS + 2, XTCP_ACK, 0, 60000);
	EQUAL(H.c.state, XTCP_CLOSED);
	CHECK(!(H.sig & XTCP_SIG_ERROR));
}

static const struct unit_test tests[] = {
	{ "an ACK frees, measures and rearms", frees_and_rearms },
	{ "limited transmit, fast retransmit, NewReno", fast_retransmit },
	{ "what is no duplicate ACK", not_duplicates },
	{ "a refused window leaves a duplicate one", window_refused },
	{ "two reasons to retransmit", two_reasons },
	{ "after a timeout", after_timeout },
	{ "what was repeated measures nothing", repeated_measures_nothing },
	{ "window updates", window_updates },
	{ "a window taken back and opened again", window_reopened },
	{ "recover stays near snd_una", recover_follows },
	{ "cwnd does not grow unused", cwnd_validation },
	{ "the ACK of FIN", fin_acked },
};
UNIT_MAIN(tests)

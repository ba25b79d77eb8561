// SPDX-License-Identifier: GPL-2.0
/* Each state meets each kind of segment. */
#include "unit.h"

static const u8 sync_states[] = {
	XTCP_SYN_RECV, XTCP_ESTABLISHED, XTCP_FIN_WAIT1, XTCP_FIN_WAIT2,
	XTCP_CLOSE_WAIT, XTCP_CLOSING, XTCP_LAST_ACK,
};

#define EACH_SYNC(s)							\
	for (size_t _i = 0; _i < ARRAY_SIZE(sync_states) &&		\
	     (host_in(s = sync_states[_i]), true); _i++)

static void rst_exact(void)
{
	u8 s;

	EACH_SYNC(s) {
		EQUAL(host_seg(H.c.rcv_nxt, 0, XTCP_RST, 0, 0), XTCP_DROP_RST);
		EQUAL(H.c.state, XTCP_CLOSED);
		EQUAL(H.c.err, s == XTCP_CLOSE_WAIT ? EPIPE : ECONNRESET);
		CHECK(H.sig & XTCP_SIG_ERROR);
		CHECK(H.sig & XTCP_SIG_CLOSED);
		CHECK(!(H.sig & (XTCP_SIG_SEND_RST | XTCP_SIG_REPLY_RST)));
		EQUAL(H.sent, 0);
		EQUAL(xtcp_core_deadline(&H.c), 0);
	}
}

static void rst_inexact(void)
{
	u8 s;

	EACH_SYNC(s) {
		host_seg(H.c.rcv_nxt + 5, 0, XTCP_RST, 0, 0);
		EQUAL(H.c.state, s);
		EQUAL(H.sent, 1);
		EQUAL(H.out[0].h.flags, XTCP_ACK);
		EQUAL(H.mib[XTCP_MIB_CHALLENGEACKS], 1);
		/* The next one is not answered: limited rate. */
		host_seg(H.c.rcv_nxt + 5, 0, XTCP_RST, 0, 0);
		EQUAL(H.sent, 1);
		H.now += H.cfg.invalid_ratelimit;
		host_seg(H.c.rcv_nxt + 5, 0, XTCP_RST, 0, 0);
		EQUAL(H.sent, 2);
		/* Nor is it if all connections together had too many. */
		H.now += H.cfg.invalid_ratelimit;
		H.no_challenge = true;
		host_seg(H.c.rcv_nxt + 5, 0, XTCP_RST, 0, 0);
		EQUAL(H.sent, 2);
		H.no_challenge = false;
		/* Outside of the window: nothing at all. */
		H.now += H.cfg.invalid_ratelimit;
		host_seg(H.c.rcv_nxt + 70000, 0, XTCP_RST, 0, 0);
		host_seg(H.c.rcv_nxt - 1000, 0, XTCP_RST, 0, 0);
		EQUAL(H.sent, 2);
		EQUAL(H.c.state, s);
	}
}

/* Some stacks do not count their FIN. */
static void rst_of_fin(void)
{
	u8 s;

	EACH_SYNC(s) {
		bool fin = s == XTCP_CLOSE_WAIT || s == XTCP_CLOSING ||
			   s == XTCP_LAST_ACK;

		host_seg(H.c.rcv_nxt - 1, 0, XTCP_RST, 0, 0);
		EQUAL(H.c.state, fin ? XTCP_CLOSED : s);
		EQUAL(H.sent, 0);
	}
}

static void syn_when_synchronised(void)
{
	u8 s;

	EACH_SYNC(s) {
		EQUAL(host_seg(H.c.rcv_nxt + 1, 0, XTCP_SYN, 0, 0),
		      XTCP_DROP_BAD_FLAGS);
		EQUAL(H.c.state, s);
		EQUAL(H.sent, 1);
		EQUAL(H.out[0].h.flags, XTCP_ACK);
		EQUAL(H.out[0].h.ack, H.c.rcv_nxt);
	}
}

static void no_ack_bit(void)
{
	u8 s;

	EACH_SYNC(s) {
		EQUAL(host_seg(H.c.rcv_nxt, 0, 0, 10, 0), XTCP_DROP_NO_ACK);
		EQUAL(host_seg(H.c.rcv_nxt - 9, 0, 0, 0, 0), XTCP_DROP_NO_ACK);
		EQUAL(H.c.state, s);
		EQUAL(H.sent, 0);
		EQUAL(H.discarded, 1);
	}
}

static void beyond_window(void)
{
	u8 s;

	EACH_SYNC(s) {
		EQUAL(host_seg(H.c.rcv_nxt + 70000, H.c.snd_una, XTCP_ACK, 10,
			       60000), XTCP_DROP_OUT_OF_WINDOW);
		EQUAL(H.c.state, s);
		EQUAL(H.sent, 1);
		EQUAL(H.discarded, 1);
		/* Payload is always answered, empty ones seldom. */
		host_seg(H.c.rcv_nxt - 1000, H.c.snd_una, XTCP_ACK, 10, 60000);
		EQUAL(H.sent, 2);
		host_seg(H.c.rcv_nxt - 1, H.c.snd_una, XTCP_ACK, 0, 60000);
		EQUAL(H.sent, 3);
		host_seg(H.c.rcv_nxt - 1, H.c.snd_una, XTCP_ACK, 0, 60000);
		EQUAL(H.sent, 3);
	}
}

static void ack_range(void)
{
	u8 s;

	EACH_SYNC(s) {
		enum xtcp_drop why = host_seg(H.c.rcv_nxt, H.c.snd_nxt + 1,
					      XTCP_ACK, 0, 60000);

		EQUAL(why, XTCP_DROP_NEW_ACK);
		EQUAL(H.c.state, s);
		if (s == XTCP_SYN_RECV) {
			CHECK(H.sig & XTCP_SIG_REPLY_RST);
			continue;
		}
		EQUAL(H.sent, 1);
		/* From before the connection was there. */
		EQUAL(host_seg(H.c.rcv_nxt, ISS, XTCP_ACK, 0, 60000),
		      H.c.bytes_acked ? 0 : XTCP_DROP_OLD_ACK);
		EQUAL(host_seg(H.c.rcv_nxt, ISS - 1, XTCP_ACK, 0, 60000),
		      XTCP_DROP_OLD_ACK);
		H.c.bytes_acked = 1ull << 33;
		EQUAL(host_seg(H.c.rcv_nxt, H.c.snd_una - 60000, XTCP_ACK, 0,
			       60000), 0);
		EQUAL(host_seg(H.c.rcv_nxt, H.c.snd_una - 60001, XTCP_ACK, 0,
			       60000), XTCP_DROP_OLD_ACK);
	}
}

static void fin_in_each_state(void)
{
	static const u8 next[XTCP_NSTATES] = {
		[XTCP_SYN_RECV] = XTCP_CLOSE_WAIT,
		[XTCP_ESTABLISHED] = XTCP_CLOSE_WAIT,
		[XTCP_FIN_WAIT1] = XTCP_TIME_WAIT,
		[XTCP_FIN_WAIT2] = XTCP_TIME_WAIT,
		[XTCP_CLOSE_WAIT] = XTCP_CLOSE_WAIT,
		[XTCP_CLOSING] = XTCP_TIME_WAIT,
		[XTCP_LAST_ACK] = XTCP_CLOSED,
	};
	u8 s;

	/* All that was sent is acknowledged by it. */
	EACH_SYNC(s) {
		host_seg(H.c.rcv_nxt, H.c.snd_nxt, XTCP_ACK | XTCP_FIN, 0,
			 60000);
		EQUAL(H.c.state, next[s]);
	}
	host_in(XTCP_FIN_WAIT1);
	host_seg(H.c.rcv_nxt, H.c.snd_una, XTCP_ACK | XTCP_FIN, 0, 60000);
	EQUAL(H.c.state, XTCP_CLOSING);
	CHECK(H.sig & XTCP_SIG_EOF);
	EQUAL(H.out[0].h.ack, IRS + 2);
}

static void syn_sent(void)
{
	host_in(XTCP_SYN_SENT);
	host_seg(IRS, ISS, XTCP_ACK | XTCP_SYN, 0, 100);
	EQUAL(H.c.state, XTCP_SYN_SENT);
	CHECK(H.sig & XTCP_SIG_REPLY_RST);
	/* The SYN follows the RST, once; more of the same do not put it off. */
	EQUAL(xtcp_core_deadline(&H.c), H.now + 8000);
	H.now += 5000;
	host_seg(IRS, ISS, XTCP_ACK, 0, 100);
	EQUAL(xtcp_core_deadline(&H.c), H.now + 3000);
	host_expire();
	EQUAL(H.c.retrans, 1);
	host_seg(IRS, ISS, XTCP_ACK, 0, 100);
	CHECK(xtcp_core_deadline(&H.c) > H.now + 8000);
	host_in(XTCP_SYN_SENT);
	host_seg(IRS, ISS + 2, XTCP_ACK, 0, 100);
	CHECK(H.sig & XTCP_SIG_REPLY_RST);
	host_in(XTCP_SYN_SENT);
	host_seg(IRS, ISS, XTCP_ACK | XTCP_RST, 0, 100);
	host_seg(IRS, 0, XTCP_RST, 0, 100);
	EQUAL(H.c.state, XTCP_SYN_SENT);
	CHECK(!(H.sig & XTCP_SIG_REPLY_RST));
	host_seg(0, ISS + 1, XTCP_ACK | XTCP_RST, 0, 100);
	EQUAL(H.c.state, XTCP_CLOSED);
	EQUAL(H.c.err, ECONNREFUSED);
	host_in(XTCP_SYN_SENT);
	host_seg(IRS, ISS + 1, XTCP_ACK, 0, 100);
	EQUAL(H.c.state, XTCP_SYN_SENT);
	/* Payload on the SYN-ACK is not taken. */
	host_seg(IRS, ISS + 1, XTCP_ACK | XTCP_SYN, 10, 100);
	EQUAL(H.c.state, XTCP_ESTABLISHED);
	EQUAL(H.c.rcv_nxt, IRS + 1);
	EQUAL(H.discarded, 1);
	EQUAL(H.delivered, 0);
	EQUAL(H.c.snd_wnd, 100);
	CHECK(H.sig & XTCP_SIG_CONNECTED);
	EQUAL(H.sent, 1);
	EQUAL(H.out[0].h.flags, XTCP_ACK);
	EQUAL(H.out[0].h.ack, IRS + 1);
	EQUAL(H.c.deadline[XTCP_T_RTX], 0);
}

static void simultaneous_open(void)
{
	host_in(XTCP_SYN_SENT);
	host_seg(IRS, 0, XTCP_SYN, 0, 100);
	EQUAL(H.c.state, XTCP_SYN_RECV);
	EQUAL(H.sent, 1);
	EQUAL(H.out[0].h.flags, XTCP_SYN | XTCP_ACK);
	EQUAL(H.out[0].h.seq, ISS);
	EQUAL(H.out[0].h.ack, IRS + 1);
	EQUAL(H.mib[XTCP_MIB_RETRANS], 0);
	host_seg(IRS, ISS + 1, XTCP_SYN | XTCP_ACK, 0, 200);
	EQUAL(H.c.state, XTCP_ESTABLISHED);
	EQUAL(H.ev, XTCP_EV_RCV_SYNACK);
	EQUAL(H.c.snd_wnd, 200);
	host_in(XTCP_SYN_RECV);
	host_seg(IRS + 1, ISS + 1, XTCP_ACK, 0, 200);
	EQUAL(H.c.state, XTCP_ESTABLISHED);
	EQUAL(H.ev, XTCP_EV_RCV_ACK);
	/* Closed before the end: the FIN waits for the ACK of the SYN. */
	host_in(XTCP_SYN_RECV);
	xtcp_core_shutdown(&H.c, H.now);
	host_tx(true);
	EQUAL(H.c.state, XTCP_FIN_WAIT1);
	EQUAL(H.sent, 0);
	host_seg(IRS + 1, ISS + 1, XTCP_ACK, 0, 200);
	EQUAL(H.c.state, XTCP_FIN_WAIT1);
	EQUAL(H.out[0].h.flags, XTCP_FIN | XTCP_ACK);
	EQUAL(H.out[0].h.seq, ISS + 1);
}

static void time_wait(void)
{
	host_in(XTCP_TIME_WAIT);
	H.now += 1000000;
	host_seg(IRS + 1, ISS + 2, XTCP_ACK | XTCP_FIN, 0, 100);
	EQUAL(H.sent, 1);
	EQUAL(H.c.deadline[XTCP_T_KEEP], H.now + H.cfg.timewait);
	H.now += 1000000;
	host_seg(IRS + 2, ISS + 2, XTCP_ACK, 0, 100);
	EQUAL(H.sent, 1);
	EQUAL(H.c.deadline[XTCP_T_KEEP], H.now + H.cfg.timewait);
	host_expire();
	EQUAL(H.c.state, XTCP_CLOSED);
	EQUAL(H.ev, XTCP_EV_2MSL);
}

static void unread_by_anyone(void)
{
	static const u8 s[] = { XTCP_FIN_WAIT1, XTCP_FIN_WAIT2 };

	for (int i = 0; i < 4; i++) {
		host_in(s[i & 1]);
		H.c.rcv_shut = true;
		H.c.orphan = i & 2;
		EQUAL(host_seg(IRS + 1, ISS + 2, XTCP_ACK, 10, 60000),
		      XTCP_DROP_CLOSED);
		EQUAL(H.c.state, XTCP_CLOSED);
		CHECK(H.sig & XTCP_SIG_REPLY_RST);
		CHECK(!(H.sig & XTCP_SIG_SEND_RST));
		EQUAL(!!(H.sig & XTCP_SIG_ERROR), !(i & 2));
	}
	/* A FIN that overtook data tells of data. */
	host_in(XTCP_FIN_WAIT2);
	H.c.rcv_shut = true;
	EQUAL(host_seg(IRS + 2, ISS + 2, XTCP_ACK | XTCP_FIN, 0, 60000),
	      XTCP_DROP_CLOSED);
	EQUAL(H.c.state, XTCP_CLOSED);
	/* After SHUT_RD alone payload is still taken. */
	host_in(XTCP_ESTABLISHED);
	H.c.rcv_shut = true;
	EQUAL(host_seg(IRS + 1, ISS + 1, XTCP_ACK, 10, 60000), 0);
	EQUAL(H.delivered, 10);
}

/* shutdown(SHUT_WR) before there was a connection. */
static void shut_before(void)
{
	host_in(XTCP_SYN_RECV);
	H.c.snd_shut = true;
	host_seg(IRS + 1, ISS + 1, XTCP_ACK, 0, 60000);
	EQUAL(H.c.state, XTCP_FIN_WAIT1);
	EQUAL(H.sent, 1);
	CHECK(H.out[0].d.flags & XTCP_FIN);
}

static void not_there(void)
{
	host_in(XTCP_CLOSED);
	EQUAL(host_seg(1, 1, XTCP_ACK, 10, 1), XTCP_DROP_CLOSED);
	EQUAL(H.discarded, 1);
	host_in(XTCP_LISTEN);
	EQUAL(host_seg(1, 1, XTCP_SYN, 0, 1), XTCP_DROP_CLOSED);
	EQUAL(H.c.state, XTCP_LISTEN);
}

static const struct unit_test tests[] = {
	{ "RST at RCV.NXT ends it", rst_exact },
	{ "RST elsewhere is challenged at a limited rate", rst_inexact },
	{ "RST with the number of the FIN", rst_of_fin },
	{ "SYN when synchronised is challenged", syn_when_synchronised },
	{ "a segment without ACK is dropped", no_ack_bit },
	{ "what is outside of the window is answered", beyond_window },
	{ "ACKs too new and too old", ack_range },
	{ "FIN", fin_in_each_state },
	{ "SYN_SENT", syn_sent },
	{ "simultaneous open", simultaneous_open },
	{ "TIME_WAIT without mini-socket", time_wait },
	{ "payload that nobody will read", unread_by_anyone },
	{ "SHUT_WR before the connection", shut_before },
	{ "CLOSED and LISTEN take nothing", not_there },
};
UNIT_MAIN(tests)

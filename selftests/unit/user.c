// SPDX-License-Identifier: GPL-2.0
#include "unit.h"

static void each_state(void (*call)(void), const u8 *next, u32 rst_in)
{
	for (u8 s = 1; s < XTCP_NSTATES; s++) {
		host_in(s);
		call();
		host_tx(false);
		if (H.c.state != next[s]) {
			printf("# %s became %s\n", xtcp_state_name(s),
			       xtcp_state_name(H.c.state));
			unit_failed = 1;
		}
		EQUAL(!!(H.sig & XTCP_SIG_SEND_RST), !!(rst_in & 1u << s));
		EQUAL(!!(H.sig & XTCP_SIG_CLOSED),
		      s != next[s] && next[s] == XTCP_CLOSED);
		CHECK(H.edges <= 1 && (!H.edges || H.to));
	}
}

static void call_shutdown(void)
{
	xtcp_core_shutdown(&H.c, H.now);
	xtcp_core_shutdown(&H.c, H.now);
}

static void call_abort(void)
{
	xtcp_core_abort(&H.c, 0);
}

static void shutdown_everywhere(void)
{
	static const u8 next[XTCP_NSTATES] = {
		[XTCP_CLOSED] = XTCP_CLOSED, [XTCP_LISTEN] = XTCP_CLOSED,
		[XTCP_SYN_SENT] = XTCP_CLOSED,
		[XTCP_SYN_RECV] = XTCP_FIN_WAIT1,
		[XTCP_ESTABLISHED] = XTCP_FIN_WAIT1,
		[XTCP_FIN_WAIT1] = XTCP_FIN_WAIT1,
		[XTCP_FIN_WAIT2] = XTCP_FIN_WAIT2,
		[XTCP_CLOSE_WAIT] = XTCP_LAST_ACK,
		[XTCP_CLOSING] = XTCP_CLOSING,
		[XTCP_LAST_ACK] = XTCP_LAST_ACK,
		[XTCP_TIME_WAIT] = XTCP_TIME_WAIT,
	};

	each_state(call_shutdown, next, 0);
}

static void abort_everywhere(void)
{
	static const u8 next[XTCP_NSTATES] = {
		[1 ... XTCP_NSTATES - 1] = XTCP_CLOSED,
	};

	each_state(call_abort, next, 1u << XTCP_SYN_RECV |
		   1u << XTCP_ESTABLISHED | 1u << XTCP_FIN_WAIT1 |
		   1u << XTCP_FIN_WAIT2 | 1u << XTCP_CLOSE_WAIT);
	host_in(XTCP_ESTABLISHED);
	xtcp_core_abort(&H.c, ECONNABORTED);
	EQUAL(H.c.err, ECONNABORTED);
	CHECK(H.c.sig & XTCP_SIG_ERROR);
}

/* Closed by both, but our FIN has not left: the peer must hear of the end. */
static void abort_unsent(void)
{
	static const u8 in[] = { XTCP_LAST_ACK, XTCP_CLOSING };

	for (int i = 0; i < 2; i++) {
		host_in(in[i]);
		H.c.snd_nxt--;
		H.c.rtx_nxt = seq_min(H.c.rtx_nxt, H.c.snd_nxt);
		H.c.rtx_end = seq_min(H.c.rtx_end, H.c.snd_nxt);
		xtcp_core_abort(&H.c, 0);
		EQUAL(H.c.state, XTCP_CLOSED);
		CHECK(H.c.sig & XTCP_SIG_SEND_RST);
	}
}

static void abort_frees(void)
{
	host_in(XTCP_ESTABLISHED);
	host_seg(IRS + 100, ISS + 1, XTCP_ACK, 10, 60000);
	EQUAL(H.c.ooo.count, 1);
	xtcp_core_abort(&H.c, 0);
	EQUAL(H.c.ooo.count, 0);
	EQUAL(H.discarded, 1);
}

static void accepting(void)
{
	struct xtcp_req r = {
		.irs = IRS, .iss = ISS, .rcv_wnd = 1000, .peer_mss = 20,
		.own_mss = 900, .snd_wnd = 50, .snd_wscale = 3,
		.rcv_wscale = 4, .ws_ok = true, .sent = T0 - 30000,
	};

	host_new();
	xtcp_core_accept(&H.c, &r, H.now);
	EQUAL(H.c.state, XTCP_SYN_RECV);
	EQUAL(H.edges, 0);
	EQUAL(H.c.mss, XTCP_MSS_MIN);
	host_seg(IRS + 1, ISS + 1, XTCP_ACK, 10, 50);
	EQUAL(H.c.state, XTCP_ESTABLISHED);
	EQUAL(H.delivered, 10);
	EQUAL(H.c.snd_wnd, 400);
	EQUAL(H.c.rtt.srtt >> 3, 30000);
	/* Karn: a repeated SYN-ACK measures nothing. */
	host_new();
	r.retrans = 1;
	xtcp_core_accept(&H.c, &r, H.now);
	host_seg(IRS + 1, ISS + 1, XTCP_ACK, 0, 50);
	EQUAL(H.c.rtt.srtt, 0);
}

static void writing(void)
{
	host_in(XTCP_ESTABLISHED);
	CHECK(xtcp_core_can_write(&H.c));
	xtcp_core_shutdown(&H.c, H.now);
	CHECK(!xtcp_core_can_write(&H.c));
	xtcp_core_wrote(&H.c, 10);
	EQUAL(xtcp_core_send_end(&H.c), ISS + 2);
}

static void path_mtu(void)
{
	host_in(XTCP_ESTABLISHED);
	host_wrote(3 * MSS);
	host_clear();
	xtcp_core_set_mss(&H.c, 600, H.now);
	/* Smaller alone is no news of what is under way. */
	host_tx(false);
	EQUAL(H.sent, 0);
	xtcp_core_too_long(&H.c);
	host_tx(false);
	EQUAL(H.sent, 5);
	CHECK(H.out[0].d.rtx);
	EQUAL(H.out[0].d.len, 600);
	EQUAL(H.c.cwnd, 10);
	xtcp_core_set_mss(&H.c, 9000, H.now);
	EQUAL(H.c.mss, MSS);
	xtcp_core_set_mss(&H.c, 1, H.now);
	EQUAL(H.c.mss, XTCP_MSS_MIN);
	xtcp_core_too_long(&H.c);
	/* Repeating must not push the timeout away for ever. */
	u64 at = H.c.deadline[XTCP_T_RTX];

	H.now += 1000;
	host_tx(false);
	EQUAL(H.c.deadline[XTCP_T_RTX], at);
	/* Short enough as it is. */
	host_in(XTCP_ESTABLISHED);
	host_wrote(500);
	xtcp_core_set_mss(&H.c, 600, H.now);
	xtcp_core_too_long(&H.c);
	CHECK(!(H.c.sig & XTCP_SIG_TX));
}

static void icmp(void)
{
	int state;

	for (state = XTCP_ESTABLISHED; state < XTCP_NSTATES; state++) {
		bool opening = state == XTCP_SYN_SENT || state == XTCP_SYN_RECV;

		host_in(state);
		EQUAL(xtcp_core_net_error(&H.c, EHOSTUNREACH), opening);
		EQUAL(H.c.state, opening ? XTCP_CLOSED : state);
		EQUAL(H.c.err, opening ? EHOSTUNREACH : 0);
		EQUAL(!!(H.c.sig & XTCP_SIG_ERROR), opening);
	}
	host_in(XTCP_ESTABLISHED);
	host_wrote(10);
	CHECK(!xtcp_core_in_flight(&H.c, ISS));
	CHECK(xtcp_core_in_flight(&H.c, ISS + 1));
	CHECK(xtcp_core_in_flight(&H.c, ISS + 11));
	CHECK(!xtcp_core_in_flight(&H.c, ISS + 12));
}

static const struct unit_test tests[] = {
	{ "shutdown in each state, twice", shutdown_everywhere },
	{ "abort in each state", abort_everywhere },
	{ "abort with unsent data", abort_unsent },
	{ "abort gives everything back", abort_frees },
	{ "a request becomes a connection", accepting },
	{ "nothing is written behind FIN", writing },
	{ "path MTU", path_mtu },
	{ "ICMP", icmp },
};
UNIT_MAIN(tests)

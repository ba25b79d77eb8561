// SPDX-License-Identifier: GPL-2.0
/*
 * Every cell of the table against the diagram of RFC 9293, figure 5, written
 * down a second time, by event.
 */
#include "unit.h"

#define ALL	0xfff
#define S(name)	(1u << XTCP_##name)

/* On @ev each of @from goes to @to; whatever is not listed has no edge. */
static const struct rule {
	u8 ev;
	u16 from;
	u8 to;
	u16 actions;
} rules[] = {
	{ XTCP_EV_LISTEN, S(CLOSED), XTCP_LISTEN, 0 },
	{ XTCP_EV_CONNECT, S(CLOSED), XTCP_SYN_SENT, XTCP_DO_SYN },
	{ XTCP_EV_CLOSE, S(LISTEN) | S(SYN_SENT), XTCP_CLOSED, XTCP_DO_DONE },
	{ XTCP_EV_CLOSE, S(SYN_RECV) | S(ESTABLISHED), XTCP_FIN_WAIT1,
	  XTCP_DO_FIN },
	{ XTCP_EV_CLOSE, S(CLOSE_WAIT), XTCP_LAST_ACK, XTCP_DO_FIN },
	{ XTCP_EV_ABORT, S(SYN_SENT) | S(CLOSING) | S(LAST_ACK) |
	  S(TIME_WAIT), XTCP_CLOSED, XTCP_DO_DONE },
	{ XTCP_EV_ABORT, S(SYN_RECV) | S(ESTABLISHED) | S(FIN_WAIT1) |
	  S(FIN_WAIT2) | S(CLOSE_WAIT), XTCP_CLOSED,
	  XTCP_DO_RST | XTCP_DO_DONE },
	{ XTCP_EV_RCV_SYN, S(LISTEN) | S(SYN_SENT), XTCP_SYN_RECV,
	  XTCP_DO_SYNACK },
	{ XTCP_EV_RCV_SYN, S(TIME_WAIT), XTCP_CLOSED, XTCP_DO_DONE },
	{ XTCP_EV_RCV_SYNACK, S(SYN_SENT), XTCP_ESTABLISHED,
	  XTCP_DO_ACK | XTCP_DO_OPENED },
	{ XTCP_EV_RCV_SYNACK, S(SYN_RECV), XTCP_ESTABLISHED, XTCP_DO_OPENED },
	{ XTCP_EV_RCV_ACK, S(SYN_RECV), XTCP_ESTABLISHED, XTCP_DO_OPENED },
	{ XTCP_EV_RCV_FIN, S(ESTABLISHED), XTCP_CLOSE_WAIT,
	  XTCP_DO_ACK | XTCP_DO_EOF },
	{ XTCP_EV_RCV_FIN, S(FIN_WAIT1), XTCP_CLOSING,
	  XTCP_DO_ACK | XTCP_DO_EOF },
	{ XTCP_EV_RCV_FIN, S(FIN_WAIT2), XTCP_TIME_WAIT,
	  XTCP_DO_ACK | XTCP_DO_EOF | XTCP_DO_2MSL },
	{ XTCP_EV_RCV_ACK_OF_FIN, S(FIN_WAIT1), XTCP_FIN_WAIT2, 0 },
	{ XTCP_EV_RCV_ACK_OF_FIN, S(CLOSING), XTCP_TIME_WAIT, XTCP_DO_2MSL },
	{ XTCP_EV_RCV_ACK_OF_FIN, S(LAST_ACK), XTCP_CLOSED, XTCP_DO_DONE },
	{ XTCP_EV_RCV_FIN_ACK, S(FIN_WAIT1), XTCP_TIME_WAIT,
	  XTCP_DO_ACK | XTCP_DO_EOF | XTCP_DO_2MSL },
	{ XTCP_EV_RCV_RST, S(TIME_WAIT), XTCP_CLOSED, XTCP_DO_DONE },
	{ XTCP_EV_RCV_RST, ALL & ~(S(CLOSED) | S(LISTEN) | S(TIME_WAIT)),
	  XTCP_CLOSED, XTCP_DO_ERROR | XTCP_DO_DONE },
	{ XTCP_EV_RCV_RST_PASSIVE, S(SYN_RECV), XTCP_LISTEN, 0 },
	{ XTCP_EV_TIMEOUT, ALL & ~(S(CLOSED) | S(LISTEN) | S(TIME_WAIT)),
	  XTCP_CLOSED, XTCP_DO_ERROR | XTCP_DO_DONE },
	{ XTCP_EV_2MSL, S(FIN_WAIT2) | S(TIME_WAIT), XTCP_CLOSED,
	  XTCP_DO_DONE },
	{ XTCP_EV_NET_ERROR, S(SYN_SENT) | S(SYN_RECV), XTCP_CLOSED,
	  XTCP_DO_ERROR | XTCP_DO_DONE },
};

static const struct rule *rule_of(u8 state, u8 ev)
{
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		if (rules[i].ev == ev && (rules[i].from & 1u << state))
			return &rules[i];
	return NULL;
}

static void every_cell(void)
{
	int cells = 0;

	for (u8 s = 1; s < XTCP_NSTATES; s++)
		for (u8 ev = 0; ev < XTCP_NEVENTS; ev++) {
			const struct xtcp_edge *e = &xtcp_fsm[s][ev];
			const struct rule *r = rule_of(s, ev);

			cells++;
			if (e->next == (r ? r->to : 0) &&
			    e->actions == (r ? r->actions : 0))
				continue;
			printf("# %s on %s goes to %s, actions %#x\n",
			       xtcp_state_name(s), xtcp_event_name(ev),
			       xtcp_state_name(e->next), e->actions);
			unit_failed = 1;
		}
	EQUAL(cells, 11 * 15);
}

static void apply_takes_edges(void)
{
	for (u8 s = 1; s < XTCP_NSTATES; s++)
		for (u8 ev = 0; ev < XTCP_NEVENTS; ev++) {
			const struct rule *r = rule_of(s, ev);

			host_new();
			H.c.state = s;
			EQUAL(xtcp_fsm_apply(&H.c, ev), r ? r->actions : 0);
			EQUAL(H.c.state, r ? r->to : s);
			EQUAL(H.from, s);
			EQUAL(H.ev, ev);
			EQUAL(H.to, r ? r->to : 0);
			EQUAL(H.edges, 1);
		}
}

static void names(void)
{
	CHECK(!strcmp(xtcp_state_name(XTCP_SYN_RECV), "SYN_RECEIVED"));
	CHECK(!strcmp(xtcp_state_name(0), "?"));
	CHECK(!strcmp(xtcp_state_name(XTCP_NSTATES), "?"));
	CHECK(!strcmp(xtcp_event_name(XTCP_NEVENTS), "?"));
	for (u8 s = 1; s < XTCP_NSTATES; s++)
		CHECK(*xtcp_state_name(s) != '?');
	for (u8 ev = 0; ev < XTCP_NEVENTS; ev++)
		CHECK(xtcp_event_name(ev) && *xtcp_event_name(ev) != '?');
}

static const struct unit_test tests[] = {
	{ "every cell of the state table", every_cell },
	{ "apply takes each edge and reports it", apply_takes_edges },
	{ "names", names },
};
UNIT_MAIN(tests)

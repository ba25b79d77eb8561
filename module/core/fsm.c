// SPDX-License-Identifier: GPL-2.0
/*
 * The state machine of RFC 9293, section 3.3.2, as one table.  Nothing else
 * in XTCP writes xtcp_core.state.
 *
 * Edges that the RFC names and that are left out, because nothing can take
 * them: SYN_RECV on FIN (its ACK has made it ESTABLISHED before), and LISTEN
 * on connect(), which the calls of a socket do not allow.  Nor LISTEN on abort:
 * a listener has no peer to be told, so that is its close.
 */
#include "internal.h"

#define TO(state, actions)	{ XTCP_##state, actions }

const struct xtcp_edge xtcp_fsm[XTCP_NSTATES][XTCP_NEVENTS] = {
	[XTCP_CLOSED] = {
		[XTCP_EV_LISTEN] = TO(LISTEN, 0),
		[XTCP_EV_CONNECT] = TO(SYN_SENT, XTCP_DO_SYN),
	},
	[XTCP_LISTEN] = {
		[XTCP_EV_CLOSE] = TO(CLOSED, XTCP_DO_DONE),
		[XTCP_EV_RCV_SYN] = TO(SYN_RECV, XTCP_DO_SYNACK),
	},
	[XTCP_SYN_SENT] = {
		[XTCP_EV_CLOSE] = TO(CLOSED, XTCP_DO_DONE),
		[XTCP_EV_ABORT] = TO(CLOSED, XTCP_DO_DONE),
		[XTCP_EV_RCV_SYN] = TO(SYN_RECV, XTCP_DO_SYNACK),
		[XTCP_EV_RCV_SYNACK] = TO(ESTABLISHED,
					  XTCP_DO_ACK | XTCP_DO_OPENED),
		[XTCP_EV_RCV_RST] = TO(CLOSED, XTCP_DO_ERROR | XTCP_DO_DONE),
		[XTCP_EV_TIMEOUT] = TO(CLOSED, XTCP_DO_ERROR | XTCP_DO_DONE),
		[XTCP_EV_NET_ERROR] = TO(CLOSED, XTCP_DO_ERROR | XTCP_DO_DONE),
	},
	[XTCP_SYN_RECV] = {
		[XTCP_EV_CLOSE] = TO(FIN_WAIT1, XTCP_DO_FIN),
		[XTCP_EV_ABORT] = TO(CLOSED, XTCP_DO_RST | XTCP_DO_DONE),
		/* In a simultaneous open the SYN comes with its ACK. */
		[XTCP_EV_RCV_SYNACK] = TO(ESTABLISHED, XTCP_DO_OPENED),
		[XTCP_EV_RCV_ACK] = TO(ESTABLISHED, XTCP_DO_OPENED),
		[XTCP_EV_RCV_RST] = TO(CLOSED, XTCP_DO_ERROR | XTCP_DO_DONE),
		[XTCP_EV_RCV_RST_PASSIVE] = TO(LISTEN, 0),
		[XTCP_EV_TIMEOUT] = TO(CLOSED, XTCP_DO_ERROR | XTCP_DO_DONE),
		[XTCP_EV_NET_ERROR] = TO(CLOSED, XTCP_DO_ERROR | XTCP_DO_DONE),
	},
	[XTCP_ESTABLISHED] = {
		[XTCP_EV_CLOSE] = TO(FIN_WAIT1, XTCP_DO_FIN),
		[XTCP_EV_ABORT] = TO(CLOSED, XTCP_DO_RST | XTCP_DO_DONE),
		[XTCP_EV_RCV_FIN] = TO(CLOSE_WAIT, XTCP_DO_ACK | XTCP_DO_EOF),
		[XTCP_EV_RCV_RST] = TO(CLOSED, XTCP_DO_ERROR | XTCP_DO_DONE),
		[XTCP_EV_TIMEOUT] = TO(CLOSED, XTCP_DO_ERROR | XTCP_DO_DONE),
	},
	[XTCP_FIN_WAIT1] = {
		[XTCP_EV_ABORT] = TO(CLOSED, XTCP_DO_RST | XTCP_DO_DONE),
		[XTCP_EV_RCV_FIN] = TO(CLOSING, XTCP_DO_ACK | XTCP_DO_EOF),
		[XTCP_EV_RCV_ACK_OF_FIN] = TO(FIN_WAIT2, 0),
		[XTCP_EV_RCV_FIN_ACK] = TO(TIME_WAIT, XTCP_DO_ACK |
					   XTCP_DO_EOF | XTCP_DO_2MSL),
		[XTCP_EV_RCV_RST] = TO(CLOSED, XTCP_DO_ERROR | XTCP_DO_DONE),
		[XTCP_EV_TIMEOUT] = TO(CLOSED, XTCP_DO_ERROR | XTCP_DO_DONE),
	},
	[XTCP_FIN_WAIT2] = {
		[XTCP_EV_ABORT] = TO(CLOSED, XTCP_DO_RST | XTCP_DO_DONE),
		[XTCP_EV_RCV_FIN] = TO(TIME_WAIT, XTCP_DO_ACK |
				       XTCP_DO_EOF | XTCP_DO_2MSL),
		[XTCP_EV_RCV_RST] = TO(CLOSED, XTCP_DO_ERROR | XTCP_DO_DONE),
		[XTCP_EV_TIMEOUT] = TO(CLOSED, XTCP_DO_ERROR | XTCP_DO_DONE),
		[XTCP_EV_2MSL] = TO(CLOSED, XTCP_DO_DONE),
	},
	[XTCP_CLOSE_WAIT] = {
		[XTCP_EV_CLOSE] = TO(LAST_ACK, XTCP_DO_FIN),
		[XTCP_EV_ABORT] = TO(CLOSED, XTCP_DO_RST | XTCP_DO_DONE),
		[XTCP_EV_RCV_RST] = TO(CLOSED, XTCP_DO_ERROR | XTCP_DO_DONE),
		[XTCP_EV_TIMEOUT] = TO(CLOSED, XTCP_DO_ERROR | XTCP_DO_DONE),
	},
	[XTCP_CLOSING] = {
		[XTCP_EV_ABORT] = TO(CLOSED, XTCP_DO_DONE),
		[XTCP_EV_RCV_ACK_OF_FIN] = TO(TIME_WAIT, XTCP_DO_2MSL),
		[XTCP_EV_RCV_RST] = TO(CLOSED, XTCP_DO_ERROR | XTCP_DO_DONE),
		[XTCP_EV_TIMEOUT] = TO(CLOSED, XTCP_DO_ERROR | XTCP_DO_DONE),
	},
	[XTCP_LAST_ACK] = {
		[XTCP_EV_ABORT] = TO(CLOSED, XTCP_DO_DONE),
		[XTCP_EV_RCV_ACK_OF_FIN] = TO(CLOSED, XTCP_DO_DONE),
		[XTCP_EV_RCV_RST] = TO(CLOSED, XTCP_DO_ERROR | XTCP_DO_DONE),
		[XTCP_EV_TIMEOUT] = TO(CLOSED, XTCP_DO_ERROR | XTCP_DO_DONE),
	},
	[XTCP_TIME_WAIT] = {
		[XTCP_EV_ABORT] = TO(CLOSED, XTCP_DO_DONE),
		/* A newer SYN: the old connection gives way (RFC 6191). */
		[XTCP_EV_RCV_SYN] = TO(CLOSED, XTCP_DO_DONE),
		[XTCP_EV_RCV_RST] = TO(CLOSED, XTCP_DO_DONE),
		[XTCP_EV_2MSL] = TO(CLOSED, XTCP_DO_DONE),
	},
};

static const char *const state_names[XTCP_NSTATES] = {
	[XTCP_ESTABLISHED] = "ESTABLISHED",
	[XTCP_SYN_SENT] = "SYN_SENT",
	[XTCP_SYN_RECV] = "SYN_RECEIVED",
	[XTCP_FIN_WAIT1] = "FIN_WAIT_1",
	[XTCP_FIN_WAIT2] = "FIN_WAIT_2",
	[XTCP_TIME_WAIT] = "TIME_WAIT",
	[XTCP_CLOSED] = "CLOSED",
	[XTCP_CLOSE_WAIT] = "CLOSE_WAIT",
	[XTCP_LAST_ACK] = "LAST_ACK",
	[XTCP_LISTEN] = "LISTEN",
	[XTCP_CLOSING] = "CLOSING",
};

static const char *const event_names[XTCP_NEVENTS] = {
	[XTCP_EV_LISTEN] = "listen",
	[XTCP_EV_CONNECT] = "connect",
	[XTCP_EV_CLOSE] = "close",
	[XTCP_EV_ABORT] = "abort",
	[XTCP_EV_RCV_SYN] = "rcv_SYN",
	[XTCP_EV_RCV_SYNACK] = "rcv_SYN_ACK",
	[XTCP_EV_RCV_ACK] = "rcv_ACK_of_SYN",
	[XTCP_EV_RCV_FIN] = "rcv_FIN",
	[XTCP_EV_RCV_ACK_OF_FIN] = "rcv_ACK_of_FIN",
	[XTCP_EV_RCV_FIN_ACK] = "rcv_FIN_and_ACK_of_FIN",
	[XTCP_EV_RCV_RST] = "rcv_RST",
	[XTCP_EV_RCV_RST_PASSIVE] = "rcv_RST_passive",
	[XTCP_EV_TIMEOUT] = "timeout",
	[XTCP_EV_2MSL] = "2MSL",
	[XTCP_EV_NET_ERROR] = "net_error",
};

const char *xtcp_state_name(u8 state)
{
	if (state >= XTCP_NSTATES || !state_names[state])
		return "?";
	return state_names[state];
}

const char *xtcp_event_name(u8 event)
{
	return event < XTCP_NEVENTS ? event_names[event] : "?";
}

u16 xtcp_fsm_apply(struct xtcp_core *c, enum xtcp_event ev)
{
	const struct xtcp_edge *e = &xtcp_fsm[c->state][ev];
	u8 from = c->state;

	if (e->next)
		c->state = e->next;
	xtcp_host_set_state(c, from, ev, e->next);
	return e->actions;
}

/* A connection that does not exist yet. */
void xtcp_fsm_birth(struct xtcp_core *c)
{
	c->state = XTCP_CLOSED;
}

/* A request's successor: the request took the edge to SYN_RECV. */
void xtcp_fsm_child(struct xtcp_core *c)
{
	c->state = XTCP_SYN_RECV;
}

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The connection state machine as data (RFC 9293, section 3.3.2): one const
 * table [state][event] -> {next state, actions}.  The diagram in
 * Documentation/ is generated from it.
 */
#ifndef XTCP_CORE_FSM_H
#define XTCP_CORE_FSM_H

#include "port.h"

/* The numbers of the kernel's TCP_ESTABLISHED and its sisters. */
enum xtcp_state {
	XTCP_ESTABLISHED = 1,
	XTCP_SYN_SENT,
	XTCP_SYN_RECV,
	XTCP_FIN_WAIT1,
	XTCP_FIN_WAIT2,
	XTCP_TIME_WAIT,
	XTCP_CLOSED,
	XTCP_CLOSE_WAIT,
	XTCP_LAST_ACK,
	XTCP_LISTEN,
	XTCP_CLOSING,
	XTCP_NSTATES,		/* one more than the last; 0 is no state */
};

/* What makes a connection change its state. */
enum xtcp_event {
	XTCP_EV_LISTEN,		/* user: listen() */
	XTCP_EV_CONNECT,	/* user: connect() */
	XTCP_EV_CLOSE,		/* user: close(), shutdown(SHUT_WR): FIN is queued */
	XTCP_EV_ABORT,		/* user: dropped at once, RST if the peer knows us */
	XTCP_EV_RCV_SYN,	/* SYN without ACK */
	XTCP_EV_RCV_SYNACK,	/* SYN with an acceptable ACK of our SYN */
	XTCP_EV_RCV_ACK,	/* acceptable ACK of our SYN, no SYN in it */
	XTCP_EV_RCV_FIN,	/* FIN, our own FIN not acknowledged by it */
	XTCP_EV_RCV_ACK_OF_FIN,	/* our FIN is acknowledged, no FIN in it */
	XTCP_EV_RCV_FIN_ACK,	/* FIN, and it acknowledges ours too */
	XTCP_EV_RCV_RST,	/* acceptable RST */
	XTCP_EV_RCV_RST_PASSIVE, /* acceptable RST for a request of a listener */
	XTCP_EV_TIMEOUT,	/* gave up retransmitting, probing or waiting */
	XTCP_EV_2MSL,		/* TIME_WAIT or orphaned FIN_WAIT_2 is over */
	XTCP_EV_NET_ERROR,	/* ICMP hard error while connecting */
	XTCP_NEVENTS,
};

/* What goes along with an edge (bits of xtcp_edge.actions). */
enum {
	XTCP_DO_SYN	= 1 << 0,	/* send SYN */
	XTCP_DO_SYNACK	= 1 << 1,	/* send SYN-ACK */
	XTCP_DO_ACK	= 1 << 2,	/* send ACK at once */
	XTCP_DO_FIN	= 1 << 3,	/* queue FIN behind the data */
	XTCP_DO_RST	= 1 << 4,	/* send RST */
	XTCP_DO_OPENED	= 1 << 5,	/* tell the user: connected */
	XTCP_DO_EOF	= 1 << 6,	/* tell the user: no more to read */
	XTCP_DO_2MSL	= 1 << 7,	/* start the TIME_WAIT timer */
	XTCP_DO_ERROR	= 1 << 8,	/* tell the user: an error ended it */
	XTCP_DO_DONE	= 1 << 9,	/* nothing is left to do for the wire */
};

struct xtcp_edge {
	u8 next;	/* enum xtcp_state; 0: the edge does not exist */
	u16 actions;	/* XTCP_DO_* */
};

extern const struct xtcp_edge xtcp_fsm[XTCP_NSTATES][XTCP_NEVENTS];

/* Names as RFC 9293 writes them, with '_' for '-'; "?" for no such number. */
const char *xtcp_state_name(u8 state);
const char *xtcp_event_name(u8 event);

struct xtcp_core;

/*
 * xtcp_fsm_apply - take an edge; the only writer of xtcp_core.state
 * Calls xtcp_host_set_state() with the old and the new state, also for an
 * edge that the table does not have: @to is 0 then and nothing changes.
 * Returns the edge's actions, 0 if there is none.  Connection locked.
 */
u16 xtcp_fsm_apply(struct xtcp_core *c, enum xtcp_event ev);

#endif /* XTCP_CORE_FSM_H */

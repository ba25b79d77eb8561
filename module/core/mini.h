/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The two ends of a connection's life that need no full connection: a
 * request in SYN_RECV before the handshake ends, and TIME_WAIT after the
 * last FIN.  A few dozen bytes each; the host puts them in mini-sockets.
 * The caller holds whatever lock covers the mini-socket.
 */
#ifndef XTCP_CORE_MINI_H
#define XTCP_CORE_MINI_H

#include "ts.h"

struct xtcp_core;
struct xtcp_cfg;

/* struct xtcp_req - a passive opener between SYN and the final ACK */
struct xtcp_req {
	u32 irs;	/* peer's initial sequence number */
	u32 iss;	/* ours */
	u32 rcv_wnd;	/* bytes offered in the SYN-ACK, unscaled */
	u16 peer_mss;	/* from its SYN, 536 if it had none */
	u16 own_mss;	/* what we announce */
	u16 snd_wnd;	/* window in the SYN, never scaled */
	u8 snd_wscale;	/* shift for windows the peer sends */
	u8 rcv_wscale;	/* shift for windows we send */
	bool ws_ok;	/* both ends scale */
	bool ts_ok;	/* both ends have timestamps */
	bool sack_ok;	/* the peer understands SACK; noted only */
	u8 retrans;	/* SYN-ACKs retransmitted */
	u32 ts_recent;	/* TSval of the SYN */
	u32 ts_off;	/* added to our timestamps */
	u64 sent;	/* time of the SYN-ACK, by the host; 0: unknown */
};

/*
 * xtcp_req_open - from an acceptable SYN in LISTEN (RFC 9293, 3.10.7.2)
 * @iss: initial sequence number of the new connection
 * @own_mss: bytes to announce; @rcv_wnd: bytes of buffer to offer
 * @rcv_buf_max: largest the buffer may become, decides the window scale
 * @ts_off: what is added to timestamps of this connection
 */
void xtcp_req_open(struct xtcp_req *r, const struct xtcp_seg *s, u32 iss,
		   u16 own_mss, u32 rcv_wnd, u32 rcv_buf_max, u32 ts_off,
		   const struct xtcp_cfg *cfg);

/* The header of its SYN-ACK, ports left to the caller. */
void xtcp_req_synack(const struct xtcp_req *r, u64 now, struct xtcp_hdr *h);

enum xtcp_req_verdict {
	XTCP_REQ_DROP,		/* nothing to do */
	XTCP_REQ_SYNACK,	/* a repeated SYN: send the SYN-ACK again */
	XTCP_REQ_ACK,		/* out of window or too old: send an ACK */
	XTCP_REQ_RST,		/* unacceptable ACK: xtcp_rst_reply() */
	XTCP_REQ_KILL,		/* acceptable RST: back to LISTEN */
	XTCP_REQ_ESTABLISH,	/* the final ACK: make the connection */
};

/* What a segment means for a request (RFC 9293, 3.10.7.4 in SYN-RECEIVED). */
enum xtcp_req_verdict xtcp_req_input(const struct xtcp_req *r,
				     const struct xtcp_seg *s);

/* The ACK that XTCP_REQ_ACK asks for, ports left to the caller. */
void xtcp_req_ack(const struct xtcp_req *r, u64 now, struct xtcp_hdr *h);

/*
 * xtcp_req_backoff - time until the next SYN-ACK, RFC 6298 back-off
 * Returns microseconds from the last one, given r->retrans.
 */
u64 xtcp_req_backoff(const struct xtcp_req *r, const struct xtcp_cfg *cfg);

/* struct xtcp_tw - what TIME_WAIT must know (RFC 9293, 3.10.7.4) */
struct xtcp_tw {
	u32 snd_nxt;
	u32 rcv_nxt;
	u32 rcv_wnd;	/* bytes last offered */
	u8 rcv_wscale;
	u32 ts_recent;	/* the peer's latest TSval */
	u32 ts_off;	/* added to our timestamps */
	u64 ts_stamp;	/* when ts_recent was taken; 0: there are none */
};

/* Takes over from a connection in TIME_WAIT (or FIN_WAIT_2, for an orphan). */
void xtcp_tw_open(struct xtcp_tw *tw, const struct xtcp_core *c);

enum xtcp_tw_verdict {
	XTCP_TW_DROP,		/* nothing to do */
	XTCP_TW_ACK,		/* send the ACK again */
	XTCP_TW_ACK_RESTART,	/* FIN again: ACK, and 2 MSL begin anew */
	XTCP_TW_KILL,		/* acceptable RST: CLOSED now */
	XTCP_TW_SYN,		/* a newer SYN: give way to a listener */
};

/* What a segment means in TIME_WAIT; RFC 6191's rule on sequence for SYN. */
enum xtcp_tw_verdict xtcp_tw_input(const struct xtcp_tw *tw,
				   const struct xtcp_seg *s);

/* The ACK it sends, ports left to the caller. */
void xtcp_tw_ack(const struct xtcp_tw *tw, u64 now, struct xtcp_hdr *h);

/* A safe initial sequence number for the connection that succeeds this one. */
static inline u32 xtcp_tw_next_iss(const struct xtcp_tw *tw)
{
	return tw->snd_nxt + 65535 + 2;
}

#endif /* XTCP_CORE_MINI_H */

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
	u8 timeouts;	/* times the SYN-ACK's timer has run out */
	bool acked;	/* the final ACK came, and could not be used yet */
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
	XTCP_REQ_ABORT,		/* another SYN in the window: RST, and over */
	XTCP_REQ_ESTABLISH,	/* the final ACK: make the connection */
};

/* What a segment means for a request (RFC 9293, 3.10.7.4 in SYN-RECEIVED). */
enum xtcp_req_verdict xtcp_req_input(const struct xtcp_req *r,
				     const struct xtcp_seg *s);

/* The ACK that XTCP_REQ_ACK asks for, ports left to the caller. */
void xtcp_req_ack(const struct xtcp_req *r, u64 now, struct xtcp_hdr *h);

/*
 * xtcp_req_backoff - time until the timer runs out next, RFC 6298 back-off
 * Returns microseconds, given r->timeouts.
 */
u64 xtcp_req_backoff(const struct xtcp_req *r, const struct xtcp_cfg *cfg);

/*
 * xtcp_req_retries - SYN-ACKs that a request may have repeated by now
 * @len: requests in the queue, @young of them without a timeout yet
 * @backlog: the size that the queue is meant to have
 * Half of the queue is kept for young ones: the further old ones have come
 * into it the fewer retries they have, but always two, as native TCP has it.
 */
u8 xtcp_req_retries(u32 len, u32 young, u32 backlog, u8 retries);

/*
 * xtcp_req_expired, xtcp_req_resend - when the timer has run out
 * @retries: from xtcp_req_retries(); @defer: TCP_DEFER_ACCEPT in timeouts, 0
 * if it is off.  A request that waits for data after its bare ACK repeats no
 * SYN-ACK until the last period of waiting, whose ACK is to be used.
 */
bool xtcp_req_expired(const struct xtcp_req *r, u8 retries, u8 defer);
bool xtcp_req_resend(const struct xtcp_req *r, u8 defer);

/* TCP_DEFER_ACCEPT: the final ACK @s has no data and is not yet to be used. */
bool xtcp_req_defer(const struct xtcp_req *r, const struct xtcp_seg *s,
		    u8 defer);

/* Seconds of TCP_DEFER_ACCEPT in timeouts, rounded up, and back. */
u8 xtcp_req_defer_timeouts(int seconds, const struct xtcp_cfg *cfg);
int xtcp_req_defer_seconds(u8 timeouts, const struct xtcp_cfg *cfg);

/*
 * struct xtcp_tw - what is left of a connection in TIME_WAIT, or in FIN_WAIT_2
 * once the user has closed (RFC 9293, 3.10.7.4)
 */
struct xtcp_tw {
	u32 snd_nxt;
	u32 rcv_nxt;
	u32 rcv_wnd;	/* bytes still offered */
	u8 rcv_wscale;
	u8 state;	/* XTCP_TIME_WAIT or XTCP_FIN_WAIT2 */
	u32 ts_recent;	/* the peer's latest TSval */
	u32 ts_off;	/* added to our timestamps */
	u64 ts_stamp;	/* when ts_recent was taken; 0: there are none */
	u64 last_ack;	/* when a suspect segment was answered, 0: never */
};

/* Takes over from a connection in TIME_WAIT or FIN_WAIT_2. */
void xtcp_tw_open(struct xtcp_tw *tw, const struct xtcp_core *c);

/* What is to be done (bits): one segment may ask for several. */
enum {
	XTCP_TW_ACK	= 1 << 0,  /* send xtcp_tw_ack() */
	XTCP_TW_RESTART	= 1 << 1,  /* 2 MSL begin anew, of cfg->timewait */
	XTCP_TW_FIN	= 1 << 2,  /* it was the FIN: TIME_WAIT from now on */
	XTCP_TW_KILL	= 1 << 3,  /* acceptable RST: CLOSED now */
	XTCP_TW_REFUSE	= 1 << 4,  /* data for nobody: xtcp_rst_reply(), CLOSED */
	XTCP_TW_SYN	= 1 << 5,  /* a newer SYN: give way to a listener */
	XTCP_TW_PAWS	= 1 << 6,  /* its timestamp was too old: count it */
	XTCP_TW_SKIPPED	= 1 << 7,  /* an ACK was saved by the limit: count it */
};

/*
 * xtcp_tw_input - what a segment means to it; returns XTCP_TW_* or 0
 * In FIN_WAIT_2: RFC 9293, 3.10.7.4.  In TIME_WAIT a SYN is newer by its
 * timestamp, or by its sequence number (RFC 6191); an RST ends it unless
 * cfg->rfc1337 (RFC 1337); everything else that has an ACK restarts it.
 * Changes @tw: the caller keeps other segments out.
 */
u8 xtcp_tw_input(struct xtcp_tw *tw, const struct xtcp_seg *s,
		 const struct xtcp_cfg *cfg, u64 now);

/* The ACK it sends, ports left to the caller. */
void xtcp_tw_ack(const struct xtcp_tw *tw, u64 now, struct xtcp_hdr *h);

/* A safe initial sequence number for the connection that succeeds this one. */
static inline u32 xtcp_tw_next_iss(const struct xtcp_tw *tw)
{
	u32 iss = tw->snd_nxt + 65535 + 2;

	return iss ? iss : 1;
}

/*
 * xtcp_tw_reusable - may connect() take the tuple over? (RFC 6191, tw_reuse)
 * @bound: the user chose the port: every connection with timestamps will do
 * @reuse: else only if this is true, the state is TIME_WAIT, and the peer's
 * last timestamp is of a second before this one
 * The successor begins at xtcp_tw_next_iss(), with ts_recent and ts_stamp of
 * this one.  One word each is read: no lock.
 */
bool xtcp_tw_reusable(const struct xtcp_tw *tw, bool reuse, bool bound,
		      u64 now);

#endif /* XTCP_CORE_MINI_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The protocol, without a kernel: one struct xtcp_core a connection, events
 * in (a parsed segment, a user call, a timeout), decisions out (edges of the
 * state table, what to send, deadlines, signals to the user).
 *
 * Rules for every function here unless it says otherwise:
 * - the connection is locked by the caller; any context, nothing sleeps;
 * - @now is microseconds of a monotonic clock, never 0;
 * - sequence numbers and lengths are in host byte order; lengths in bytes;
 * - payload never passes through: it is described by struct xtcp_rxd and
 *   struct xtcp_txd, which the host keeps beside its own buffers.
 * After each call the host looks at xtcp_core.sig, and sees to it that its
 * timer fires no later than xtcp_core_deadline().
 */
#ifndef XTCP_CORE_CORE_H
#define XTCP_CORE_CORE_H

#include "seq.h"
#include "seg.h"
#include "ts.h"
#include "fsm.h"
#include "mini.h"
#include "reasm.h"
#include "rtt.h"
#include "pkts.h"
#include "cc.h"
#include "rcvspace.h"

#define XTCP_MSS_DEFAULT	536	/* RFC 9293, 3.7.1: none was announced */
#define XTCP_MSS_MIN		48	/* smaller ones cost more than they carry */
#define XTCP_WSCALE_MAX		14	/* RFC 7323, 2.3 */

/*
 * struct xtcp_cfg - limits and times, one for a network namespace
 * Times in microseconds.  May change while connections live.
 */
struct xtcp_cfg {
	u32 rto_init;		/* 1 s (RFC 6298, 2.1) */
	u32 rto_min;		/* 200 ms, as native TCP */
	u32 rto_max;		/* 120 s */
	u32 delack_min;		/* 40 ms */
	u32 delack_max;		/* 200 ms */
	u64 fin_timeout;	/* 60 s: orphans in FIN_WAIT_2 */
	u64 timewait;		/* 60 s: 2 MSL */
	u8 syn_retries;		/* 6 */
	u8 synack_retries;	/* 5 */
	u8 syn_linear_timeouts;	/* 4: SYNs repeated without back-off, in addition */
	u8 retries1;		/* 3: data retransmissions before a new route */
	u8 retries2;		/* 15: data retransmissions before giving up */
	/*
	 * The same once the user has closed; 0: 8, and none any more when the
	 * timeout has reached its maximum.
	 */
	u8 orphan_retries;
	u8 window_scaling;	/* 1 */
	u8 timestamps;		/* 1; 0: none, 2: without an offset */
	u8 syncookies;		/* 1: when the SYN queue is full; 2: always */
	u8 abort_on_overflow;	/* 0: RST when the accept queue is full */
	int max_syn_backlog;	/* 128: requests of a listener, no cookies */
	u32 initial_cwnd;	/* 10 packets (RFC 6928) */
	u8 slow_start_after_idle; /* 1: an idle connection's cwnd shrinks */
	int min_rtt_wlen;	/* 300 s: how long a round trip may be the least */
	u8 rfc1337;		/* 0; 1: RST does not end TIME_WAIT */
	int challenge_ack_limit; /* INT_MAX: challenge ACKs a second, all connections */
	u64 invalid_ratelimit;	/* 500 ms between answers to suspect segments */
	u64 keepalive_time;	/* 7200 s: more than 32 bits of microseconds */
	u64 keepalive_intvl;	/* 75 s */
	u8 keepalive_probes;	/* 9 */
};

/* Native TCP's defaults. */
void xtcp_cfg_defaults(struct xtcp_cfg *cfg);

/* Why a segment, or a part of it, was not used. */
enum xtcp_drop {
	XTCP_DROP_NONE = 0,	/* it was used */
	XTCP_DROP_OLD_SEQ,	/* wholly below the window */
	XTCP_DROP_OUT_OF_WINDOW, /* wholly above the window, or RST beyond it */
	XTCP_DROP_OLD_ACK,	/* ACK too old (RFC 5961, 5) */
	XTCP_DROP_NEW_ACK,	/* ACK of what was never sent */
	XTCP_DROP_NO_ACK,	/* no ACK bit where one is required */
	XTCP_DROP_BAD_FLAGS,	/* SYN in a synchronised state and the like */
	XTCP_DROP_DUP_OFO,	/* out of order, and there already */
	XTCP_DROP_AFTER_FIN,	/* payload behind the peer's FIN */
	XTCP_DROP_CLOSED,	/* the user reads no more; answered by RST */
	XTCP_DROP_RST,		/* RST: acted upon */
	XTCP_DROP_PAWS,		/* timestamp too old (RFC 7323, 5) */
	XTCP_DROP_TSECR,	/* TSecr that our SYN did not carry */
	XTCP_DROP_NMAX,
};

/* Events that the host counts, by xtcp_host_count(). */
enum xtcp_mib {
	XTCP_MIB_RETRANS,	/* segments retransmitted */
	XTCP_MIB_TIMEOUTS,	/* retransmission timeouts */
	XTCP_MIB_FASTRETRANS,	/* fast retransmits entered */
	XTCP_MIB_OFOQUEUE,	/* segments queued out of order */
	XTCP_MIB_DUPACKS,	/* duplicate ACKs received */
	XTCP_MIB_DELAYEDACKS,	/* delayed ACKs sent by their timer */
	XTCP_MIB_ZEROWINPROBES,	/* zero-window probes sent */
	XTCP_MIB_CHALLENGEACKS,	/* challenge ACKs decided (RFC 5961) */
	XTCP_MIB_ABORTTIMEOUT,	/* connections given up */
	XTCP_MIB_ACKSKIPPED,	/* answers saved by invalid_ratelimit */
	XTCP_MIB_ABORTDATA,	/* the peer went on after the user had left */
	XTCP_MIB_ABORTLINGER,	/* TCP_LINGER2 < 0 and the peer was not done */
	XTCP_MIB_KEEPALIVES,	/* keepalive probes sent */
	XTCP_MIB_NMAX_CORE,
};

/* What the host has to tell or do (bits of xtcp_core.sig; the host clears). */
enum {
	XTCP_SIG_CONNECTED	= 1 << 0,  /* state became ESTABLISHED */
	XTCP_SIG_READABLE	= 1 << 1,  /* data was delivered */
	XTCP_SIG_EOF		= 1 << 2,  /* the peer's FIN was reached */
	XTCP_SIG_ACKED		= 1 << 3,  /* snd_una moved: free what lies below */
	XTCP_SIG_ERROR		= 1 << 4,  /* xtcp_core.err is set, connection over */
	XTCP_SIG_TX		= 1 << 5,  /* run the xtcp_core_next_tx() loop */
	XTCP_SIG_REPLY_RST	= 1 << 6,  /* answer this segment: xtcp_rst_reply() */
	XTCP_SIG_SEND_RST	= 1 << 7,  /* send xtcp_core_rst_hdr() */
	XTCP_SIG_TIME_WAIT	= 1 << 8,  /* state became TIME_WAIT */
	XTCP_SIG_CLOSED		= 1 << 9,  /* state became CLOSED */
	XTCP_SIG_FIN_WAIT2	= 1 << 10, /* an orphan waits in FIN_WAIT_2 */
	XTCP_SIG_FIN_ACKED	= 1 << 11, /* our FIN was acknowledged */
	XTCP_SIG_REROUTE	= 1 << 12, /* timeouts: the route may be wrong */
	XTCP_SIG_REHASH		= 1 << 13, /* a timeout: so may one of its paths */
};

/* The timers.  A deadline of 0 is a timer that is off. */
enum xtcp_timer {
	XTCP_T_RTX,	/* retransmission, or zero-window probe */
	XTCP_T_DELACK,	/* delayed ACK */
	XTCP_T_KEEP,	/* keepalive */
	XTCP_T_RETRY,	/* the host could not send: another attempt */
	XTCP_NTIMERS,
};

/*
 * struct xtcp_rxd - a received piece of payload; lives in the host's buffer
 * The core fills all of it and links it while it waits out of order.
 */
struct xtcp_rxd {
	struct rb_node node;
	u32 seq;	/* of the first payload byte still wanted */
	u32 end;	/* the one after the last, FIN not counted */
	u32 off;	/* of seq's byte within the buffer's payload */
};

/*
 * struct xtcp_txd - one segment to send, or a run of equal ones
 * Payload is [seq, seq + len) of the send queue; SYN and FIN are in @flags.
 * For a SYN or SYN-ACK @seq is iss.
 */
struct xtcp_txd {
	u32 seq;
	u32 len;	/* payload bytes, at most xtcp_core.burst */
	u8 flags;	/* XTCP_SYN, XTCP_FIN, XTCP_PSH, XTCP_ACK */
	bool rtx;	/* sent before */
	bool probe;	/* zero-window or keepalive probe */
};

/* What became of a decision; see xtcp_core_tx_done(). */
enum xtcp_tx_result {
	XTCP_TX_SENT,		/* IP has it; or has lost it, for other reasons */
	XTCP_TX_CONGESTED,	/* the same, but the local queue is congested */
	XTCP_TX_HELD,		/* not sent: the host will run the loop again by itself */
	XTCP_TX_REFUSED,	/* the local queue has dropped it: congestion */
	XTCP_TX_NO_MEMORY,	/* it was not made */
};

struct xtcp_core {
	u8 state;		/* enum xtcp_state; written by xtcp_fsm_apply() */

	/* Settings by the host; may change at any time. */
	bool nodelay;		/* TCP_NODELAY: no Nagle */
	bool cork;		/* TCP_CORK: only full segments */
	bool more;		/* MSG_MORE: the same while that call lasts */
	bool orphan;		/* the user has closed */
	bool rcv_shut;		/* SHUT_RD or orphan: nobody will read */
	bool snd_shut;		/* SHUT_WR came first: FIN ends SYN_RECEIVED */
	bool keepalive;		/* SO_KEEPALIVE */
	bool dubious;		/* ICMP spoke ill of the path, and no ACK since */
	const struct xtcp_cfg *cfg;
	const struct xtcp_cc *cc;
	u32 rcv_buf;		/* payload bytes the buffer can hold when empty */
	u32 rcv_free;		/* payload bytes it can still take now */
	u32 burst;		/* longest xtcp_txd.len wanted; at least mss is (GSO) */
	u32 ts_off;		/* added to our timestamps */
	u16 own_mss;		/* what we announce */
	u16 mss;		/* payload bytes a segment; path and peer allow, no option counts */
	u16 peer_mss;		/* what the peer announced */
	u16 sport, dport;

	/* Decisions for the host. */
	u32 sig;		/* XTCP_SIG_* */
	int err;		/* positive errno of XTCP_SIG_ERROR; set before the edge */
	u64 deadline[XTCP_NTIMERS];

	/* Send sequence space (RFC 9293, 3.3.1). */
	u32 iss;
	u32 snd_una;
	u32 snd_nxt;		/* highest sent + 1 */
	u32 snd_wnd;		/* bytes, scaled */
	u32 snd_wl1, snd_wl2;
	u32 max_snd_wnd;	/* largest ever offered to us */
	u64 bytes_acked;	/* all that was ever acknowledged, SYN and FIN too */
	u32 write_seq;		/* end of what the user has written */
	u32 snd_sml;		/* end of the last small segment (Nagle, Minshall) */
	u32 rtx_nxt;		/* next to retransmit, <= snd_nxt */
	bool fin_queued;	/* FIN stands at write_seq */
	bool syn_acked;		/* our SYN is acknowledged */
	u8 snd_wscale;		/* shift of windows we get */

	/* Receive sequence space. */
	u32 irs;
	u32 rcv_nxt;
	u32 rcv_wup;		/* rcv_nxt when a window was last sent */
	u32 rcv_wnd;		/* bytes offered then */
	bool rcv_refused;	/* the next ACK offers nothing: no room was found */
	u8 rcv_wscale;		/* shift of windows we send */
	bool ws_ok;
	bool fin_rcvd;		/* the peer's FIN was reached */
	struct xtcp_reasm ooo;	/* out of order payload */
	struct xtcp_rcvspace rcvspace;

	/* Timestamps (RFC 7323). */
	bool ts_ok;		/* both ends have them */
	u32 ts_recent;		/* the peer's latest TSval, 0: none */
	u32 ts_first;		/* TSval of our first SYN */
	u64 ts_stamp;		/* when ts_recent was taken, 0: never */

	/* Acknowledging (RFC 5681, 4.2; RFC 1122, 4.2.3.2). */
	bool ack_now;		/* an ACK is owed at once */
	bool quickack;		/* set by the host: the route wants no ACK delayed */
	bool data_soon;		/* set by the host: the user is about to send */
	u8 quick;		/* ACKs to send without delay (start, after gaps) */
	u8 pushed;		/* short segments since the last ACK, 2 for more */
	bool interactive;	/* data sent soon after carries the ACK */
	u32 ack_bytes;		/* sequence space received since the last ACK */
	u16 rcv_mss;		/* the peer's segment size, as seen */
	u16 rcv_last;		/* length of the last one, if it may be full; or 0 */
	u32 ato;		/* what a delayed ACK waits, us; 0: no data yet */
	u64 last_data;		/* time of the last payload in order */
	u64 last_challenge;	/* when a suspect segment was answered */

	/* Loss recovery and congestion control (RFC 6298, 5681, 6582). */
	struct xtcp_rtt rtt;
	u8 retrans;		/* timeouts in a row without progress */
	u8 rtx_backoff;		/* doublings of the timeout that they left */
	u8 probes;		/* unanswered zero-window or keepalive probes */
	u8 dupacks;
	bool in_recovery;	/* fast recovery */
	bool in_loss;		/* after a timeout, until recover is passed */
	bool in_cwr;		/* cwnd shrinks to ssthresh, until cwr_end is passed */
	u32 recover;		/* snd_nxt when recovery or loss began */
	u32 cwr_end;		/* snd_nxt when the local queue was congested */
	u32 rtx_end;		/* retransmit up to here without asking again */
	struct xtcp_pkts pkts;	/* sent and not acknowledged */
	u32 dup_left;		/* of them have reached the peer, say duplicate ACKs */
	u32 cwnd;		/* packets */
	u32 ssthresh;		/* packets */
	u32 cwnd_acked;		/* packets counted towards the next change of cwnd */
	u32 cwnd_used;		/* most packets in flight since cwnd_stamp */
	u32 cwnd_most;		/* most packets in flight in this window, */
	u32 cwnd_seq;		/* which ends when this is acknowledged */
	u32 refill_left;	/* packets that may go until the next ACK, see refill */
	u64 cwnd_stamp;		/* when cwnd was last used in full, or made less */
	u64 cc_priv[4];
	u64 retrans_start;	/* time of the first SYN, or timeout in a row; 0: none */
	u64 probe_start;	/* time of the first window probe in a row; 0: none */
	u64 last_snd;		/* time of the last data sent */
	u64 last_rcv;		/* time of the last segment that was not refused */
	u64 keep_time, keep_intvl;	/* microseconds; 0: cfg's */
	u8 keep_cnt;			/* 0: cfg's */
	u8 syn_cnt;			/* TCP_SYNCNT, 0: cfg's */
	s64 linger2;		/* TCP_LINGER2 in microseconds, 0: cfg's, < 0: none */
	u64 user_timeout;	/* microseconds, 0: off */
	u32 total_retrans;	/* segments */

	/* Private to core/. */
	bool force;		/* persist timer: send a part, Nagle or not */
	bool push;		/* what is before push_end waits for no cork, no Nagle */
	bool probe_due;		/* a probe is to be sent */
	bool ack_only;		/* this run of the loop: data could not be sent, */
	bool tx_stuck;		/* nor could an ACK */
	bool tx_new;		/* new data was sent in this run of the loop */
	u8 tx_failures;		/* retries in a row that were needed and failed */
	bool refill;		/* a recovery has left cwnd empty: no bursts until it is full */
	bool cwnd_limited;	/* cwnd was used in full in this window */
	bool fin_seen;		/* the peer's FIN stands at fin_seq */
	bool fin_wait2_late;	/* an orphan has waited its first part */
	u8 backoff;		/* doublings of the persist timer */
	u32 fin_seq;
	u32 push_end;
};

/* ---- birth ---- */

/*
 * A connection that does not exist: CLOSED, everything else 0 or default.
 * The state is set without an edge.  Keeps nothing of before.
 */
void xtcp_core_init(struct xtcp_core *c, const struct xtcp_cfg *cfg);

/*
 * The same for a socket that is used anew and for the child of a listener:
 * what the user has set with options is kept.  It never looks otherwise, not
 * for a moment: a child that comes too late for a listener used anew may be
 * made from it meanwhile, without its lock.
 */
void xtcp_core_renew(struct xtcp_core *c);

/*
 * The connection's state lives on elsewhere (a mini-socket): CLOSED without
 * an edge, no timer, nothing owed.
 */
void xtcp_core_retire(struct xtcp_core *c);

/* CLOSED -> LISTEN. */
void xtcp_core_listen(struct xtcp_core *c);

/*
 * xtcp_core_connect - CLOSED -> SYN_SENT (RFC 9293, 3.10.1, active OPEN)
 * @iss: initial sequence number; @rcv_buf_max: largest the receive buffer may
 * become, for the window scale.  sport, dport, own_mss, mss, burst, rcv_buf,
 * rcv_free and ts_off are set; ts_recent and ts_stamp too, if the tuple is
 * taken over from TIME_WAIT.  XTCP_SIG_TX asks for the SYN.
 */
void xtcp_core_connect(struct xtcp_core *c, u32 iss, u32 rcv_buf_max, u64 now);

/*
 * xtcp_core_accept - a request becomes a connection in SYN_RECV
 * The host follows with xtcp_core_input() of the segment that completed it.
 * Host settings must be there as for xtcp_core_connect().  The state is set
 * without an edge: the request has taken LISTEN -> SYN_RECV.
 */
void xtcp_core_accept(struct xtcp_core *c, const struct xtcp_req *r, u64 now);

/* ---- segments ---- */

/*
 * xtcp_core_input - a segment for this connection (RFC 9293, 3.10.7.3, .4)
 * Not for LISTEN and CLOSED.  Takes @d in every case: it ends in
 * xtcp_host_deliver() or xtcp_host_discard(), now or, if it waits out of
 * order, later.  @d may be NULL if @s->len is 0.
 * Simultaneous open, challenge ACKs and the ACK range of RFC 5961 included.
 */
enum xtcp_drop xtcp_core_input(struct xtcp_core *c, const struct xtcp_seg *s,
			       struct xtcp_rxd *d, u64 now);

/* Gives back all that waits out of order, each to xtcp_host_discard(). */
void xtcp_core_purge(struct xtcp_core *c);

/* The same with the last in sequence only; false if there is none. */
bool xtcp_core_prune(struct xtcp_core *c);

/*
 * xtcp_core_next_tx - what to send now, one decision a call
 * Order: SYN or SYN-ACK, retransmissions, new data and FIN as windows, Nagle and
 * silly-window avoidance allow, probes, and last a pure ACK if one is owed.
 * Returns false if nothing.  A true is followed by xtcp_core_hdr(), unless the
 * host has no memory, and by xtcp_core_tx_done(); so on until it is false.
 * The host may stop earlier.  Arms XTCP_T_RTX or the probe timer when data is
 * left and nothing may be sent.
 */
bool xtcp_core_next_tx(struct xtcp_core *c, u64 now, struct xtcp_txd *d);

/* The header for it: seq, ack, flags, window, options, ports. */
void xtcp_core_hdr(struct xtcp_core *c, const struct xtcp_txd *d, u64 now,
		   struct xtcp_hdr *h);

/*
 * xtcp_core_tx_done - what became of decision @d
 * The host may have made @d.len less, to a whole number of segments, and taken
 * FIN and PSH off.  What was held, refused or had no memory counts as not sent:
 * it is decided upon again when something happens to the connection, or, unless
 * it was held, when XTCP_T_RETRY ends.  In this run of the loop xtcp_core_next_tx() then offers no
 * other data, but a pure ACK that is owed.  A SYN counts as sent in every
 * case, as natively (tcp_connect()): else its retries would have no end.
 */
void xtcp_core_tx_done(struct xtcp_core *c, const struct xtcp_txd *d,
		       enum xtcp_tx_result res, u64 now);

/* The RST that ends the connection: SEQ=SND.NXT if the window takes it, ACK=RCV.NXT. */
void xtcp_core_rst_hdr(struct xtcp_core *c, u64 now, struct xtcp_hdr *h);

/* ---- user calls ---- */

/* @len more bytes are in the send queue. */
void xtcp_core_wrote(struct xtcp_core *c, u32 len);

/*
 * TCP_QUICKACK: with 0 the ACKs wait for answers to go with, else no longer; what
 * is owed goes now if all is read, and with an even @val only that.
 */
void xtcp_core_quickack(struct xtcp_core *c, int val);

/* The settings nodelay or cork changed, or MSG_MORE's end: look again. */
void xtcp_core_push(struct xtcp_core *c);

/* The same, and what is queued now goes whatever cork and Nagle say. */
void xtcp_core_push_all(struct xtcp_core *c);

/*
 * The user has read, rcv_free was renewed: XTCP_SIG_TX if a window update is
 * worth sending (RFC 9293, 3.8.6.2.2), or a delayed ACK that the sender may
 * be waiting for with all its data read.
 */
void xtcp_core_read(struct xtcp_core *c, u64 now);

/*
 * shutdown(SHUT_WR) or close(): FIN behind the data.  Harmless if repeated.
 * LISTEN and SYN_SENT go to CLOSED.
 */
void xtcp_core_shutdown(struct xtcp_core *c, u64 now);

/*
 * xtcp_core_abort - to CLOSED at once (RFC 9293, 3.10.5)
 * @err: positive errno for the user, 0 for none.  XTCP_SIG_SEND_RST is set
 * if the peer must be told: always, before both ends have closed; then only
 * if something is left unsent.
 */
void xtcp_core_abort(struct xtcp_core *c, int err);

/* SO_KEEPALIVE: the first probe comes a whole keep_time after it was off. */
void xtcp_core_keepalive(struct xtcp_core *c, bool on, u64 now);

/*
 * xtcp_core_set_keepalive - keep_time was changed, or the connection is there
 * Starts or stops the keepalive timer (RFC 9293, 3.8.4).
 */
void xtcp_core_set_keepalive(struct xtcp_core *c, u64 now);

/* ---- time ---- */

/*
 * Microseconds that a mini-socket lives which takes over on XTCP_SIG_TIME_WAIT
 * or XTCP_SIG_FIN_WAIT2.  Without one the core waits by itself.
 */
u64 xtcp_core_mini_time(const struct xtcp_core *c, u64 now);

/* Earliest deadline in microseconds, 0 if no timer is on. */
u64 xtcp_core_deadline(const struct xtcp_core *c);

/* Handles every timer whose deadline has come.  Early calls do no harm. */
void xtcp_core_timeout(struct xtcp_core *c, u64 now);

/* ---- from below ---- */

/*
 * Segments may carry @mss bytes now (path MTU or TCP_MAXSEG), what options
 * take of them included.
 */
void xtcp_core_set_mss(struct xtcp_core *c, u16 mss, u64 now);

/*
 * What is in flight was too long for the path: lost, but not by congestion
 * (RFC 1191, 6.5).  After xtcp_core_set_mss().
 */
void xtcp_core_too_long(struct xtcp_core *c);

/*
 * The network has said that it could not deliver the segment at @seq.  If it
 * is the one we send again and again, then the path is gone rather than
 * congested: one doubling of the timeout less (RFC 6069).
 */
void xtcp_core_unreachable(struct xtcp_core *c, u32 seq, u64 now);

/*
 * May news from below that quote @seq be about what we sent (RFC 5927, 4.1)?
 * snd_nxt itself is let through, as natively: a pure ACK has it.
 */
static inline bool xtcp_core_in_flight(const struct xtcp_core *c, u32 seq)
{
	return !seq_lt(seq, c->snd_una) && !seq_gt(seq, c->snd_nxt);
}

/*
 * xtcp_core_net_error - the peer cannot be reached, says ICMP
 * @err: positive errno.  Ends a connection that is being opened; returns
 * false, and does nothing, in any other state.
 */
bool xtcp_core_net_error(struct xtcp_core *c, int err);

/* ---- looking ---- */

/*
 * The congestion window in bytes of full segments; at most 2^30, to be
 * reckoned with.
 */
static inline u32 xtcp_core_cwnd_bytes(const struct xtcp_core *c)
{
	return min_t(u64, (u64)c->cwnd * c->mss, 1U << 30);
}

/*
 * Packets in the network, as far as we can know: sent, not acknowledged, and no
 * duplicate ACK has told that one of them has arrived.
 */
static inline u32 xtcp_core_in_network(const struct xtcp_core *c)
{
	return c->pkts.out - c->dup_left;
}

/* Bytes in flight: sent, not acknowledged, FIN and SYN counted. */
static inline u32 xtcp_core_flight(const struct xtcp_core *c)
{
	return c->snd_nxt - c->snd_una;
}

/* End of the send queue in sequence space, FIN counted. */
static inline u32 xtcp_core_send_end(const struct xtcp_core *c)
{
	return c->write_seq + c->fin_queued;
}

/* The user may still write: before FIN, in a state that sends data. */
static inline bool xtcp_core_can_write(const struct xtcp_core *c)
{
	return !c->fin_queued && (c->state == XTCP_ESTABLISHED ||
				  c->state == XTCP_CLOSE_WAIT);
}

#endif /* XTCP_CORE_CORE_H */

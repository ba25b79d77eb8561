/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Two protocol cores, a network that misbehaves by seed, and users that do
 * what programs do, in virtual time.  One run is a function of its seed.
 */
#ifndef XTCP_SIM_H
#define XTCP_SIM_H

#include <stdio.h>
#include <stdlib.h>

#include "../../module/core/host.h"

#define US_S		1000000ULL
#define PAYLOAD_MAX	65536

/* What a run is about. */
enum sim_class {
	CLASS_CLEAN,		/* everything must arrive */
	CLASS_SIMOPEN,		/* the same after a simultaneous open */
	CLASS_SELF,		/* the same over a socket bound to itself */
	CLASS_ABORT,		/* somebody aborts */
	CLASS_CLOSE,		/* close() at any time, unread data or not */
	CLASS_DEAD,		/* the network dies for good */
	CLASS_REFUSED,		/* nobody listens */
	CLASS_ICMP,		/* hard error while connecting */
	CLASS_LINGER,		/* the other end never closes */
	CLASS_SIMCLOSE,		/* both close at the same time */
	CLASS_HALF,		/* one closes its half, then the other writes */
	CLASS_REUSE,		/* the same ports again, with ghosts about */
	CLASS_NR,
};

/* A piece of payload in the hands of the host. */
struct rx {
	struct xtcp_rxd d;
	u32 len;
	u8 data[];
};

enum end_mode { END_NONE, END_LISTEN, END_CORE, END_TW, END_DEAD };

/* One end: the host around a core, and its user. */
struct end {
	char name;
	struct end *peer;	/* itself in a self-connect */
	enum end_mode mode;
	struct xtcp_cfg cfg;
	struct xtcp_core core;
	u16 port;
	u32 ts_off;

	/* Listener and request. */
	struct xtcp_core listener;
	bool listening;
	bool has_req;
	struct xtcp_req req;
	u64 req_at;		/* when the SYN-ACK goes again */

	/* TIME_WAIT in a mini-socket. */
	bool use_tw;
	struct xtcp_tw tw;
	u64 tw_at;

	/* Streams. */
	u8 *out;		/* all that was ever written */
	u32 written;
	u32 delivered;
	u32 unread;
	bool eof;
	int err;
	u32 right;		/* right edge of the window last offered */
	bool right_valid;
	u32 far;		/* the furthest of them */
	bool started;		/* there was one */

	/* The user. */
	u32 to_write;
	u32 chunk;
	u32 sndbuf;
	u64 tick_us;
	u64 act_at;		/* when abort or close strikes, 0: never */
	bool act_abort;
	bool never_close;
	bool shut;
	bool closed;
	bool connected;
	bool tx_blocked;	/* the last send failed */
	bool was_closing;	/* in CLOSING, once */
	bool left_alone;	/* its FIN was never acknowledged */
	u32 next_iss;		/* for the successor of a TIME_WAIT, 0: any */

	/* The queue in front of its device, if there is one. */
	u64 link_rate;		/* bytes a second, 0: no queue */
	u32 queue_max;		/* bytes */
	bool queue_silent;	/* what it drops is said to be sent */
	u64 link_free;		/* when all that waits has left */
	u32 refused;		/* decisions that it did not take */
	bool any_burst;		/* the longest burst is drawn for each run */
	u64 held_at;		/* enough waits below: until then; 0: no */
	u64 sent_packets;	/* with payload */
	u64 done_at;		/* when all had been delivered to it */
};

struct packet {
	struct end *to;
	u32 len;
	u8 bytes[];
};

struct sim {
	u64 seed;
	u64 rng;
	u64 now;
	enum sim_class class;
	struct end end[2];
	int nends;

	/* The network. */
	u32 loss, dup, reorder, corrupt;	/* in 1/1000 */
	u64 delay, jitter;			/* us */
	u64 heal_at;				/* faultless from here on */
	u64 die_at;				/* silent from here on, 0: never */
	u32 tx_fail, mem_drop;			/* in 1/1000 */
	u32 join;				/* in 1/1000: segments come as one */
	u32 hold;				/* in 1/1000: a decision has to wait */
	u64 limit;				/* the run must have ended */
	u64 rx_live;
	bool ideal;				/* nothing goes wrong */
	u32 lose_open, lose_close;		/* so many final ACKs are lost */
	u32 ghosts;				/* in 1/1000: duplicates, very late */
	u32 rounds;				/* incarnations still to come */
	u64 reuse_at;				/* when the next may begin, 0: unset */
	u64 steps;
};

extern struct sim S;
extern bool verbose;
extern u64 (*edges)[XTCP_NEVENTS];		/* taken, by state and event */

/* rng */
u64 rnd(void);
static inline u64 rnd_below(u64 n)
{
	return n ? rnd() % n : 0;
}

static inline u64 rnd_between(u64 lo, u64 hi)
{
	return lo + rnd_below(hi - lo + 1);
}

static inline bool chance(u32 per_mille)
{
	return rnd_below(1000) < per_mille;
}

void trace(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void fail(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

/* rate.c */
int rate_tap(int n);
extern const int rate_tests;

/* main.c */
void sim_reset(u64 seed);
void sim_end(struct end *e, int i);
void sim_run(void);

/* net.c */
bool net_room(const struct end *from, u32 bytes);
void net_send(struct end *from, const struct xtcp_hdr *h, const u8 *payload,
	      u32 len);
void net_tick_at(struct end *e, u64 at);
bool net_next(u64 *at);
void net_dispatch(void);
void net_drain(void);

/* host.c */
void host_connect(struct end *e);
void host_listen(struct end *e);
/* @joined: as in struct xtcp_seg. */
void host_receive(struct end *e, const u8 *bytes, u32 len, u16 joined);
void host_timers(struct end *e);
u64 host_deadline(const struct end *e);
void host_reuse(void);
void host_service(struct end *e, const struct xtcp_seg *s);
void host_rcv_free(struct end *e);
void host_close_listener(struct end *e);

/* user.c */
void user_tick(struct end *e);

/* check.c */
void check_end(struct end *e);
void check_sent(struct end *e, const struct xtcp_txd *d);
void check_finished(void);
void check_incarnation(void);

#endif /* XTCP_SIM_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A very small test frame: each test is a function, each program prints KTAP.
 * Besides it a host for one core: it counts what it is asked for and keeps
 * the segments that the core sends.
 */
#ifndef XTCP_UNIT_H
#define XTCP_UNIT_H

#include <stdio.h>
#include <stdlib.h>

#include "../../module/core/internal.h"

struct unit_test {
	const char *name;
	void (*run)(void);
};

extern int unit_failed;
int unit_main(const struct unit_test *tests, size_t n);

#define UNIT_MAIN(tests)						\
	int main(void)							\
	{								\
		return unit_main(tests, ARRAY_SIZE(tests));		\
	}

#define CHECK(cond)							\
	do {								\
		if (!(cond)) {						\
			printf("# %s:%d: %s\n", __FILE__, __LINE__,	\
			       #cond);					\
			unit_failed = 1;				\
		}							\
	} while (0)

#define EQUAL(a, b)							\
	do {								\
		long long _p = (long long)(a), _q = (long long)(b);	\
		if (_p != _q) {						\
			printf("# %s:%d: %s is %lld, not %lld\n",	\
			       __FILE__, __LINE__, #a, _p, _q);		\
			unit_failed = 1;				\
		}							\
	} while (0)

/* ---- a host for one connection ---- */

#define ISS	1000u
#define IRS	5000u
#define MSS	1000
#define T0	1000000ull	/* us: time 0 means "off" */

struct out {
	struct xtcp_txd d;
	struct xtcp_hdr h;
};

struct host {
	struct xtcp_core c;
	struct xtcp_cfg cfg;
	u64 now;
	u32 sig;		/* gathered */
	u32 delivered;		/* bytes */
	u32 off;		/* of the last delivery in its buffer */
	u32 discarded;		/* descriptors */
	u32 made;		/* descriptors */
	u32 handed_over;	/* descriptors delivered */
	u32 mib[XTCP_MIB_NMAX_CORE];
	u32 charged;		/* descriptors that room was asked for */
	bool in_order;		/* the last of them */
	bool no_room;		/* there is none */
	bool no_challenge;	/* the quota of this second is spent */
	enum xtcp_tx_result data_res, ack_res;	/* what becomes of segments */
	u8 from, ev, to;	/* the last edge */
	u32 edges;
	struct out out[64];	/* what was sent since host_clear() */
	u32 sent;
};

extern struct host H;

/* CLOSED, numbers as above, buffer of 60000, no window scaling. */
void host_new(void);
/* Any state, the handshake behind it; the windows are 60000 both ways. */
void host_in(u8 state);
/* Data has come for a while: no ACK is quick any more. */
void host_past_start(void);
/* Runs the send loop, if asked for or @always. */
void host_tx(bool always);
void host_clear(void);
/* A segment; the send loop runs after it. */
enum xtcp_drop host_seg(u32 seq, u32 ack, u8 flags, u32 len, u16 wnd);
/* To the next deadline, then the send loop. */
void host_expire(void);
void host_wrote(u32 len);

#endif /* XTCP_UNIT_H */

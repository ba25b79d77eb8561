/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How large the receive buffer should be: as much as the user takes in a round
 * trip, twice, so that the sender can double its rate each round trip and the
 * window is never what stops it.  Native TCP calls it dynamic right-sizing
 * (tcp_rcv_space_adjust()).
 *
 * The receiver sees the round trip in one of two ways: by timestamps, from an
 * ACK of ours to the first segment that echoes it; without them, from an ACK to
 * the arrival of the last byte that it has allowed, which takes at least one
 * round trip.
 */
#ifndef XTCP_CORE_RCVSPACE_H
#define XTCP_CORE_RCVSPACE_H

#include "seg.h"

struct xtcp_core;

/* Written by rcvspace.c alone. */
struct xtcp_rcvspace {
	u32 rtt;	/* microseconds, times 8; 0: not measured yet */
	u32 tsecr;	/* timestamps: the last echo that was measured */
	u32 right;	/* without: the right edge whose arrival ends it, */
	u64 since;	/* and when it was offered */
	u32 read;	/* stream position of the user when the round began, */
	u64 began;	/* and when that was */
	u32 most;	/* most bytes that the user took in a round trip */
};

/* The connection is there: measuring begins.  rcv_nxt, rcv_wnd are set. */
void xtcp_rcvspace_start(struct xtcp_core *c, u64 now);

/* Segment @s with payload has arrived in order. */
void xtcp_rcvspace_arrived(struct xtcp_core *c, const struct xtcp_seg *s,
			   u64 now);

/*
 * xtcp_rcvspace_read - the user has read up to sequence number @read
 * Returns the payload bytes that the buffer should be able to hold; 0 if what it
 * holds will do, or it is too early to say.
 */
u32 xtcp_rcvspace_read(struct xtcp_core *c, u32 read, u64 now);

#endif /* XTCP_CORE_RCVSPACE_H */

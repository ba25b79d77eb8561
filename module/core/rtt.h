/* SPDX-License-Identifier: GPL-2.0 */
/* Round-trip time and retransmission timeout (RFC 6298).  Microseconds. */
#ifndef XTCP_CORE_RTT_H
#define XTCP_CORE_RTT_H

#include "port.h"

struct xtcp_cfg;

struct xtcp_rtt {
	u32 srtt;	/* smoothed, times 8; 0 before the first sample */
	u32 rttvar;	/* variation, times 4 */
	u32 rto;	/* without back-off */
	u64 sent;	/* when the timed segment left; 0: none is timed */
	u32 seq;	/* its end: the ACK that ends the measurement */
	u32 min_rtt;	/* smallest sample, 0 before the first */
};

/* One measurement of @us microseconds (RFC 6298, section 2). */
void xtcp_rtt_sample(struct xtcp_rtt *r, u64 us, const struct xtcp_cfg *cfg);

/* @rto doubled @n times, at most @max (RFC 6298, 5.5). */
u64 xtcp_rtt_backoff(u32 rto, u8 n, u32 max);

/*
 * Microseconds that @n retransmissions take from a first timeout of @base,
 * each timeout twice the one before but at most @max, the wait after the last
 * included.  What "n retries" means for a limit in time (RFC 1122, 4.2.3.5).
 */
u64 xtcp_rtt_give_up(u8 n, u32 base, u32 max);

#endif /* XTCP_CORE_RTT_H */

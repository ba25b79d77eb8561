/* SPDX-License-Identifier: GPL-2.0 */
/* Round-trip time and retransmission timeout (RFC 6298).  Microseconds. */
#ifndef XTCP_CORE_RTT_H
#define XTCP_CORE_RTT_H

#include "port.h"

struct xtcp_cfg;

/* Samples of the least round trip: the first is it, the others succeed it. */
struct xtcp_rtt_min {
	u32 us[3];	/* ascending; us[0] is 0 before the first sample */
	u32 at[3];	/* when each was taken, ms modulo 2^32, ascending */
};

struct xtcp_rtt {
	u32 srtt;	/* smoothed, times 8; 0 before the first sample */
	u32 rttvar;	/* variation, times 4 */
	u32 rto;	/* without back-off */
	u64 sent;	/* when the timed segment left; 0: none is timed */
	u32 seq;	/* its end: the ACK that ends the measurement */
	struct xtcp_rtt_min min;
};

/* One measurement of @us microseconds (RFC 6298, section 2). */
void xtcp_rtt_sample(struct xtcp_rtt *r, u64 us, const struct xtcp_cfg *cfg,
		     u64 now);

/*
 * The smallest sample of the last cfg->min_rtt_wlen seconds, when the last one
 * was taken; 0 before the first.
 */
static inline u32 xtcp_rtt_least(const struct xtcp_rtt *r)
{
	return r->min.us[0];
}

/* @rto doubled @n times, at most @max (RFC 6298, 5.5). */
u64 xtcp_rtt_backoff(u32 rto, u8 n, u32 max);

/*
 * Microseconds that @n retransmissions take from a first timeout of @base,
 * each timeout twice the one before but at most @max, the wait after the last
 * included.  What "n retries" means for a limit in time (RFC 1122, 4.2.3.5).
 */
u64 xtcp_rtt_give_up(u8 n, u32 base, u32 max);

#endif /* XTCP_CORE_RTT_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Timestamps (RFC 7323): our clock on the wire, and what is too old.  One
 * tick is a millisecond.  A connection and both mini-sockets keep ts_recent,
 * the peer's latest TSval, and ts_off, which is added to the clock so that
 * nobody learns how long the machine has been up.
 */
#ifndef XTCP_CORE_TS_H
#define XTCP_CORE_TS_H

#include "seg.h"

#define XTCP_TS_SPACE	12	/* bytes of the option with its two NOPs */

/* After this long the peer's clock may have gone half round (5.5): 24 days. */
#define XTCP_PAWS_LIFE	(24ULL * 24 * 3600 * 1000000)

/* An RST in TIME_WAIT or SYN_RECV is too old to check after a minute, us. */
#define XTCP_PAWS_MSL	(60ULL * 1000000)

/* TSval at time @now. */
static inline u32 xtcp_ts_val(u32 off, u64 now)
{
	return xtcp_ms(now) + off;
}

/*
 * xtcp_paws_ok - is @tsval no older than what was seen last? (section 5.3)
 * @recent, @stamp: ts_recent and when it was taken; @slack: ticks that it may
 * lie behind.  A peer whose clock stands at 0 in its SYN has none to compare.
 */
static inline bool xtcp_paws_ok(u32 recent, u64 stamp, u32 tsval, s32 slack,
				u64 now)
{
	return (s32)(recent - tsval) <= slack || !recent ||
	       now - stamp >= XTCP_PAWS_LIFE;
}

/*
 * xtcp_ts_rtt - round-trip time that TSecr tells (section 4.1)
 * Returns microseconds, whole milliseconds and at least one; 0 if @s does not
 * tell, or tells nonsense.
 */
u64 xtcp_ts_rtt(u32 off, const struct xtcp_seg *s, u64 now);

#endif /* XTCP_CORE_TS_H */

// SPDX-License-Identifier: GPL-2.0
/* Timestamps (RFC 7323). */
#include "ts.h"

/* Ticks; longer round trips are lies, or answers to another life. */
#define TS_RTT_MAX	(1U << 21)

u64 xtcp_ts_rtt(u32 off, const struct xtcp_seg *s, u64 now)
{
	u32 ticks;

	if (!(s->opts & XTCP_OPT_TS) || !s->tsecr)
		return 0;
	ticks = xtcp_ts_val(off, now) - s->tsecr;
	if (ticks >= TS_RTT_MAX)
		return 0;
	return max_t(u32, ticks, 1) * 1000ULL;
}

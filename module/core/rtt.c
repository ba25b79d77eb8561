// SPDX-License-Identifier: GPL-2.0
/* Round-trip time and retransmission timeout (RFC 6298), integers only. */
#include "core.h"

/* Longer ones are clock trouble, and would overflow srtt, which is times 8. */
#define RTT_SAMPLE_MAX	(1U << 28)

/* Doublings after which every timeout has reached its maximum. */
#define BACKOFF_MAX	30

void xtcp_rtt_sample(struct xtcp_rtt *r, u64 us, const struct xtcp_cfg *cfg)
{
	u32 m = clamp_t(u64, us, 1, RTT_SAMPLE_MAX);
	s32 err;

	if (!r->min_rtt || m < r->min_rtt)
		r->min_rtt = m;
	if (!r->srtt) {
		r->srtt = m << 3;
		r->rttvar = m << 1;
	} else {
		err = (s32)(m - (r->srtt >> 3));
		r->srtt += err;
		if (err < 0)
			err = -err;
		r->rttvar += err - (r->rttvar >> 2);
	}
	if (!r->srtt)
		r->srtt = 1;
	/* The floor is under the variation, so that rto exceeds srtt by it. */
	r->rto = min_t(u64, (u64)(r->srtt >> 3) + max(r->rttvar, cfg->rto_min),
		       cfg->rto_max);
}

u64 xtcp_rtt_backoff(u32 rto, u8 n, u32 max)
{
	return min_t(u64, (u64)rto << min_t(u8, n, BACKOFF_MAX), max);
}

u64 xtcp_rtt_give_up(u8 n, u32 base, u32 max)
{
	u64 sum = 0;
	u8 i;

	for (i = 0; i < n; i++)
		sum += xtcp_rtt_backoff(base, i, max);
	return sum + xtcp_rtt_backoff(base, n, max);
}

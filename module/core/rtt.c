// SPDX-License-Identifier: GPL-2.0
/* Round-trip time and retransmission timeout (RFC 6298), integers only. */
#include "core.h"

/* Longer ones are clock trouble, and would overflow srtt, which is times 8. */
#define RTT_SAMPLE_MAX	(1U << 28)

/* Doublings after which every timeout has reached its maximum. */
#define BACKOFF_MAX	30

static void min_set(struct xtcp_rtt_min *m, int from, u32 us, u32 at)
{
	for (; from < 3; from++) {
		m->us[from] = us;
		m->at[from] = at;
	}
}

/* The first has expired: the second and third move up, and this one follows. */
static void min_shift(struct xtcp_rtt_min *m, u32 us, u32 at)
{
	m->us[0] = m->us[1];
	m->at[0] = m->at[1];
	m->us[1] = m->us[2];
	m->at[1] = m->at[2];
	min_set(m, 2, us, at);
}

/*
 * The minimum of a moving window of @wlen ms without all of its samples.  Kept
 * are three, each the least since the one before: when the first gets too old the
 * second is there, of a later part of the window.  A path that has become
 * longer is known as that when the window has passed.
 */
static void min_update(struct xtcp_rtt_min *m, u32 us, u32 at, u32 wlen)
{
	if (!m->us[0] || us <= m->us[0] || at - m->at[2] > wlen) {
		min_set(m, 0, us, at);
		return;
	}
	if (us <= m->us[1])
		min_set(m, 1, us, at);
	else if (us <= m->us[2])
		min_set(m, 2, us, at);
	if (at - m->at[0] > wlen) {
		min_shift(m, us, at);
		if (at - m->at[0] > wlen)
			min_shift(m, us, at);
	} else if (m->at[1] == m->at[0] && at - m->at[0] > wlen / 4) {
		/* All three are one sample still: a second one is needed. */
		min_set(m, 1, us, at);
	} else if (m->at[2] == m->at[1] && at - m->at[0] > wlen / 2) {
		min_set(m, 2, us, at);
	}
}

void xtcp_rtt_sample(struct xtcp_rtt *r, u64 us, const struct xtcp_cfg *cfg,
		     u64 now)
{
	u32 m = clamp_t(u64, us, 1, RTT_SAMPLE_MAX);
	s32 err;

	min_update(&r->min, m, xtcp_ms(now), cfg->min_rtt_wlen * 1000U);
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

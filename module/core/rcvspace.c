// SPDX-License-Identifier: GPL-2.0
/* How large the receive buffer should be: see rcvspace.h. */
#include "internal.h"

/* Twice as much may arrive in the next round trip. */
#define GROWTH		2

/* Room beyond that for a sender in its first window, in segments. */
#define HEADSTART	16

void xtcp_rcvspace_start(struct xtcp_core *c, u64 now)
{
	struct xtcp_rcvspace *r = &c->rcvspace;

	*r = (struct xtcp_rcvspace){
		.read = c->rcv_nxt,
		.began = now,
		.right = xtcp_rcv_right(c),
		.since = now,
		.most = max(min(c->rcv_wnd, c->cfg->initial_cwnd * c->own_mss), 1U),
	};
}

/* Timestamps: one sample for each echo, whole milliseconds, at least one. */
static void sample_echo(struct xtcp_core *c, const struct xtcp_seg *s, u64 now)
{
	struct xtcp_rcvspace *r = &c->rcvspace;
	u64 us;

	/* The peer may have waited with a short one. */
	if (s->tsecr == r->tsecr || xtcp_seg_size(s) < c->rcv_mss)
		return;
	r->tsecr = s->tsecr;
	us = xtcp_ts_rtt(c->ts_off, s, now);
	if (!us || us > c->cfg->rto_max)
		return;
	r->rtt = r->rtt ? r->rtt - r->rtt / 8 + (u32)us : (u32)us << 3;
}

/* Without: a window's worth takes a round trip or longer, so the least counts. */
static void sample_window(struct xtcp_core *c, u64 now)
{
	struct xtcp_rcvspace *r = &c->rcvspace;
	u64 us = min_t(u64, now - r->since, c->cfg->rto_max) << 3;

	if (seq_lt(c->rcv_nxt, r->right))
		return;
	if (!r->rtt || us < r->rtt)
		r->rtt = max_t(u32, us, 1);
	r->right = xtcp_rcv_right(c);
	r->since = now;
}

void xtcp_rcvspace_arrived(struct xtcp_core *c, const struct xtcp_seg *s,
			   u64 now)
{
	if (c->ts_ok && (s->opts & XTCP_OPT_TS))
		sample_echo(c, s, now);
	else
		sample_window(c, now);
}

u32 xtcp_rcvspace_read(struct xtcp_core *c, u32 read, u64 now)
{
	struct xtcp_rcvspace *r = &c->rcvspace;
	u32 taken, faster;
	u64 want;

	if (!r->rtt || now - r->began < r->rtt >> 3)
		return 0;
	taken = read - r->read;
	r->read = read;
	r->began = now;
	if (taken <= r->most)
		return 0;
	/* What grows by so much in a round trip may do so once more. */
	faster = taken - r->most;
	want = (u64)GROWTH * taken + HEADSTART * c->own_mss;
	want += 2 * div_u64(want * faster, r->most);
	r->most = taken;
	return min_t(u64, want, XTCP_CWND_MAX);
}

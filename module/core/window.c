// SPDX-License-Identifier: GPL-2.0
/*
 * The receive window: what we offer (RFC 9293, 3.8.6.2.2; RFC 7323, 2).  Its
 * right edge does not move back when the buffer has less room than it had: what
 * was offered is accepted.  The exception is payload that was offered room and
 * could not be given any.  The ACK that answers it says 0, as natively
 * (ICSK_ACK_NOMEM): a sender that is told of a window would take the refused
 * segments for lost ones and give the connection up, a sender that is told of
 * none probes for as long as its probes are answered.
 */
#include "internal.h"

#define WND_MAX		65535U	/* what fits in the header */

/* The smallest shift with which a buffer of @rcv_buf_max can be offered. */
u8 xtcp_wscale_choose(const struct xtcp_cfg *cfg, u32 rcv_buf_max)
{
	u8 shift = 0;

	if (!cfg->window_scaling)
		return 0;
	while (shift < XTCP_WSCALE_MAX && rcv_buf_max >> shift > WND_MAX)
		shift++;
	return shift;
}

/* The right edge of the window that the peer knows of. */
u32 xtcp_rcv_right(const struct xtcp_core *c)
{
	return c->rcv_wup + c->rcv_wnd;
}

/* How much of it is left; a FIN may stand one beyond it. */
u32 xtcp_rcv_left_open(const struct xtcp_core *c)
{
	u32 right = xtcp_rcv_right(c);

	return seq_gt(right, c->rcv_nxt) ? right - c->rcv_nxt : 0;
}

/* What the edge must gain before it is worth moving (silly window). */
static u32 window_step(const struct xtcp_core *c)
{
	return min_t(u32, c->own_mss, c->rcv_buf / 2);
}

/*
 * @free in units of the window field.  Down, as nobody gets more than there is;
 * but up where the rest would be less than a segment, and a sender of full
 * segments would wait in front of it, or nothing at all.
 */
static u32 window_round(const struct xtcp_core *c, u32 free)
{
	u32 down = free >> c->rcv_wscale << c->rcv_wscale;

	if (unlikely(down < min_t(u32, free, c->own_mss)) &&
	    free >= window_step(c))
		return down + (1U << c->rcv_wscale);
	return down;
}

/* The window to offer now, before rounding up to what can be written. */
static u32 window_wanted(const struct xtcp_core *c)
{
	u32 cur = xtcp_rcv_left_open(c);
	u32 free = min(c->rcv_free, WND_MAX << c->rcv_wscale);

	free = window_round(c, free);
	if (free <= cur || free - cur < window_step(c))
		return cur;
	return free;
}

/*
 * xtcp_window_select - the window field of the segment about to leave
 * Records the offer in rcv_wup and rcv_wnd.  Rounds up: rounding down would
 * move the right edge back.  Says 0 once after a refusal.
 */
u16 xtcp_window_select(struct xtcp_core *c)
{
	u32 unit = 1U << c->rcv_wscale;
	u32 field = (window_wanted(c) + unit - 1) >> c->rcv_wscale;

	field = min(field, WND_MAX);
	if (unlikely(c->rcv_refused)) {
		c->rcv_refused = false;
		field = 0;
	}
	c->rcv_wup = c->rcv_nxt;
	c->rcv_wnd = field << c->rcv_wscale;
	return field;
}

static bool window_matters(const struct xtcp_core *c)
{
	switch (c->state) {
	case XTCP_ESTABLISHED:
	case XTCP_FIN_WAIT1:
	case XTCP_FIN_WAIT2:
		return c->syn_acked;
	default:
		return false;
	}
}

void xtcp_core_read(struct xtcp_core *c, u64 now)
{
	u32 cur = xtcp_rcv_left_open(c);
	u32 wanted;

	if (xtcp_delack_drained(c)) {
		xtcp_ack_owed(c);
		return;
	}
	if (!window_matters(c))
		return;
	wanted = window_wanted(c);
	/* Less than twice what the peer has left can wait for the next ACK. */
	if (wanted > cur && wanted / 2 >= cur)
		xtcp_ack_owed(c);
}

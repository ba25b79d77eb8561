// SPDX-License-Identifier: GPL-2.0
/*
 * When to acknowledge (RFC 5681, 4.2; RFC 9293, 3.8.6.3): at once, with every
 * second segment, with what we send next, or when the timer says so.  The rules
 * of thumb and their numbers are native TCP's: both ends of a connection count
 * on them.
 */
#include "internal.h"

/* Shorter ones are not taken for the segments of a small path. */
#define LEAST_MSS	88

/* As many as half of the window takes: a sender at its start needs them all. */
static void quick_start(struct xtcp_core *c)
{
	u32 n = c->rcv_wnd / (2 * c->rcv_mss);

	n = n ? min_t(u32, n, XTCP_QUICK_ACKS) : 2;
	c->quick = max_t(u8, c->quick, n);
}

/*
 * Learns the size of the peer's full segments.  A shorter one ends something
 * that it wrote, and it may wait for the ACK; unless two in a row are of that
 * size, and long or without PSH: then its path takes no more.
 */
static void see_size(struct xtcp_core *c, const struct xtcp_seg *s)
{
	u32 size = xtcp_seg_size(s);
	u32 full = size + (c->ts_ok ? XTCP_TS_SPACE : 0);
	u16 last = c->rcv_last;

	c->rcv_last = 0;
	if (size >= c->rcv_mss) {
		c->rcv_mss = min_t(u32, size, c->own_mss);
		if (s->flags & XTCP_PSH)
			c->pushed = max_t(u8, c->pushed, 1);
		return;
	}
	if (full >= XTCP_MSS_DEFAULT ||
	    (full >= LEAST_MSS &&
	     !(s->flags & (XTCP_FIN | XTCP_URG | XTCP_SYN | XTCP_PSH)))) {
		c->rcv_last = size;
		if (size == last) {
			c->rcv_mss = size;
			return;
		}
	}
	c->pushed = c->pushed ? 2 : 1;
}

/* The timer follows the pace of the data; after a long pause all begins anew. */
static void see_pace(struct xtcp_core *c, u64 now)
{
	u32 least = c->cfg->delack_min;
	u64 gap = now - c->last_data;

	if (!c->ato) {
		c->ato = least;
		quick_start(c);
	} else if (gap <= least / 2) {
		c->ato = c->ato / 2 + least / 2;
	} else if (gap < c->ato) {
		c->ato = min3((u32)(c->ato / 2 + gap), (u32)c->rtt.rto,
			      c->cfg->delack_max);
	} else if (gap > c->rtt.rto) {
		quick_start(c);
	}
	c->last_data = now;
}

/* How long an ACK may wait; no longer than a round trip, it is for the sender. */
static u32 patience(const struct xtcp_core *c)
{
	u32 least = c->cfg->delack_min;
	u32 wait = min(c->ato, c->cfg->delack_max);

	if (wait > least && c->rtt.srtt)
		wait = min_t(u32, wait, max_t(u32, c->rtt.srtt >> 3, least));
	return wait;
}

static void wait_for_company(struct xtcp_core *c, u32 wait, u64 now)
{
	u64 *timer = &c->deadline[XTCP_T_DELACK];

	if (!*timer)
		*timer = now + wait;
	else if (*timer <= now + wait / 4)
		xtcp_ack_owed(c);
	else
		*timer = min(*timer, now + wait);
}

static void now_or_later(struct xtcp_core *c, u64 now)
{
	if (c->quickack || (c->quick && !c->interactive) ||
	    c->ack_bytes > c->rcv_mss)
		xtcp_ack_owed(c);
	else if (!c->ack_now)
		wait_for_company(c, patience(c), now);
}

void xtcp_delack_in_order(struct xtcp_core *c, const struct xtcp_seg *s,
			  u32 len, u64 now)
{
	c->ack_bytes += len;
	see_size(c, s);
	see_pace(c, now);
	/* With the peer's FIN behind it: xtcp_delack_edge() decides for both. */
	if (!xtcp_fin_reached(c))
		now_or_later(c, now);
}

void xtcp_delack_hole(struct xtcp_core *c, const struct xtcp_seg *s)
{
	see_size(c, s);
	xtcp_ack_owed(c);
}

void xtcp_delack_repeated(struct xtcp_core *c)
{
	quick_start(c);
	c->interactive = false;
	c->ato = c->cfg->delack_min;
	xtcp_ack_owed(c);
}

void xtcp_delack_edge(struct xtcp_core *c, enum xtcp_event ev, u64 now)
{
	if (c->state == XTCP_CLOSE_WAIT) {
		/* Our FIN may follow soon. */
		c->interactive = true;
		c->ack_bytes++;
		now_or_later(c, now);
	} else if (ev == XTCP_EV_RCV_SYNACK &&
		   (c->interactive || c->data_soon)) {
		/* The first data may carry it. */
		c->interactive = false;
		c->ato = c->cfg->delack_min;
		quick_start(c);
		c->ack_bytes++;
		wait_for_company(c, c->cfg->delack_max, now);
	} else {
		xtcp_ack_owed(c);
	}
}

void xtcp_delack_answered(struct xtcp_core *c, u64 now)
{
	if (c->ato && now - c->last_data < c->ato)
		c->interactive = true;
}

void xtcp_delack_sent(struct xtcp_core *c)
{
	if (c->quick && (c->ack_bytes || c->ack_now) && !--c->quick)
		c->ato = c->cfg->delack_min;
	c->ack_now = false;
	c->ack_bytes = 0;
	c->pushed = 0;
	c->deadline[XTCP_T_DELACK] = 0;
}

bool xtcp_delack_drained(const struct xtcp_core *c)
{
	if (!c->ack_bytes || c->ack_bytes > c->rcv_mss)
		return c->ack_bytes;
	return (c->pushed > 1 || (c->pushed && !c->interactive)) &&
	       c->rcv_free >= c->rcv_buf;
}

void xtcp_delack_timeout(struct xtcp_core *c)
{
	if (!c->ack_bytes || c->ack_now)
		return;
	if (c->interactive) {
		c->interactive = false;
		c->ato = c->cfg->delack_min;
	} else {
		c->ato = min3(2 * c->ato, (u32)c->rtt.rto, c->cfg->delack_max);
	}
	xtcp_host_count(c, XTCP_MIB_DELAYEDACKS);
	xtcp_ack_owed(c);
}

void xtcp_core_quickack(struct xtcp_core *c, int val)
{
	c->interactive = !val;
	if (!val || !c->ack_bytes ||
	    (c->state != XTCP_ESTABLISHED && c->state != XTCP_CLOSE_WAIT))
		return;
	c->pushed = max_t(u8, c->pushed, 1);
	if (xtcp_delack_drained(c))
		xtcp_ack_owed(c);
	c->interactive = !(val & 1);
}

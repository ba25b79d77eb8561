// SPDX-License-Identifier: GPL-2.0
/*
 * Out of order payload.  The tree never holds overlapping pieces: the one
 * that was there first keeps its bytes, unless a later one covers it whole.
 */
#include "internal.h"

static struct xtcp_rxd *rxd_of(struct rb_node *n)
{
	return n ? rb_entry(n, struct xtcp_rxd, node) : NULL;
}

struct xtcp_rxd *xtcp_reasm_first(const struct xtcp_reasm *q)
{
	return rxd_of(rb_first(&q->root));
}

void xtcp_reasm_remove(struct xtcp_reasm *q, struct xtcp_rxd *d)
{
	if (q->last == d)
		q->last = rxd_of(rb_prev(&d->node));
	rb_erase(&d->node, &q->root);
	q->count--;
	q->bytes -= d->end - d->seq;
}

static void reasm_link(struct xtcp_reasm *q, struct xtcp_rxd *d)
{
	struct rb_node **link = &q->root.rb_node;
	struct rb_node *parent = NULL;

	if (q->last && seq_le(q->last->end, d->seq)) {
		/* The highest has nothing on its right. */
		parent = &q->last->node;
		link = &parent->rb_right;
		q->last = d;
	}
	while (*link) {
		parent = *link;
		link = seq_lt(d->seq, rxd_of(parent)->seq) ?
			&parent->rb_left : &parent->rb_right;
	}
	rb_link_node(&d->node, parent, link);
	rb_insert_color(&d->node, &q->root);
	if (!q->last)
		q->last = d;
	q->count++;
	q->bytes += d->end - d->seq;
}

/* The last one that begins at or before @seq. */
static struct xtcp_rxd *reasm_before(const struct xtcp_reasm *q, u32 seq)
{
	struct rb_node *n = q->root.rb_node;
	struct xtcp_rxd *best = NULL;

	if (q->last && seq_le(q->last->seq, seq))
		return q->last;
	while (n) {
		struct xtcp_rxd *r = rxd_of(n);

		if (seq_lt(seq, r->seq)) {
			n = n->rb_left;
		} else {
			best = r;
			n = n->rb_right;
		}
	}
	return best;
}

bool xtcp_reasm_holds(const struct xtcp_reasm *q, u32 seq)
{
	const struct xtcp_rxd *r = reasm_before(q, seq);

	return r && seq_lt(seq, r->end);
}

/* Drops what @d covers and cuts @d where the next one begins. */
static void reasm_trim_right(struct xtcp_core *c, struct xtcp_rxd *d,
			     struct xtcp_rxd *prev)
{
	struct xtcp_rxd *r, *next;

	r = prev ? rxd_of(rb_next(&prev->node)) : xtcp_reasm_first(&c->ooo);
	while (r && seq_lt(r->seq, d->end)) {
		if (seq_gt(r->end, d->end)) {
			d->end = r->seq;
			return;
		}
		next = rxd_of(rb_next(&r->node));
		xtcp_reasm_remove(&c->ooo, r);
		xtcp_host_discard(c, r);
		r = next;
	}
}

bool xtcp_reasm_insert(struct xtcp_core *c, struct xtcp_rxd *d)
{
	struct xtcp_rxd *prev = reasm_before(&c->ooo, d->seq);

	if (prev) {
		if (seq_ge(prev->end, d->end))
			return false;
		if (seq_gt(prev->end, d->seq)) {
			d->off += prev->end - d->seq;
			d->seq = prev->end;
		}
	}
	reasm_trim_right(c, d, prev);
	if (d->seq == d->end)
		return false;
	reasm_link(&c->ooo, d);
	return true;
}

bool xtcp_core_prune(struct xtcp_core *c)
{
	struct xtcp_rxd *d = c->ooo.last;

	if (!d)
		return false;
	xtcp_reasm_remove(&c->ooo, d);
	xtcp_host_discard(c, d);
	return true;
}

void xtcp_core_purge(struct xtcp_core *c)
{
	while (xtcp_core_prune(c))
		;
}

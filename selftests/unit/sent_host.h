/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One record of what was sent (module/core/sent.h) for sent.c and sent_random.c:
 * a stock that may refuse memory, and what must hold after every call.
 */
#ifndef XTCP_UNIT_SENT_HOST_H
#define XTCP_UNIT_SENT_HOST_H

#include "unit.h"
#include "../../module/core/sent_tree.h"

static struct xtcp_sent S;
static u64 now;
static u32 made, rng;
static long refuse_from, refuse_to;	/* these requests for memory fail */
static long requests;

static u32 rnd(u32 n)
{
	rng ^= rng << 13;
	rng ^= rng >> 17;
	rng ^= rng << 5;
	return n ? rng % n : 0;
}

/* As a host does it: before a decision. */
static void fill(void)
{
	while (S.stock_len < XTCP_SENT_STOCK) {
		struct xtcp_run *r;

		requests++;
		if (requests >= refuse_from && requests < refuse_to)
			return;
		r = malloc(sizeof(*r));
		memset(r, 0xa5, sizeof(*r));
		made++;
		xtcp_sent_give(&S, r);
	}
}

static void drain(u32 keep)
{
	while (S.stock_len > keep) {
		free(xtcp_sent_take(&S));
		made--;
	}
}

static void begin(u32 seq)
{
	xtcp_sent_purge(&S);
	drain(0);
	EQUAL(made, 0);
	xtcp_sent_init(&S, seq);
	now = T0;
	requests = 0;
	refuse_from = 0;
	refuse_to = 0;
}

/* ---- what must hold whatever has happened ---- */

static u32 bytes_of(const struct xtcp_run *r, u32 i)
{
	return xtcp_run_end(r, i) - xtcp_run_start(r, i);
}

static bool fin_bit(const struct xtcp_run *r, u32 i)
{
	return r->flags & XTCP_RUN_FIN && i + 1 == r->cells;
}

static u32 segs_in(u32 bytes, bool fin, u32 size, bool coarse)
{
	bytes -= fin;
	return coarse && bytes ? (bytes + size - 1) / size : 1;
}

static void add(struct xtcp_sum *to, u32 segs, u32 bytes)
{
	to->segs += segs;
	to->bytes += bytes;
}

static void audit_run(const struct xtcp_run *r, struct xtcp_sum sum[4])
{
	u32 bytes = r->end - r->seq;

	CHECK(seq_lt(r->seq, r->end));
	CHECK(r->sends);
	if (r->flags & XTCP_RUN_DELIVERED) {
		CHECK(r->segs);
		CHECK(r->resent <= r->segs);
		add(&sum[0], r->segs, bytes);
		add(&sum[1], r->segs, bytes);
		CHECK(!(r->flags & XTCP_RUN_LISTED));
		return;
	}
	CHECK(r->cells >= 1 && r->cells <= 64);
	CHECK(r->seq - r->base < r->cell);
	CHECK(!(r->sacked & (r->lost | r->rtx)));
	CHECK(r->cells == 64 ||
	      !((r->sacked | r->lost | r->rtx) >> r->cells));
	for (u32 i = 0; i < r->cells; i++) {
		u32 b = bytes_of(r, i);
		u32 n = segs_in(b, fin_bit(r, i), r->size, r->cell != r->size);

		CHECK(b >= 1 && b <= r->cell + fin_bit(r, i));
		add(&sum[0], n, b);
		if (r->sacked >> i & 1)
			add(&sum[1], n, b);
		if (r->lost >> i & 1)
			add(&sum[2], n, b);
		if (r->rtx >> i & 1)
			add(&sum[3], n, b);
	}
}

static bool flying(const struct xtcp_run *r)
{
	for (u32 i = 0; !(r->flags & XTCP_RUN_DELIVERED) && i < r->cells; i++)
		if (!(r->sacked >> i & 1) &&
		    (!(r->lost >> i & 1) || r->rtx >> i & 1))
			return true;
	return false;
}

/* Balanced, in order, with the right contents; returns how many there are. */
static u32 audit_tree(const struct xtcp_run *r, const struct xtcp_run *up,
		      u8 *height, u8 *sub)
{
	u8 h[2], b[2];
	u32 n;

	*height = 0;
	*sub = 0;
	if (!r)
		return 0;
	CHECK(r->up == up);
	CHECK(r->flags & XTCP_RUN_INDEXED);
	CHECK(!r->left || seq_le(r->left->end, r->seq));
	CHECK(!r->right || seq_ge(r->right->seq, r->end));
	n = 1 + audit_tree(r->left, r, &h[0], &b[0]);
	n += audit_tree(r->right, r, &h[1], &b[1]);
	CHECK(h[0] <= h[1] + 1 && h[1] <= h[0] + 1);
	*height = 1 + max(h[0], h[1]);
	*sub = r->own | b[0] | b[1];
	EQUAL(r->height, *height);
	EQUAL(r->sub, *sub);
	if (r->flags & XTCP_RUN_DELIVERED) {
		EQUAL(r->own, XTCP_HAS_SACKED);
	} else {
		EQUAL(!!(r->own & XTCP_HAS_WANT), !!(r->lost & ~r->rtx));
		EQUAL(!!(r->own & XTCP_HAS_SACKED), !!r->sacked);
	}
	return n;
}

static void audit_order(void)
{
	struct xtcp_run *r, *before = NULL;
	u32 n = 0;

	for (r = S.first; r; r = r->next) {
		EQUAL(!!(r->flags & XTCP_RUN_LISTED), flying(r));
		n += flying(r);
	}
	for (r = S.oldest; r; before = r, r = r->later, n--) {
		CHECK(r->earlier == before);
		CHECK(!before || before->at.sent <= r->at.sent);
	}
	EQUAL(n, 0);
	CHECK(S.newest == before);
}

static void audit(void)
{
	struct xtcp_sum sum[4] = {};
	struct xtcp_run *r, *prev = NULL;
	u32 runs = 0, lazy = 0, seq = S.una;
	u8 height, sub;

	for (r = S.first; r; prev = r, r = r->next, runs++) {
		CHECK(r->prev == prev);
		EQUAL(r->seq, seq);
		seq = r->end;
		audit_run(r, sum);
		if (r == S.unindexed || lazy)
			lazy++;
		EQUAL(!(r->flags & XTCP_RUN_INDEXED), !!lazy);
		CHECK(!(r->flags & XTCP_RUN_FIN) || !r->next);
	}
	CHECK(S.last == prev);
	EQUAL(seq, S.nxt);
	EQUAL(runs, S.runs);
	EQUAL(lazy, S.lazy);
	CHECK(lazy <= XTCP_SENT_LAZY);
	EQUAL(made + 1, S.runs + S.stock_len + !S.own_used);
	EQUAL(audit_tree(S.root, NULL, &height, &sub), runs - lazy);
	EQUAL(memcmp(&sum[0], &S.out, 8), 0);
	EQUAL(memcmp(&sum[1], &S.sacked, 8), 0);
	EQUAL(memcmp(&sum[2], &S.lost, 8), 0);
	EQUAL(memcmp(&sum[3], &S.rtx, 8), 0);
	EQUAL(S.out.bytes, S.nxt - S.una);
	CHECK(S.runs <= S.out.segs);
	audit_order();
}

#endif /* XTCP_UNIT_SENT_HOST_H */

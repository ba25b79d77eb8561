// SPDX-License-Identifier: GPL-2.0
/*
 * The record of what was sent; see sent.h.
 *
 * Sums are kept by taking a run's share out (run_count() with -1), changing the
 * run, and putting its share in again.  After that run_settle() brings list and
 * tree up to date.
 */
#include "sent_tree.h"

/* The lowest @n bits, @n being 0 to 64. */
static u64 low_bits(u32 n)
{
	return n < 64 ? (1ULL << n) - 1 : ~0ULL;
}

static bool is_delivered(const struct xtcp_run *r)
{
	return r->flags & XTCP_RUN_DELIVERED;
}

static u32 fin_len(const struct xtcp_run *r)
{
	return !!(r->flags & XTCP_RUN_FIN);
}

static u64 run_all(const struct xtcp_run *r)
{
	return low_bits(r->cells);
}

/* Segments of @r of which a copy is in flight. */
static u64 run_flight(const struct xtcp_run *r)
{
	if (is_delivered(r))
		return 0;
	return ~r->sacked & (~r->lost | r->rtx) & run_all(r);
}

static u32 segs_of(u32 bytes, u16 size)
{
	return bytes ? DIV_ROUND_UP(bytes, size) : 1;
}

/* Segments in the bits @mask of a run whose bits stand for several. */
static u32 coarse_segs(const struct xtcp_run *r, u64 mask)
{
	u32 segs = 0;
	u32 i;

	for (i = 0; i < r->cells; i++) {
		u32 bytes = xtcp_run_end(r, i) - xtcp_run_start(r, i);

		if (!(mask >> i & 1))
			continue;
		if (i + 1 == r->cells)
			bytes -= fin_len(r);
		segs += segs_of(bytes, r->size);
	}
	return segs;
}

static struct xtcp_sum run_sum(const struct xtcp_run *r, u64 mask)
{
	struct xtcp_sum sum = {};

	if (!mask)
		return sum;
	if (mask == run_all(r)) {
		sum.segs = r->cells;
		sum.bytes = r->end - r->seq;
	} else {
		sum.segs = hweight64(mask);
		sum.bytes = sum.segs * r->cell;
		if (mask & 1)
			sum.bytes -= r->seq - r->base;
		if (mask >> (r->cells - 1) & 1)
			sum.bytes += r->end - (r->base + r->cells * r->cell);
	}
	if (r->cell != r->size)
		sum.segs = coarse_segs(r, mask);
	return sum;
}

static void sum_add(struct xtcp_sum *to, struct xtcp_sum sum, int sign)
{
	to->segs += sign * sum.segs;
	to->bytes += sign * sum.bytes;
}

/*
 * Nothing has been said of any segment of @r, and each has a bit of its own:
 * what nearly every run is from the first to the last.  (A run that is all
 * sacked is not: its number of segments stands where the maps are.)
 */
static bool run_clean(const struct xtcp_run *r)
{
	return !(r->sacked | r->lost | r->rtx) && r->cell == r->size;
}

/* Adds (@sign 1) or takes away (-1) @r's share of the sums. */
static void run_count(struct xtcp_sent *s, const struct xtcp_run *r, int sign)
{
	if (run_clean(r)) {
		s->out.segs += sign * r->cells;
		s->out.bytes += sign * (r->end - r->seq);
		return;
	}
	if (is_delivered(r)) {
		struct xtcp_sum sum = { r->segs, r->end - r->seq };

		sum_add(&s->out, sum, sign);
		sum_add(&s->sacked, sum, sign);
		return;
	}
	sum_add(&s->out, run_sum(r, run_all(r)), sign);
	sum_add(&s->sacked, run_sum(r, r->sacked), sign);
	sum_add(&s->lost, run_sum(r, r->lost), sign);
	sum_add(&s->rtx, run_sum(r, r->rtx), sign);
}

/* ---- stock ---- */

void xtcp_sent_give(struct xtcp_sent *s, struct xtcp_run *r)
{
	r->next = s->stock;
	s->stock = r;
	s->stock_len++;
}

struct xtcp_run *xtcp_sent_take(struct xtcp_sent *s)
{
	struct xtcp_run *r = s->stock;

	if (r) {
		s->stock = r->next;
		s->stock_len--;
	}
	return r;
}

static struct xtcp_run *run_get(struct xtcp_sent *s)
{
	if (s->own_used)
		return xtcp_sent_take(s);
	s->own_used = true;
	return &s->own_run;
}

static void run_put(struct xtcp_sent *s, struct xtcp_run *r)
{
	if (r == &s->own_run)
		s->own_used = false;
	else
		xtcp_sent_give(s, r);
}

static u32 runs_free(const struct xtcp_sent *s)
{
	return s->stock_len + !s->own_used;
}

/* ---- list in order of sending ---- */

static void list_append(struct xtcp_sent *s, struct xtcp_run *r)
{
	r->later = NULL;
	r->earlier = s->newest;
	if (s->newest)
		s->newest->later = r;
	else
		s->oldest = r;
	s->newest = r;
	r->flags |= XTCP_RUN_LISTED;
}

static void list_remove(struct xtcp_sent *s, struct xtcp_run *r)
{
	if (!(r->flags & XTCP_RUN_LISTED))
		return;
	if (r->earlier)
		r->earlier->later = r->later;
	else
		s->oldest = r->later;
	if (r->later)
		r->later->earlier = r->earlier;
	else
		s->newest = r->earlier;
	r->flags &= ~XTCP_RUN_LISTED;
}

/* Right behind @at, which is in the list. */
static void list_insert(struct xtcp_sent *s, struct xtcp_run *at,
			struct xtcp_run *r)
{
	r->earlier = at;
	r->later = at->later;
	if (at->later)
		at->later->earlier = r;
	else
		s->newest = r;
	at->later = r;
	r->flags |= XTCP_RUN_LISTED;
}

/* Merges two lists, linked by later only.  Of equal time and place: @a first. */
static struct xtcp_run *list_merge(struct xtcp_run *a, struct xtcp_run *b)
{
	struct xtcp_run *head = NULL;
	struct xtcp_run **link = &head;

	while (a && b) {
		struct xtcp_run **least = &a;

		xtcp_step();
		if (xtcp_sent_after(a->at.sent, a->seq, b->at.sent, b->seq))
			least = &b;
		*link = *least;
		link = &(*least)->later;
		*least = *link;
	}
	*link = a ? a : b;
	return head;
}

/*
 * Sorts a list, linked by later only, by time of sending.  Place i of @part
 * holds nothing or a sorted list of 2^i runs: adding one is adding 1 to a
 * number in base two.
 */
static struct xtcp_run *list_sort(struct xtcp_run *r)
{
	struct xtcp_run *part[32] = {};
	struct xtcp_run *one;
	u32 i;

	while (r) {
		one = r;
		r = r->later;
		one->later = NULL;
		for (i = 0; i < ARRAY_SIZE(part) - 1 && part[i]; i++) {
			one = list_merge(part[i], one);
			part[i] = NULL;
		}
		part[i] = list_merge(part[i], one);
	}
	for (one = NULL, i = 0; i < ARRAY_SIZE(part); i++)
		one = list_merge(part[i], one);
	return one;
}

/* The runs from @more, linked by later only, come into the list. */
static void list_add_sorted(struct xtcp_sent *s, struct xtcp_run *more)
{
	struct xtcp_run *r = list_merge(s->oldest, list_sort(more));

	s->oldest = r;
	s->newest = NULL;
	for (; r; r = r->later) {
		xtcp_step();
		r->earlier = s->newest;
		r->flags |= XTCP_RUN_LISTED;
		s->newest = r;
	}
}

/* ---- runs ---- */

/* What @r is to be found by in the tree. */
static u8 run_own(const struct xtcp_run *r)
{
	u8 own = 0;

	if (is_delivered(r))
		return XTCP_HAS_SACKED;
	if (r->lost & ~r->rtx)
		own |= XTCP_HAS_WANT;
	if (r->sacked)
		own |= XTCP_HAS_SACKED;
	if (~(r->sacked | r->lost) & run_all(r))
		own |= XTCP_HAS_PLAIN;
	return own;
}

/* All of @r is sacked: two numbers say what there is to say.  No sum changes. */
static void run_deliver(struct xtcp_run *r)
{
	u32 segs = run_sum(r, r->sacked).segs;

	r->flags |= XTCP_RUN_DELIVERED;
	r->segs = segs;
	r->resent = r->sends > 1 ? segs : 0;
}

/* The marks of @r have changed, or @r has been cut. */
static void run_settle(struct xtcp_sent *s, struct xtcp_run *r)
{
	if (!is_delivered(r) && r->sacked == run_all(r))
		run_deliver(r);
	if (!run_flight(r))
		list_remove(s, r);
	if (r->flags & XTCP_RUN_INDEXED)
		xtcp_tree_own(s, r, run_own(r));
}

static void run_index(struct xtcp_sent *s)
{
	struct xtcp_run *r = s->unindexed;

	r->own = run_own(r);
	r->flags |= XTCP_RUN_INDEXED;
	xtcp_tree_append(s, r);
	s->unindexed = r->next;
	s->lazy--;
}

static void index_all(struct xtcp_sent *s)
{
	while (s->unindexed)
		run_index(s);
}

/* Cuts what @r covers into segments anew, none of them marked. */
static void run_grid(struct xtcp_run *r)
{
	u32 segs = segs_of(r->end - r->seq - fin_len(r), r->size);

	r->base = r->seq;
	r->cell = r->size;
	r->cells = segs;
	r->sacked = 0;
	r->lost = 0;
	r->rtx = 0;
	if (segs > XTCP_RUN_BITS) {
		u32 each = DIV_ROUND_UP(segs, XTCP_RUN_BITS);

		r->cell *= each;
		r->cells = DIV_ROUND_UP(segs, each);
	}
}

/* @r leaves the record. */
static void run_remove(struct xtcp_sent *s, struct xtcp_run *r)
{
	list_remove(s, r);
	if (r->flags & XTCP_RUN_INDEXED) {
		xtcp_tree_erase(s, r);
	} else {
		/* Only the first run leaves without being in the tree. */
		s->unindexed = r->next;
		s->lazy--;
	}
	if (r->prev)
		r->prev->next = r->next;
	else
		s->first = r->next;
	if (r->next)
		r->next->prev = r->prev;
	else
		s->last = r->prev;
	s->runs--;
	run_put(s, r);
}

/* Segments of @r with a byte in [@start, @end); there is one. */
static u64 bits_touched(const struct xtcp_run *r, u32 start, u32 end)
{
	u32 lo = 0, hi = r->cells;

	if (seq_gt(start, r->seq))
		lo = min_t(u32, (start - r->base) / r->cell, r->cells - 1);
	if (seq_lt(end, r->end))
		hi = min_t(u32, DIV_ROUND_UP(end - r->base, r->cell), r->cells);
	return low_bits(hi) & ~low_bits(lo);
}

/* Segments of @r with all their bytes in [@start, @end), which touches @r. */
static u64 bits_inside(const struct xtcp_run *r, u32 start, u32 end)
{
	u32 lo = 0, hi = r->cells;

	if (seq_gt(start, r->seq))
		lo = min_t(u32, DIV_ROUND_UP(start - r->base, r->cell), r->cells);
	if (seq_lt(end, r->end))
		hi = min_t(u32, (end - r->base) / r->cell, r->cells - 1);
	return low_bits(hi) & ~low_bits(lo);
}

/* The connection as it is now, for @r that has just been sent and counted. */
static void run_stamp(const struct xtcp_sent *s, struct xtcp_run *r, u64 now)
{
	r->at = (struct xtcp_stamp){
		.sent = now,
		.first_tx = s->first_tx,
		.delivered_at = s->delivered_at,
		.delivered = s->delivered,
		.in_flight = xtcp_sent_flight(s),
		.lost = s->lost_ever,
	};
	r->flags &= ~XTCP_RUN_APP_LIMITED;
	if (s->app_limited)
		r->flags |= XTCP_RUN_APP_LIMITED;
}

static void run_sent_again(struct xtcp_run *r)
{
	if (r->sends < 255)
		r->sends++;
}

/* ---- birth and end ---- */

void xtcp_sent_init(struct xtcp_sent *s, u32 seq)
{
	*s = (struct xtcp_sent){ .una = seq, .nxt = seq };
}

void xtcp_sent_purge(struct xtcp_sent *s)
{
	struct xtcp_run *r, *next;

	for (r = s->first; r; r = next) {
		next = r->next;
		run_put(s, r);
	}
	s->una = s->nxt;
	s->out = (struct xtcp_sum){};
	s->sacked = s->out;
	s->lost = s->out;
	s->rtx = s->out;
	s->first = NULL;
	s->last = NULL;
	s->oldest = NULL;
	s->newest = NULL;
	s->root = NULL;
	s->unindexed = NULL;
	s->runs = 0;
	s->lazy = 0;
	s->blind = false;
}

/* ---- new data ---- */

static void append(struct xtcp_sent *s, struct xtcp_run *r, u32 end, u16 size,
		   bool fin, u64 now)
{
	r->next = NULL;
	r->prev = s->last;
	r->seq = s->nxt;
	r->end = end;
	r->size = size;
	r->sends = 1;
	r->flags = fin ? XTCP_RUN_FIN : 0;
	run_grid(r);
	if (s->last)
		s->last->next = r;
	else
		s->first = r;
	s->last = r;
	s->runs++;
	if (!s->unindexed)
		s->unindexed = r;
	if (++s->lazy > XTCP_SENT_LAZY)
		run_index(s);
	run_count(s, r, 1);
	run_stamp(s, r, now);
	list_append(s, r);
}

/* The last of what is sacked was forgotten. */
static void high_again(struct xtcp_sent *s)
{
	struct xtcp_run *r = xtcp_tree_highest(s->root, XTCP_HAS_SACKED);

	if (r)
		s->high_sacked = is_delivered(r) ? r->end :
			xtcp_run_end(r, fls64(r->sacked) - 1);
}

/* There is no memory for a run: the last one takes more. */
static void grow(struct xtcp_sent *s, u32 end, u16 size, bool fin, u64 now)
{
	struct xtcp_run *r = s->last;

	run_count(s, r, -1);
	list_remove(s, r);
	r->end = end;
	r->size = min(r->size, size);
	r->flags &= ~XTCP_RUN_DELIVERED;
	r->flags |= XTCP_RUN_VAGUE | (fin ? XTCP_RUN_FIN : 0);
	run_grid(r);
	run_count(s, r, 1);
	run_stamp(s, r, now);
	list_append(s, r);
	run_settle(s, r);
	high_again(s);
}

void xtcp_sent_new(struct xtcp_sent *s, u32 end, u16 size, bool fin, u64 now)
{
	u32 most = XTCP_RUN_BITS * size;

	if (!s->out.segs) {
		s->first_tx = now;
		s->delivered_at = now;
	}
	while (seq_lt(s->nxt, end)) {
		bool all = end - s->nxt - fin <= most;
		u32 to = all ? end : s->nxt + most;
		struct xtcp_run *r = run_get(s);

		if (r)
			append(s, r, to, size, all && fin, now);
		else
			grow(s, to, size, all && fin, now);
		s->nxt = to;
	}
}

void xtcp_sent_app_limited(struct xtcp_sent *s)
{
	s->app_limited = max_t(u64, s->delivered + xtcp_sent_flight(s), 1);
}

/* ---- what is delivered ---- */

static struct xtcp_sum unsacked(const struct xtcp_sent *s)
{
	return (struct xtcp_sum){
		s->out.segs - s->sacked.segs, s->out.bytes - s->sacked.bytes
	};
}

/* Segments were delivered: the difference to @before goes to @news. */
static void delivered(struct xtcp_sent *s, struct xtcp_sum before,
		      struct xtcp_sum *news, u64 now)
{
	struct xtcp_sum after = unsacked(s);

	if (before.bytes == after.bytes)
		return;
	sum_add(&before, after, -1);
	sum_add(news, before, 1);
	s->delivered += before.bytes;
	s->delivered_at = now;
	if (s->app_limited && s->delivered > s->app_limited)
		s->app_limited = 0;
}

static void note_time(u64 sent, u64 *first, u64 *last)
{
	if (!*first || sent < *first)
		*first = sent;
	*last = max(*last, sent);
}

/* The segments @mask of @r, not empty, were not known to be delivered before. */
static void note(struct xtcp_sent *s, const struct xtcp_run *r, u64 mask,
		 struct xtcp_news *news, u64 *first, u64 *last)
{
	u32 end;

	if (r->sends > 1)
		news->resent_segs += run_sum(r, mask).segs;
	if (r->flags & XTCP_RUN_VAGUE)
		return;
	end = mask == run_all(r) ? r->end : xtcp_run_end(r, fls64(mask) - 1);
	if (xtcp_sent_after(r->at.sent, end, news->newest.sent,
			    news->newest_end)) {
		news->newest = r->at;
		news->newest_end = end;
		news->newest_sends = r->sends;
		news->newest_app_limited = r->flags & XTCP_RUN_APP_LIMITED;
		s->first_tx = r->at.sent;
	}
	if (r->sends > 1)
		return;
	note_time(r->at.sent, first, last);
	end = mask & 1 ? r->seq : xtcp_run_start(r, __ffs64(mask));
	if (!news->low_valid || seq_lt(end, news->low))
		news->low = end;
	news->low_valid = true;
}

/* A part of @r, which is all sacked, is acknowledged: segments in proportion. */
static void ack_delivered(struct xtcp_run *r, u32 una)
{
	u32 len = r->end - r->seq;
	u64 part = (u64)r->segs * (r->end - una);

	r->segs = div_u64(part + len - 1, len);
	r->resent = min(r->resent, r->segs);
	r->seq = una;
}

/* @una lies within @r. */
static void ack_part(struct xtcp_sent *s, struct xtcp_run *r, u32 una,
		     struct xtcp_news *news)
{
	u32 n;
	u64 mask;

	run_count(s, r, -1);
	if (is_delivered(r)) {
		ack_delivered(r, una);
		run_count(s, r, 1);
		return;
	}
	n = min_t(u32, (una - r->base) / r->cell, r->cells - 1);
	mask = low_bits(n) & ~r->sacked;
	if (mask)
		note(s, r, mask, news, &news->ack_first, &news->ack_last);
	r->base += n * r->cell;
	r->cells -= n;
	r->sacked >>= n;
	r->lost >>= n;
	r->rtx >>= n;
	r->seq = una;
	/* All but the FIN is acknowledged of a last segment that was full. */
	if (una - r->base >= r->cell)
		r->base = una;
	run_count(s, r, 1);
	run_settle(s, r);
}

void xtcp_sent_ack(struct xtcp_sent *s, u32 una, u64 now,
		   struct xtcp_news *news)
{
	struct xtcp_sum before = unsacked(s);
	struct xtcp_run *r;
	u64 mask;

	una = seq_min(una, s->nxt);
	if (!seq_gt(una, s->una))
		return;
	while ((r = s->first) && seq_le(r->end, una)) {
		xtcp_step();
		mask = run_all(r);
		if (!run_clean(r))
			mask = is_delivered(r) ? 0 : mask & ~r->sacked;
		if (mask)
			note(s, r, mask, news, &news->ack_first,
			     &news->ack_last);
		run_count(s, r, -1);
		run_remove(s, r);
	}
	if (r && seq_lt(r->seq, una))
		ack_part(s, r, una, news);
	s->una = una;
	s->blind = false;
	delivered(s, before, &news->acked, now);
}

/* @b, behind @a, goes into it.  Both are sacked as a whole. */
static void join(struct xtcp_sent *s, struct xtcp_run *a, struct xtcp_run *b)
{
	a->end = b->end;
	a->segs += b->segs;
	a->resent += b->resent;
	a->size = min(a->size, b->size);
	a->sends = max(a->sends, b->sends);
	a->flags |= b->flags & XTCP_RUN_FIN;
	if (b->at.sent > a->at.sent)
		a->at = b->at;
	run_remove(s, b);
}

static void join_before(struct xtcp_sent *s, struct xtcp_run *r)
{
	if (r->prev && is_delivered(r) && is_delivered(r->prev))
		join(s, r->prev, r);
}

static void sack_run(struct xtcp_sent *s, struct xtcp_run *r, u32 start,
		     u32 end, struct xtcp_news *news)
{
	u64 mask = bits_inside(r, start, end) & ~r->sacked;

	if (!mask)
		return;
	note(s, r, mask, news, &news->sack_first, &news->sack_last);
	end = xtcp_run_end(r, fls64(mask) - 1);
	if (!s->sacked.segs || seq_gt(end, s->high_sacked))
		s->high_sacked = end;
	run_count(s, r, -1);
	r->sacked |= mask;
	r->lost &= ~mask;
	r->rtx &= ~mask;
	run_count(s, r, 1);
	run_settle(s, r);
}

void xtcp_sent_sack(struct xtcp_sent *s, u32 start, u32 end, u64 now,
		    struct xtcp_news *news)
{
	struct xtcp_sum before = unsacked(s);
	struct xtcp_run *r, *next;

	start = seq_max(start, s->una);
	end = seq_min(end, s->nxt);
	if (!seq_lt(start, end))
		return;
	index_all(s);
	for (r = xtcp_sent_find(s, start); r && seq_lt(r->seq, end); r = next) {
		xtcp_step();
		next = r->next;
		if (!is_delivered(r))
			sack_run(s, r, start, end, news);
		join_before(s, r);
	}
	if (r)
		join_before(s, r);
	delivered(s, before, &news->sacked, now);
}

/* Segments of @r in [@start, @end) that were sent more than once. */
static u32 dsack_run(struct xtcp_run *r, u32 start, u32 end)
{
	u32 len = r->end - r->seq;
	u32 n;

	if (!is_delivered(r))
		return r->sends > 1 ?
			run_sum(r, bits_inside(r, start, end)).segs : 0;
	start = seq_max(start, r->seq);
	end = seq_min(end, r->end);
	n = div_u64((u64)r->segs * (end - start) + len - 1, len);
	n = min(n, r->resent);
	r->resent -= n;
	return n;
}

u32 xtcp_sent_dsack(struct xtcp_sent *s, u32 start, u32 end)
{
	struct xtcp_run *r;
	u32 segs = 0;
	u32 most = XTCP_DSACK_RUNS;

	start = seq_max(start, s->una);
	end = seq_min(end, s->nxt);
	if (!seq_lt(start, end))
		return 0;
	for (r = xtcp_sent_find(s, start); r && seq_lt(r->seq, end) && most--;
	     r = r->next) {
		xtcp_step();
		segs += dsack_run(r, start, end);
	}
	return segs;
}

static void renege_run(struct xtcp_sent *s, struct xtcp_run *r)
{
	u64 mask;

	run_count(s, r, -1);
	if (is_delivered(r)) {
		r->flags &= ~XTCP_RUN_DELIVERED;
		r->flags |= XTCP_RUN_VAGUE;
		run_grid(r);
		mask = run_all(r);
	} else {
		mask = r->sacked;
	}
	s->lost_ever += run_sum(r, mask).bytes;
	r->sacked = 0;
	r->lost |= mask;
	run_count(s, r, 1);
	run_settle(s, r);
}

void xtcp_sent_renege(struct xtcp_sent *s)
{
	struct xtcp_run *r;

	s->blind = false;
	if (!s->sacked.segs)
		return;
	for (r = s->first; r; r = r->next) {
		xtcp_step();
		if (is_delivered(r) || r->sacked)
			renege_run(s, r);
	}
}

/* ---- loss ---- */

static void lose_bits(struct xtcp_sent *s, struct xtcp_run *r, u64 mask,
		      u64 not_rtx)
{
	if (!mask)
		return;
	run_count(s, r, -1);
	s->lost_ever += run_sum(r, mask).bytes;
	r->lost |= mask;
	r->rtx &= ~not_rtx;
	run_count(s, r, 1);
	run_settle(s, r);
}

void xtcp_sent_lose(struct xtcp_sent *s, u32 start, u32 end)
{
	struct xtcp_run *r;

	start = seq_max(start, s->una);
	end = seq_min(end, s->nxt);
	if (!seq_lt(start, end))
		return;
	index_all(s);
	r = xtcp_tree_find(s, start);
	if (!(r->own & XTCP_HAS_PLAIN))
		r = xtcp_tree_next(r, XTCP_HAS_PLAIN);
	for (; r && seq_lt(r->seq, end); r = xtcp_tree_next(r, XTCP_HAS_PLAIN))
		lose_bits(s, r, bits_touched(r, start, end) &
			  ~(r->sacked | r->lost), 0);
}

void xtcp_sent_lose_run(struct xtcp_sent *s, struct xtcp_run *r, u32 end)
{
	u64 mask = run_flight(r);

	if (!seq_gt(end, r->seq) || !mask)
		return;
	index_all(s);
	mask &= bits_inside(r, r->seq, end);
	lose_bits(s, r, mask, mask);
}

void xtcp_sent_lose_all(struct xtcp_sent *s)
{
	struct xtcp_run *r;

	index_all(s);
	s->blind = false;
	for (r = s->first; r; r = r->next) {
		u64 mask = run_flight(r);

		xtcp_step();
		lose_bits(s, r, mask, mask);
	}
}

/* Segments of @r that are longer than @size. */
static u64 bits_long(const struct xtcp_run *r, u16 size)
{
	u64 mask = 0;
	u32 i;

	for (i = 0; i < r->cells; i++) {
		u32 bytes = xtcp_run_end(r, i) - xtcp_run_start(r, i);

		if (i + 1 == r->cells)
			bytes -= fin_len(r);
		if (min_t(u32, bytes, r->size) > size)
			mask |= 1ULL << i;
	}
	return mask;
}

void xtcp_sent_lose_long(struct xtcp_sent *s, u16 size)
{
	struct xtcp_run *r;

	index_all(s);
	for (r = s->first; r; r = r->next) {
		u64 mask = run_flight(r);

		xtcp_step();
		if (r->size <= size || !mask)
			continue;
		mask &= bits_long(r, size);
		lose_bits(s, r, mask, mask);
	}
}

void xtcp_sent_undo(struct xtcp_sent *s)
{
	struct xtcp_run *back = NULL;
	struct xtcp_run **link = &back;
	struct xtcp_run *r;

	if (!s->lost.segs)
		return;
	for (r = s->first; r; r = r->next) {
		xtcp_step();
		if (is_delivered(r) || !r->lost)
			continue;
		run_count(s, r, -1);
		r->lost = 0;
		run_count(s, r, 1);
		run_settle(s, r);
		if (!(r->flags & XTCP_RUN_LISTED)) {
			*link = r;
			link = &r->later;
		}
	}
	*link = NULL;
	if (back)
		list_add_sorted(s, back);
}

/* ---- retransmission ---- */

/*
 * Cuts @r at @at, which is within it; there is memory.  A segment that is cut
 * becomes two, with the marks that it had.  Returns the right part.
 */
static struct xtcp_run *split(struct xtcp_sent *s, struct xtcp_run *r, u32 at)
{
	struct xtcp_run *n = run_get(s);
	u32 cut = min_t(u32, (at - r->base) / r->cell, r->cells - 1);

	run_count(s, r, -1);
	*n = *r;
	n->flags &= ~XTCP_RUN_LISTED;
	n->seq = at;
	n->base += cut * r->cell;
	if (at - n->base >= n->cell)
		n->base = at;	/* only the FIN is right of the cut */
	n->cells -= cut;
	n->sacked >>= cut;
	n->lost >>= cut;
	n->rtx >>= cut;
	r->end = at;
	r->flags &= ~XTCP_RUN_FIN;
	r->cells = cut + (at != r->base + cut * r->cell);
	r->sacked &= run_all(r);
	r->lost &= run_all(r);
	r->rtx &= run_all(r);
	run_count(s, r, 1);
	run_count(s, n, 1);
	n->prev = r;
	if (r->next)
		r->next->prev = n;
	else
		s->last = n;
	r->next = n;
	s->runs++;
	if (run_flight(n))
		list_insert(s, r, n);
	n->own = run_own(n);
	xtcp_tree_insert(s, r, n);
	run_settle(s, n);
	run_settle(s, r);
	return n;
}

/* Is anything sacked from @seq in @r to @end?  @last: the run that @end ends in. */
static bool any_sacked(const struct xtcp_run *r, u32 seq, u32 end,
		       struct xtcp_run **last)
{
	for (;; r = r->next) {
		xtcp_step();
		if (is_delivered(r) || r->sacked & bits_touched(r, seq, end))
			return true;
		if (seq_ge(r->end, end))
			break;
	}
	*last = (struct xtcp_run *)r;
	return false;
}

/* The runs @r to @last become one. */
static void again_whole(struct xtcp_sent *s, struct xtcp_run *r,
			struct xtcp_run *last, u16 size, u64 now)
{
	bool lost = r->lost == run_all(r);
	u32 end = last->end;

	run_count(s, r, -1);
	while (r != last) {
		struct xtcp_run *n = r->next;
		bool done = n == last;

		xtcp_step();
		lost &= n->lost == run_all(n);
		r->sends = max(r->sends, n->sends);
		r->flags |= n->flags & XTCP_RUN_FIN;
		run_count(s, n, -1);
		run_remove(s, n);
		if (done)
			break;
	}
	list_remove(s, r);
	run_sent_again(r);
	r->flags &= ~XTCP_RUN_VAGUE;
	r->end = end;
	r->size = size;
	run_grid(r);
	r->rtx = run_all(r);
	r->lost = lost ? r->rtx : 0;
	run_count(s, r, 1);
	run_stamp(s, r, now);
	list_append(s, r);
	run_settle(s, r);
}

/* The same without cutting a run: marks only. */
static void again_marked(struct xtcp_sent *s, struct xtcp_run *r, u32 seq,
			 u32 end, u64 now)
{
	for (; r && seq_lt(r->seq, end); r = r->next) {
		u64 mask, touched;

		xtcp_step();
		if (is_delivered(r))
			continue;
		mask = bits_inside(r, seq, end) & ~r->sacked;
		touched = bits_touched(r, seq, end) & ~r->sacked;
		if (touched != mask)
			s->blind = true;
		if (!mask)
			continue;
		run_count(s, r, -1);
		list_remove(s, r);
		run_sent_again(r);
		r->flags |= XTCP_RUN_VAGUE;
		r->rtx |= mask;
		run_count(s, r, 1);
		run_stamp(s, r, now);
		list_append(s, r);
		run_settle(s, r);
	}
}

/* At most 64 segments. */
static void again_part(struct xtcp_sent *s, u32 seq, u32 end, u16 size, u64 now)
{
	struct xtcp_run *r = xtcp_tree_find(s, seq);
	struct xtcp_run *last;
	u32 left, right;	/* runs that the cuts take */

	if (any_sacked(r, seq, end, &last)) {
		again_marked(s, r, seq, end, now);
		return;
	}
	left = r->seq != seq;
	right = last->end != end;
	if (runs_free(s) < left + right) {
		again_marked(s, r, seq, end, now);
		return;
	}
	if (right)
		split(s, last, end);
	if (left) {
		struct xtcp_run *n = split(s, r, seq);

		last = last == r ? n : last;
		r = n;
	}
	again_whole(s, r, last, size, now);
}

void xtcp_sent_again(struct xtcp_sent *s, u32 seq, u32 end, u16 size, u64 now)
{
	u32 most = XTCP_RUN_BITS * size;

	seq = seq_max(seq, s->una);
	end = seq_min(end, s->nxt);
	if (!seq_lt(seq, end))
		return;
	index_all(s);
	while (seq_lt(seq, end)) {
		bool fin = end == s->nxt && s->last->flags & XTCP_RUN_FIN;
		u32 to = end - seq - fin <= most ? end : seq + most;

		again_part(s, seq, to, size, now);
		seq = to;
	}
}

/* ---- questions ---- */

bool xtcp_sent_want(const struct xtcp_sent *s)
{
	return s->root && s->root->sub & XTCP_HAS_WANT;
}

/* Where what is lost and not rtx ends that begins with bit @i of @r. */
static u32 lost_end(const struct xtcp_run *r, u32 i, u32 seq, u32 most,
		    bool *fin)
{
	u32 runs = XTCP_RUN_BITS;

	for (;; r = r->next, i = 0) {
		u64 rest = ~((r->lost & ~r->rtx) >> i);
		u32 n = rest ? __ffs64(rest) : 64;

		xtcp_step();
		if (i + n < r->cells)
			return xtcp_run_start(r, i + n);
		if (!--runs || !r->next || is_delivered(r->next) ||
		    !(r->next->lost & ~r->next->rtx & 1) ||
		    r->end - seq > most)
			break;
	}
	*fin = r->flags & XTCP_RUN_FIN;
	return r->end;
}

bool xtcp_sent_next_lost(const struct xtcp_sent *s, u16 size, u32 max,
			 struct xtcp_range *range)
{
	u32 most = min_t(u32, max, XTCP_RUN_BITS * size);
	struct xtcp_run *r;
	bool fin = false;
	u32 i, len;

	if (s->blind || !xtcp_sent_want(s))
		return false;
	r = xtcp_tree_lowest(s->root, XTCP_HAS_WANT);
	i = __ffs64(r->lost & ~r->rtx);
	range->seq = xtcp_run_start(r, i);
	range->end = lost_end(r, i, range->seq, most, &fin);
	len = range->end - range->seq - fin;
	if (len > most) {
		if (most < size)
			return false;
		len = most - most % size;
		fin = false;
		range->end = range->seq + len;
	}
	range->fin = fin;
	range->segs = segs_of(len, size);
	return true;
}

bool xtcp_sent_tail(const struct xtcp_sent *s, struct xtcp_range *range)
{
	const struct xtcp_run *r = s->last;
	u32 payload;

	if (!r || is_delivered(r) || r->sacked >> (r->cells - 1) & 1)
		return false;
	range->seq = xtcp_run_start(r, r->cells - 1);
	range->end = r->end;
	range->fin = fin_len(r);
	range->segs = 1;
	payload = range->end - range->seq - range->fin;
	/* A bit that stands for several segments: the last of them. */
	if (payload > r->size)
		range->seq += payload - r->size;
	return true;
}

struct xtcp_run *xtcp_sent_find(struct xtcp_sent *s, u32 seq)
{
	struct xtcp_run *r = s->first;

	if (seq_lt(seq, s->una) || seq_ge(seq, s->nxt))
		return NULL;
	if (seq_lt(seq, r->end))
		return r;
	r = s->unindexed;
	if (!r || seq_lt(seq, r->seq))
		return xtcp_tree_find(s, seq);
	while (seq_ge(seq, r->end)) {
		xtcp_step();
		r = r->next;
	}
	return r;
}

/* Where the @n-th sacked segment from above begins; 0 < @n <= their number. */
static u32 sacked_at(const struct xtcp_run *r, u32 n)
{
	u64 mask = r->sacked;
	u32 i;

	for (;;) {
		u32 segs;

		i = fls64(mask) - 1;
		segs = run_sum(r, 1ULL << i).segs;
		if (segs >= n)
			return xtcp_run_start(r, i);
		n -= segs;
		mask &= ~(1ULL << i);
	}
}

bool xtcp_sent_sacked_above(struct xtcp_sent *s, u32 n, u32 *seq)
{
	struct xtcp_run *r;

	if (!n || s->sacked.segs < n)
		return false;
	r = xtcp_tree_highest(s->root, XTCP_HAS_SACKED);
	for (; r; r = xtcp_tree_prev(r, XTCP_HAS_SACKED)) {
		u32 segs = is_delivered(r) ? r->segs :
			run_sum(r, r->sacked).segs;

		if (segs >= n) {
			*seq = is_delivered(r) ? r->seq : sacked_at(r, n);
			return true;
		}
		n -= segs;
	}
	return false;
}

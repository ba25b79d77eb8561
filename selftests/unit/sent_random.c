// SPDX-License-Identifier: GPL-2.0
/*
 * The record of what was sent beside a plain list, one entry a segment, which
 * answers every question the slow way: random histories, SEEDS of them.
 */
#include "sent_host.h"

/* ---- the plain list: one entry a segment ---- */

struct unit {
	u32 seq, end;
	u32 size;
	u32 segs;	/* 1; more where the record knows no better */
	bool fin, s, l, r, vague, coarse, app;
	u8 sends;
	struct xtcp_stamp at;
};

#define UNITS 6000
static struct {
	struct unit u[UNITS];
	u32 n;
	u32 una, nxt;
	u64 delivered, delivered_at, first_tx, app_limited;
	u32 lost_ever;
	bool blind;
} L;

static u32 unit_len(const struct unit *u)
{
	return u->end - u->seq;
}

static void list_sums(struct xtcp_sum sum[4])
{
	memset(sum, 0, 4 * sizeof(*sum));
	for (u32 i = 0; i < L.n; i++) {
		struct unit *u = &L.u[i];

		add(&sum[0], u->segs, unit_len(u));
		if (u->s)
			add(&sum[1], u->segs, unit_len(u));
		if (u->l)
			add(&sum[2], u->segs, unit_len(u));
		if (u->r)
			add(&sum[3], u->segs, unit_len(u));
	}
}

static u32 list_flight(void)
{
	struct xtcp_sum s[4];

	list_sums(s);
	return s[0].bytes - s[1].bytes - s[2].bytes + s[3].bytes;
}

/* Takes the state of the record for true, where it has rightly lost detail. */
static void list_adopt(void)
{
	L.n = 0;
	for (struct xtcp_run *r = S.first; r; r = r->next) {
		bool all = r->flags & XTCP_RUN_DELIVERED;

		for (u32 i = 0; i < (all ? 1 : r->cells); i++) {
			struct unit *u = &L.u[L.n++];

			*u = (struct unit){
				.seq = all ? r->seq : xtcp_run_start(r, i),
				.end = all ? r->end : xtcp_run_end(r, i),
				.size = r->size, .sends = r->sends, .at = r->at,
				.vague = r->flags & XTCP_RUN_VAGUE,
				.app = r->flags & XTCP_RUN_APP_LIMITED,
				.coarse = !all && r->cell != r->size,
				.s = all || r->sacked >> i & 1,
				.l = !all && r->lost >> i & 1,
				.r = !all && r->rtx >> i & 1,
			};
			u->fin = r->flags & XTCP_RUN_FIN && u->end == r->end;
			u->segs = all ? r->segs :
				segs_in(unit_len(u), u->fin, u->size, u->coarse);
		}
	}
	L.una = S.una;
	L.nxt = S.nxt;
	L.blind = S.blind;
	L.first_tx = S.first_tx;
	L.delivered = S.delivered;
	L.delivered_at = S.delivered_at;
	L.app_limited = S.app_limited;
	L.lost_ever = S.lost_ever;
}

static void list_remove_units(u32 at, u32 n)
{
	memmove(&L.u[at], &L.u[at + n], (L.n - at - n) * sizeof(L.u[0]));
	L.n -= n;
}

static void list_make_room(u32 at, u32 n)
{
	memmove(&L.u[at + n], &L.u[at], (L.n - at) * sizeof(L.u[0]));
	L.n += n;
	if (L.n > UNITS)
		abort();
}

/* A segment boundary at @seq; returns the unit behind it. */
static u32 list_cut(u32 seq)
{
	u32 i = 0;

	while (i < L.n && seq_le(L.u[i].end, seq))
		i++;
	if (i == L.n || L.u[i].seq == seq)
		return i;
	list_make_room(i, 1);
	L.u[i] = L.u[i + 1];
	L.u[i].end = seq;
	L.u[i].fin = false;
	L.u[i + 1].seq = seq;
	for (u32 k = i; k < i + 2; k++)
		L.u[k].segs = segs_in(unit_len(&L.u[k]), L.u[k].fin,
				      L.u[k].size, L.u[k].coarse);
	return i + 1;
}

static void list_stamp(struct unit *u)
{
	u->at = (struct xtcp_stamp){
		.sent = now, .first_tx = L.first_tx,
		.delivered_at = L.delivered_at, .delivered = L.delivered,
		.in_flight = list_flight(), .lost = L.lost_ever,
	};
	u->app = L.app_limited;
}

/* [@seq, @end) at @at as segments like @like; then their stamps. */
static void list_fill(u32 at, u32 seq, u32 end, struct unit like, bool fin)
{
	u32 first = at;

	do {
		u32 left = end - seq - fin;

		list_make_room(at, 1);
		L.u[at] = like;
		L.u[at].seq = seq;
		seq = left > like.size ? seq + like.size : end;
		L.u[at].end = seq;
		L.u[at].fin = fin && seq == end;
		L.u[at].segs = 1;
		at++;
	} while (seq != end);
	for (u32 i = first; i < at; i++)
		list_stamp(&L.u[i]);
}

static void list_new(u32 end, u32 size, bool fin)
{
	if (!L.n) {
		L.first_tx = now;
		L.delivered_at = now;
	}
	while (L.nxt != end) {
		u32 to = end - L.nxt - fin <= 64 * size ? end : L.nxt + 64 * size;
		struct unit like = { .size = size, .sends = 1 };

		list_fill(L.n, L.nxt, to, like, fin && to == end);
		L.nxt = to;
	}
}

static void list_again(u32 seq, u32 end, u32 size)
{
	while (seq != end) {
		bool fin = end == L.nxt && L.u[L.n - 1].fin;
		u32 to = end - seq - fin <= 64 * size ? end : seq + 64 * size;
		struct unit like = { .size = size, .r = true, .l = true };
		u32 a = list_cut(seq), b = list_cut(to);

		for (u32 i = a; i < b; i++) {
			like.l &= L.u[i].l;
			like.sends = max(like.sends, L.u[i].sends);
		}
		like.sends += like.sends < 255;
		fin = L.u[b - 1].fin;
		list_remove_units(a, b - a);
		list_fill(a, seq, to, like, fin);
		seq = to;
	}
}

static void list_note(const struct unit *u, struct xtcp_news *news, bool sack)
{
	u64 *first = sack ? &news->sack_first : &news->ack_first;
	u64 *last = sack ? &news->sack_last : &news->ack_last;

	if (u->sends > 1)
		news->resent_segs += u->segs;
	if (u->vague)
		return;
	if (u->at.sent > news->newest.sent ||
	    (u->at.sent == news->newest.sent && seq_gt(u->end, news->newest_end))) {
		news->newest = u->at;
		news->newest_end = u->end;
		news->newest_sends = u->sends;
		news->newest_app_limited = u->app;
		L.first_tx = u->at.sent;
	}
	if (u->sends > 1)
		return;
	if (!*first || u->at.sent < *first)
		*first = u->at.sent;
	if (u->at.sent > *last)
		*last = u->at.sent;
	if (!news->low_valid || seq_lt(u->seq, news->low))
		news->low = u->seq;
	news->low_valid = true;
}

static void list_delivered(u32 bytes)
{
	if (!bytes)
		return;
	L.delivered += bytes;
	L.delivered_at = now;
	if (L.delivered > L.app_limited)
		L.app_limited = 0;
}

static void list_ack(u32 una, struct xtcp_news *news)
{
	u32 bytes = 0, i;

	if (una != L.una)
		L.blind = false;
	for (i = 0; i < L.n && seq_le(L.u[i].end, una); i++) {
		if (L.u[i].s)
			continue;
		list_note(&L.u[i], news, false);
		add(&news->acked, L.u[i].segs, unit_len(&L.u[i]));
		bytes += unit_len(&L.u[i]);
	}
	list_remove_units(0, i);
	L.una = una;
	if (L.n && seq_lt(L.u[0].seq, una)) {
		struct unit *u = &L.u[0];
		u32 part = una - u->seq, segs = u->segs;

		u->seq = una;
		u->segs = segs_in(unit_len(u), u->fin, u->size, u->coarse);
		if (!u->s) {
			add(&news->acked, segs - u->segs, part);
			bytes += part;
		}
	}
	list_delivered(bytes);
}

static void list_sack(u32 start, u32 end, struct xtcp_news *news)
{
	u32 bytes = 0;

	for (u32 i = 0; i < L.n; i++) {
		struct unit *u = &L.u[i];

		if (u->s || seq_lt(u->seq, seq_max(start, L.una)) ||
		    seq_gt(u->end, end))
			continue;
		list_note(u, news, true);
		add(&news->sacked, u->segs, unit_len(u));
		bytes += unit_len(u);
		u->s = true;
		u->l = false;
		u->r = false;
	}
	list_delivered(bytes);
}

static void list_lose(struct unit *u, bool again)
{
	if (u->s || (again ? u->l && !u->r : u->l))
		return;
	L.lost_ever += unit_len(u);
	u->l = true;
	u->r &= !again;
}

/* ---- comparing ---- */

static bool same_run(const struct xtcp_run *r, u32 *at)
{
	bool all = r->flags & XTCP_RUN_DELIVERED;
	u32 segs = 0, seq = r->seq;

	for (u32 i = 0; all ? seq != r->end : i < r->cells; i++, (*at)++) {
		const struct unit *u = &L.u[*at];

		if (*at >= L.n || u->seq != seq)
			return false;
		seq = u->end;
		segs += u->segs;
		if (all) {
			if (!u->s)
				return false;
			continue;
		}
		if (u->end != xtcp_run_end(r, i) || u->sends != r->sends ||
		    u->s != (r->sacked >> i & 1) || u->l != (r->lost >> i & 1) ||
		    u->r != (r->rtx >> i & 1) || u->fin != fin_bit(r, i) ||
		    u->vague != !!(r->flags & XTCP_RUN_VAGUE) ||
		    u->app != !!(r->flags & XTCP_RUN_APP_LIMITED) ||
		    memcmp(&u->at, &r->at, sizeof(u->at)))
			return false;
	}
	return !all || segs == r->segs;
}

static bool same(void)
{
	struct xtcp_sum sum[4];
	u32 at = 0;

	for (struct xtcp_run *r = S.first; r; r = r->next)
		if (!same_run(r, &at))
			return false;
	list_sums(sum);
	return at == L.n && S.una == L.una && S.nxt == L.nxt &&
	       !memcmp(&sum[0], &S.out, 8) && !memcmp(&sum[1], &S.sacked, 8) &&
	       !memcmp(&sum[2], &S.lost, 8) && !memcmp(&sum[3], &S.rtx, 8) &&
	       S.delivered == L.delivered && S.delivered_at == L.delivered_at &&
	       S.first_tx == L.first_tx && S.app_limited == L.app_limited &&
	       S.lost_ever == L.lost_ever && S.blind == L.blind;
}

static void same_next_lost(void)
{
	u32 size = 1 + rnd(40), most = rnd(3) ? 64 * size : rnd(100), len, i, k;
	struct xtcp_range range;
	bool got = xtcp_sent_next_lost(&S, size, most, &range), fin = false;
	u32 end;

	for (i = 0; i < L.n && !(L.u[i].l && !L.u[i].r); i++)
		;
	EQUAL(xtcp_sent_want(&S), i < L.n);
	if (i == L.n || L.blind) {
		CHECK(!got);
		return;
	}
	for (k = i; k < L.n && L.u[k].l && !L.u[k].r; k++)
		fin = L.u[k].fin;
	end = L.u[k - 1].end;
	len = end - L.u[i].seq - fin;
	most = min(most, 64 * size);
	if (len > most) {
		EQUAL(got, most >= size);
		end = L.u[i].seq + most / size * size;
		fin = false;
	}
	if (!got)
		return;
	EQUAL(range.seq, L.u[i].seq);
	if (range.end == end) {
		EQUAL(range.fin, fin);
		len = end - range.seq - fin;
		EQUAL(range.segs, len ? (len + size - 1) / size : 1);
	} else {
		/* So much only if there are too many runs to look at. */
		u32 runs = 0;

		for (struct xtcp_run *r = S.first; r; r = r->next)
			runs += seq_lt(range.seq, r->end) &&
				seq_lt(r->seq, range.end);
		CHECK(seq_lt(range.end, end) && runs >= 64);
	}
}

static void same_answers(void)
{
	u32 n = 1 + rnd(8), have = 0, seq, high = 0, i;
	struct xtcp_range range;
	bool got;

	same_next_lost();
	got = xtcp_sent_sacked_above(&S, n, &seq);
	for (i = L.n; i-- && have < n;) {
		if (L.u[i].s && !have)
			high = L.u[i].end;
		have += L.u[i].s ? L.u[i].segs : 0;
	}
	EQUAL(got, have >= n);
	if (have)
		EQUAL(S.high_sacked, high);
	for (i++; got && i < L.n && seq_lt(L.u[i].seq, seq); i++)
		CHECK(false);
	for (; got && i-- && seq_ge(L.u[i].seq, seq);)
		CHECK(L.u[i].s);
	got = xtcp_sent_tail(&S, &range);
	EQUAL(got, L.n && !L.u[L.n - 1].s);
	if (got) {
		EQUAL(range.end, S.nxt);
		EQUAL(range.fin, L.u[L.n - 1].fin);
		if (!L.u[L.n - 1].coarse)
			EQUAL(range.seq, L.u[L.n - 1].seq);
	}
	seq = L.una + rnd(L.nxt - L.una + 2) - 1;
	if (seq_lt(seq, L.una) || seq_ge(seq, L.nxt)) {
		CHECK(!xtcp_sent_find(&S, seq));
	} else {
		struct xtcp_run *r = xtcp_sent_find(&S, seq);

		CHECK(r && seq_le(r->seq, seq) && seq_lt(seq, r->end));
	}
}

/* ---- random histories ---- */

static u32 mss;
static bool fin_sent;

/* Nothing was handed in: what sent.h promises of the newest run. */
static void check_grown(void)
{
	struct xtcp_run *r;
	u32 at = 0;

	for (r = S.first; r->next; r = r->next)
		CHECK(same_run(r, &at));
	EQUAL(r->end, S.nxt);
	CHECK(r->flags & XTCP_RUN_VAGUE);
	EQUAL(r->sacked | r->lost | r->rtx, 0);
	EQUAL(r->at.sent, now);
	CHECK(S.newest == r);
}

static void step_new(void)
{
	u32 len = rnd(4) ? 1 + rnd(3 * mss) : rnd(150 * mss) + 1;
	bool fin = !rnd(60);
	bool poor;

	if (fin_sent || L.n > 400)
		return;
	poor = S.stock_len + !S.own_used < (len + 64 * mss - 1) / (64 * mss);
	if (fin && !rnd(3))
		len = 0;
	fin_sent = fin;
	if (!rnd(5))
		xtcp_sent_app_limited(&S);
	L.app_limited = S.app_limited;
	list_new(L.nxt + len + fin, mss, fin);
	xtcp_sent_new(&S, S.nxt + len + fin, mss, fin, now);
	if (poor && !same()) {
		check_grown();
		list_adopt();
	}
}

/* No run was cut: marks of whole bits only. */
static void check_marked(u32 seq, u32 end)
{
	u32 k = 0;

	for (struct xtcp_run *r = S.first; r; r = r->next) {
		for (u32 i = 0; i < r->cells &&
		     !(r->flags & XTCP_RUN_DELIVERED); i++) {
			struct unit *u;
			bool in, touched;

			while (L.u[k].seq != xtcp_run_start(r, i))
				k++;
			u = &L.u[k];
			EQUAL(u->end, xtcp_run_end(r, i));
			in = seq_ge(u->seq, seq) && seq_le(u->end, end);
			touched = seq_lt(u->seq, end) && seq_gt(u->end, seq);
			EQUAL(r->sacked >> i & 1, u->s);
			EQUAL(r->lost >> i & 1, u->l);
			EQUAL(r->rtx >> i & 1, u->r || (in && !u->s));
			CHECK(!touched || in || u->s || S.blind);
			CHECK(!in || u->s || (r->flags & XTCP_RUN_VAGUE &&
					      r->at.sent == now));
			CHECK(r->at.sent >= u->at.sent);
		}
	}
}

static void step_again(void)
{
	static struct unit old[UNITS];
	struct xtcp_range range;
	u32 size = rnd(4) ? mss : 1 + rnd(40), n = L.n, i, k;
	u32 seq, end;
	bool poor;

	if (!L.n)
		return;
	if (!rnd(4)) {
		/* Any range that is not sacked. */
		i = rnd(L.n);
		if (L.u[i].s)
			return;
		for (k = i; k < L.n && !L.u[k].s; k++)
			;
		seq = L.u[i].seq + rnd(unit_len(&L.u[i]));
		end = L.u[k - 1].end;
		end = seq + 1 + rnd(end - seq);
	} else if (rnd(8) ? xtcp_sent_next_lost(&S, size, 64 * size, &range) :
			    xtcp_sent_tail(&S, &range)) {
		seq = range.seq;
		end = range.end;
	} else {
		return;
	}
	poor = S.stock_len + !S.own_used < 2 + (end - seq) / (64 * size);
	memcpy(old, L.u, sizeof(old[0]) * n);
	list_again(seq, end, size);
	xtcp_sent_again(&S, seq, end, size, now);
	if (!poor || same())
		return;
	/* One chunk may have been cut before memory ran out. */
	if (end - seq <= 64 * size) {
		memcpy(L.u, old, sizeof(old[0]) * n);
		L.n = n;
		check_marked(seq, end);
	}
	list_adopt();
}

static bool news_same(const struct xtcp_news *a, const struct xtcp_news *b)
{
	return !memcmp(&a->acked, &b->acked, sizeof(a->acked)) &&
	       !memcmp(&a->sacked, &b->sacked, sizeof(a->sacked)) &&
	       a->resent_segs == b->resent_segs &&
	       !memcmp(&a->newest, &b->newest, sizeof(a->newest)) &&
	       a->newest_end == b->newest_end &&
	       a->newest_sends == b->newest_sends &&
	       a->newest_app_limited == b->newest_app_limited &&
	       a->ack_first == b->ack_first && a->ack_last == b->ack_last &&
	       a->sack_first == b->sack_first && a->sack_last == b->sack_last &&
	       a->low_valid == b->low_valid && a->low == b->low;
}

static u32 any_seq(void)
{
	if (L.n && rnd(2)) {
		u32 i = rnd(L.n);

		return rnd(2) ? L.u[i].seq : L.u[i].end;
	}
	return L.una + rnd(L.nxt - L.una + 1);
}

/* An acknowledgment with SACK blocks, some of them nonsense. */
static void step_ack(void)
{
	struct xtcp_news a = {}, b = {};
	u32 una = L.una;

	if (rnd(2))
		una = any_seq();
	if (!rnd(6))
		una = L.una + rnd((L.nxt - L.una) / 4 + 1);
	if (una != L.una) {
		struct xtcp_run *r = xtcp_sent_find(&S, una);
		bool part = r && r->flags & XTCP_RUN_DELIVERED && r->seq != una;

		list_ack(una, &a);
		xtcp_sent_ack(&S, una, now, &b);
		if (part)
			list_adopt();
	}
	for (u32 n = rnd(4); n; n--) {
		u32 start = any_seq(), end = any_seq();

		if (!rnd(30))
			start -= rnd(1000);
		if (!rnd(30))
			end += rnd(1000);
		if (seq_lt(start, end))
			list_sack(start, end, &a);
		xtcp_sent_sack(&S, start, end, now, &b);
	}
	CHECK(news_same(&a, &b));
}

static void step_lose(void)
{
	u32 start = any_seq(), end = any_seq(), i;
	struct xtcp_run *r = S.oldest;

	switch (rnd(8)) {
	case 0:
		xtcp_sent_lose_all(&S);
		for (i = 0; i < L.n; i++)
			list_lose(&L.u[i], true);
		L.blind = false;
		break;
	case 1:
		mss = 1 + rnd(40);
		xtcp_sent_lose_long(&S, mss);
		for (i = 0; i < L.n; i++)
			if (min(unit_len(&L.u[i]) - L.u[i].fin, L.u[i].size) > mss)
				list_lose(&L.u[i], true);
		break;
	case 2:
	case 3:
	case 4:
		for (u32 n = rnd(4); r && n; n--)
			r = r->later;
		if (!r)
			return;
		start = r->seq;
		end = rnd(2) ? r->end : r->seq + rnd(r->end - r->seq + 1);
		for (i = 0; i < L.n; i++)
			if (seq_ge(L.u[i].seq, start) && seq_le(L.u[i].end, end))
				list_lose(&L.u[i], true);
		xtcp_sent_lose_run(&S, r, end);
		break;
	default:
		xtcp_sent_lose(&S, start, end);
		for (i = 0; i < L.n; i++)
			if (seq_lt(start, end) && seq_lt(L.u[i].seq, end) &&
			    seq_gt(L.u[i].end, start))
				list_lose(&L.u[i], false);
	}
}

static void step_rare(void)
{
	u32 bytes = S.sacked.bytes, i, n, most = 0, start, end;
	struct xtcp_sum sum[4];

	switch (rnd(3)) {
	case 0:
		xtcp_sent_undo(&S);
		for (i = 0; i < L.n; i++)
			L.u[i].l = false;
		break;
	case 1:
		list_sums(sum);
		xtcp_sent_renege(&S);
		EQUAL(S.sacked.segs, 0);
		EQUAL(S.lost.bytes, sum[2].bytes + bytes);
		EQUAL(S.rtx.bytes, sum[3].bytes);
		EQUAL(S.lost_ever, L.lost_ever + bytes);
		list_adopt();
		break;
	default:
		start = any_seq();
		end = any_seq();
		n = xtcp_sent_dsack(&S, start, end);
		/* An estimate where runs of several sizes were joined. */
		CHECK(n <= S.out.segs);
		for (i = 0; i < L.n; i++)
			most += L.u[i].sends > 1;
		CHECK(most || !n);
	}
}

static void random_step(bool poor)
{
	now += rnd(3);
	if (poor && !rnd(3))
		refuse_from = 0, refuse_to = rnd(2) ? 1L << 40 : 0;
	fill();
	if (poor && rnd(2))
		drain(rnd(3));
	switch (rnd(12)) {
	case 0:
	case 1:
	case 2:
	case 3:
		step_new();
		break;
	case 4:
	case 5:
		step_again();
		break;
	case 6:
	case 7:
	case 8:
		step_ack();
		break;
	case 9:
	case 10:
		step_lose();
		break;
	default:
		if (!rnd(4))
			step_rare();
	}
	audit();
	CHECK(same());
	same_answers();
}

static void random_history(u32 seed, u32 steps, bool poor)
{
	rng = seed * 2654435761u | 1;
	rnd(1);
	begin(rnd(2) ? rnd(~0u) : 0u - rnd(3000));
	memset(&L.n, 0, sizeof(L) - offsetof(typeof(L), n));
	L.una = S.una;
	L.nxt = S.nxt;
	mss = 1 + rnd(40);
	fin_sent = false;
	for (u32 i = 0; i < steps; i++) {
		random_step(poor);
		if (unit_failed) {
			printf("# seed %u, step %u\n", seed, i);
			return;
		}
		if (fin_sent && !S.out.segs)
			return;
	}
}

static void histories(void)
{
	u32 n = getenv("SEEDS") ? atoi(getenv("SEEDS")) : 1000;

	for (u32 seed = 1; seed <= n && !unit_failed; seed++)
		random_history(seed, 60, false);
}

static void histories_poor(void)
{
	u32 n = getenv("SEEDS") ? atoi(getenv("SEEDS")) : 1000;

	for (u32 seed = 1; seed <= n && !unit_failed; seed++)
		random_history(seed, 60, true);
}

static const struct unit_test tests[] = {
	{ "as a plain list, memory at hand", histories },
	{ "as a plain list, memory refused", histories_poor },
};
UNIT_MAIN(tests)

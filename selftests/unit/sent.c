// SPDX-License-Identifier: GPL-2.0
/*
 * The record of what was sent: by examples, with memory refused at each point
 * where it is asked for, and its cost in steps.
 */
#include "sent_host.h"

#define SEQ	5000u

static struct xtcp_news news;

static void open_record(void)
{
	begin(SEQ);
	fill();
	memset(&news, 0, sizeof(news));
}

/* One decision of @segs segments of 1000 bytes, one microsecond later. */
static void burst(u32 segs)
{
	fill();
	now++;
	xtcp_sent_new(&S, S.nxt + segs * 1000, 1000, false, now);
	audit();
}

static void again(u32 seq, u32 end, u16 size)
{
	fill();
	now++;
	xtcp_sent_again(&S, seq, end, size, now);
	audit();
}

static void ack(u32 una)
{
	memset(&news, 0, sizeof(news));
	xtcp_sent_ack(&S, una, ++now, &news);
	audit();
}

static void sack(u32 start, u32 end)
{
	memset(&news, 0, sizeof(news));
	xtcp_sent_sack(&S, start, end, ++now, &news);
	audit();
}

/* Segments and bytes of a sum. */
#define SUM(sum, n, b)							\
	do {								\
		EQUAL((sum).segs, n);					\
		EQUAL((sum).bytes, b);					\
	} while (0)

static struct xtcp_range next_lost(u16 size, u32 max)
{
	struct xtcp_range r = {};

	if (!xtcp_sent_next_lost(&S, size, max, &r))
		r.segs = 0;
	return r;
}

#define RANGE(r, a, b, n)						\
	do {								\
		struct xtcp_range _r = (r);				\
		EQUAL(_r.segs, n);					\
		EQUAL(_r.seq, SEQ + (a));				\
		EQUAL(_r.end, SEQ + (b));				\
	} while (0)

static void sizes(void)
{
	EQUAL(sizeof(struct xtcp_run), 144);
}

static void in_order(void)
{
	open_record();
	burst(45);
	burst(10);
	SUM(S.out, 55, 55000);
	EQUAL(S.runs, 2);
	CHECK(!S.root);
	EQUAL(xtcp_sent_flight(&S), 55000);
	ack(SEQ + 45000);
	SUM(news.acked, 45, 45000);
	EQUAL(news.ack_first, T0 + 1);
	EQUAL(news.ack_last, T0 + 1);
	EQUAL(news.newest_end, SEQ + 45000);
	EQUAL(news.newest_sends, 1);
	EQUAL(S.runs, 1);
	/* In the middle of a run, then of a segment. */
	ack(SEQ + 47000);
	SUM(news.acked, 2, 2000);
	ack(SEQ + 47500);
	SUM(news.acked, 0, 500);
	EQUAL(news.newest.sent, 0);
	SUM(S.out, 8, 7500);
	ack(SEQ + 48000);
	SUM(news.acked, 1, 500);
	CHECK(xtcp_sent_find(&S, SEQ + 48000));
	CHECK(!xtcp_sent_find(&S, SEQ + 47999));
	CHECK(!xtcp_sent_find(&S, SEQ + 55000));
	ack(SEQ + 55000);
	EQUAL(S.runs, 0);
	EQUAL(S.delivered, 55000);
	/* Old and absurd ones do nothing. */
	ack(SEQ + 50000);
	ack(SEQ + 90000);
	EQUAL(S.una, SEQ + 55000);
	EQUAL(S.delivered, 55000);
}

static void syn_and_fin(void)
{
	struct xtcp_range r;

	open_record();
	xtcp_sent_new(&S, SEQ + 1, 1000, false, now);
	SUM(S.out, 1, 1);
	xtcp_sent_lose_all(&S);
	RANGE(next_lost(1000, 0), 0, 1, 0);
	RANGE(next_lost(1000, 1000), 0, 1, 1);
	again(SEQ, SEQ + 1, 1000);
	EQUAL(S.first->sends, 2);
	ack(SEQ + 1);
	EQUAL(news.resent_segs, 1);
	EQUAL(news.ack_first, 0);
	/* The FIN rides on a full segment: no segment of its own. */
	xtcp_sent_new(&S, SEQ + 2002, 1000, true, ++now);
	SUM(S.out, 2, 2001);
	CHECK(xtcp_sent_tail(&S, &r));
	RANGE(r, 1001, 2002, 1);
	CHECK(r.fin);
	xtcp_sent_lose_all(&S);
	r = next_lost(1000, 64000);
	RANGE(r, 1, 2002, 2);
	CHECK(r.fin);
	r = next_lost(1000, 1999);
	RANGE(r, 1, 1001, 1);
	CHECK(!r.fin);
	/* All but the FIN is acknowledged: it is a segment. */
	ack(SEQ + 2001);
	SUM(S.out, 1, 1);
	r = next_lost(1000, 1000);
	RANGE(r, 2001, 2002, 1);
	CHECK(r.fin);
	again(r.seq, r.end, 1000);
	ack(SEQ + 2002);
	SUM(S.out, 0, 0);
}

static void selective(void)
{
	u32 seq;

	open_record();
	burst(10);
	burst(10);
	/* Whole segments count only. */
	sack(SEQ + 3500, SEQ + 5999);
	SUM(news.sacked, 1, 1000);
	EQUAL(news.low, SEQ + 4000);
	EQUAL(news.newest_end, SEQ + 5000);
	EQUAL(S.high_sacked, SEQ + 5000);
	sack(SEQ + 8000, SEQ + 12000);
	SUM(S.sacked, 5, 5000);
	EQUAL(news.sack_first, T0 + 1);
	EQUAL(news.sack_last, T0 + 2);
	EQUAL(S.runs, 2);
	CHECK(!xtcp_sent_sacked_above(&S, 6, &seq));
	CHECK(xtcp_sent_sacked_above(&S, 4, &seq));
	EQUAL(seq, SEQ + 8000);
	CHECK(xtcp_sent_sacked_above(&S, 5, &seq));
	EQUAL(seq, SEQ + 4000);
	/* The same again is no news. */
	sack(SEQ + 8000, SEQ + 12000);
	SUM(news.sacked, 0, 0);
	/* What is all sacked is one run. */
	sack(SEQ, SEQ + 20000);
	SUM(news.sacked, 15, 15000);
	EQUAL(S.runs, 1);
	EQUAL(xtcp_sent_flight(&S), 0);
	CHECK(!xtcp_sent_oldest(&S));
	ack(SEQ + 7000);
	SUM(news.acked, 0, 0);
	SUM(S.out, 13, 13000);
	EQUAL(S.delivered, 20000);
	/* Joined with the one above, too. */
	burst(5);
	burst(5);
	sack(SEQ + 25000, SEQ + 30000);
	EQUAL(S.runs, 3);
	sack(SEQ + 20000, SEQ + 25000);
	EQUAL(S.runs, 1);
}

static void retransmission(void)
{
	open_record();
	burst(20);
	sack(SEQ + 4000, SEQ + 5000);
	sack(SEQ + 10000, SEQ + 12000);
	xtcp_sent_lose(&S, SEQ, SEQ + 8500);
	SUM(S.lost, 8, 8000);
	EQUAL(S.lost_ever, 8000);
	EQUAL(xtcp_sent_flight_segs(&S), 20 - 3 - 8);
	RANGE(next_lost(1000, 64000), 0, 4000, 4);
	RANGE(next_lost(1000, 2500), 0, 2000, 2);
	again(SEQ, SEQ + 2000, 1000);
	RANGE(next_lost(1000, 64000), 2000, 4000, 2);
	again(SEQ + 2000, SEQ + 4000, 1000);
	RANGE(next_lost(1000, 64000), 5000, 9000, 4);
	EQUAL(S.runs, 3);
	EQUAL(xtcp_sent_flight_segs(&S), 20 - 3 - 8 + 4);
	/* In order of sending: the rest of the burst, then the two. */
	EQUAL(S.oldest->seq, SEQ + 4000);
	EQUAL(S.oldest->later->seq, SEQ);
	EQUAL(S.newest->seq, SEQ + 2000);
	/* RACK: the first copy is lost again, and only it. */
	xtcp_sent_lose_run(&S, S.first, SEQ + 1999);
	SUM(S.rtx, 3, 3000);
	RANGE(next_lost(1000, 64000), 0, 1000, 1);
	ack(SEQ + 4000);
	EQUAL(news.resent_segs, 4);
	EQUAL(news.newest_sends, 2);
	EQUAL(news.ack_first, 0);
	CHECK(!news.low_valid);
	xtcp_sent_undo(&S);
	audit();
	SUM(S.lost, 0, 0);
	CHECK(!xtcp_sent_want(&S));
}

static void undo_order(void)
{
	struct xtcp_run *r;
	u64 last = 0;
	u32 n = 0;

	open_record();
	for (int i = 0; i < 9; i++)
		burst(2);
	xtcp_sent_lose(&S, SEQ + 2000, SEQ + 14000);
	again(SEQ + 4000, SEQ + 6000, 1000);
	again(SEQ + 2000, SEQ + 4000, 1000);
	xtcp_sent_lose_all(&S);
	CHECK(!S.oldest);
	xtcp_sent_undo(&S);
	audit();
	for (r = S.oldest; r; r = r->later, n++) {
		CHECK(r->at.sent > last);
		last = r->at.sent;
	}
	EQUAL(n, 9);
	EQUAL(S.newest->seq, SEQ + 2000);
}

static void path_mtu(void)
{
	open_record();
	burst(10);
	now++;
	xtcp_sent_new(&S, S.nxt + 400, 1000, false, now);
	sack(SEQ + 5000, SEQ + 6000);
	xtcp_sent_lose_long(&S, 600);
	SUM(S.lost, 9, 9000);
	RANGE(next_lost(600, 64000), 0, 5000, 9);
	again(SEQ, SEQ + 5000, 600);
	SUM(S.rtx, 9, 5000);
	SUM(S.out, 9 + 5 + 1, 10400);
	RANGE(next_lost(600, 1300), 6000, 7200, 2);
	/* The second of these ends within an old segment, which is cut. */
	again(SEQ + 6000, SEQ + 7200, 600);
	RANGE(next_lost(600, 64000), 7200, 10000, 5);
	/* Small ones go together. */
	xtcp_sent_lose_all(&S);
	RANGE(next_lost(1000, 64000), 0, 5000, 5);
	again(SEQ, SEQ + 5000, 1000);
	SUM(S.rtx, 5, 5000);
}

static void reneging(void)
{
	open_record();
	burst(20);
	burst(20);
	sack(SEQ + 1000, SEQ + 2000);
	sack(SEQ + 20000, SEQ + 40000);
	xtcp_sent_renege(&S);
	audit();
	SUM(S.sacked, 0, 0);
	SUM(S.lost, 21, 21000);
	CHECK(S.last->flags & XTCP_RUN_VAGUE);
	RANGE(next_lost(1000, 64000), 1000, 2000, 1);
	xtcp_sent_lose_all(&S);
	RANGE(next_lost(1000, 64000), 0, 40000, 40);
	/* What was joined has the time of the newest. */
	open_record();
	burst(1);
	burst(1);
	sack(SEQ, SEQ + 2000);
	xtcp_sent_renege(&S);
	EQUAL(S.runs, 1);
	EQUAL(S.first->at.sent, T0 + 2);
}

static void duplicates(void)
{
	open_record();
	burst(10);
	EQUAL(xtcp_sent_dsack(&S, SEQ, SEQ + 10000), 0);
	again(SEQ + 3000, SEQ + 5000, 1000);
	EQUAL(xtcp_sent_dsack(&S, SEQ + 3000, SEQ + 4000), 1);
	sack(SEQ + 1000, SEQ + 10000);
	EQUAL(S.runs, 2);
	EQUAL(xtcp_sent_dsack(&S, SEQ + 3000, SEQ + 4000), 1);
	EQUAL(xtcp_sent_dsack(&S, SEQ + 3000, SEQ + 10000), 1);
	EQUAL(xtcp_sent_dsack(&S, SEQ + 3000, SEQ + 4000), 0);
	EQUAL(xtcp_sent_dsack(&S, SEQ - 3000, SEQ), 0);
}

static void rate_stamps(void)
{
	open_record();
	burst(10);
	EQUAL(S.last->at.first_tx, T0 + 1);
	EQUAL(S.last->at.in_flight, 10000);
	ack(SEQ + 4000);
	EQUAL(S.delivered_at, T0 + 2);
	EQUAL(S.first_tx, T0 + 1);
	xtcp_sent_app_limited(&S);
	burst(2);
	EQUAL(S.last->at.delivered, 4000);
	EQUAL(S.last->at.delivered_at, T0 + 2);
	EQUAL(S.last->at.first_tx, T0 + 1);
	EQUAL(S.last->at.in_flight, 8000);
	ack(SEQ + 11000);
	CHECK(news.newest_app_limited);
	EQUAL(news.newest.delivered, 4000);
	EQUAL(S.first_tx, T0 + 3);
	CHECK(!S.app_limited);
	/* After a pause the intervals begin anew. */
	ack(SEQ + 12000);
	now += 1000;
	burst(1);
	EQUAL(S.last->at.first_tx, now);
	EQUAL(S.last->at.delivered_at, now);
}

static void refused(void)
{
	open_record();
	drain(0);
	refuse_to = 1L << 40;
	burst(40);		/* the record's own run */
	sack(SEQ + 38000, SEQ + 40000);
	burst(40);
	EQUAL(S.runs, 1);
	CHECK(S.first->flags & XTCP_RUN_VAGUE);
	EQUAL(S.first->cell, 2000);
	SUM(S.out, 80, 80000);
	SUM(S.sacked, 0, 0);
	sack(SEQ + 39000, SEQ + 44000);
	SUM(S.sacked, 4, 4000);
	EQUAL(news.newest.sent, 0);
	EQUAL(news.sack_first, 0);
	/* Whole bits of it can be noted, a part cannot. */
	xtcp_sent_lose(&S, SEQ, SEQ + 20000);
	again(SEQ, SEQ + 10000, 1000);
	SUM(S.rtx, 10, 10000);
	RANGE(next_lost(1000, 64000), 10000, 20000, 10);
	again(SEQ + 10000, SEQ + 13000, 1000);
	SUM(S.rtx, 12, 12000);
	EQUAL(next_lost(1000, 64000).segs, 0);
	ack(SEQ + 500);
	RANGE(next_lost(1000, 64000), 12000, 20000, 8);
	ack(SEQ + 80000);
	/* What was sacked and forgotten is delivered twice. */
	EQUAL(S.delivered, 82000);
	EQUAL(S.runs, 0);
}

/* ---- a transfer, with memory refused ---- */

#define TOTAL	400000u		/* bytes, in segments of 1000 */
#define PIPE	120000u		/* in flight at most */

static struct {
	u8 have[TOTAL / 1000];
	u32 next;		/* first that is missing */
	bool progress;
} peer;

/* Some segments arrive, and are answered like a receiver does. */
static void arrive(u32 seq, u32 end)
{
	u32 i = (seq - SEQ) / 1000, to = (end - SEQ) / 1000, last;

	EQUAL((seq - SEQ) % 1000, 0);
	memset(&news, 0, sizeof(news));
	for (last = i; i < to; i++)
		if (rnd(8)) {
			peer.progress |= !peer.have[i];
			peer.have[i] = 1;
			last = i;
		}
	while (peer.next < TOTAL / 1000 && peer.have[peer.next])
		peer.next++;
	if (!rnd(8))
		return;		/* the ACK is lost */
	xtcp_sent_ack(&S, SEQ + peer.next * 1000, now, &news);
	if (last < peer.next || !peer.have[last])
		return;
	for (i = last; peer.have[i - 1]; i--)
		;
	for (to = last; to < TOTAL / 1000 && peer.have[to]; to++)
		;
	xtcp_sent_sack(&S, SEQ + i * 1000, SEQ + to * 1000, now, &news);
}

static void check_unsacked(const struct xtcp_range *r)
{
	struct xtcp_run *run = xtcp_sent_find(&S, r->seq);

	CHECK(run && !(run->flags & XTCP_RUN_DELIVERED));
}

static bool send_one(void)
{
	struct xtcp_range r;
	u32 flight = xtcp_sent_flight(&S);
	u32 room = PIPE > flight ? PIPE - flight : 0;
	u32 left = SEQ + TOTAL - S.nxt;

	now++;
	drain(rnd(XTCP_SENT_STOCK + 1));
	fill();
	if (!flight)
		room = max(room, 1000u);
	room = min(room, (1 + rnd(40)) * 1000);
	if (xtcp_sent_next_lost(&S, 1000, room, &r)) {
		check_unsacked(&r);
		xtcp_sent_again(&S, r.seq, r.end, 1000, now);
	} else if (room >= 1000 && left) {
		r.seq = S.nxt;
		r.end = S.nxt + min(left, room / 1000 * 1000);
		xtcp_sent_new(&S, r.end, 1000, false, now);
	} else {
		return false;
	}
	arrive(r.seq, r.end);
	return true;
}

/* Returns how many rounds it took; every byte arrives in any case. */
static u32 transfer(void)
{
	u32 rounds, seq, n;

	memset(&peer, 0, sizeof(peer));
	for (rounds = 0; S.una != SEQ + TOTAL && rounds < 5000; rounds++) {
		peer.progress = false;
		for (n = 0; n < 500 && send_one(); n++)
			;
		CHECK(n < 500);	/* else it sends the same for ever */
		if (xtcp_sent_sacked_above(&S, 3, &seq))
			xtcp_sent_lose(&S, S.una, seq);
		if (!peer.progress) {
			xtcp_sent_lose_all(&S);
			now += 1000;
		}
		if (rounds % 4 == 0)
			audit();
	}
	EQUAL(S.una, SEQ + TOTAL);
	EQUAL(S.out.segs, 0);
	EQUAL(S.runs, 0);
	return rounds;
}

static void refused_everywhere(void)
{
	long total;

	begin(SEQ);
	rng = 1;
	transfer();
	total = requests;
	CHECK(total > 20);
	/* One request fails; all from one on; each third. */
	for (long k = 1; k <= total && !unit_failed; k++) {
		begin(SEQ);
		rng = 1;
		refuse_from = k;
		refuse_to = k + 1;
		transfer();
		begin(SEQ);
		rng = 1;
		refuse_from = k;
		refuse_to = 1L << 40;
		transfer();
		if (unit_failed)
			printf("# request %ld of %ld refused\n", k, total);
	}
	begin(SEQ);
}

/* ---- cost ---- */

#define MANY	100000u		/* segments */

static u64 steps_most, steps_all;

/* Steps since the last call. */
static void steps(void)
{
	steps_most = max(steps_most, xtcp_steps);
	steps_all += xtcp_steps;
	xtcp_steps = 0;
}

static void steps_begin(void)
{
	steps_most = 0;
	steps_all = 0;
	xtcp_steps = 0;
}

static void many(u32 each)
{
	begin(SEQ);
	xtcp_steps = 0;
	for (u32 i = 0; i < MANY; i += each) {
		fill();
		now++;
		xtcp_sent_new(&S, S.nxt + each * 100, 100, false, now);
	}
}

static void block(u32 first, u32 segs)
{
	xtcp_sent_sack(&S, SEQ + first * 100, SEQ + (first + segs) * 100, now,
		       &news);
}

static void say(const char *what, u32 each, u32 ops)
{
	printf("# %u a run: %s: %llu steps at most, %.1f on average\n", each,
	       what, (unsigned long long)steps_most, (double)steps_all / ops);
}

/* Every second segment reported, in an order that suits the attacker. */
static void hostile_sacks(u32 each, u32 stride)
{
	u32 i, n;

	many(each);
	/* The newest 64 runs enter the tree with the first block. */
	steps_begin();
	block(1, 1);
	steps();
	CHECK(steps_most < 64 * 6);
	steps_begin();
	for (i = 0, n = stride; i < MANY / 2; i++, n = (n + stride) % (MANY / 2)) {
		block(2 * n + 1, 1);
		steps();
	}
	say("every second one sacked", each, MANY / 2);
	EQUAL(S.sacked.segs, MANY / 2);
	CHECK(steps_most < 120);
	CHECK(steps_all < MANY / 2 * 80);
	/* All that is known already, in the largest blocks there are. */
	block(1, MANY - 1);
	steps_begin();
	for (i = 0; i < 1000; i++) {
		block(1 + rnd(MANY / 2), MANY / 4);
		block(1, MANY - 1);
		steps();
	}
	say("two old blocks", each, 1000);
	EQUAL(S.runs, 2);
	CHECK(steps_most < 8);
	audit();
}

static void hostile_loss(u32 each)
{
	struct xtcp_range r;
	u32 i, n = 0, seq;

	many(each);
	for (i = 1; i < MANY; i += 2)
		block(i, 1);
	steps_begin();
	CHECK(xtcp_sent_sacked_above(&S, 300, &seq));
	steps();
	CHECK(steps_most < 300 * 50);
	xtcp_sent_lose(&S, S.una, S.nxt);
	steps_begin();
	for (i = 0; i < 1000; i++) {
		xtcp_sent_lose(&S, S.una, S.nxt);
		steps();
	}
	say("all lost, again", each, 1000);
	CHECK(steps_most < 50);
	steps_begin();
	while (xtcp_sent_next_lost(&S, 100, 6400, &r)) {
		fill();
		now++;
		xtcp_sent_again(&S, r.seq, r.end, 100, now);
		steps();
		n++;
	}
	say("a hole sent again", each, n);
	EQUAL(n, MANY / 2);
	CHECK(steps_most < 300);
	CHECK(S.runs <= MANY);
	steps_begin();
	xtcp_sent_undo(&S);
	xtcp_sent_lose_all(&S);
	xtcp_sent_undo(&S);
	steps();
	say("two undone losses", each, 1);
	CHECK(steps_all < MANY * 50);
	xtcp_sent_dsack(&S, S.una, S.nxt);
	steps();
	audit();
}

static void cost(u32 each)
{
	many(each);
	steps_begin();
	for (u32 i = each; i <= MANY; i += each) {
		xtcp_sent_ack(&S, SEQ + i * 100, now, &news);
		steps();
	}
	say("acknowledged in order", each, MANY / each);
	CHECK(steps_all < MANY / each * 6);
	CHECK(steps_most < 40);
	for (u32 stride = 1; stride < MANY / 2; stride = stride * 30 + 1)
		hostile_sacks(each, stride);
	hostile_loss(each);
	begin(SEQ);
}

static void cost_large(void)
{
	cost(50);
}

static void cost_small(void)
{
	cost(1);
}

static const struct unit_test tests[] = {
	{ "a run is 144 bytes", sizes },
	{ "sent and acknowledged in order", in_order },
	{ "SYN and FIN", syn_and_fin },
	{ "SACK", selective },
	{ "loss and retransmission", retransmission },
	{ "undo restores the order of sending", undo_order },
	{ "a smaller path MTU", path_mtu },
	{ "reneging", reneging },
	{ "DSACK", duplicates },
	{ "stamps for rate samples", rate_stamps },
	{ "no memory: what is lost of the detail", refused },
	{ "no memory at each request: all arrives", refused_everywhere },
	{ "cost at 100,000 segments, 50 a run", cost_large },
	{ "cost at 100,000 segments, 1 a run", cost_small },
};
UNIT_MAIN(tests)

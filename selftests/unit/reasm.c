// SPDX-License-Identifier: GPL-2.0
#include "unit.h"

static struct xtcp_rxd *piece(u32 seq, u32 end)
{
	struct xtcp_rxd *d = calloc(1, sizeof(*d));

	d->seq = seq;
	d->end = end;
	return d;
}

static bool put(u32 seq, u32 end)
{
	struct xtcp_rxd *d = piece(seq, end);

	if (xtcp_reasm_insert(&H.c, d))
		return true;
	free(d);
	return false;
}

/* The pieces held, as "seq-end+off", in order. */
static const char *shape(void)
{
	static char buf[400];
	char *p = buf;
	u32 bytes = 0, count = 0;

	*p = 0;
	for (struct rb_node *n = rb_first(&H.c.ooo.root); n; n = rb_next(n)) {
		struct xtcp_rxd *d = rb_entry(n, struct xtcp_rxd, node);

		p += sprintf(p, "%s%u-%u", count ? " " : "", d->seq, d->end);
		if (d->off)
			p += sprintf(p, "+%u", d->off);
		bytes += d->end - d->seq;
		count++;
	}
	EQUAL(H.c.ooo.bytes, bytes);
	EQUAL(H.c.ooo.count, count);
	return buf;
}

#define SHAPE(want)							\
	do {								\
		if (strcmp(shape(), want)) {				\
			printf("# line %d: %s\n", __LINE__, shape());	\
			unit_failed = 1;				\
		}							\
	} while (0)

static void order(void)
{
	host_new();
	CHECK(put(300, 400));
	CHECK(put(100, 200));
	CHECK(put(500, 600));
	CHECK(put(200, 300));
	SHAPE("100-200 200-300 300-400 500-600");
	EQUAL(xtcp_reasm_first(&H.c.ooo)->seq, 100);
	CHECK(xtcp_core_prune(&H.c));
	SHAPE("100-200 200-300 300-400");
	EQUAL(H.discarded, 1);
	xtcp_core_purge(&H.c);
	SHAPE("");
	EQUAL(H.discarded, 4);
	CHECK(!H.c.ooo.last);
	CHECK(!xtcp_core_prune(&H.c));
}

static void overlaps(void)
{
	host_new();
	put(100, 200);
	put(300, 400);
	CHECK(!put(100, 200));
	CHECK(!put(120, 180));
	CHECK(!put(350, 400));
	/* Cut on the left, on the right, on both sides. */
	CHECK(put(150, 250));
	SHAPE("100-200 200-250+50 300-400");
	CHECK(put(270, 350));
	SHAPE("100-200 200-250+50 270-300 300-400");
	CHECK(put(240, 280));
	SHAPE("100-200 200-250+50 250-270+10 270-300 300-400");
	EQUAL(H.discarded, 0);
	CHECK(put(120, 390));
	EQUAL(H.discarded, 3);
	CHECK(put(390, 450));
	SHAPE("100-200 200-300+80 300-400 400-450+10");
	xtcp_core_purge(&H.c);
}

static void covering(void)
{
	host_new();
	put(100, 110);
	put(120, 130);
	put(140, 150);
	CHECK(put(90, 145));
	SHAPE("90-140 140-150");
	EQUAL(H.discarded, 2);
	CHECK(put(80, 200));
	SHAPE("80-200");
	EQUAL(H.c.ooo.last->seq, 80);
	xtcp_core_purge(&H.c);
}

static void wrap(void)
{
	host_new();
	put(0xfffffff0, 0x10);
	put(0x20, 0x30);
	put(0xffffff00, 0xffffff10);
	EQUAL(xtcp_reasm_first(&H.c.ooo)->seq, 0xffffff00);
	CHECK(put(0x08, 0x28));
	SHAPE("4294967040-4294967056 4294967280-16 16-32+8 32-48");
	xtcp_core_purge(&H.c);
}

/* Against one flag for each byte. */
static void random_pieces(void)
{
	static u8 have[400];
	u32 rng = 1;

	for (int round = 0; round < 300; round++) {
		u32 bytes = 0;

		host_new();
		memset(have, 0, sizeof(have));
		for (int i = 0; i < 40; i++) {
			u32 a, b;

			rng = rng * 1103515245 + 12345;
			a = rng >> 8 & 255;
			b = a + 1 + (rng >> 20 & 63);
			for (u32 n = a; n < b; n++) {
				bytes += !have[n];
				have[n] = 1;
			}
			put(a, b);
			shape();
			EQUAL(H.c.ooo.bytes, bytes);
		}
		while (H.c.ooo.count > 3) {
			struct xtcp_rxd *d = xtcp_reasm_first(&H.c.ooo);

			xtcp_reasm_remove(&H.c.ooo, d);
			free(d);
		}
		shape();
		xtcp_core_purge(&H.c);
	}
}

static const struct unit_test tests[] = {
	{ "kept in order", order },
	{ "overlaps are trimmed", overlaps },
	{ "what is covered goes", covering },
	{ "across the end of sequence space", wrap },
	{ "random pieces", random_pieces },
};
UNIT_MAIN(tests)

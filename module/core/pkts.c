// SPDX-License-Identifier: GPL-2.0
/*
 * Packets in flight.  Why the count is never too small: a run of N packets, none
 * larger than S, of which A bytes are acknowledged and not the last one, has
 * lost K whole packets at least, where A < (K + 1) * S, so K >= A / S rounded
 * down.  No more than that is taken off before the whole run is acknowledged.
 * Of packets that all have S bytes, but for the last, it is the exact number.
 */
#include "pkts.h"
#include "seq.h"

static u32 run_start(const struct xtcp_pkts *p, u32 i)
{
	return i ? p->run[i - 1].end : p->start;
}

/* Do packets of @size continue the last run? */
static bool last_goes_on(const struct xtcp_pkts *p, u32 size)
{
	const struct xtcp_pkts_run *r;

	if (!p->runs)
		return false;
	r = &p->run[p->runs - 1];
	return r->size == size &&
	       r->end - run_start(p, p->runs - 1) == r->n * size;
}

/* The two neighbours with the fewest packets become one run. */
static void make_room(struct xtcp_pkts *p)
{
	u32 i, at = 0, least = ~0U;

	for (i = 0; i + 1 < p->runs; i++) {
		u32 n = p->run[i].n + p->run[i + 1].n;

		if (n < least) {
			least = n;
			at = i;
		}
	}
	p->run[at + 1].size = max(p->run[at].size, p->run[at + 1].size);
	p->run[at + 1].n = least;
	p->runs--;
	memmove(&p->run[at], &p->run[at + 1],
		(p->runs - at) * sizeof(p->run[0]));
}

void xtcp_pkts_sent(struct xtcp_pkts *p, u32 seq, u32 end, u32 n, u32 size)
{
	struct xtcp_pkts_run *r;

	p->out += n;
	if (last_goes_on(p, size)) {
		r = &p->run[p->runs - 1];
		r->end = end;
		r->n += n;
		return;
	}
	if (!p->runs)
		p->start = seq;
	if (p->runs == XTCP_PKTS_RUNS)
		make_room(p);
	p->run[p->runs++] = (struct xtcp_pkts_run){
		.end = end, .n = n, .size = size,
	};
}

u32 xtcp_pkts_acked(struct xtcp_pkts *p, u32 una)
{
	u32 gone = 0, i, k;

	for (i = 0; i < p->runs && seq_le(p->run[i].end, una); i++) {
		gone += p->run[i].n;
		p->start = p->run[i].end;
	}
	if (i) {
		p->runs -= i;
		memmove(p->run, p->run + i, p->runs * sizeof(p->run[0]));
	}
	if (p->runs && seq_gt(una, p->start)) {
		k = (una - p->start) / p->run[0].size;
		k = min(k, p->run[0].n - 1);
		p->start += k * p->run[0].size;
		p->run[0].n -= k;
		gone += k;
	}
	p->out -= gone;
	return gone;
}

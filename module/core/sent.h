/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The record of what was sent: every byte of sequence space between SND.UNA
 * and SND.NXT, SYN and FIN included, in which segments it was sent, when, how
 * often, and what is known of its fate.
 *
 * The bytes are covered without gap by runs.  A run (struct xtcp_run) is what
 * one decision sent: up to 64 segments of equal size, of which the last may be
 * shorter, and with one time stamp.  Three maps of 64 bits say of each segment:
 *
 *   sacked  the peer has reported it in a SACK block: it is delivered
 *   lost    it was marked lost, for whatever reason
 *   rtx     it was sent again, and that copy counts as under way
 *
 * A sacked segment is neither lost nor rtx.  In flight are the segments that
 * are not sacked and either not lost or rtx; one that is rtx without being
 * lost (a loss probe, or the loss was undone) is in flight twice.
 *
 * A retransmission gives what it carries a time stamp of its own, so it takes
 * its bytes out of the runs that had them: at most one run is cut at each end
 * of it, and it becomes one run however many it took bytes from.  A run whose
 * segments are all sacked is joined with such neighbours; a stretch that the
 * peer has reported is one run, however often and in how many blocks the peer
 * reports it again.  So there are never more runs than segments.
 *
 * Runs are linked three ways: in order of sequence numbers; in order of
 * sending, but only those that have something in flight; and in a balanced
 * tree, which finds a sequence number or the next run with a given property.
 * A run enters the tree when it is needed there, or when 64 newer ones are
 * not in it: a connection that loses nothing and has little in flight never
 * touches the tree.
 *
 * Cost, n being the number of runs: a new run and one that is acknowledged
 * O(1), O(log n) when it is in the tree; one SACK block, or one range marked
 * lost, O(log n), and another O(log n) for each run of which it marks a
 * segment that was not marked so before; everything that concerns all runs
 * (timeout, undo, reneging, path MTU) O(n), undo O(n log n).
 *
 * Memory.  The record allocates nothing.  It has one run of its own, and takes
 * more from a stock that the host fills (xtcp_sent_give()) and empties
 * (xtcp_sent_take()).  When the stock is empty the record loses detail:
 * - New data is added to the newest run.  That run forgets its marks (nothing
 *   of it is sacked, lost or rtx any more, all of it is in flight), counts as
 *   sent now, and a bit of its maps stands for several segments if there would
 *   be more than 64.
 * - A retransmission that would cut a run is noted in the maps, if it covers
 *   whole bits; the whole run counts as sent now.  If it covers a part of a
 *   bit, nothing is noted of that, and xtcp_sent_next_lost() offers nothing
 *   more until SND.UNA moves or the timeout fires (@blind).
 * In both cases the run is vague: its bytes and segments count, but it says
 * nothing about time (no round trip, no rate sample, nothing for RACK).  Its
 * time stamp is never too early, so that loss is found too late, not too soon.
 * Bytes that were sacked when their marks were forgotten, here or by reneging,
 * are counted in @delivered a second time.
 *
 * All functions: the connection is locked, any context, nothing sleeps.
 * Sequence numbers are in host byte order, a range is [start, end), times are
 * microseconds of the monotonic clock, sizes are bytes of sequence space.
 * A range is cut down to what the record holds; what is outside is ignored.
 */
#ifndef XTCP_CORE_SENT_H
#define XTCP_CORE_SENT_H

#include "seq.h"

#define XTCP_RUN_BITS	64	/* segments of a run; 64 KiB has 46 of 1448 bytes */
#define XTCP_SENT_STOCK	3	/* runs that a decision may need, and one more */
#define XTCP_SENT_LAZY	64	/* newest runs that need not be in the tree */
#define XTCP_DSACK_RUNS	64	/* runs that one DSACK block is looked up in */

/*
 * struct xtcp_stamp - the state of the connection when a run was last sent
 * As in draft-cheng-iccrg-delivery-rate-estimation; taken after the run was
 * counted.
 */
struct xtcp_stamp {
	u64 sent;		/* when: P.sent_time */
	u64 first_tx;		/* P.first_sent_time: begin of the send interval */
	u64 delivered_at;	/* P.delivered_time: begin of the ACK interval */
	u64 delivered;		/* P.delivered: bytes delivered until then */
	u32 in_flight;		/* bytes in flight, this run included */
	u32 lost;		/* bytes ever marked lost until then, modulo 2^32 */
};

/* Bits of xtcp_run.flags. */
enum {
	XTCP_RUN_DELIVERED	= 1 << 0, /* all is sacked; the maps are not used */
	XTCP_RUN_VAGUE		= 1 << 1, /* time stamp and segments are estimates */
	XTCP_RUN_FIN		= 1 << 2, /* its last byte is the FIN */
	XTCP_RUN_APP_LIMITED	= 1 << 3, /* sent while the application had no more */
	XTCP_RUN_LISTED		= 1 << 4, /* in the list in order of sending */
	XTCP_RUN_INDEXED	= 1 << 5, /* in the tree */
};

/*
 * struct xtcp_run - a run of segments; 144 bytes
 * Only sent.c and sent_tree.c write it.  Bit i of the maps is the segment that
 * begins at base + i * cell, but not before seq; it ends where the next one
 * begins, the last one at end (with a FIN that may be cell + 1 bytes).
 * seq is less than one cell behind base: a cumulative ACK or a cut may leave
 * a part of the first segment.  cell is size, or in a vague run a multiple.
 */
struct xtcp_run {
	struct xtcp_run *next, *prev;		/* by sequence number */
	struct xtcp_run *later, *earlier;	/* by time of the last sending */
	u32 seq, end;		/* what it covers */
	u32 base;
	u32 cell;
	u16 size;		/* bytes of a full segment */
	u8 cells;		/* bits of the maps in use, 1 to 64 */
	u8 sends;		/* how often sent, the most of any part; ends at 255 */
	u8 flags;		/* XTCP_RUN_* */
	u8 height;		/* tree: levels below and with this */
	u8 own, sub;		/* tree: XTCP_HAS_* of this one; with all below it */
	union {
		struct {
			u64 sacked, lost, rtx;
		};
		struct {		/* XTCP_RUN_DELIVERED */
			u32 segs;	/* segments in it */
			u32 resent;	/* of them sent more than once */
		};
	};
	struct xtcp_stamp at;
	struct xtcp_run *up, *left, *right;	/* tree */
};

/* Segments and bytes of sequence space. */
struct xtcp_sum {
	u32 segs;
	u32 bytes;
};

/* struct xtcp_sent - the record of one connection */
struct xtcp_sent {
	/* Anybody may read these. */
	u32 una;		/* SND.UNA: the first byte recorded */
	u32 nxt;		/* SND.NXT: the one after the last */
	struct xtcp_sum out;	/* not acknowledged cumulatively */
	struct xtcp_sum sacked;	/* of these: reported by SACK */
	struct xtcp_sum lost;	/* of these: marked lost and not sacked since */
	struct xtcp_sum rtx;	/* of these: sent again, that copy under way */
	u32 runs;
	u32 stock_len;		/* runs in the stock */
	u64 delivered;		/* C.delivered: bytes delivered ever, ACK or SACK */
	u64 delivered_at;	/* C.delivered_time */
	u64 first_tx;		/* C.first_sent_time */
	u64 app_limited;	/* C.app_limited: delivered up to here is; 0: no */
	u32 lost_ever;		/* bytes ever marked lost, modulo 2^32 */
	u32 high_sacked;	/* end of the highest sacked segment, if sacked.segs */

	/* Private to sent.c and sent_tree.c. */
	struct xtcp_run *first, *last;		/* by sequence number */
	struct xtcp_run *oldest, *newest;	/* by time of the last sending */
	struct xtcp_run *root;
	struct xtcp_run *unindexed;	/* this one and all behind are not in the tree */
	struct xtcp_run *stock;
	u32 lazy;			/* number of those */
	bool blind;			/* a retransmission could not be noted */
	bool own_used;
	struct xtcp_run own_run;
};

/*
 * struct xtcp_news - what ACK and SACK blocks of one segment have delivered
 * The caller zeroes it once for each arriving segment, and hands the same one
 * to xtcp_sent_ack() and to each xtcp_sent_sack().  "Clean" is a segment that
 * was sent once, and of whose time stamp the record is sure.
 */
struct xtcp_news {
	struct xtcp_sum acked;	/* newly delivered by the cumulative ACK */
	struct xtcp_sum sacked;	/* newly delivered by SACK blocks */
	u32 resent_segs;	/* of both: sent more than once */
	/*
	 * The one sent last among all that are not vague (RFC 8985, 6.2, step 2;
	 * the packet of the rate sample): valid if newest.sent is not 0.
	 */
	struct xtcp_stamp newest;
	u32 newest_end;		/* its end sequence: RACK.end_seq */
	u8 newest_sends;	/* how often it was sent: 1 is a round trip for sure */
	bool newest_app_limited;
	/* When the oldest and the newest clean one were sent; 0: there is none. */
	u64 ack_first, ack_last;
	u64 sack_first, sack_last;
	/* First byte of the lowest clean one: reordering, F-RTO. */
	bool low_valid;
	u32 low;
};

/* A range that may go in one decision. */
struct xtcp_range {
	u32 seq, end;		/* sequence space, a FIN included */
	u16 segs;		/* segments that it makes */
	bool fin;		/* the last byte is the FIN */
};

/* ---- birth, memory, end ---- */

/*
 * An empty record whose next byte is @seq.  Keeps nothing; frees nothing.  A
 * record must not be copied: what copies the structure around it calls this.
 */
void xtcp_sent_init(struct xtcp_sent *s, u32 seq);

/*
 * Forgets everything: una becomes nxt, the runs go into the stock, from where
 * the host takes them all.  delivered and its kin stay.
 */
void xtcp_sent_purge(struct xtcp_sent *s);

/*
 * The host hands in memory for one run, uninitialised, any context.  Before a
 * round of the output loop, and after each decision that was carried out, the
 * host fills up to XTCP_SENT_STOCK.  Runs that the record needs no longer are
 * in the stock too.
 */
void xtcp_sent_give(struct xtcp_sent *s, struct xtcp_run *r);

/* Takes one out of the stock again, to be freed; NULL if it is empty. */
struct xtcp_run *xtcp_sent_take(struct xtcp_sent *s);

/* ---- sending ---- */

/*
 * xtcp_sent_new - [s->nxt, @end) has been handed to IP for the first time
 * @size: bytes of a full segment (the last may be shorter), not 0.  @fin: the
 * last byte of the range is the FIN, which rides on the last segment.  A SYN
 * is a range of one byte.  Takes one run for each 64 segments.
 */
void xtcp_sent_new(struct xtcp_sent *s, u32 end, u16 size, bool fin, u64 now);

/*
 * xtcp_sent_again - [@seq, @end) has been handed to IP again
 * In segments of @size, which may be another than before.  What
 * xtcp_sent_next_lost() or xtcp_sent_tail() offered, or a part of it, or any
 * range that is not sacked.  It is rtx now; it stays lost if all of it was
 * lost, else none of it is.  Takes at most two runs from the stock, and one
 * more for each 64 segments after the first.
 */
void xtcp_sent_again(struct xtcp_sent *s, u32 seq, u32 end, u16 size, u64 now);

/*
 * The application has given less than windows would have let go: samples are
 * application-limited until what is in flight now is delivered.
 */
void xtcp_sent_app_limited(struct xtcp_sent *s);

/* ---- what the peer says ---- */

/*
 * xtcp_sent_ack - everything below @una is acknowledged
 * @una may lie within a run or a segment.  A segment counts as delivered when
 * its last byte is; bytes count at once.  News are added to @news.
 */
void xtcp_sent_ack(struct xtcp_sent *s, u32 una, u64 now,
		   struct xtcp_news *news);

/*
 * xtcp_sent_sack - a SACK block reports [@start, @end)
 * Segments become sacked that lie in the block with all their bytes that are
 * not acknowledged; a part of a segment counts for nothing (a receiver that
 * has the whole segment reports it in one block).  News are added to @news.
 */
void xtcp_sent_sack(struct xtcp_sent *s, u32 start, u32 end, u64 now,
		    struct xtcp_news *news);

/*
 * xtcp_sent_dsack - a DSACK block says that [@start, @end) came twice
 * Returns how many segments of it were sent more than once: an estimate by bytes
 * where sacked runs of several segment sizes were joined.  A sacked segment is
 * counted by one call only, however often the peer repeats its claim; no more
 * than XTCP_DSACK_RUNS runs are looked at.  Below una nothing is known.
 */
u32 xtcp_sent_dsack(struct xtcp_sent *s, u32 start, u32 end);

/*
 * The peer has dropped what it had reported (RFC 2018, 8): everything sacked
 * is lost instead.  Joined runs come back as vague ones.
 */
void xtcp_sent_renege(struct xtcp_sent *s);

/* ---- loss ---- */

/*
 * Every segment with a byte in [@start, @end) that is not sacked is lost; rtx
 * is left alone.  For the counts of RFC 6675 and for the first segment alone.
 */
void xtcp_sent_lose(struct xtcp_sent *s, u32 start, u32 end);

/*
 * xtcp_sent_lose_run - what of @r is in flight and ends at or before @end
 * It is lost, and no copy of it is under way any more.  For RACK, which walks
 * from xtcp_sent_oldest(); take r->later before, as @r may leave the list.
 */
void xtcp_sent_lose_run(struct xtcp_sent *s, struct xtcp_run *r, u32 end);

/* Retransmission timeout: the same with all that is not sacked. */
void xtcp_sent_lose_all(struct xtcp_sent *s);

/* The path takes no more than @size: the same with every longer segment. */
void xtcp_sent_lose_long(struct xtcp_sent *s, u16 size);

/*
 * The loss was none: nothing is lost any more.  What is rtx stays so, which
 * means that it is in flight twice.
 */
void xtcp_sent_undo(struct xtcp_sent *s);

/* ---- questions ---- */

/*
 * xtcp_sent_next_lost - what to retransmit next
 * @size: bytes of a segment now.  @max: bytes of payload that windows allow,
 * at least @size for an answer.  The lowest range that is lost and not rtx, as
 * far as it is contiguous, at most 64 segments and 64 runs; a multiple of @size
 * unless what is lost ends there.  False: nothing (or nothing now: @blind).
 */
bool xtcp_sent_next_lost(const struct xtcp_sent *s, u16 size, u32 max,
			 struct xtcp_range *range);

/* The last segment sent, for a loss probe; false if none, or it is sacked. */
bool xtcp_sent_tail(const struct xtcp_sent *s, struct xtcp_range *range);

/* The run that holds the byte at @seq; NULL if it is not in flight.  O(log n). */
struct xtcp_run *xtcp_sent_find(struct xtcp_sent *s, u32 seq);

/*
 * xtcp_sent_sacked_above - where @n segments are sacked at or above (RFC 6675)
 * True, and @seq: what is not sacked below @seq has @n segments or more sacked
 * above it.  False if there are fewer.  @n steps of O(log n) at most.
 */
bool xtcp_sent_sacked_above(struct xtcp_sent *s, u32 n, u32 *seq);

/*
 * The run whose last sending is the longest ago, of those with something in
 * flight; then r->later, NULL at the end.  Of one time the order is that of
 * sending.
 */
static inline struct xtcp_run *xtcp_sent_oldest(const struct xtcp_sent *s)
{
	return s->oldest;
}

/* Something is lost and not under way again. */
bool xtcp_sent_want(const struct xtcp_sent *s);

/* Segments in flight; RFC 6675's pipe, in packets. */
static inline u32 xtcp_sent_flight_segs(const struct xtcp_sent *s)
{
	return s->out.segs - s->sacked.segs - s->lost.segs + s->rtx.segs;
}

/* Bytes in flight. */
static inline u32 xtcp_sent_flight(const struct xtcp_sent *s)
{
	return s->out.bytes - s->sacked.bytes - s->lost.bytes + s->rtx.bytes;
}

/* Begin and end of segment (bit) @i of @r, which is not DELIVERED. */
static inline u32 xtcp_run_start(const struct xtcp_run *r, u32 i)
{
	return i ? r->base + i * r->cell : r->seq;
}

static inline u32 xtcp_run_end(const struct xtcp_run *r, u32 i)
{
	return i + 1 == r->cells ? r->end : r->base + (i + 1) * r->cell;
}

/* RFC 8985's RACK_sent_after(): was (@t1, @seq1) sent after (@t2, @seq2)? */
static inline bool xtcp_sent_after(u64 t1, u32 seq1, u64 t2, u32 seq2)
{
	return t1 > t2 || (t1 == t2 && seq_gt(seq1, seq2));
}

#endif /* XTCP_CORE_SENT_H */

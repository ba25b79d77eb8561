/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Payload that came before its turn, ordered by sequence number and without
 * overlap (RFC 9293, 3.10.7.4, seventh step).  The caller locks.
 */
#ifndef XTCP_CORE_REASM_H
#define XTCP_CORE_REASM_H

#include "port.h"

struct xtcp_core;
struct xtcp_rxd;

struct xtcp_reasm {
	struct rb_root root;
	struct xtcp_rxd *last;	/* highest, where new arrivals mostly belong */
	u32 count;		/* descriptors held */
	u32 bytes;		/* payload bytes held */
};

/*
 * xtcp_reasm_insert - keep @d in c->ooo
 * @d: seq, end and off are set; seq < end.  Trimmed where older ones hold the
 * same bytes; older ones that it covers go to xtcp_host_discard().
 * Returns false, with @d not taken, if it brings nothing new.
 * O(log n) and, for each one that goes, O(log n).
 */
bool xtcp_reasm_insert(struct xtcp_core *c, struct xtcp_rxd *d);

/* Is the byte at @seq held?  O(log n). */
bool xtcp_reasm_holds(const struct xtcp_reasm *q, u32 seq);

/* The lowest, still held; NULL if empty. */
struct xtcp_rxd *xtcp_reasm_first(const struct xtcp_reasm *q);

/* Takes @d out.  It is the caller's. */
void xtcp_reasm_remove(struct xtcp_reasm *q, struct xtcp_rxd *d);

#endif /* XTCP_CORE_REASM_H */

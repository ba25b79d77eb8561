/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The tree of the record of what was sent (sent.h): an AVL tree of runs by
 * sequence number, in which each run knows what there is below it.  For sent.c.
 */
#ifndef XTCP_CORE_SENT_TREE_H
#define XTCP_CORE_SENT_TREE_H

#include "sent.h"

/* What a run may have, and be looked for by (xtcp_run.own and .sub). */
enum {
	XTCP_HAS_WANT	= 1 << 0,	/* a segment that is lost and not rtx */
	XTCP_HAS_SACKED	= 1 << 1,	/* a segment that is sacked */
	XTCP_HAS_PLAIN	= 1 << 2,	/* a segment that is neither sacked nor lost */
};

/* @r, with own set, goes to the right end: it is above all runs in the tree. */
void xtcp_tree_append(struct xtcp_sent *s, struct xtcp_run *r);

/* @r, with own set, goes right behind @left, which is in the tree. */
void xtcp_tree_insert(struct xtcp_sent *s, struct xtcp_run *left,
		      struct xtcp_run *r);

/* @r leaves the tree. */
void xtcp_tree_erase(struct xtcp_sent *s, struct xtcp_run *r);

/* @r->own has become @own. */
void xtcp_tree_own(struct xtcp_sent *s, struct xtcp_run *r, u8 own);

/* The run of the tree that holds @seq; the caller knows that there is one. */
struct xtcp_run *xtcp_tree_find(const struct xtcp_sent *s, u32 seq);

/* The lowest and the highest run with one of @bits, below and with @r; or NULL. */
struct xtcp_run *xtcp_tree_lowest(struct xtcp_run *r, u8 bits);
struct xtcp_run *xtcp_tree_highest(struct xtcp_run *r, u8 bits);

/* The nearest run above or below @r that has one of @bits, or NULL. */
struct xtcp_run *xtcp_tree_next(struct xtcp_run *r, u8 bits);
struct xtcp_run *xtcp_tree_prev(struct xtcp_run *r, u8 bits);

#endif /* XTCP_CORE_SENT_TREE_H */

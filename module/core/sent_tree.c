// SPDX-License-Identifier: GPL-2.0
/*
 * An AVL tree with pointers to parents.  After each change tree_fix() goes up
 * as long as height or contents of a subtree change, so that appending at the
 * right end and erasing at the left one cost a few steps on average.
 */
#include "sent_tree.h"

static u8 height(const struct xtcp_run *r)
{
	return r ? r->height : 0;
}

/* Height and contents of @r from its children; false if both were right. */
static bool refresh(struct xtcp_run *r)
{
	u8 h = 1 + max(height(r->left), height(r->right));
	u8 sub = r->own;

	if (r->left)
		sub |= r->left->sub;
	if (r->right)
		sub |= r->right->sub;
	if (r->height == h && r->sub == sub)
		return false;
	r->height = h;
	r->sub = sub;
	return true;
}

/* @by, which may be NULL, takes @r's place below @r's parent. */
static void replace(struct xtcp_sent *s, struct xtcp_run *r,
		    struct xtcp_run *by)
{
	if (!r->up)
		s->root = by;
	else if (r->up->left == r)
		r->up->left = by;
	else
		r->up->right = by;
	if (by)
		by->up = r->up;
}

/* The right child comes up; returns it. */
static struct xtcp_run *rotate_left(struct xtcp_sent *s, struct xtcp_run *r)
{
	struct xtcp_run *top = r->right;

	replace(s, r, top);
	r->right = top->left;
	if (r->right)
		r->right->up = r;
	top->left = r;
	r->up = top;
	refresh(r);
	return top;
}

/* The left child comes up; returns it. */
static struct xtcp_run *rotate_right(struct xtcp_sent *s, struct xtcp_run *r)
{
	struct xtcp_run *top = r->left;

	replace(s, r, top);
	r->left = top->right;
	if (r->left)
		r->left->up = r;
	top->right = r;
	r->up = top;
	refresh(r);
	return top;
}

/* The subtrees of @r differ by two levels: returns what stands there then. */
static struct xtcp_run *rebalance(struct xtcp_sent *s, struct xtcp_run *r)
{
	struct xtcp_run *c;

	if (height(r->left) > height(r->right)) {
		c = r->left;
		if (height(c->left) < height(c->right))
			rotate_left(s, c);
		return rotate_right(s, r);
	}
	c = r->right;
	if (height(c->right) < height(c->left))
		rotate_right(s, c);
	return rotate_left(s, r);
}

/* Something at or below @r has changed. */
static void tree_fix(struct xtcp_sent *s, struct xtcp_run *r)
{
	for (; r; r = r->up) {
		int lean = height(r->left) - height(r->right);

		xtcp_step();
		if (lean < -1 || lean > 1) {
			r = rebalance(s, r);
			refresh(r);
		} else if (!refresh(r)) {
			return;
		}
	}
}

static void tree_link(struct xtcp_sent *s, struct xtcp_run *up,
		      struct xtcp_run **link, struct xtcp_run *r)
{
	r->up = up;
	r->left = NULL;
	r->right = NULL;
	r->height = 0;
	*link = r;
	tree_fix(s, r);
}

void xtcp_tree_append(struct xtcp_sent *s, struct xtcp_run *r)
{
	/* The run before it, if it is in the tree, is the rightmost. */
	if (s->root)
		tree_link(s, r->prev, &r->prev->right, r);
	else
		tree_link(s, NULL, &s->root, r);
}

void xtcp_tree_insert(struct xtcp_sent *s, struct xtcp_run *left,
		      struct xtcp_run *r)
{
	struct xtcp_run *at = left->right;

	if (!at) {
		tree_link(s, left, &left->right, r);
		return;
	}
	for (; at->left; at = at->left)
		xtcp_step();
	tree_link(s, at, &at->left, r);
}

void xtcp_tree_erase(struct xtcp_sent *s, struct xtcp_run *r)
{
	struct xtcp_run *from = r->up;
	struct xtcp_run *heir;

	if (!r->left || !r->right) {
		replace(s, r, r->left ? r->left : r->right);
		tree_fix(s, from);
		return;
	}
	for (heir = r->right; heir->left; heir = heir->left)
		xtcp_step();
	from = heir;
	if (heir->up != r) {
		from = heir->up;
		replace(s, heir, heir->right);
		heir->right = r->right;
		heir->right->up = heir;
	}
	replace(s, r, heir);
	heir->left = r->left;
	heir->left->up = heir;
	heir->height = r->height;
	heir->sub = r->sub;
	tree_fix(s, from);
	tree_fix(s, heir);
}

void xtcp_tree_own(struct xtcp_sent *s, struct xtcp_run *r, u8 own)
{
	if (r->own == own)
		return;
	r->own = own;
	tree_fix(s, r);
}

struct xtcp_run *xtcp_tree_find(const struct xtcp_sent *s, u32 seq)
{
	struct xtcp_run *r = s->root;

	while (r) {
		xtcp_step();
		if (seq_ge(seq, r->seq) && seq_lt(seq, r->end))
			return r;
		r = seq_lt(seq, r->seq) ? r->left : r->right;
	}
	return NULL;
}

struct xtcp_run *xtcp_tree_lowest(struct xtcp_run *r, u8 bits)
{
	if (!r || !(r->sub & bits))
		return NULL;
	for (;;) {
		xtcp_step();
		if (r->left && r->left->sub & bits) {
			r = r->left;
			continue;
		}
		if (r->own & bits)
			return r;
		r = r->right;
	}
}

struct xtcp_run *xtcp_tree_highest(struct xtcp_run *r, u8 bits)
{
	if (!r || !(r->sub & bits))
		return NULL;
	for (;;) {
		xtcp_step();
		if (r->right && r->right->sub & bits) {
			r = r->right;
			continue;
		}
		if (r->own & bits)
			return r;
		r = r->left;
	}
}

struct xtcp_run *xtcp_tree_next(struct xtcp_run *r, u8 bits)
{
	struct xtcp_run *found = xtcp_tree_lowest(r->right, bits);

	while (!found && r->up) {
		struct xtcp_run *up = r->up;

		xtcp_step();
		if (up->left == r)
			found = up->own & bits ? up :
				xtcp_tree_lowest(up->right, bits);
		r = up;
	}
	return found;
}

struct xtcp_run *xtcp_tree_prev(struct xtcp_run *r, u8 bits)
{
	struct xtcp_run *found = xtcp_tree_highest(r->left, bits);

	while (!found && r->up) {
		struct xtcp_run *up = r->up;

		xtcp_step();
		if (up->right == r)
			found = up->own & bits ? up :
				xtcp_tree_highest(up->left, bits);
		r = up;
	}
	return found;
}

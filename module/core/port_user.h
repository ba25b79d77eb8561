/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The user-space realisation of port.h: the kernel's names for types, and an
 * ordered container with the calls of <linux/rbtree.h> that reasm.c uses.
 * The container is a search tree without balancing: nothing here is measured.
 */
#ifndef XTCP_CORE_PORT_USER_H
#define XTCP_CORE_PORT_USER_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t s32;
typedef int64_t s64;

#define min(a, b) \
	({ __typeof__(a) _a = (a); __typeof__(b) _b = (b); _a < _b ? _a : _b; })
#define max(a, b) \
	({ __typeof__(a) _x = (a); __typeof__(b) _y = (b); _x > _y ? _x : _y; })
#define min_t(t, a, b) min((t)(a), (t)(b))
#define max_t(t, a, b) max((t)(a), (t)(b))
#define min3(a, b, c) min(min(a, b), c)
#define clamp_t(t, v, lo, hi) min_t(t, max_t(t, v, lo), hi)
#define BIT(n) (1U << (n))
#define DIV_ROUND_UP(n, d) (((n) + (d) - 1) / (d))
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define fallthrough __attribute__((__fallthrough__))
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define container_of(p, t, m) ((t *)((char *)(p) - offsetof(t, m)))

#define DIV_ROUND_UP(n, d) (((n) + (d) - 1) / (d))

static inline u64 div_u64(u64 a, u32 b)
{
	return a / b;
}

/* Number of bits set; index of the lowest, not of 0; index of the highest + 1. */
static inline u32 hweight64(u64 n)
{
	return __builtin_popcountll(n);
}

static inline u32 __ffs64(u64 n)
{
	return __builtin_ctzll(n);
}

static inline int fls64(u64 n)
{
	return n ? 64 - __builtin_clzll(n) : 0;
}

/* Steps of searches and walks since a test has set it to 0. */
#pragma weak xtcp_steps	/* one for a program, however many files include this */
u64 xtcp_steps;

static inline void xtcp_step(void)
{
	xtcp_steps++;
}

struct rb_node {
	struct rb_node *rb_parent;
	struct rb_node *rb_left;
	struct rb_node *rb_right;
};

struct rb_root {
	struct rb_node *rb_node;
};

#define RB_ROOT ((struct rb_root){ NULL })
#define RB_EMPTY_ROOT(root) (!(root)->rb_node)
#define rb_entry(p, t, m) container_of(p, t, m)

static inline void rb_link_node(struct rb_node *n, struct rb_node *parent,
				struct rb_node **link)
{
	n->rb_parent = parent;
	n->rb_left = NULL;
	n->rb_right = NULL;
	*link = n;
}

static inline void rb_insert_color(struct rb_node *n, struct rb_root *root)
{
	(void)n;
	(void)root;
}

static inline struct rb_node *rb_first(const struct rb_root *root)
{
	struct rb_node *n = root->rb_node;

	while (n && n->rb_left)
		n = n->rb_left;
	return n;
}

static inline struct rb_node *rb_last(const struct rb_root *root)
{
	struct rb_node *n = root->rb_node;

	while (n && n->rb_right)
		n = n->rb_right;
	return n;
}

static inline struct rb_node *rb_next(const struct rb_node *n)
{
	const struct rb_root right = { n->rb_right };

	if (n->rb_right)
		return rb_first(&right);
	while (n->rb_parent && n == n->rb_parent->rb_right)
		n = n->rb_parent;
	return n->rb_parent;
}

static inline struct rb_node *rb_prev(const struct rb_node *n)
{
	const struct rb_root left = { n->rb_left };

	if (n->rb_left)
		return rb_last(&left);
	while (n->rb_parent && n == n->rb_parent->rb_left)
		n = n->rb_parent;
	return n->rb_parent;
}

/* @by, which may be NULL, takes @n's place below @n's parent. */
static inline void rb_user_replace(struct rb_root *root, struct rb_node *n,
				   struct rb_node *by)
{
	if (!n->rb_parent)
		root->rb_node = by;
	else if (n->rb_parent->rb_left == n)
		n->rb_parent->rb_left = by;
	else
		n->rb_parent->rb_right = by;
	if (by)
		by->rb_parent = n->rb_parent;
}

static inline void rb_erase(struct rb_node *n, struct rb_root *root)
{
	struct rb_node *next;

	if (!n->rb_left || !n->rb_right) {
		rb_user_replace(root, n, n->rb_left ? n->rb_left : n->rb_right);
		return;
	}
	next = rb_next(n);	/* has no left child */
	if (next->rb_parent != n) {
		rb_user_replace(root, next, next->rb_right);
		next->rb_right = n->rb_right;
		next->rb_right->rb_parent = next;
	}
	rb_user_replace(root, n, next);
	next->rb_left = n->rb_left;
	next->rb_left->rb_parent = next;
}

#endif /* XTCP_CORE_PORT_USER_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sequence-number arithmetic modulo 2^32 (RFC 9293, section 3.4).
 * All arguments are sequence numbers in host byte order.
 */
#ifndef XTCP_CORE_SEQ_H
#define XTCP_CORE_SEQ_H

#include "port.h"

/* a < b; meaningful while the two are less than 2^31 apart. */
static inline bool seq_lt(u32 a, u32 b)
{
	return (s32)(a - b) < 0;
}

/* a <= b */
static inline bool seq_le(u32 a, u32 b)
{
	return (s32)(a - b) <= 0;
}

/* a > b */
static inline bool seq_gt(u32 a, u32 b)
{
	return seq_lt(b, a);
}

/* a >= b */
static inline bool seq_ge(u32 a, u32 b)
{
	return seq_le(b, a);
}

/* The later of the two. */
static inline u32 seq_max(u32 a, u32 b)
{
	return seq_gt(a, b) ? a : b;
}

/* The earlier of the two. */
static inline u32 seq_min(u32 a, u32 b)
{
	return seq_lt(a, b) ? a : b;
}

#endif /* XTCP_CORE_SEQ_H */

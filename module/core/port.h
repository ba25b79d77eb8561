/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the core takes from outside: fixed-width types, error numbers and an
 * ordered container.  One realisation for the kernel, one for user space;
 * nothing else in core/ asks which of the two it is built for.
 */
#ifndef XTCP_CORE_PORT_H
#define XTCP_CORE_PORT_H

#ifdef __KERNEL__
#include <linux/types.h>
#include <linux/bitops.h>
#include <linux/errno.h>
#include <linux/math.h>
#include <linux/math64.h>
#include <linux/string.h>
#include <linux/minmax.h>
#include <linux/rbtree.h>

/* Tests count the steps of what must not take many; nobody else does. */
static inline void xtcp_step(void)
{
}
#else
#include "port_user.h"
#endif

/* Microseconds in whole milliseconds, modulo 2^32. */
static inline u32 xtcp_ms(u64 us)
{
	return div_u64(us, 1000);
}

/* Reads and writes of the wire's byte order, any alignment. */
static inline u16 xtcp_get16(const u8 *p)
{
	return (u16)(p[0] << 8 | p[1]);
}

static inline u32 xtcp_get32(const u8 *p)
{
	return (u32)p[0] << 24 | (u32)p[1] << 16 | (u32)p[2] << 8 | p[3];
}

static inline void xtcp_put16(u8 *p, u16 v)
{
	p[0] = v >> 8;
	p[1] = v;
}

static inline void xtcp_put32(u8 *p, u32 v)
{
	xtcp_put16(p, v >> 16);
	xtcp_put16(p + 2, v);
}

#endif /* XTCP_CORE_PORT_H */

/* SPDX-License-Identifier: GPL-2.0 */
/* One kernel timer a connection, under all of the core's deadlines. */
#ifndef XTCP_TIMER_H
#define XTCP_TIMER_H

#include "xtcp.h"

void xtcp_timer_init(struct sock *sk);

/* Sees to it that the timer fires no later than the core's deadline. */
void xtcp_timer_sync(struct sock *sk);

/* Off, with its reference.  Socket lock. */
void xtcp_timer_stop(struct sock *sk);

/* proto.release_cb: what came while the user had the lock. */
void xtcp_release_cb(struct sock *sk);

/* @us microseconds in jiffies, rounded up. */
unsigned long xtcp_jiffies(u64 us);

#endif /* XTCP_TIMER_H */

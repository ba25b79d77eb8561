/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Congestion control is pluggable: an algorithm fills struct xtcp_cc and owns
 * xtcp_core's cwnd, ssthresh, cwnd_acked and cc_priv.  Units are bytes and
 * microseconds.  Called with the connection locked.
 */
#ifndef XTCP_CORE_CC_H
#define XTCP_CORE_CC_H

#include "port.h"

struct xtcp_core;

struct xtcp_cc {
	const char *name;
	/* A connection starts, mss is known. */
	void (*init)(struct xtcp_core *c);
	/* @acked new bytes were acknowledged outside recovery. */
	void (*acked)(struct xtcp_core *c, u32 acked, u64 now);
	/* Fast retransmit begins: sets ssthresh (RFC 5681, equation 4). */
	void (*loss)(struct xtcp_core *c, u64 now);
	/* Retransmission timeout; @first of a row (RFC 5681, 3.1). */
	void (*timeout)(struct xtcp_core *c, bool first, u64 now);
	/* Nothing was sent for longer than an RTO (RFC 5681, 4.1). */
	void (*idle)(struct xtcp_core *c, u64 now);
};

extern const struct xtcp_cc xtcp_cc_newreno;

/* By name; NULL if there is none. */
const struct xtcp_cc *xtcp_cc_find(const char *name);

#endif /* XTCP_CORE_CC_H */

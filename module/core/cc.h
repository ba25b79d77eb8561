/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Congestion control is pluggable: an algorithm fills struct xtcp_cc.  It owns
 * xtcp_core's cwnd_acked and cc_priv, raises cwnd and chooses ssthresh; when
 * cwnd falls, and how, is the same for all (cwnd.c).  Units are packets and
 * microseconds, as in native TCP's struct tcp_congestion_ops.  Called with the
 * connection locked.
 */
#ifndef XTCP_CORE_CC_H
#define XTCP_CORE_CC_H

#include "port.h"

struct xtcp_core;

struct xtcp_cc {
	const char *name;
	/* A connection starts: cwnd and ssthresh have their first values. */
	void (*init)(struct xtcp_core *c);
	/*
	 * @acked packets were acknowledged, cwnd is in use, and nothing tells of
	 * congestion: raise cwnd.
	 */
	void (*acked)(struct xtcp_core *c, u32 acked, u64 now);
	/*
	 * The network was congested: the ssthresh to go on with, at least 2
	 * (RFC 5681, equation 4).  Asked once for each window of data.
	 */
	u32 (*ssthresh)(struct xtcp_core *c);
};

extern const struct xtcp_cc xtcp_cc_newreno;

/* By name; NULL if there is none. */
const struct xtcp_cc *xtcp_cc_find(const char *name);

#endif /* XTCP_CORE_CC_H */

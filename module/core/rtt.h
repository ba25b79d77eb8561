/* SPDX-License-Identifier: GPL-2.0 */
/* Round-trip time and retransmission timeout (RFC 6298).  Microseconds. */
#ifndef XTCP_CORE_RTT_H
#define XTCP_CORE_RTT_H

#include "port.h"

struct xtcp_rtt {
	u32 srtt;	/* smoothed, times 8; 0 before the first sample */
	u32 rttvar;	/* variation, times 4 */
	u32 rto;	/* without back-off */
	u64 sent;	/* when the timed segment left; 0: none is timed */
	u32 seq;	/* its end: the ACK that ends the measurement */
	u32 min_rtt;	/* smallest sample, 0 before the first */
};

#endif /* XTCP_CORE_RTT_H */

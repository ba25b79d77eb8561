/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How many packets are in flight.  The congestion window is counted in packets,
 * because queues and hosts spend on each packet, however short it is; an ACK
 * tells bytes.  So where the packets end has to be remembered.
 *
 * Packets of one size that follow each other are one run; a short one at its
 * end belongs to it.  There is room for a few runs only.  When it is used up two
 * neighbours become one, of which only the largest packet's size is known: then
 * packets are taken off late, never early (pkts.c has the proof), and the count
 * is an upper bound, right again when the run is acknowledged to its end.
 *
 * Sequence numbers are in host byte order; the connection is locked.
 */
#ifndef XTCP_CORE_PKTS_H
#define XTCP_CORE_PKTS_H

#include "port.h"

#define XTCP_PKTS_RUNS	16

struct xtcp_pkts_run {
	u32 end;	/* sequence number behind its last byte */
	u32 n;		/* packets of it that are in flight, or more */
	u32 size;	/* no packet of it takes more sequence space */
};

struct xtcp_pkts {
	u32 out;	/* packets in flight: the sum of all runs */
	u32 start;	/* where the first run begins now */
	u32 runs;
	struct xtcp_pkts_run run[XTCP_PKTS_RUNS];
};

/*
 * xtcp_pkts_sent - [@seq, @end) was sent for the first time, in @n packets
 * @size: sequence space of each of them, the last of which may have less.
 * @seq is the @end of the call before, unless nothing is in flight.
 */
void xtcp_pkts_sent(struct xtcp_pkts *p, u32 seq, u32 end, u32 n, u32 size);

/*
 * xtcp_pkts_acked - everything before @una was acknowledged
 * Returns how many packets are no longer in flight by that.
 */
u32 xtcp_pkts_acked(struct xtcp_pkts *p, u32 una);

#endif /* XTCP_CORE_PKTS_H */

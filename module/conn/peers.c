// SPDX-License-Identifier: GPL-2.0
/*
 * Addresses that have been proven to be somebody's: a handshake with them was
 * completed.  Without SYN cookies they are preferred when the SYN queue is
 * nearly full.  Native TCP asks its cache of metrics; here it is a table of
 * fixed size, in which a newcomer takes the place of whoever was there.
 */
#include "conn/conn.h"

/* Which of @xn's slots, and what stands in it; 0 stands for nobody. */
static u32 *peer_slot(struct xtcp_net *xn, const struct in6_addr *addr,
		      u32 *mark)
{
	u64 h = siphash(addr, sizeof(*addr), &xn->peer_secret);

	*mark = (u32)(h >> 32) ?: 1;
	return &xn->peers[h % XTCP_NPEERS];
}

void xtcp_peer_prove(struct xtcp_net *xn, const struct in6_addr *addr)
{
	u32 mark, *slot = peer_slot(xn, addr, &mark);

	if (READ_ONCE(*slot) != mark)
		WRITE_ONCE(*slot, mark);
}

bool xtcp_peer_proven(struct xtcp_net *xn, const struct in6_addr *addr)
{
	u32 mark, *slot = peer_slot(xn, addr, &mark);

	return READ_ONCE(*slot) == mark;
}

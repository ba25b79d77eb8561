/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Payload that came before its turn, ordered by sequence number and without
 * overlap (RFC 9293, 3.10.7.4, seventh step).  The caller locks.
 */
#ifndef XTCP_CORE_REASM_H
#define XTCP_CORE_REASM_H

#include "port.h"

struct xtcp_rxd;

struct xtcp_reasm {
	struct rb_root root;
	struct xtcp_rxd *last;	/* highest, where new arrivals mostly belong */
	u32 count;		/* descriptors held */
	u32 bytes;		/* payload bytes held */
};

#endif /* XTCP_CORE_REASM_H */

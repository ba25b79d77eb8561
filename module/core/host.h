/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the core asks of the program it is part of.  The kernel module has
 * one realisation (module/conn/state.c, module/rx/recvq.c), each user-space
 * test its own.  All are called with the connection locked, in whatever
 * context the core was called, and must not call back into the core, but as
 * xtcp_host_charge() says.
 */
#ifndef XTCP_CORE_HOST_H
#define XTCP_CORE_HOST_H

#include "core.h"

/*
 * An edge was taken: @from, @ev, @to of fsm.h.  @to is 0 if the table has no
 * such edge, which is a defect that the host counts and reports.
 */
void xtcp_host_set_state(struct xtcp_core *c, u8 from, u8 ev, u8 to);

/*
 * Is there room for @d's payload?  Asked once for each @d that is wanted, when
 * the segment has passed every check and before it is delivered or waits out
 * of order: what may be a guess or a forgery costs nobody anything.  @in_order:
 * a reader could have it now; for that alone xtcp_core_prune() may be called.
 */
bool xtcp_host_charge(struct xtcp_core *c, struct xtcp_rxd *d, bool in_order);

/*
 * Payload in order: bytes [@off, @off + @len) of @d's payload, the first of
 * them being stream position rcv_nxt before this call.  @d is the host's
 * again.
 */
void xtcp_host_deliver(struct xtcp_core *c, struct xtcp_rxd *d,
		       u32 off, u32 len);

/* Nothing in @d is wanted.  @d is the host's again. */
void xtcp_host_discard(struct xtcp_core *c, struct xtcp_rxd *d);

/*
 * May one more challenge ACK be sent this second (cfg->challenge_ack_limit)?
 * A limit for all connections together, so kept by the host (RFC 5961, 10).
 */
bool xtcp_host_challenge_ok(struct xtcp_core *c);

/* Something worth a counter happened. */
void xtcp_host_count(struct xtcp_core *c, enum xtcp_mib id);

#endif /* XTCP_CORE_HOST_H */

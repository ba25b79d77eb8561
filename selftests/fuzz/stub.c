// SPDX-License-Identifier: GPL-2.0
/* The host's side of the core, for a target that has no connection. */
#include "../../module/core/host.h"

void xtcp_host_set_state(struct xtcp_core *c, u8 from, u8 ev, u8 to)
{
}

bool xtcp_host_charge(struct xtcp_core *c, struct xtcp_rxd *d, bool in_order)
{
	return true;
}

void xtcp_host_deliver(struct xtcp_core *c, struct xtcp_rxd *d, u32 off,
		       u32 len)
{
}

void xtcp_host_discard(struct xtcp_core *c, struct xtcp_rxd *d)
{
}

bool xtcp_host_challenge_ok(struct xtcp_core *c)
{
	return true;
}

void xtcp_host_count(struct xtcp_core *c, enum xtcp_mib id)
{
}

// SPDX-License-Identifier: GPL-2.0
/* Initial sequence numbers (RFC 6528), and where timestamps begin. */
#include "conn/conn.h"

u32 xtcp_isn(const struct xtcp_net *xn, const struct xtcp_key *key)
{
	u32 f = siphash(key, sizeof(*key), &xn->isn_secret);

	/* A clock of 64 ns: it goes once round in 274 s. */
	return f + (u32)(ktime_get_ns() >> 6);
}

u32 xtcp_ts_off(const struct xtcp_net *xn, const struct xtcp_key *key)
{
	if (READ_ONCE(xn->cfg.timestamps) != 1)
		return 0;
	return siphash(key, offsetofend(struct xtcp_key, raddr),
		       &xn->ts_secret);
}

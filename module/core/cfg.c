// SPDX-License-Identifier: GPL-2.0
/* The limits and times that native TCP starts with. */
#include "core.h"

void xtcp_cfg_defaults(struct xtcp_cfg *cfg)
{
	*cfg = (struct xtcp_cfg){
		.rto_init = 1000000,
		.rto_min = 200000,
		.rto_max = 120000000,
		.delack_min = 40000,
		.delack_max = 200000,
		.fin_timeout = 60000000,
		.timewait = 60000000,
		.syn_retries = 6,
		.synack_retries = 5,
		.syn_linear_timeouts = 4,
		.retries1 = 3,
		.retries2 = 15,
		.orphan_retries = 0,
		.window_scaling = 1,
		.timestamps = 1,
		.syncookies = 1,
		.max_syn_backlog = 128,
		.initial_cwnd = 10,
		.slow_start_after_idle = 1,
		.min_rtt_wlen = 300,
		.challenge_ack_limit = 0x7fffffff,
		.invalid_ratelimit = 500000,
		.keepalive_time = 7200ULL * 1000000,
		.keepalive_intvl = 75000000,
		.keepalive_probes = 9,
	};
}

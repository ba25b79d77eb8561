// SPDX-License-Identifier: GPL-2.0
/* The frame and the host that unit.h describes. */
#include "unit.h"

int unit_failed;
struct host H;

int unit_main(const struct unit_test *tests, size_t n)
{
	int bad = 0;
	size_t i;

	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("KTAP version 1\n1..%zu\n", n);
	for (i = 0; i < n; i++) {
		unit_failed = 0;
		tests[i].run();
		printf("%sok %zu %s\n", unit_failed ? "not " : "", i + 1,
		       tests[i].name);
		bad |= unit_failed;
	}
	return bad;
}

void xtcp_host_set_state(struct xtcp_core *c, u8 from, u8 ev, u8 to)
{
	H.from = from;
	H.ev = ev;
	H.to = to;
	H.edges++;
}

bool xtcp_host_charge(struct xtcp_core *c, struct xtcp_rxd *d, bool in_order)
{
	H.charged++;
	H.in_order = in_order;
	return !H.no_room;
}

void xtcp_host_deliver(struct xtcp_core *c, struct xtcp_rxd *d, u32 off,
		       u32 len)
{
	H.delivered += len;
	H.off = off;
	H.handed_over++;
	free(d);
}

void xtcp_host_discard(struct xtcp_core *c, struct xtcp_rxd *d)
{
	H.discarded++;
	free(d);
}

bool xtcp_host_challenge_ok(struct xtcp_core *c)
{
	return !H.no_challenge;
}

void xtcp_host_count(struct xtcp_core *c, enum xtcp_mib id)
{
	H.mib[id]++;
}

void host_new(void)
{
	if (H.c.cfg)
		xtcp_core_purge(&H.c);
	memset(&H, 0, sizeof(H));
	H.now = T0;
	xtcp_cfg_defaults(&H.cfg);
	H.cfg.window_scaling = false;
	H.cfg.timestamps = 0;
	xtcp_core_init(&H.c, &H.cfg);
	H.c.own_mss = MSS;
	H.c.mss = MSS;
	H.c.burst = MSS;
	H.c.rcv_buf = 60000;
	H.c.rcv_free = 60000;
	H.c.sport = 1;
	H.c.dport = 2;
	H.c.nodelay = true;
}

static void host_established(void)
{
	struct xtcp_req r = {
		.irs = IRS, .iss = ISS, .rcv_wnd = 60000, .peer_mss = MSS,
		.own_mss = MSS, .snd_wnd = 60000,
	};

	host_new();
	xtcp_core_accept(&H.c, &r, H.now);
	host_seg(IRS + 1, ISS + 1, XTCP_ACK, 0, 60000);
}

static void host_fin_wait1(void)
{
	host_established();
	xtcp_core_shutdown(&H.c, H.now);
	host_tx(true);
}

void host_in(u8 state)
{
	host_new();
	switch (state) {
	case XTCP_CLOSED:
		break;
	case XTCP_LISTEN:
		xtcp_core_listen(&H.c);
		break;
	case XTCP_SYN_SENT:
	case XTCP_SYN_RECV:
		xtcp_core_connect(&H.c, ISS, 60000, H.now);
		host_tx(true);
		if (state == XTCP_SYN_RECV)
			host_seg(IRS, 0, XTCP_SYN, 0, 60000);
		break;
	case XTCP_ESTABLISHED:
		host_established();
		break;
	case XTCP_CLOSE_WAIT:
	case XTCP_LAST_ACK:
		host_established();
		host_seg(IRS + 1, ISS + 1, XTCP_ACK | XTCP_FIN, 0, 60000);
		host_expire();
		if (state == XTCP_LAST_ACK) {
			xtcp_core_shutdown(&H.c, H.now);
			host_tx(true);
		}
		break;
	case XTCP_FIN_WAIT1:
		host_fin_wait1();
		break;
	case XTCP_FIN_WAIT2:
		host_fin_wait1();
		host_seg(IRS + 1, ISS + 2, XTCP_ACK, 0, 60000);
		break;
	case XTCP_CLOSING:
		host_fin_wait1();
		host_seg(IRS + 1, ISS + 1, XTCP_ACK | XTCP_FIN, 0, 60000);
		break;
	case XTCP_TIME_WAIT:
		host_fin_wait1();
		host_seg(IRS + 1, ISS + 2, XTCP_ACK | XTCP_FIN, 0, 60000);
		break;
	}
	EQUAL(H.c.state, state);
	host_clear();
}

void host_clear(void)
{
	H.sig = 0;
	H.sent = 0;
	H.edges = 0;
	H.from = 0;
	H.to = 0;
	H.delivered = 0;
	H.discarded = 0;
	H.charged = 0;
	memset(H.mib, 0, sizeof(H.mib));
}

void host_past_start(void)
{
	H.c.quick = 0;
	H.c.ato = H.cfg.delack_min;
	H.c.last_data = H.now;
	H.c.rcv_mss = MSS;
}

void host_tx(bool always)
{
	struct out o;

	H.sig |= H.c.sig;
	if (!always && !(H.c.sig & XTCP_SIG_TX))
		return;
	H.c.sig = 0;
	while (xtcp_core_next_tx(&H.c, H.now, &o.d)) {
		xtcp_core_hdr(&H.c, &o.d, H.now, &o.h);
		if (H.sent < ARRAY_SIZE(H.out))
			H.out[H.sent] = o;
		H.sent++;
		xtcp_core_tx_done(&H.c, &o.d, o.d.len || o.d.flags & XTCP_FIN ||
				  o.d.probe ? H.data_res : H.ack_res, H.now);
		if (H.sent > 10000)
			abort();
	}
}

enum xtcp_drop host_seg(u32 seq, u32 ack, u8 flags, u32 len, u16 wnd)
{
	struct xtcp_seg s = {
		.seq = seq, .ack = ack, .flags = flags, .len = len,
		.wnd = wnd, .sport = 2, .dport = 1, .hlen = 20,
		.opts = flags & XTCP_SYN ? XTCP_OPT_MSS : 0, .mss = MSS,
	};
	struct xtcp_rxd *d = len ? calloc(1, sizeof(*d)) : NULL;
	enum xtcp_drop why;

	H.made += !!d;
	why = xtcp_core_input(&H.c, &s, d, H.now);
	host_tx(false);
	return why;
}

void host_expire(void)
{
	u64 at = xtcp_core_deadline(&H.c);

	CHECK(at);
	H.now = max(H.now, at);
	xtcp_core_timeout(&H.c, H.now);
	host_tx(false);
}

void host_wrote(u32 len)
{
	xtcp_core_wrote(&H.c, len);
	host_tx(false);
}

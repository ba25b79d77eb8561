// SPDX-License-Identifier: GPL-2.0
#include "unit.h"

#define OFF	0xfffff000u	/* goes round within a few seconds */
#define PEER	700000u		/* the peer's clock */

static u32 ts_now(void)
{
	return (u32)(H.now / 1000) + OFF;
}

static enum xtcp_drop seg_ts(u32 seq, u32 ack, u8 flags, u32 len, u32 tsval,
			     u32 tsecr)
{
	struct xtcp_seg s = {
		.seq = seq, .ack = ack, .flags = flags, .len = len,
		.wnd = 60000, .sport = 2, .dport = 1, .hlen = 32,
		.opts = XTCP_OPT_TS | (flags & XTCP_SYN ? XTCP_OPT_MSS : 0),
		.mss = MSS, .tsval = tsval, .tsecr = tsecr,
	};
	struct xtcp_rxd *d = len ? calloc(1, sizeof(*d)) : NULL;
	enum xtcp_drop why;

	why = xtcp_core_input(&H.c, &s, d, H.now);
	host_tx(false);
	return why;
}

static void begin(void)
{
	host_new();
	H.cfg.timestamps = 1;
	H.c.ts_off = OFF;
	xtcp_core_connect(&H.c, ISS, 60000, H.now);
	host_tx(true);
}

static void established(void)
{
	begin();
	H.now += 5000;
	seg_ts(IRS, ISS + 1, XTCP_SYN | XTCP_ACK, 0, PEER, H.out[0].h.tsval);
	EQUAL(H.c.state, XTCP_ESTABLISHED);
	host_past_start();
	host_clear();
}

static void layout(void)
{
	struct xtcp_hdr h = {
		.flags = XTCP_SYN, .mss = 1460, .wscale = 7, .tsval = 0x01020304,
		.tsecr = 0x05060708,
		.opts = XTCP_OPT_MSS | XTCP_OPT_WS | XTCP_OPT_TS,
	};
	static const u8 plain[] = { 2, 4, 5, 180, 1, 1, 8, 10, 1, 2, 3, 4,
				    5, 6, 7, 8, 1, 3, 3, 7 };
	static const u8 sack[] = { 2, 4, 5, 180, 4, 2, 8, 10, 1, 2, 3, 4,
				   5, 6, 7, 8, 1, 3, 3, 7 };
	static const u8 alone[] = { 2, 4, 5, 180, 1, 1, 4, 2, 1, 3, 3, 7 };
	u8 buf[XTCP_HDR_MAX];
	struct xtcp_seg s;

	EQUAL(xtcp_hdr_write(buf, &h), 40);
	CHECK(!memcmp(buf + 20, plain, 20));
	EQUAL(xtcp_seg_parse(buf, 40, 40, &s), 0);
	EQUAL(s.tsval, 0x01020304);
	EQUAL(s.tsecr, 0x05060708);
	EQUAL(s.wscale, 7);
	h.opts |= XTCP_OPT_SACKOK;
	EQUAL(xtcp_hdr_write(buf, &h), 40);
	CHECK(!memcmp(buf + 20, sack, 20));
	EQUAL(xtcp_seg_parse(buf, 40, 40, &s), 0);
	CHECK(s.opts & XTCP_OPT_SACKOK);
	h.opts &= ~XTCP_OPT_TS;
	EQUAL(xtcp_hdr_write(buf, &h), 32);
	CHECK(!memcmp(buf + 20, alone, 12));
	h.opts = XTCP_OPT_TS;
	h.flags = XTCP_ACK;
	EQUAL(xtcp_hdr_write(buf, &h), 32);
	EQUAL(xtcp_seg_parse(buf, 32, 40, &s), 0);
	EQUAL(s.opts, XTCP_OPT_TS);
	EQUAL(s.tsval, 0x01020304);
	EQUAL(s.tsecr, 0x05060708);
	EQUAL(s.len, 8);
}

static void active(void)
{
	begin();
	EQUAL(H.out[0].h.opts, XTCP_OPT_MSS | XTCP_OPT_TS);
	EQUAL(H.out[0].h.tsval, ts_now());
	EQUAL(H.out[0].h.tsecr, 0);
	H.now += 5000;
	seg_ts(IRS, ISS + 1, XTCP_SYN | XTCP_ACK, 0, PEER, H.out[0].h.tsval);
	EQUAL(H.c.state, XTCP_ESTABLISHED);
	CHECK(H.c.ts_ok);
	EQUAL(H.c.mss, MSS - 12);
	EQUAL(H.out[1].h.opts, XTCP_OPT_TS);
	EQUAL(H.out[1].h.tsval, ts_now());
	EQUAL(H.out[1].h.tsecr, PEER);
	/* The path shrinks: options count again. */
	xtcp_core_set_mss(&H.c, 500, H.now);
	EQUAL(H.c.mss, 488);
	xtcp_core_set_mss(&H.c, 50, H.now);
	EQUAL(H.c.mss, XTCP_MSS_MIN);
	/* The other end has none. */
	begin();
	host_seg(IRS, ISS + 1, XTCP_SYN | XTCP_ACK, 0, 60000);
	CHECK(!H.c.ts_ok);
	EQUAL(H.c.mss, MSS);
	EQUAL(H.out[1].h.opts, 0);
	/* We have none. */
	host_in(XTCP_SYN_SENT);
	seg_ts(IRS, ISS + 1, XTCP_SYN | XTCP_ACK, 0, PEER, 0);
	CHECK(!H.c.ts_ok);
}

static void passive(void)
{
	struct xtcp_seg s = {
		.seq = IRS, .flags = XTCP_SYN, .wnd = 60000, .mss = MSS,
		.opts = XTCP_OPT_MSS | XTCP_OPT_TS | XTCP_OPT_SACKOK,
		.tsval = PEER,
	};
	struct xtcp_hdr h;
	struct xtcp_req r;

	host_new();
	H.cfg.timestamps = 1;
	xtcp_req_open(&r, &s, ISS, MSS, 60000, 60000, OFF, &H.cfg);
	CHECK(r.ts_ok && r.sack_ok);
	xtcp_req_synack(&r, H.now, &h);
	EQUAL(h.opts, XTCP_OPT_MSS | XTCP_OPT_TS);
	EQUAL(h.tsval, ts_now());
	EQUAL(h.tsecr, PEER);
	/* The same SYN again, an older one, and what is too old otherwise. */
	EQUAL(xtcp_req_input(&r, &s), XTCP_REQ_SYNACK);
	s.tsval = PEER - 1;
	EQUAL(xtcp_req_input(&r, &s), XTCP_REQ_ACK);
	s.seq = IRS + 1;
	s.ack = ISS + 1;
	s.flags = XTCP_ACK;
	EQUAL(xtcp_req_input(&r, &s), XTCP_REQ_ACK);
	s.flags = XTCP_RST;
	EQUAL(xtcp_req_input(&r, &s), XTCP_REQ_DROP);
	s.flags = XTCP_ACK;
	s.tsval = PEER + 9;
	EQUAL(xtcp_req_input(&r, &s), XTCP_REQ_ESTABLISH);
	xtcp_req_ack(&r, H.now, &h);
	EQUAL(h.tsecr, PEER);
	xtcp_core_accept(&H.c, &r, H.now);
	EQUAL(H.c.mss, MSS - 12);
	xtcp_core_input(&H.c, &s, NULL, H.now);
	EQUAL(H.c.state, XTCP_ESTABLISHED);
	EQUAL(H.c.ts_recent, PEER + 9);
	H.cfg.timestamps = 0;
	xtcp_req_open(&r, &s, ISS, MSS, 60000, 60000, OFF, &H.cfg);
	CHECK(!r.ts_ok);
}

static void foreign_echo(void)
{
	begin();
	H.now += 3000;
	EQUAL(seg_ts(IRS, ISS + 1, XTCP_SYN | XTCP_ACK, 0, PEER,
		     H.out[0].h.tsval - 1), XTCP_DROP_TSECR);
	CHECK(H.sig & XTCP_SIG_REPLY_RST);
	EQUAL(H.c.state, XTCP_SYN_SENT);
	H.sig = H.c.sig = 0;
	EQUAL(seg_ts(IRS, ISS + 1, XTCP_RST | XTCP_ACK, 0, PEER,
		     ts_now() + 1), XTCP_DROP_TSECR);
	CHECK(!(H.sig & XTCP_SIG_REPLY_RST));
	EQUAL(H.c.state, XTCP_SYN_SENT);
	EQUAL(seg_ts(IRS, ISS + 1, XTCP_SYN | XTCP_ACK, 0, PEER, ts_now()), 0);
	EQUAL(H.c.state, XTCP_ESTABLISHED);
}

/* RFC 7323, 4.3: a delayed ACK echoes the first of what it covers. */
static void echo(void)
{
	established();
	EQUAL(H.c.ts_recent, PEER);
	seg_ts(IRS + 1, ISS + 1, XTCP_ACK | XTCP_PSH, 100, PEER + 10, ts_now());
	EQUAL(H.sent, 0);
	EQUAL(H.c.ts_recent, PEER + 10);
	seg_ts(IRS + 101, ISS + 1, XTCP_ACK, 100, PEER + 20, ts_now());
	EQUAL(H.c.ts_recent, PEER + 10);
	host_expire();
	EQUAL(H.sent, 1);
	EQUAL(H.out[0].h.tsecr, PEER + 10);
	/* Behind a hole: not what is echoed either. */
	seg_ts(IRS + 301, ISS + 1, XTCP_ACK, 100, PEER + 30, ts_now());
	EQUAL(H.out[1].h.tsecr, PEER + 10);
	seg_ts(IRS + 201, ISS + 1, XTCP_ACK, 100, PEER + 40, ts_now());
	EQUAL(H.out[2].h.tsecr, PEER + 40);
	EQUAL(H.out[2].h.ack, IRS + 401);
	/* An older one that is accepted does not turn the clock back. */
	seg_ts(IRS + 401, ISS + 1, XTCP_ACK, 100, PEER + 39, ts_now());
	EQUAL(H.c.ts_recent, PEER + 40);
	EQUAL(H.delivered, 500);
}

static void paws(void)
{
	u32 nxt = IRS + 1;

	established();
	EQUAL(seg_ts(nxt, ISS + 1, XTCP_ACK, 10, PEER - 2, 0), XTCP_DROP_PAWS);
	EQUAL(H.delivered, 0);
	EQUAL(H.discarded, 1);
	EQUAL(H.sent, 1);
	EQUAL(H.out[0].h.ack, nxt);
	/* One tick is forgiven. */
	EQUAL(seg_ts(nxt, ISS + 1, XTCP_ACK, 10, PEER - 1, 0), 0);
	EQUAL(H.delivered, 10);
	nxt += 10;
	host_expire();
	host_clear();
	/* A pure ACK that was overtaken; not if it is older than an RTO. */
	seg_ts(nxt, ISS + 1, XTCP_ACK, 0, PEER, 0);
	EQUAL(seg_ts(nxt, ISS + 1, XTCP_ACK, 0, PEER - 100, 0), 0);
	EQUAL(H.sent, 0);
	EQUAL(seg_ts(nxt, ISS + 1, XTCP_ACK, 0, PEER - 1000, 0),
	      XTCP_DROP_PAWS);
	EQUAL(H.sent, 1);
	EQUAL(seg_ts(nxt, ISS + 1, XTCP_ACK, 0, PEER - 1000, 0),
	      XTCP_DROP_PAWS);
	EQUAL(H.sent, 1);
	/* SYN is challenged whatever its numbers. */
	H.now += 500000;
	EQUAL(seg_ts(nxt, ISS + 1, XTCP_SYN, 0, PEER - 9, 0), XTCP_DROP_PAWS);
	EQUAL(H.sent, 2);
	/* Without the option there is nothing to compare. */
	EQUAL(host_seg(nxt, ISS + 1, XTCP_ACK, 10, 60000), 0);
	nxt += 10;
	/* After 24 days neither. */
	H.now += XTCP_PAWS_LIFE;
	EQUAL(seg_ts(nxt, ISS + 1, XTCP_ACK, 10, PEER - 5000, 0), 0);
	EQUAL(H.c.ts_recent, PEER - 5000);
	nxt += 10;
	/* RST is exempt. */
	EQUAL(seg_ts(nxt, ISS + 1, XTCP_RST, 0, PEER - 9999, 0),
	      XTCP_DROP_RST);
	EQUAL(H.c.state, XTCP_CLOSED);
}

static void round_trips(void)
{
	u32 first;

	/* Which of three SYNs was answered is known. */
	begin();
	host_expire();
	host_expire();
	first = H.out[2].h.tsval;
	H.now += 30000;
	seg_ts(IRS, ISS + 1, XTCP_SYN | XTCP_ACK, 0, PEER, first);
	EQUAL(H.c.rtt.srtt >> 3, 30000);
	/* So it is with data, against Karn. */
	established();
	EQUAL(H.c.rtt.srtt >> 3, 5000);
	H.c.rtt.srtt = 0;
	host_wrote(100);
	host_expire();
	EQUAL(H.sent, 2);
	H.now += 7000;
	seg_ts(IRS + 1, ISS + 101, XTCP_ACK, 0, PEER + 9, H.out[1].h.tsval);
	EQUAL(H.c.rtt.srtt >> 3, 7000);
	/* An echo from the future measures nothing. */
	H.c.rtt.srtt = 0;
	host_clear();
	host_wrote(100);
	host_expire();
	seg_ts(IRS + 1, ISS + 201, XTCP_ACK, 0, PEER + 9, ts_now() + 1);
	EQUAL(H.c.rtt.srtt, 0);
}

static void rst_carries_it(void)
{
	struct xtcp_hdr h;

	established();
	xtcp_core_rst_hdr(&H.c, H.now, &h);
	EQUAL(h.opts, XTCP_OPT_TS);
	EQUAL(h.tsval, ts_now());
	EQUAL(h.tsecr, PEER);
}

static const struct unit_test tests[] = {
	{ "the option on the wire", layout },
	{ "active open", active },
	{ "passive open", passive },
	{ "an echo that is not ours", foreign_echo },
	{ "which TSval is echoed", echo },
	{ "PAWS", paws },
	{ "round trips by echo", round_trips },
	{ "RST carries it", rst_carries_it },
};
UNIT_MAIN(tests)

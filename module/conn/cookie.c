// SPDX-License-Identifier: GPL-2.0
/*
 * SYN cookies: a connection that is remembered by its peer alone.  All that a
 * request would have held stands in our initial sequence number, and comes
 * back in the ACK:
 *
 *	number = H0(tuple) + irs + (period << 26 | mss << 24 | M)
 *	M      = the low 24 bits of H1(tuple, irs, period, mss)
 *
 * H0 and H1 are SipHash, each with a secret of the namespace.  H0 hides how
 * the rest is made up, and irs lets the numbers of a tuple grow as its peer's
 * do.  A period is 64 s, and the previous one is still accepted: a forged ACK
 * is taken for a good one in 8 of 2^32 cases, as by native TCP.
 */
#include <net/sock_reuseport.h>
#include "conn/conn.h"
#include "core/ts.h"

#define PERIOD_SHIFT	6		/* seconds: 64 */
#define PERIOD_BITS	0x3f		/* of the period's number in a cookie */
#define PERIODS_VALID	2
#define OVERFLOW_VALID	(PERIODS_VALID << PERIOD_SHIFT)
#define MAC_BITS	0xffffff

/* What peers announce, nearly all of them; the first is everybody's. */
static const u16 cookie_mss[] = { 536, 1300, 1440, 1460 };

/* What is hashed; no padding in it. */
struct cookie_input {
	struct xtcp_key key;
	u32 irs;
	u32 period;
	u32 mss;
};

static u64 cookie_hash(const struct xtcp_net *xn,
		       const struct cookie_input *in, int which)
{
	BUILD_BUG_ON(sizeof(*in) != sizeof(in->key) + 3 * sizeof(u32));
	return siphash(in, sizeof(*in), &xn->cookie_secret[which]);
}

static u32 cookie_base(const struct xtcp_net *xn, const struct xtcp_key *key)
{
	const struct cookie_input in = { .key = *key };

	return cookie_hash(xn, &in, 0);
}

static u32 cookie_mac(const struct xtcp_net *xn, const struct xtcp_key *key,
		      u32 irs, u32 period, u32 mss)
{
	const struct cookie_input in = { *key, irs, period, mss };

	return cookie_hash(xn, &in, 1) & MAC_BITS;
}

static u32 cookie_now(void)
{
	return ktime_get_seconds() >> PERIOD_SHIFT;
}

u32 xtcp_cookie_make(const struct xtcp_net *xn, const struct xtcp_key *key,
		     u32 irs, u16 mss)
{
	u32 now = cookie_now(), i = ARRAY_SIZE(cookie_mss) - 1;

	while (i && cookie_mss[i] > mss)
		i--;
	return cookie_base(xn, key) + irs +
	       ((now & PERIOD_BITS) << 26 | i << 24 |
		cookie_mac(xn, key, irs, now, i));
}

u16 xtcp_cookie_check(const struct xtcp_net *xn, const struct xtcp_key *key,
		      u32 irs, u32 iss)
{
	u32 v = iss - cookie_base(xn, key) - irs;
	u32 now = cookie_now(), age = (now - (v >> 26)) & PERIOD_BITS;
	u32 i = v >> 24 & 3;

	if (age >= PERIODS_VALID ||
	    cookie_mac(xn, key, irs, now - age, i) != (v & MAC_BITS))
		return 0;
	return cookie_mss[i];
}

/*
 * Where timestamps are on, ours brings the other options of the SYN back: its
 * low bits, which the clock has passed already, so that no later one is older.
 */
#define TS_BITS		0x3f
#define TS_WSCALE	0x0f	/* 15: no window scale */
#define TS_SACK		0x10
#define TS_ECN		0x20	/* kept free: ECN is not there yet */

u32 xtcp_cookie_tsval(const struct xtcp_req *r, u64 now)
{
	u32 clock = xtcp_ts_val(0, now);
	u32 val = clock & ~TS_BITS;

	val |= r->ws_ok ? r->snd_wscale : TS_WSCALE;
	val |= r->sack_ok ? TS_SACK : 0;
	if ((s32)(val - clock) > 0)
		val -= TS_BITS + 1;
	return val + r->ts_off;
}

bool xtcp_cookie_options(const struct xtcp_net *xn, const struct xtcp_key *key,
			 const struct xtcp_seg *s, struct xtcp_seg *syn)
{
	u32 bits;

	if (!(s->opts & XTCP_OPT_TS))
		return true;
	if (!READ_ONCE(xn->cfg.timestamps))
		return false;
	bits = s->tsecr - xtcp_ts_off(xn, key);
	syn->opts |= XTCP_OPT_TS;
	syn->tsval = s->tsval;
	if (bits & TS_SACK)
		syn->opts |= XTCP_OPT_SACKOK;
	if ((bits & TS_WSCALE) == TS_WSCALE)
		return true;
	syn->opts |= XTCP_OPT_WS;
	syn->wscale = min_t(u8, bits & TS_WSCALE, XTCP_WSCALE_MAX);
	return READ_ONCE(xn->cfg.window_scaling);
}

/*
 * When the queue last overflowed, in seconds of the monotonic clock, 0 for
 * never: a group has one such time, as its members may change between a
 * cookie and its ACK.
 */
static unsigned int *overflow_time(const struct sock *lsk,
				   struct xtcp_listener *l)
{
	struct sock_reuseport *group = rcu_dereference(lsk->sk_reuseport_cb);

	return group ? &group->synq_overflow_ts : &l->overflow;
}

void xtcp_cookie_overflow(const struct sock *lsk, struct xtcp_listener *l)
{
	unsigned int now = ktime_get_seconds() ?: 1;
	unsigned int *at = overflow_time(lsk, l);

	if (READ_ONCE(*at) != now)
		WRITE_ONCE(*at, now);
}

bool xtcp_cookie_expected(const struct sock *lsk, struct xtcp_listener *l)
{
	unsigned int at = READ_ONCE(*overflow_time(lsk, l));

	return at && (u32)ktime_get_seconds() - at <= OVERFLOW_VALID;
}

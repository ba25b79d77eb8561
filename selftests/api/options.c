// SPDX-License-Identifier: GPL-2.0
/*
 * Every option of the levels that people use, with many values and lengths, in
 * several states, over native TCP and XTCP side by side: the same answers.
 */
#include "api.h"

FIXTURE(options) {
};

FIXTURE_SETUP(options)
{
	if (access("/sys/module/xtcp", F_OK))
		SKIP(return, "xtcp.ko is not loaded");
	ASSERT_EQ(0, xt_new_netns());
}

FIXTURE_TEARDOWN(options)
{
}

/*
 * What XTCP refuses with ENOPROTOOPT (Documentation/differences.md):
 * zero-copy, Fast Open, signatures, repair, upper layer protocols and so on.
 */
static const int refused[] = {
	14 /* MD5SIG */, 16 /* THIN_LINEAR_TIMEOUTS */, 19 /* REPAIR */,
	20 /* REPAIR_QUEUE */, 21 /* QUEUE_SEQ */, 22 /* REPAIR_OPTIONS */,
	23 /* FASTOPEN */, 24 /* TIMESTAMP */, 26 /* CC_INFO */,
	27 /* SAVE_SYN */, 28 /* SAVED_SYN */, 29 /* REPAIR_WINDOW */,
	30 /* FASTOPEN_CONNECT */, 31 /* ULP */, 32 /* MD5SIG_EXT */,
	33 /* FASTOPEN_KEY */, 34 /* FASTOPEN_NO_COOKIE */,
	35 /* ZEROCOPY_RECEIVE */, 36 /* INQ */, 37 /* TX_DELAY */,
	38, 39, 40, 41, 42 /* AO_* */, 43 /* IS_MPTCP */,
};

static bool is_refused(int opt)
{
	size_t i;

	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		if (refused[i] == opt)
			return true;
	return false;
}

/* One socket of each kind in the same state. */
struct two {
	struct xt x;
	int fd;
};

enum state { FRESH, LISTENING, CONNECTED, PEER_CLOSED, NSTATES };

static const char *const state_name[NSTATES] = {
	"fresh", "listening", "connected", "closed by the peer",
};

static int open_in(struct two *t, bool xtcp, enum state state)
{
	t->x = (struct xt){ .xtcp = xtcp, .l = -1, .c = -1, .s = -1 };
	switch (state) {
	case FRESH:
		t->fd = xt_socket(&t->x, 0);
		return t->fd;
	case LISTENING:
		if (xt_listen(&t->x, 4))
			return -1;
		t->fd = t->x.l;
		return 0;
	default:
		if (xt_pair(&t->x))
			return -1;
		t->fd = t->x.s;
		if (state == PEER_CLOSED) {
			close(t->x.c);
			if (!xt_wait(t->fd, POLLRDHUP))
				return -1;
		}
		return 0;
	}
}

/* By RST, as options may make an end deaf to the FIN of the other. */
static void close_two(struct two *t, enum state state)
{
	xt_linger(t->fd, 1, 0);
	close(t->fd);
	if (t->x.l != t->fd)
		close(t->x.l);
	if (state == CONNECTED)
		close(t->x.c);
}

struct answer {
	int ret;
	int err;
	int value;
	int len;
};

static struct answer do_set(int fd, int level, int opt, const void *v, int len)
{
	struct answer a = { 0 };

	errno = 0;
	a.ret = setsockopt(fd, level, opt, v, len);
	a.err = errno;
	return a;
}

static struct answer do_get(int fd, int level, int opt, int len)
{
	struct answer a = { .value = 0x5a5a5a5a };
	unsigned char buf[256];
	socklen_t l = len;

	memset(buf, 0x5a, sizeof(buf));
	errno = 0;
	a.ret = getsockopt(fd, level, opt, len > 256 ? NULL : buf, &l);
	a.err = errno;
	a.len = l;
	memcpy(&a.value, buf, 4);
	return a;
}

static bool same(const struct answer *a, const struct answer *b, bool value)
{
	return a->ret == b->ret && a->err == b->err && a->len == b->len &&
	       (!value || a->value == b->value);
}

static int report(const char *what, int level, int opt, enum state state,
		  long arg, const struct answer *x, const struct answer *t)
{
	printf("# %s: level %d option %d %s %ld: %d %s %d len %d, native %d %s %d len %d\n",
	       state_name[state], level, opt, what, arg, x->ret,
	       strerrorname_np(x->err), x->value, x->len, t->ret,
	       strerrorname_np(t->err), t->value, t->len);
	return 1;
}

static const int values[] = {
	0, 1, 2, 3, 4, 5, 7, 47, 48, 60, 87, 88, 119, 120, 121, 127, 128, 129,
	254, 255, 256, 1000, 1152, 4096, 32767, 32768, 65535, 65536, 100000,
	2147483, 2147484, 0x7fffffff, -1, -2, -100, -0x7fffffff - 1,
};

static const int lengths[] = { 0, 1, 3, 4, 8, 16, -1 };

/* Both kinds alike in everything about one option? */
static int compare(struct two *x, struct two *t, int level, int opt,
		   enum state state, bool by_value)
{
	const char text[16] = { 1 };
	struct answer a, b;
	int bad = 0;
	size_t i;

	for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		a = do_get(x->fd, level, opt, lengths[i]);
		b = do_get(t->fd, level, opt, lengths[i]);
		if (!same(&a, &b, by_value))
			bad += report("get, length", level, opt, state,
				      lengths[i], &a, &b);
		a = do_set(x->fd, level, opt, text, lengths[i]);
		b = do_set(t->fd, level, opt, text, lengths[i]);
		if (!same(&a, &b, false))
			bad += report("set, length", level, opt, state,
				      lengths[i], &a, &b);
	}
	a = do_set(x->fd, level, opt, NULL, 4);
	b = do_set(t->fd, level, opt, NULL, 4);
	if (!same(&a, &b, false))
		bad += report("set NULL", level, opt, state, 0, &a, &b);
	a = do_get(x->fd, level, opt, 512);
	b = do_get(t->fd, level, opt, 512);
	if (a.ret != b.ret || a.err != b.err)
		bad += report("get NULL", level, opt, state, 0, &a, &b);
	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		a = do_set(x->fd, level, opt, &values[i], 4);
		b = do_set(t->fd, level, opt, &values[i], 4);
		if (!same(&a, &b, false))
			bad += report("set", level, opt, state, values[i], &a,
				      &b);
		a = do_get(x->fd, level, opt, 4);
		b = do_get(t->fd, level, opt, 4);
		if (!same(&a, &b, by_value))
			bad += report("get after", level, opt, state,
				      values[i], &a, &b);
	}
	return bad;
}

/* Options whose value is the socket's own, or depends on the path. */
static bool own_value(int level, int opt, enum state state)
{
	if (level == IPPROTO_TCP)
		/*
		 * On lo natively half a window is a segment; and a FIN ends
		 * quick acknowledging.
		 */
		return opt == TCP_INFO ||
		       (opt == TCP_MAXSEG && state >= CONNECTED) ||
		       (opt == TCP_QUICKACK && state == PEER_CLOSED) ||
		       (opt == TCP_WINDOW_CLAMP && state >= CONNECTED);
	if (level == SOL_SOCKET)
		return opt == SO_PROTOCOL || opt == SO_COOKIE ||
		       opt == SO_MEMINFO || opt == SO_INCOMING_CPU ||
		       opt == SO_INCOMING_NAPI_ID || opt == SO_PEERSEC ||
		       opt == SO_PEERNAME ||
		       (opt == SO_SNDBUF && state >= CONNECTED);
	/* Natively the TTL of the SYN, of all things. */
	return opt == IP_MULTICAST_TTL && state >= CONNECTED;
}

/* The kernel treats protocol 6 apart; and SO_PEEK_OFF is not there yet. */
static bool of_the_kernel(int opt)
{
	return opt == SO_ZEROCOPY || opt == 73 /* SO_RESERVE_MEM */ ||
	       opt == SO_PEEK_OFF || opt == SO_TIMESTAMPING ||
	       opt == 37 || opt == 65 /* SO_TIMESTAMPING, old and new */;
}

static int compare_level(int level, int last, enum state state)
{
	struct two x, t;
	int opt, bad = 0;

	for (opt = 1; opt <= last; opt++) {
		if (level == IPPROTO_TCP &&
		    (is_refused(opt) || opt == TCP_CONGESTION))
			continue;
		if (level == SOL_SOCKET && of_the_kernel(opt))
			continue;
		if (open_in(&x, true, state) < 0 ||
		    open_in(&t, false, state) < 0)
			return 1000;
		bad += compare(&x, &t, level, opt, state,
			       !own_value(level, opt, state));
		close_two(&x, state);
		close_two(&t, state);
	}
	return bad;
}

TEST_F_TIMEOUT(options, tcp, 120 * xt_slow())
{
	enum state s;

	for (s = 0; s < NSTATES; s++)
		EXPECT_EQ(0, compare_level(IPPROTO_TCP, 47, s));
}

TEST_F_TIMEOUT(options, socket, 120 * xt_slow())
{
	enum state s;

	for (s = 0; s < NSTATES; s++)
		EXPECT_EQ(0, compare_level(SOL_SOCKET, 79, s));
}

TEST_F_TIMEOUT(options, ip, 120 * xt_slow())
{
	enum state s;

	for (s = 0; s < NSTATES; s++)
		EXPECT_EQ(0, compare_level(IPPROTO_IP, 51, s));
}

/* Names, for which native TCP would load modules. */
TEST_F(options, congestion)
{
	static const struct {
		const char *name;
		int len;
	} names[] = {
		{ "", 0 }, { "", 1 }, { NULL, 4 }, { "no-such", 7 },
		{ "a-name-longer-than-16", 21 },
	};
	struct answer a, b;
	struct two x, t;
	int bad = 0, len;
	size_t i;

	ASSERT_LE(0, open_in(&x, true, FRESH));
	ASSERT_LE(0, open_in(&t, false, FRESH));
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		a = do_set(x.fd, IPPROTO_TCP, TCP_CONGESTION, names[i].name,
			   names[i].len);
		b = do_set(t.fd, IPPROTO_TCP, TCP_CONGESTION, names[i].name,
			   names[i].len);
		if (!same(&a, &b, false))
			bad += report("set", IPPROTO_TCP, TCP_CONGESTION, FRESH,
				      i, &a, &b);
	}
	for (len = -1; len <= 32; len++) {
		a = do_get(x.fd, IPPROTO_TCP, TCP_CONGESTION, len);
		b = do_get(t.fd, IPPROTO_TCP, TCP_CONGESTION, len);
		if (!same(&a, &b, false))
			bad += report("get", IPPROTO_TCP, TCP_CONGESTION, FRESH,
				      len, &a, &b);
	}
	EXPECT_EQ(0, bad);
}

TEST_F(options, refused)
{
	struct two x;
	size_t i;

	ASSERT_LE(0, open_in(&x, true, FRESH));
	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		EXPECT_ERR(ENOPROTOOPT, xt_set(x.fd, IPPROTO_TCP, refused[i], 1));
		EXPECT_ERR(ENOPROTOOPT, xt_get(x.fd, IPPROTO_TCP, refused[i]));
	}
}

/* ---- what a connection has from its listener ---- */

static const struct {
	int level, opt, value;
} inherited[] = {
	{ SOL_SOCKET, SO_KEEPALIVE, 1 },
	{ SOL_SOCKET, SO_RCVBUF, 30000 },
	{ SOL_SOCKET, SO_SNDBUF, 40000 },
	{ SOL_SOCKET, SO_PRIORITY, 3 },
	{ SOL_SOCKET, SO_MARK, 77 },
	{ SOL_SOCKET, SO_RCVLOWAT, 5 },
	{ SOL_SOCKET, SO_REUSEADDR, 1 },
	{ SOL_SOCKET, SO_DONTROUTE, 1 },
	{ SOL_SOCKET, SO_OOBINLINE, 1 },
	{ SOL_SOCKET, SO_BUSY_POLL, 20 },
	{ SOL_SOCKET, SO_MAX_PACING_RATE, 1000000 },
	{ IPPROTO_IP, IP_TOS, 0x10 },
	{ IPPROTO_IP, IP_TTL, 33 },
	{ IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO },
	{ IPPROTO_IP, IP_RECVERR, 1 },
	{ IPPROTO_IP, IP_MINTTL, 3 },
	{ IPPROTO_IP, IP_FREEBIND, 1 },
	{ IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1 },
	{ IPPROTO_IP, IP_RECVTOS, 1 },
	{ IPPROTO_TCP, TCP_NODELAY, 1 },
	{ IPPROTO_TCP, TCP_CORK, 1 },
	{ IPPROTO_TCP, TCP_KEEPIDLE, 11 },
	{ IPPROTO_TCP, TCP_KEEPINTVL, 12 },
	{ IPPROTO_TCP, TCP_KEEPCNT, 13 },
	{ IPPROTO_TCP, TCP_SYNCNT, 4 },
	{ IPPROTO_TCP, TCP_LINGER2, 15 },
	{ IPPROTO_TCP, TCP_USER_TIMEOUT, 16000 },
	{ IPPROTO_TCP, TCP_MAXSEG, 1000 },
	{ IPPROTO_TCP, TCP_NOTSENT_LOWAT, 17000 },
	{ IPPROTO_TCP, TCP_DEFER_ACCEPT, 0 },
};

#define NINHERITED (sizeof(inherited) / sizeof(inherited[0]))

static int children(bool xtcp, int *got, struct linger *l, struct timeval *tv)
{
	struct xt x = { .xtcp = xtcp, .l = -1 };
	struct timeval t = { 7, 0 };
	socklen_t len = sizeof(*l);
	size_t i;

	if (xt_listen(&x, 4))
		return -1;
	for (i = 0; i < NINHERITED; i++)
		if (xt_set(x.l, inherited[i].level, inherited[i].opt,
			   inherited[i].value))
			return -2;
	xt_linger(x.l, 1, 19);
	setsockopt(x.l, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t));
	if (xt_pair(&x))
		return -3;
	for (i = 0; i < NINHERITED; i++)
		got[i] = xt_get(x.s, inherited[i].level, inherited[i].opt);
	getsockopt(x.s, SOL_SOCKET, SO_LINGER, l, &len);
	len = sizeof(*tv);
	getsockopt(x.s, SOL_SOCKET, SO_RCVTIMEO, tv, &len);
	return 0;
}

TEST_F(options, inherited)
{
	int x[NINHERITED], t[NINHERITED];
	struct timeval xv, tv;
	struct linger xl, tl;
	int bad = 0;
	size_t i;

	ASSERT_EQ(0, children(true, x, &xl, &xv));
	ASSERT_EQ(0, children(false, t, &tl, &tv));
	for (i = 0; i < NINHERITED; i++)
		if (x[i] != t[i])
			bad += printf("# level %d option %d: %d, native %d\n",
				      inherited[i].level, inherited[i].opt,
				      x[i], t[i]) > 0;
	EXPECT_EQ(0, bad);
	EXPECT_EQ(tl.l_onoff, xl.l_onoff);
	EXPECT_EQ(tl.l_linger, xl.l_linger);
	EXPECT_EQ(tv.tv_sec, xv.tv_sec);
}

/* ---- what an option does ---- */

/* A segment whose TTL is below IP_MINTTL is as good as lost. */
TEST_F(options, minttl)
{
	struct xt x[2] = { { .xtcp = false, .l = -1 }, { .xtcp = true, .l = -1 } };
	int i, v;

	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, xt_pair(&x[i]));
		ASSERT_EQ(0, xt_set(x[i].s, IPPROTO_IP, IP_MINTTL, 200));
		ASSERT_EQ(1, send(x[i].c, "x", 1, 0));
		v = poll(&(struct pollfd){ .fd = x[i].s, .events = POLLIN }, 1,
			 100);
		EXPECT_EQ(0, v);
		ASSERT_EQ(0, xt_set(x[i].c, IPPROTO_IP, IP_TTL, 200));
		EXPECT_TRUE(xt_wait(x[i].s, POLLIN));
	}
}

/* A writer is stopped by what is not sent, and woken when that is. */
TEST_F(options, notsent_lowat)
{
	struct xt x[2] = { { .xtcp = false, .l = -1 }, { .xtcp = true, .l = -1 } };
	static char junk[4096];
	long n[2] = { 0 };
	int i, v;

	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, xt_listen(&x[i], 4));
		ASSERT_EQ(0, xt_set(x[i].l, SOL_SOCKET, SO_RCVBUF, 4096));
		ASSERT_EQ(0, xt_pair(&x[i]));
		ASSERT_EQ(0, xt_set(x[i].c, IPPROTO_TCP, TCP_NOTSENT_LOWAT,
				    8192));
		ASSERT_EQ(0, xt_set(x[i].c, SOL_SOCKET, SO_SNDBUF, 1 << 20));
		while ((v = send(x[i].c, junk, sizeof(junk), MSG_DONTWAIT)) > 0)
			n[i] += v;
		EXPECT_EQ(0, xt_poll_now(x[i].c) & POLLOUT);
		while (recv(x[i].s, junk, sizeof(junk), 0) > 0 &&
		       !(xt_poll_now(x[i].c) & POLLOUT))
			;
		EXPECT_TRUE(xt_wait(x[i].c, POLLOUT));
	}
	EXPECT_GT(60000, n[0]);
	EXPECT_GT(60000, n[1]);
}

TEST_HARNESS_MAIN

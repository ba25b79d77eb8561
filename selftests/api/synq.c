// SPDX-License-Identifier: GPL-2.0
/*
 * The SYN queue and SYN cookies, as a peer on the wire sees them: who gets a
 * SYN-ACK, when an ACK makes a connection, what is left after the end.
 */
#include "api.h"
#include "tun.h"

XT_FIXTURE(synq);

#define IRS	1000u		/* of every peer of ours */

/* One run: the listener is x.l, the wire is tun. */
struct rig {
	struct xt *x;
	int tun;
	int proto;
	uint16_t port;
	long long syn_at;	/* when syn() was last called */
};

static struct rig rig;

static int set(const char *name, int v)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", v);
	return xt_write_file(xt_sysctl(rig.x, name), text);
}

static long counter(const char *name)
{
	return xt_counter(rig.x, name);
}

static int rig_up(struct xt *x, int backlog)
{
	rig.x = x;
	rig.proto = xt_proto(x);
	rig.tun = tun_open();
	if (rig.tun < 0)
		return -1;
	x->l = xt_socket(x, SOCK_NONBLOCK);
	x->addr = xt_addr("10.98.0.1", 7000);
	rig.port = 7000;
	if (bind(x->l, SA(&x->addr), sizeof(x->addr)))
		return -1;
	return listen(x->l, backlog);
}

static void say(uint16_t from, uint8_t flags, uint32_t seq, uint32_t ack,
		const char *data)
{
	struct tseg s = {
		.src = TUN_THEM, .dst = TUN_US, .sport = from,
		.dport = rig.port, .seq = seq, .ack = ack, .flags = flags,
		.wnd = 65535, .data = data, .len = data ? strlen(data) : 0,
		.mss = flags & TH_S ? 1400 : 0,
	};

	tun_send(rig.tun, rig.proto, &s);
}

/* The next segment to @to, others are passed over; false after @ms. */
static bool hear_within(uint16_t to, struct tseg *s, int ms)
{
	long long end = xt_now_ms() + ms;

	do {
		if (!tun_recv(rig.tun, rig.proto, s, end - xt_now_ms() > 0 ?
			      end - xt_now_ms() : 0))
			return false;
	} while (s->dport != to);
	return true;
}

static bool hear(uint16_t to, struct tseg *s)
{
	return hear_within(to, s, XT_DEADLINE_MS);
}

/*
 * Nothing is on its way to @to: the answer to a segment for a port without a
 * listener, sent after it, would have come later.  A second after its SYN a
 * SYN-ACK repeats itself; that is no answer.
 */
static bool silent(uint16_t to)
{
	uint16_t port = rig.port;
	struct tseg s;
	bool quiet = true;
	bool late;

	rig.port = 9;
	say(9999, TH_A, 1, 1, NULL);
	rig.port = port;
	while (tun_recv(rig.tun, rig.proto, &s, XT_DEADLINE_MS)) {
		late = xt_now_ms() - rig.syn_at > 900;
		if (s.dport == to && !(late && s.flags == (TH_S | TH_A)))
			quiet = false;
		if (s.dport == 9999)
			return quiet;
	}
	return false;
}

/* A SYN, and its SYN-ACK's sequence number; 0 if there is none at once. */
static uint32_t syn(uint16_t from)
{
	struct tseg s;

	rig.syn_at = xt_now_ms();
	say(from, TH_S, IRS, 0, NULL);
	if (!hear_within(from, &s, 300) || s.flags != (TH_S | TH_A))
		return 0;
	return s.ack == IRS + 1 ? s.seq : 0;
}

static bool reset_for(uint16_t to)
{
	struct tseg s;

	while (hear(to, &s))
		if (s.flags & TH_R)
			return true;
	return false;
}

static int requests(void)
{
	return counter("Requests");
}

/* What one connection can do, @from that peer, with our number @iss. */
static bool works(uint16_t from, uint32_t iss)
{
	struct tseg s;
	char b[8];
	int fd;

	fd = accept(rig.x->l, NULL, NULL);
	if (fd < 0)
		return false;
	say(from, TH_A | TH_P, IRS + 1, iss + 1, "hello");
	if (read(fd, b, sizeof(b)) != 5 || memcmp(b, "hello", 5) ||
	    write(fd, "world!", 6) != 6)
		return false;
	while (hear(from, &s))
		if (s.len == 6)
			break;
	if (s.len != 6 || s.seq != iss + 1 || memcmp(s.data, "world!", 6))
		return false;
	xt_linger(fd, 1, 0);
	close(fd);
	return true;
}

TEST_F(synq, request_becomes_a_connection)
{
	uint32_t iss;

	ASSERT_EQ(0, rig_up(&self->x, 4));
	iss = syn(2000);
	ASSERT_NE(0, iss);
	EXPECT_ERR(EAGAIN, accept(self->x.l, NULL, NULL));
	say(2000, TH_A, IRS + 1, iss + 1, NULL);
	EXPECT_TRUE(works(2000, iss));
}

TEST_F(synq, rst_frees_the_slot)
{
	uint32_t iss;
	int i;

	ASSERT_EQ(0, rig_up(&self->x, 1));
	ASSERT_EQ(0, set("syncookies", 0));
	for (i = 0; i < 20; i++) {
		iss = syn(2000 + i);
		ASSERT_NE(0, iss);
		say(2000 + i, TH_R, IRS + 1, 0, NULL);
	}
	/* Back to LISTEN: the ACK of a dead request is a stranger's. */
	say(2019, TH_A, IRS + 1, iss + 1, NULL);
	EXPECT_TRUE(reset_for(2019));
	if (self->x.xtcp)
		EXPECT_EQ(0, requests());
}

TEST_F(synq, full_without_cookies)
{
	int i, n = 0;

	ASSERT_EQ(0, rig_up(&self->x, 3));
	ASSERT_EQ(0, set("syncookies", 0));
	for (i = 0; i < 10; i++)
		n += syn(2000 + i) != 0;
	/* backlog + 1 of them; older native TCP: backlog. */
	EXPECT_LE(self->x.xtcp ? 4 : 3, n);
	EXPECT_GE(4, n);
	EXPECT_EQ(10 - n, counter("ListenDrops"));
	EXPECT_EQ(10 - n, counter("TCPReqQFullDrop"));
	EXPECT_EQ(0, counter("SyncookiesSent"));
	if (self->x.xtcp)
		EXPECT_EQ(4, requests());
}

/* Of 16, with the backlog of the listener out of the way: 12 + 1. */
TEST_F(synq, last_quarter_for_proven_peers)
{
	struct tseg s;
	uint32_t iss;
	int i, n = 0;

	ASSERT_EQ(0, rig_up(&self->x, 100));
	ASSERT_EQ(0, set("syncookies", 0));
	ASSERT_EQ(0, set("max_syn_backlog", 16));
	for (i = 0; i < 20; i++)
		n += syn(2000 + i) != 0;
	EXPECT_EQ(13, n);
	if (!self->x.xtcp)
		return;
	/* One of them answers: its address is somebody's from then on. */
	say(2000, TH_R, IRS + 1, 0, NULL);
	iss = syn(3000);
	ASSERT_NE(0, iss);
	say(3000, TH_A, IRS + 1, iss + 1, NULL);
	ASSERT_LE(0, accept(self->x.l, NULL, NULL));
	for (i = 0; i < 10; i++)
		EXPECT_NE(0, syn(4000 + i));
	/* Still nothing for an address that nobody knows. */
	s = (struct tseg){ .src = TUN_THEM + 1, .dst = TUN_US, .sport = 5000,
			   .dport = rig.port, .seq = IRS, .flags = TH_S };
	tun_send(rig.tun, rig.proto, &s);
	EXPECT_TRUE(silent(5000));
}

/* Requests enough to overflow a listener with this backlog. */
static void overflow(int backlog)
{
	int i;

	for (i = 0; i <= backlog + 1; i++)
		syn(20000 + i);
}

TEST_F(synq, cookie_becomes_a_connection)
{
	uint32_t iss;

	ASSERT_EQ(0, rig_up(&self->x, 3));
	overflow(3);
	ASSERT_LT(0, counter("SyncookiesSent"));
	iss = syn(2000);
	ASSERT_NE(0, iss);
	EXPECT_EQ(0, counter("SyncookiesRecv"));
	EXPECT_ERR(EAGAIN, accept(self->x.l, NULL, NULL));
	say(2000, TH_A, IRS + 1, iss + 1, NULL);
	EXPECT_EQ(1, counter("SyncookiesRecv"));
	EXPECT_TRUE(works(2000, iss));
	EXPECT_EQ(0, counter("SyncookiesFailed"));
}

TEST_F(synq, cookie_with_data)
{
	uint32_t iss;
	char b[8];
	int fd;

	ASSERT_EQ(0, rig_up(&self->x, 3));
	ASSERT_EQ(0, set("syncookies", 2));
	iss = syn(2000);
	ASSERT_NE(0, iss);
	EXPECT_EQ(1, counter("SyncookiesSent"));
	/* The ACK was lost; the first data has all that it had. */
	say(2000, TH_A | TH_P, IRS + 1, iss + 1, "first");
	fd = accept(self->x.l, NULL, NULL);
	ASSERT_LE(0, fd);
	EXPECT_EQ(5, read(fd, b, sizeof(b)));
	EXPECT_EQ(0, memcmp(b, "first", 5));
}

TEST_F(synq, cookie_keeps_the_segment_size)
{
	static const struct { int said, kept; } mss[] = {
		{ 400, 536 }, { 536, 536 }, { 1299, 536 }, { 1300, 1300 },
		{ 1440, 1440 }, { 1459, 1440 }, { 1460, 1460 }, { 9000, 1460 },
	};
	struct tseg s;
	size_t i;
	int fd;

	ASSERT_EQ(0, rig_up(&self->x, 30));
	ASSERT_EQ(0, set("syncookies", 2));
	for (i = 0; i < sizeof(mss) / sizeof(mss[0]); i++) {
		struct tseg y = {
			.src = TUN_THEM, .dst = TUN_US, .sport = 2000 + i,
			.dport = 7000, .seq = IRS, .flags = TH_S,
			.wnd = 65535, .mss = mss[i].said,
		};

		tun_send(rig.tun, rig.proto, &y);
		ASSERT_TRUE(hear(2000 + i, &s));
		say(2000 + i, TH_A, IRS + 1, s.seq + 1, NULL);
		fd = accept(self->x.l, NULL, NULL);
		ASSERT_LE(0, fd);
		EXPECT_EQ(mss[i].kept, xt_get(fd, IPPROTO_TCP, TCP_MAXSEG));
		close(fd);
	}
}

/* With timestamps nothing of the SYN is lost. */
TEST_F(synq, cookie_keeps_options)
{
	static const struct { int wscale; bool sackok; } row[] = {
		{ 1 + 7, true }, { 1 + 0, false }, { 1 + 14, true },
		{ 0, true }, { 0, false },
	};
	struct tcp_info info;
	socklen_t len;
	struct tseg s;
	size_t i;
	int fd;

	ASSERT_EQ(0, rig_up(&self->x, 30));
	ASSERT_EQ(0, set("syncookies", 2));
	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct tseg y = {
			.src = TUN_THEM, .dst = TUN_US, .sport = 2000 + i,
			.dport = 7000, .seq = IRS, .flags = TH_S,
			.wnd = 60000, .mss = 1460, .ts = true, .tsval = 77,
			.wscale = row[i].wscale, .sackok = row[i].sackok,
		};

		tun_send(rig.tun, rig.proto, &y);
		ASSERT_TRUE(hear(2000 + i, &s));
		EXPECT_TRUE(s.ts);
		EXPECT_EQ(77, s.tsecr);
		EXPECT_EQ(!!row[i].wscale, !!s.wscale);
		y.flags = TH_A;
		y.seq++;
		y.ack = s.seq + 1;
		y.tsval = 78;
		y.tsecr = s.tsval;
		y.mss = y.wscale = y.sackok = 0;
		tun_send(rig.tun, rig.proto, &y);
		fd = accept(self->x.l, NULL, NULL);
		ASSERT_LE(0, fd);
		len = sizeof(info);
		ASSERT_EQ(0, getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len));
		EXPECT_NE(0, info.tcpi_options & TCPI_OPT_TIMESTAMPS);
		EXPECT_EQ(row[i].wscale ? TCPI_OPT_WSCALE : 0,
			  info.tcpi_options & TCPI_OPT_WSCALE);
		if (row[i].wscale)
			EXPECT_EQ(row[i].wscale - 1, info.tcpi_snd_wscale + 0);
		EXPECT_EQ(1448, xt_get(fd, IPPROTO_TCP, TCP_MAXSEG));
		/* Both directions, the window scaled as the SYN-ACK said. */
		y.data = "up";
		y.len = 2;
		y.flags |= TH_P;
		tun_send(rig.tun, rig.proto, &y);
		ASSERT_EQ(2, write(fd, "dn", 2));
		while (hear(2000 + i, &s) && !s.len)
			;
		EXPECT_EQ(2, s.len);
		EXPECT_EQ(78, s.tsecr);
		EXPECT_LT(0, (int)(s.tsval - y.tsecr) + 1);
		xt_linger(fd, 1, 0);
		close(fd);
	}
}

/* A forged ACK, and one that is a little off, are strangers'. */
TEST_F(synq, bad_cookie)
{
	uint32_t iss;

	ASSERT_EQ(0, rig_up(&self->x, 3));
	ASSERT_EQ(0, set("syncookies", 2));
	iss = syn(2000);
	ASSERT_NE(0, iss);
	/* Not by 1 to 3: native TCP takes that for another segment size. */
	say(2000, TH_A, IRS + 1, iss + 11, NULL);
	EXPECT_TRUE(reset_for(2000));
	say(2000, TH_A, IRS + 12, iss + 1, NULL);
	EXPECT_TRUE(reset_for(2000));
	/* The same cookie, from another port. */
	say(2001, TH_A, IRS + 1, iss + 1, NULL);
	EXPECT_TRUE(reset_for(2001));
	EXPECT_EQ(3, counter("SyncookiesFailed"));
	EXPECT_EQ(0, counter("SyncookiesRecv"));
	EXPECT_ERR(EAGAIN, accept(self->x.l, NULL, NULL));
	/* The good one is still good. */
	say(2000, TH_A, IRS + 1, iss + 1, NULL);
	EXPECT_TRUE(works(2000, iss));
}

/* A good cookie is one only for who has sent cookies lately. */
TEST_F(synq, no_cookie_expected)
{
	uint32_t iss;

	ASSERT_EQ(0, rig_up(&self->x, 3));
	ASSERT_EQ(0, set("syncookies", 2));
	iss = syn(2000);
	ASSERT_NE(0, iss);
	close(self->x.l);
	self->x.l = xt_socket(&self->x, SOCK_NONBLOCK);
	ASSERT_EQ(0, bind(self->x.l, SA(&self->x.addr), sizeof(self->x.addr)));
	ASSERT_EQ(0, listen(self->x.l, 3));
	/* Native TCP takes a fresh listener's 0 for a time in the first
	 * minutes after boot, when jiffies is about to wrap.
	 */
	if (!self->x.xtcp)
		return;
	say(2000, TH_A, IRS + 1, iss + 1, NULL);
	EXPECT_TRUE(reset_for(2000));
	EXPECT_EQ(0, counter("SyncookiesRecv"));
	EXPECT_EQ(0, counter("SyncookiesFailed"));
}

/* The second ACK of a cookie finds the connection of the first. */
TEST_F(synq, cookie_once)
{
	uint32_t iss;

	ASSERT_EQ(0, rig_up(&self->x, 3));
	ASSERT_EQ(0, set("syncookies", 2));
	iss = syn(2000);
	ASSERT_NE(0, iss);
	say(2000, TH_A, IRS + 1, iss + 1, NULL);
	say(2000, TH_A, IRS + 1, iss + 1, NULL);
	EXPECT_TRUE(works(2000, iss));
	EXPECT_ERR(EAGAIN, accept(self->x.l, NULL, NULL));
}

/* With a full accept queue no cookie is sent, and none is taken. */
TEST_F(synq, cookie_and_full_accept_queue)
{
	uint32_t iss[3];
	int i;

	ASSERT_EQ(0, rig_up(&self->x, 0));
	ASSERT_EQ(0, set("syncookies", 2));
	for (i = 0; i < 2; i++) {
		iss[i] = syn(2000 + i);
		ASSERT_NE(0, iss[i]);
	}
	for (i = 0; i < 2; i++)
		say(2000 + i, TH_A, IRS + 1, iss[i] + 1, NULL);
	EXPECT_TRUE(silent(2001));
	say(2002, TH_S, IRS, 0, NULL);
	EXPECT_TRUE(silent(2002));
	EXPECT_EQ(2, counter("ListenOverflows"));
	EXPECT_TRUE(works(2000, iss[0]));
	say(2001, TH_A, IRS + 1, iss[1] + 1, NULL);
	EXPECT_TRUE(works(2001, iss[1]));
}

TEST_F(synq, accept_queue_full)
{
	struct tseg s;
	uint32_t iss[2];
	int i;

	/* Both are requests, older native TCP has room for one less. */
	ASSERT_EQ(0, rig_up(&self->x, 2));
	for (i = 0; i < 2; i++)
		ASSERT_NE(0, iss[i] = syn(2000 + i));
	ASSERT_EQ(0, listen(self->x.l, 0));
	for (i = 0; i < 2; i++)
		say(2000 + i, TH_A, IRS + 1, iss[i] + 1, NULL);
	/* The final ACK is ignored, data with it. */
	say(2001, TH_A | TH_P, IRS + 1, iss[1] + 1, "early");
	EXPECT_TRUE(silent(2001));
	/* No more SYNs. */
	say(2002, TH_S, IRS, 0, NULL);
	EXPECT_TRUE(silent(2002));
	EXPECT_EQ(3, counter("ListenOverflows"));
	EXPECT_EQ(3, counter("ListenDrops"));
	/* The SYN-ACK comes again, and with room its ACK counts. */
	ASSERT_TRUE(hear(2001, &s));
	EXPECT_EQ(TH_S | TH_A, s.flags);
	EXPECT_EQ(iss[1], s.seq);
	EXPECT_TRUE(works(2000, iss[0]));
	say(2001, TH_A, IRS + 1, iss[1] + 1, NULL);
	EXPECT_TRUE(works(2001, iss[1]));
}

TEST_F(synq, abort_on_overflow)
{
	uint32_t iss[2];
	int i;

	ASSERT_EQ(0, rig_up(&self->x, 0));
	ASSERT_EQ(0, set("abort_on_overflow", 1));
	ASSERT_EQ(0, listen(self->x.l, 2));
	for (i = 0; i < 2; i++)
		ASSERT_NE(0, iss[i] = syn(2000 + i));
	ASSERT_EQ(0, listen(self->x.l, 0));
	say(2000, TH_A, IRS + 1, iss[0] + 1, NULL);
	EXPECT_TRUE(silent(2000));
	say(2001, TH_A, IRS + 1, iss[1] + 1, NULL);
	EXPECT_TRUE(reset_for(2001));
	EXPECT_EQ(1, counter("EmbryonicRsts"));
	EXPECT_EQ(1, counter("ListenOverflows"));
	EXPECT_TRUE(works(2000, iss[0]));
	EXPECT_ERR(EAGAIN, accept(self->x.l, NULL, NULL));
}

TEST_F(synq, repeated_syn)
{
	uint16_t from = 2000;
	long skipped;
	uint32_t iss;
	bool late;
	int i;

	ASSERT_EQ(0, rig_up(&self->x, 8));
	/* Every half second one is answered: not for machines that stood
	 * still for so long.
	 */
	do {
		skipped = counter("TCPACKSkippedSynRecv");
		iss = syn(++from);
		ASSERT_NE(0, iss);
		/* Answered again, with the same number; not again and again. */
		EXPECT_EQ(iss, syn(from));
		for (i = 0; i < 5; i++)
			say(from, TH_S, IRS, 0, NULL);
		late = xt_now_ms() - rig.syn_at > 450;
	} while (late && from < 2003);
	EXPECT_TRUE(silent(from));
	EXPECT_EQ(skipped + 5, counter("TCPACKSkippedSynRecv"));
	say(from, TH_A, IRS + 1, iss + 1, NULL);
	EXPECT_TRUE(works(from, iss));
}

/* Another SYN of the same peer: what it began is not what it wants. */
TEST_F(synq, other_syn)
{
	struct tseg s;
	uint32_t iss;

	ASSERT_EQ(0, rig_up(&self->x, 4));
	iss = syn(2000);
	ASSERT_NE(0, iss);
	/* Below the window: told where we are. */
	say(2000, TH_S, IRS - 100, 0, NULL);
	do {	/* a SYN-ACK that repeats itself is no answer */
		ASSERT_TRUE(hear(2000, &s));
	} while (s.flags == (TH_S | TH_A));
	EXPECT_EQ(TH_A, s.flags);
	EXPECT_EQ(IRS + 1, s.ack);
	say(2000, TH_S, IRS + 100, 0, NULL);
	EXPECT_TRUE(reset_for(2000));
	EXPECT_EQ(1, counter("EmbryonicRsts"));
	say(2000, TH_A, IRS + 1, iss + 1, NULL);
	EXPECT_TRUE(reset_for(2000));
}

TEST_F(synq, retries)
{
	struct tseg s;
	uint32_t iss;

	ASSERT_EQ(0, rig_up(&self->x, 4));
	ASSERT_EQ(0, set("synack_retries", 1));
	iss = syn(2000);
	ASSERT_NE(0, iss);
	ASSERT_TRUE(hear(2000, &s));
	EXPECT_EQ(iss, s.seq);
	EXPECT_EQ(TH_S | TH_A, s.flags);
	/* Two seconds later it is given up. */
	EXPECT_FALSE(hear_within(2000, &s, 6000));
	say(2000, TH_A, IRS + 1, iss + 1, NULL);
	EXPECT_TRUE(reset_for(2000));
	EXPECT_LE(1, counter("TCPSynRetrans"));
}

TEST_F(synq, close_with_requests)
{
	uint32_t iss[3];
	int i;

	ASSERT_EQ(0, rig_up(&self->x, 4));
	for (i = 0; i < 3; i++)
		ASSERT_NE(0, iss[i] = syn(2000 + i));
	/* One is in the accept queue, two are not. */
	say(2000, TH_A, IRS + 1, iss[0] + 1, NULL);
	close(self->x.l);
	EXPECT_TRUE(reset_for(2000));
	say(2001, TH_A, IRS + 1, iss[1] + 1, NULL);
	EXPECT_TRUE(reset_for(2001));
	say(2002, TH_A | TH_P, IRS + 1, iss[2] + 1, "late");
	EXPECT_TRUE(reset_for(2002));
	/* Neither is left, nor handed to a successor. */
	self->x.l = xt_socket(&self->x, SOCK_NONBLOCK);
	ASSERT_EQ(0, bind(self->x.l, SA(&self->x.addr), sizeof(self->x.addr)));
	ASSERT_EQ(0, listen(self->x.l, 3));
	say(2001, TH_A, IRS + 1, iss[1] + 1, NULL);
	EXPECT_TRUE(reset_for(2001));
	EXPECT_ERR(EAGAIN, accept(self->x.l, NULL, NULL));
	if (self->x.xtcp)
		EXPECT_EQ(0, requests());
}

/* Listening ends and begins anew with requests on their way. */
TEST_F(synq, shutdown_and_listen_again)
{
	uint32_t iss;

	ASSERT_EQ(0, rig_up(&self->x, 4));
	iss = syn(2000);
	ASSERT_NE(0, iss);
	ASSERT_EQ(0, shutdown(self->x.l, SHUT_RDWR));
	ASSERT_EQ(0, listen(self->x.l, 4));
	if (self->x.xtcp)
		EXPECT_EQ(0, requests());
	iss = syn(2001);
	ASSERT_NE(0, iss);
	say(2001, TH_A, IRS + 1, iss + 1, NULL);
	EXPECT_TRUE(works(2001, iss));
}

TEST_F(synq, defer_accept_waits_for_data)
{
	uint32_t iss;
	char b[8];
	int fd;

	ASSERT_EQ(0, rig_up(&self->x, 4));
	ASSERT_EQ(0, xt_set(self->x.l, IPPROTO_TCP, TCP_DEFER_ACCEPT, 30));
	iss = syn(2000);
	ASSERT_NE(0, iss);
	say(2000, TH_A, IRS + 1, iss + 1, NULL);
	EXPECT_TRUE(silent(2000));
	EXPECT_ERR(EAGAIN, accept(self->x.l, NULL, NULL));
	EXPECT_EQ(1, counter("TCPDeferAcceptDrop"));
	say(2000, TH_A | TH_P, IRS + 1, iss + 1, "data");
	fd = accept(self->x.l, NULL, NULL);
	ASSERT_LE(0, fd);
	EXPECT_EQ(4, read(fd, b, sizeof(b)));
	/* The child does not defer. */
	EXPECT_EQ(0, xt_get(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT));
}

/* At the end of the time a SYN-ACK comes, whose bare ACK is enough. */
TEST_F(synq, defer_accept_ends)
{
	struct tseg s;
	uint32_t iss;

	ASSERT_EQ(0, rig_up(&self->x, 4));
	ASSERT_EQ(0, xt_set(self->x.l, IPPROTO_TCP, TCP_DEFER_ACCEPT, 1));
	iss = syn(2000);
	ASSERT_NE(0, iss);
	say(2000, TH_A, IRS + 1, iss + 1, NULL);
	EXPECT_TRUE(silent(2000));
	ASSERT_TRUE(hear(2000, &s));
	EXPECT_EQ(TH_S | TH_A, s.flags);
	EXPECT_ERR(EAGAIN, accept(self->x.l, NULL, NULL));
	say(2000, TH_A, IRS + 1, iss + 1, NULL);
	EXPECT_TRUE(works(2000, iss));
}

TEST_F(synq, defer_accept_fin)
{
	uint32_t iss;
	char b;
	int fd;

	ASSERT_EQ(0, rig_up(&self->x, 4));
	ASSERT_EQ(0, xt_set(self->x.l, IPPROTO_TCP, TCP_DEFER_ACCEPT, 30));
	iss = syn(2000);
	ASSERT_NE(0, iss);
	say(2000, TH_A | TH_F, IRS + 1, iss + 1, NULL);
	fd = accept(self->x.l, NULL, NULL);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, read(fd, &b, 1));
}

TEST_F(synq, defer_accept_units)
{
	static const struct { int set, get; } row[] = {
		{ 0, 0 }, { 1, 1 }, { 2, 3 }, { 3, 3 }, { 4, 7 }, { 10, 15 },
		{ 60, 63 }, { 128, 247 }, { -1, 0 }, { 0x7fffffff, 29887 },
	};
	size_t i;
	int fd = xt_socket(&self->x, 0);

	EXPECT_EQ(0, xt_get(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT));
	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		ASSERT_EQ(0, xt_set(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT,
				    row[i].set));
		EXPECT_EQ(row[i].get, xt_get(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT));
	}
}

TEST_HARNESS_MAIN

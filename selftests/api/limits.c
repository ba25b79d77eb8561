// SPDX-License-Identifier: GPL-2.0
/* What happens when there is too much: orphans, TIME_WAIT, memory. */
#include "peer.h"
#include "tun.h"
#include <linux/sock_diag.h>
#include <linux/sockios.h>
#include <sys/epoll.h>

XT_FIXTURE(limits);

/* Native TCP has some of its limits in the first namespace only. */
static int in_first_ns(const char *path, const char *text, char *was, int size)
{
	int here = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	int first = open("/proc/1/ns/net", O_RDONLY | O_CLOEXEC);
	int fd, r = -1, n;

	if (setns(first, CLONE_NEWNET))
		return -1;
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd >= 0) {
		n = was ? read(fd, was, size - 1) : 0;
		if (was && n > 0)
			was[n] = 0;
		r = pwrite(fd, text, strlen(text), 0) < 0 ? -1 : 0;
		close(fd);
	}
	if (setns(here, CLONE_NEWNET))
		r = -1;
	close(here);
	close(first);
	return r;
}

/* A gauge of native TCP in /proc/net/sockstat, or of XTCP in xtcp_snmp. */
static long gauge(const struct xt *x, const char *native, const char *ours)
{
	char line[256], *p;
	long v = -1;
	FILE *f;

	if (x->xtcp)
		return xt_counter(x, ours);
	f = fopen("/proc/net/sockstat", "r");
	while (f && fgets(line, sizeof(line), f)) {
		p = strstr(line, native);
		if (!strncmp(line, "TCP:", 4) && p)
			v = atol(p + strlen(native));
	}
	if (f)
		fclose(f);
	return v;
}

#define ORPHANS(x)	gauge(x, "orphan ", "Orphans")
#define TIMEWAITS(x)	gauge(x, "tw ", "TimeWait")

static int set_max_orphans(const struct xt *x, const char *text, char *was)
{
	const char *path = xt_sysctl(x, "max_orphans");

	return x->xtcp ? xt_write_file(path, text) :
			 in_first_ns(path, text, was, 64);
}

/* Nobody reads: what was written stays where it is. */
static int stuck_pair(struct xt *x)
{
	if (xt_pair(x) || xt_set(x->c, SOL_SOCKET, SO_SNDBUF, 8192))
		return -1;
	return xt_fill(x->c) > 0 ? 0 : -1;
}

/* Reads to the end; 0, or the errno it ends with. */
static int drain(int fd)
{
	static char junk[65536];
	ssize_t n;

	while ((n = read(fd, junk, sizeof(junk))) > 0)
		;
	return n ? errno : 0;
}

/* One more than max_orphans, and it is reset; the others live on. */
TEST_F(limits, orphans)
{
	char was[64] = "8192";
	int s[4], i, err[4];
	long aborts;

	/* Natively those of other namespaces count as well. */
	if (!XT_UNTIL(ORPHANS(&self->x) == 0))
		SKIP(return, "orphans of other tests");
	ASSERT_EQ(0, xt_listen(&self->x, 8));
	ASSERT_EQ(0, xt_set(self->x.l, SOL_SOCKET, SO_RCVBUF, 8192));
	ASSERT_EQ(0, set_max_orphans(&self->x, "3", was));
	aborts = xt_counter(&self->x, "TCPAbortOnMemory");
	EXPECT_LE(0, aborts);
	for (i = 0; i < 4; i++) {
		EXPECT_EQ(0, stuck_pair(&self->x));
		s[i] = self->x.s;
		EXPECT_EQ(0, close(self->x.c));
		EXPECT_TRUE(XT_UNTIL(ORPHANS(&self->x) >= (i < 3 ? i + 1 : 3)));
		/* Native TCP looks at the number ten times a second. */
		if (!self->x.xtcp)
			usleep(300000);
	}
	EXPECT_TRUE(XT_UNTIL(xt_counter(&self->x, "TCPAbortOnMemory") > aborts));
	for (i = 0; i < 4; i++)
		err[i] = drain(s[i]);
	set_max_orphans(&self->x, was, NULL);
	/*
	 * Native TCP's number is up to 100 ms old, and its timers may look
	 * while the fourth is counted: then it is another that is reset.
	 */
	if (!self->x.xtcp) {
		EXPECT_LE(ECONNRESET, err[0] + err[1] + err[2] + err[3]);
	} else {
		EXPECT_EQ(aborts + 1, xt_counter(&self->x, "TCPAbortOnMemory"));
		EXPECT_EQ(0, err[0] + err[1] + err[2]);
		EXPECT_EQ(ECONNRESET, err[3]);
	}
	for (i = 0; i < 4; i++)
		close(s[i]);
	EXPECT_TRUE(XT_UNTIL(ORPHANS(&self->x) == 0));
}

/* Lowered later, the limit ends those there are when their timers fire. */
TEST_F(limits, orphans_later)
{
	char was[64] = "8192";

	if (!XT_UNTIL(ORPHANS(&self->x) == 0))
		SKIP(return, "orphans of other tests");
	ASSERT_EQ(0, xt_listen(&self->x, 8));
	ASSERT_EQ(0, xt_set(self->x.l, SOL_SOCKET, SO_RCVBUF, 8192));
	ASSERT_EQ(0, stuck_pair(&self->x));
	EXPECT_EQ(0, close(self->x.c));
	EXPECT_EQ(1, ORPHANS(&self->x));
	ASSERT_EQ(0, set_max_orphans(&self->x, "0", was));
	EXPECT_TRUE(XT_UNTIL(ORPHANS(&self->x) == 0));
	set_max_orphans(&self->x, was, NULL);
	EXPECT_EQ(ECONNRESET, drain(self->x.s));
	EXPECT_EQ(1, xt_counter(&self->x, "TCPAbortOnMemory"));
}

/* Whatever a namespace's owner allows himself, the machine's limit holds. */
TEST_F(limits, orphans_of_all)
{
	const char *path = xt_sysctl(&self->x, "max_orphans");
	char was[64] = "8192";

	if (!XT_UNTIL(ORPHANS(&self->x) == 0))
		SKIP(return, "orphans of other tests");
	if (self->x.xtcp)
		ASSERT_EQ(0, set_max_orphans(&self->x, "2147483647", NULL));
	ASSERT_EQ(0, xt_listen(&self->x, 8));
	ASSERT_EQ(0, xt_set(self->x.l, SOL_SOCKET, SO_RCVBUF, 8192));
	ASSERT_EQ(0, stuck_pair(&self->x));
	ASSERT_EQ(0, in_first_ns(path, "0", was, sizeof(was)));
	EXPECT_EQ(0, close(self->x.c));
	EXPECT_TRUE(XT_UNTIL(ORPHANS(&self->x) == 0));
	EXPECT_EQ(0, in_first_ns(path, was, NULL, 0));
	EXPECT_EQ(ECONNRESET, drain(self->x.s));
	EXPECT_EQ(1, xt_counter(&self->x, "TCPAbortOnMemory"));
}

/* c is in FIN_WAIT_2, and its orphan would wait there for two minutes. */
static int waiting_pair(struct xt *x)
{
	struct tcp_info i;
	socklen_t len;

	if (xt_pair(x) || xt_set(x->c, IPPROTO_TCP, TCP_LINGER2, 120) ||
	    shutdown(x->c, SHUT_WR))
		return -1;
	return XT_UNTIL((len = sizeof(i),
			 !getsockopt(x->c, IPPROTO_TCP, TCP_INFO, &i, &len) &&
			 i.tcpi_state == TCP_FIN_WAIT2)) ? 0 : -1;
}

/*
 * An orphan that waits in FIN_WAIT_2 for longer than a mini-socket does costs
 * what every orphan costs: one too many is reset.
 */
TEST_F(limits, orphans_fin_wait2)
{
	char was[64] = "8192";
	int s[64], n = 0, i;
	long aborts;

	if (!XT_UNTIL(ORPHANS(&self->x) == 0))
		SKIP(return, "orphans of other tests");
	ASSERT_EQ(0, set_max_orphans(&self->x, "1", was));
	aborts = xt_counter(&self->x, "TCPAbortOnMemory");
	/* Native TCP looks at the number ten times a second. */
	do {
		if (!self->x.xtcp)
			usleep(30000);
		if (waiting_pair(&self->x))
			break;
		s[n] = self->x.s;
		EXPECT_EQ(0, close(self->x.c));
		n++;
	} while (n < 64 && xt_counter(&self->x, "TCPAbortOnMemory") == aborts);
	/* What a mini-socket can stand for is not counted. */
	EXPECT_EQ(0, waiting_pair(&self->x));
	EXPECT_EQ(0, xt_set(self->x.c, IPPROTO_TCP, TCP_LINGER2, 30));
	EXPECT_EQ(0, close(self->x.c));
	set_max_orphans(&self->x, was, NULL);
	EXPECT_EQ(aborts + 1, xt_counter(&self->x, "TCPAbortOnMemory"));
	EXPECT_EQ(0, xt_error(self->x.s));
	close(self->x.s);
	EXPECT_LT(1, n);
	if (self->x.xtcp)
		EXPECT_EQ(2, n);
	/* The last of them, and nobody else. */
	for (i = 0; i < n; i++) {
		EXPECT_EQ(i < n - 1 ? 0 : EPIPE, xt_error(s[i]));
		close(s[i]);
	}
	EXPECT_TRUE(XT_UNTIL(ORPHANS(&self->x) == 0));
}

#define OVERFLOWS(x)	xt_counter(x, "TCPTimeWaitOverflow")

/* More than max_tw_buckets end without TIME_WAIT. */
TEST_F(limits, timewaits)
{
	int i;

	ASSERT_EQ(0, xt_write_file(xt_sysctl(&self->x, "max_tw_buckets"),
				   "2"));
	ASSERT_EQ(0, xt_listen(&self->x, 8));
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(0, xt_pair(&self->x));
		ASSERT_EQ(0, close(self->x.c));
		ASSERT_EQ(0, drain(self->x.s));
		ASSERT_EQ(0, close(self->x.s));
		/* Of two at once native TCP may take one too many. */
		ASSERT_TRUE(XT_UNTIL(TIMEWAITS(&self->x) +
				     OVERFLOWS(&self->x) == i + 1));
	}
	EXPECT_EQ(2, OVERFLOWS(&self->x));
	EXPECT_EQ(2, TIMEWAITS(&self->x));
}

/* ---- memory ---- */

#define PAIRS		24
#define MEM_PRESSURE	400	/* pages */

/* Pages in use and whether there is pressure, from /proc/net/protocols. */
static long pages(const struct xt *x, bool *pressure)
{
	const char *want = x->xtcp ? "XTCP" : "TCP";
	char line[512], name[32], press[8];
	FILE *f = fopen("/proc/net/protocols", "r");
	long mem, v = -1;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%31s %*d %*d %ld %7s", name, &mem,
			   press) == 3 && !strcmp(name, want)) {
			v = mem;
			*pressure = !strcmp(press, "yes");
		}
	if (f)
		fclose(f);
	return v;
}

static int set_mem(const struct xt *x, const char *text, char *was)
{
	return in_first_ns(xt_sysctl(x, "mem"), text, was, 64);
}

/*
 * All memory is used up: senders wait or are told EAGAIN, receivers get what
 * they wait for all the same, and nothing is lost.
 */
static void exhaust(struct __test_metadata *_metadata, struct xt *x)
{
	int c[PAIRS], s[PAIRS], i, other;
	long sent[PAIRS], got[PAIRS] = { 0 };
	bool pressure = false, more;
	static char junk[65536];
	ssize_t n;

	for (i = 0; i < PAIRS; i++) {
		EXPECT_EQ(0, xt_pair(x));
		c[i] = x->c;
		s[i] = x->s;
		EXPECT_EQ(0, xt_set(c[i], SOL_SOCKET, SO_SNDBUF, 200000));
		sent[i] = 0;
	}
	/* Round and round, as the memory is to run out for all of them. */
	for (other = 0; other < 40; other++)
		for (i = 0; i < PAIRS; i++) {
			n = send(c[i], junk, sizeof(junk), MSG_DONTWAIT);
			if (n > 0)
				sent[i] += n;
			else if (errno != EAGAIN)
				TH_LOG("send: %s", strerror(errno));
		}
	/* Up to 256 pages of each processor are counted late. */
	EXPECT_LT(MEM_PRESSURE, pages(x, &pressure));
	EXPECT_TRUE(pressure);
	EXPECT_LE(1, xt_counter(x, "TCPMemoryPressures"));
	/* A blocking one gives up after its time. */
	for (i = 0; i < PAIRS; i++)
		xt_set_time(c[i], SO_SNDTIMEO, 50);
	n = send(c[0], junk, sizeof(junk), 0);
	if (n > 0)
		sent[0] += n;
	else
		EXPECT_EQ(EAGAIN, errno);
	/* Everything arrives, with no more memory than before. */
	more = XT_UNTIL(({
		bool done = true;

		for (i = 0; i < PAIRS; i++) {
			while ((n = recv(s[i], junk, sizeof(junk),
					 MSG_DONTWAIT)) > 0)
				got[i] += n;
			done &= got[i] == sent[i];
		}
		done;
	}));
	EXPECT_TRUE(more);
	for (i = 0; i < PAIRS; i++) {
		EXPECT_EQ(sent[i], got[i]);
		close(c[i]);
		close(s[i]);
	}
}

TEST_F(limits, memory)
{
	char was[64] = "";
	bool pressure;

	ASSERT_EQ(0, set_mem(&self->x, "200 400 600", was));
	exhaust(_metadata, &self->x);
	/* Each processor keeps up to 256 pages for the next. */
	EXPECT_TRUE(XT_UNTIL(pages(&self->x, &pressure) <= 512));
	EXPECT_EQ(0, set_mem(&self->x, was, NULL));
	/* Whoever takes memory next sees that there is enough of it. */
	EXPECT_EQ(0, xt_pair(&self->x));
	EXPECT_LT(0, xt_fill(self->x.c));
	pages(&self->x, &pressure);
	EXPECT_FALSE(pressure);
}

/* ---- segments below IP ---- */

static long wmem_alloc(int fd)
{
	uint32_t v[SK_MEMINFO_VARS] = { 0 };
	socklen_t len = sizeof(v);

	if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, v, &len))
		return -1;
	return v[SK_MEMINFO_WMEM_ALLOC];
}

/* A connection to the peer at @tun, whose last segment is *@s; -1 on error. */
static int tun_connect(const struct xt *x, int tun, struct tseg *s)
{
	struct sockaddr_in a = xt_addr("10.98.0.2", 7000);
	int c = xt_socket(x, SOCK_NONBLOCK);

	xt_set(c, SOL_SOCKET, SO_SNDBUF, 500000);
	if (connect(c, SA(&a), sizeof(a)) != -1 || errno != EINPROGRESS ||
	    !tun_recv(tun, xt_proto(x), s, 5000))
		return -1;
	*s = (struct tseg){
		.src = s->dst, .dst = s->src, .sport = s->dport,
		.dport = s->sport, .ack = s->seq + 1, .seq = 1,
		.flags = TH_S | TH_A, .wnd = 65535, .mss = 65000, .wscale = 15,
	};
	return tun_send(tun, xt_proto(x), s) ? -1 : c;
}

/*
 * The queue of the device stands still.  A peer who asks for the same data
 * again and again does not get as much of it into the queue as he likes.
 */
TEST_F(limits, stuck_queue)
{
	struct ifreq r = { .ifr_name = "tun-test", .ifr_mtu = 65535 };
	static char junk[400000];
	struct tseg s;
	int tun = tun_open(), c, i;

	ASSERT_LE(0, tun);
	c = xt_socket(&self->x, 0);
	ASSERT_EQ(0, ioctl(c, SIOCSIFMTU, &r));
	close(c);
	c = tun_connect(&self->x, tun, &s);
	ASSERT_LE(0, c);
	if (system("tc qdisc replace dev tun-test root tbf rate 8kbit burst 70000 limit 4000000000"))
		SKIP(return, "no tc, or no tbf");
	s.flags = TH_A;
	s.seq++;
	s.mss = s.wscale = 0;
	/* This opens the window, and the other three ask for the first data. */
	ASSERT_EQ(0, tun_send(tun, xt_proto(&self->x), &s));
	ASSERT_TRUE(XT_UNTIL(send(c, junk, sizeof(junk), 0) > 0));
	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, tun_send(tun, xt_proto(&self->x), &s));
	for (i = 0; i < 200; i++) {
		s.ack++;
		ASSERT_EQ(0, tun_send(tun, xt_proto(&self->x), &s));
	}
	EXPECT_LT(0, wmem_alloc(c));
	EXPECT_GT(5 << 20, wmem_alloc(c));
}

/* Connections that nobody reads: their queues have all memory there is. */
static void hoard(struct xt *x, int *c, int *s)
{
	static char junk[65536];
	int i, n;

	for (i = 0; i < PAIRS && !xt_pair(x); i++) {
		c[i] = x->c;
		s[i] = x->s;
		xt_set(c[i], SOL_SOCKET, SO_SNDBUF, 200000);
	}
	for (n = 0; n < 40; n++)
		for (i = 0; i < PAIRS; i++)
			send(c[i], junk, sizeof(junk), MSG_DONTWAIT);
}

/*
 * Others have used up all memory and do not give it back.  A reader with an
 * empty queue gets the next piece all the same: nothing else would ever move.
 */
TEST_F(limits, memory_of_others)
{
	int c[PAIRS], s[PAIRS], fd, i;
	char was[64] = "", b[2000];
	struct peer p;

	ASSERT_EQ(0, peer_open(&p, &self->x));
	fd = peer_connect(&p, &self->x);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, set_mem(&self->x, "200 400 600", was));
	hoard(&self->x, c, s);
	EXPECT_EQ(0, set_mem(&self->x, "1 1 1", NULL));
	for (i = 0; i < 4; i++) {
		EXPECT_TRUE(peer_send(&p, PEER_ACK | PEER_PSH, 1400));
		/* Sent once: it is there, or it is not. */
		EXPECT_TRUE(xt_wait(fd, POLLIN));
		EXPECT_EQ(1400, recv(fd, b, sizeof(b), MSG_DONTWAIT));
	}
	EXPECT_EQ(0, set_mem(&self->x, was, NULL));
	for (i = 0; i < PAIRS; i++) {
		close(c[i]);
		close(s[i]);
	}
	/* The peer answers no FIN: no orphan is to be left. */
	EXPECT_EQ(0, xt_linger(fd, 1, 0));
	close(fd);
}

/* ---- writers without memory ---- */

/* send(100) and what comes back, with a limit on how long each may take. */
static int exchange(int c, int s)
{
	char b[100] = { 0 };

	xt_set_time(c, SO_SNDTIMEO, 3000);
	xt_set_time(s, SO_SNDTIMEO, 3000);
	xt_set_time(s, SO_RCVTIMEO, 3000);
	xt_set_time(c, SO_RCVTIMEO, 3000);
	return send(c, b, 100, 0) == 100 &&
	       recv(s, b, 100, MSG_WAITALL) == 100 &&
	       send(s, b, 100, 0) == 100 &&
	       recv(c, b, 100, MSG_WAITALL) == 100;
}

/*
 * One thread writes as much as an edge-triggered epoll tells it to, until @want
 * bytes are through; returns how often it was told of room and refused.
 */
static int write_by_edge(int c, int s, int want, int et)
{
	struct epoll_event e = { .events = EPOLLOUT | et };
	int ep = epoll_create1(0), refused = 0, out = 0, in = 0, told = 0;
	static char b[65536];
	ssize_t n;

	xt_nonblock(c, true);
	xt_nonblock(s, true);
	epoll_ctl(ep, EPOLL_CTL_ADD, c, &e);
	while (in < want) {
		if (out < want) {
			told = epoll_wait(ep, &e, 1, 0) == 1;
			n = told ? send(c, b, want - out, 0) : 0;
			if (told && n < 0)
				refused++;
			/* An edge: until it is refused. */
			while (n > 0) {
				out += n;
				if (out == want || !et)
					break;
				n = send(c, b, want - out, 0);
			}
		}
		if (!told || out == want) {
			struct pollfd p[2] = { { s, POLLIN }, { ep, POLLIN } };

			if (poll(p, out < want ? 2 : 1, 3000) < 1) {
				refused = -1;
				break;
			}
		}
		while ((n = recv(s, b, sizeof(b), 0)) > 0)
			in += n;
	}
	close(ep);
	xt_nonblock(c, false);
	xt_nonblock(s, false);
	return refused;
}

static void fresh_pairs(struct __test_metadata *_metadata, struct xt *x)
{
	struct pollfd p = { .events = POLLOUT };
	int i, n, big;

	for (i = 0; i < 20; i++) {
		/* connect() ends in room to write, so does accept(). */
		p.fd = xt_socket(x, SOCK_NONBLOCK);
		if (connect(p.fd, SA(&x->addr), sizeof(x->addr)))
			EXPECT_EQ(EINPROGRESS, errno);
		EXPECT_EQ(1, poll(&p, 1, 3000));
		EXPECT_EQ(POLLOUT, p.revents);
		xt_nonblock(p.fd, false);
		x->s = accept(x->l, NULL, NULL);
		EXPECT_EQ(POLLOUT, xt_poll_now(x->s));
		EXPECT_TRUE(exchange(p.fd, x->s));
		EXPECT_TRUE(exchange(x->s, p.fd));
		big = i % 2 ? 200000 : 0;
		if (big) {
			xt_set(p.fd, SOL_SOCKET, SO_SNDBUF, big);
			xt_set(x->s, SOL_SOCKET, SO_SNDBUF, big);
		}
		if (i < 6) {
			n = write_by_edge(p.fd, x->s, 20000, i < 4 ? EPOLLET : 0);
			EXPECT_LE(0, n);
			/* Once for each halving of what is queued. */
			if (x->xtcp || i < 4)
				EXPECT_GE(40, n);
		}
		close(p.fd);
		close(x->s);
	}
}

/* Others have used up all memory: each empty queue still takes a piece. */
TEST_F(limits, writers_without_memory)
{
	int c[PAIRS], s[PAIRS], i;
	char was[64] = "";

	ASSERT_EQ(0, xt_listen(&self->x, 16));
	ASSERT_EQ(0, set_mem(&self->x, "200 400 600", was));
	hoard(&self->x, c, s);
	EXPECT_EQ(0, set_mem(&self->x, "1 1 1", NULL));
	fresh_pairs(_metadata, &self->x);
	EXPECT_EQ(0, set_mem(&self->x, was, NULL));
	for (i = 0; i < PAIRS; i++) {
		close(c[i]);
		close(s[i]);
	}
}

/* There is none from the start. */
TEST_F(limits, writers_no_memory_at_all)
{
	char was[64] = "";

	ASSERT_EQ(0, xt_listen(&self->x, 16));
	ASSERT_EQ(0, set_mem(&self->x, "1 1 1", was));
	fresh_pairs(_metadata, &self->x);
	EXPECT_EQ(0, set_mem(&self->x, was, NULL));
}


/* All memory is others', until let_go(). */
struct hoard {
	int c[PAIRS], s[PAIRS];
	char was[64];
};

static int take_all(struct xt *x, struct hoard *h)
{
	memset(h->c, -1, sizeof(h->c));
	memset(h->s, -1, sizeof(h->s));
	if (set_mem(x, "200 400 600", h->was))
		return -1;
	hoard(x, h->c, h->s);
	return set_mem(x, "1 1 1", NULL);
}

static void let_go(struct xt *x, struct hoard *h)
{
	int i;

	set_mem(x, h->was, NULL);
	for (i = 0; i < PAIRS; i++) {
		close(h->c[i]);
		close(h->s[i]);
	}
}

static int edge(int fd)
{
	struct epoll_event e = { .events = EPOLLIN | EPOLLET };
	int ep = epoll_create1(EPOLL_CLOEXEC);

	return ep < 0 || epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e) ? -1 : ep;
}

static uint32_t edge_came(int ep, int ms)
{
	struct epoll_event e;

	return epoll_wait(ep, &e, 1, ms) == 1 ? e.events : 0;
}

static int lowat(int fd, int n)
{
	return xt_set(fd, SOL_SOCKET, SO_RCVLOWAT, n);
}

/* A reader who waits for more than memory allows takes what there is. */
TEST_F(limits, memory_lowat)
{
	struct hoard h;
	struct peer p;
	char b[4000];
	int fd, ep;

	ASSERT_EQ(0, peer_open(&p, &self->x));
	fd = peer_connect(&p, &self->x);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, lowat(fd, 20000));
	ep = edge(fd);
	ASSERT_LE(0, ep);
	ASSERT_EQ(0, take_all(&self->x, &h));
	EXPECT_TRUE(peer_send(&p, PEER_ACK | PEER_PSH, 1400));
	EXPECT_EQ(EPOLLIN, edge_came(ep, XT_DEADLINE_MS));
	EXPECT_TRUE(xt_wait(fd, POLLIN));
	EXPECT_EQ(1400, recv(fd, b, sizeof(b), MSG_DONTWAIT | MSG_PEEK));
	EXPECT_EQ(1400, recv(fd, b, sizeof(b), MSG_DONTWAIT));
	EXPECT_EQ(0, edge_came(ep, 0));
	let_go(&self->x, &h);
	EXPECT_EQ(0, xt_linger(fd, 1, 0));
	close(fd);
}

/* What came before waits for more, and that finds no memory. */
TEST_F(limits, memory_lowat_later)
{
	struct hoard h;
	struct peer p;
	char b[4000];
	int fd, ep;

	ASSERT_EQ(0, peer_open(&p, &self->x));
	fd = peer_connect(&p, &self->x);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, lowat(fd, 20000));
	ep = edge(fd);
	ASSERT_LE(0, ep);
	EXPECT_TRUE(peer_send(&p, PEER_ACK | PEER_PSH, 1400));
	EXPECT_EQ(0, edge_came(ep, 50));
	ASSERT_EQ(0, take_all(&self->x, &h));
	EXPECT_TRUE(peer_send(&p, PEER_ACK | PEER_PSH, 1400));
	EXPECT_EQ(EPOLLIN, edge_came(ep, XT_DEADLINE_MS));
	EXPECT_LE(1400, recv(fd, b, sizeof(b), MSG_DONTWAIT));
	let_go(&self->x, &h);
	EXPECT_EQ(0, xt_linger(fd, 1, 0));
	close(fd);
}

/* MSG_WAITALL gets its bytes piece by piece; a blocking read gets the piece. */
TEST_F(limits, memory_waitall)
{
	struct hoard h;
	struct peer p;
	char b[4000];
	int fd, i, st;
	pid_t pid;

	ASSERT_EQ(0, peer_open(&p, &self->x));
	fd = peer_connect(&p, &self->x);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, take_all(&self->x, &h));
	pid = fork();
	if (!pid)
		_exit(recv(fd, b, 4000, MSG_WAITALL) != 4000 ||
		      recv(fd, b, 4000, 0) != 1000);
	for (i = 0; i < 5; i++) {
		EXPECT_TRUE(peer_send(&p, PEER_ACK | PEER_PSH, 1000));
		/* Taken, and room made for the next one. */
		EXPECT_TRUE(XT_UNTIL((peer_hear(&p, 1), p.ack == p.snd) &&
				     !ioctl(fd, FIONREAD, &st) && !st));
	}
	EXPECT_EQ(pid, waitpid(pid, &st, 0));
	EXPECT_EQ(0, st);
	let_go(&self->x, &h);
	EXPECT_EQ(0, xt_linger(fd, 1, 0));
	close(fd);
}

/* A listener without memory still gets its connections. */
TEST_F(limits, memory_accept)
{
	struct pollfd w = { .events = POLLIN };
	struct hoard h;
	int ep, i;

	ASSERT_EQ(0, xt_listen(&self->x, 64));
	ep = edge(self->x.l);
	ASSERT_LE(0, ep);
	ASSERT_EQ(0, take_all(&self->x, &h));
	edge_came(ep, 0);
	w.fd = self->x.l;
	for (i = 0; i < 3; i++) {
		self->x.c = xt_dial(&self->x);
		EXPECT_LE(0, self->x.c);
		EXPECT_EQ(EPOLLIN, edge_came(ep, XT_DEADLINE_MS));
		EXPECT_EQ(1, poll(&w, 1, 0));
		self->x.s = accept(self->x.l, NULL, NULL);
		EXPECT_LE(0, self->x.s);
		close(self->x.c);
		close(self->x.s);
	}
	let_go(&self->x, &h);
}

/*
 * A buffer made small after its window was told: whatever is under way then,
 * all of it comes, without long pauses.  Native TCP of 6.1 pauses itself.
 */
TEST_F(limits, buffer_made_small)
{
	static const int size[] = { 1, 4608, 10000 };
	struct ifreq r = { .ifr_name = "lo", .ifr_mtu = 1500 };
	static char junk[100000];
	long long t;
	size_t i;

	ASSERT_EQ(0, xt_listen(&self->x, 4));
	ASSERT_EQ(0, ioctl(self->x.l, SIOCSIFMTU, &r));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, xt_pair(&self->x));
		ASSERT_EQ(0, xt_set(self->x.s, SOL_SOCKET, SO_RCVBUF, size[i]));
		t = xt_now_ms();
		if (!fork())
			_exit(xt_write_all(self->x.c, junk, 60000) != 60000);
		EXPECT_EQ(60000, xt_read_all(self->x.s, junk, 60000));
		if (self->x.xtcp)
			EXPECT_GT(2000, xt_now_ms() - t);
		wait(NULL);
		close(self->x.c);
		close(self->x.s);
	}
}

/* Writes @len bytes while the other end reads; the most that lay in the queue. */
static int most_queued(int c, int s, int len)
{
	static char b[300000];
	struct pollfd p[2] = { { c, POLLOUT }, { s, POLLIN } };
	int out = 0, in = 0, most = 0, q;
	ssize_t n;

	xt_nonblock(c, true);
	xt_nonblock(s, true);
	while (in < len && poll(p + (out == len), 2 - (out == len),
				XT_DEADLINE_MS) > 0) {
		q = len - out < (int)sizeof(b) ? len - out : (int)sizeof(b);
		n = q ? send(c, b, q, 0) : 0;
		if (n > 0)
			out += n;
		if (ioctl(c, SIOCOUTQ, &q))
			return -1;
		if (q > most)
			most = q;
		while ((n = recv(s, b, sizeof(b), 0)) > 0)
			in += n;
	}
	return in == len ? most : -1;
}

/*
 * Over a path with a delay, cwnd and window open wide: a small SO_SNDBUF is what
 * keeps the queue short.  64 KiB more may be in it, what one buffer holds.
 */
TEST_F(limits, small_send_buffer)
{
	struct ifreq r = { .ifr_name = "lo", .ifr_mtu = 1500 };
	int most, size = 4608;

	ASSERT_EQ(0, xt_pair(&self->x));
	ASSERT_EQ(0, ioctl(self->x.l, SIOCSIFMTU, &r));
	if (system("tc qdisc add dev lo root netem delay 3ms limit 10000 2>/dev/null"))
		SKIP(return, "no netem");
	ASSERT_LT(0, most_queued(self->x.c, self->x.s, 2000000));
	ASSERT_EQ(0, xt_set(self->x.c, SOL_SOCKET, SO_SNDBUF, size / 2));
	most = most_queued(self->x.c, self->x.s, 2000000);
	TH_LOG("at most %d bytes queued", most);
	EXPECT_LT(0, most);
	EXPECT_GE(size + 65536 + 10000, most);
}

/*
 * Two connections are written to byte by byte in turn: neighbouring bytes of one
 * lie in different places of the task's page, so that buffers are full of pieces
 * before they are full of bytes.  The limit holds all the same.
 */
TEST_F(limits, small_pieces)
{
	int fd[2], i, n = 0, full = 0;

	self->x.l = xt_listen(&self->x, 16) ? -1 : self->x.l;
	ASSERT_LE(0, self->x.l);
	ASSERT_EQ(0, xt_set(self->x.l, SOL_SOCKET, SO_RCVBUF, 2304));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, xt_pair(&self->x));
		fd[i] = self->x.c;
		xt_nonblock(fd[i], true);
		ASSERT_EQ(0, xt_set(fd[i], SOL_SOCKET, SO_SNDBUF, 16384));
	}
	/* Nobody reads.  In the end both writers are told so. */
	for (full = 0; full < 2 && n < 200000; n++)
		full = send(fd[n & 1], "x", 1, 0) == 1 ? 0 : full + 1;
	TH_LOG("%d writes", n);
	EXPECT_EQ(2, full);
}

TEST_HARNESS_MAIN

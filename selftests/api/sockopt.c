// SPDX-License-Identifier: GPL-2.0
/* setsockopt(2), getsockopt(2), ioctl(2) and fcntl(2). */
#include "api.h"
#include <linux/sockios.h>

XT_FIXTURE(sockopt);

TEST_F(sockopt, buffer_sizes_are_doubled)
{
	int fd = xt_socket(&self->x, 0);

	ASSERT_EQ(0, xt_set(fd, SOL_SOCKET, SO_RCVBUF, 20000));
	EXPECT_EQ(40000, xt_get(fd, SOL_SOCKET, SO_RCVBUF));
	ASSERT_EQ(0, xt_set(fd, SOL_SOCKET, SO_SNDBUF, 30000));
	EXPECT_EQ(60000, xt_get(fd, SOL_SOCKET, SO_SNDBUF));
	/* Too small is raised, too large is cut, neither is an error. */
	ASSERT_EQ(0, xt_set(fd, SOL_SOCKET, SO_RCVBUF, 0));
	EXPECT_LT(2000, xt_get(fd, SOL_SOCKET, SO_RCVBUF));
	ASSERT_EQ(0, xt_set(fd, SOL_SOCKET, SO_SNDBUF, 0));
	EXPECT_LT(4000, xt_get(fd, SOL_SOCKET, SO_SNDBUF));
	ASSERT_EQ(0, xt_set(fd, SOL_SOCKET, SO_RCVBUF, 1 << 29));
	EXPECT_GT(1 << 29, xt_get(fd, SOL_SOCKET, SO_RCVBUF));
}

TEST_F(sockopt, buffer_defaults)
{
	int fd = xt_socket(&self->x, 0);

	/* TCP's own: 16 KiB to send, 128 KiB to receive. */
	EXPECT_LE(16384, xt_get(fd, SOL_SOCKET, SO_SNDBUF));
	EXPECT_LE(65536, xt_get(fd, SOL_SOCKET, SO_RCVBUF));
}

TEST_F(sockopt, buffer_sizes_hold)
{
	/* Small buffers must bound what is taken, whatever they are called. */
	ASSERT_EQ(0, xt_listen(&self->x, 4));
	ASSERT_EQ(0, xt_set(self->x.l, SOL_SOCKET, SO_RCVBUF, 16384));
	ASSERT_EQ(0, xt_pair(&self->x));
	ASSERT_EQ(0, xt_set(self->x.c, SOL_SOCKET, SO_SNDBUF, 16384));
	EXPECT_GT(400000, xt_fill(self->x.c));
}

TEST_F(sockopt, booleans)
{
	int fd = xt_socket(&self->x, 0);

	EXPECT_EQ(0, xt_get(fd, SOL_SOCKET, SO_REUSEADDR));
	ASSERT_EQ(0, xt_set(fd, SOL_SOCKET, SO_REUSEADDR, 1));
	EXPECT_EQ(1, xt_get(fd, SOL_SOCKET, SO_REUSEADDR));
	ASSERT_EQ(0, xt_set(fd, SOL_SOCKET, SO_REUSEADDR, 0));
	EXPECT_EQ(0, xt_get(fd, SOL_SOCKET, SO_REUSEADDR));
	EXPECT_EQ(0, xt_get(fd, IPPROTO_TCP, TCP_NODELAY));
	ASSERT_EQ(0, xt_set(fd, IPPROTO_TCP, TCP_NODELAY, 7));
	EXPECT_EQ(1, xt_get(fd, IPPROTO_TCP, TCP_NODELAY));
	ASSERT_EQ(0, xt_set(fd, IPPROTO_TCP, TCP_NODELAY, 0));
	EXPECT_EQ(0, xt_get(fd, IPPROTO_TCP, TCP_NODELAY));
}

TEST_F(sockopt, read_only)
{
	int fd = xt_socket(&self->x, 0);

	EXPECT_ERR(ENOPROTOOPT, xt_set(fd, SOL_SOCKET, SO_TYPE, 1));
	EXPECT_ERR(ENOPROTOOPT, xt_set(fd, SOL_SOCKET, SO_ERROR, 0));
	EXPECT_ERR(ENOPROTOOPT, xt_set(fd, SOL_SOCKET, SO_PROTOCOL, 6));
	EXPECT_ERR(ENOPROTOOPT, xt_set(fd, SOL_SOCKET, SO_DOMAIN, 2));
	EXPECT_ERR(ENOPROTOOPT, xt_set(fd, SOL_SOCKET, SO_ACCEPTCONN, 1));
}

TEST_F(sockopt, linger)
{
	int fd = xt_socket(&self->x, 0);
	struct linger l;
	socklen_t len = sizeof(l);

	ASSERT_EQ(0, getsockopt(fd, SOL_SOCKET, SO_LINGER, &l, &len));
	EXPECT_EQ(0, l.l_onoff);
	ASSERT_EQ(0, xt_linger(fd, 1, 30));
	ASSERT_EQ(0, getsockopt(fd, SOL_SOCKET, SO_LINGER, &l, &len));
	EXPECT_EQ(sizeof(l), len);
	EXPECT_EQ(1, l.l_onoff);
	EXPECT_EQ(30, l.l_linger);
}

TEST_F(sockopt, timeouts_are_kept)
{
	int fd = xt_socket(&self->x, 0);
	struct timeval tv;
	socklen_t len = sizeof(tv);

	ASSERT_EQ(0, getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, &len));
	EXPECT_EQ(0, tv.tv_sec);
	EXPECT_EQ(0, tv.tv_usec);
	ASSERT_EQ(0, xt_set_time(fd, SO_RCVTIMEO, 2500));
	ASSERT_EQ(0, getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, &len));
	EXPECT_EQ(2, tv.tv_sec);
	EXPECT_EQ(500000, tv.tv_usec);
	tv.tv_usec = 2000000;
	EXPECT_ERR(EDOM, setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, len));
}

/* On which processor the last segment came is told once there was one. */
TEST_F(sockopt, incoming_cpu)
{
	char b;

	ASSERT_EQ(0, xt_pin(0));
	ASSERT_EQ(0, xt_pair(&self->x));
	ASSERT_EQ(0, xt_set(self->x.s, SOL_SOCKET, SO_INCOMING_CPU, 7));
	ASSERT_EQ(1, write(self->x.c, "x", 1));
	ASSERT_EQ(1, read(self->x.s, &b, 1));
	EXPECT_EQ(0, xt_get(self->x.s, SOL_SOCKET, SO_INCOMING_CPU));
}

TEST_F(sockopt, receive_timeout)
{
	long long t;
	char b;

	ASSERT_EQ(0, xt_pair(&self->x));
	ASSERT_EQ(0, xt_set_time(self->x.s, SO_RCVTIMEO, 100));
	t = xt_now_ms();
	EXPECT_ERR(EAGAIN, read(self->x.s, &b, 1));
	EXPECT_LE(100 - XT_TICKS, xt_now_ms() - t);
	/* Data that is there is not waited for. */
	ASSERT_EQ(1, write(self->x.c, "x", 1));
	EXPECT_EQ(1, read(self->x.s, &b, 1));
}

TEST_F(sockopt, send_timeout)
{
	static char junk[1 << 20];
	long long t;

	ASSERT_EQ(0, xt_pair(&self->x));
	ASSERT_LT(0, xt_fill(self->x.c));
	ASSERT_EQ(0, xt_set_time(self->x.c, SO_SNDTIMEO, 100));
	t = xt_now_ms();
	EXPECT_ERR(EAGAIN, send(self->x.c, junk, sizeof(junk), 0));
	EXPECT_LE(100 - XT_TICKS, xt_now_ms() - t);
}

TEST_F(sockopt, send_timeout_reports_the_part)
{
	static char junk[1 << 20];
	long n;

	ASSERT_EQ(0, xt_listen(&self->x, 4));
	ASSERT_EQ(0, xt_set(self->x.l, SOL_SOCKET, SO_RCVBUF, 30000));
	ASSERT_EQ(0, xt_pair(&self->x));
	ASSERT_EQ(0, xt_set(self->x.c, SOL_SOCKET, SO_SNDBUF, 30000));
	ASSERT_EQ(0, xt_set_time(self->x.c, SO_SNDTIMEO, 100));
	n = send(self->x.c, junk, sizeof(junk), 0);
	EXPECT_LT(0, n);
	EXPECT_GT(sizeof(junk), n);
}

TEST_F(sockopt, error_is_cleared)
{
	ASSERT_EQ(0, xt_pair(&self->x));
	EXPECT_EQ(0, xt_error(self->x.s));
	ASSERT_EQ(0, xt_linger(self->x.c, 1, 0));
	ASSERT_EQ(0, close(self->x.c));
	ASSERT_TRUE(xt_wait(self->x.s, POLLERR));
	EXPECT_EQ(ECONNRESET, xt_error(self->x.s));
	EXPECT_EQ(0, xt_error(self->x.s));
}

TEST_F(sockopt, maxseg)
{
	int fd = xt_socket(&self->x, 0);

	EXPECT_EQ(536, xt_get(fd, IPPROTO_TCP, TCP_MAXSEG));
	ASSERT_EQ(0, xt_set(fd, IPPROTO_TCP, TCP_MAXSEG, 1000));
	EXPECT_EQ(1000, xt_get(fd, IPPROTO_TCP, TCP_MAXSEG));
	EXPECT_ERR(EINVAL, xt_set(fd, IPPROTO_TCP, TCP_MAXSEG, 40));
	EXPECT_ERR(EINVAL, xt_set(fd, IPPROTO_TCP, TCP_MAXSEG, 100000));
	EXPECT_EQ(1000, xt_get(fd, IPPROTO_TCP, TCP_MAXSEG));
}

TEST_F(sockopt, maxseg_is_announced)
{
	int mss;

	ASSERT_EQ(0, xt_listen(&self->x, 4));
	self->x.c = xt_socket(&self->x, 0);
	ASSERT_EQ(0, xt_set(self->x.c, IPPROTO_TCP, TCP_MAXSEG, 1000));
	ASSERT_EQ(0, connect(self->x.c, SA(&self->x.addr),
			     sizeof(self->x.addr)));
	self->x.s = accept(self->x.l, NULL, NULL);
	ASSERT_LE(0, self->x.s);
	/* Options in each segment may take something off it. */
	mss = xt_get(self->x.s, IPPROTO_TCP, TCP_MAXSEG);
	EXPECT_GE(1000, mss);
	EXPECT_LE(960, mss);
	mss = xt_get(self->x.c, IPPROTO_TCP, TCP_MAXSEG);
	EXPECT_GE(1000, mss);
	EXPECT_LE(960, mss);
}

TEST_F(sockopt, ip_level)
{
	int fd = xt_socket(&self->x, 0);

	ASSERT_EQ(0, xt_set(fd, IPPROTO_IP, IP_TOS, 0x10));
	EXPECT_EQ(0x10, xt_get(fd, IPPROTO_IP, IP_TOS));
	ASSERT_EQ(0, xt_set(fd, IPPROTO_IP, IP_TTL, 33));
	EXPECT_EQ(33, xt_get(fd, IPPROTO_IP, IP_TTL));
}

TEST_F(sockopt, unknown)
{
	int fd = xt_socket(&self->x, 0);

	EXPECT_ERR(ENOPROTOOPT, xt_set(fd, SOL_SOCKET, 9999, 1));
	EXPECT_ERR(ENOPROTOOPT, xt_set(fd, IPPROTO_TCP, 9999, 1));
	EXPECT_ERR(ENOPROTOOPT, xt_set(fd, 9999, 1, 1));
	EXPECT_ERR(ENOPROTOOPT, xt_get(fd, SOL_SOCKET, 9999));
	EXPECT_ERR(ENOPROTOOPT, xt_get(fd, IPPROTO_TCP, 9999));
}

TEST_F(sockopt, lengths)
{
	int fd = xt_socket(&self->x, 0), v = 1;
	socklen_t len;

	EXPECT_ERR(EINVAL, setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &v, 2));
	EXPECT_ERR(EINVAL, setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &v, 2));
	EXPECT_ERR(EINVAL, setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &v, -1));
	EXPECT_ERR(EINVAL, setsockopt(fd, SOL_SOCKET, SO_LINGER, &v, 4));
	len = -1;
	EXPECT_ERR(EINVAL, getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &v, &len));
	/* A longer buffer than needed is fine and comes back shorter. */
	char wide[16] = { 1 };

	EXPECT_EQ(0, setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, wide, 16));
	len = sizeof(wide);
	EXPECT_EQ(0, getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, wide, &len));
	EXPECT_EQ(sizeof(int), len);
	/* A short one is cut. */
	len = 1;
	wide[1] = 0x5a;
	EXPECT_EQ(0, getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, wide, &len));
	EXPECT_EQ(1, len);
	EXPECT_EQ(0x5a, wide[1]);
}

TEST_F(sockopt, faults)
{
	int fd = xt_socket(&self->x, 0), v = 1;
	socklen_t len = sizeof(v);
	void *bad = XT_BAD_PTR;

	EXPECT_ERR(EFAULT, setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, bad, 4));
	EXPECT_ERR(EFAULT, setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, bad, 4));
	EXPECT_ERR(EFAULT, getsockopt(fd, SOL_SOCKET, SO_TYPE, bad, &len));
	EXPECT_ERR(EFAULT, getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, bad, &len));
	EXPECT_ERR(EFAULT, getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &v, bad));
	EXPECT_ERR(EFAULT, getsockopt(fd, SOL_SOCKET, SO_TYPE, &v, bad));
}

static int queued(int fd, unsigned long what)
{
	int v = -1;

	return ioctl(fd, what, &v) ? -1 : v;
}

TEST_F(sockopt, fionread)
{
	char b[4];

	ASSERT_EQ(0, xt_pair(&self->x));
	EXPECT_EQ(0, queued(self->x.s, FIONREAD));
	ASSERT_EQ(10, write(self->x.c, "0123456789", 10));
	EXPECT_TRUE(XT_UNTIL(queued(self->x.s, FIONREAD) == 10));
	ASSERT_EQ(4, read(self->x.s, b, 4));
	EXPECT_EQ(6, queued(self->x.s, FIONREAD));
	ASSERT_EQ(4, recv(self->x.s, b, 4, MSG_PEEK));
	EXPECT_EQ(6, queued(self->x.s, SIOCINQ));
	/* The end of the stream is no byte. */
	ASSERT_EQ(0, shutdown(self->x.c, SHUT_WR));
	ASSERT_TRUE(xt_wait(self->x.s, POLLRDHUP));
	EXPECT_EQ(6, queued(self->x.s, FIONREAD));
	EXPECT_ERR(EINVAL, queued(self->x.l, FIONREAD));
	EXPECT_ERR(EFAULT, ioctl(self->x.s, FIONREAD, XT_BAD_PTR));
}

TEST_F(sockopt, outq)
{
	ASSERT_EQ(0, xt_pair(&self->x));
	EXPECT_EQ(0, queued(self->x.c, SIOCOUTQ));
	ASSERT_EQ(10, write(self->x.c, "0123456789", 10));
	EXPECT_TRUE(XT_UNTIL(queued(self->x.c, SIOCOUTQ) == 0));
	ASSERT_LT(0, xt_fill(self->x.c));
	EXPECT_LT(0, queued(self->x.c, SIOCOUTQ));
	EXPECT_ERR(EINVAL, queued(self->x.l, SIOCOUTQ));
}

TEST_F(sockopt, outq_and_inq_add_up)
{
	ssize_t n;

	/* Every byte taken is at one end or at the other. */
	ASSERT_EQ(0, xt_pair(&self->x));
	n = xt_fill(self->x.c);
	ASSERT_LT(0, n);
	EXPECT_TRUE(XT_UNTIL(queued(self->x.c, SIOCOUTQ) +
			     queued(self->x.s, SIOCINQ) == n));
}

TEST_F(sockopt, ioctl_unknown)
{
	int v;

	ASSERT_EQ(0, xt_pair(&self->x));
	EXPECT_ERR(ENOTTY, ioctl(self->x.c, 0x7fff1234, &v));
	EXPECT_ERR(ENOTTY, ioctl(self->x.c, TCGETS, &v));
}

TEST_HARNESS_MAIN

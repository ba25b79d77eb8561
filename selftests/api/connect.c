// SPDX-License-Identifier: GPL-2.0
/* connect(2): blocking and not, every error, and what comes after it. */
#include "api.h"

XT_FIXTURE(connect);

/* A port of 127.0.0.1 on which nothing listens, held so that nobody will. */
static int dead_port(struct xt *x)
{
	int fd = xt_socket(x, 0);

	if (fd < 0 || xt_bind(fd, "127.0.0.1", 0))
		return -1;
	return xt_port(fd);
}

TEST_F(connect, blocking)
{
	char b = 'x';

	ASSERT_EQ(0, xt_pair(&self->x));
	EXPECT_EQ(1, write(self->x.c, &b, 1));
	EXPECT_EQ(1, read(self->x.s, &b, 1));
}

TEST_F(connect, nonblocking)
{
	int c = xt_socket(&self->x, SOCK_NONBLOCK);

	ASSERT_EQ(0, xt_listen(&self->x, 4));
	EXPECT_ERR(EINPROGRESS, connect(c, SA(&self->x.addr),
					sizeof(self->x.addr)));
	ASSERT_TRUE(xt_wait(c, POLLOUT));
	EXPECT_EQ(0, xt_error(c));
	EXPECT_LE(0, accept(self->x.l, NULL, NULL));
	/* The next call reports success once, then that it is too late. */
	EXPECT_EQ(0, connect(c, SA(&self->x.addr), sizeof(self->x.addr)));
	EXPECT_ERR(EISCONN, connect(c, SA(&self->x.addr),
				    sizeof(self->x.addr)));
}

TEST_F(connect, refused)
{
	int c = xt_socket(&self->x, 0), port = dead_port(&self->x);

	ASSERT_LT(0, port);
	EXPECT_ERR(ECONNREFUSED, xt_connect(c, "127.0.0.1", port));
	EXPECT_EQ(0, xt_error(c));
	/* Linux lets the same socket try again. */
	EXPECT_ERR(ECONNREFUSED, xt_connect(c, "127.0.0.1", port));
	ASSERT_EQ(0, xt_listen(&self->x, 4));
	EXPECT_EQ(0, connect(c, SA(&self->x.addr), sizeof(self->x.addr)));
}

TEST_F(connect, refused_nonblocking)
{
	int c = xt_socket(&self->x, SOCK_NONBLOCK);
	int port = dead_port(&self->x);

	ASSERT_LT(0, port);
	EXPECT_ERR(EINPROGRESS, xt_connect(c, "127.0.0.1", port));
	ASSERT_TRUE(xt_wait(c, POLLERR));
	EXPECT_EQ(ECONNREFUSED, xt_error(c));
	/* Reported once. */
	EXPECT_EQ(0, xt_error(c));
}

TEST_F(connect, refused_then_again_nonblocking)
{
	int c = xt_socket(&self->x, SOCK_NONBLOCK);
	int port = dead_port(&self->x);

	EXPECT_ERR(EINPROGRESS, xt_connect(c, "127.0.0.1", port));
	ASSERT_TRUE(xt_wait(c, POLLERR));
	EXPECT_ERR(ECONNREFUSED, xt_connect(c, "127.0.0.1", port));
}

TEST_F(connect, refused_seen_by_read_or_write)
{
	int r = xt_socket(&self->x, SOCK_NONBLOCK);
	int w = xt_socket(&self->x, SOCK_NONBLOCK);
	int port = dead_port(&self->x);
	char b = 0;

	EXPECT_ERR(EINPROGRESS, xt_connect(r, "127.0.0.1", port));
	EXPECT_ERR(EINPROGRESS, xt_connect(w, "127.0.0.1", port));
	ASSERT_TRUE(xt_wait(r, POLLERR));
	ASSERT_TRUE(xt_wait(w, POLLERR));
	EXPECT_ERR(ECONNREFUSED, read(r, &b, 1));
	EXPECT_EQ(0, read(r, &b, 1));
	EXPECT_ERR(ECONNREFUSED, send(w, &b, 1, MSG_NOSIGNAL));
	EXPECT_ERR(EPIPE, send(w, &b, 1, MSG_NOSIGNAL));
}

TEST_F(connect, already)
{
	int c = xt_socket(&self->x, SOCK_NONBLOCK);
	char b = 0;

	ASSERT_EQ(0, xt_blackhole());
	EXPECT_ERR(EINPROGRESS, xt_connect(c, XT_BLACKHOLE, 7));
	EXPECT_ERR(EALREADY, xt_connect(c, XT_BLACKHOLE, 7));
	EXPECT_EQ(0, xt_error(c));
	/* Neither end of the stream is usable yet, nor is there a peer. */
	EXPECT_ERR(EAGAIN, send(c, &b, 1, MSG_NOSIGNAL));
	EXPECT_ERR(EAGAIN, recv(c, &b, 1, 0));
	struct sockaddr_in a;
	socklen_t len = sizeof(a);

	EXPECT_ERR(ENOTCONN, getpeername(c, SA(&a), &len));
	EXPECT_ERR(EINVAL, listen(c, 4));
}

TEST_F(connect, send_timeout)
{
	int c = xt_socket(&self->x, 0);
	long long t;

	ASSERT_EQ(0, xt_blackhole());
	ASSERT_EQ(0, xt_set_time(c, SO_SNDTIMEO, 100));
	t = xt_now_ms();
	EXPECT_ERR(EINPROGRESS, xt_connect(c, XT_BLACKHOLE, 7));
	EXPECT_LE(100 - XT_TICKS, xt_now_ms() - t);
	/* It goes on in the background: the second call waits again. */
	EXPECT_ERR(EALREADY, xt_connect(c, XT_BLACKHOLE, 7));
}

TEST_F(connect, timed_out)
{
	int c = xt_socket(&self->x, 0);

	ASSERT_EQ(0, xt_blackhole());
	/* Newer kernels have a few linear retries before the counted ones. */
	xt_write_file("/proc/sys/net/ipv4/tcp_syn_linear_timeouts", "0");
	ASSERT_EQ(0, xt_set(c, IPPROTO_TCP, TCP_SYNCNT, 1));
	EXPECT_EQ(1, xt_get(c, IPPROTO_TCP, TCP_SYNCNT));
	EXPECT_ERR(ETIMEDOUT, xt_connect(c, XT_BLACKHOLE, 7));
	/* The socket is as good as new. */
	ASSERT_EQ(0, xt_listen(&self->x, 4));
	self->x.addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	EXPECT_EQ(0, connect(c, SA(&self->x.addr), sizeof(self->x.addr)));
}

TEST_F(connect, timed_out_nonblocking)
{
	int c = xt_socket(&self->x, SOCK_NONBLOCK);

	ASSERT_EQ(0, xt_blackhole());
	xt_write_file("/proc/sys/net/ipv4/tcp_syn_linear_timeouts", "0");
	ASSERT_EQ(0, xt_set(c, IPPROTO_TCP, TCP_SYNCNT, 1));
	EXPECT_ERR(EINPROGRESS, xt_connect(c, XT_BLACKHOLE, 7));
	ASSERT_TRUE(xt_wait(c, POLLERR));
	EXPECT_EQ(ETIMEDOUT, xt_error(c));
}

TEST_F(connect, unreachable)
{
	int c = xt_socket(&self->x, 0);

	EXPECT_ERR(ENETUNREACH, xt_connect(c, "192.0.2.1", 7));
	EXPECT_ERR(ENETUNREACH, xt_connect(c, "224.0.0.5", 7));
	EXPECT_ERR(ENETUNREACH, xt_connect(c, "255.255.255.255", 7));
	/* None of it left a mark. */
	EXPECT_EQ(0, xt_error(c));
	ASSERT_EQ(0, xt_listen(&self->x, 4));
	EXPECT_EQ(0, connect(c, SA(&self->x.addr), sizeof(self->x.addr)));
}

TEST_F(connect, bad_address)
{
	struct sockaddr_in a;
	int c = xt_socket(&self->x, 0);

	ASSERT_EQ(0, xt_listen(&self->x, 4));
	a = self->x.addr;
	EXPECT_ERR(EINVAL, connect(c, SA(&a), sizeof(a) - 1));
	EXPECT_ERR(EINVAL, connect(c, SA(&a), 0));
	EXPECT_ERR(EINVAL, connect(c, SA(&a), -1));
	EXPECT_ERR(EINVAL, connect(c, SA(&a), 4096));
	EXPECT_ERR(EFAULT, connect(c, XT_BAD_PTR, sizeof(a)));
	a.sin_family = AF_UNIX;
	EXPECT_ERR(EAFNOSUPPORT, connect(c, SA(&a), sizeof(a)));
	EXPECT_EQ(0, connect(c, SA(&self->x.addr), sizeof(self->x.addr)));
}

/* As in bind: no address that a security module does not look at. */
TEST_F(connect, own_family_in_address)
{
	struct sockaddr_in a;
	int c = xt_socket(&self->x, 0);

	ASSERT_EQ(0, xt_listen(&self->x, 4));
	a = self->x.addr;
	a.sin_family = AF_XTCP;
	EXPECT_ERR(EAFNOSUPPORT, connect(c, SA(&a), sizeof(a)));
	a.sin_family = AF_INET;
	EXPECT_EQ(0, connect(c, SA(&a), sizeof(a)));
}

TEST_F(connect, longer_address)
{
	struct sockaddr_storage ss = { 0 };
	int c = xt_socket(&self->x, 0);

	ASSERT_EQ(0, xt_listen(&self->x, 4));
	memcpy(&ss, &self->x.addr, sizeof(self->x.addr));
	EXPECT_EQ(0, connect(c, SA(&ss), sizeof(ss)));
}

TEST_F(connect, is_connected)
{
	ASSERT_EQ(0, xt_pair(&self->x));
	EXPECT_ERR(EISCONN, connect(self->x.c, SA(&self->x.addr),
				    sizeof(self->x.addr)));
	EXPECT_ERR(EISCONN, connect(self->x.s, SA(&self->x.addr),
				    sizeof(self->x.addr)));
}

TEST_F(connect, wildcard_means_this_host)
{
	int c = xt_socket(&self->x, 0);
	struct sockaddr_in a;
	socklen_t len = sizeof(a);

	ASSERT_EQ(0, xt_listen(&self->x, 4));
	ASSERT_EQ(0, xt_connect(c, "0.0.0.0", ntohs(self->x.addr.sin_port)));
	ASSERT_EQ(0, getpeername(c, SA(&a), &len));
	EXPECT_EQ(htonl(INADDR_LOOPBACK), a.sin_addr.s_addr);
}

TEST_F(connect, to_itself)
{
	int fd = xt_socket(&self->x, 0);
	char b[6];

	/* A SYN that meets its own socket is a simultaneous open. */
	ASSERT_EQ(0, xt_bind(fd, "127.0.0.1", 7001));
	ASSERT_EQ(0, xt_connect(fd, "127.0.0.1", 7001));
	EXPECT_EQ(5, write(fd, "hello", 5));
	EXPECT_EQ(5, xt_read_all(fd, b, 5));
	EXPECT_EQ(0, memcmp(b, "hello", 5));
	EXPECT_EQ(0, shutdown(fd, SHUT_WR));
	EXPECT_EQ(0, read(fd, b, 1));
}

TEST_F(connect, unspec_disconnects)
{
	char b;

	ASSERT_EQ(0, xt_pair(&self->x));
	ASSERT_EQ(0, xt_unspec(self->x.c));
	EXPECT_ERR(ECONNRESET, read(self->x.s, &b, 1));
	close(self->x.s);
	ASSERT_EQ(0, connect(self->x.c, SA(&self->x.addr),
			     sizeof(self->x.addr)));
	self->x.s = accept(self->x.l, NULL, NULL);
	ASSERT_LE(0, self->x.s);
	EXPECT_EQ(1, write(self->x.c, "y", 1));
	EXPECT_EQ(1, read(self->x.s, &b, 1));
}

TEST_F(connect, closed_while_connecting)
{
	int i, c;

	ASSERT_EQ(0, xt_blackhole());
	ASSERT_EQ(0, xt_listen(&self->x, 64));
	for (i = 0; i < 30; i++) {
		c = xt_socket(&self->x, SOCK_NONBLOCK);
		EXPECT_ERR(EINPROGRESS, xt_connect(c, XT_BLACKHOLE, 7));
		close(c);
		c = xt_socket(&self->x, SOCK_NONBLOCK);
		EXPECT_ERR(EINPROGRESS, connect(c, SA(&self->x.addr),
						sizeof(self->x.addr)));
		close(c);
	}
	/* The listener still works after all those half-open ones. */
	EXPECT_LE(0, xt_dial(&self->x));
}

TEST_F(connect, shutdown_while_connecting)
{
	int c = xt_socket(&self->x, SOCK_NONBLOCK);
	char b;

	ASSERT_EQ(0, xt_blackhole());
	EXPECT_ERR(EINPROGRESS, xt_connect(c, XT_BLACKHOLE, 7));
	EXPECT_EQ(0, shutdown(c, SHUT_RDWR));
	EXPECT_NE(0, xt_poll_now(c) & POLLHUP);
	/* Ending the attempt is a reset, reported once. */
	EXPECT_ERR(ECONNRESET, recv(c, &b, 1, 0));
	EXPECT_ERR(ENOTCONN, recv(c, &b, 1, 0));
	EXPECT_ERR(EPIPE, send(c, &b, 1, MSG_NOSIGNAL));
}

TEST_F(connect, many_in_turn)
{
	int i;
	char b;

	ASSERT_EQ(0, xt_listen(&self->x, 4));
	for (i = 0; i < 100; i++) {
		ASSERT_EQ(0, xt_pair(&self->x));
		ASSERT_EQ(1, write(self->x.c, "x", 1));
		ASSERT_EQ(1, read(self->x.s, &b, 1));
		ASSERT_EQ(0, close(self->x.c));
		ASSERT_EQ(0, read(self->x.s, &b, 1));
		ASSERT_EQ(0, close(self->x.s));
	}
}

TEST_HARNESS_MAIN

// SPDX-License-Identifier: GPL-2.0
/* shutdown(2), close(2), SO_LINGER, and what the peer gets to see of them. */
#include "api.h"

XT_FIXTURE(shutdown);

TEST_F(shutdown, write_side)
{
	char b[8];

	ASSERT_EQ(0, xt_pair(&self->x));
	ASSERT_EQ(4, write(self->x.c, "last", 4));
	ASSERT_EQ(0, shutdown(self->x.c, SHUT_WR));
	EXPECT_ERR(EPIPE, send(self->x.c, "x", 1, MSG_NOSIGNAL));
	ASSERT_EQ(4, xt_read_all(self->x.s, b, 8));
	EXPECT_EQ(0, memcmp(b, "last", 4));
	/* The end stays the end ... */
	EXPECT_EQ(0, read(self->x.s, b, 8));
	EXPECT_EQ(0, recv(self->x.s, b, 8, MSG_PEEK));
	/* ... and the other direction is untouched. */
	ASSERT_EQ(5, write(self->x.s, "reply", 5));
	ASSERT_EQ(0, close(self->x.s));
	ASSERT_EQ(5, xt_read_all(self->x.c, b, 8));
	EXPECT_EQ(0, memcmp(b, "reply", 5));
	EXPECT_EQ(0, read(self->x.c, b, 8));
}

TEST_F(shutdown, write_side_twice)
{
	ASSERT_EQ(0, xt_pair(&self->x));
	EXPECT_EQ(0, shutdown(self->x.c, SHUT_WR));
	EXPECT_EQ(0, shutdown(self->x.c, SHUT_WR));
}

TEST_F(shutdown, read_side)
{
	char b[8];

	ASSERT_EQ(0, xt_pair(&self->x));
	ASSERT_EQ(4, write(self->x.c, "kept", 4));
	ASSERT_TRUE(xt_wait(self->x.s, POLLIN));
	ASSERT_EQ(0, shutdown(self->x.s, SHUT_RD));
	/* What is there can still be read; after it the call never waits. */
	EXPECT_EQ(4, read(self->x.s, b, 8));
	EXPECT_EQ(0, read(self->x.s, b, 8));
	EXPECT_EQ(0, read(self->x.s, b, 8));
	/* The peer notices nothing. */
	EXPECT_EQ(0, xt_poll_now(self->x.c) & (POLLIN | POLLRDHUP | POLLERR));
	ASSERT_EQ(1, write(self->x.s, "y", 1));
	ASSERT_EQ(1, read(self->x.c, b, 1));
	ASSERT_EQ(1, write(self->x.c, "z", 1));
}

TEST_F(shutdown, both_sides)
{
	char b;

	ASSERT_EQ(0, xt_pair(&self->x));
	ASSERT_EQ(0, shutdown(self->x.c, SHUT_RDWR));
	EXPECT_EQ(0, read(self->x.c, &b, 1));
	EXPECT_ERR(EPIPE, send(self->x.c, "x", 1, MSG_NOSIGNAL));
	EXPECT_EQ(0, read(self->x.s, &b, 1));
}

TEST_F(shutdown, in_two_steps)
{
	char b;

	ASSERT_EQ(0, xt_pair(&self->x));
	ASSERT_EQ(0, shutdown(self->x.c, SHUT_RD));
	ASSERT_EQ(0, shutdown(self->x.c, SHUT_WR));
	EXPECT_EQ(0, read(self->x.s, &b, 1));
	EXPECT_EQ(0, read(self->x.c, &b, 1));
}

TEST_F(shutdown, errors)
{
	int fd = xt_socket(&self->x, 0);

	EXPECT_ERR(ENOTCONN, shutdown(fd, SHUT_RD));
	EXPECT_ERR(ENOTCONN, shutdown(fd, SHUT_WR));
	EXPECT_ERR(ENOTCONN, shutdown(fd, SHUT_RDWR));
	ASSERT_EQ(0, xt_pair(&self->x));
	EXPECT_ERR(EINVAL, shutdown(self->x.c, 3));
	EXPECT_ERR(EINVAL, shutdown(self->x.c, -1));
}

TEST_F(shutdown, after_the_end)
{
	struct sockaddr_in a;
	socklen_t len = sizeof(a);
	char b;

	ASSERT_EQ(0, xt_pair(&self->x));
	ASSERT_EQ(0, shutdown(self->x.c, SHUT_WR));
	ASSERT_EQ(0, read(self->x.s, &b, 1));
	ASSERT_EQ(0, shutdown(self->x.s, SHUT_WR));
	/* Both sides are through; the passive one is closed at once. */
	ASSERT_TRUE(XT_UNTIL(xt_poll_now(self->x.s) & POLLHUP));
	EXPECT_ERR(ENOTCONN, shutdown(self->x.s, SHUT_WR));
	EXPECT_ERR(ENOTCONN, getpeername(self->x.s, SA(&a), &len));
	EXPECT_ERR(EPIPE, send(self->x.s, "x", 1, MSG_NOSIGNAL));
	EXPECT_EQ(0, read(self->x.s, &b, 1));
}

TEST_F(shutdown, half_closed_reply)
{
	static uint8_t in[600000], out[600000];
	pid_t pid;
	char b;
	int st;

	/* A long answer to an end that has stopped sending. */
	ASSERT_EQ(0, xt_pair(&self->x));
	pid = fork();
	if (!pid) {
		close(self->x.c);
		xt_pattern(out, 1, 0, sizeof(out));
		if (read(self->x.s, &b, 1) != 0)
			_exit(1);
		_exit(xt_write_all(self->x.s, out, sizeof(out)) !=
		      sizeof(out));
	}
	close(self->x.s);
	ASSERT_EQ(0, shutdown(self->x.c, SHUT_WR));
	ASSERT_EQ(sizeof(in), xt_read_all(self->x.c, in, sizeof(in)));
	EXPECT_EQ(sizeof(in), xt_pattern_ok(in, 1, 0, sizeof(in)));
	EXPECT_EQ(0, read(self->x.c, in, 1));
	ASSERT_EQ(pid, waitpid(pid, &st, 0));
	EXPECT_EQ(0, st);
}

TEST_F(shutdown, close_delivers_what_was_written)
{
	static uint8_t in[1 << 20];
	ssize_t n, off = 0;

	ASSERT_EQ(0, xt_pair(&self->x));
	xt_pattern(in, 2, 0, sizeof(in));
	n = send(self->x.c, in, sizeof(in), MSG_DONTWAIT);
	ASSERT_LT(0, n);
	ASSERT_EQ(0, close(self->x.c));
	memset(in, 0, sizeof(in));
	while (off < n) {
		ssize_t r = read(self->x.s, in + off, sizeof(in) - off);

		ASSERT_LT(0, r);
		off += r;
	}
	EXPECT_EQ(n, xt_pattern_ok(in, 2, 0, n));
	EXPECT_EQ(0, read(self->x.s, in, 1));
}

TEST_F(shutdown, close_with_unread_data_resets)
{
	char b;

	ASSERT_EQ(0, xt_pair(&self->x));
	ASSERT_EQ(5, write(self->x.c, "never", 5));
	ASSERT_TRUE(xt_wait(self->x.s, POLLIN));
	ASSERT_EQ(0, close(self->x.s));
	EXPECT_ERR(ECONNRESET, read(self->x.c, &b, 1));
	/* The error is told once, then it is simply over. */
	EXPECT_EQ(0, read(self->x.c, &b, 1));
	EXPECT_ERR(EPIPE, send(self->x.c, "x", 1, MSG_NOSIGNAL));
}

TEST_F(shutdown, close_after_partial_read_resets)
{
	char b;

	ASSERT_EQ(0, xt_pair(&self->x));
	ASSERT_EQ(5, write(self->x.c, "never", 5));
	ASSERT_EQ(1, read(self->x.s, &b, 1));
	ASSERT_EQ(0, close(self->x.s));
	ASSERT_TRUE(xt_wait(self->x.c, POLLERR));
	EXPECT_EQ(ECONNRESET, xt_error(self->x.c));
}

TEST_F(shutdown, reset_seen_by_send)
{
	ASSERT_EQ(0, xt_pair(&self->x));
	ASSERT_EQ(5, write(self->x.c, "never", 5));
	ASSERT_TRUE(xt_wait(self->x.s, POLLIN));
	ASSERT_EQ(0, close(self->x.s));
	ASSERT_TRUE(xt_wait(self->x.c, POLLERR));
	EXPECT_ERR(ECONNRESET, send(self->x.c, "x", 1, MSG_NOSIGNAL));
	EXPECT_ERR(EPIPE, send(self->x.c, "x", 1, MSG_NOSIGNAL));
}

TEST_F(shutdown, data_before_a_reset_is_readable)
{
	char b[8];

	ASSERT_EQ(0, xt_pair(&self->x));
	ASSERT_EQ(5, write(self->x.c, "never", 5));
	ASSERT_EQ(4, write(self->x.s, "last", 4));
	ASSERT_TRUE(xt_wait(self->x.s, POLLIN));
	ASSERT_TRUE(xt_wait(self->x.c, POLLIN));
	ASSERT_EQ(0, close(self->x.s));
	ASSERT_TRUE(xt_wait(self->x.c, POLLERR));
	EXPECT_EQ(4, read(self->x.c, b, 8));
	EXPECT_ERR(ECONNRESET, read(self->x.c, b, 8));
	EXPECT_EQ(0, read(self->x.c, b, 8));
}

TEST_F(shutdown, linger_zero_resets)
{
	char b;

	ASSERT_EQ(0, xt_pair(&self->x));
	ASSERT_EQ(0, xt_linger(self->x.c, 1, 0));
	ASSERT_EQ(0, close(self->x.c));
	EXPECT_ERR(ECONNRESET, read(self->x.s, &b, 1));
}

TEST_F(shutdown, linger_zero_leaves_no_time_wait)
{
	int c = xt_socket(&self->x, 0), again = xt_socket(&self->x, 0);
	char b;

	ASSERT_EQ(0, xt_listen(&self->x, 4));
	ASSERT_EQ(0, xt_bind(c, "127.0.0.1", 7002));
	ASSERT_EQ(0, connect(c, SA(&self->x.addr), sizeof(self->x.addr)));
	self->x.s = accept(self->x.l, NULL, NULL);
	ASSERT_LE(0, self->x.s);
	ASSERT_EQ(0, xt_linger(c, 1, 0));
	ASSERT_EQ(0, close(c));
	EXPECT_ERR(ECONNRESET, read(self->x.s, &b, 1));
	/* The same port, the same peer, at once. */
	ASSERT_EQ(0, xt_bind(again, "127.0.0.1", 7002));
	EXPECT_EQ(0, connect(again, SA(&self->x.addr), sizeof(self->x.addr)));
}

TEST_F(shutdown, linger_waits_for_the_ack)
{
	char b[8];
	int q = 0;

	ASSERT_EQ(0, xt_pair(&self->x));
	ASSERT_EQ(0, xt_linger(self->x.c, 1, 5));
	ASSERT_EQ(4, write(self->x.c, "last", 4));
	ASSERT_EQ(0, close(self->x.c));
	/* close() came back only when all of it had arrived. */
	ASSERT_EQ(0, ioctl(self->x.s, FIONREAD, &q));
	EXPECT_EQ(4, q);
	EXPECT_EQ(4, xt_read_all(self->x.s, b, 8));
}

TEST_F(shutdown, linger_gives_up)
{
	long long t;

	ASSERT_EQ(0, xt_pair(&self->x));
	ASSERT_LT(0, xt_fill(self->x.c));
	ASSERT_EQ(0, xt_linger(self->x.c, 1, 1));
	t = xt_now_ms();
	ASSERT_EQ(0, close(self->x.c));
	EXPECT_LE(1000 - XT_TICKS, xt_now_ms() - t);
	EXPECT_GT(9000, xt_now_ms() - t);
}

TEST_F(shutdown, plain_close_does_not_wait)
{
	long long t;

	ASSERT_EQ(0, xt_pair(&self->x));
	ASSERT_LT(0, xt_fill(self->x.c));
	ASSERT_EQ(0, xt_linger(self->x.c, 0, 9));
	t = xt_now_ms();
	ASSERT_EQ(0, close(self->x.c));
	EXPECT_GT(5000, xt_now_ms() - t);
}

TEST_F(shutdown, write_to_a_closed_peer)
{
	char b;

	ASSERT_EQ(0, xt_pair(&self->x));
	ASSERT_EQ(0, close(self->x.s));
	EXPECT_EQ(0, read(self->x.c, &b, 1));
	/* The first one is taken; it earns a reset, which is a broken pipe. */
	ASSERT_EQ(1, send(self->x.c, "x", 1, MSG_NOSIGNAL));
	ASSERT_TRUE(xt_wait(self->x.c, POLLERR));
	EXPECT_ERR(EPIPE, send(self->x.c, "y", 1, MSG_NOSIGNAL));
	EXPECT_EQ(0, read(self->x.c, &b, 1));
}

TEST_F(shutdown, both_close_at_once)
{
	int i;

	ASSERT_EQ(0, xt_listen(&self->x, 4));
	for (i = 0; i < 50; i++) {
		ASSERT_EQ(0, xt_pair(&self->x));
		ASSERT_EQ(0, shutdown(self->x.c, SHUT_WR));
		ASSERT_EQ(0, shutdown(self->x.s, SHUT_WR));
		ASSERT_EQ(0, close(i % 2 ? self->x.c : self->x.s));
		ASSERT_EQ(0, close(i % 2 ? self->x.s : self->x.c));
	}
}

TEST_F(shutdown, blocked_reader_sees_the_end)
{
	pid_t pid;
	char b;
	int st;

	ASSERT_EQ(0, xt_pair(&self->x));
	pid = fork();
	if (!pid) {
		close(self->x.c);
		_exit(read(self->x.s, &b, 1) != 0);
	}
	ASSERT_EQ(0, close(self->x.c));
	ASSERT_EQ(pid, waitpid(pid, &st, 0));
	EXPECT_EQ(0, st);
}

TEST_F(shutdown, blocked_reader_sees_the_reset)
{
	pid_t pid;
	char b;
	int st;

	ASSERT_EQ(0, xt_pair(&self->x));
	pid = fork();
	if (!pid) {
		close(self->x.c);
		_exit(read(self->x.s, &b, 1) != -1 || errno != ECONNRESET);
	}
	close(self->x.s);
	ASSERT_EQ(0, xt_linger(self->x.c, 1, 0));
	ASSERT_EQ(0, close(self->x.c));
	ASSERT_EQ(pid, waitpid(pid, &st, 0));
	EXPECT_EQ(0, st);
}

TEST_F(shutdown, blocked_reader_sees_own_shutdown)
{
	pid_t pid;
	char b;
	int st;

	ASSERT_EQ(0, xt_pair(&self->x));
	pid = fork();
	if (!pid)
		_exit(read(self->x.s, &b, 1) != 0);
	ASSERT_EQ(0, shutdown(self->x.s, SHUT_RD));
	ASSERT_EQ(pid, waitpid(pid, &st, 0));
	EXPECT_EQ(0, st);
}

TEST_F(shutdown, blocked_writer_sees_the_reset)
{
	static char junk[1 << 20];
	pid_t pid;
	int st;

	ASSERT_EQ(0, xt_pair(&self->x));
	ASSERT_LT(0, xt_fill(self->x.c));
	pid = fork();
	if (!pid) {
		close(self->x.s);
		signal(SIGPIPE, SIG_IGN);
		while (write(self->x.c, junk, sizeof(junk)) > 0)
			;
		_exit(errno != ECONNRESET && errno != EPIPE);
	}
	close(self->x.c);
	/* Much is unread, so this is a reset. */
	ASSERT_EQ(0, close(self->x.s));
	ASSERT_EQ(pid, waitpid(pid, &st, 0));
	EXPECT_EQ(0, st);
}

TEST_HARNESS_MAIN

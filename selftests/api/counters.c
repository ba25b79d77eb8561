// SPDX-License-Identifier: GPL-2.0
/*
 * What connections leave in the counters of their namespace: how many there
 * are, and why they ended.
 */
#include "api.h"

XT_FIXTURE(counters);

static int state(int fd)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);

	getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len);
	return info.tcpi_state;
}

#define COUNT(name)	xt_counter(&self->x, name)

TEST_F(counters, established_now)
{
	char b;

	EXPECT_EQ(0, COUNT("CurrEstab"));
	ASSERT_EQ(0, xt_listen(&self->x, 16));
	EXPECT_EQ(0, COUNT("CurrEstab"));
	ASSERT_EQ(0, xt_pair(&self->x));
	EXPECT_EQ(2, COUNT("CurrEstab"));
	/* CLOSE_WAIT is one, FIN_WAIT_2 is not. */
	ASSERT_EQ(0, shutdown(self->x.c, SHUT_WR));
	EXPECT_EQ(0, read(self->x.s, &b, 1));
	EXPECT_TRUE(XT_UNTIL(COUNT("CurrEstab") == 1));
	ASSERT_EQ(0, close(self->x.s));
	EXPECT_TRUE(XT_UNTIL(COUNT("CurrEstab") == 0));
	/* One that nobody accepts, and goes with its listener. */
	ASSERT_LE(0, self->x.s = xt_dial(&self->x));
	EXPECT_TRUE(XT_UNTIL(COUNT("CurrEstab") == 2));
	ASSERT_EQ(0, close(self->x.l));
	EXPECT_TRUE(XT_UNTIL(COUNT("CurrEstab") == 0));
	self->x.l = -1;
}

TEST_F(counters, established_now_after_a_reset)
{
	struct linger hard = { 1, 0 };

	ASSERT_EQ(0, xt_pair(&self->x));
	ASSERT_EQ(0, setsockopt(self->x.c, SOL_SOCKET, SO_LINGER, &hard,
				sizeof(hard)));
	ASSERT_EQ(0, close(self->x.c));
	self->x.c = -1;
	EXPECT_TRUE(XT_UNTIL(COUNT("CurrEstab") == 0));
	EXPECT_EQ(1, COUNT("TCPAbortOnData"));
	ASSERT_EQ(0, xt_pair(&self->x));
	EXPECT_EQ(2, COUNT("CurrEstab"));
	ASSERT_EQ(0, xt_unspec(self->x.c));
	EXPECT_TRUE(XT_UNTIL(COUNT("CurrEstab") == 0));
}

TEST_F(counters, closed_with_unread_data)
{
	ASSERT_EQ(0, xt_pair(&self->x));
	ASSERT_EQ(1, write(self->x.c, "x", 1));
	ASSERT_TRUE(XT_UNTIL(xt_poll_now(self->x.s) & POLLIN));
	ASSERT_EQ(0, close(self->x.s));
	self->x.s = -1;
	EXPECT_TRUE(XT_UNTIL(COUNT("CurrEstab") == 0));
	EXPECT_EQ(1, COUNT("TCPAbortOnClose"));
	EXPECT_EQ(0, COUNT("TCPAbortOnData"));
}

TEST_F(counters, data_after_close)
{
	ASSERT_EQ(0, xt_pair(&self->x));
	/* For longer than a mini-socket would wait. */
	ASSERT_EQ(0, xt_set(self->x.s, IPPROTO_TCP, TCP_LINGER2, 100));
	ASSERT_EQ(0, close(self->x.s));
	self->x.s = -1;
	EXPECT_EQ(0, COUNT("TCPAbortOnData"));
	ASSERT_EQ(1, write(self->x.c, "x", 1));
	EXPECT_TRUE(XT_UNTIL(COUNT("CurrEstab") == 0));
	EXPECT_EQ(1, COUNT("TCPAbortOnData"));
}

TEST_F(counters, linger2)
{
	char b;

	ASSERT_EQ(0, xt_pair(&self->x));
	ASSERT_EQ(0, xt_set(self->x.c, IPPROTO_TCP, TCP_LINGER2, -1));
	ASSERT_EQ(0, shutdown(self->x.c, SHUT_WR));
	EXPECT_EQ(0, read(self->x.s, &b, 1));
	ASSERT_TRUE(XT_UNTIL(state(self->x.c) == TCP_FIN_WAIT2));
	EXPECT_EQ(0, COUNT("TCPAbortOnLinger"));
	ASSERT_EQ(0, close(self->x.c));
	self->x.c = -1;
	EXPECT_EQ(1, COUNT("TCPAbortOnLinger"));
	/* While our FIN is not acknowledged it is another one. */
	EXPECT_EQ(0, COUNT("TCPAbortOnData"));
}

TEST_F(counters, keepalive)
{
	ASSERT_EQ(0, xt_pair(&self->x));
	ASSERT_EQ(0, xt_set(self->x.c, IPPROTO_TCP, TCP_KEEPIDLE, 1));
	ASSERT_EQ(0, xt_set(self->x.c, SOL_SOCKET, SO_KEEPALIVE, 1));
	EXPECT_EQ(0, COUNT("TCPKeepAlive"));
	EXPECT_TRUE(XT_UNTIL(COUNT("TCPKeepAlive") == 1));
}

TEST_HARNESS_MAIN

// SPDX-License-Identifier: GPL-2.0
/*
 * Edges of the state machine that ordinary use takes rarely or never: what
 * gives up, and what is undone.  /proc/net/{tcp,xtcp} say where a connection
 * is; run-all asks for every edge of the table.
 */
#include "api.h"

XT_FIXTURE(edges);

static const char *const states[] = {
	[TCP_ESTABLISHED] = "ESTABLISHED",
	[TCP_FIN_WAIT1] = "FIN_WAIT_1",
	[TCP_FIN_WAIT2] = "FIN_WAIT_2",
	[TCP_CLOSE_WAIT] = "CLOSE_WAIT",
	[TCP_LAST_ACK] = "LAST_ACK",
	[TCP_LISTEN] = "LISTEN",
};

/* How many sockets of this namespace are in @state; -1: no such file. */
static int in_state(const struct xt *x, int state)
{
	FILE *f = fopen(x->xtcp ? "/proc/self/net/xtcp" :
				  "/proc/self/net/tcp", "r");
	char line[256], a[64], b[64], c[64], d[64];
	int n = 0;

	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%63s %63s %63s %63s", a, b, c, d) != 4)
			continue;
		if (x->xtcp)
			n += !strcmp(c, states[state]);
		else
			n += strtol(d, NULL, 16) == state && strchr(b, ':');
	}
	fclose(f);
	return n;
}

/* A setting that both have, by its name without tcp_. */
static int setting(const struct xt *x, const char *name, const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), "/proc/sys/net/%s%s",
		 x->xtcp ? "xtcp/" : "ipv4/tcp_", name);
	return xt_write_file(path, value);
}

/* From here on nothing that is sent arrives. */
static int cut(void)
{
	return system("tc qdisc add dev lo root netem loss 100%");
}

/* @fd ends because nobody answers. */
static int gave_up(int fd)
{
	if (!XT_UNTIL(xt_poll_now(fd) & POLLERR))
		return -1;
	return xt_error(fd);
}

TEST_F(edges, established_timeout)
{
	ASSERT_EQ(0, setting(&self->x, "retries2", "1"));
	ASSERT_EQ(0, xt_pair(&self->x));
	ASSERT_EQ(0, cut());
	ASSERT_EQ(1, write(self->x.c, "x", 1));
	EXPECT_EQ(ETIMEDOUT, gave_up(self->x.c));
	EXPECT_EQ(1, in_state(&self->x, TCP_ESTABLISHED));
}

TEST_F(edges, close_wait_timeout)
{
	char b;

	ASSERT_EQ(0, setting(&self->x, "retries2", "1"));
	ASSERT_EQ(0, xt_pair(&self->x));
	ASSERT_EQ(0, shutdown(self->x.c, SHUT_WR));
	ASSERT_EQ(0, read(self->x.s, &b, 1));
	EXPECT_EQ(1, in_state(&self->x, TCP_CLOSE_WAIT));
	ASSERT_EQ(0, cut());
	ASSERT_EQ(1, write(self->x.s, "x", 1));
	EXPECT_EQ(ETIMEDOUT, gave_up(self->x.s));
	EXPECT_EQ(0, in_state(&self->x, TCP_CLOSE_WAIT));
}

TEST_F(edges, fin_wait1_timeout)
{
	ASSERT_EQ(0, setting(&self->x, "retries2", "1"));
	ASSERT_EQ(0, xt_pair(&self->x));
	ASSERT_EQ(0, cut());
	ASSERT_EQ(0, shutdown(self->x.c, SHUT_WR));
	EXPECT_EQ(1, in_state(&self->x, TCP_FIN_WAIT1));
	EXPECT_EQ(ETIMEDOUT, gave_up(self->x.c));
	EXPECT_EQ(0, in_state(&self->x, TCP_FIN_WAIT1));
}

TEST_F(edges, last_ack_timeout)
{
	char b;

	ASSERT_EQ(0, setting(&self->x, "retries2", "1"));
	ASSERT_EQ(0, xt_pair(&self->x));
	ASSERT_EQ(0, shutdown(self->x.c, SHUT_WR));
	ASSERT_EQ(0, read(self->x.s, &b, 1));
	ASSERT_EQ(0, cut());
	ASSERT_EQ(0, shutdown(self->x.s, SHUT_WR));
	EXPECT_EQ(1, in_state(&self->x, TCP_LAST_ACK));
	EXPECT_EQ(ETIMEDOUT, gave_up(self->x.s));
	EXPECT_EQ(0, in_state(&self->x, TCP_LAST_ACK));
}

/* The one whose owner has left is allowed fewer attempts. */
TEST_F(edges, orphan_timeout)
{
	ASSERT_EQ(0, setting(&self->x, "orphan_retries", "1"));
	ASSERT_EQ(0, xt_pair(&self->x));
	ASSERT_EQ(0, cut());
	ASSERT_EQ(0, close(self->x.c));
	EXPECT_EQ(1, in_state(&self->x, TCP_FIN_WAIT1));
	EXPECT_TRUE(XT_UNTIL(!in_state(&self->x, TCP_FIN_WAIT1)));
}

/* A half-closed connection is kept alive like any other. */
TEST_F(edges, fin_wait2_timeout)
{
	ASSERT_EQ(0, xt_pair(&self->x));
	ASSERT_EQ(0, xt_set(self->x.c, SOL_SOCKET, SO_KEEPALIVE, 1));
	ASSERT_EQ(0, xt_set(self->x.c, IPPROTO_TCP, TCP_KEEPIDLE, 1));
	ASSERT_EQ(0, xt_set(self->x.c, IPPROTO_TCP, TCP_KEEPINTVL, 1));
	ASSERT_EQ(0, xt_set(self->x.c, IPPROTO_TCP, TCP_KEEPCNT, 1));
	ASSERT_EQ(0, shutdown(self->x.c, SHUT_WR));
	ASSERT_TRUE(XT_UNTIL(in_state(&self->x, TCP_FIN_WAIT2) == 1));
	ASSERT_EQ(0, cut());
	EXPECT_EQ(ETIMEDOUT, gave_up(self->x.c));
	EXPECT_EQ(0, in_state(&self->x, TCP_FIN_WAIT2));
}

TEST_F(edges, fin_wait2_orphan)
{
	ASSERT_EQ(0, setting(&self->x, "fin_timeout", "4"));
	ASSERT_EQ(0, xt_pair(&self->x));
	ASSERT_EQ(0, close(self->x.c));
	ASSERT_TRUE(XT_UNTIL(in_state(&self->x, TCP_FIN_WAIT2) == 1));
	ASSERT_TRUE(XT_UNTIL(!in_state(&self->x, TCP_FIN_WAIT2)));
	/* Nobody knows the connection any more. */
	ASSERT_EQ(1, write(self->x.s, "x", 1));
	ASSERT_TRUE(xt_wait(self->x.s, POLLERR));
	EXPECT_EQ(EPIPE, xt_error(self->x.s));
}

TEST_F(edges, listen_undone)
{
	ASSERT_EQ(0, xt_listen(&self->x, 4));
	EXPECT_EQ(1, in_state(&self->x, TCP_LISTEN));
	ASSERT_EQ(0, xt_unspec(self->x.l));
	EXPECT_EQ(0, in_state(&self->x, TCP_LISTEN));
	EXPECT_ERR(EINVAL, accept(self->x.l, NULL, NULL));
	EXPECT_ERR(ECONNREFUSED, xt_dial(&self->x));
	EXPECT_EQ(0, listen(self->x.l, 4));
}

TEST_HARNESS_MAIN

// SPDX-License-Identifier: GPL-2.0
/* SO_REUSEPORT: which of several listeners on one address gets a connection. */
#include "api.h"
#include <linux/filter.h>

XT_FIXTURE(reuseport);

#define N	4
#define DIALS	64

/* One that shares @ip:@port, of the device "lo" if @lo; non-blocking. */
static int member(const struct xt *x, const char *ip, int port, bool lo)
{
	int fd = xt_socket(x, SOCK_NONBLOCK);

	if (xt_set(fd, SOL_SOCKET, SO_REUSEPORT, 1) ||
	    (lo && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3)) ||
	    xt_bind(fd, ip, port) || listen(fd, DIALS))
		return -1;
	return fd;
}

/* @n listeners on @ip:@port. */
static int group(struct xt *x, int *fd, int n, const char *ip, int port)
{
	int i;

	x->addr = xt_addr("127.0.0.1", port);
	for (i = 0; i < n; i++) {
		fd[i] = member(x, ip, port, false);
		if (fd[i] < 0)
			return -1;
	}
	return 0;
}

/* How many connections wait at each; they are closed. */
static int drain(int fd)
{
	int s, n = 0;

	while ((s = accept(fd, NULL, NULL)) >= 0) {
		close(s);
		n++;
	}
	return n;
}

static int dial_many(struct xt *x, int n, const int *fd, int nfd)
{
	int i;

	for (i = 0; i < n; i++)
		if (xt_dial(x) < 0)
			return -1;
	return XT_UNTIL(xt_waiting(fd, nfd) == n) ? 0 : -1;
}

/* The group's member number @k for everything. */
static int attach_constant(int fd, int k)
{
	struct sock_filter code[] = { BPF_STMT(BPF_RET | BPF_K, k) };
	struct sock_fprog prog = { .len = 1, .filter = code };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &prog,
			  sizeof(prog));
}

TEST_F(reuseport, all_get_some)
{
	int fd[N], i, n, sum = 0;

	ASSERT_EQ(0, group(&self->x, fd, N, "127.0.0.1", 7000));
	ASSERT_EQ(0, dial_many(&self->x, DIALS, fd, N));
	for (i = 0; i < N; i++) {
		n = drain(fd[i]);
		/* Chance leaves one without in 4 of 10^8 runs. */
		EXPECT_LT(0, n);
		sum += n;
	}
	EXPECT_EQ(DIALS, sum);
}

TEST_F(reuseport, wildcard_group)
{
	int fd[2], a, b;

	ASSERT_EQ(0, group(&self->x, fd, 2, "0.0.0.0", 7000));
	ASSERT_EQ(0, dial_many(&self->x, DIALS, fd, 2));
	a = drain(fd[0]);
	b = drain(fd[1]);
	EXPECT_LT(0, a);
	EXPECT_LT(0, b);
	EXPECT_EQ(DIALS, a + b);
}

/* A tuple belongs to one member as long as the group is the same. */
TEST_F(reuseport, by_tuple)
{
	int fd[N], i, r, first = -1;

	ASSERT_EQ(0, group(&self->x, fd, N, "127.0.0.1", 7000));
	for (r = 0; r < 5; r++) {
		int c = xt_socket(&self->x, 0);

		ASSERT_EQ(0, xt_linger(c, 1, 0));
		ASSERT_EQ(0, xt_bind(c, "127.0.0.1", 5555));
		ASSERT_EQ(0, connect(c, SA(&self->x.addr),
				     sizeof(self->x.addr)));
		ASSERT_TRUE(XT_UNTIL(xt_waiting(fd, N) == 1));
		for (i = 0; i < N; i++) {
			if (!drain(fd[i]))
				continue;
			if (first < 0)
				first = i;
			EXPECT_EQ(first, i);
		}
		close(c);
	}
	EXPECT_LE(0, first);
}

TEST_F(reuseport, program_chooses)
{
	int fd[N], k, i;

	ASSERT_EQ(0, group(&self->x, fd, N, "127.0.0.1", 7000));
	for (k = 0; k < N; k++) {
		ASSERT_EQ(0, attach_constant(fd[0], k));
		ASSERT_EQ(0, dial_many(&self->x, 5, fd, N));
		for (i = 0; i < N; i++)
			EXPECT_EQ(i == k ? 5 : 0, drain(fd[i]));
	}
	/* A member that does not exist: by hash, as without a program. */
	ASSERT_EQ(0, attach_constant(fd[0], 1000));
	ASSERT_EQ(0, dial_many(&self->x, DIALS, fd, N));
	for (i = 0; i < N; i++)
		EXPECT_LT(0, drain(fd[i]));
	EXPECT_EQ(0, setsockopt(fd[1], SOL_SOCKET, SO_DETACH_REUSEPORT_BPF,
				&i, sizeof(i)));
	EXPECT_ERR(ENOENT, setsockopt(fd[1], SOL_SOCKET,
				      SO_DETACH_REUSEPORT_BPF, &i, sizeof(i)));
}

/* The program sees the payload, which a SYN has none of. */
TEST_F(reuseport, program_reads_the_segment)
{
	struct sock_filter code[] = {
		/* The destination port, in the header before the payload. */
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, SKF_NET_OFF + 22),
		BPF_STMT(BPF_ALU | BPF_SUB | BPF_K, 6998),
		BPF_STMT(BPF_RET | BPF_A, 0),
	};
	struct sock_fprog prog = { .len = 3, .filter = code };
	int fd[N], i;

	ASSERT_EQ(0, group(&self->x, fd, N, "127.0.0.1", 7000));
	ASSERT_EQ(0, setsockopt(fd[0], SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF,
				&prog, sizeof(prog)));
	ASSERT_EQ(0, dial_many(&self->x, 5, fd, N));
	for (i = 0; i < N; i++)
		EXPECT_EQ(i == 2 ? 5 : 0, drain(fd[i]));
}

TEST_F(reuseport, program_before_listen)
{
	int fd[2], i;

	ASSERT_EQ(0, group(&self->x, fd, 1, "127.0.0.1", 7000));
	fd[1] = xt_socket(&self->x, SOCK_NONBLOCK);
	EXPECT_ERR(EINVAL, attach_constant(fd[1], 1));
	ASSERT_EQ(0, xt_set(fd[1], SOL_SOCKET, SO_REUSEPORT, 1));
	EXPECT_EQ(0, attach_constant(fd[1], 1));
	/* It is a group of its own, and those do not share. */
	EXPECT_ERR(EADDRINUSE, xt_bind(fd[1], "127.0.0.1", 7000));
	ASSERT_EQ(0, group(&self->x, fd, 0, "127.0.0.1", 7001));
	ASSERT_EQ(0, xt_bind(fd[1], "127.0.0.1", 7001));
	ASSERT_EQ(0, listen(fd[1], DIALS));
	fd[0] = fd[1];
	ASSERT_EQ(0, group(&self->x, &fd[1], 1, "127.0.0.1", 7001));
	/* Its program is that of the group which others make of it. */
	ASSERT_EQ(0, dial_many(&self->x, 8, fd, 2));
	for (i = 0; i < 2; i++)
		EXPECT_EQ(i == 1 ? 8 : 0, drain(fd[i]));
}

TEST_F(reuseport, one_leaves)
{
	char b;
	int fd[2], i, reset = 0, kept = 0, c[DIALS];

	ASSERT_EQ(0, group(&self->x, fd, 2, "127.0.0.1", 7000));
	for (i = 0; i < DIALS; i++)
		ASSERT_LE(0, c[i] = xt_dial(&self->x));
	ASSERT_TRUE(XT_UNTIL(xt_waiting(fd, 2) == DIALS));
	close(fd[0]);
	/* What waited there is reset; nobody else gets it. */
	kept = drain(fd[1]);
	for (i = 0; i < DIALS; i++) {
		ssize_t r = read(c[i], &b, 1);

		reset += r < 0 && errno == ECONNRESET;
	}
	EXPECT_LT(0, reset);
	EXPECT_EQ(DIALS, reset + kept);
	/* From now on all go to the other. */
	ASSERT_EQ(0, dial_many(&self->x, 8, &fd[1], 1));
	EXPECT_EQ(8, drain(fd[1]));
}

TEST_F(reuseport, leave_and_join_again)
{
	int fd[2], i;

	ASSERT_EQ(0, group(&self->x, fd, 2, "127.0.0.1", 7000));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, shutdown(fd[0], SHUT_RDWR));
		ASSERT_EQ(0, dial_many(&self->x, 8, &fd[1], 1));
		EXPECT_EQ(8, drain(fd[1]));
		ASSERT_EQ(0, listen(fd[0], DIALS));
		ASSERT_EQ(0, dial_many(&self->x, DIALS, fd, 2));
		EXPECT_LT(0, drain(fd[0]));
		EXPECT_LT(0, drain(fd[1]));
	}
}

TEST_F(reuseport, exact_address_beats_group)
{
	int fd[3], one;

	ASSERT_EQ(0, group(&self->x, fd, 3, "0.0.0.0", 7000));
	ASSERT_EQ(0, group(&self->x, &one, 1, "127.0.0.1", 7000));
	ASSERT_EQ(0, dial_many(&self->x, 8, &one, 1));
	EXPECT_EQ(8, drain(one));
}

TEST_F(reuseport, exact_address_beats_device)
{
	int any, exact, i;

	self->x.addr = xt_addr("127.0.0.1", 7000);
	for (i = 0; i < 2; i++) {
		any = i ? member(&self->x, "0.0.0.0", 7000, true) : -1;
		exact = member(&self->x, "127.0.0.1", 7000, false);
		if (!i)
			any = member(&self->x, "0.0.0.0", 7000, true);
		ASSERT_LE(0, any);
		ASSERT_LE(0, exact);
		ASSERT_EQ(0, dial_many(&self->x, 4, &exact, 1));
		EXPECT_EQ(4, drain(exact));
		EXPECT_EQ(0, drain(any));
		close(exact);
		ASSERT_EQ(0, dial_many(&self->x, 4, &any, 1));
		EXPECT_EQ(4, drain(any));
		close(any);
	}
}

/* Of groups at one address the one that was joined last, whatever the device. */
TEST_F(reuseport, newest_group)
{
	int fd[2], i;

	self->x.addr = xt_addr("127.0.0.1", 7000);
	for (i = 0; i < 2; i++) {
		fd[0] = member(&self->x, "127.0.0.1", 7000, i);
		fd[1] = member(&self->x, "127.0.0.1", 7000, !i);
		ASSERT_LE(0, fd[0]);
		ASSERT_LE(0, fd[1]);
		ASSERT_EQ(0, dial_many(&self->x, 4, fd, 2));
		EXPECT_EQ(0, drain(fd[0]));
		EXPECT_EQ(4, drain(fd[1]));
		close(fd[1]);
		close(fd[0]);
	}
}

TEST_F(reuseport, other_user)
{
	int fd, other = xt_socket(&self->x, 0);

	ASSERT_EQ(0, group(&self->x, &fd, 1, "127.0.0.1", 7000));
	/* The user is whoever made the socket. */
	if (fchown(other, 12345, 12345))
		SKIP(return, "fchown");
	ASSERT_EQ(0, xt_set(other, SOL_SOCKET, SO_REUSEPORT, 1));
	EXPECT_ERR(EADDRINUSE, xt_bind(other, "127.0.0.1", 7000));
}

TEST_F(reuseport, incoming_cpu)
{
	int fd[N], i;

	ASSERT_EQ(0, group(&self->x, fd, N, "127.0.0.1", 7000));
	/* lo hands over on the sender's processor. */
	ASSERT_EQ(0, xt_pin(0));
	for (i = 0; i < N; i++)
		ASSERT_EQ(0, xt_set(fd[i], SOL_SOCKET, SO_INCOMING_CPU,
				    i == 2 ? 0 : 1000));
	ASSERT_EQ(0, dial_many(&self->x, 8, fd, N));
	for (i = 0; i < N; i++)
		EXPECT_EQ(i == 2 ? 8 : 0, drain(fd[i]));
}

TEST_F(reuseport, child_is_in_no_group)
{
	int fd[2], s;

	ASSERT_EQ(0, group(&self->x, fd, 2, "127.0.0.1", 7000));
	ASSERT_EQ(0, attach_constant(fd[0], 0));
	self->x.c = xt_dial(&self->x);
	ASSERT_TRUE(XT_UNTIL(xt_waiting(fd, 2) == 1));
	s = accept(fd[0], NULL, NULL);
	ASSERT_LE(0, s);
	close(fd[0]);
	EXPECT_EQ(1, write(self->x.c, "x", 1));
	EXPECT_EQ(0, close(s));
	ASSERT_EQ(0, dial_many(&self->x, 8, &fd[1], 1));
	EXPECT_EQ(8, drain(fd[1]));
}

/* A group is joined by listen(): after it there is none to have a program. */
TEST_F(reuseport, program_without_group)
{
	int fd = xt_socket(&self->x, 0);

	EXPECT_ERR(EINVAL, attach_constant(fd, 0));
	ASSERT_EQ(0, xt_pair(&self->x));
	EXPECT_ERR(EINVAL, attach_constant(self->x.l, 0));
	ASSERT_EQ(0, xt_set(self->x.l, SOL_SOCKET, SO_REUSEPORT, 1));
	EXPECT_ERR(EINVAL, attach_constant(self->x.l, 0));
	ASSERT_EQ(0, xt_set(self->x.c, SOL_SOCKET, SO_REUSEPORT, 1));
	EXPECT_ERR(EINVAL, attach_constant(self->x.c, 0));
	ASSERT_EQ(0, xt_set(self->x.s, SOL_SOCKET, SO_REUSEPORT, 1));
	EXPECT_ERR(EINVAL, attach_constant(self->x.s, 0));
	/* No longer connected, it can have a group of its own. */
	ASSERT_EQ(0, xt_unspec(self->x.c));
	EXPECT_EQ(0, attach_constant(self->x.c, 0));
	ASSERT_EQ(0, shutdown(self->x.l, SHUT_RD));
	EXPECT_EQ(0, attach_constant(self->x.l, 0));
	ASSERT_EQ(0, listen(self->x.l, 4));
	EXPECT_EQ(0, attach_constant(self->x.l, 0));
}

TEST_HARNESS_MAIN

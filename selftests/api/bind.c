// SPDX-License-Identifier: GPL-2.0
/* bind(2): ports, conflicts, bad addresses, and when a port is free again. */
#include "api.h"

XT_FIXTURE(bind);

TEST_F(bind, port_zero_picks_one)
{
	int a = xt_socket(&self->x, 0), b = xt_socket(&self->x, 0);

	ASSERT_EQ(0, xt_bind(a, "127.0.0.1", 0));
	ASSERT_EQ(0, xt_bind(b, "127.0.0.1", 0));
	EXPECT_LE(32768, xt_port(a));
	EXPECT_GE(60999, xt_port(a));
	EXPECT_NE(xt_port(a), xt_port(b));
}

TEST_F(bind, given_port)
{
	struct sockaddr_in a;
	socklen_t len = sizeof(a);
	int fd = xt_socket(&self->x, 0);

	ASSERT_EQ(0, xt_bind(fd, "127.0.0.5", 7001));
	ASSERT_EQ(0, getsockname(fd, SA(&a), &len));
	EXPECT_EQ(7001, ntohs(a.sin_port));
	EXPECT_EQ(htonl(0x7f000005), a.sin_addr.s_addr);
}

TEST_F(bind, twice)
{
	int fd = xt_socket(&self->x, 0);

	ASSERT_EQ(0, xt_bind(fd, "127.0.0.1", 7001));
	EXPECT_ERR(EINVAL, xt_bind(fd, "127.0.0.1", 7002));
	EXPECT_EQ(7001, xt_port(fd));
}

TEST_F(bind, in_use)
{
	int a = xt_socket(&self->x, 0), b = xt_socket(&self->x, 0);

	ASSERT_EQ(0, xt_bind(a, "127.0.0.1", 7001));
	EXPECT_ERR(EADDRINUSE, xt_bind(b, "127.0.0.1", 7001));
	EXPECT_ERR(EADDRINUSE, xt_bind(b, "0.0.0.0", 7001));
	/* Another address with the same port is no conflict. */
	EXPECT_EQ(0, xt_bind(b, "127.0.0.2", 7001));
}

TEST_F(bind, wildcard_in_use)
{
	int a = xt_socket(&self->x, 0), b = xt_socket(&self->x, 0);

	ASSERT_EQ(0, xt_bind(a, "0.0.0.0", 7001));
	EXPECT_ERR(EADDRINUSE, xt_bind(b, "127.0.0.1", 7001));
	EXPECT_EQ(0, close(a));
	EXPECT_EQ(0, xt_bind(b, "127.0.0.1", 7001));
}

TEST_F(bind, reuseaddr)
{
	int a = xt_socket(&self->x, 0), b = xt_socket(&self->x, 0);
	int c = xt_socket(&self->x, 0);

	ASSERT_EQ(0, xt_set(a, SOL_SOCKET, SO_REUSEADDR, 1));
	ASSERT_EQ(0, xt_bind(a, "127.0.0.1", 7001));
	/* It takes both sides ... */
	EXPECT_ERR(EADDRINUSE, xt_bind(b, "127.0.0.1", 7001));
	ASSERT_EQ(0, xt_set(b, SOL_SOCKET, SO_REUSEADDR, 1));
	EXPECT_EQ(0, xt_bind(b, "127.0.0.1", 7001));
	/* ... and there is one listener only. */
	ASSERT_EQ(0, listen(a, 4));
	EXPECT_ERR(EADDRINUSE, listen(b, 4));
	ASSERT_EQ(0, xt_set(c, SOL_SOCKET, SO_REUSEADDR, 1));
	EXPECT_ERR(EADDRINUSE, xt_bind(c, "127.0.0.1", 7001));
}

TEST_F(bind, not_a_local_address)
{
	int fd = xt_socket(&self->x, 0);

	EXPECT_ERR(EADDRNOTAVAIL, xt_bind(fd, "192.0.2.1", 7001));
	/* The failure leaves the socket unbound. */
	EXPECT_EQ(0, xt_port(fd));
	EXPECT_EQ(0, xt_bind(fd, "127.0.0.1", 7001));
}

TEST_F(bind, bad_address)
{
	struct sockaddr_in a = xt_addr("127.0.0.1", 7001);
	int fd = xt_socket(&self->x, 0);

	EXPECT_ERR(EINVAL, bind(fd, SA(&a), sizeof(a) - 1));
	EXPECT_ERR(EINVAL, bind(fd, SA(&a), 0));
	EXPECT_ERR(EINVAL, bind(fd, SA(&a), -1));
	EXPECT_ERR(EINVAL, bind(fd, SA(&a), 4096));
	EXPECT_ERR(EFAULT, bind(fd, XT_BAD_PTR, sizeof(a)));
	a.sin_family = AF_UNIX;
	EXPECT_ERR(EAFNOSUPPORT, bind(fd, SA(&a), sizeof(a)));
	a.sin_family = AF_UNSPEC;
	EXPECT_ERR(EAFNOSUPPORT, bind(fd, SA(&a), sizeof(a)));
	EXPECT_EQ(0, xt_port(fd));
	/* An old courtesy of IPv4: AF_UNSPEC with the wildcard address. */
	a.sin_addr.s_addr = INADDR_ANY;
	EXPECT_EQ(0, bind(fd, SA(&a), sizeof(a)));
	EXPECT_EQ(7001, xt_port(fd));
}

/*
 * Security modules let addresses pass whose family they do not know: none but
 * AF_INET may be taken, not even for the socket's own number.
 */
TEST_F(bind, own_family_in_address)
{
	struct sockaddr_in a = xt_addr("127.0.0.1", 7001);
	int fd = xt_socket(&self->x, 0);

	a.sin_family = AF_XTCP;
	EXPECT_ERR(EAFNOSUPPORT, bind(fd, SA(&a), sizeof(a)));
	a.sin_addr.s_addr = INADDR_ANY;
	EXPECT_ERR(EAFNOSUPPORT, bind(fd, SA(&a), sizeof(a)));
	EXPECT_EQ(0, xt_port(fd));
}

TEST_F(bind, privileged_port)
{
	int fd = xt_socket(&self->x, 0);

	EXPECT_EQ(0, xt_bind(fd, "127.0.0.1", 80));
	close(fd);
	fd = xt_socket(&self->x, 0);
	/* Leaving user 0 drops the effective capabilities. */
	ASSERT_EQ(0, seteuid(65534));
	EXPECT_ERR(EACCES, xt_bind(fd, "127.0.0.1", 81));
	ASSERT_EQ(0, seteuid(0));
	EXPECT_EQ(0, xt_bind(fd, "127.0.0.1", 81));
}

TEST_F(bind, close_frees_the_port)
{
	int i, fd;

	for (i = 0; i < 50; i++) {
		fd = xt_socket(&self->x, 0);
		ASSERT_EQ(0, xt_bind(fd, "127.0.0.1", 7001));
		ASSERT_EQ(0, listen(fd, 4));
		ASSERT_EQ(0, close(fd));
	}
}

TEST_F(bind, client_port)
{
	struct sockaddr_in a;
	socklen_t len = sizeof(a);
	int c, s;

	ASSERT_EQ(0, xt_listen(&self->x, 4));
	c = xt_socket(&self->x, 0);
	ASSERT_EQ(0, xt_bind(c, "127.0.0.9", 7009));
	ASSERT_EQ(0, connect(c, SA(&self->x.addr), sizeof(self->x.addr)));
	s = accept(self->x.l, SA(&a), &len);
	ASSERT_LE(0, s);
	EXPECT_EQ(7009, ntohs(a.sin_port));
	EXPECT_EQ(htonl(0x7f000009), a.sin_addr.s_addr);
	EXPECT_ERR(EINVAL, xt_bind(c, "127.0.0.1", 7010));
}

TEST_F(bind, same_four_tuple)
{
	int a = xt_socket(&self->x, 0), b = xt_socket(&self->x, 0);

	ASSERT_EQ(0, xt_listen(&self->x, 4));
	ASSERT_EQ(0, xt_set(a, SOL_SOCKET, SO_REUSEADDR, 1));
	ASSERT_EQ(0, xt_set(b, SOL_SOCKET, SO_REUSEADDR, 1));
	ASSERT_EQ(0, xt_bind(a, "127.0.0.1", 7009));
	ASSERT_EQ(0, xt_bind(b, "127.0.0.1", 7009));
	ASSERT_EQ(0, connect(a, SA(&self->x.addr), sizeof(self->x.addr)));
	EXPECT_ERR(EADDRNOTAVAIL, connect(b, SA(&self->x.addr),
					  sizeof(self->x.addr)));
}

TEST_F(bind, one_port_two_peers)
{
	struct xt other = { .xtcp = variant->xtcp, .l = -1 };
	int a = xt_socket(&self->x, 0), b = xt_socket(&self->x, 0);

	ASSERT_EQ(0, xt_listen(&self->x, 4));
	ASSERT_EQ(0, xt_listen(&other, 4));
	ASSERT_EQ(0, xt_set(a, SOL_SOCKET, SO_REUSEADDR, 1));
	ASSERT_EQ(0, xt_set(b, SOL_SOCKET, SO_REUSEADDR, 1));
	ASSERT_EQ(0, xt_bind(a, "127.0.0.1", 7009));
	ASSERT_EQ(0, xt_bind(b, "127.0.0.1", 7009));
	EXPECT_EQ(0, connect(a, SA(&self->x.addr), sizeof(self->x.addr)));
	EXPECT_EQ(0, connect(b, SA(&other.addr), sizeof(other.addr)));
}

/* Closes the server's end first, so that its port is in TIME_WAIT. */
static int time_wait(struct xt *x)
{
	char b;

	if (xt_pair(x) || close(x->s) || read(x->c, &b, 1) || close(x->c))
		return -1;
	return close(x->l);
}

TEST_F(bind, time_wait_holds_the_port)
{
	int a = xt_socket(&self->x, 0), b = xt_socket(&self->x, 0);
	int port;

	ASSERT_EQ(0, time_wait(&self->x));
	port = ntohs(self->x.addr.sin_port);
	EXPECT_ERR(EADDRINUSE, xt_bind(a, "127.0.0.1", port));
	/* What every server does on restart. */
	ASSERT_EQ(0, xt_set(b, SOL_SOCKET, SO_REUSEADDR, 1));
	/* The dead listener's bucket has to carry the flag too, as in TCP. */
	EXPECT_ERR(EADDRINUSE, xt_bind(b, "127.0.0.1", port));
}

TEST_F(bind, time_wait_and_reuseaddr)
{
	socklen_t len = sizeof(self->x.addr);
	int fd = xt_socket(&self->x, 0), c;
	int port;

	self->x.l = xt_socket(&self->x, 0);
	ASSERT_EQ(0, xt_set(self->x.l, SOL_SOCKET, SO_REUSEADDR, 1));
	ASSERT_EQ(0, xt_bind(self->x.l, "127.0.0.1", 0));
	ASSERT_EQ(0, getsockname(self->x.l, SA(&self->x.addr), &len));
	ASSERT_EQ(0, listen(self->x.l, 4));
	ASSERT_EQ(0, time_wait(&self->x));
	port = ntohs(self->x.addr.sin_port);
	ASSERT_EQ(0, xt_set(fd, SOL_SOCKET, SO_REUSEADDR, 1));
	ASSERT_EQ(0, xt_bind(fd, "127.0.0.1", port));
	ASSERT_EQ(0, listen(fd, 4));
	c = xt_dial(&self->x);
	EXPECT_LE(0, c);
}

TEST_F(bind, ports_run_out)
{
	int fd[4], i, extra = xt_socket(&self->x, 0);

	ASSERT_EQ(0, xt_write_file("/proc/sys/net/ipv4/ip_local_port_range",
				   "40000 40003"));
	for (i = 0; i < 4; i++) {
		fd[i] = xt_socket(&self->x, 0);
		ASSERT_EQ(0, xt_bind(fd[i], "127.0.0.1", 0));
		EXPECT_LE(40000, xt_port(fd[i]));
		EXPECT_GE(40003, xt_port(fd[i]));
	}
	EXPECT_ERR(EADDRINUSE, xt_bind(extra, "127.0.0.1", 0));
	close(fd[2]);
	EXPECT_EQ(0, xt_bind(extra, "127.0.0.1", 0));
}

TEST_F(bind, client_ports_run_out)
{
	int i;

	ASSERT_EQ(0, xt_listen(&self->x, 16));
	ASSERT_EQ(0, xt_write_file("/proc/sys/net/ipv4/ip_local_port_range",
				   "30000 30003"));
	for (i = 0; i < 4; i++)
		ASSERT_LE(0, xt_dial(&self->x));
	EXPECT_ERR(EADDRNOTAVAIL, xt_dial(&self->x));
}

TEST_HARNESS_MAIN

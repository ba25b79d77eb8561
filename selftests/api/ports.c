// SPDX-License-Identifier: GPL-2.0
/*
 * Local ports: which one a socket gets that asked for none, who may have
 * which, devices, and tuples that are still in TIME_WAIT.
 */
#include "api.h"

#ifndef IP_LOCAL_PORT_RANGE
#define IP_LOCAL_PORT_RANGE 51
#endif

#define IPV4	"/proc/sys/net/ipv4/"
#define RANGE	IPV4 "ip_local_port_range"
#define LOW	32768	/* and narrowed below it, where no listener sits */

XT_FIXTURE(ports);

/* A setting of the transport under test. */
static int setting(const struct xt *x, const char *name, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "/proc/sys/net/%s%s",
		 x->xtcp ? "xtcp/" : "ipv4/tcp_", name);
	return xt_write_file(path, text);
}

static int listen_at(struct xt *x, const char *ip, int port)
{
	int fd = xt_socket(x, 0);

	if (fd < 0 || xt_bind(fd, ip, port) || listen(fd, 64))
		return -1;
	return fd;
}

static int bind_to(int fd, const char *dev)
{
	return setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, dev, strlen(dev));
}

static uint32_t local_addr(int fd)
{
	struct sockaddr_in a = { 0 };
	socklen_t len = sizeof(a);

	getsockname(fd, SA(&a), &len);
	return ntohl(a.sin_addr.s_addr);
}

/* A byte goes through between @c and what @l accepts. */
static bool works(int c, int l)
{
	int s = accept(l, NULL, NULL);
	char b = 0;
	bool ok = s >= 0 && write(c, "x", 1) == 1 && read(s, &b, 1) == 1 &&
		b == 'x';

	close(s);
	return ok;
}

TEST_F(ports, bind_address_no_port)
{
	int c = xt_socket(&self->x, 0);

	ASSERT_EQ(0, xt_listen(&self->x, 4));
	ASSERT_EQ(0, xt_set(c, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1));
	ASSERT_EQ(0, xt_bind(c, "127.0.0.5", 0));
	EXPECT_EQ(0, xt_port(c));
	EXPECT_EQ(0x7f000005, local_addr(c));
	ASSERT_EQ(0, connect(c, SA(&self->x.addr), sizeof(self->x.addr)));
	EXPECT_LE(LOW, xt_port(c));
	EXPECT_EQ(0x7f000005, local_addr(c));
	EXPECT_TRUE(works(c, self->x.l));
}

TEST_F(ports, one_port_for_many_destinations)
{
	int a = xt_socket(&self->x, 0), b = xt_socket(&self->x, 0);
	int l[2], c, n = 0;

	ASSERT_LE(0, l[0] = listen_at(&self->x, "127.0.0.1", 7001));
	ASSERT_LE(0, l[1] = listen_at(&self->x, "127.0.0.1", 7002));
	ASSERT_EQ(0, xt_write_file(RANGE, "30000 30000"));
	ASSERT_EQ(0, xt_set(a, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1));
	ASSERT_EQ(0, xt_set(b, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1));
	ASSERT_EQ(0, xt_bind(a, "127.0.0.5", 0));
	ASSERT_EQ(0, xt_bind(b, "127.0.0.5", 0));
	EXPECT_EQ(0, xt_connect(a, "127.0.0.1", 7001));
	EXPECT_EQ(0, xt_connect(b, "127.0.0.1", 7002));
	EXPECT_EQ(30000, xt_port(a));
	EXPECT_EQ(30000, xt_port(b));
	EXPECT_TRUE(works(a, l[0]));
	EXPECT_TRUE(works(b, l[1]));
	/* Other addresses of ours have the port too, but nobody can bind it. */
	c = xt_socket(&self->x, 0);
	EXPECT_EQ(0, xt_connect(c, "127.0.0.1", 7001));
	n = xt_socket(&self->x, 0);
	EXPECT_ERR(EADDRNOTAVAIL, xt_connect(n, "127.0.0.1", 7001));
	EXPECT_ERR(EADDRINUSE, xt_bind(n, "0.0.0.0", 0));
	EXPECT_ERR(EADDRINUSE, xt_bind(n, "127.0.0.5", 30000));
}

TEST_F(ports, reserved)
{
	int a = xt_socket(&self->x, 0), b = xt_socket(&self->x, 0);

	ASSERT_EQ(0, xt_listen(&self->x, 4));
	ASSERT_EQ(0, xt_write_file(RANGE, "30000 30003"));
	ASSERT_EQ(0, xt_write_file(IPV4 "ip_local_reserved_ports",
				   "30000-30001,30003"));
	ASSERT_EQ(0, xt_bind(a, "127.0.0.1", 0));
	EXPECT_EQ(30002, xt_port(a));
	EXPECT_ERR(EADDRINUSE, xt_bind(b, "127.0.0.1", 0));
	EXPECT_ERR(EADDRNOTAVAIL, xt_dial(&self->x));
	close(a);
	a = xt_dial(&self->x);
	EXPECT_EQ(30002, xt_port(a));
	/* They are kept from chance only. */
	EXPECT_EQ(0, xt_bind(b, "127.0.0.1", 30001));
}

TEST_F(ports, parity_and_halves)
{
	int i, fd, low = 30000, half = 30100;

	ASSERT_EQ(0, xt_listen(&self->x, 64));
	ASSERT_EQ(0, xt_write_file(RANGE, "30000 30199"));
	for (i = 0; i < 20; i++) {
		ASSERT_LE(0, fd = xt_dial(&self->x));
		EXPECT_EQ(0, xt_port(fd) & 1);
		fd = xt_socket(&self->x, 0);
		ASSERT_EQ(0, xt_bind(fd, "127.0.0.1", 0));
		EXPECT_EQ(1, xt_port(fd) & 1);
		fd = xt_socket(&self->x, 0);
		ASSERT_EQ(0, xt_set(fd, SOL_SOCKET, SO_REUSEADDR, 1));
		ASSERT_EQ(0, xt_bind(fd, "127.0.0.1", 0));
		EXPECT_LE(low, xt_port(fd));
		EXPECT_GT(half, xt_port(fd));
	}
}

TEST_F(ports, whole_range_is_used)
{
	static bool seen[32];
	int i, fd;

	ASSERT_EQ(0, xt_listen(&self->x, 64));
	ASSERT_EQ(0, xt_write_file(RANGE, "30000 30031"));
	for (i = 0; i < 32; i++) {
		fd = i & 1 ? xt_dial(&self->x) : xt_socket(&self->x, 0);
		ASSERT_LE(0, fd);
		if (!(i & 1))
			ASSERT_EQ(0, xt_bind(fd, "127.0.0.1", 0));
		ASSERT_LE(30000, xt_port(fd));
		ASSERT_GE(30031, xt_port(fd));
		EXPECT_FALSE(seen[xt_port(fd) - 30000]);
		seen[xt_port(fd) - 30000] = true;
	}
	EXPECT_ERR(EADDRNOTAVAIL, xt_dial(&self->x));
	fd = xt_socket(&self->x, 0);
	EXPECT_ERR(EADDRINUSE, xt_bind(fd, "127.0.0.1", 0));
}

TEST_F(ports, no_pattern_over_destinations)
{
	int i, k, fd, port[16], near = 0, last, d;
	char ip[32];

	ASSERT_LE(0, self->x.l = listen_at(&self->x, "0.0.0.0", 7001));
	for (i = 0; i < 16; i++) {
		snprintf(ip, sizeof(ip), "127.0.1.%d", i + 1);
		fd = xt_socket(&self->x, 0);
		ASSERT_EQ(0, xt_connect(fd, ip, 7001));
		port[i] = xt_port(fd);
		for (k = 0; k < i; k++)
			near += abs(port[i] - port[k]) <= 64;
	}
	/* 120 pairs, each near by chance once in 220. */
	EXPECT_GT(12, near);
	/* To one destination: onwards, in steps of chance. */
	fd = xt_socket(&self->x, 0);
	ASSERT_EQ(0, xt_connect(fd, "127.0.2.1", 7001));
	last = xt_port(fd);
	for (i = 0; i < 16; i++) {
		fd = xt_socket(&self->x, 0);
		ASSERT_EQ(0, xt_connect(fd, "127.0.2.1", 7001));
		d = (xt_port(fd) - last + 28232) % 28232;
		EXPECT_LT(0, d);
		EXPECT_GE(64, d);
		last = xt_port(fd);
	}
}

TEST_F(ports, range_of_its_own)
{
	uint32_t range = 31003u << 16 | 31000;
	int a = xt_socket(&self->x, 0), b = xt_socket(&self->x, 0);

	ASSERT_EQ(0, xt_listen(&self->x, 4));
	ASSERT_EQ(0, xt_write_file(RANGE, "31000 31999"));
	if (setsockopt(a, IPPROTO_IP, IP_LOCAL_PORT_RANGE, &range,
		       sizeof(range)) && errno == ENOPROTOOPT)
		SKIP(return, "no IP_LOCAL_PORT_RANGE in this kernel");
	ASSERT_EQ(0, setsockopt(b, IPPROTO_IP, IP_LOCAL_PORT_RANGE, &range,
				sizeof(range)));
	ASSERT_EQ(0, connect(a, SA(&self->x.addr), sizeof(self->x.addr)));
	EXPECT_LE(31000, xt_port(a));
	EXPECT_GE(31003, xt_port(a));
	ASSERT_EQ(0, xt_bind(b, "127.0.0.1", 0));
	EXPECT_LE(31000, xt_port(b));
	EXPECT_GE(31003, xt_port(b));
	EXPECT_NE(xt_port(a), xt_port(b));
}

TEST_F(ports, chance_port_goes_with_a_failed_connect)
{
	int a = xt_socket(&self->x, 0), b = xt_socket(&self->x, 0);

	ASSERT_EQ(0, xt_bind(a, "127.0.0.1", 0));
	ASSERT_EQ(0, xt_bind(b, "127.0.0.1", 7001));
	EXPECT_ERR(ECONNREFUSED, xt_connect(a, "127.0.0.1", 7));
	EXPECT_ERR(ECONNREFUSED, xt_connect(b, "127.0.0.1", 7));
	EXPECT_EQ(0, xt_bind(a, "127.0.0.1", 7002));
	EXPECT_ERR(EINVAL, xt_bind(b, "127.0.0.1", 7003));
	EXPECT_EQ(7001, xt_port(b));
}

TEST_F(ports, unprivileged_start)
{
	int a = xt_socket(&self->x, 0), b = xt_socket(&self->x, 0);

	ASSERT_EQ(0, xt_write_file(IPV4 "ip_unprivileged_port_start", "81"));
	ASSERT_EQ(0, seteuid(65534));
	EXPECT_ERR(EACCES, xt_bind(a, "127.0.0.1", 80));
	EXPECT_EQ(0, xt_bind(b, "127.0.0.1", 81));
	ASSERT_EQ(0, seteuid(0));
}

TEST_F(ports, addresses_not_ours)
{
	int a = xt_socket(&self->x, 0), b = xt_socket(&self->x, 0);
	int c = xt_socket(&self->x, 0), d = xt_socket(&self->x, 0);

	ASSERT_EQ(0, xt_set(a, IPPROTO_IP, IP_FREEBIND, 1));
	EXPECT_EQ(0, xt_bind(a, "192.0.2.1", 7001));
	EXPECT_EQ(0, listen(a, 4));
	ASSERT_EQ(0, xt_set(b, IPPROTO_IP, IP_TRANSPARENT, 1));
	EXPECT_EQ(0, xt_bind(b, "192.0.2.1", 7002));
	EXPECT_ERR(EADDRNOTAVAIL, xt_bind(c, "192.0.2.1", 7003));
	ASSERT_EQ(0, xt_write_file(IPV4 "ip_nonlocal_bind", "1"));
	EXPECT_EQ(0, xt_bind(c, "192.0.2.1", 7003));
	ASSERT_EQ(0, xt_write_file(IPV4 "ip_nonlocal_bind", "0"));
	/* Groups and broadcasts can be bound, and nobody comes. */
	EXPECT_EQ(0, xt_bind(d, "224.0.0.1", 7004));
	EXPECT_EQ(0, listen(d, 4));
}

TEST_F(ports, device_of_a_listener)
{
	int on_lo = xt_socket(&self->x, 0), on_dummy = xt_socket(&self->x, 0);
	int any = xt_socket(&self->x, 0), c, s;
	char dev[IFNAMSIZ] = "";
	socklen_t len = sizeof(dev);

	ASSERT_EQ(0, system("ip link add xtd0 type dummy && ip link set xtd0 up"));
	ASSERT_EQ(0, bind_to(on_dummy, "xtd0"));
	ASSERT_EQ(0, xt_bind(on_dummy, "0.0.0.0", 7001));
	ASSERT_EQ(0, listen(on_dummy, 4));
	c = xt_socket(&self->x, 0);
	EXPECT_ERR(ECONNREFUSED, xt_connect(c, "127.0.0.1", 7001));

	ASSERT_EQ(0, bind_to(on_lo, "lo"));
	ASSERT_EQ(0, xt_bind(on_lo, "0.0.0.0", 7001));
	ASSERT_EQ(0, listen(on_lo, 4));
	ASSERT_EQ(0, xt_connect(c, "127.0.0.1", 7001));
	ASSERT_LE(0, s = accept(on_lo, NULL, NULL));
	ASSERT_EQ(0, getsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, dev, &len));
	EXPECT_STREQ("lo", dev);
	/* And from a device of its own to a listener on any. */
	ASSERT_EQ(0, xt_bind(any, "0.0.0.0", 7002));
	ASSERT_EQ(0, listen(any, 4));
	c = xt_socket(&self->x, 0);
	ASSERT_EQ(0, bind_to(c, "lo"));
	ASSERT_EQ(0, xt_connect(c, "127.0.0.1", 7002));
	EXPECT_TRUE(works(c, any));
}

TEST_F(ports, device_of_a_client)
{
	int c = xt_socket(&self->x, SOCK_NONBLOCK);

	ASSERT_EQ(0, system("ip link add xtd0 type dummy && ip link set xtd0 up"));
	ASSERT_EQ(0, xt_listen(&self->x, 4));
	ASSERT_EQ(0, bind_to(c, "xtd0"));
	/* It leads nowhere, so no answer comes. */
	EXPECT_ERR(EINPROGRESS, connect(c, SA(&self->x.addr),
					sizeof(self->x.addr)));
	EXPECT_EQ(0, xt_poll_now(c));
	EXPECT_EQ(0, xt_poll_now(self->x.l));
}

/* @c's connection to what @l accepts works, and ends in TIME_WAIT here. */
static bool ends_here(int c, int l)
{
	int s = accept(l, NULL, NULL);
	char b = 0;

	return s >= 0 && write(c, "x", 1) == 1 && read(s, &b, 1) == 1 &&
		!close(c) && !read(s, &b, 1) && !close(s);
}

/* A connection from @ip, @port (0: any) to self->x.l, and its end: TIME_WAIT. */
static int to_time_wait(struct xt *x, const char *ip, int port)
{
	x->c = xt_socket(x, 0);
	if (port && xt_bind(x->c, ip, port))
		return -1;
	if (connect(x->c, SA(&x->addr), sizeof(x->addr)))
		return -1;
	return ends_here(x->c, x->l) ? 0 : -1;
}

TEST_F(ports, time_wait_and_a_port_of_choice)
{
	int c = xt_socket(&self->x, 0);

	ASSERT_EQ(0, xt_listen(&self->x, 4));
	ASSERT_EQ(0, to_time_wait(&self->x, "127.0.0.1", 7009));
	EXPECT_ERR(EADDRINUSE, xt_bind(c, "127.0.0.1", 7009));
	/* By its timestamps the new connection is told from the old. */
	ASSERT_EQ(0, xt_set(c, SOL_SOCKET, SO_REUSEADDR, 1));
	EXPECT_ERR(EADDRINUSE, xt_bind(c, "127.0.0.1", 7009));
	EXPECT_ERR(EADDRINUSE, xt_bind(c, "0.0.0.0", 7009));
}

TEST_F(ports, time_wait_taken_over)
{
	int c[3], i;

	ASSERT_EQ(0, xt_listen(&self->x, 4));
	for (i = 0; i < 3; i++) {
		c[i] = xt_socket(&self->x, 0);
		ASSERT_EQ(0, xt_set(c[i], SOL_SOCKET, SO_REUSEADDR, 1));
	}
	ASSERT_EQ(0, xt_bind(c[0], "127.0.0.1", 7009));
	ASSERT_EQ(0, xt_bind(c[1], "127.0.0.1", 7009));
	ASSERT_EQ(0, xt_bind(c[2], "127.0.0.1", 7009));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, connect(c[i], SA(&self->x.addr),
				     sizeof(self->x.addr)));
		EXPECT_TRUE(ends_here(c[i], self->x.l));
	}
	ASSERT_EQ(0, setting(&self->x, "timestamps", "0"));
	EXPECT_EQ(0, connect(c[2], SA(&self->x.addr), sizeof(self->x.addr)));
}

TEST_F(ports, time_wait_without_timestamps)
{
	int c = xt_socket(&self->x, 0), d = xt_socket(&self->x, 0);

	ASSERT_EQ(0, setting(&self->x, "timestamps", "0"));
	ASSERT_EQ(0, xt_listen(&self->x, 4));
	ASSERT_EQ(0, xt_set(c, SOL_SOCKET, SO_REUSEADDR, 1));
	ASSERT_EQ(0, xt_set(d, SOL_SOCKET, SO_REUSEADDR, 1));
	ASSERT_EQ(0, xt_bind(c, "127.0.0.1", 7009));
	ASSERT_EQ(0, xt_bind(d, "127.0.0.1", 7009));
	ASSERT_EQ(0, connect(c, SA(&self->x.addr), sizeof(self->x.addr)));
	EXPECT_TRUE(ends_here(c, self->x.l));
	EXPECT_ERR(EADDRNOTAVAIL, connect(d, SA(&self->x.addr),
					  sizeof(self->x.addr)));
}

TEST_F(ports, time_wait_and_a_port_of_chance)
{
	int c = -1;

	ASSERT_EQ(0, xt_listen(&self->x, 4));
	ASSERT_EQ(0, xt_write_file(RANGE, "30000 30000"));
	ASSERT_EQ(0, to_time_wait(&self->x, "127.0.0.1", 0));
	ASSERT_EQ(0, setting(&self->x, "tw_reuse", "0"));
	EXPECT_ERR(EADDRNOTAVAIL, xt_dial(&self->x));
	/* Within the machine the tuple is free a second later. */
	ASSERT_EQ(0, setting(&self->x, "tw_reuse", "2"));
	EXPECT_TRUE(XT_UNTIL((c = xt_dial(&self->x)) >= 0));
	EXPECT_EQ(30000, xt_port(c));
	EXPECT_TRUE(works(c, self->x.l));
}

TEST_F(ports, time_wait_beyond_the_machine)
{
	char dev[] = "lo:1";
	struct ifreq ifr = { 0 };
	struct sockaddr_in me = xt_addr("10.9.0.1", 0);
	int fd = socket(AF_INET, SOCK_DGRAM, 0), i, c = -1;

	/* An address that does not look like loopback. */
	strcpy(ifr.ifr_name, dev);
	memcpy(&ifr.ifr_addr, &me, sizeof(me));
	ASSERT_EQ(0, ioctl(fd, SIOCSIFADDR, &ifr));
	ASSERT_LE(0, self->x.l = listen_at(&self->x, "10.9.0.1", 7001));
	self->x.addr = xt_addr("10.9.0.1", 7001);
	ASSERT_EQ(0, xt_write_file(RANGE, "30000 30000"));
	ASSERT_EQ(0, to_time_wait(&self->x, "10.9.0.1", 0));
	/* More than the second after which it would be free within. */
	for (i = 0; i < 22; i++) {
		usleep(100000);
		ASSERT_EQ(-1, c = xt_dial(&self->x));
	}
	ASSERT_EQ(0, setting(&self->x, "tw_reuse", "1"));
	ASSERT_LE(0, c = xt_dial(&self->x));
	EXPECT_TRUE(works(c, self->x.l));
}

/* Two sockets that call each other; how long the calls took, or -1. */
static int call_each_other(const struct xt *x, int port, int *a, int *b)
{
	long long began = xt_now_ms();

	*a = xt_socket(x, SOCK_NONBLOCK);
	*b = xt_socket(x, SOCK_NONBLOCK);
	if (xt_bind(*a, "127.0.0.1", port) ||
	    xt_bind(*b, "127.0.0.1", port + 1) ||
	    !xt_connect(*a, "127.0.0.1", port + 1) || errno != EINPROGRESS ||
	    !xt_connect(*b, "127.0.0.1", port) || errno != EINPROGRESS)
		return -1;
	return xt_now_ms() - began;
}

TEST_F(ports, two_connect_to_each_other)
{
	int a, b, took, port = 7001;
	char buf;

	/* Their SYNs have to be under way at the same time: a machine that
	 * stood still between them gets another chance.
	 */
	if (system("tc qdisc add dev lo root netem delay 400ms 2>/dev/null"))
		SKIP(return, "no netem");
	do {
		took = call_each_other(&self->x, port, &a, &b);
		ASSERT_LE(0, took);
		port += 2;
	} while (took > 300 && port < 7010);
	ASSERT_TRUE(xt_wait(a, POLLOUT));
	ASSERT_TRUE(xt_wait(b, POLLOUT));
	EXPECT_EQ(0, xt_error(a));
	EXPECT_EQ(0, xt_error(b));
	EXPECT_EQ(1, write(a, "a", 1));
	EXPECT_EQ(1, write(b, "b", 1));
	ASSERT_TRUE(xt_wait(a, POLLIN));
	ASSERT_TRUE(xt_wait(b, POLLIN));
	EXPECT_EQ(1, read(a, &buf, 1));
	EXPECT_EQ('b', buf);
	EXPECT_EQ(1, read(b, &buf, 1));
	EXPECT_EQ('a', buf);
}

TEST_F(ports, connect_to_port_0_and_broadcast)
{
	int c = xt_socket(&self->x, 0);

	EXPECT_ERR(ECONNREFUSED, xt_connect(c, "127.0.0.1", 0));
	EXPECT_ERR(ENETUNREACH, xt_connect(c, "127.255.255.255", 7));
	ASSERT_EQ(0, xt_set(c, SOL_SOCKET, SO_BROADCAST, 1));
	EXPECT_ERR(ENETUNREACH, xt_connect(c, "127.255.255.255", 7));
}

TEST_HARNESS_MAIN

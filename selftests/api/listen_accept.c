// SPDX-License-Identifier: GPL-2.0
/* listen(2), accept(2), accept4(2), and the queue between them. */
#include "api.h"
#include <linux/filter.h>
#include <sys/prctl.h>

XT_FIXTURE(listen);

TEST_F(listen, unbound_gets_a_port)
{
	int fd = xt_socket(&self->x, 0), c = xt_socket(&self->x, 0);

	ASSERT_EQ(0, listen(fd, 4));
	ASSERT_LT(0, xt_port(fd));
	EXPECT_EQ(0, xt_connect(c, "127.0.0.1", xt_port(fd)));
	EXPECT_LE(0, accept(fd, NULL, NULL));
}

TEST_F(listen, acceptconn)
{
	ASSERT_EQ(0, xt_pair(&self->x));
	EXPECT_EQ(1, xt_get(self->x.l, SOL_SOCKET, SO_ACCEPTCONN));
	EXPECT_EQ(0, xt_get(self->x.s, SOL_SOCKET, SO_ACCEPTCONN));
	EXPECT_EQ(0, xt_get(self->x.c, SOL_SOCKET, SO_ACCEPTCONN));
}

TEST_F(listen, again_changes_the_backlog)
{
	int i;

	ASSERT_EQ(0, xt_listen(&self->x, 0));
	EXPECT_EQ(0, listen(self->x.l, 8));
	for (i = 0; i < 8; i++)
		ASSERT_LE(0, xt_dial(&self->x));
	for (i = 0; i < 8; i++)
		ASSERT_LE(0, accept(self->x.l, NULL, NULL));
}

TEST_F(listen, wrong_state)
{
	int fd = xt_socket(&self->x, 0);

	ASSERT_EQ(0, xt_pair(&self->x));
	EXPECT_ERR(EINVAL, listen(self->x.c, 4));
	EXPECT_ERR(EINVAL, listen(self->x.s, 4));
	EXPECT_ERR(EISCONN, connect(self->x.l, SA(&self->x.addr),
				    sizeof(self->x.addr)));
	EXPECT_ERR(EINVAL, accept(fd, NULL, NULL));
	EXPECT_ERR(EINVAL, accept(self->x.c, NULL, NULL));
}

TEST_F(listen, data_calls)
{
	char b = 0;

	ASSERT_EQ(0, xt_listen(&self->x, 4));
	EXPECT_ERR(EPIPE, send(self->x.l, &b, 1, MSG_NOSIGNAL));
	EXPECT_ERR(ENOTCONN, recv(self->x.l, &b, 1, 0));
	EXPECT_ERR(ENOTCONN, recv(self->x.l, &b, 1, MSG_DONTWAIT));
}

TEST_F(listen, accept_would_block)
{
	ASSERT_EQ(0, xt_listen(&self->x, 4));
	ASSERT_EQ(0, xt_nonblock(self->x.l, true));
	EXPECT_ERR(EAGAIN, accept(self->x.l, NULL, NULL));
	EXPECT_ERR(EAGAIN, accept4(self->x.l, NULL, NULL, SOCK_NONBLOCK));
}

TEST_F(listen, accept_timeout)
{
	long long t;

	ASSERT_EQ(0, xt_listen(&self->x, 4));
	ASSERT_EQ(0, xt_set_time(self->x.l, SO_RCVTIMEO, 100));
	t = xt_now_ms();
	EXPECT_ERR(EAGAIN, accept(self->x.l, NULL, NULL));
	EXPECT_LE(100 - XT_TICKS, xt_now_ms() - t);
}

TEST_F(listen, accept_gives_the_peer)
{
	struct sockaddr_in a, b;
	socklen_t len = sizeof(a), blen = sizeof(b);
	int s;

	ASSERT_EQ(0, xt_listen(&self->x, 4));
	self->x.c = xt_dial(&self->x);
	ASSERT_LE(0, self->x.c);
	memset(&a, 0xff, sizeof(a));
	s = accept(self->x.l, SA(&a), &len);
	ASSERT_LE(0, s);
	EXPECT_EQ(sizeof(a), len);
	ASSERT_EQ(0, getsockname(self->x.c, SA(&b), &blen));
	EXPECT_EQ(0, memcmp(&a, &b, sizeof(a)));
}

TEST_F(listen, accept_short_address)
{
	char raw[16];
	socklen_t len = 2;

	ASSERT_EQ(0, xt_listen(&self->x, 4));
	ASSERT_LE(0, xt_dial(&self->x));
	memset(raw, 0x5a, sizeof(raw));
	ASSERT_LE(0, accept(self->x.l, SA(raw), &len));
	EXPECT_EQ(sizeof(struct sockaddr_in), len);
	EXPECT_EQ(0x5a, raw[2]);
}

TEST_F(listen, accept_bad_pointers)
{
	struct sockaddr_in a;
	socklen_t len = sizeof(a);

	ASSERT_EQ(0, xt_listen(&self->x, 4));
	ASSERT_LE(0, xt_dial(&self->x));
	EXPECT_ERR(EFAULT, accept(self->x.l, XT_BAD_PTR, &len));
	ASSERT_LE(0, xt_dial(&self->x));
	EXPECT_ERR(EFAULT, accept(self->x.l, SA(&a), XT_BAD_PTR));
	ASSERT_LE(0, xt_dial(&self->x));
	len = -1;
	EXPECT_ERR(EINVAL, accept(self->x.l, SA(&a), &len));
	/* The listener survives all of it. */
	ASSERT_LE(0, xt_dial(&self->x));
	EXPECT_LE(0, accept(self->x.l, NULL, NULL));
}

TEST_F(listen, accept4_flags)
{
	int s;

	ASSERT_EQ(0, xt_listen(&self->x, 4));
	ASSERT_LE(0, xt_dial(&self->x));
	ASSERT_LE(0, xt_dial(&self->x));
	ASSERT_TRUE(XT_UNTIL(xt_waiting(&self->x.l, 1) == 2));
	s = accept4(self->x.l, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	ASSERT_LE(0, s);
	EXPECT_EQ(FD_CLOEXEC, fcntl(s, F_GETFD));
	EXPECT_NE(0, fcntl(s, F_GETFL) & O_NONBLOCK);
	ASSERT_EQ(0, xt_nonblock(self->x.l, true));
	/* O_NONBLOCK is not inherited on Linux. */
	s = accept(self->x.l, NULL, NULL);
	ASSERT_LE(0, s);
	EXPECT_EQ(0, fcntl(s, F_GETFD));
	EXPECT_EQ(0, fcntl(s, F_GETFL) & O_NONBLOCK);
	EXPECT_ERR(EINVAL, accept4(self->x.l, NULL, NULL, 0x4));
}

TEST_F(listen, child_inherits_options)
{
	struct linger lg;
	socklen_t len = sizeof(lg);

	ASSERT_EQ(0, xt_listen(&self->x, 4));
	ASSERT_EQ(0, xt_set(self->x.l, SOL_SOCKET, SO_RCVBUF, 20000));
	ASSERT_EQ(0, xt_set(self->x.l, SOL_SOCKET, SO_SNDBUF, 30000));
	ASSERT_EQ(0, xt_set(self->x.l, IPPROTO_TCP, TCP_NODELAY, 1));
	ASSERT_EQ(0, xt_set(self->x.l, SOL_SOCKET, SO_REUSEADDR, 1));
	ASSERT_EQ(0, xt_set_time(self->x.l, SO_RCVTIMEO, 7000));
	ASSERT_EQ(0, xt_linger(self->x.l, 1, 7));
	ASSERT_EQ(0, xt_pair(&self->x));
	EXPECT_EQ(40000, xt_get(self->x.s, SOL_SOCKET, SO_RCVBUF));
	EXPECT_EQ(60000, xt_get(self->x.s, SOL_SOCKET, SO_SNDBUF));
	EXPECT_EQ(1, xt_get(self->x.s, IPPROTO_TCP, TCP_NODELAY));
	EXPECT_EQ(1, xt_get(self->x.s, SOL_SOCKET, SO_REUSEADDR));
	ASSERT_EQ(0, getsockopt(self->x.s, SOL_SOCKET, SO_LINGER, &lg, &len));
	EXPECT_EQ(1, lg.l_onoff);
	EXPECT_EQ(7, lg.l_linger);
	EXPECT_EQ(xt_proto(&self->x),
		  xt_get(self->x.s, SOL_SOCKET, SO_PROTOCOL));
}

TEST_F(listen, fifo)
{
	int c[8], i, s;
	char b;

	ASSERT_EQ(0, xt_listen(&self->x, 8));
	for (i = 0; i < 8; i++) {
		c[i] = xt_dial(&self->x);
		ASSERT_LE(0, c[i]);
		b = i;
		ASSERT_EQ(1, write(c[i], &b, 1));
	}
	for (i = 0; i < 8; i++) {
		s = accept(self->x.l, NULL, NULL);
		ASSERT_LE(0, s);
		ASSERT_EQ(1, read(s, &b, 1));
		EXPECT_EQ(i, b);
	}
}

TEST_F(listen, backlog_plus_one_fit)
{
	int i, late;

	ASSERT_EQ(0, xt_listen(&self->x, 2));
	for (i = 0; i < 3; i++)
		ASSERT_LE(0, xt_dial(&self->x));
	ASSERT_TRUE(XT_UNTIL(xt_waiting(&self->x.l, 1) == 3));
	late = xt_socket(&self->x, SOCK_NONBLOCK);
	EXPECT_ERR(EINPROGRESS, connect(late, SA(&self->x.addr),
					sizeof(self->x.addr)));
	/* No room: neither accepted nor refused, its SYN is dropped ... */
	struct pollfd p = { .fd = late, .events = POLLOUT };

	EXPECT_EQ(0, poll(&p, 1, 300));
	/* ... and tried again, so it gets in once there is room. */
	for (i = 0; i < 3; i++)
		ASSERT_LE(0, accept(self->x.l, NULL, NULL));
	ASSERT_TRUE(xt_wait(late, POLLOUT));
	EXPECT_EQ(0, xt_error(late));
	EXPECT_LE(0, accept(self->x.l, NULL, NULL));
}

TEST_F(listen, backlog_limited_by_somaxconn)
{
	struct pollfd p = { .events = POLLOUT };
	int i;

	if (xt_write_file("/proc/sys/net/core/somaxconn", "1"))
		SKIP(return, "somaxconn cannot be set here");
	ASSERT_EQ(0, xt_listen(&self->x, 100));
	for (i = 0; i < 2; i++)
		ASSERT_LE(0, xt_dial(&self->x));
	ASSERT_TRUE(XT_UNTIL(xt_waiting(&self->x.l, 1) == 2));
	p.fd = xt_socket(&self->x, SOCK_NONBLOCK);
	EXPECT_ERR(EINPROGRESS, connect(p.fd, SA(&self->x.addr),
					sizeof(self->x.addr)));
	EXPECT_EQ(0, poll(&p, 1, 300));
}

TEST_F(listen, negative_backlog_is_the_maximum)
{
	int i;

	ASSERT_EQ(0, xt_listen(&self->x, -1));
	for (i = 0; i < 40; i++)
		ASSERT_LE(0, xt_dial(&self->x));
}

TEST_F(listen, close_resets_the_waiting)
{
	char b;

	ASSERT_EQ(0, xt_listen(&self->x, 4));
	self->x.c = xt_dial(&self->x);
	ASSERT_LE(0, self->x.c);
	ASSERT_EQ(0, close(self->x.l));
	EXPECT_ERR(ECONNRESET, read(self->x.c, &b, 1));
	EXPECT_EQ(0, read(self->x.c, &b, 1));
	EXPECT_EQ(-1, xt_dial(&self->x));
	EXPECT_EQ(ECONNREFUSED, errno);
}

TEST_F(listen, close_keeps_the_accepted)
{
	char b = 'x';

	ASSERT_EQ(0, xt_pair(&self->x));
	ASSERT_EQ(0, close(self->x.l));
	EXPECT_EQ(1, write(self->x.c, &b, 1));
	EXPECT_EQ(1, read(self->x.s, &b, 1));
	EXPECT_EQ(1, write(self->x.s, &b, 1));
	EXPECT_EQ(1, read(self->x.c, &b, 1));
}

TEST_F(listen, data_and_end_before_accept)
{
	char b[8];
	int s;

	ASSERT_EQ(0, xt_listen(&self->x, 4));
	self->x.c = xt_dial(&self->x);
	ASSERT_EQ(5, write(self->x.c, "early", 5));
	ASSERT_EQ(0, close(self->x.c));
	s = accept(self->x.l, NULL, NULL);
	ASSERT_LE(0, s);
	EXPECT_EQ(5, xt_read_all(s, b, sizeof(b)));
	EXPECT_EQ(0, memcmp(b, "early", 5));
}

TEST_F(listen, reset_before_accept)
{
	char b;
	int s;

	ASSERT_EQ(0, xt_listen(&self->x, 4));
	self->x.c = xt_dial(&self->x);
	ASSERT_LE(0, self->x.c);
	ASSERT_TRUE(xt_wait(self->x.l, POLLIN));
	ASSERT_EQ(0, xt_linger(self->x.c, 1, 0));
	ASSERT_EQ(0, close(self->x.c));
	/* Linux hands the dead connection out; the error is on it. */
	s = accept(self->x.l, NULL, NULL);
	ASSERT_LE(0, s);
	EXPECT_ERR(ECONNRESET, read(s, &b, 1));
}

/* Every segment takes its time on the way to the listener. */
static int slow_filter(int fd)
{
	static struct sock_filter code[2000];
	struct sock_fprog prog = { .len = 2000, .filter = code };
	int i;

	for (i = 0; i < 1999; i++)
		code[i] = (struct sock_filter)BPF_STMT(BPF_ALU | BPF_ADD |
						       BPF_K, i);
	code[i] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0xffff);
	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog,
			  sizeof(prog));
}

/* A child process that connects and resets, again and again; its number. */
static pid_t knock(const struct xt *x)
{
	pid_t pid = fork();
	int fd;

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		fd = xt_socket(x, SOCK_NONBLOCK);
		connect(fd, SA(&x->addr), sizeof(x->addr));
		xt_linger(fd, 1, 0);
		close(fd);
	}
}

#define OPENS(x)	xt_counter(x, "PassiveOpens")

/*
 * A segment or a timer that has found a request may find its listener closed
 * and open again before it looks further.
 */
TEST_F(listen, again_under_fire)
{
	pid_t pid[2];
	int i;

	/* In 6.12.117 tcp_v4_conn_request() sooner or later meets a SYN whose
	 * route was dropped when it waited for the socket, and oopses.
	 */
	if (!self->x.xtcp)
		SKIP(return, "the kernel's own TCP may not survive this");
	/* Only a port that was asked for is kept, and is not free as long as
	 * a connection of it lives.
	 */
	self->x.l = xt_socket(&self->x, 0);
	ASSERT_EQ(0, xt_set(self->x.l, SOL_SOCKET, SO_REUSEADDR, 1));
	self->x.addr = xt_addr("127.0.0.1", 7001);
	ASSERT_EQ(0, xt_bind(self->x.l, "127.0.0.1", 7001));
	ASSERT_EQ(0, listen(self->x.l, 4));
	ASSERT_EQ(0, slow_filter(self->x.l));
	for (i = 0; i < 2; i++)
		ASSERT_LT(0, pid[i] = knock(&self->x));
	ASSERT_TRUE(XT_UNTIL(OPENS(&self->x) > 0));
	while (OPENS(&self->x) < 1000) {
		ASSERT_EQ(0, shutdown(self->x.l, SHUT_RD));
		ASSERT_EQ(0, listen(self->x.l, 4));
	}
	for (i = 0; i < 2; i++) {
		kill(pid[i], SIGKILL);
		waitpid(pid[i], NULL, 0);
	}
	ASSERT_EQ(0, shutdown(self->x.l, SHUT_RD));
	ASSERT_EQ(0, listen(self->x.l, 4));
	EXPECT_LE(0, xt_dial(&self->x));
	EXPECT_LE(0, accept(self->x.l, NULL, NULL));
}

static void *accept_one(void *arg)
{
	int fd = accept(*(int *)arg, NULL, NULL);

	return (void *)(long)(fd < 0 ? -errno : fd);
}

struct sleeper {
	int fd;
	volatile pid_t tid;
	pthread_t t;
};

static void *sleeper_main(void *arg)
{
	struct sleeper *w = arg;

	w->tid = gettid();
	return accept_one(&w->fd);
}

static int sleeper_start(struct sleeper *w, int fd)
{
	w->fd = fd;
	w->tid = 0;
	if (pthread_create(&w->t, NULL, sleeper_main, w))
		return -1;
	return XT_UNTIL(w->tid && xt_asleep(w->tid)) ? 0 : -1;
}

static long sleeper_result(struct sleeper *w)
{
	void *r;

	pthread_join(w->t, &r);
	return (long)r;
}

TEST_F(listen, blocked_accept_is_woken)
{
	struct sleeper w;

	ASSERT_EQ(0, xt_listen(&self->x, 4));
	ASSERT_EQ(0, sleeper_start(&w, self->x.l));
	ASSERT_LE(0, xt_dial(&self->x));
	EXPECT_LT(0, sleeper_result(&w));
}

TEST_F(listen, two_blocked_accepts_share)
{
	struct sleeper a, b;
	long x, y;

	ASSERT_EQ(0, xt_listen(&self->x, 4));
	ASSERT_EQ(0, sleeper_start(&a, self->x.l));
	ASSERT_EQ(0, sleeper_start(&b, self->x.l));
	ASSERT_LE(0, xt_dial(&self->x));
	ASSERT_LE(0, xt_dial(&self->x));
	x = sleeper_result(&a);
	y = sleeper_result(&b);
	EXPECT_LT(0, x);
	EXPECT_LT(0, y);
	EXPECT_NE(x, y);
}

TEST_F(listen, shutdown_ends_a_blocked_accept)
{
	struct sleeper w;

	ASSERT_EQ(0, xt_listen(&self->x, 4));
	ASSERT_EQ(0, sleeper_start(&w, self->x.l));
	EXPECT_EQ(0, shutdown(self->x.l, SHUT_RDWR));
	EXPECT_EQ(-EINVAL, sleeper_result(&w));
	EXPECT_EQ(0, xt_get(self->x.l, SOL_SOCKET, SO_ACCEPTCONN));
	EXPECT_EQ(-1, xt_dial(&self->x));
	EXPECT_EQ(ECONNREFUSED, errno);
	/* It can listen again, though a port it was given may change. */
	EXPECT_EQ(0, listen(self->x.l, 4));
	self->x.addr.sin_port = htons(xt_port(self->x.l));
	EXPECT_LE(0, xt_dial(&self->x));
}

TEST_F(listen, forked_acceptors)
{
	int i, st, s;
	pid_t pid[3];
	char b;

	ASSERT_EQ(0, xt_listen(&self->x, 8));
	for (i = 0; i < 3; i++) {
		pid[i] = fork();
		if (!pid[i]) {
			s = accept(self->x.l, NULL, NULL);
			b = 'a' + i;
			_exit(s < 0 || write(s, &b, 1) != 1);
		}
	}
	for (i = 0; i < 3; i++) {
		int c = xt_dial(&self->x);

		ASSERT_LE(0, c);
		EXPECT_EQ(1, read(c, &b, 1));
	}
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(pid[i], waitpid(pid[i], &st, 0));
		EXPECT_EQ(0, st);
	}
}

TEST_F(listen, wildcard_listener)
{
	int l = xt_socket(&self->x, 0), c = xt_socket(&self->x, 0), s;
	struct sockaddr_in a;
	socklen_t len = sizeof(a);

	ASSERT_EQ(0, xt_bind(l, "0.0.0.0", 7001));
	ASSERT_EQ(0, listen(l, 4));
	ASSERT_EQ(0, xt_connect(c, "127.0.0.77", 7001));
	s = accept(l, NULL, NULL);
	ASSERT_LE(0, s);
	/* The child is bound to the address that was dialled. */
	ASSERT_EQ(0, getsockname(s, SA(&a), &len));
	EXPECT_EQ(htonl(0x7f00004d), a.sin_addr.s_addr);
	EXPECT_EQ(7001, ntohs(a.sin_port));
}

TEST_F(listen, exact_beats_wildcard)
{
	int w = xt_socket(&self->x, 0), e = xt_socket(&self->x, 0);
	int c = xt_socket(&self->x, 0);

	/* Two listeners on a port are possible on different addresses. */
	ASSERT_EQ(0, xt_bind(e, "127.0.0.2", 7001));
	ASSERT_EQ(0, listen(e, 4));
	ASSERT_EQ(0, xt_bind(w, "127.0.0.3", 7001));
	ASSERT_EQ(0, listen(w, 4));
	ASSERT_EQ(0, xt_connect(c, "127.0.0.2", 7001));
	ASSERT_EQ(0, xt_nonblock(w, true));
	EXPECT_LE(0, accept(e, NULL, NULL));
	EXPECT_ERR(EAGAIN, accept(w, NULL, NULL));
}

/* From every address to one: what was kept of where it stood would tell. */
TEST_F(listen, elsewhere)
{
	int l = xt_socket(&self->x, 0), i, port, c;

	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, listen(l, 4));
		port = xt_port(l);
		c = xt_socket(&self->x, 0);
		ASSERT_EQ(0, xt_connect(c, "127.0.0.2", port));
		close(c);
		ASSERT_EQ(0, xt_unspec(l));
		c = xt_socket(&self->x, 0);
		EXPECT_ERR(ECONNREFUSED, xt_connect(c, "127.0.0.2", port));
		close(c);
	}
	ASSERT_EQ(0, xt_bind(l, "127.0.0.3", port));
	ASSERT_EQ(0, listen(l, 4));
	c = xt_socket(&self->x, 0);
	EXPECT_ERR(ECONNREFUSED, xt_connect(c, "127.0.0.2", port));
	close(c);
	c = xt_socket(&self->x, 0);
	EXPECT_EQ(0, xt_connect(c, "127.0.0.3", port));
	EXPECT_LE(0, accept(l, NULL, NULL));
}

TEST_HARNESS_MAIN

// SPDX-License-Identifier: GPL-2.0
/* poll(2), select(2) and epoll(7), in each state a socket can be in. */
#include "api.h"
#include <sys/epoll.h>
#include <sys/select.h>

XT_FIXTURE(poll);

/* What every dead socket shows. */
#define DEAD	(POLLIN | POLLOUT | POLLRDHUP | POLLHUP)

TEST_F(poll, fresh)
{
	int fd = xt_socket(&self->x, 0);

	EXPECT_EQ(POLLOUT | POLLHUP, xt_poll_now(fd));
	ASSERT_EQ(0, xt_bind(fd, "127.0.0.1", 0));
	EXPECT_EQ(POLLOUT | POLLHUP, xt_poll_now(fd));
}

TEST_F(poll, listening)
{
	ASSERT_EQ(0, xt_listen(&self->x, 4));
	EXPECT_EQ(0, xt_poll_now(self->x.l));
	self->x.c = xt_dial(&self->x);
	ASSERT_LE(0, self->x.c);
	EXPECT_EQ(POLLIN, xt_wait_exact(self->x.l, POLLIN));
	ASSERT_LE(0, accept(self->x.l, NULL, NULL));
	EXPECT_EQ(0, xt_poll_now(self->x.l));
}

TEST_F(poll, connecting)
{
	int fd = xt_socket(&self->x, SOCK_NONBLOCK);

	ASSERT_EQ(0, xt_blackhole());
	EXPECT_ERR(EINPROGRESS, xt_connect(fd, XT_BLACKHOLE, 7));
	EXPECT_EQ(0, xt_poll_now(fd));
}

TEST_F(poll, established)
{
	char b;

	ASSERT_EQ(0, xt_pair(&self->x));
	EXPECT_EQ(POLLOUT, xt_poll_now(self->x.c));
	EXPECT_EQ(POLLOUT, xt_poll_now(self->x.s));
	ASSERT_EQ(1, write(self->x.c, "x", 1));
	EXPECT_EQ(POLLIN | POLLOUT,
		  xt_wait_exact(self->x.s, POLLIN | POLLOUT));
	/* Looking does not change it, reading does. */
	ASSERT_EQ(1, recv(self->x.s, &b, 1, MSG_PEEK));
	EXPECT_EQ(POLLIN | POLLOUT, xt_poll_now(self->x.s));
	ASSERT_EQ(1, read(self->x.s, &b, 1));
	EXPECT_EQ(POLLOUT, xt_poll_now(self->x.s));
}

TEST_F(poll, full)
{
	static char buf[1 << 16];
	ssize_t n, left;

	ASSERT_EQ(0, xt_pair(&self->x));
	left = xt_fill(self->x.c);
	ASSERT_LT(0, left);
	EXPECT_EQ(0, xt_poll_now(self->x.c));
	EXPECT_EQ(POLLIN | POLLOUT, xt_poll_now(self->x.s));
	while (left > 0) {
		n = read(self->x.s, buf, sizeof(buf));
		ASSERT_LT(0, n);
		left -= n;
	}
	EXPECT_EQ(POLLOUT, xt_wait_exact(self->x.c, POLLOUT));
}

TEST_F(poll, peer_half_closed)
{
	char b;

	ASSERT_EQ(0, xt_pair(&self->x));
	ASSERT_EQ(0, shutdown(self->x.c, SHUT_WR));
	EXPECT_EQ(POLLIN | POLLOUT | POLLRDHUP,
		  xt_wait_exact(self->x.s, POLLIN | POLLOUT | POLLRDHUP));
	EXPECT_EQ(0, read(self->x.s, &b, 1));
	EXPECT_EQ(POLLIN | POLLOUT | POLLRDHUP, xt_poll_now(self->x.s));
	/* The side that closed is told nothing new. */
	EXPECT_EQ(POLLOUT, xt_poll_now(self->x.c));
}

TEST_F(poll, own_read_side_closed)
{
	ASSERT_EQ(0, xt_pair(&self->x));
	ASSERT_EQ(0, shutdown(self->x.c, SHUT_RD));
	EXPECT_EQ(POLLIN | POLLOUT | POLLRDHUP, xt_poll_now(self->x.c));
	EXPECT_EQ(POLLOUT, xt_poll_now(self->x.s));
}

TEST_F(poll, both_closed)
{
	ASSERT_EQ(0, xt_pair(&self->x));
	ASSERT_EQ(0, shutdown(self->x.c, SHUT_WR));
	ASSERT_TRUE(xt_wait(self->x.s, POLLRDHUP));
	ASSERT_EQ(0, shutdown(self->x.s, SHUT_WR));
	EXPECT_EQ(DEAD, xt_wait_exact(self->x.c, DEAD));
	EXPECT_EQ(DEAD, xt_wait_exact(self->x.s, DEAD));
}

TEST_F(poll, after_a_reset)
{
	char b;

	ASSERT_EQ(0, xt_pair(&self->x));
	ASSERT_EQ(0, xt_linger(self->x.c, 1, 0));
	ASSERT_EQ(0, close(self->x.c));
	EXPECT_EQ(DEAD | POLLERR, xt_wait_exact(self->x.s, DEAD | POLLERR));
	EXPECT_ERR(ECONNRESET, read(self->x.s, &b, 1));
	EXPECT_EQ(DEAD, xt_poll_now(self->x.s));
}

/* Never sleeps: sees what is there in the middle of a reset, too. */
static void *first_end(void *arg)
{
	int fd = *(int *)arg, ev;

	do {
		ev = xt_poll_now(fd);
	} while (!(ev & POLLHUP));
	return (void *)(long)ev;
}

/* poll() takes no lock, but who sees the end sees that it is an error. */
TEST_F(poll, no_end_without_its_error)
{
	pthread_t spinner;
	void *ev;
	int i;

	for (i = 0; i < 300; i++) {
		ASSERT_EQ(0, xt_pair(&self->x));
		ASSERT_EQ(0, pthread_create(&spinner, NULL,
					    first_end, &self->x.s));
		ASSERT_EQ(0, xt_linger(self->x.c, 1, 0));
		/* The reset runs here while the spinner looks. */
		ASSERT_EQ(0, close(self->x.c));
		ASSERT_EQ(0, pthread_join(spinner, &ev));
		EXPECT_TRUE((long)ev & POLLERR) {
			TH_LOG("round %d: %lx", i, (long)ev);
		}
		ASSERT_EQ(0, close(self->x.s));
	}
	self->x.c = -1;
	self->x.s = -1;
}

TEST_F(poll, refused)
{
	int fd = xt_socket(&self->x, SOCK_NONBLOCK);
	int held = xt_socket(&self->x, 0);

	ASSERT_EQ(0, xt_bind(held, "127.0.0.1", 0));
	EXPECT_ERR(EINPROGRESS, xt_connect(fd, "127.0.0.1", xt_port(held)));
	EXPECT_EQ(DEAD | POLLERR, xt_wait_exact(fd, DEAD | POLLERR));
	EXPECT_EQ(ECONNREFUSED, xt_error(fd));
	EXPECT_EQ(DEAD, xt_poll_now(fd));
}

TEST_F(poll, connect_done)
{
	int fd = xt_socket(&self->x, SOCK_NONBLOCK);

	ASSERT_EQ(0, xt_listen(&self->x, 4));
	EXPECT_ERR(EINPROGRESS, connect(fd, SA(&self->x.addr),
					sizeof(self->x.addr)));
	EXPECT_EQ(POLLOUT, xt_wait_exact(fd, POLLOUT));
}

TEST_F(poll, bands)
{
	struct pollfd p;

	ASSERT_EQ(0, xt_pair(&self->x));
	ASSERT_EQ(1, write(self->x.c, "x", 1));
	ASSERT_TRUE(xt_wait(self->x.s, POLLIN));
	p = (struct pollfd){ self->x.s, POLLRDNORM | POLLWRNORM | POLLRDBAND };
	ASSERT_EQ(1, poll(&p, 1, 0));
	EXPECT_EQ(POLLRDNORM | POLLWRNORM, p.revents);
}

TEST_F(poll, unasked_events_stay_away)
{
	struct pollfd p;

	ASSERT_EQ(0, xt_pair(&self->x));
	p = (struct pollfd){ self->x.c, POLLIN };
	EXPECT_EQ(0, poll(&p, 1, 0));
	EXPECT_EQ(0, poll(&p, 1, 20));
	p = (struct pollfd){ self->x.c, 0 };
	EXPECT_EQ(0, poll(&p, 1, 0));
	/* HUP and ERR come without being asked for. */
	ASSERT_EQ(0, xt_linger(self->x.s, 1, 0));
	ASSERT_EQ(0, close(self->x.s));
	ASSERT_EQ(1, poll(&p, 1, XT_DEADLINE_MS));
	EXPECT_EQ(POLLHUP | POLLERR, p.revents);
}

static int sel(int fd, int which)
{
	struct timeval tv = { 0, 0 };
	fd_set set[3];
	int i;

	for (i = 0; i < 3; i++) {
		FD_ZERO(&set[i]);
		if (i == which)
			FD_SET(fd, &set[i]);
	}
	return select(fd + 1, &set[0], &set[1], &set[2], &tv);
}

TEST_F(poll, by_select)
{
	char b;

	ASSERT_EQ(0, xt_pair(&self->x));
	EXPECT_EQ(0, sel(self->x.s, 0));
	EXPECT_EQ(1, sel(self->x.s, 1));
	EXPECT_EQ(0, sel(self->x.s, 2));
	ASSERT_EQ(1, write(self->x.c, "x", 1));
	EXPECT_TRUE(XT_UNTIL(sel(self->x.s, 0) == 1));
	ASSERT_EQ(1, read(self->x.s, &b, 1));
	EXPECT_EQ(0, sel(self->x.s, 0));
	ASSERT_EQ(0, shutdown(self->x.c, SHUT_WR));
	EXPECT_TRUE(XT_UNTIL(sel(self->x.s, 0) == 1));
	ASSERT_LT(0, xt_fill(self->x.s));
	EXPECT_EQ(0, sel(self->x.s, 1));
	EXPECT_EQ(0, sel(self->x.s, 2));
}

TEST_F(poll, wakes_a_sleeper)
{
	pid_t pid;
	int st;

	ASSERT_EQ(0, xt_pair(&self->x));
	pid = fork();
	if (!pid)
		_exit(!xt_wait(self->x.s, POLLIN));
	ASSERT_EQ(1, write(self->x.c, "x", 1));
	ASSERT_EQ(pid, waitpid(pid, &st, 0));
	EXPECT_EQ(0, st);
}

static int ep_add(int ep, int fd, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.fd = fd };

	return epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
}

/* The events of the one descriptor in the set, 0 after @ms without any. */
static uint32_t ep_wait(int ep, int ms)
{
	struct epoll_event e;

	return epoll_wait(ep, &e, 1, ms) == 1 ? e.events : 0;
}

TEST_F(poll, epoll_level)
{
	int ep = epoll_create1(0);
	char b;

	ASSERT_EQ(0, xt_pair(&self->x));
	ASSERT_EQ(0, ep_add(ep, self->x.s, EPOLLIN | EPOLLRDHUP));
	EXPECT_EQ(0, ep_wait(ep, 0));
	ASSERT_EQ(2, write(self->x.c, "xy", 2));
	EXPECT_EQ(EPOLLIN, ep_wait(ep, XT_DEADLINE_MS));
	ASSERT_EQ(1, read(self->x.s, &b, 1));
	/* As long as something is left, it is said again. */
	EXPECT_EQ(EPOLLIN, ep_wait(ep, 0));
	ASSERT_EQ(1, read(self->x.s, &b, 1));
	EXPECT_EQ(0, ep_wait(ep, 0));
	ASSERT_EQ(0, shutdown(self->x.c, SHUT_WR));
	EXPECT_EQ(EPOLLIN | EPOLLRDHUP, ep_wait(ep, XT_DEADLINE_MS));
	EXPECT_EQ(EPOLLIN | EPOLLRDHUP, ep_wait(ep, 0));
}

TEST_F(poll, epoll_edge)
{
	int ep = epoll_create1(0);
	char b;

	ASSERT_EQ(0, xt_pair(&self->x));
	ASSERT_EQ(0, ep_add(ep, self->x.s, EPOLLIN | EPOLLET));
	EXPECT_EQ(0, ep_wait(ep, 0));
	ASSERT_EQ(2, write(self->x.c, "xy", 2));
	EXPECT_EQ(EPOLLIN, ep_wait(ep, XT_DEADLINE_MS));
	/* Said once for this arrival, even though it is still unread ... */
	EXPECT_EQ(0, ep_wait(ep, 50));
	ASSERT_EQ(1, read(self->x.s, &b, 1));
	EXPECT_EQ(0, ep_wait(ep, 50));
	/* ... and once again for the next. */
	ASSERT_EQ(1, write(self->x.c, "z", 1));
	EXPECT_EQ(EPOLLIN, ep_wait(ep, XT_DEADLINE_MS));
	EXPECT_EQ(0, ep_wait(ep, 50));
}

TEST_F(poll, epoll_edge_starts_with_what_is_there)
{
	int ep = epoll_create1(0);

	ASSERT_EQ(0, xt_pair(&self->x));
	ASSERT_EQ(1, write(self->x.c, "x", 1));
	ASSERT_TRUE(xt_wait(self->x.s, POLLIN));
	ASSERT_EQ(0, ep_add(ep, self->x.s, EPOLLIN | EPOLLOUT | EPOLLET));
	EXPECT_EQ(EPOLLIN | EPOLLOUT, ep_wait(ep, XT_DEADLINE_MS));
	EXPECT_EQ(0, ep_wait(ep, 50));
}

TEST_F(poll, epoll_edge_end)
{
	int ep = epoll_create1(0);
	char b;

	ASSERT_EQ(0, xt_pair(&self->x));
	ASSERT_EQ(0, ep_add(ep, self->x.s, EPOLLIN | EPOLLRDHUP | EPOLLET));
	ASSERT_EQ(0, shutdown(self->x.c, SHUT_WR));
	EXPECT_EQ(EPOLLIN | EPOLLRDHUP, ep_wait(ep, XT_DEADLINE_MS));
	EXPECT_EQ(0, read(self->x.s, &b, 1));
	EXPECT_EQ(0, ep_wait(ep, 50));
}

TEST_F(poll, epoll_edge_out)
{
	static char buf[1 << 16];
	int ep = epoll_create1(0);
	ssize_t left, n;

	ASSERT_EQ(0, xt_pair(&self->x));
	ASSERT_EQ(0, ep_add(ep, self->x.c, EPOLLOUT | EPOLLET));
	EXPECT_EQ(EPOLLOUT, ep_wait(ep, XT_DEADLINE_MS));
	left = xt_fill(self->x.c);
	ASSERT_LT(0, left);
	/* Any edges from the filling are taken before the emptying begins. */
	while (ep_wait(ep, 0))
		;
	while (left > 0) {
		n = read(self->x.s, buf, sizeof(buf));
		ASSERT_LT(0, n);
		left -= n;
	}
	EXPECT_EQ(EPOLLOUT, ep_wait(ep, XT_DEADLINE_MS));
}

TEST_F(poll, epoll_edge_connect)
{
	int ep = epoll_create1(0);
	int fd = xt_socket(&self->x, SOCK_NONBLOCK);

	ASSERT_EQ(0, xt_listen(&self->x, 4));
	EXPECT_ERR(EINPROGRESS, connect(fd, SA(&self->x.addr),
					sizeof(self->x.addr)));
	ASSERT_EQ(0, ep_add(ep, fd, EPOLLIN | EPOLLOUT | EPOLLET));
	EXPECT_EQ(EPOLLOUT, ep_wait(ep, XT_DEADLINE_MS));
	EXPECT_EQ(0, xt_error(fd));
}

TEST_F(poll, epoll_oneshot)
{
	struct epoll_event e = { .events = EPOLLIN | EPOLLONESHOT };
	int ep = epoll_create1(0);

	ASSERT_EQ(0, xt_pair(&self->x));
	ASSERT_EQ(0, ep_add(ep, self->x.s, EPOLLIN | EPOLLONESHOT));
	ASSERT_EQ(1, write(self->x.c, "x", 1));
	EXPECT_EQ(EPOLLIN, ep_wait(ep, XT_DEADLINE_MS));
	EXPECT_EQ(0, ep_wait(ep, 0));
	ASSERT_EQ(0, epoll_ctl(ep, EPOLL_CTL_MOD, self->x.s, &e));
	EXPECT_EQ(EPOLLIN, ep_wait(ep, XT_DEADLINE_MS));
}

TEST_F(poll, epoll_listener)
{
	int ep = epoll_create1(0), i;

	ASSERT_EQ(0, xt_listen(&self->x, 8));
	ASSERT_EQ(0, ep_add(ep, self->x.l, EPOLLIN));
	for (i = 0; i < 4; i++)
		ASSERT_LE(0, xt_dial(&self->x));
	for (i = 0; i < 4; i++) {
		EXPECT_EQ(EPOLLIN, ep_wait(ep, XT_DEADLINE_MS));
		ASSERT_LE(0, accept(self->x.l, NULL, NULL));
	}
	EXPECT_EQ(0, ep_wait(ep, 0));
}

TEST_F(poll, epoll_reset)
{
	int ep = epoll_create1(0);

	ASSERT_EQ(0, xt_pair(&self->x));
	ASSERT_EQ(0, ep_add(ep, self->x.s, EPOLLET));
	ASSERT_EQ(0, xt_linger(self->x.c, 1, 0));
	ASSERT_EQ(0, close(self->x.c));
	EXPECT_EQ(EPOLLERR | EPOLLHUP, ep_wait(ep, XT_DEADLINE_MS));
}

TEST_F(poll, epoll_forgets_a_closed_one)
{
	int ep = epoll_create1(0);

	ASSERT_EQ(0, xt_pair(&self->x));
	ASSERT_EQ(0, ep_add(ep, self->x.s, EPOLLOUT));
	EXPECT_EQ(EPOLLOUT, ep_wait(ep, 0));
	ASSERT_EQ(0, close(self->x.s));
	EXPECT_EQ(0, ep_wait(ep, 0));
}

TEST_HARNESS_MAIN

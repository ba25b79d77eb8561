// SPDX-License-Identifier: GPL-2.0
/*
 * Signals that meet a blocked call.  A timer sends one every few
 * milliseconds, so at least one of them comes while the call sleeps; on the
 * third the handler itself does what the call waits for, so that nothing
 * depends on which came first.
 */
#include "api.h"

XT_FIXTURE(signals);

static volatile sig_atomic_t ticks;
static volatile sig_atomic_t pipes;
static void (*third)(void);	/* what the third tick does */
static struct xt *cur;

static void on_tick(int sig)
{
	int e = errno;

	if (++ticks == 3 && third)
		third();
	errno = e;
}

static void on_pipe(int sig)
{
	pipes++;
}

static void start(struct xt *x, bool restart, void (*act)(void))
{
	struct sigaction sa = {
		.sa_handler = on_tick,
		.sa_flags = restart ? SA_RESTART : 0,
	};
	struct itimerval it = { { 0, 20000 }, { 0, 20000 } };

	cur = x;
	ticks = 0;
	third = act;
	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &it, NULL);
}

static void stop(void)
{
	struct itimerval off = { 0 };

	setitimer(ITIMER_REAL, &off, NULL);
}

static void act_write(void)
{
	if (write(cur->c, "t", 1) != 1)
		_exit(99);
}

static void act_dial(void)
{
	int fd = xt_socket(cur, SOCK_NONBLOCK);

	if (fd < 0 || !connect(fd, SA(&cur->addr), sizeof(cur->addr)) ||
	    errno != EINPROGRESS)
		_exit(99);
}

static void act_accept(void)
{
	if (accept(cur->l, NULL, NULL) < 0)
		_exit(99);
}

/* From the third tick on there is always room again. */
static void act_drain(void)
{
	static char junk[1 << 16];

	while (recv(cur->s, junk, sizeof(junk), MSG_DONTWAIT) > 0)
		;
	third = act_drain;
	ticks = 2;
}

TEST_F(signals, recv_interrupted)
{
	char b;

	ASSERT_EQ(0, xt_pair(&self->x));
	start(&self->x, false, NULL);
	EXPECT_ERR(EINTR, recv(self->x.s, &b, 1, 0));
	EXPECT_ERR(EINTR, read(self->x.s, &b, 1));
	EXPECT_ERR(EINTR, recv(self->x.s, &b, 1, MSG_PEEK));
	stop();
	ASSERT_EQ(1, write(self->x.c, "x", 1));
	EXPECT_EQ(1, read(self->x.s, &b, 1));
}

TEST_F(signals, recv_restarted)
{
	char b;

	ASSERT_EQ(0, xt_pair(&self->x));
	start(&self->x, true, act_write);
	EXPECT_EQ(1, recv(self->x.s, &b, 1, 0));
	stop();
	EXPECT_EQ('t', b);
	EXPECT_LE(3, ticks);
}

TEST_F(signals, timed_recv_is_not_restarted)
{
	char b;

	/* With a timeout set the wait would start anew: Linux says EINTR. */
	ASSERT_EQ(0, xt_pair(&self->x));
	ASSERT_EQ(0, xt_set_time(self->x.s, SO_RCVTIMEO, 9000));
	start(&self->x, true, NULL);
	EXPECT_ERR(EINTR, recv(self->x.s, &b, 1, 0));
	stop();
}

TEST_F(signals, waitall_gives_the_part)
{
	char b[8];

	ASSERT_EQ(0, xt_pair(&self->x));
	ASSERT_EQ(3, write(self->x.c, "abc", 3));
	ASSERT_TRUE(xt_wait(self->x.s, POLLIN));
	start(&self->x, false, NULL);
	EXPECT_EQ(3, recv(self->x.s, b, 8, MSG_WAITALL));
	stop();
	EXPECT_EQ(0, memcmp(b, "abc", 3));
}

TEST_F(signals, accept_interrupted)
{
	ASSERT_EQ(0, xt_listen(&self->x, 4));
	start(&self->x, false, NULL);
	EXPECT_ERR(EINTR, accept(self->x.l, NULL, NULL));
	stop();
	ASSERT_LE(0, xt_dial(&self->x));
	EXPECT_LE(0, accept(self->x.l, NULL, NULL));
}

TEST_F(signals, accept_restarted)
{
	ASSERT_EQ(0, xt_listen(&self->x, 4));
	start(&self->x, true, act_dial);
	EXPECT_LE(0, accept(self->x.l, NULL, NULL));
	stop();
	EXPECT_LE(3, ticks);
}

TEST_F(signals, connect_interrupted)
{
	int c = xt_socket(&self->x, 0);

	ASSERT_EQ(0, xt_blackhole());
	start(&self->x, false, NULL);
	EXPECT_ERR(EINTR, xt_connect(c, XT_BLACKHOLE, 7));
	/* The attempt goes on; a second call waits for the same one. */
	EXPECT_ERR(EINTR, xt_connect(c, XT_BLACKHOLE, 7));
	stop();
	EXPECT_EQ(0, xt_poll_now(c));
}

TEST_F(signals, connect_restarted)
{
	int c = xt_socket(&self->x, 0);

	/* The queue has room for one, so the second has to wait for it. */
	ASSERT_EQ(0, xt_listen(&self->x, 0));
	ASSERT_LE(0, xt_dial(&self->x));
	ASSERT_TRUE(xt_wait(self->x.l, POLLIN));
	start(&self->x, true, act_accept);
	EXPECT_EQ(0, connect(c, SA(&self->x.addr), sizeof(self->x.addr)));
	stop();
	EXPECT_LE(3, ticks);
	EXPECT_LE(0, accept(self->x.l, NULL, NULL));
}

TEST_F(signals, interrupted_connect_completes)
{
	int c = xt_socket(&self->x, 0);

	ASSERT_EQ(0, xt_listen(&self->x, 0));
	ASSERT_LE(0, xt_dial(&self->x));
	ASSERT_TRUE(xt_wait(self->x.l, POLLIN));
	start(&self->x, false, act_accept);
	EXPECT_ERR(EINTR, connect(c, SA(&self->x.addr),
				  sizeof(self->x.addr)));
	EXPECT_TRUE(XT_UNTIL(ticks >= 3));
	stop();
	EXPECT_TRUE(xt_wait(c, POLLOUT));
	EXPECT_EQ(0, xt_error(c));
	EXPECT_LE(0, accept(self->x.l, NULL, NULL));
}

TEST_F(signals, send_interrupted)
{
	static char junk[1 << 20];
	long n;

	ASSERT_EQ(0, xt_pair(&self->x));
	ASSERT_LT(0, xt_fill(self->x.c));
	start(&self->x, false, NULL);
	n = send(self->x.c, junk, sizeof(junk), 0);
	EXPECT_EQ(-1, n);
	EXPECT_EQ(EINTR, errno);
	stop();
}

TEST_F(signals, send_gives_the_part)
{
	static char junk[32 << 20];
	long n;

	ASSERT_EQ(0, xt_pair(&self->x));
	start(&self->x, false, NULL);
	n = send(self->x.c, junk, sizeof(junk), 0);
	stop();
	EXPECT_LT(0, n);
	EXPECT_GT(sizeof(junk), n);
}

TEST_F(signals, send_restarted)
{
	long n = 0;

	ASSERT_EQ(0, xt_pair(&self->x));
	ASSERT_LT(0, xt_fill(self->x.c));
	start(&self->x, true, act_drain);
	n = send(self->x.c, "x", 1, 0);
	stop();
	EXPECT_EQ(1, n);
}

TEST_F(signals, broken_pipe)
{
	struct sigaction sa = { .sa_handler = on_pipe };
	char b;

	ASSERT_EQ(0, sigaction(SIGPIPE, &sa, NULL));
	ASSERT_EQ(0, xt_pair(&self->x));
	ASSERT_EQ(0, shutdown(self->x.c, SHUT_WR));
	pipes = 0;
	EXPECT_ERR(EPIPE, send(self->x.c, "x", 1, MSG_NOSIGNAL));
	EXPECT_EQ(0, pipes);
	EXPECT_ERR(EPIPE, send(self->x.c, "x", 1, 0));
	EXPECT_EQ(1, pipes);
	EXPECT_ERR(EPIPE, write(self->x.c, "x", 1));
	EXPECT_EQ(2, pipes);
	/* A reset is an error, not a broken pipe, the first time. */
	close(self->x.c);
	ASSERT_EQ(0, read(self->x.s, &b, 1));
	close(self->x.s);
	ASSERT_EQ(0, xt_pair(&self->x));
	ASSERT_EQ(0, xt_linger(self->x.s, 1, 0));
	ASSERT_EQ(0, close(self->x.s));
	ASSERT_TRUE(xt_wait(self->x.c, POLLERR));
	pipes = 0;
	EXPECT_ERR(ECONNRESET, write(self->x.c, "x", 1));
	EXPECT_EQ(0, pipes);
	EXPECT_ERR(EPIPE, write(self->x.c, "x", 1));
	EXPECT_EQ(1, pipes);
}

TEST_F(signals, broken_pipe_kills)
{
	pid_t pid;
	int st;

	ASSERT_EQ(0, xt_pair(&self->x));
	ASSERT_EQ(0, shutdown(self->x.c, SHUT_WR));
	pid = fork();
	if (!pid) {
		signal(SIGPIPE, SIG_DFL);
		_exit(write(self->x.c, "x", 1) != -1);
	}
	ASSERT_EQ(pid, waitpid(pid, &st, 0));
	ASSERT_TRUE(WIFSIGNALED(st));
	EXPECT_EQ(SIGPIPE, WTERMSIG(st));
}

TEST_F(signals, unconnected_pipe)
{
	struct sigaction sa = { .sa_handler = on_pipe };
	int fd = xt_socket(&self->x, 0);

	ASSERT_EQ(0, sigaction(SIGPIPE, &sa, NULL));
	pipes = 0;
	EXPECT_ERR(EPIPE, write(fd, "x", 1));
	EXPECT_EQ(1, pipes);
}

TEST_F(signals, killed_while_blocked)
{
	int i, st;
	pid_t pid;

	/* A killed process leaves no trace: the peers see the end. */
	for (i = 0; i < 20; i++) {
		char b;

		ASSERT_EQ(0, xt_pair(&self->x));
		pid = fork();
		if (!pid) {
			close(self->x.s);
			_exit(read(self->x.c, &b, 1));
		}
		close(self->x.c);
		ASSERT_EQ(0, kill(pid, SIGKILL));
		ASSERT_EQ(pid, waitpid(pid, &st, 0));
		ASSERT_EQ(0, read(self->x.s, &b, 1));
		close(self->x.s);
	}
}

/* ---- F_SETSIG ---- */

#define IO_SIG	(SIGRTMIN + 1)

/* From now on what happens to @fd is told by queued signals. */
static int tell(int fd)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, IO_SIG);
	if (sigprocmask(SIG_BLOCK, &set, NULL) || fcntl(fd, F_SETSIG, IO_SIG) ||
	    fcntl(fd, F_SETOWN, getpid()))
		return -1;
	return fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_ASYNC);
}

/* Each si_code that was told within @ms, once: bit 1 << (code - POLL_IN). */
static unsigned int told(int ms)
{
	struct timespec t = { .tv_nsec = ms * 1000000L };
	unsigned int codes = 0;
	siginfo_t info;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, IO_SIG);
	while (sigtimedwait(&set, &info, &t) == IO_SIG)
		codes |= 1u << (info.si_code - POLL_IN);
	return codes;
}

#define TOLD_IN		(1u << 0)
#define TOLD_OUT	(1u << (POLL_OUT - POLL_IN))
#define TOLD_ERR	(1u << (POLL_ERR - POLL_IN))
#define TOLD_HUP	(1u << (POLL_HUP - POLL_IN))

/* Data, then the peer's FIN. */
TEST_F(signals, io_end)
{
	char b;

	ASSERT_EQ(0, xt_pair(&self->x));
	ASSERT_EQ(0, tell(self->x.s));
	ASSERT_EQ(1, write(self->x.c, "x", 1));
	EXPECT_EQ(TOLD_IN, told(100));
	ASSERT_EQ(1, read(self->x.s, &b, 1));
	ASSERT_EQ(0, shutdown(self->x.c, SHUT_WR));
	EXPECT_EQ(TOLD_IN, told(100));
}

/* The peer's FIN comes after our own: both halves are closed. */
TEST_F(signals, io_end_of_both)
{
	ASSERT_EQ(0, xt_pair(&self->x));
	ASSERT_EQ(0, shutdown(self->x.s, SHUT_WR));
	ASSERT_TRUE(xt_wait(self->x.c, POLLIN));
	ASSERT_EQ(0, tell(self->x.s));
	ASSERT_EQ(0, shutdown(self->x.c, SHUT_WR));
	EXPECT_EQ(TOLD_IN | TOLD_HUP, told(100));
}

/* Both FINs cross unread data: a reader hears of the end. */
TEST_F(signals, io_end_unread)
{
	ASSERT_EQ(0, xt_pair(&self->x));
	ASSERT_EQ(0, shutdown(self->x.s, SHUT_WR));
	ASSERT_EQ(1, write(self->x.c, "x", 1));
	ASSERT_TRUE(xt_wait(self->x.s, POLLIN));
	ASSERT_EQ(0, tell(self->x.s));
	ASSERT_EQ(0, close(self->x.c));
	EXPECT_LT(0, told(100));
}

/* RST, a connection for a listener, room to write. */
TEST_F(signals, io_others)
{
	static char junk[65536];

	ASSERT_EQ(0, xt_listen(&self->x, 4));
	ASSERT_EQ(0, tell(self->x.l));
	self->x.c = xt_dial(&self->x);
	ASSERT_LE(0, self->x.c);
	EXPECT_EQ(TOLD_IN, told(100));
	self->x.s = accept(self->x.l, NULL, NULL);
	ASSERT_LT(0, xt_fill(self->x.s));
	ASSERT_EQ(0, tell(self->x.s));
	EXPECT_EQ(0, told(20));
	while (xt_wait(self->x.c, POLLIN) &&
	       !poll(&(struct pollfd){ .fd = self->x.s, .events = POLLOUT }, 1, 0))
		recv(self->x.c, junk, sizeof(junk), MSG_DONTWAIT);
	EXPECT_EQ(TOLD_OUT, told(100));
	ASSERT_EQ(0, xt_linger(self->x.c, 1, 0));
	ASSERT_EQ(0, close(self->x.c));
	EXPECT_EQ(TOLD_ERR | TOLD_HUP, told(100) | TOLD_HUP);
}

TEST_HARNESS_MAIN

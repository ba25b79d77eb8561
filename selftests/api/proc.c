// SPDX-License-Identifier: GPL-2.0
/*
 * What /proc/net/xtcp and xtcp_edges say, to a reader who takes his time and
 * to one in another namespace.  The files are XTCP's own: no oracle.
 */
#include "api.h"

#include <sys/prctl.h>

#define PORT	7001
#define MANY	500	/* listeners at addresses of their own */
#define GROUP	300	/* and in one reuseport group: one chain */
#define FIRST	1000	/* their backlogs tell them apart */

FIXTURE(proc) {
	struct xt x;
};

FIXTURE_SETUP(proc)
{
	self->x.xtcp = true;
	self->x.l = self->x.c = self->x.s = -1;
	if (access("/sys/module/xtcp", F_OK))
		SKIP(return, "xtcp.ko is not loaded");
	ASSERT_EQ(0, xt_new_netns());
}

FIXTURE_TEARDOWN(proc)
{
}

static int listen_at(uint32_t addr, int backlog, bool group)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(PORT),
				 .sin_addr.s_addr = htonl(addr) };
	int fd = socket(AF_XTCP, SOCK_STREAM, 0), one = 1;

	if (fd < 0 || (group && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one,
					   sizeof(one))) ||
	    bind(fd, (struct sockaddr *)&a, sizeof(a)) || listen(fd, backlog))
		return -1;
	return fd;
}

/* Address number @i of those that have a listener each. */
static uint32_t own_addr(int i)
{
	return INADDR_LOOPBACK + 0x10000 + i;
}

static bool listen_many(void)
{
	int i;

	for (i = 0; i < MANY; i++)
		if (listen_at(own_addr(i), FIRST + i, false) < 0)
			return false;
	return true;
}

TEST_F(proc, one_line_a_record)
{
	static char buf[1 << 20];
	int fd, n, lines = 0, i;

	ASSERT_TRUE(listen_many());
	fd = open("/proc/self/net/xtcp", O_RDONLY);
	ASSERT_LE(0, fd);
	/* A page at a time: the kernel never works on all of it at once. */
	while ((n = read(fd, buf, sizeof(buf))) > 0) {
		EXPECT_GE(getpagesize(), n);
		for (i = 0; i < n; i++)
			lines += buf[i] == '\n';
	}
	EXPECT_EQ(0, n);
	EXPECT_EQ(MANY + 1, lines);
}

/* Listeners, in the group and at addresses of their own, until killed. */
static void churn(void)
{
	int fd[100], i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		for (i = 0; i < 100; i++)
			fd[i] = listen_at(i % 2 ? INADDR_LOOPBACK :
						  own_addr(MANY + i), 1, i % 2);
		for (i = 0; i < 100; i++)
			close(fd[i]);
	}
}

/* Reads all of it in small pieces; each @seen counts how often it was there. */
static bool read_slowly(int *group, int *own)
{
	FILE *f = fopen("/proc/self/net/xtcp", "r");
	char line[256], small[100], a[64], b[64], c[64];
	unsigned int backlog, queued;
	bool ok = true;
	int n = 0;

	if (!f)
		return false;
	setvbuf(f, small, _IOFBF, sizeof(small));
	ok = fgets(line, sizeof(line), f);
	while (ok && fgets(line, sizeof(line), f)) {
		ok = sscanf(line, "%63s %63s %63s %u %u", a, b, c, &backlog,
			    &queued) == 5 && !strcmp(c, "LISTEN");
		if (backlog >= FIRST && !strncmp(a, "127.0.0.1:", 10))
			group[backlog - FIRST]++;
		else if (backlog >= FIRST)
			own[backlog - FIRST]++;
		if (!(++n % 10))
			sched_yield();
	}
	fclose(f);
	return ok;
}

/* Listeners come and go, some of them in the same chain: none is left out. */
TEST_F(proc, nobody_left_out)
{
	int group[MANY] = {}, own[MANY] = {}, round, i, st;
	pid_t pid;

	ASSERT_TRUE(listen_many());
	for (i = 0; i < GROUP; i++)
		ASSERT_LE(0, listen_at(INADDR_LOOPBACK, FIRST + i, true));
	pid = fork();
	if (!pid)
		churn();
	for (round = 1; round <= 20; round++) {
		ASSERT_TRUE(read_slowly(group, own));
		for (i = 0; i < MANY; i++)
			EXPECT_LE(round, own[i]);
		for (i = 0; i < GROUP; i++)
			EXPECT_LE(round, group[i]);
	}
	kill(pid, SIGKILL);
	waitpid(pid, &st, 0);
}

/* Sum of all edges as the first namespace sees them, or this one; -1: none. */
static long edges(bool first)
{
	FILE *f = fopen(first ? "/proc/1/net/xtcp_edges" :
				"/proc/self/net/xtcp_edges", "r");
	char line[128], last[64];
	long sum = 0, n;

	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%*s %*s %63s %ld", last, &n) == 2)
			sum += n;
	}
	fclose(f);
	return sum;
}

TEST_F(proc, edges_of_the_reader)
{
	struct xt *x = &self->x;
	long before, one, two;
	int i;

	before = edges(true);
	EXPECT_EQ(0, edges(false));
	ASSERT_EQ(0, xt_listen(x, 64));
	for (i = 0; i < 5; i++)
		ASSERT_EQ(0, xt_pair(x));
	one = edges(false);
	EXPECT_LT(10, one);
	ASSERT_EQ(0, xt_new_netns());
	EXPECT_EQ(0, edges(false));
	x->l = -1;
	ASSERT_EQ(0, xt_listen(x, 64));
	two = edges(false);
	EXPECT_LT(0, two);
	EXPECT_LT(two, one);
	/* Others may be at work in the machine. */
	EXPECT_LE(before + one + two, edges(true));
}

TEST_HARNESS_MAIN

// SPDX-License-Identifier: GPL-2.0
/*
 * How long answers take: a request, then one send() of so many bytes that the
 * other end reads whole, again and again on one connection, over native TCP and
 * over XTCP: sizes from 1 byte to 4 MB, MTUs, send buffers from the least to
 * the most.  Whoever waits for a delayed ACK or for a timer where native TCP
 * does not is told by the time, if the clock counts instructions (vm/run
 * --icount); on any other one this is skipped.
 *
 * XTCP_ANSWERS=all: every combination; XTCP_ANSWERS=MTU,SNDBUF,SIZE[,DELAY]:
 * this one, SNDBUF as getsockopt() says it, one-way DELAY in microseconds.
 */
#include "../kselftest.h"
/* The harness comes with api.h; what is compared here are two runs. */
#pragma GCC diagnostic ignored "-Wunused-function"
#include "api.h"

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#endif
#define MAX_SIZE	4000000

/* What one case is: all of it in bytes, the delay in microseconds. */
struct answer {
	int mtu;
	int sndbuf;		/* 0: as it is born */
	int size;
	int delay;		/* one way, on the wire */
};

/* Its times in microseconds. */
struct times {
	long sum, longest;
	int n;
};

static char buf[MAX_SIZE];

static long now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000L + ts.tv_nsec / 1000;
}

static int set_mtu(int mtu)
{
	struct ifreq ifr = { .ifr_name = "lo", .ifr_mtu = mtu };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), r;

	r = ioctl(fd, SIOCSIFMTU, &ifr);
	close(fd);
	return r;
}

static int set_delay(int us)
{
	char cmd[128];

	if (!us)
		return 0;
	snprintf(cmd, sizeof(cmd),
		 "tc qdisc replace dev lo root netem delay %dus limit 100000",
		 us);
	return system(cmd);
}

/* The server: answers until the client leaves. */
static void *serve(void *arg)
{
	int fd = *(int *)arg, size;

	while (recv(fd, &size, sizeof(size), MSG_WAITALL) == sizeof(size))
		if (send(fd, buf, size, MSG_NOSIGNAL) != size)
			break;
	close(fd);
	return NULL;
}

static int ask(int fd, int size)
{
	static char in[1 << 18];
	ssize_t n;

	if (send(fd, &size, sizeof(size), 0) != sizeof(size))
		return -1;
	while (size > 0) {
		n = recv(fd, in, sizeof(in), 0);
		if (n <= 0)
			return -1;
		size -= n;
	}
	return 0;
}

static int run(struct xt *x, const struct answer *a, int count, struct times *t)
{
	pthread_t thread;
	long start, took;
	int i, r = -1;

	x->l = x->c = x->s = -1;
	if (xt_new_netns() || set_mtu(a->mtu) || xt_pair(x) ||
	    set_delay(a->delay))
		return -1;
	if (a->sndbuf && xt_set(x->s, SOL_SOCKET, SO_SNDBUF, a->sndbuf / 2))
		return -1;
	/* No receive buffer grows: the windows are the same. */
	if (xt_set(x->c, SOL_SOCKET, SO_RCVBUF, 65536))
		return -1;
	*t = (struct times){};
	if (pthread_create(&thread, NULL, serve, &x->s))
		return -1;
	for (i = 0; i < count; i++) {
		start = now_us();
		if (ask(x->c, a->size))
			break;
		took = now_us() - start;
		t->sum += took;
		t->n++;
		if (took > t->longest)
			t->longest = took;
	}
	if (i == count)
		r = 0;
	close(x->c);
	pthread_join(thread, NULL);
	close(x->l);
	return r;
}

/* How much longer than native TCP an answer may take, in microseconds. */
static long bound(const struct answer *a, long native)
{
	/*
	 * Each segment is sent and received by itself, where native TCP hands
	 * over 64 KiB at once; the least pause is a delayed ACK's, 40 ms.
	 */
	return native + native / 2 + 15000 + (a->size / a->mtu) * 15L;
}

static void check(const struct answer *a)
{
	struct xt tcp = { .xtcp = false }, xtcp = { .xtcp = true };
	char name[128];
	struct times n, o;
	bool ok = false;
	int count = a->size < 1000000 ? 6 : 2;

	snprintf(name, sizeof(name), "mtu %d, send buffer %d, %d bytes%s",
		 a->mtu, a->sndbuf, a->size, a->delay ? ", delayed" : "");
	if (run(&tcp, a, count, &n) || run(&xtcp, a, count, &o)) {
		ksft_test_result_fail("%s: errno %d\n", name, errno);
		return;
	}
	ok = o.longest <= bound(a, n.longest);
	if (!ok || getenv("XTCP_ANSWERS"))
		ksft_print_msg("%s: native %ld us, longest %ld; xtcp %ld, %ld\n",
			       name, n.sum / n.n, n.longest, o.sum / o.n,
			       o.longest);
	ksft_test_result(ok, "%s\n", name);
}

static const int mtus[] = { 576, 1500, 9000, 65536 };
static const int bufs[] = { 0, 4608, 16384, 65536, 212992, 4194304 };
static const int sizes[] = { 1, 100, 1449, 4000, 16384, 50000, 65537, 200000,
			     1000000, MAX_SIZE };

/* In every run: what has stalled, and a corner of everything else. */
static const struct answer few[] = {
	{ 1500, 0, 200000 }, { 1500, 4608, 50000 }, { 1500, 16384, 200000 },
	{ 1500, 65536, 200000 }, { 1500, 4608, 200000, 10000 },
	{ 1500, 65536, 500000, 10000 }, { 576, 4608, 50000 },
	{ 9000, 4608, 50000 }, { 9000, 16384, 200000 }, { 65536, 4608, 200000 },
	{ 65536, 0, 1000000 }, { 1500, 4608, 1449 }, { 1500, 212992, 65537 },
};

static void check_all(void)
{
	struct answer a = { 0 };
	size_t m, b, s;

	for (m = 0; m < ARRAY_SIZE(mtus); m++)
		for (b = 0; b < ARRAY_SIZE(bufs); b++)
			for (s = 0; s < ARRAY_SIZE(sizes); s++) {
				a.mtu = mtus[m];
				a.sndbuf = bufs[b];
				a.size = sizes[s];
				check(&a);
			}
}

int main(void)
{
	const char *want = getenv("XTCP_ANSWERS"), *icount = getenv("XTCP_ICOUNT");
	struct answer a = { 0 };
	size_t i;

	ksft_print_header();
	if (access("/sys/module/xtcp", F_OK))
		ksft_exit_skip("xtcp.ko is not loaded\n");
	if (!icount || strcmp(icount, "1"))
		ksft_exit_skip("the clock does not count instructions\n");
	if (want && !strcmp(want, "all")) {
		ksft_set_plan(ARRAY_SIZE(mtus) * ARRAY_SIZE(bufs) *
			      ARRAY_SIZE(sizes));
		check_all();
	} else if (want && sscanf(want, "%d,%d,%d,%d", &a.mtu, &a.sndbuf,
				  &a.size, &a.delay) >= 3) {
		ksft_set_plan(1);
		check(&a);
	} else {
		ksft_set_plan(ARRAY_SIZE(few));
		for (i = 0; i < ARRAY_SIZE(few); i++)
			check(&few[i]);
	}
	ksft_finished();
}

// SPDX-License-Identifier: GPL-2.0
/* Large and awkward amounts of data, every byte checked at the other end. */
#include "api.h"

XT_FIXTURE(bulk);

#define BULK	(2 << 20)

struct job {
	int fd;
	uint64_t seed;
	size_t len;
	size_t step;		/* bytes a call; 0: a pseudo-random number */
	pthread_t t;
	const char *bad;	/* what went wrong */
};

/* 1 to 4096 bytes, most of them small, the same for the same offset. */
static size_t step_at(const struct job *j, uint64_t off)
{
	unsigned int r = xt_byte(99, off) | xt_byte(98, off) << 8;

	if (j->step)
		return j->step;
	return 1 + r % (1U << (r >> 12 & 7 ? 6 : 12));
}

static void *writer(void *arg)
{
	struct job *j = arg;
	uint8_t *buf = malloc(1 << 20);
	size_t off = 0, n;

	while (off < j->len && !j->bad) {
		n = step_at(j, off);
		if (n > j->len - off)
			n = j->len - off;
		xt_pattern(buf, j->seed, off, n);
		if (xt_write_all(j->fd, buf, n) != n)
			j->bad = "write";
		off += n;
	}
	if (shutdown(j->fd, SHUT_WR))
		j->bad = "shutdown";
	free(buf);
	return NULL;
}

static void *reader(void *arg)
{
	struct job *j = arg;
	uint8_t *buf = malloc(1 << 20);
	size_t off = 0;
	ssize_t n;

	while ((n = read(j->fd, buf, j->step ? j->step : 1 << 16)) > 0) {
		if (xt_pattern_ok(buf, j->seed, off, n) != n)
			j->bad = "a wrong byte";
		off += n;
	}
	if (n < 0)
		j->bad = "read";
	if (off != j->len)
		j->bad = "length";
	free(buf);
	return NULL;
}

/* Both directions at once; NULL if every byte arrived as it left. */
static const char *both_ways(struct xt *x, size_t len, size_t step)
{
	struct job j[4] = {
		{ .fd = x->c, .seed = 1, .len = len, .step = step },
		{ .fd = x->s, .seed = 1, .len = len },
		{ .fd = x->s, .seed = 2, .len = len, .step = step },
		{ .fd = x->c, .seed = 2, .len = len },
	};
	const char *bad = NULL;
	int i;

	for (i = 0; i < 4; i++)
		if (pthread_create(&j[i].t, NULL, i % 2 ? reader : writer,
				   &j[i]))
			return "pthread_create";
	for (i = 0; i < 4; i++) {
		pthread_join(j[i].t, NULL);
		bad = j[i].bad ? j[i].bad : bad;
	}
	return bad;
}

TEST_F(bulk, both_ways_64k_writes)
{
	ASSERT_EQ(0, xt_pair(&self->x));
	EXPECT_EQ(NULL, both_ways(&self->x, BULK, 65536));
}

TEST_F(bulk, both_ways_megabyte_writes)
{
	ASSERT_EQ(0, xt_pair(&self->x));
	EXPECT_EQ(NULL, both_ways(&self->x, BULK, 1 << 20));
}

TEST_F(bulk, both_ways_odd_writes)
{
	ASSERT_EQ(0, xt_pair(&self->x));
	EXPECT_EQ(NULL, both_ways(&self->x, BULK / 2, 1447));
}

TEST_F(bulk, small_writes_with_nagle)
{
	ASSERT_EQ(0, xt_pair(&self->x));
	EXPECT_EQ(NULL, both_ways(&self->x, 60000, 7));
}

TEST_F(bulk, small_writes_without_nagle)
{
	ASSERT_EQ(0, xt_pair(&self->x));
	ASSERT_EQ(0, xt_set(self->x.c, IPPROTO_TCP, TCP_NODELAY, 1));
	ASSERT_EQ(0, xt_set(self->x.s, IPPROTO_TCP, TCP_NODELAY, 1));
	EXPECT_EQ(NULL, both_ways(&self->x, 60000, 7));
}

TEST_F(bulk, mixed_writes)
{
	ASSERT_EQ(0, xt_pair(&self->x));
	EXPECT_EQ(NULL, both_ways(&self->x, 400000, 0));
}

TEST_F(bulk, small_mss)
{
	ASSERT_EQ(0, xt_listen(&self->x, 4));
	ASSERT_EQ(0, xt_set(self->x.l, IPPROTO_TCP, TCP_MAXSEG, 536));
	ASSERT_EQ(0, xt_pair(&self->x));
	EXPECT_EQ(NULL, both_ways(&self->x, BULK / 4, 65536));
}

TEST_F(bulk, tiny_buffers)
{
	ASSERT_EQ(0, xt_listen(&self->x, 4));
	ASSERT_EQ(0, xt_set(self->x.l, IPPROTO_TCP, TCP_MAXSEG, 1000));
	ASSERT_EQ(0, xt_set(self->x.l, SOL_SOCKET, SO_RCVBUF, 4096));
	ASSERT_EQ(0, xt_set(self->x.l, SOL_SOCKET, SO_SNDBUF, 4096));
	ASSERT_EQ(0, xt_pair(&self->x));
	ASSERT_EQ(0, xt_set(self->x.c, SOL_SOCKET, SO_SNDBUF, 4096));
	EXPECT_EQ(NULL, both_ways(&self->x, 100000, 65536));
}

/* One side writes as much as is taken; returns that, or -1. */
static ssize_t push(int fd, uint64_t seed, uint64_t off, size_t len)
{
	static uint8_t buf[1 << 18];
	size_t n = len < sizeof(buf) ? len : sizeof(buf);
	ssize_t r;

	xt_pattern(buf, seed, off, n);
	r = write(fd, buf, n);
	return r < 0 && errno == EAGAIN ? 0 : r;
}

/* One side reads as much as is there; returns that, or -1. */
static ssize_t pull(int fd, uint64_t seed, uint64_t off)
{
	static uint8_t buf[1 << 18];
	ssize_t r = read(fd, buf, sizeof(buf));

	if (r < 0)
		return errno == EAGAIN ? 0 : -1;
	return xt_pattern_ok(buf, seed, off, r) == r ? r : -1;
}

TEST_F(bulk, one_thread_nonblocking)
{
	struct pollfd p[2];
	size_t out = 0, in = 0;
	ssize_t n;
	int partial = 0;

	ASSERT_EQ(0, xt_pair(&self->x));
	ASSERT_EQ(0, xt_nonblock(self->x.c, true));
	ASSERT_EQ(0, xt_nonblock(self->x.s, true));
	while (in < BULK) {
		p[0] = (struct pollfd){ self->x.c, out < BULK ? POLLOUT : 0 };
		p[1] = (struct pollfd){ self->x.s, POLLIN };
		ASSERT_LT(0, poll(p, 2, XT_DEADLINE_MS));
		if (p[0].revents & POLLOUT) {
			n = push(self->x.c, 8, out, BULK - out);
			ASSERT_LE(0, n);
			partial += n < BULK - out && n < 1 << 18;
			out += n;
		}
		if (p[1].revents & POLLIN) {
			n = pull(self->x.s, 8, in);
			ASSERT_LE(0, n);
			in += n;
		}
	}
	EXPECT_EQ(BULK, out);
}

TEST_F(bulk, partial_writes)
{
	size_t out = 0, in = 0, want;
	ssize_t n;

	/* A full pipe takes a part of the write and says which. */
	ASSERT_EQ(0, xt_listen(&self->x, 4));
	ASSERT_EQ(0, xt_set(self->x.l, SOL_SOCKET, SO_RCVBUF, 30000));
	ASSERT_EQ(0, xt_pair(&self->x));
	ASSERT_EQ(0, xt_set(self->x.c, SOL_SOCKET, SO_SNDBUF, 30000));
	ASSERT_EQ(0, xt_nonblock(self->x.c, true));
	n = push(self->x.c, 9, 0, 1 << 18);
	ASSERT_LT(0, n);
	EXPECT_GT(1 << 18, n);
	out = n;
	for (want = 1 << 20; in < want; ) {
		if (out < want) {
			n = push(self->x.c, 9, out, want - out);
			ASSERT_LE(0, n);
			out += n;
		}
		ASSERT_TRUE(xt_wait(self->x.s, POLLIN));
		n = pull(self->x.s, 9, in);
		ASSERT_LT(0, n);
		in += n;
	}
	EXPECT_EQ(want, out);
}

TEST_F(bulk, slow_reader)
{
	struct job w = { .seed = 10, .len = 300000, .step = 65536 };
	uint8_t buf[512];
	size_t off = 0;
	ssize_t n;

	/* Small reads from a small buffer: the window closes and opens. */
	ASSERT_EQ(0, xt_listen(&self->x, 4));
	ASSERT_EQ(0, xt_set(self->x.l, SOL_SOCKET, SO_RCVBUF, 6000));
	ASSERT_EQ(0, xt_pair(&self->x));
	w.fd = self->x.c;
	ASSERT_EQ(0, pthread_create(&w.t, NULL, writer, &w));
	while ((n = read(self->x.s, buf, sizeof(buf))) > 0) {
		ASSERT_EQ(n, xt_pattern_ok(buf, 10, off, n));
		off += n;
	}
	EXPECT_EQ(0, n);
	EXPECT_EQ(w.len, off);
	pthread_join(w.t, NULL);
	EXPECT_EQ(NULL, w.bad);
}

TEST_F(bulk, ping_pong)
{
	char b;
	int i;

	ASSERT_EQ(0, xt_pair(&self->x));
	for (i = 0; i < 1000; i++) {
		b = i;
		ASSERT_EQ(1, write(self->x.c, &b, 1));
		ASSERT_EQ(1, read(self->x.s, &b, 1));
		ASSERT_EQ(1, write(self->x.s, &b, 1));
		ASSERT_EQ(1, read(self->x.c, &b, 1));
		ASSERT_EQ((char)i, b);
	}
}

TEST_HARNESS_MAIN

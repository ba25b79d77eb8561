// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that is not there.  Every call is made with its first allocation
 * failing, then with its second, until it has no more; and connections are
 * opened, used and closed while allocations in the softirq fail by chance.
 *
 * Needs the kernel's fault injection, which the sanitizer kernel has.
 */
#include "api.h"
#include "faults.h"
#include <sys/sendfile.h>

#define MOST		300	/* allocations of one call, surely */
#define BYTES		3000
#define SEED		77

/* One call: what has to be there before, itself, and what must hold after. */
struct op {
	const char *name;
	int (*before)(struct xt *x);
	long (*call)(struct xt *x);
	int (*after)(struct xt *x, long ret);
	bool xtcp_only;
};

static unsigned char buf[BYTES];
static int pipes[2], file;

static bool no_memory(int e)
{
	/* Native TCP's bind() knows one reason only. */
	return e == ENOMEM || e == ENOBUFS || e == ENFILE || e == EAGAIN ||
	       e == EADDRINUSE;
}

/* Reads the pattern from @from on to its end. */
static int rest_arrives(int fd, long from)
{
	unsigned char got[BYTES];

	if (from < 0)
		from = 0;
	if (xt_read_all(fd, got, BYTES - from) != BYTES - from)
		return -1;
	return xt_pattern_ok(got, SEED, from, BYTES - from) == BYTES - from ?
		0 : -1;
}

/* Writes the pattern from @from on, however often memory is missing. */
static int send_rest(int fd, long from)
{
	unsigned char data[BYTES];
	long n = from < 0 ? 0 : from;
	ssize_t r;

	xt_pattern(data, SEED, 0, BYTES);
	while (n < BYTES) {
		r = write(fd, data + n, BYTES - n);
		if (r < 0 && !no_memory(errno))
			return -1;
		if (r > 0)
			n += r;
	}
	return 0;
}

/* Bytes go both ways. */
static int usable(int a, int b)
{
	return send_rest(a, 0) || rest_arrives(b, 0) || send_rest(b, 0) ||
	       rest_arrives(a, 0) ? -1 : 0;
}

static int nothing(struct xt *x)
{
	return 0;
}

static int have_socket(struct xt *x)
{
	x->c = xt_socket(x, 0);
	return x->c < 0 ? -1 : 0;
}

static int have_bound(struct xt *x)
{
	socklen_t len = sizeof(x->addr);

	x->l = xt_socket(x, 0);
	return x->l < 0 || xt_bind(x->l, "127.0.0.1", 0) ||
	       getsockname(x->l, SA(&x->addr), &len) ? -1 : 0;
}

static int have_listener(struct xt *x)
{
	return xt_listen(x, 4) ? -1 : have_socket(x);
}

static int have_waiting(struct xt *x)
{
	if (xt_listen(x, 4))
		return -1;
	x->c = xt_dial(x);
	return x->c < 0 || !xt_wait(x->l, POLLIN) ? -1 : 0;
}

static int have_pair(struct xt *x)
{
	xt_pattern(buf, SEED, 0, BYTES);
	return xt_pair(x);
}

static int have_data(struct xt *x)
{
	if (have_pair(x) || xt_write_all(x->s, buf, BYTES) != BYTES)
		return -1;
	return XT_UNTIL(({ int n = 0; ioctl(x->c, FIONREAD, &n);
			   n == BYTES; })) ? 0 : -1;
}

static long call_socket(struct xt *x)
{
	return x->c = xt_socket(x, 0);
}

static int after_socket(struct xt *x, long ret)
{
	return ret < 0 ? have_socket(x) : 0;
}

static long call_bind(struct xt *x)
{
	return xt_bind(x->c, "127.0.0.1", 0);
}

static int after_bind(struct xt *x, long ret)
{
	if (ret && call_bind(x))
		return -1;
	return xt_port(x->c) > 0 ? 0 : -1;
}

static long call_listen(struct xt *x)
{
	return listen(x->l, 4);
}

static int after_listen(struct xt *x, long ret)
{
	if (ret && call_listen(x))
		return -1;
	return xt_pair(x) ? -1 : usable(x->c, x->s);
}

static long call_connect(struct xt *x)
{
	return connect(x->c, SA(&x->addr), sizeof(x->addr));
}

/* The socket that failed can be used for another attempt. */
static int after_connect(struct xt *x, long ret)
{
	if (ret && call_connect(x))
		return -1;
	x->s = accept(x->l, NULL, NULL);
	return x->s < 0 ? -1 : usable(x->c, x->s);
}

static long call_accept(struct xt *x)
{
	return x->s = accept(x->l, NULL, NULL);
}

static int after_accept(struct xt *x, long ret)
{
	if (ret < 0 && call_accept(x) < 0)
		return -1;
	return usable(x->c, x->s);
}

static long call_send(struct xt *x)
{
	return send(x->c, buf, BYTES, MSG_DONTWAIT);
}

static long call_sendfile(struct xt *x)
{
	off_t off = 0;

	return sendfile(x->c, file, &off, BYTES);
}

/* What was taken, and then the rest, arrives. */
static int after_send(struct xt *x, long ret)
{
	if (send_rest(x->c, ret) || rest_arrives(x->s, 0))
		return -1;
	return usable(x->s, x->c);
}

static long call_recv(struct xt *x)
{
	return recv(x->c, buf, 1000, 0);
}

static long call_splice(struct xt *x)
{
	return splice(x->c, NULL, pipes[1], NULL, 1000, SPLICE_F_NONBLOCK);
}

static int after_recv(struct xt *x, long ret)
{
	return rest_arrives(x->c, ret) ? -1 : usable(x->c, x->s);
}

static int after_splice(struct xt *x, long ret)
{
	if (ret > 0 && read(pipes[0], buf, BYTES) != ret)
		return -1;
	return after_recv(x, ret);
}

static long call_shutdown(struct xt *x)
{
	return shutdown(x->c, SHUT_WR);
}

static int after_shutdown(struct xt *x, long ret)
{
	char c;

	return ret || read(x->s, &c, 1) ? -1 : 0;
}

static long call_close(struct xt *x)
{
	int fd = x->c;

	x->c = -1;
	return close(fd);
}

static int after_close(struct xt *x, long ret)
{
	return ret || !xt_wait(x->s, POLLIN) ? -1 : 0;
}

static long call_unspec(struct xt *x)
{
	return xt_unspec(x->c);
}

static int after_unspec(struct xt *x, long ret)
{
	if (ret)
		return -1;
	/* It may not know: the reset takes memory, and comes once only. */
	close(x->s);
	return after_connect(x, -1);
}

static long call_set(struct xt *x)
{
	char opts[4] = { 1, 1, 1, 0 };	/* IP: NOP, NOP, NOP, end */
	const char *cc = x->xtcp ? "newreno" : "reno";

	return setsockopt(x->c, IPPROTO_IP, IP_OPTIONS, opts, 4) |
	       setsockopt(x->c, IPPROTO_TCP, TCP_CONGESTION, cc, strlen(cc)) |
	       setsockopt(x->c, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3);
}

static long call_proc(struct xt *x)
{
	int fd = open(x->xtcp ? "/proc/net/xtcp" : "/proc/net/tcp", O_RDONLY);
	char text[4096];
	long n = fd < 0 ? -1 : read(fd, text, sizeof(text));
	int e = errno;

	if (fd >= 0)
		close(fd);
	errno = e;
	return n;
}

static int after_pair(struct xt *x, long ret)
{
	return usable(x->c, x->s);
}

static const struct op ops[] = {
	{ "socket", nothing, call_socket, after_socket },
	{ "bind", have_socket, call_bind, after_bind },
	{ "listen", have_bound, call_listen, after_listen },
	{ "connect", have_listener, call_connect, after_connect },
	{ "accept", have_waiting, call_accept, after_accept },
	{ "send", have_pair, call_send, after_send },
	{ "sendfile", have_pair, call_sendfile, after_send },
	{ "recv", have_data, call_recv, after_recv },
	{ "splice", have_data, call_splice, after_splice },
	/* Native TCP forgets a FIN that it has no memory for. */
	{ "shutdown", have_pair, call_shutdown, after_shutdown, true },
	{ "close", have_pair, call_close, after_close, true },
	{ "unspec", have_pair, call_unspec, after_unspec },
	{ "setsockopt", have_pair, call_set, after_pair },
	{ "proc", have_pair, call_proc, after_pair },
};

static void done(struct xt *x)
{
	if (x->l >= 0)
		close(x->l);
	if (x->c >= 0)
		close(x->c);
	if (x->s >= 0)
		close(x->s);
	x->l = x->c = x->s = -1;
}

/* With the @n-th failing; 1: it has fewer, 0: it went well, -1: it did not. */
static int try_op(struct xt *x, const struct op *op, unsigned int n)
{
	bool failed;
	int fd, e;
	long ret;

	if (op->before(x)) {
		printf("# %s %u: before: %s\n", op->name, n, strerror(errno));
		return -1;
	}
	fd = faults_arm(n);
	ret = op->call(x);
	e = errno;
	failed = faults_disarm(fd);
	if (ret < 0 && !(failed && no_memory(e))) {
		printf("# %s %u: %ld %s\n", op->name, n, ret, strerror(e));
		return -1;
	}
	if (op->after(x, ret)) {
		printf("# %s %u: after %ld: %s\n", op->name, n, ret,
		       strerror(errno));
		return -1;
	}
	done(x);
	return !failed;
}

XT_FIXTURE(faults);

TEST_F_TIMEOUT(faults, every_allocation_of_a_call, 200 * xt_slow())
{
	unsigned int i, n;
	int r;

	if (!faults_here())
		SKIP(return, "no fault injection in this kernel");
	ASSERT_EQ(0, faults_set(false));
	ASSERT_EQ(0, pipe(pipes));
	file = memfd_create("faults", 0);
	xt_pattern(buf, SEED, 0, BYTES);
	ASSERT_EQ(BYTES, write(file, buf, BYTES));
	for (i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		if (ops[i].xtcp_only && !variant->xtcp)
			continue;
		for (n = 1, r = 0; !r && n < MOST; n++)
			r = try_op(&self->x, &ops[i], n);
		TH_LOG("%s: %u allocations", ops[i].name, n - 2);
		ASSERT_EQ(1, r);
	}
}

/* What has no counterpart in native TCP, whose calls cannot be told apart. */
FIXTURE(scarce) {
	struct xt x;
};

FIXTURE_SETUP(scarce)
{
	self->x = (struct xt){ .xtcp = true, .l = -1, .c = -1, .s = -1 };
	if (access("/sys/module/xtcp", F_OK))
		SKIP(return, "xtcp.ko is not loaded");
	if (!faults_here())
		SKIP(return, "no fault injection in this kernel");
	ASSERT_EQ(0, xt_new_netns());
	ASSERT_EQ(0, faults_set(true));
}

FIXTURE_TEARDOWN(scarce)
{
}

/* No namespace is half made, and the next one is whole. */
TEST_F(scarce, every_allocation_of_a_namespace)
{
	unsigned int n, refused = 0;
	bool failed = true;
	int fd, r, e;

	for (n = 1; failed && n < MOST; n++) {
		fd = faults_arm(n);
		r = unshare(CLONE_NEWNET);
		e = errno;
		failed = faults_disarm(fd);
		refused += r != 0;
		if (r) {
			ASSERT_EQ(ENOMEM, e);
			ASSERT_TRUE(failed);
		}
	}
	TH_LOG("%u allocations, %u needed", n - 2, refused);
	ASSERT_EQ(false, failed);
	ASSERT_LT(0, refused);
	ASSERT_EQ(0, xt_new_netns());
	ASSERT_EQ(0, have_pair(&self->x));
	EXPECT_EQ(0, usable(self->x.c, self->x.s));
}

#define THREADS		8
#define ROUNDS		4

/* Of one thread: connections, as often as it takes to open each. */
static void *worker(void *arg)
{
	struct xt x = *(struct xt *)arg;
	long ok = 0;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		while (have_pair(&x) && no_memory(errno))
			done(&x);
		ok += x.s >= 0 && !usable(x.c, x.s);
		done(&x);
	}
	return (void *)ok;
}

/* Requests and segments get lost; with them goes time, and nothing else. */
TEST_F_TIMEOUT(scarce, one_in_ten_fails, 200 * xt_slow())
{
	long ok, sum = 0;
	pthread_t t[THREADS];
	char left[16] = "";
	int i, fd;

	/* It ends by itself, also if we do not. */
	ASSERT_EQ(0, faults_point("failslab", "times", "2000"));
	ASSERT_EQ(0, faults_point("failslab", "probability", "10"));
	for (i = 0; i < THREADS; i++)
		ASSERT_EQ(0, pthread_create(&t[i], NULL, worker, &self->x));
	for (i = 0; i < THREADS; i++) {
		pthread_join(t[i], (void **)&ok);
		sum += ok;
	}
	EXPECT_EQ(0, faults_set(false));
	EXPECT_EQ(THREADS * ROUNDS, sum);
	fd = open(FAULTS "failslab/times", O_RDONLY);
	EXPECT_LT(0, read(fd, left, sizeof(left) - 1));
	TH_LOG("%d failed", 2000 - atoi(left));
	EXPECT_GT(1950, atoi(left));
	close(fd);
}

TEST_HARNESS_MAIN

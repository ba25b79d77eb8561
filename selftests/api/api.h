/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What every API test shares: a fixture that runs each test twice, over
 * native TCP (the oracle) and over XTCP, each time in a network namespace of
 * its own, and helpers that wait for events instead of for time.
 */
#ifndef XT_API_H
#define XT_API_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <net/route.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* The folder also builds where XTCP's header is not installed. */
#if __has_include(<linux/xtcp.h>)
#include <linux/xtcp.h>
#endif
#ifndef AF_XTCP
#define AF_XTCP		25
#endif
#ifndef IPPROTO_XTCP
#define IPPROTO_XTCP	253
#endif

/* How much slower than usual the kernel is by design: a factor for limits. */
static inline int xt_slow(void)
{
	const char *slow = getenv("XTCP_SLOW");

	return slow && atoi(slow) > 0 ? atoi(slow) : 1;
}

/* A program with a main() of its own has no use for the harness. */
#ifndef XT_NO_HARNESS
#include "kselftest_harness.h"
/* Seconds, read when the program starts. */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT	(30 * xt_slow())

/* XTCP_TEST_TRANSPORT=tcp or xtcp: the other one's variants are left out. */
static inline int xt_main(int argc, char **argv)
{
	const char *only = getenv("XTCP_TEST_TRANSPORT");
	char *all[argc + 3];
	int i;

	if (!only || !*only)
		return test_harness_run(argc, argv);
	if (strcmp(only, "tcp") && strcmp(only, "xtcp"))
		ksft_exit_fail_msg("no transport %s\n", only);
	all[0] = argv[0];
	all[1] = "-V";
	all[2] = strcmp(only, "tcp") ? "tcp" : "xtcp";
	/* With the terminating NULL. */
	for (i = 1; i <= argc; i++)
		all[i + 2] = argv[i];
	return test_harness_run(argc + 2, all);
}

#undef TEST_HARNESS_MAIN
#define TEST_HARNESS_MAIN						\
	int main(int argc, char **argv)					\
	{								\
		return xt_main(argc, argv);				\
	}
#endif

/* No event here needs longer than this, even under software emulation. */
#define XT_DEADLINE_MS	10000

#define XT_POLL_ALL	(POLLIN | POLLOUT | POLLPRI | POLLRDHUP | POLLHUP | \
			 POLLERR)

/* One test's sockets: listener, client end, server end. */
struct xt {
	bool xtcp;
	int l;
	int c;
	int s;
	struct sockaddr_in addr;	/* where l listens */
};

/*
 * Milliseconds of the clock that goes with the kernel's ticks, in which it
 * counts timeouts: a late machine catches up on several ticks at once, and a
 * finer clock would then see a timeout end too soon.
 */
static inline long long xt_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

/* What a timeout may seem short of: a tick of 4 ms at either end. */
#define XT_TICKS	8

/* Re-evaluates a condition until it holds or the deadline passes. */
#define XT_UNTIL(cond) __extension__ ({					\
	long long end_ = xt_now_ms() + XT_DEADLINE_MS;			\
	bool ok_;							\
									\
	while (!(ok_ = (cond)) && xt_now_ms() < end_)			\
		usleep(500);						\
	ok_;								\
})

/* The call fails, with this errno. */
#define EXPECT_ERR(err, call) do {					\
	long r_;							\
									\
	errno = 0;							\
	r_ = (long)(call);						\
	int e_ = errno;							\
	EXPECT_EQ(-1, r_);						\
	EXPECT_EQ(err, e_);						\
} while (0)

/* An unsigned number from a file, or @dflt if there is no such file. */
static inline int xt_read_int(const char *path, int dflt)
{
	FILE *f = fopen(path, "r");
	int v;

	if (!f)
		return dflt;
	if (fscanf(f, "%d", &v) != 1)
		v = dflt;
	fclose(f);
	return v;
}

static inline int xt_write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = write(fd, text, strlen(text));
	close(fd);
	return n == (ssize_t)strlen(text) ? 0 : -1;
}

/* A setting: tcp_NAME of native TCP, NAME of ours; valid until the next call. */
static inline const char *xt_sysctl(const struct xt *x, const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), x->xtcp ? "/proc/sys/net/xtcp/%s" :
		 "/proc/sys/net/ipv4/tcp_%s", name);
	return path;
}

/* The numbers are module parameters, so the ones in force are read. */
static inline int xt_family(const struct xt *x)
{
	if (!x->xtcp)
		return AF_INET;
	return xt_read_int("/sys/module/xtcp/parameters/family", AF_XTCP);
}

static inline int xt_proto(const struct xt *x)
{
	if (!x->xtcp)
		return IPPROTO_TCP;
	return xt_read_int("/sys/module/xtcp/parameters/ipproto",
			   IPPROTO_XTCP);
}

static inline int xt_socket(const struct xt *x, int flags)
{
	return socket(xt_family(x), SOCK_STREAM | flags, 0);
}

static inline struct sockaddr_in xt_addr(const char *ip, int port)
{
	struct sockaddr_in a = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
	};

	inet_pton(AF_INET, ip, &a.sin_addr);
	return a;
}

#define SA(a)	((struct sockaddr *)(a))

static inline int xt_bind(int fd, const char *ip, int port)
{
	struct sockaddr_in a = xt_addr(ip, port);

	return bind(fd, SA(&a), sizeof(a));
}

static inline int xt_connect(int fd, const char *ip, int port)
{
	struct sockaddr_in a = xt_addr(ip, port);

	return connect(fd, SA(&a), sizeof(a));
}

/* The local port of a socket, -1 on error. */
static inline int xt_port(int fd)
{
	struct sockaddr_in a;
	socklen_t len = sizeof(a);

	if (getsockname(fd, SA(&a), &len))
		return -1;
	return ntohs(a.sin_port);
}

static inline int xt_get(int fd, int level, int opt)
{
	int v = -1;
	socklen_t len = sizeof(v);

	return getsockopt(fd, level, opt, &v, &len) ? -1 : v;
}

static inline int xt_set(int fd, int level, int opt, int v)
{
	return setsockopt(fd, level, opt, &v, sizeof(v));
}

static inline int xt_error(int fd)
{
	return xt_get(fd, SOL_SOCKET, SO_ERROR);
}

/* connect(AF_UNSPEC): the connection, or listening, is undone. */
static inline int xt_unspec(int fd)
{
	struct sockaddr u = { .sa_family = AF_UNSPEC };

	return connect(fd, &u, sizeof(u));
}

static inline int xt_set_time(int fd, int opt, int ms)
{
	struct timeval tv = { ms / 1000, (ms % 1000) * 1000 };

	return setsockopt(fd, SOL_SOCKET, opt, &tv, sizeof(tv));
}

static inline int xt_linger(int fd, int on, int seconds)
{
	struct linger l = { on, seconds };

	return setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
}

static inline int xt_nonblock(int fd, bool on)
{
	int fl = fcntl(fd, F_GETFL);

	return fcntl(fd, F_SETFL, on ? fl | O_NONBLOCK : fl & ~O_NONBLOCK);
}

/* What poll() says right now. */
static inline int xt_poll_now(int fd)
{
	struct pollfd p = { .fd = fd, .events = XT_POLL_ALL };

	return poll(&p, 1, 0) < 0 ? -1 : p.revents;
}

/* Waits for any of @events; true if one came before the deadline. */
static inline bool xt_wait(int fd, int events)
{
	struct pollfd p = { .fd = fd, .events = events };

	return poll(&p, 1, XT_DEADLINE_MS) == 1;
}

/* Waits until poll() says exactly @events; returns what it said last. */
static inline int xt_wait_exact(int fd, int events)
{
	int now = -1;

	if (XT_UNTIL((now = xt_poll_now(fd)) == events))
		return events;
	return now;
}

/* Thread @tid of this process waits in the kernel. */
static inline bool xt_asleep(pid_t tid)
{
	char path[64], state = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	f = fopen(path, "r");
	if (!f)
		return false;
	if (fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
		state = 0;
	fclose(f);
	return state == 'S';
}

static inline int xt_listen(struct xt *x, int backlog)
{
	socklen_t len = sizeof(x->addr);

	x->l = xt_socket(x, 0);
	if (x->l < 0 || xt_bind(x->l, "127.0.0.1", 0))
		return -1;
	if (getsockname(x->l, SA(&x->addr), &len))
		return -1;
	return listen(x->l, backlog);
}

/*
 * Connections in the accept queues of @nfd listeners: connect() may be over
 * before the listener has got the last ACK.
 */
static inline int xt_waiting(const int *fd, int nfd)
{
	struct tcp_info info;
	socklen_t len;
	int sum = 0;

	while (nfd--) {
		len = sizeof(info);
		if (!getsockopt(fd[nfd], IPPROTO_TCP, TCP_INFO, &info, &len))
			sum += info.tcpi_unacked;
	}
	return sum;
}

static inline int xt_dial(struct xt *x)
{
	int fd = xt_socket(x, 0);

	if (fd >= 0 && connect(fd, SA(&x->addr), sizeof(x->addr))) {
		close(fd);
		return -1;
	}
	return fd;
}

/* A connected pair through x->l, which stays open. */
static inline int xt_pair(struct xt *x)
{
	if (x->l < 0 && xt_listen(x, 16))
		return -1;
	x->c = xt_dial(x);
	if (x->c < 0)
		return -1;
	x->s = accept(x->l, NULL, NULL);
	return x->s < 0 ? -1 : 0;
}

static inline ssize_t xt_read_all(int fd, void *buf, size_t len)
{
	size_t n = 0;
	ssize_t r;

	while (n < len) {
		r = read(fd, (char *)buf + n, len - n);
		if (r < 0)
			return -1;
		if (!r)
			break;
		n += r;
	}
	return n;
}

static inline ssize_t xt_write_all(int fd, const void *buf, size_t len)
{
	size_t n = 0;
	ssize_t r;

	while (n < len) {
		r = write(fd, (const char *)buf + n, len - n);
		if (r < 0)
			return -1;
		n += r;
	}
	return n;
}

/* Fills the way from @fd to its peer until nothing more is taken. */
static inline ssize_t xt_fill(int fd)
{
	static char junk[65536];
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	size_t len = sizeof(junk);
	ssize_t n = 0, r;

	/*
	 * Both buffers and the segments between them must be full: a short
	 * silence after EAGAIN shows that nothing is moving any more.  Then
	 * single bytes, as POLLOUT wants more room than a byte needs.
	 */
	do {
		while ((r = send(fd, junk, len,
				 MSG_DONTWAIT | MSG_NOSIGNAL)) > 0)
			n += r;
		if (poll(&p, 1, 250) == 1)
			continue;
		if (len == 1)
			break;
		len = 1;
	} while (!(p.revents & (POLLERR | POLLHUP)));
	return n;
}

/* Byte number @off of the endless pattern @seed. */
static inline uint8_t xt_byte(uint64_t seed, uint64_t off)
{
	uint64_t z = (off >> 3) * 0x9e3779b97f4a7c15ULL + seed;

	z = (z ^ (z >> 31)) * 0xd6e8feb86659fd93ULL;
	z ^= z >> 29;
	return z >> (8 * (off & 7));
}

static inline void xt_pattern(void *buf, uint64_t seed, uint64_t off,
			      size_t len)
{
	uint8_t *p = buf;
	size_t i;

	for (i = 0; i < len; i++)
		p[i] = xt_byte(seed, off + i);
}

/* Index of the first byte that is not the pattern's, or @len. */
static inline size_t xt_pattern_ok(const void *buf, uint64_t seed,
				   uint64_t off, size_t len)
{
	const uint8_t *p = buf;
	size_t i;

	for (i = 0; i < len && p[i] == xt_byte(seed, off + i); i++)
		;
	return i;
}

/* Two pages, the second of them not there: returns the end of the first. */
static inline char *xt_edge(void)
{
	long pg = sysconf(_SC_PAGESIZE);
	char *p = mmap(NULL, 2 * pg, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED || munmap(p + pg, pg))
		return NULL;
	return p + pg;
}

/* An address nobody has; volatile, or the compiler warns of its own wisdom. */
static inline void *xt_bad_ptr(void)
{
	void *volatile p = (void *)8;

	return p;
}

#define XT_BAD_PTR	xt_bad_ptr()

/* An interface by ioctl, so that no tool is needed in the guest. */
static inline int xt_if_up(int fd, const char *name)
{
	struct ifreq ifr = { 0 };

	strncpy(ifr.ifr_name, name, IFNAMSIZ - 1);
	if (ioctl(fd, SIOCGIFFLAGS, &ifr))
		return -1;
	ifr.ifr_flags |= IFF_UP;
	return ioctl(fd, SIOCSIFFLAGS, &ifr);
}

/* A fresh network namespace with lo up becomes the caller's. */
static inline int xt_new_netns(void)
{
	int fd, r;

	if (unshare(CLONE_NEWNET))
		return -1;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	r = xt_if_up(fd, "lo");
	close(fd);
	return r;
}

/* The calling thread stays on one processor. */
static inline int xt_pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set);
}

/* A UDP socket connected to itself over lo, for xt_drained(). */
static inline int xt_marker(void)
{
	struct sockaddr_in a = xt_addr("127.0.0.1", 0);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(a);

	if (fd >= 0 && (bind(fd, SA(&a), len) ||
			getsockname(fd, SA(&a), &len) ||
			connect(fd, SA(&a), len))) {
		close(fd);
		return -1;
	}
	return fd;
}

/*
 * Returns when everything that lo had before from this processor has been
 * received: a busy kernel leaves that to a thread of its own.
 */
static inline void xt_drained(int marker)
{
	struct pollfd p = { .fd = marker, .events = POLLIN };
	char c;

	if (send(marker, "m", 1, 0) == 1 && poll(&p, 1, 1000) == 1)
		recv(marker, &c, 1, MSG_DONTWAIT);
}

/*
 * Makes 10.9.1.0/24 swallow every packet in silence: the route leads to lo,
 * where nobody has the addresses and forwarding is off.
 */
static inline int xt_blackhole(void)
{
	struct sockaddr_in me = xt_addr("10.9.0.1", 0);
	struct sockaddr_in dst = xt_addr("10.9.1.0", 0);
	struct sockaddr_in net = xt_addr("255.255.255.0", 0);
	struct sockaddr_in host = xt_addr("255.255.255.255", 0);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq ifr = { .ifr_name = "lo:1" };
	struct rtentry rt = { .rt_flags = RTF_UP };
	char dev[] = "lo";
	int r = -1;

	if (fd < 0)
		return -1;
	memcpy(&ifr.ifr_addr, &me, sizeof(me));
	if (ioctl(fd, SIOCSIFADDR, &ifr))
		goto out;
	memcpy(&ifr.ifr_netmask, &host, sizeof(host));
	if (ioctl(fd, SIOCSIFNETMASK, &ifr))
		goto out;
	memcpy(&rt.rt_dst, &dst, sizeof(dst));
	memcpy(&rt.rt_genmask, &net, sizeof(net));
	rt.rt_dev = dev;
	r = ioctl(fd, SIOCADDRT, &rt);
out:
	close(fd);
	return r;
}

#define XT_BLACKHOLE	"10.9.1.1"

/*
 * Declares fixture @name with its two variants.  Without the module the XTCP
 * half is skipped, visibly; with it nothing is.
 */
#define XT_FIXTURE(name)						\
FIXTURE(name) {								\
	struct xt x;							\
};									\
FIXTURE_VARIANT(name) {							\
	bool xtcp;							\
};									\
FIXTURE_VARIANT_ADD(name, tcp) {					\
	.xtcp = false,							\
};									\
FIXTURE_VARIANT_ADD(name, xtcp) {					\
	.xtcp = true,							\
};									\
FIXTURE_SETUP(name)							\
{									\
	self->x.xtcp = variant->xtcp;					\
	self->x.l = self->x.c = self->x.s = -1;				\
	if (variant->xtcp && access("/sys/module/xtcp", F_OK))		\
		SKIP(return, "xtcp.ko is not loaded");			\
	ASSERT_EQ(0, xt_new_netns());					\
}									\
FIXTURE_TEARDOWN(name)							\
{									\
}

/* A counter by name, in a file of XTCP's form or of native TCP's. */
static inline long xt_counter_in(const struct xt *x, const char *path,
				 const char *name)
{
	char head[16384], line[16384], *h, *v, *hs, *vs;
	const char *sep = " \t\r\n";
	long got = -1;
	FILE *f;

	f = fopen(path, "r");
	if (!f)
		return -1;
	/* A line "name value" there, a line of names and one of values here. */
	while (fgets(head, sizeof(head), f)) {
		h = strtok_r(head, sep, &hs);
		if (x->xtcp) {
			v = strtok_r(NULL, sep, &hs);
			if (h && v && !strcmp(h, name))
				got = atol(v);
			continue;
		}
		if (!fgets(line, sizeof(line), f))
			break;
		v = strtok_r(line, sep, &vs);
		for (; h && v; h = strtok_r(NULL, sep, &hs),
			       v = strtok_r(NULL, sep, &vs))
			if (!strcmp(h, name))
				got = atol(v);
	}
	fclose(f);
	return got;
}

/* A counter by name, native TCP's of RFC 4022 and the extended ones. */
static inline long xt_counter(const struct xt *x, const char *name)
{
	long got;

	if (x->xtcp)
		return xt_counter_in(x, "/proc/net/xtcp_snmp", name);
	got = xt_counter_in(x, "/proc/net/netstat", name);
	return got < 0 ? xt_counter_in(x, "/proc/net/snmp", name) : got;
}

#endif /* XT_API_H */

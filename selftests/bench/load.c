// SPDX-License-Identifier: GPL-2.0
/*
 * The load of `make bench`: one client, one server, one transport.
 *
 * Family, protocol, address and namespaces are arguments, so that XTCP, native
 * TCP and AF_UNIX run the same code. The program repeats the load and prints
 * one line of JSON: for each repetition the nanoseconds that the guest's clock
 * went on, and how many of them the processor was idle. Under `vm/run --icount`
 * a nanosecond that is not idle is an instruction, of everybody: client, server
 * and kernel.
 *
 * `load loss DEVICE NAMESPACE RATE SEED` is the exception: it gives a device a
 * netem queue with a seed, which Debian 12's tc cannot.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PORT		5001
#define BATCH		256	/* connections made before the server is waited for */
#define PER_ADDRESS	2000	/* connections to one address: ports are 28,000 */
#define MOST_PASSES	32
#define BUFFER		65536	/* what is read at once; the longest message */

static struct {
	const char *mode;
	int family, protocol;
	const char *address, *server_ns, *client_ns;
	long count;		/* bytes (bulk) or operations in a repetition */
	long size;		/* bytes of a write, or of a request and its answer */
	long conns;		/* connections (epoll, idle), or held beside (crr) */
	long time_wait;		/* connections in TIME_WAIT beside (crr) */
	int warm, passes;	/* repetitions thrown away, repetitions printed */
} opt = {
	.family = AF_INET, .address = "127.0.0.1", .count = 1000, .size = 1,
	.warm = 1, .passes = 3,
};

static char *buffer;
static int ready[2];		/* server to client: a byte for each batch accepted */

/* Nanoseconds of CLOCK_MONOTONIC, and those spent idle since boot */
struct reading {
	long long clock, idle;
};

static void enter(const char *ns)
{
	char path[128];
	int fd;

	if (!ns)
		return;
	snprintf(path, sizeof(path), "/run/netns/%s", ns);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		err(2, "namespace %s", ns);
	close(fd);
}

/*
 * The kernel's own sum of idle time, by the nanosecond; 0 where it is not to be
 * had. It reads a file of a few pages: outside of what is measured.
 */
static long long idle_time(void)
{
	FILE *file = fopen("/proc/timer_list", "r");
	long long sum = 0, value;
	char line[256];

	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, " .idle_sleeptime : %lld", &value) == 1 ||
		    sscanf(line, " .iowait_sleeptime : %lld", &value) == 1)
			sum += value;
	fclose(file);
	return sum;
}

static long long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void start(struct reading *r)
{
	r->idle = idle_time();
	r->clock = now();
}

/* Turns the reading at the start into what has gone by since */
static void stop(struct reading *r)
{
	r->clock = now() - r->clock;
	r->idle = idle_time() - r->idle;
}

static socklen_t make_address(struct sockaddr_storage *to, long index)
{
	struct sockaddr_un *local = (void *)to;
	struct sockaddr_in *in = (void *)to;

	memset(to, 0, sizeof(*to));
	if (opt.family == AF_UNIX) {
		local->sun_family = AF_UNIX;
		memcpy(local->sun_path, "\0xtcp-bench", 11);
		return offsetof(struct sockaddr_un, sun_path) + 11;
	}
	in->sin_family = AF_INET;
	in->sin_port = htons(PORT);
	in->sin_addr.s_addr = inet_addr(opt.address);
	/* 127.0.1.1, 127.0.2.1, ...: every one of them is this host */
	if (index >= 0)
		in->sin_addr.s_addr = htonl(INADDR_LOOPBACK +
					    ((1 + index / PER_ADDRESS) << 8));
	return sizeof(*in);
}

static int make_socket(void)
{
	int fd = socket(opt.family, SOCK_STREAM, opt.protocol);

	if (fd < 0)
		err(2, "socket");
	return fd;
}

/* index < 0: to the address of the command line; else spread over many */
static int connect_to(long index)
{
	struct sockaddr_storage to;
	socklen_t length = make_address(&to, index);
	int fd = make_socket(), one = 1;

	if (connect(fd, (void *)&to, length))
		err(2, "connect");
	if (!strcmp(opt.mode, "message") && opt.family != AF_UNIX &&
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)))
		err(2, "TCP_NODELAY");
	return fd;
}

static int listen_here(void)
{
	struct sockaddr_storage at;
	socklen_t length = make_address(&at, -1);
	int fd = make_socket(), one = 1;

	if (opt.family != AF_UNIX) {
		((struct sockaddr_in *)&at)->sin_addr.s_addr = INADDR_ANY;
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	}
	if (bind(fd, (void *)&at, length) || listen(fd, 4096))
		err(2, "listen");
	return fd;
}

static void send_all(int fd, long size)
{
	while (size > 0) {
		ssize_t n = write(fd, buffer, size);

		if (n < 0)
			err(2, "write");
		size -= n;
	}
}

/* False at the end of the stream */
static int read_all(int fd, long size)
{
	while (size > 0) {
		ssize_t n = read(fd, buffer, size);

		if (n < 0)
			err(2, "read");
		if (n == 0)
			return 0;
		size -= n;
	}
	return 1;
}

/* --- the server --------------------------------------------------------- */

static int accept_one(int listener)
{
	int fd = accept(listener, NULL, NULL);

	if (fd < 0)
		err(2, "accept");
	return fd;
}

/* Tells the client of each batch, and of the last connection */
static void tell(long done, long all)
{
	if ((done % BATCH == 0 || done == all) && write(ready[1], "x", 1) != 1)
		err(2, "pipe");
}

static void serve_epoll(int listener)
{
	struct epoll_event events[64], e = { .events = EPOLLIN };
	int ep = epoll_create1(0);
	long i;

	for (i = 1; i <= opt.conns; i++) {
		e.data.fd = accept_one(listener);
		if (epoll_ctl(ep, EPOLL_CTL_ADD, e.data.fd, &e))
			err(2, "epoll_ctl");
		tell(i, opt.conns);
	}
	for (;;) {
		int n = epoll_wait(ep, events, 64, -1);

		for (i = 0; i < n; i++) {
			if (read_all(events[i].data.fd, opt.size))
				send_all(events[i].data.fd, opt.size);
			else
				close(events[i].data.fd);
		}
	}
}

/* Reads to the end, then answers with one byte that all has come */
static void swallow(int fd)
{
	ssize_t n;

	while ((n = read(fd, buffer, BUFFER)) > 0)
		;
	if (n < 0)
		err(2, "read");
	send_all(fd, 1);
}

static void serve(int listener)
{
	int answers = !strcmp(opt.mode, "rr") || !strcmp(opt.mode, "crr");
	long i;

	if (!strcmp(opt.mode, "epoll"))
		serve_epoll(listener);
	for (i = 1; i <= opt.conns; i++) {
		accept_one(listener);
		tell(i, opt.conns);
	}
	for (;;) {
		int fd = accept_one(listener);

		if (answers)
			while (read_all(fd, opt.size))
				send_all(fd, opt.size);
		else
			swallow(fd);
		close(fd);
	}
}

/* --- the client --------------------------------------------------------- */

static int *connect_many(void)
{
	int *fds = calloc(opt.conns + 1, sizeof(int));
	long i;
	char x;

	for (i = 1; i <= opt.conns; i++) {
		fds[i - 1] = connect_to(i);
		if ((i % BATCH == 0 || i == opt.conns) &&
		    read(ready[0], &x, 1) != 1)
			errx(2, "the server is gone");
	}
	return fds;
}

/* bulk: count bytes; message: count messages */
static void stream(struct reading *r)
{
	long left = opt.count, size = opt.size;
	int fd, bulk = !strcmp(opt.mode, "bulk");

	if (!bulk)
		left *= size;
	fd = connect_to(-1);
	start(r);
	for (; left > 0; left -= size)
		send_all(fd, left < size ? left : size);
	shutdown(fd, SHUT_WR);
	if (!read_all(fd, 1))
		errx(2, "no answer");
	stop(r);
	close(fd);
}

static void exchange(int fd)
{
	send_all(fd, opt.size);
	if (!read_all(fd, opt.size))
		errx(2, "no answer");
}

static void request_response(struct reading *r)
{
	int fd = connect_to(-1);
	long i;

	exchange(fd);
	start(r);
	for (i = 0; i < opt.count; i++)
		exchange(fd);
	stop(r);
	close(fd);
}

/* index as for connect_to() */
static void once(long index)
{
	int fd = connect_to(index);

	exchange(fd);
	close(fd);
}

static void connections(struct reading *r)
{
	long i;

	start(r);
	for (i = 0; i < opt.count; i++)
		once(-1);
	stop(r);
}

static void epoll_rounds(struct reading *r, const int *fds)
{
	long i, rounds = opt.count / opt.conns;

	start(r);
	while (rounds-- > 0) {
		for (i = 0; i < opt.conns; i++)
			send_all(fds[i], opt.size);
		for (i = 0; i < opt.conns; i++)
			if (!read_all(fds[i], opt.size))
				errx(2, "no answer");
	}
	stop(r);
}

/* Kilobytes of a line in /proc/meminfo; per-processor remainders folded in */
static long meminfo(const char *name)
{
	char line[128], format[64];
	long value = -1;
	FILE *file;
	int fd = open("/proc/sys/vm/stat_refresh", O_WRONLY);

	if (fd >= 0) {
		if (write(fd, "1", 1) != 1)
			warn("stat_refresh");
		close(fd);
	}
	file = fopen("/proc/meminfo", "r");
	if (!file)
		err(2, "/proc/meminfo");
	snprintf(format, sizeof(format), "%s: %%ld", name);
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, format, &value) == 1)
			break;
	fclose(file);
	return value;
}

/*
 * A pair is two sockets with their files. The tables of file descriptors were
 * enlarged before the server was forked, so that they do not count.
 */
static void idle_memory(void)
{
	long slab, available;

	sleep(2);	/* what RCU still holds of those before us */
	slab = meminfo("Slab");
	available = meminfo("MemAvailable");
	connect_many();
	sleep(1);
	printf("\"slab\": %.0f, \"available\": %.0f}\n",
	       (meminfo("Slab") - slab) * 1024.0 / opt.conns,
	       (available - meminfo("MemAvailable")) * 1024.0 / opt.conns);
}

static void repeat(void)
{
	struct reading r[MOST_PASSES];
	int *fds = NULL, i;
	long n;

	if (opt.conns)
		fds = connect_many();
	for (n = 1; n <= opt.time_wait; n++)
		once(n);
	for (i = -opt.warm; i < opt.passes; i++) {
		struct reading *to = &r[i < 0 ? 0 : i];

		if (!strcmp(opt.mode, "bulk") || !strcmp(opt.mode, "message"))
			stream(to);
		else if (!strcmp(opt.mode, "rr"))
			request_response(to);
		else if (!strcmp(opt.mode, "crr"))
			connections(to);
		else
			epoll_rounds(to, fds);
	}
	printf("\"clock\": [");
	for (i = 0; i < opt.passes; i++)
		printf("%s%lld", i ? ", " : "", r[i].clock);
	printf("], \"idle\": [");
	for (i = 0; i < opt.passes; i++)
		printf("%s%lld", i ? ", " : "", r[i].idle);
	printf("]}\n");
}

/* --- a netem queue with a seed ------------------------------------------ */

static void put(struct nlmsghdr *h, int type, const void *data, int length)
{
	struct rtattr *a = (void *)((char *)h + NLMSG_ALIGN(h->nlmsg_len));

	a->rta_type = type;
	a->rta_len = RTA_LENGTH(length);
	memcpy(RTA_DATA(a), data, length);
	h->nlmsg_len = NLMSG_ALIGN(h->nlmsg_len) + RTA_ALIGN(a->rta_len);
}

#define NETEM_PRNG_SEED	14	/* TCA_NETEM_PRNG_SEED, since Linux 6.6 */

static int set_loss(const char *device, const char *ns, double rate,
		    unsigned long long seed)
{
	struct {
		struct nlmsghdr h;
		struct tcmsg t;
		char room[256];
	} m = {
		.h.nlmsg_len = NLMSG_LENGTH(sizeof(struct tcmsg)),
		.h.nlmsg_type = RTM_NEWQDISC,
		.h.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE |
				 NLM_F_REPLACE,
		.t.tcm_parent = TC_H_ROOT, .t.tcm_handle = 0x10000,
	};
	struct {
		struct nlmsghdr h;
		struct nlmsgerr e;
		char room[512];
	} answer;
	struct tc_netem_qopt q = { .limit = 10000, .loss = rate * 4294967295.0 };
	struct rtattr *options;
	int fd;

	enter(ns);
	m.t.tcm_ifindex = if_nametoindex(device);
	put(&m.h, TCA_KIND, "netem", 6);
	options = (void *)((char *)&m + NLMSG_ALIGN(m.h.nlmsg_len));
	put(&m.h, TCA_OPTIONS, &q, sizeof(q));
	put(&m.h, NETEM_PRNG_SEED, &seed, sizeof(seed));
	options->rta_len = (char *)&m + m.h.nlmsg_len - (char *)options;
	fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
	if (fd < 0 || send(fd, &m, m.h.nlmsg_len, 0) < 0 ||
	    recv(fd, &answer, sizeof(answer), 0) < 0)
		err(2, "netlink");
	if (answer.e.error) {
		errno = -answer.e.error;
		err(2, "netem on %s", device);
	}
	return 0;
}

/* ------------------------------------------------------------------------ */

static void usage(void)
{
	fputs("usage: load bulk|message|rr|crr|epoll|idle [-f FAMILY] [-p PROTOCOL]\n"
	      "            [-a ADDRESS] [-S SERVER-NAMESPACE] [-C CLIENT-NAMESPACE]\n"
	      "            [-n BYTES-OR-OPERATIONS] [-s SIZE] [-c CONNECTIONS]\n"
	      "            [-t CONNECTIONS-IN-TIME-WAIT] [-w WARM-UPS] [-r REPETITIONS]\n"
	      "       load loss DEVICE NAMESPACE RATE SEED\n", stderr);
	exit(2);
}

static void parse(int argc, char **argv)
{
	static const char * const modes[] = {
		"bulk", "message", "rr", "crr", "epoll", "idle", NULL
	};
	int c, i;

	opt.mode = argc > 1 ? argv[1] : "";
	for (i = 0; modes[i] && strcmp(modes[i], opt.mode); i++)
		;
	if (!modes[i])
		usage();
	optind = 2;
	while ((c = getopt(argc, argv, "f:p:a:S:C:n:s:c:t:w:r:")) != -1) {
		switch (c) {
		case 'f':
			opt.family = atoi(optarg);
			break;
		case 'p':
			opt.protocol = atoi(optarg);
			break;
		case 'a':
			opt.address = optarg;
			break;
		case 'S':
			opt.server_ns = optarg;
			break;
		case 'C':
			opt.client_ns = optarg;
			break;
		case 'n':
			opt.count = atol(optarg);
			break;
		case 's':
			opt.size = atol(optarg);
			break;
		case 'c':
			opt.conns = atol(optarg);
			break;
		case 't':
			opt.time_wait = atol(optarg);
			break;
		case 'w':
			opt.warm = atoi(optarg);
			break;
		case 'r':
			opt.passes = atoi(optarg);
			break;
		default:
			usage();
		}
	}
	if (opt.size < 1 || opt.size > BUFFER || opt.passes < 1 ||
	    opt.passes > MOST_PASSES || opt.count < 1 ||
	    (opt.conns < 1 && (!strcmp(opt.mode, "epoll") || !strcmp(opt.mode, "idle"))))
		usage();
}

/* Room for the most connections, in one go */
static void enlarge_descriptors(void)
{
	struct rlimit limit = { 65536, 65536 };
	int fd;

	setrlimit(RLIMIT_NOFILE, &limit);
	getrlimit(RLIMIT_NOFILE, &limit);
	fd = fcntl(0, F_DUPFD, (int)limit.rlim_cur - 1);
	if (fd >= 0)
		close(fd);
}

int main(int argc, char **argv)
{
	int listener, status;
	pid_t server;

	if (argc == 6 && !strcmp(argv[1], "loss"))
		return set_loss(argv[2], argv[3], atof(argv[4]), atoll(argv[5]));
	parse(argc, argv);
	signal(SIGPIPE, SIG_IGN);
	buffer = malloc(BUFFER);
	if (!buffer || pipe(ready))
		err(2, "start");
	memset(buffer, 'x', BUFFER);
	enlarge_descriptors();
	enter(opt.server_ns);
	listener = listen_here();
	server = fork();
	if (server < 0)
		err(2, "fork");
	if (server == 0) {
		close(ready[0]);
		enlarge_descriptors();
		serve(listener);
	}
	close(ready[1]);
	close(listener);
	enter(opt.client_ns);
	printf("{\"mode\": \"%s\", \"size\": %ld, \"count\": %ld, \"conns\": %ld, \"time_wait\": %ld, ",
	       opt.mode, opt.size, opt.count, opt.conns, opt.time_wait);
	if (!strcmp(opt.mode, "idle"))
		idle_memory();
	else
		repeat();
	if (waitpid(server, &status, WNOHANG) == server)
		errx(2, "the server ended early");
	kill(server, SIGKILL);
	waitpid(server, &status, 0);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Many connections: an epoll server that echoes, and clients that check what
 * comes back, all connections at once or one after another, in turn, a given
 * number of them or until SIGTERM.
 */
#include "common.h"

#include <getopt.h>
#include <signal.h>
#include <sys/epoll.h>

#define BUF	4096
#define BATCH	256

struct conn {
	int fd;
	int id;
	bool up, shut;		/* established; our direction closed */
	uint64_t sent, received;
	/* The server's echo that did not fit yet. */
	uint8_t buf[BUF];
	size_t len, off;
	bool end;
};

static struct options {
	bool tcp;
	int conns, bytes, timeout;
} opt = { .conns = 1000, .bytes = 10000, .timeout = 120 };

static int ep;
static double until;

static void watch(int op, struct conn *c, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.ptr = c };

	if (epoll_ctl(ep, op, c->fd, &e))
		die("epoll_ctl");
}

static int wait_events(struct epoll_event *e)
{
	int n = epoll_wait(ep, e, BATCH, 1000);

	if (n < 0 && errno != EINTR)
		die("epoll_wait");
	if (app_now() > until)
		fail("timeout");
	return n < 0 ? 0 : n;
}

/* ---- server ---- */

static void accept_all(int l, int *left)
{
	struct conn *c;
	int fd;

	while ((fd = accept4(l, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
		c = calloc(1, sizeof(*c));
		c->fd = fd;
		watch(EPOLL_CTL_ADD, c, EPOLLIN);
		(*left)--;
	}
	if (errno != EAGAIN)
		die("accept4");
}

/* One step of an echo: true when the connection is through. */
static bool echo(struct conn *c)
{
	ssize_t n;

	if (c->off == c->len && !c->end) {
		n = read(c->fd, c->buf, BUF);
		if (n < 0 && errno == EAGAIN)
			return false;
		if (n < 0)
			die("server read");
		c->end = !n;
		c->len = n;
		c->off = 0;
	}
	if (c->off < c->len) {
		n = send(c->fd, c->buf + c->off, c->len - c->off,
			 MSG_NOSIGNAL);
		if (n < 0 && errno != EAGAIN)
			die("server send");
		if (n > 0)
			c->off += n;
	}
	watch(EPOLL_CTL_MOD, c, c->off < c->len ? EPOLLOUT : EPOLLIN);
	return c->end && c->off == c->len;
}

static int server(const struct sockaddr_in *a)
{
	int l = socket(app_family(opt.tcp), SOCK_STREAM | SOCK_NONBLOCK, 0);
	struct epoll_event e[BATCH], le = { .events = EPOLLIN };
	int left = opt.conns, open_conns = opt.conns, i, n, one = 1;

	if (l < 0)
		die("socket");
	setsockopt(l, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(l, (const struct sockaddr *)a, sizeof(*a)) || listen(l, 4096))
		die("listen");
	if (epoll_ctl(ep, EPOLL_CTL_ADD, l, &le))
		die("epoll_ctl");
	printf("listening\n");
	fflush(stdout);
	while (left > 0 || open_conns > 0) {
		n = wait_events(e);
		for (i = 0; i < n; i++) {
			struct conn *c = e[i].data.ptr;

			if (!c) {
				accept_all(l, &left);
			} else if (echo(c)) {
				close(c->fd);
				free(c);
				open_conns--;
			}
		}
	}
	close(l);
	printf("served=%d\n", opt.conns);
	return 0;
}

/* ---- clients, all at once ---- */

static struct conn *start(const struct sockaddr_in *a, int id)
{
	struct conn *c = calloc(1, sizeof(*c));

	c->id = id;
	c->fd = socket(app_family(opt.tcp), SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (c->fd < 0)
		die("socket");
	if (connect(c->fd, (const struct sockaddr *)a, sizeof(*a)) &&
	    errno != EINPROGRESS)
		die("connect");
	watch(EPOLL_CTL_ADD, c, EPOLLOUT);
	return c;
}

static void connected(struct conn *c)
{
	socklen_t len = sizeof(int);
	int err;

	if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &err, &len))
		die("SO_ERROR");
	if (err) {
		errno = err;
		die("connect");
	}
	c->up = true;
	watch(EPOLL_CTL_MOD, c, 0);
}

static void client_write(struct conn *c)
{
	uint8_t buf[BUF];
	uint64_t left = opt.bytes - c->sent;
	size_t want = left < BUF ? left : BUF;
	ssize_t n;

	app_fill(buf, c->id, c->sent, want);
	n = send(c->fd, buf, want, MSG_NOSIGNAL);
	if (n < 0 && errno != EAGAIN)
		die("client send");
	if (n > 0)
		c->sent += n;
	if (c->sent == (uint64_t)opt.bytes && !c->shut) {
		c->shut = true;
		if (shutdown(c->fd, SHUT_WR))
			die("shutdown");
		watch(EPOLL_CTL_MOD, c, EPOLLIN);
	}
}

/* True at the end of the stream. */
static bool client_read(struct conn *c)
{
	uint8_t buf[BUF];
	ssize_t n = read(c->fd, buf, BUF);

	if (n < 0 && errno == EAGAIN)
		return false;
	if (n < 0)
		die("client read");
	app_check(buf, c->id, c->received, n);
	c->received += n;
	return !n;
}

static void all_up(struct conn **c)
{
	struct epoll_event e[BATCH];
	int up = 0, i, n;

	while (up < opt.conns) {
		n = wait_events(e);
		for (i = 0; i < n; i++) {
			if (((struct conn *)e[i].data.ptr)->up)
				continue;
			connected(e[i].data.ptr);
			up++;
		}
	}
	printf("connected=%d\n", up);
	fflush(stdout);
	/* Only now does any of them send: all are open at one time. */
	for (i = 0; i < opt.conns; i++)
		watch(EPOLL_CTL_MOD, c[i], EPOLLIN | EPOLLOUT);
}

static int clients(const struct sockaddr_in *a)
{
	struct conn **c = calloc(opt.conns, sizeof(*c));
	struct epoll_event e[BATCH];
	int left = opt.conns, i, n;

	for (i = 0; i < opt.conns; i++)
		c[i] = start(a, i);
	all_up(c);
	while (left) {
		n = wait_events(e);
		for (i = 0; i < n; i++) {
			struct conn *x = e[i].data.ptr;

			if ((e[i].events & EPOLLOUT) && !x->shut)
				client_write(x);
			if (!(e[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) ||
			    !client_read(x))
				continue;
			if (x->received != (uint64_t)opt.bytes)
				fail("an echo is short");
			close(x->fd);
			left--;
		}
	}
	printf("verified=%d\n", opt.conns);
	return 0;
}

/* ---- clients, one after another ---- */

static void one_short(const struct sockaddr_in *a, int id)
{
	uint8_t out[64], in[64];
	int fd = socket(app_family(opt.tcp), SOCK_STREAM, 0);
	size_t got = 0;
	ssize_t n;

	if (fd < 0)
		die("socket");
	if (connect(fd, (const struct sockaddr *)a, sizeof(*a)))
		die("connect");
	app_fill(out, id, 0, sizeof(out));
	if (send(fd, out, sizeof(out), MSG_NOSIGNAL) != sizeof(out))
		die("send");
	if (shutdown(fd, SHUT_WR))
		die("shutdown");
	while ((n = read(fd, in + got, sizeof(in) - got)) > 0)
		got += n;
	if (n < 0)
		die("read");
	if (got != sizeof(in) || memcmp(in, out, got))
		fail("a wrong answer");
	/* A full buffer stops the loop before it has seen the end. */
	if (read(fd, in, 1))
		fail("no end of stream");
	close(fd);
}

static volatile sig_atomic_t enough;

static void on_term(int sig)
{
	(void)sig;
	enough = 1;
}

/* Each is brought to its end. */
static int until_term(const struct sockaddr_in *a)
{
	double began, took, slowest = 0;
	int i;

	signal(SIGTERM, on_term);
	for (i = 0; !enough; i++) {
		began = app_now();
		one_short(a, i);
		took = app_now() - began;
		if (took > slowest)
			slowest = took;
		if (app_now() > until)
			fail("timeout");
	}
	printf("verified=%d slowest=%.2f\n", i, slowest);
	return 0;
}

static int in_turn(const struct sockaddr_in *a)
{
	int i;

	for (i = 0; i < opt.conns; i++) {
		one_short(a, i);
		if (app_now() > until)
			fail("timeout");
	}
	printf("verified=%d\n", opt.conns);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct option names[] = {
		{ "tcp", no_argument, NULL, 't' },
		{ "conns", required_argument, NULL, 'n' },
		{ "bytes", required_argument, NULL, 'b' },
		{ "timeout", required_argument, NULL, 'T' },
		{ }
	};
	struct sockaddr_in a;
	const char *what;
	int c;

	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
		switch (c) {
		case 't': opt.tcp = true; break;
		case 'n': opt.conns = atoi(optarg); break;
		case 'b': opt.bytes = atoi(optarg); break;
		case 'T': opt.timeout = atoi(optarg); break;
		default: return 2;
		}
	}
	if (argc - optind != 3)
		fail("usage: many [--tcp] [--conns N] [--bytes N] [--timeout S] server|clients|in-turn|until-term ADDR PORT");
	what = argv[optind];
	a = app_addr(argv[optind + 1], argv[optind + 2]);
	app_more_files();
	until = app_now() + opt.timeout;
	ep = epoll_create1(0);
	if (!strcmp(what, "server"))
		return server(&a);
	if (!strcmp(what, "until-term"))
		return until_term(&a);
	return strcmp(what, "clients") ? in_turn(&a) : clients(&a);
}

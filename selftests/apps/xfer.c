// SPDX-License-Identifier: GPL-2.0
/*
 * One connection, both directions at once: each end sends a file or a pattern,
 * half-closes, and takes what comes until the other end has done the same.
 */
#include "common.h"

#include <getopt.h>
#include <poll.h>

struct options {
	bool tcp, listen, nodelay, reply;
	const char *in, *out;
	uint64_t send, expect;	/* bytes of pattern */
	bool has_expect;
	uint64_t seed, peer_seed;
	int rcvbuf, sndbuf, mss, timeout;
	size_t chunk;
	const char *addr, *port;
};

struct end {
	int fd;			/* the connection */
	int in, out;		/* files, -1 without */
	uint64_t sent, received;
	uint8_t *wbuf;		/* what read from @in is not sent yet */
	size_t wlen, woff;
	bool wdone, rdone;
};

static void usage(void)
{
	fprintf(stderr,
		"usage: xfer [options] listen|connect ADDR PORT\n"
		"  --tcp            native TCP instead of XTCP\n"
		"  --in FILE | --send N     what to send (nothing)\n"
		"  --out FILE       keep what comes\n"
		"  --expect N       verify N bytes of the peer's pattern\n"
		"  --seed S --peer-seed S   the patterns (1, 1)\n"
		"  --reply          send only after the peer's end of stream\n"
		"  --rcvbuf N --sndbuf N --mss N --nodelay\n"
		"  --chunk N        bytes a call (65536)\n"
		"  --timeout S      give up (60)\n");
	exit(2);
}

static const struct option names[] = {
	{ "tcp", no_argument, NULL, 't' },
	{ "in", required_argument, NULL, 'i' },
	{ "send", required_argument, NULL, 's' },
	{ "out", required_argument, NULL, 'o' },
	{ "expect", required_argument, NULL, 'e' },
	{ "seed", required_argument, NULL, 'S' },
	{ "peer-seed", required_argument, NULL, 'P' },
	{ "reply", no_argument, NULL, 'r' },
	{ "rcvbuf", required_argument, NULL, 'R' },
	{ "sndbuf", required_argument, NULL, 'W' },
	{ "mss", required_argument, NULL, 'm' },
	{ "nodelay", no_argument, NULL, 'n' },
	{ "chunk", required_argument, NULL, 'c' },
	{ "timeout", required_argument, NULL, 'T' },
	{ }
};

static void take_option(struct options *o, int c)
{
	switch (c) {
	case 't': o->tcp = true; break;
	case 'i': o->in = optarg; break;
	case 's': o->send = strtoull(optarg, NULL, 0); break;
	case 'o': o->out = optarg; break;
	case 'e': o->expect = strtoull(optarg, NULL, 0);
		  o->has_expect = true; break;
	case 'S': o->seed = strtoull(optarg, NULL, 0); break;
	case 'P': o->peer_seed = strtoull(optarg, NULL, 0); break;
	case 'r': o->reply = true; break;
	case 'R': o->rcvbuf = atoi(optarg); break;
	case 'W': o->sndbuf = atoi(optarg); break;
	case 'm': o->mss = atoi(optarg); break;
	case 'n': o->nodelay = true; break;
	case 'c': o->chunk = atoi(optarg); break;
	case 'T': o->timeout = atoi(optarg); break;
	default: usage();
	}
}

static void parse(struct options *o, int argc, char **argv)
{
	int c;

	*o = (struct options){ .seed = 1, .peer_seed = 1, .chunk = 65536,
			       .timeout = 60 };
	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1)
		take_option(o, c);
	if (argc - optind != 3 || !o->chunk)
		usage();
	o->listen = !strcmp(argv[optind], "listen");
	if (!o->listen && strcmp(argv[optind], "connect"))
		usage();
	o->addr = argv[optind + 1];
	o->port = argv[optind + 2];
}

static void set(int fd, int level, int name, int v)
{
	if (v && setsockopt(fd, level, name, &v, sizeof(v)))
		die("setsockopt");
}

static int open_connection(const struct options *o)
{
	struct sockaddr_in a = app_addr(o->addr, o->port);
	int fd = socket(app_family(o->tcp), SOCK_STREAM, 0), l;

	if (fd < 0)
		die("socket");
	/* Before the handshake: the window scale is chosen there. */
	set(fd, SOL_SOCKET, SO_RCVBUF, o->rcvbuf);
	set(fd, SOL_SOCKET, SO_SNDBUF, o->sndbuf);
	set(fd, IPPROTO_TCP, TCP_MAXSEG, o->mss);
	set(fd, IPPROTO_TCP, TCP_NODELAY, o->nodelay);
	if (!o->listen) {
		if (connect(fd, (struct sockaddr *)&a, sizeof(a)))
			die("connect");
		return fd;
	}
	set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) || listen(fd, 8))
		die("listen");
	printf("listening\n");
	fflush(stdout);
	l = fd;
	fd = accept(l, NULL, NULL);
	if (fd < 0)
		die("accept");
	close(l);
	return fd;
}

/* Puts the next bytes into wbuf; false at the end of what is to be sent. */
static bool refill(struct end *e, const struct options *o)
{
	uint64_t left = o->send - e->sent;
	ssize_t n;

	e->woff = 0;
	e->wlen = 0;
	if (e->in >= 0) {
		n = read(e->in, e->wbuf, o->chunk);
		if (n < 0)
			die(o->in);
		e->wlen = n;
	} else if (left) {
		e->wlen = left < o->chunk ? left : o->chunk;
		app_fill(e->wbuf, o->seed, e->sent, e->wlen);
	}
	return e->wlen;
}

static void do_write(struct end *e, const struct options *o)
{
	ssize_t n;

	if (e->woff == e->wlen && !refill(e, o)) {
		e->wdone = true;
		if (shutdown(e->fd, SHUT_WR))
			die("shutdown");
		return;
	}
	n = send(e->fd, e->wbuf + e->woff, e->wlen - e->woff, MSG_NOSIGNAL);
	if (n < 0 && errno != EAGAIN)
		die("send");
	if (n > 0) {
		e->woff += n;
		e->sent += n;
	}
}

static void do_read(struct end *e, const struct options *o)
{
	static uint8_t buf[1 << 20];
	size_t want = o->chunk < sizeof(buf) ? o->chunk : sizeof(buf);
	ssize_t n = recv(e->fd, buf, want, 0);

	if (n < 0 && errno == EAGAIN)
		return;
	if (n < 0)
		die("recv");
	if (!n) {
		e->rdone = true;
		return;
	}
	if (o->has_expect)
		app_check(buf, o->peer_seed, e->received, n);
	if (e->out >= 0 && write(e->out, buf, n) != n)
		die(o->out);
	e->received += n;
}

static void run(struct end *e, const struct options *o)
{
	double until = app_now() + o->timeout;
	struct pollfd p = { .fd = e->fd };
	int r;

	while (!e->wdone || !e->rdone) {
		bool may_write = !e->wdone && (!o->reply || e->rdone);

		p.events = (may_write ? POLLOUT : 0) |
			   (e->rdone ? 0 : POLLIN);
		r = poll(&p, 1, 1000);
		if (r < 0)
			die("poll");
		if (app_now() > until) {
			fprintf(stderr, "timeout: sent %llu received %llu\n",
				(unsigned long long)e->sent,
				(unsigned long long)e->received);
			exit(1);
		}
		if (!r)
			continue;
		if (!e->rdone && (p.revents & (POLLIN | POLLERR)))
			do_read(e, o);
		if (may_write && (p.revents & (POLLOUT | POLLERR)))
			do_write(e, o);
	}
}

static int open_file(const char *path, int flags)
{
	int fd = path ? open(path, flags, 0644) : -1;

	if (path && fd < 0)
		die(path);
	return fd;
}

int main(int argc, char **argv)
{
	struct options o;
	struct end e = { 0 };
	double began;

	parse(&o, argc, argv);
	e.in = open_file(o.in, O_RDONLY);
	e.out = open_file(o.out, O_WRONLY | O_CREAT | O_TRUNC);
	e.wbuf = malloc(o.chunk);
	e.fd = open_connection(&o);
	fcntl(e.fd, F_SETFL, O_NONBLOCK);
	began = app_now();
	run(&e, &o);
	if (close(e.fd))
		die("close");
	if (o.has_expect && e.received != o.expect)
		fail("wrong number of bytes");
	printf("sent=%llu received=%llu seconds=%.3f\n",
	       (unsigned long long)e.sent, (unsigned long long)e.received,
	       app_now() - began);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * How long calls take beside many listeners that have nothing to do with them:
 *	listeners [--tcp] N
 *	listeners [--tcp] N kids
 * prints "NAME NANOSECONDS NANOSECONDS" for each call, without them and beside
 * N.  With "kids" it is bind() beside N connections that one listener has
 * accepted.  A fifth of these listen on the port that is called, at other addresses;
 * the rest on ports equal to it modulo 256, at addresses of their own.
 */
#include "common.h"

#define PORT	7000
#define RESIDUE	(PORT % 256)
#define FIRST	(4 * 256 + RESIDUE)	/* above the ports of root */
#define NPORTS	((65536 - FIRST + 255) / 256)

static int family;

static int new_socket(void)
{
	int fd = socket(family, SOCK_STREAM, 0);

	if (fd < 0)
		die("socket");
	return fd;
}

static void listen_at(int fd, uint32_t addr, int port)
{
	struct sockaddr_in a = app_at(addr, port);

	if (bind(fd, (struct sockaddr *)&a, sizeof(a)))
		die("bind");
	if (listen(fd, 4))
		die("listen");
}

static int listener(uint32_t addr, int port)
{
	int fd = new_socket();

	listen_at(fd, addr, port);
	return fd;
}

static void fill(int n)
{
	int i, port;

	for (i = 0; i < n; i++) {
		port = i % 5 ? FIRST + i % NPORTS * 256 : PORT;
		/* Ports of the calls' own: a wildcard would not fit in. */
		if (port == PORT + 256 || port == PORT + 512)
			port += 1024;
		listener(INADDR_LOOPBACK + 0x10000 + i, port);
	}
}

/* ---- the calls ---- */

static int exact, any;

/* A connection through @l, ended by RST so that nothing stays. */
static void dial(int l, int port)
{
	struct sockaddr_in a = app_at(INADDR_LOOPBACK, port);
	struct linger hard = { 1, 0 };
	int c = new_socket(), s;

	if (connect(c, (struct sockaddr *)&a, sizeof(a)))
		die("connect");
	s = accept(l, NULL, NULL);
	if (s < 0)
		die("accept");
	setsockopt(c, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	close(c);
	close(s);
}

static void do_connect(void)
{
	dial(exact, PORT);
}

static void do_connect_any(void)
{
	dial(any, PORT + 256);
}

/* The port of many, an address of none. */
static void do_refused(void)
{
	struct sockaddr_in a = app_at(INADDR_LOOPBACK + 1, PORT);
	int c = new_socket();

	if (!connect(c, (struct sockaddr *)&a, sizeof(a)) ||
	    errno != ECONNREFUSED)
		die("not refused");
	close(c);
}

/* Looks for a group to join. */
static void do_listen(void)
{
	int fd = new_socket(), one = 1;

	if (setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)))
		die("SO_REUSEPORT");
	listen_at(fd, INADDR_ANY, PORT + 512);
	close(fd);
}

/* ---- bind(), beside those who were accepted at the port ---- */

/* Binds, with SO_REUSEADDR, as most servers do. */
static void bind_reuse(uint32_t addr, int expect)
{
	struct sockaddr_in a = app_at(addr, PORT);
	int fd = new_socket(), one = 1, err;

	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)))
		die("SO_REUSEADDR");
	err = bind(fd, (struct sockaddr *)&a, sizeof(a)) ? errno : 0;
	if (err != expect)
		die("bind");
	close(fd);
}

static void do_bind_other(void)
{
	bind_reuse(INADDR_LOOPBACK + 1, 0);
}

static void do_bind_same(void)
{
	bind_reuse(INADDR_LOOPBACK, EADDRINUSE);
}

static void do_bind_any(void)
{
	bind_reuse(INADDR_ANY, EADDRINUSE);
}

static void do_bind_free(void)
{
	struct sockaddr_in a = app_at(INADDR_ANY, 0);
	int fd = new_socket();

	if (bind(fd, (struct sockaddr *)&a, sizeof(a)))
		die("bind");
	close(fd);
}

/* The listener at @exact accepts @n. */
static void accept_many(int n)
{
	struct sockaddr_in a = app_at(INADDR_LOOPBACK, PORT);
	int i;

	for (i = 0; i < n; i++)
		if (connect(new_socket(), (struct sockaddr *)&a, sizeof(a)) ||
		    accept(exact, NULL, NULL) < 0)
			die("accepted");
}

struct call {
	const char *name;
	void (*call)(void);
};

static const struct call binds[] = {
	{ "bind_other", do_bind_other },
	{ "bind_same", do_bind_same },
	{ "bind_any", do_bind_any },
	{ "bind_free", do_bind_free },
};

static const struct call calls[] = {
	{ "connect", do_connect },
	{ "connect_any", do_connect_any },
	{ "refused", do_refused },
	{ "listen", do_listen },
};

#define NCALLS	4

_Static_assert(sizeof(calls) == NCALLS * sizeof(calls[0]) &&
	       sizeof(binds) == sizeof(calls), "as many of each");

static void compare(const struct call *what, void (*more)(int), int n)
{
	double few[NCALLS];
	int i;

	for (i = 0; i < NCALLS; i++)
		few[i] = app_ns(what[i].call);
	more(n);
	for (i = 0; i < NCALLS; i++)
		printf("%s %.0f %.0f\n", what[i].name, few[i],
		       app_ns(what[i].call));
}

int main(int argc, char **argv)
{
	bool tcp = argc > 1 && !strcmp(argv[1], "--tcp");
	bool kids = argc > 2 && !strcmp(argv[argc - 1], "kids");

	argc -= tcp + kids;
	argv += tcp;
	if (argc != 2)
		fail("usage: listeners [--tcp] N [kids]");
	family = app_family(tcp);
	app_more_files();
	if (kids) {
		exact = new_socket();
		if (setsockopt(exact, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 },
			       sizeof(int)))
			die("SO_REUSEADDR");
		listen_at(exact, INADDR_LOOPBACK, PORT);
		compare(binds, accept_many, atoi(argv[1]));
		return 0;
	}
	exact = listener(INADDR_LOOPBACK, PORT);
	any = listener(INADDR_ANY, PORT + 256);
	compare(calls, fill, atoi(argv[1]));
	return 0;
}

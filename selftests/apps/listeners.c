// SPDX-License-Identifier: GPL-2.0
/*
 * How long calls take beside many listeners that have nothing to do with them:
 *	listeners [--tcp] N
 * prints "NAME NANOSECONDS NANOSECONDS" for each call, without them and beside
 * N.  A fifth of these listen on the port that is called, at other addresses;
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

static const struct {
	const char *name;
	void (*call)(void);
} calls[] = {
	{ "connect", do_connect },
	{ "connect_any", do_connect_any },
	{ "refused", do_refused },
	{ "listen", do_listen },
};

#define NCALLS	((int)(sizeof(calls) / sizeof(calls[0])))

int main(int argc, char **argv)
{
	bool tcp = argc > 1 && !strcmp(argv[1], "--tcp");
	double few[NCALLS];
	int i;

	argc -= tcp;
	argv += tcp;
	if (argc != 2)
		fail("usage: listeners [--tcp] N");
	family = app_family(tcp);
	app_more_files();
	exact = listener(INADDR_LOOPBACK, PORT);
	any = listener(INADDR_ANY, PORT + 256);
	for (i = 0; i < NCALLS; i++)
		few[i] = app_ns(calls[i].call);
	fill(atoi(argv[1]));
	for (i = 0; i < NCALLS; i++)
		printf("%s %.0f %.0f\n", calls[i].name, few[i],
		       app_ns(calls[i].call));
	return 0;
}

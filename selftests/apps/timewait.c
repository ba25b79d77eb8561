// SPDX-License-Identifier: GPL-2.0
/*
 * Leaves connections in TIME_WAIT, half of them at the listener's end, and
 * measures how long calls take beside them:
 *	timewait [--tcp] fill N		makes N, port 7000
 *	timewait [--tcp] cost		prints "NAME NANOSECONDS" for each call
 * Destinations are spread over 127.0.0.0/8, a few thousand on each.
 */
#include "common.h"

#include <sys/resource.h>

#define PORT	7000
#define EACH	2000	/* connections to one address */

static int family;

static int new_socket(void)
{
	int fd = socket(family, SOCK_STREAM, 0), one = 1;

	if (fd < 0)
		die("socket");
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)))
		die("SO_REUSEADDR");
	return fd;
}

static int listener(int port)
{
	struct sockaddr_in a = app_at(INADDR_ANY, port);
	int fd = new_socket();

	if (bind(fd, (struct sockaddr *)&a, sizeof(a)))
		die("bind");
	if (listen(fd, 64))
		die("listen");
	return fd;
}

/* A connection through @l to address number @host. */
static void pair(int l, int port, uint32_t host, int *c, int *s)
{
	struct sockaddr_in a = app_at(INADDR_LOOPBACK + host, port);

	*c = new_socket();
	if (connect(*c, (struct sockaddr *)&a, sizeof(a)))
		die("connect");
	*s = accept(l, NULL, NULL);
	if (*s < 0)
		die("accept");
}

static void fill(int n)
{
	int l = listener(PORT), i, c, s;
	char end;

	for (i = 0; i < n; i++) {
		pair(l, PORT, i / EACH, &c, &s);
		/* The first to close is the one that waits. */
		if (i & 1) {
			close(c);
			if (read(s, &end, 1))
				fail("no end");
			close(s);
		} else {
			close(s);
			if (read(c, &end, 1))
				fail("no end");
			close(c);
		}
	}
	close(l);
}

/* ---- cost ---- */

static void do_bind(void)
{
	struct sockaddr_in a = app_at(INADDR_ANY, 0);
	int fd = new_socket();

	if (bind(fd, (struct sockaddr *)&a, sizeof(a)))
		die("bind");
	close(fd);
}

/* The port of tens of thousands: a server that starts again. */
static void do_listen(void)
{
	close(listener(PORT));
}

/* The same port at one address that none of them has. */
static void do_listen_at(void)
{
	struct sockaddr_in a = app_at(INADDR_LOOPBACK + 0x10000, PORT);
	int fd = new_socket();

	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) || listen(fd, 4))
		die("listen at an address");
	close(fd);
}

/* To an address whose ports are in use by them, and ended by RST. */
static void do_connect(void)
{
	static int l = -1;
	struct linger hard = { 1, 0 };
	int c, s;

	if (l < 0)
		l = listener(PORT);
	pair(l, PORT, 0, &c, &s);
	setsockopt(c, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	close(c);
	close(s);
}

static void measure(const char *name, void (*call)(void))
{
	printf("%s %.0f\n", name, app_ns(call));
}

int main(int argc, char **argv)
{
	bool tcp = argc > 1 && !strcmp(argv[1], "--tcp");

	argc -= tcp;
	argv += tcp;
	family = app_family(tcp);
	if (argc == 3 && !strcmp(argv[1], "fill")) {
		fill(atoi(argv[2]));
	} else if (argc == 2 && !strcmp(argv[1], "cost")) {
		measure("bind", do_bind);
		measure("listen", do_listen);
		measure("listen_at", do_listen_at);
		measure("connect_close", do_connect);
	} else {
		fail("usage: timewait [--tcp] fill N | cost");
	}
	return 0;
}

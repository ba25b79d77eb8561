// SPDX-License-Identifier: GPL-2.0
/*
 * Many network namespaces:
 *	namespaces [--tcp] turns N ROUNDS
 * makes N with a listener in each, lets them all go, and begins again when the
 * kernel has taken them apart; prints the milliseconds of the fastest round.
 *	namespaces hold N
 * makes N in which nobody opens a socket, and lets them go, so that the
 * kernel's stocks are filled; says "ready" when they are gone, makes as many
 * at the next line of its input, says "held" and keeps them until that ends.
 * A user namespace of its own counts them: the limit there tells when they are
 * gone.
 */
#include "common.h"

#include <sched.h>

#define MOST	1000

static int family, fds[MOST];

static void limit(int n)
{
	char text[16];
	int fd = open("/proc/sys/user/max_net_namespaces", O_WRONLY);
	int len = snprintf(text, sizeof(text), "%d", n);

	if (fd < 0 || write(fd, text, len) != len)
		die("max_net_namespaces");
	close(fd);
}

/* Another one for this process; waits for room. */
static void enter(void)
{
	struct timespec nap = { .tv_nsec = 1000000 };
	double until = app_now() + 60;

	while (unshare(CLONE_NEWNET)) {
		if (errno != ENOSPC)
			die("unshare");
		if (app_now() > until)
			fail("namespaces do not end");
		nanosleep(&nap, NULL);
	}
}

static void one_round(int n)
{
	struct sockaddr_in a = app_at(INADDR_ANY, 7000);
	int i;

	for (i = 0; i < n; i++) {
		enter();
		fds[i] = socket(family, SOCK_STREAM, 0);
		if (fds[i] < 0 || bind(fds[i], (struct sockaddr *)&a, sizeof(a)) ||
		    listen(fds[i], 4))
			die("listener");
	}
	for (i = 0; i < n; i++)
		close(fds[i]);
}

static void turns(int n, int rounds)
{
	double best = 1e9, began, took;
	int i;

	one_round(n);
	for (i = 0; i < rounds; i++) {
		began = app_now();
		one_round(n);
		took = app_now() - began;
		if (took < best)
			best = took;
	}
	printf("%.0f\n", best * 1000);
}

static void keep(int n)
{
	int i;

	for (i = 0; i < n; i++) {
		enter();
		/* The file keeps it. */
		fds[i] = open("/proc/self/ns/net", O_RDONLY);
		if (fds[i] < 0)
			die("/proc/self/ns/net");
	}
}

static void say(const char *what)
{
	char next;

	printf("%s\n", what);
	fflush(stdout);
	if (read(0, &next, 1) < 0)
		die("read");
}

static void hold(int n)
{
	int i;

	keep(n);
	for (i = 0; i < n; i++)
		close(fds[i]);
	/* Room for another beside this process's: all others are gone. */
	limit(2);
	enter();
	say("ready");
	limit(n + 2);
	keep(n);
	say("held");
}

int main(int argc, char **argv)
{
	bool tcp = argc > 1 && !strcmp(argv[1], "--tcp");
	int n;

	argc -= tcp;
	argv += tcp;
	n = argc > 2 ? atoi(argv[2]) : 0;
	if (n < 1 || n > MOST)
		fail("usage: namespaces [--tcp] turns N ROUNDS | hold N");
	family = app_family(tcp);
	app_more_files();
	if (unshare(CLONE_NEWUSER))
		die("user namespace");
	limit(n + 1);
	if (argc == 4 && !strcmp(argv[1], "turns"))
		turns(n, atoi(argv[3]));
	else
		hold(n);
	return 0;
}

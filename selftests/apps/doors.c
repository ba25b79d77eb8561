// SPDX-License-Identifier: GPL-2.0
/*
 * doors N: N processes that open and close sockets of XTCP through both doors
 * over and over, for as long as the first process lives.  Whether the module is
 * there does not matter: it may come and go meanwhile.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "common.h"

static void door(int family, int protocol)
{
	int fd = socket(family, SOCK_STREAM, protocol);

	if (fd >= 0)
		close(fd);
}

static void knock(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	srandom(getpid());
	while (getppid() == parent) {
		door(AF_INET, 253);
		door(AF_XTCP, 0);
		/* Between two of them the module can go. */
		usleep(random() % 2000);
	}
	_exit(0);
}

int main(int argc, char **argv)
{
	int n = argc > 1 ? atoi(argv[1]) : 1;
	pid_t me = getpid();

	while (n-- > 0)
		if (!fork())
			knock(me);
	pause();
	return 0;
}

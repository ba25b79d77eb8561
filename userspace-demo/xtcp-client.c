// SPDX-License-Identifier: GPL-2.0
/* Connects, sends a file, and takes one back on the same connection. */
#include "demo.h"

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct demo_options o;
	char end;
	int fd;

	demo_options(&o, argc, argv, false);
	fd = demo_socket(&o);
	demo_connect(fd, &o);
	demo_send_file(fd, &o);
	demo_recv_file(fd, &o);
	/* Both directions are closed in order before this end lets go. */
	if (shutdown(fd, SHUT_WR))
		demo_die("shutdown");
	if (read(fd, &end, 1) != 0)
		demo_die("the server's end of stream");
	close(fd);
	return 0;
}

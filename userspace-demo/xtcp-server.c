// SPDX-License-Identifier: GPL-2.0
/* Serves one connection: takes a file, then sends one back on it. */
#include "demo.h"

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct demo_options o;
	int listener, fd, on = 1;
	char end;

	demo_options(&o, argc, argv, true);
	listener = demo_socket(&o);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(listener, (struct sockaddr *)&o.sin, sizeof(o.sin)))
		demo_die("bind");
	if (listen(listener, 8))
		demo_die("listen");
	/* The script waits for this line before it starts the client. */
	printf("listening port=%d\n", o.port);
	fflush(stdout);

	fd = accept(listener, NULL, NULL);
	if (fd < 0)
		demo_die("accept");
	demo_recv_file(fd, &o);
	demo_send_file(fd, &o);
	/* The client closes first: its end of stream says that it has all. */
	if (read(fd, &end, 1) != 0)
		demo_die("the client's end of stream");
	close(fd);
	close(listener);
	return 0;
}

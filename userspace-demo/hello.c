// SPDX-License-Identifier: GPL-2.0
/* A server and its client in one: only the first argument of socket() is new. */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "xtcp-socket.h"	/* xtcp_family(): 25, unless the module has another one */

int main(void)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons(7777) };
	int listener = socket(xtcp_family(), SOCK_STREAM, 0);
	char text[64];

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (listener < 0)
		return perror("socket (is xtcp.ko inserted?)"), 1;
	if (bind(listener, (void *)&addr, sizeof(addr)) || listen(listener, 5))
		return perror("server"), 1;
	if (fork() == 0) {	/* the client */
		int fd = socket(xtcp_family(), SOCK_STREAM, 0);

		if (connect(fd, (void *)&addr, sizeof(addr)))
			return perror("connect"), 1;
		return write(fd, "Hello over XTCP!", 16) != 16;
	}
	int fd = accept(listener, NULL, NULL);
	ssize_t n = read(fd, text, sizeof(text));

	printf("%.*s\n", (int)n, text);
	return n != 16;
}

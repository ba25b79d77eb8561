// SPDX-License-Identifier: GPL-2.0
/*
 * A socket on strings: reads commands, one a line, from stdin and answers
 * each with "ok ..." or "error NAME" when it is done.  With it a script can
 * bring a connection into any state and hold it there.
 *
 *   listen ADDR PORT | accept | connect ADDR PORT | send N | recv N
 *   shutdown | nonblock | reset | close | quit
 *
 * accept replaces nothing: the listener and the connection are both held.
 */
#include "common.h"

static int listener = -1, conn = -1;
static bool tcp;

static void answer(long r)
{
	if (r < 0)
		printf("error %s\n", strerrorname_np(errno));
	else
		printf("ok %ld\n", r);
	fflush(stdout);
}

static long do_listen(const char *ip, const char *port)
{
	struct sockaddr_in a = app_addr(ip, port);
	int one = 1;

	listener = socket(app_family(tcp), SOCK_STREAM, 0);
	if (listener < 0)
		return -1;
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(listener, (struct sockaddr *)&a, sizeof(a)))
		return -1;
	return listen(listener, 64);
}

static long do_connect(const char *ip, const char *port)
{
	struct sockaddr_in a = app_addr(ip, port);

	conn = socket(app_family(tcp), SOCK_STREAM, 0);
	if (conn < 0)
		return -1;
	return connect(conn, (struct sockaddr *)&a, sizeof(a));
}

static long do_reset(void)
{
	struct linger l = { 1, 0 };

	if (setsockopt(conn, SOL_SOCKET, SO_LINGER, &l, sizeof(l)))
		return -1;
	return close(conn);
}

static long do_send(size_t n)
{
	char *buf = calloc(1, n + 1);
	long r = send(conn, buf, n, MSG_NOSIGNAL);

	free(buf);
	return r;
}

/* Takes n bytes or what comes before the end. */
static long do_recv(size_t n)
{
	char *buf = calloc(1, n + 1);
	long r = recv(conn, buf, n, MSG_WAITALL);

	free(buf);
	return r;
}

static long act(char *word[3])
{
	const char *w = word[0];
	size_t n = word[1] ? strtoull(word[1], NULL, 0) : 0;

	if (!strcmp(w, "listen") && word[2])
		return do_listen(word[1], word[2]);
	if (!strcmp(w, "connect") && word[2])
		return do_connect(word[1], word[2]);
	if (!strcmp(w, "accept"))
		return (conn = accept(listener, NULL, NULL)) < 0 ? -1 : 0;
	if (!strcmp(w, "send"))
		return do_send(n);
	if (!strcmp(w, "recv"))
		return do_recv(n);
	if (!strcmp(w, "shutdown"))
		return shutdown(conn, SHUT_WR);
	if (!strcmp(w, "nonblock"))
		return fcntl(conn, F_SETFL, O_NONBLOCK);
	if (!strcmp(w, "reset"))
		return do_reset();
	if (!strcmp(w, "close"))
		return close(conn);
	errno = EINVAL;
	return -1;
}

int main(int argc, char **argv)
{
	char line[256], *word[3], *save;
	int i;

	tcp = argc > 1 && !strcmp(argv[1], "--tcp");
	while (fgets(line, sizeof(line), stdin)) {
		char *p = line;

		for (i = 0; i < 3; i++, p = NULL)
			word[i] = strtok_r(p, "\n ", &save);
		if (!word[0])
			continue;
		if (!strcmp(word[0], "quit"))
			break;
		answer(act(word));
	}
	return 0;
}

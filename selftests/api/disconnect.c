// SPDX-License-Identifier: GPL-2.0
/*
 * connect(AF_UNSPEC) in every state, and the socket's second life: the same
 * calls over native TCP and over XTCP, compared one by one.
 */
#include "../kselftest.h"
/* The harness comes with api.h; what is compared here are two runs. */
#pragma GCC diagnostic ignored "-Wunused-function"
#include "api.h"

#define MAX_OPS	64

enum state {
	FRESH, LISTENING, LISTENING_PENDING, SYN_SENT, REFUSED, ESTABLISHED,
	UNREAD, UNSENT, CLOSE_WAIT, FIN_WAIT_2, LAST_ACK, TIME_WAIT,
	RESET, SHUT_RD_ONLY, NSTATES
};

static const char *const state_name[NSTATES] = {
	"fresh", "listening", "listening, one pending", "SYN_SENT", "refused",
	"established", "established, unread data", "established, unsent data",
	"CLOSE_WAIT", "FIN_WAIT_2", "LAST_ACK", "TIME_WAIT", "reset",
	"established, shut for reading",
};

enum place { UNBOUND, GIVEN_PORT, ANY_PORT, NO_PORT, WILDCARD, NPLACES };

static const char *const place_name[NPLACES] = {
	"unbound", "bound to a port", "bound to any port", "bound without port",
	"bound to a port of any address",
};

enum then { NOTHING, CONNECT, LISTEN, BIND, BIND_SAME, AGAIN, NTHENS };

static const char *const then_name[NTHENS] = {
	"calls", "connect", "listen", "bind", "bind as before", "disconnect",
};

struct run {
	struct xt x;
	int port, second_port;
	int peer;
	struct {
		const char *name;
		int v;
	} op[MAX_OPS];
	int nops;
};

static struct run tcp, xtcp;

static int note(struct run *r, const char *name, int v)
{
	if (r->nops < MAX_OPS) {
		r->op[r->nops].name = name;
		r->op[r->nops++].v = v;
	}
	return v;
}

/* The result of a call: what it returned, or minus the errno. */
static int call(struct run *r, const char *name, long result)
{
	note(r, name, result < 0 ? -errno : result);
	return result;
}

/* Ports of chance differ: 1 stands for them. */
static int port_class(const struct run *r, int port)
{
	if (port <= 0 || port == r->port || port == r->second_port)
		return port;
	return 1;
}

static void look(struct run *r, int fd)
{
	struct sockaddr_in a = { 0 };
	socklen_t len = sizeof(a);

	call(r, "getsockname", getsockname(fd, SA(&a), &len));
	note(r, "address", ntohl(a.sin_addr.s_addr));
	note(r, "port", port_class(r, ntohs(a.sin_port)));
	call(r, "getpeername", getpeername(fd, SA(&a), &len));
	note(r, "poll", xt_poll_now(fd));
	note(r, "SO_ERROR", xt_error(fd));
	note(r, "poll again", xt_poll_now(fd));
}

static void place(struct run *r, int fd, enum place p)
{
	xt_set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (p == NO_PORT)
		xt_set(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
	if (p != UNBOUND)
		call(r, "bind", xt_bind(fd, p == WILDCARD ? "0.0.0.0" : "127.0.0.3",
					p == GIVEN_PORT || p == WILDCARD ?
					r->port : 0));
}

/* The state of a connection, by TCP_INFO; waits for @want. */
static void reach(struct run *r, int fd, int want)
{
	struct tcp_info ti = { 0 };
	socklen_t len = sizeof(ti);

	note(r, "state reached",
	     XT_UNTIL(!getsockopt(fd, IPPROTO_TCP, TCP_INFO, &ti, &len) &&
		      ti.tcpi_state == want));
}

static char much[300000];
static int marker;

static void make_connected(struct run *r, int fd, enum state s)
{
	char b;

	call(r, "connect", connect(fd, SA(&r->x.addr), sizeof(r->x.addr)));
	r->peer = accept(r->x.l, NULL, NULL);
	switch (s) {
	case UNREAD:
		call(r, "peer writes", write(r->peer, "x", 1));
		note(r, "readable", xt_wait(fd, POLLIN));
		break;
	case UNSENT:
		/* More than the peer takes in, who reads nothing. */
		xt_set(fd, SOL_SOCKET, SO_SNDBUF, 212992);
		note(r, "much written", send(fd, much, sizeof(much),
					     MSG_DONTWAIT) > 131072);
		break;
	case CLOSE_WAIT:
	case LAST_ACK:
		shutdown(r->peer, SHUT_WR);
		note(r, "eof", xt_wait(fd, POLLIN));
		if (s == LAST_ACK)
			call(r, "shutdown", shutdown(fd, SHUT_WR));
		break;
	case FIN_WAIT_2:
	case TIME_WAIT:
		call(r, "shutdown", shutdown(fd, SHUT_WR));
		reach(r, fd, TCP_FIN_WAIT2);
		if (s == FIN_WAIT_2)
			break;
		close(r->peer);
		r->peer = -1;
		reach(r, fd, TCP_CLOSE);
		break;
	case RESET:
		xt_linger(r->peer, 1, 0);
		close(r->peer);
		r->peer = -1;
		note(r, "reset", xt_wait(fd, POLLERR));
		if (r->port & 1)
			call(r, "read", read(fd, &b, 1));
		break;
	case SHUT_RD_ONLY:
		call(r, "shutdown", shutdown(fd, SHUT_RD));
		break;
	default:
		break;
	}
}

static void make(struct run *r, int fd, enum state s)
{
	r->peer = -1;
	switch (s) {
	case FRESH:
		break;
	case LISTENING:
	case LISTENING_PENDING:
		call(r, "listen", listen(fd, 4));
		if (s == LISTENING)
			break;
		r->peer = xt_socket(&r->x, 0);
		call(r, "peer connects",
		     xt_connect(r->peer, "127.0.0.3", xt_port(fd)));
		break;
	case SYN_SENT:
		xt_nonblock(fd, true);
		call(r, "connect", xt_connect(fd, XT_BLACKHOLE, 7));
		xt_nonblock(fd, false);
		break;
	case REFUSED:
		call(r, "connect", xt_connect(fd, "127.0.0.1", 7));
		break;
	default:
		make_connected(r, fd, s);
	}
}

/* What the other end sees of it: an RST, or nothing. */
static void look_at_peer(struct run *r)
{
	char b;

	if (r->peer < 0)
		return;
	note(r, "peer polls", xt_poll_now(r->peer) & ~POLLIN);
	call(r, "peer reads", recv(r->peer, &b, 1, MSG_DONTWAIT));
	call(r, "peer writes", send(r->peer, &b, 1, MSG_NOSIGNAL | MSG_DONTWAIT));
	xt_linger(r->peer, 1, 0);
	close(r->peer);
}

static void second_life(struct run *r, int fd, enum then t)
{
	int s = -1, c = -1;
	char b = 'x';

	switch (t) {
	case CONNECT:
		if (call(r, "connect", connect(fd, SA(&r->x.addr),
					       sizeof(r->x.addr))))
			break;
		s = accept(r->x.l, NULL, NULL);
		call(r, "write", write(fd, &b, 1));
		call(r, "read", read(s, &b, 1));
		break;
	case LISTEN:
		if (call(r, "listen", listen(fd, 4)))
			break;
		c = xt_socket(&r->x, 0);
		call(r, "connect to it",
		     xt_connect(c, "127.0.0.3", xt_port(fd)));
		xt_drained(marker);
		note(r, "acceptable", xt_poll_now(fd));
		break;
	case BIND:
		call(r, "bind", xt_bind(fd, "127.0.0.4", r->second_port));
		break;
	case BIND_SAME:
		call(r, "bind", xt_bind(fd, "127.0.0.3", r->port));
		break;
	case AGAIN:
		call(r, "disconnect", xt_unspec(fd));
		break;
	default:
		call(r, "read", recv(fd, &b, 1, MSG_DONTWAIT));
		call(r, "write", send(fd, &b, 1, MSG_NOSIGNAL | MSG_DONTWAIT));
		call(r, "shutdown", shutdown(fd, SHUT_WR));
		call(r, "accept", accept(fd, NULL, NULL));
	}
	look(r, fd);
	close(s);
	close(c);
}

static void play(struct run *r, enum state s, enum place p, enum then t,
		 int port)
{
	int fd = xt_socket(&r->x, 0);

	r->nops = 0;
	r->port = port;
	r->second_port = port + 1;
	place(r, fd, p);
	make(r, fd, s);
	xt_drained(marker);
	note(r, "poll before", s == UNSENT ? 0 : xt_poll_now(fd));
	call(r, "connect(AF_UNSPEC)", xt_unspec(fd));
	xt_drained(marker);
	look_at_peer(r);
	look(r, fd);
	second_life(r, fd, t);
	xt_linger(fd, 1, 0);
	close(fd);
}

static bool same(void)
{
	int i;

	if (tcp.nops != xtcp.nops)
		return false;
	for (i = 0; i < tcp.nops; i++)
		if (tcp.op[i].v != xtcp.op[i].v ||
		    strcmp(tcp.op[i].name, xtcp.op[i].name))
			return false;
	return true;
}

static void print_both(void)
{
	int i, n = tcp.nops > xtcp.nops ? tcp.nops : xtcp.nops;

	for (i = 0; i < n; i++) {
		const char *a = i < tcp.nops ? tcp.op[i].name : "-";
		const char *b = i < xtcp.nops ? xtcp.op[i].name : "-";
		int va = i < tcp.nops ? tcp.op[i].v : 0;
		int vb = i < xtcp.nops ? xtcp.op[i].v : 0;

		ksft_print_msg("    %-18s %8d | %-18s %8d%s\n", a, va, b, vb,
			       va != vb || strcmp(a, b) ? "  <--" : "");
	}
}

static bool compare(enum state s, enum place p, int *port)
{
	bool ok = true;
	int t;

	for (t = 0; t < NTHENS; t++) {
		play(&tcp, s, p, t, *port);
		play(&xtcp, s, p, t, *port);
		*port += 2;
		/* What is late once is there the second time. */
		if (!same()) {
			play(&tcp, s, p, t, *port);
			play(&xtcp, s, p, t, *port);
			*port += 2;
		}
		if (same())
			continue;
		ok = false;
		ksft_print_msg("%s, %s, then %s: tcp | xtcp\n", state_name[s],
			       place_name[p], then_name[t]);
		print_both();
	}
	return ok;
}

int main(void)
{
	int s, p, port = 2000;

	ksft_print_header();
	ksft_set_plan(NSTATES * NPLACES);
	xtcp.x.xtcp = true;
	tcp.x.l = xtcp.x.l = -1;
	if (access("/sys/module/xtcp", F_OK))
		ksft_exit_skip("xtcp.ko is not loaded\n");
	if (xt_new_netns() || xt_blackhole() || xt_pin(0))
		ksft_exit_fail_msg("no namespace\n");
	marker = xt_marker();
	if (marker < 0)
		ksft_exit_fail_msg("no marker: %s\n", strerror(errno));
	if (xt_listen(&tcp.x, 64) || xt_listen(&xtcp.x, 64))
		ksft_exit_fail_msg("no listener: %s\n", strerror(errno));
	for (s = 0; s < NSTATES; s++)
		for (p = 0; p < NPLACES; p++)
			ksft_test_result(compare(s, p, &port),
					 "disconnect.%s, %s\n", state_name[s],
					 place_name[p]);
	ksft_finished();
}

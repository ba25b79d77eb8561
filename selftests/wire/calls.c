// SPDX-License-Identifier: GPL-2.0
/*
 * The program's side: a call by its name, its result as text.  What may block
 * runs in a thread, so nothing here touches the wire.
 */
#include "wire.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/errqueue.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define BUFFER (4 << 20)

struct call {
	const struct line *l;
	struct sock *s;
	int fd;
	char *out;
	size_t len;
};

static struct sock *sock_of(const char *name)
{
	int i;

	for (i = W.nsocks - 1; i >= 0; i--)
		if (!strcmp(W.socks[i].name, name))
			return &W.socks[i];
	return NULL;
}

static const char *arg(const struct call *c, int n)
{
	return n < c->l->nargs ? c->l->args[n] : NULL;
}

static long long arg_num(const struct call *c, int n, long long otherwise)
{
	long long v;

	return arg(c, n) && num_parse(arg(c, n), &v) ? v : otherwise;
}

/* A result as a system call gives it. */
static void say(const struct call *c, long r)
{
	if (r < 0)
		snprintf(c->out, c->len, "%s", errno_name(errno));
	else
		snprintf(c->out, c->len, "%ld", r);
}

static void say_text(const struct call *c, const char *text)
{
	snprintf(c->out, c->len, "%s", text);
}

static struct sockaddr_in sockaddr(uint32_t addr, int port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(addr),
	};
}

static void say_addr(const struct call *c, int r, const struct sockaddr_in *a)
{
	char text[INET_ADDRSTRLEN];

	if (r < 0) {
		say(c, r);
		return;
	}
	inet_ntop(AF_INET, &a->sin_addr, text, sizeof(text));
	snprintf(c->out, c->len, "%s:%d", text, ntohs(a->sin_port));
}

/* ---- opening and closing ---- */

/* The new descriptor; call_bind_name() gives it its name. */
static void do_socket(struct call *c)
{
	int flags = arg(c, 0) ? flags_number(arg(c, 0), "msg") : 0;

	say(c, socket(family(), SOCK_STREAM | SOCK_CLOEXEC | flags, 0));
}

static void do_bind(struct call *c)
{
	uint32_t addr = 0;
	int port = OUR_PORT;
	struct sockaddr_in a;

	if (arg(c, 1) && !addr_parse(arg(c, 1), &addr, &port)) {
		say_text(c, "bad address");
		return;
	}
	a = sockaddr(addr, port);
	say(c, bind(c->fd, (void *)&a, sizeof(a)));
}

static void do_listen(struct call *c)
{
	say(c, listen(c->fd, arg_num(c, 1, 16)));
}

/* To a connection's peer, to an address, or to AF_UNSPEC. */
static void do_connect(struct call *c)
{
	struct sockaddr_in a = sockaddr(PEER_ADDR, PEER_PORT);
	const char *to = arg(c, 1) ? arg(c, 1) : "a";
	uint32_t addr = PEER_ADDR;
	int i, port = PEER_PORT;

	c->s->rx = c->s->tx = 0;
	for (i = 0; i < W.nconns; i++)
		if (!strcmp(W.conns[i].name, to))
			break;
	if (i < W.nconns) {
		a = sockaddr(W.conns[i].peer, W.conns[i].peer_port);
	} else if (!strcmp(to, "unspec")) {
		a.sin_family = AF_UNSPEC;
	} else if (addr_parse(to, &addr, &port)) {
		a = sockaddr(addr, port);
	} else {
		say_text(c, "bad address");
		return;
	}
	say(c, connect(c->fd, (void *)&a, sizeof(a)));
}

static void do_accept(struct call *c)
{
	int flags = arg(c, 1) ? flags_number(arg(c, 1), "msg") : 0;

	say(c, accept4(c->fd, NULL, NULL, flags | SOCK_CLOEXEC));
}

static void do_close(struct call *c)
{
	say(c, close(c->fd));
}

static void do_shutdown(struct call *c)
{
	const char *how = arg(c, 1) ? arg(c, 1) : "";

	say(c, shutdown(c->fd, !strcmp(how, "RD") ? SHUT_RD :
			!strcmp(how, "WR") ? SHUT_WR :
			!strcmp(how, "RDWR") ? SHUT_RDWR : atoi(how)));
}

static void do_nonblock(struct call *c)
{
	int fl = fcntl(c->fd, F_GETFL);

	say(c, fcntl(c->fd, F_SETFL, arg_num(c, 1, 1) ? fl | O_NONBLOCK :
		     fl & ~O_NONBLOCK));
}

static void do_getsockname(struct call *c)
{
	struct sockaddr_in a = { 0 };
	socklen_t len = sizeof(a);

	say_addr(c, getsockname(c->fd, (void *)&a, &len), &a);
}

static void do_getpeername(struct call *c)
{
	struct sockaddr_in a = { 0 };
	socklen_t len = sizeof(a);

	say_addr(c, getpeername(c->fd, (void *)&a, &len), &a);
}

/* ---- data ---- */

static void do_recv(struct call *c)
{
	size_t len = arg_num(c, 1, 0);
	int flags = arg(c, 2) ? flags_number(arg(c, 2), "msg") : 0;
	uint8_t *buf = malloc(len + 1);
	ssize_t n = recv(c->fd, buf, len, flags), i;

	say(c, n);
	for (i = 0; i < n && i < (ssize_t)len &&
	     !(flags & (MSG_TRUNC | MSG_OOB)); i++) {
		if (buf[i] != pattern(true, c->s->rx + i)) {
			snprintf(c->out, c->len,
				 "%zd, but byte %zd is not what was sent", n, i);
			break;
		}
	}
	if (n > 0 && !(flags & (MSG_PEEK | MSG_OOB)))
		c->s->rx += n;
	free(buf);
}

static void do_send(struct call *c)
{
	size_t len = arg_num(c, 1, 0), i;
	int flags = arg(c, 2) ? flags_number(arg(c, 2), "msg") : 0;
	uint8_t *buf = malloc(len + 1);
	ssize_t n;

	for (i = 0; i < len; i++)
		buf[i] = pattern(false, c->s->tx + i);
	n = send(c->fd, buf, len, flags | MSG_NOSIGNAL);
	say(c, n);
	if (n > 0)
		c->s->tx += n;
	free(buf);
}

static void do_ioctl(struct call *c, unsigned long what)
{
	int v = -1, r = ioctl(c->fd, what, &v);

	say(c, r < 0 ? r : v);
}

static void do_inq(struct call *c)
{
	do_ioctl(c, SIOCINQ);
}

static void do_outq(struct call *c)
{
	do_ioctl(c, SIOCOUTQ);
}

static void do_outqnsd(struct call *c)
{
	do_ioctl(c, SIOCOUTQNSD);
}

/* ---- waiting ---- */

static void poll_for(struct call *c, int events, int timeout)
{
	struct pollfd p = { .fd = c->fd, .events = events };
	int r = poll(&p, 1, timeout);

	if (r < 0)
		say(c, r);
	else
		flags_text(c->out, c->len, r ? p.revents : 0, "poll");
}

/* Everything that holds now. */
static void do_poll(struct call *c)
{
	poll_for(c, POLLIN | POLLPRI | POLLOUT | POLLRDHUP, 0);
}

/* Until one of the events comes. */
static void do_pollwait(struct call *c)
{
	poll_for(c, flags_number(arg(c, 1) ? arg(c, 1) : "IN", "poll"), -1);
}

/* ---- options ---- */

static int set_time(int fd, int opt, const char *text)
{
	struct timeval tv = { 0 };
	ns_t t = 0;

	time_parse(text, &t);
	tv.tv_sec = t / NS;
	tv.tv_usec = t % NS / 1000;
	return setsockopt(fd, SOL_SOCKET, opt, &tv, sizeof(tv));
}

static void do_setsockopt(struct call *c)
{
	int level, opt, v = arg_num(c, 2, 0);
	struct linger linger = { 0 };

	if (!arg(c, 2) || !option_number(arg(c, 1), &level, &opt)) {
		say_text(c, "no such option");
	} else if (level == SOL_SOCKET && opt == SO_LINGER) {
		/* "off" or the seconds */
		linger.l_onoff = strcmp(arg(c, 2), "off") != 0;
		linger.l_linger = v;
		say(c, setsockopt(c->fd, level, opt, &linger, sizeof(linger)));
	} else if (level == SOL_SOCKET &&
		   (opt == SO_RCVTIMEO || opt == SO_SNDTIMEO)) {
		say(c, set_time(c->fd, opt, arg(c, 2)));
	} else {
		say(c, setsockopt(c->fd, level, opt, &v, sizeof(v)));
	}
}

static void do_getsockopt(struct call *c)
{
	int level, opt, v[2] = { 0 }, r;
	socklen_t len;

	if (!arg(c, 1) || !option_number(arg(c, 1), &level, &opt)) {
		say_text(c, "no such option");
		return;
	}
	len = level == SOL_SOCKET && opt == SO_LINGER ? 8 : 4;
	r = getsockopt(c->fd, level, opt, v, &len);
	if (r < 0)
		say(c, r);
	else if (level == SOL_SOCKET && opt == SO_ERROR && v[0])
		say_text(c, errno_name(v[0]));
	else if (level == SOL_SOCKET && opt == SO_LINGER && !v[0])
		say_text(c, "off");
	else
		say(c, level == SOL_SOCKET && opt == SO_LINGER ? v[1] : v[0]);
}

static int get_info(struct call *c, struct tcp_info *info)
{
	socklen_t len = sizeof(*info);

	memset(info, 0, sizeof(*info));
	return getsockopt(c->fd, IPPROTO_TCP, TCP_INFO, info, &len);
}

static void do_state(struct call *c)
{
	struct tcp_info info;

	if (get_info(c, &info))
		say(c, -1);
	else
		say_text(c, state_name(info.tcpi_state));
}

static void do_info(struct call *c)
{
	struct tcp_info info;
	size_t off;
	uint64_t v = 0;
	int size = arg(c, 1) ? info_field(arg(c, 1), &off) : 0;

	if (!size) {
		say_text(c, "no such field");
	} else if (get_info(c, &info)) {
		say(c, -1);
	} else {
		memcpy(&v, (char *)&info + off, size);
		say(c, v);
	}
}

/* "ECONNREFUSED origin 2 type 3 code 3 info 0 from 10.99.0.2" */
static void say_error(struct call *c, struct msghdr *m)
{
	struct cmsghdr *cm = CMSG_FIRSTHDR(m);
	struct sock_extended_err *e;
	struct sockaddr_in *a;
	char text[INET_ADDRSTRLEN];

	if (!cm || cm->cmsg_level != IPPROTO_IP || cm->cmsg_type != IP_RECVERR) {
		say_text(c, "no IP_RECVERR");
		return;
	}
	e = (void *)CMSG_DATA(cm);
	a = (void *)SO_EE_OFFENDER(e);
	inet_ntop(AF_INET, &a->sin_addr, text, sizeof(text));
	snprintf(c->out, c->len, "%s origin %d type %d code %d info %u from %s",
		 errno_name(e->ee_errno), e->ee_origin, e->ee_type, e->ee_code,
		 e->ee_info, a->sin_family == AF_INET ? text : "-");
}

static void do_errqueue(struct call *c)
{
	char control[512], data[512];
	struct iovec iov = { data, sizeof(data) };
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	ssize_t n = recvmsg(c->fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT);

	if (n < 0)
		say(c, n);
	else
		say_error(c, &m);
}

/* ---- the table ---- */

enum { BLOCKS = 1, RETRIES = 2, NO_FD = 4 };

static const struct {
	const char *name;
	void (*run)(struct call *c);
	int how;
} calls[] = {
	{ "socket", do_socket, NO_FD }, { "bind", do_bind },
	{ "listen", do_listen }, { "connect", do_connect, BLOCKS },
	{ "accept", do_accept, BLOCKS }, { "close", do_close, BLOCKS },
	{ "shutdown", do_shutdown }, { "nonblock", do_nonblock },
	{ "getsockname", do_getsockname }, { "getpeername", do_getpeername },
	{ "read", do_recv, BLOCKS }, { "recv", do_recv, BLOCKS },
	{ "write", do_send, BLOCKS }, { "send", do_send, BLOCKS },
	{ "inq", do_inq, RETRIES }, { "outq", do_outq, RETRIES },
	{ "outqnsd", do_outqnsd, RETRIES }, { "poll", do_poll, RETRIES },
	{ "pollwait", do_pollwait, BLOCKS }, { "setsockopt", do_setsockopt },
	{ "getsockopt", do_getsockopt }, { "state", do_state, RETRIES },
	{ "info", do_info, RETRIES }, { "errqueue", do_errqueue },
};

static int call_of(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		if (!strcmp(calls[i].name, name))
			return i;
	return -1;
}

bool call_known(const char *name)
{
	return call_of(name) >= 0;
}

bool call_blocks(const char *name)
{
	return calls[call_of(name)].how & BLOCKS;
}

/* It only looks, so it may look again until it sees what is expected. */
bool call_retries(const char *name)
{
	return calls[call_of(name)].how & RETRIES;
}

void call_run(const struct line *l, char *result, size_t len)
{
	struct call c = { .l = l, .out = result, .len = len };
	int which = call_of(l->call);

	if (!(calls[which].how & NO_FD)) {
		c.s = l->nargs ? sock_of(l->args[0]) : NULL;
		if (!c.s) {
			snprintf(result, len, "no socket %s",
				 l->nargs ? l->args[0] : "");
			return;
		}
		c.fd = c.s->fd;
	}
	calls[which].run(&c);
}

/* ---- results ---- */

static bool makes_socket(const struct line *l)
{
	return !strcmp(l->call, "socket") || !strcmp(l->call, "accept");
}

static bool is_name(const char *text)
{
	return (*text >= 'a' && *text <= 'z') || *text == '_';
}

/* After success "socket() = c" means that c is its name from now on. */
void call_bind_name(const struct line *l, char *result)
{
	struct sock *s;

	if (!makes_socket(l) || !is_name(l->result) || *result < '0' ||
	    *result > '9' || W.nsocks == MAX_FDS)
		return;
	s = &W.socks[W.nsocks++];
	memset(s, 0, sizeof(*s));
	strcpy(s->name, l->result);
	s->fd = atoi(result);
	strcpy(result, s->name);
}

static bool range_match(const char *want, const char *have)
{
	char copy[WORD], *dots;
	long long lo, hi, v;

	snprintf(copy, sizeof(copy), "%s", want);
	dots = strstr(copy, "..");
	if (!dots)
		return false;
	*dots = 0;
	return num_parse(copy, &lo) && num_parse(dots + 2, &hi) &&
		num_parse(have, &v) && v >= lo && v <= hi;
}

/* No expectation means: no error. */
bool result_match(const struct line *l, const char *result)
{
	const char *want = l->result;
	int flags;

	if (!*want)
		return *result != 'E' && !strchr(result, ' ');
	if (!strcmp(want, "*") || !strcmp(want, result))
		return true;
	if (!strcmp(l->call, "poll") || !strcmp(l->call, "pollwait")) {
		flags = flags_number(want, "poll");
		return flags >= 0 && flags == flags_number(result, "poll");
	}
	/* "ECONNREFUSED origin 2 ..." may be expected by its beginning */
	if (!strcmp(l->call, "errqueue") &&
	    !strncmp(want, result, strlen(want)))
		return true;
	return range_match(want, result);
}

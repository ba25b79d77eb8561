// SPDX-License-Identifier: GPL-2.0
/*
 * One program, carried out by one process on one processor: segments over lo
 * are then handled before the call that sent them returns, or at the latest
 * when a packet of our own, sent after them, has come back.
 */
#include "differ.h"
#include <linux/sockios.h>
#include <sys/sendfile.h>

const char *const df_state_name[13] = {
	"-", "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2",
	"TIME_WAIT", "CLOSE", "CLOSE_WAIT", "LAST_ACK", "LISTEN", "CLOSING",
	"NEW_SYN_RECV"
};

static const char *const addr_text[DF_NADDRS] = {
	"127.0.0.1", "127.0.0.2", "0.0.0.0", "10.9.0.1", XT_BLACKHOLE,
	"10.77.0.1", "224.0.0.1", "255.255.255.255"
};

static const char *const op_name[DF_NOPS] = {
	"socket", "bind", "listen", "connect", "unconnect", "accept", "send",
	"recv", "shutdown", "close", "dup", "setsockopt", "getsockopt", "name",
	"ioctl"
};

static const char *const how_name[DF_NHOWS] = {
	"", " short", " AF_INET6", " AF_UNSPEC", " EFAULT", " long"
};

static const char *const way_name[DF_NWAYS] = {
	"", " msg", " read/write", " readv/writev", " to/from", " file", " EFAULT"
};

#define LINGER	1

const struct df_option df_options[] = {
	{ "LINGER", SOL_SOCKET, SO_LINGER, sizeof(struct linger), LINGER },
	{ "REUSEADDR", SOL_SOCKET, SO_REUSEADDR, 4, 0 },
	{ "NODELAY", IPPROTO_TCP, TCP_NODELAY, 4, 0 },
	{ "CORK", IPPROTO_TCP, TCP_CORK, 4, 0 },
	{ "ERROR", SOL_SOCKET, SO_ERROR, 4, 0 },
	{ "KEEPALIVE", SOL_SOCKET, SO_KEEPALIVE, 4, 0 },
	{ "RCVLOWAT", SOL_SOCKET, SO_RCVLOWAT, 4, 0 },
	{ "ACCEPTCONN", SOL_SOCKET, SO_ACCEPTCONN, 4, 0 },
	{ "TYPE", SOL_SOCKET, SO_TYPE, 4, 0 },
	{ "DOMAIN", SOL_SOCKET, SO_DOMAIN, 4, 0 },
	{ "OOBINLINE", SOL_SOCKET, SO_OOBINLINE, 4, 0 },
	{ "SNDLOWAT", SOL_SOCKET, SO_SNDLOWAT, 4, 0 },
	{ "PRIORITY", SOL_SOCKET, SO_PRIORITY, 4, 0 },
	{ "BROADCAST", SOL_SOCKET, SO_BROADCAST, 4, 0 },
	{ "KEEPIDLE", IPPROTO_TCP, TCP_KEEPIDLE, 4, 0 },
	{ "KEEPINTVL", IPPROTO_TCP, TCP_KEEPINTVL, 4, 0 },
	{ "KEEPCNT", IPPROTO_TCP, TCP_KEEPCNT, 4, 0 },
	{ "SYNCNT", IPPROTO_TCP, TCP_SYNCNT, 4, 0 },
	{ "LINGER2", IPPROTO_TCP, TCP_LINGER2, 4, 0 },
	{ "USER_TIMEOUT", IPPROTO_TCP, TCP_USER_TIMEOUT, 4, 0 },
	{ "IP_TTL", IPPROTO_IP, IP_TTL, 4, 0 },
	{ "level 99", 99, 1, 4, 0 },
	{ "TCP 99", IPPROTO_TCP, 99, 4, 0 },
};

const int df_noptions = sizeof(df_options) / sizeof(df_options[0]);

#define BYTES		65536
#define FIRST_PORT	2000
#define LAST_PORT	30000	/* ephemeral ports begin above */
#define NEPHEMERAL	32
#define SECOND_SYN	40	/* milliseconds; two jiffies are 8 to 12 */

struct run {
	struct xt x;
	int fd[DF_SLOTS];
	int port0;			/* of the DF_PORTS fixed ports */
	unsigned int ephemeral[NEPHEMERAL];	/* in order of appearance */
	int nephemeral;
	int stepno;
};

static unsigned char bytes[BYTES];
static int marker = -1;
static int pipe_fd[2], file_fd, null_fd;
static int next_port = FIRST_PORT;
static volatile sig_atomic_t sigpipes;

static void on_sigpipe(int sig)
{
	sigpipes++;
}

/*
 * Immediate ACKs: native TCP delays those of its choice by 40 ms, which no
 * comparison should have to wait for.
 */
static int world_route(const char *to)
{
	char line[256];

	snprintf(line, sizeof(line), "ip route change local %s dev lo table %s",
		 to, "local proto kernel scope host quickack 1");
	return system(line);
}

static int world_files(void)
{
	if (pipe(pipe_fd))
		return -1;
	fcntl(pipe_fd[0], F_SETPIPE_SZ, 1 << 17);
	null_fd = open("/dev/null", O_WRONLY);
	file_fd = memfd_create("differ", 0);
	xt_pattern(bytes, 4711, 0, BYTES);
	return null_fd < 0 || write(file_fd, bytes, BYTES) != BYTES ? -1 : 0;
}

int df_world(void)
{
	struct sigaction sa = { .sa_handler = on_sigpipe };

	if (xt_new_netns() || xt_blackhole() ||
	    world_route("127.0.0.0/8 src 127.0.0.1") ||
	    world_route("127.0.0.1 src 127.0.0.1") ||
	    world_route("10.9.0.1 src 10.9.0.1"))
		return -1;
	/* Whether it is allowed depends on the second of the clock. */
	xt_write_file("/proc/sys/net/xtcp/tw_reuse", "0");
	if (xt_write_file("/proc/sys/net/ipv4/tcp_tw_reuse", "0"))
		return -1;
	sigaction(SIGPIPE, &sa, NULL);
	marker = xt_marker();
	if (marker < 0)
		return -1;
	next_port = FIRST_PORT;
	return world_files();
}

static int state_of(int fd, int *unacked)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	memset(&info, 0, sizeof(info));
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len))
		return -errno;
	*unacked = info.tcpi_unacked;
	return info.tcpi_state;
}

static int ask(int fd, int what)
{
	int v = 0;

	return ioctl(fd, what, &v) ? -errno : v;
}

static void look(struct run *r, struct df_seen *seen)
{
	struct pollfd p[DF_SLOTS];
	int i, unacked = 0;

	for (i = 0; i < DF_SLOTS; i++) {
		p[i].fd = r->fd[i];
		p[i].events = XT_POLL_ALL;
		p[i].revents = 0;
	}
	poll(p, DF_SLOTS, 0);
	for (i = 0; i < DF_SLOTS; i++) {
		memset(&seen[i], 0, sizeof(seen[i]));
		if (r->fd[i] < 0)
			continue;
		seen[i].open = 1;
		seen[i].poll = p[i].revents;
		seen[i].state = state_of(r->fd[i], &unacked);
		if (seen[i].state == TCP_LISTEN) {
			/* Length of the accept queue */
			seen[i].inq = unacked;
			continue;
		}
		seen[i].inq = ask(r->fd[i], FIONREAD);
		/* Once closed, native TCP's answer is what the end left. */
		if (seen[i].state != TCP_CLOSE)
			seen[i].outq = ask(r->fd[i], SIOCOUTQ);
	}
}

/* Looks until two looks with a marker between them see the same. */
static int rest(struct run *r, struct df_seen *seen)
{
	struct df_seen before[DF_SLOTS];
	int i;

	xt_drained(marker);
	look(r, seen);
	for (i = 0; i < 100; i++) {
		memcpy(before, seen, sizeof(before));
		xt_drained(marker);
		look(r, seen);
		if (!memcmp(before, seen, sizeof(before)))
			return 0;
	}
	return 1;
}

/*
 * A wrong ACK, from an old connection's TIME_WAIT, makes a socket in SYN_SENT
 * send its SYN again two jiffies later: what a look sees would depend on the
 * machine's speed.  Waits until the state changes or that is long over; true
 * if there was something to wait for.
 */
static bool wait_second_syn(const struct run *r, const struct df_seen *seen)
{
	struct pollfd p[DF_SLOTS];
	int i, n = 0;

	for (i = 0; i < DF_SLOTS; i++) {
		p[i].fd = seen[i].state == TCP_SYN_SENT ? r->fd[i] : -1;
		p[i].events = XT_POLL_ALL;
		n += p[i].fd >= 0;
	}
	return n && poll(p, DF_SLOTS, SECOND_SYN) >= 0;
}

/* Ephemeral ports are compared by the order in which they appear. */
static int port_name(struct run *r, unsigned int port)
{
	int i;

	if (port >= (unsigned int)r->port0 &&
	    port < (unsigned int)r->port0 + DF_PORTS)
		return port - r->port0;
	if (!port)
		return -1;
	for (i = 0; i < r->nephemeral && r->ephemeral[i] != port; i++)
		;
	if (i == r->nephemeral && i < NEPHEMERAL)
		r->ephemeral[r->nephemeral++] = port;
	return DF_IN_SLOT + i;
}

/* Where step @s binds or connects to. */
static struct sockaddr_in address(struct run *r, const struct df_step *s)
{
	struct sockaddr_in a = xt_addr(addr_text[s->a], 0);
	int port;

	if (s->b >= DF_IN_SLOT) {
		port = xt_port(r->fd[s->b - DF_IN_SLOT]);
		a.sin_port = htons(port > 0 ? port : 9);
	} else if (s->b < DF_PORTS) {
		a.sin_port = htons(r->port0 + s->b);
	}
	if (s->c == DF_FAMILY)
		a.sin_family = AF_INET6;
	else if (s->c == DF_UNSPEC)
		a.sin_family = AF_UNSPEC;
	return a;
}

static int run_address(struct run *r, const struct df_step *s,
		       int (*call)(int, const struct sockaddr *, socklen_t))
{
	struct sockaddr_storage st = { 0 };
	struct sockaddr_in a = address(r, s);
	socklen_t len = sizeof(a);

	memcpy(&st, &a, sizeof(a));
	if (s->c == DF_SHORT)
		len = s->b & 1 ? 8 : 1;
	else if (s->c == DF_LONG)
		len = sizeof(st);
	if (s->c == DF_BADPTR)
		return call(r->fd[s->slot], XT_BAD_PTR, len);
	return call(r->fd[s->slot], SA(&st), len);
}

static void note_address(struct run *r, struct df_record *rec,
			 const struct sockaddr_in *a, socklen_t len)
{
	rec->out[0] = len;
	if (len < sizeof(*a))
		return;
	rec->out[1] = a->sin_family;
	rec->out[2] = ntohl(a->sin_addr.s_addr);
	rec->out[3] = port_name(r, ntohs(a->sin_port));
}

static int first_free(const struct run *r)
{
	int i;

	for (i = 0; i < DF_SLOTS && r->fd[i] >= 0; i++)
		;
	return i;
}

static int take_fd(struct run *r, int slot, int fd)
{
	if (fd < 0)
		return -1;
	if (slot == DF_SLOTS) {
		close(fd);
		return DF_SLOTS;
	}
	xt_nonblock(fd, true);
	r->fd[slot] = fd;
	return slot;
}

static int run_socket(struct run *r, const struct df_step *s)
{
	if (r->fd[s->slot] >= 0)
		return DF_SLOTS;
	return take_fd(r, s->slot, xt_socket(&r->x, SOCK_NONBLOCK));
}

static int run_accept(struct run *r, const struct df_step *s,
		      struct df_record *rec)
{
	struct sockaddr_in a = { 0 };
	socklen_t len = s->b == 2 ? 7 : sizeof(a);
	int fd;

	if (!s->b)
		fd = accept4(r->fd[s->slot], NULL, NULL, s->a);
	else
		fd = accept4(r->fd[s->slot], SA(&a), &len, s->a);
	if (fd >= 0 && s->b)
		note_address(r, rec, &a, len);
	return take_fd(r, first_free(r), fd);
}

static unsigned int hash_of(const unsigned char *p, int n)
{
	unsigned int h = 2166136261u;

	while (n-- > 0)
		h = (h ^ *p++) * 16777619u;
	return h;
}

/* Three unequal pieces of @n bytes. */
static int pieces(struct iovec *iov, unsigned char *p, int n)
{
	int a = n / 7, b = n / 2 - a;

	iov[0] = (struct iovec){ p, a };
	iov[1] = (struct iovec){ p + a, b };
	iov[2] = (struct iovec){ p + a + b, n - a - b };
	return 3;
}

static int run_send(struct run *r, const struct df_step *s)
{
	struct sockaddr_in a = xt_addr("127.0.0.1", 9);
	struct iovec iov[3];
	struct msghdr m = { .msg_iov = iov };
	int fd = r->fd[s->slot];
	off_t off = r->stepno;

	xt_pattern(bytes, r->stepno, 0, s->a);
	m.msg_iovlen = pieces(iov, bytes, s->a);
	switch (s->c) {
	case DF_MSG:
		return sendmsg(fd, &m, s->b);
	case DF_PLAIN:
		return write(fd, bytes, s->a);
	case DF_VEC:
		return writev(fd, iov, 3);
	case DF_ADDR:
		return sendto(fd, bytes, s->a, s->b, SA(&a), sizeof(a));
	case DF_FILE:
		return sendfile(fd, file_fd, &off, s->a);
	case DF_FAULT:
		return send(fd, XT_BAD_PTR, s->a, s->b);
	default:
		return send(fd, bytes, s->a, s->b);
	}
}

/* What was spliced into the pipe is what was received. */
static int run_splice(int fd, int n)
{
	int got = splice(fd, NULL, pipe_fd[1], NULL, n, SPLICE_F_NONBLOCK);
	int e = errno;

	if (got > 0 && read(pipe_fd[0], bytes, got) != got)
		return -2;
	errno = e;
	return got;
}

static int run_recv(struct run *r, const struct df_step *s,
		    struct df_record *rec)
{
	struct sockaddr_in a = { 0 };
	socklen_t alen = sizeof(a);
	struct iovec iov[3];
	struct msghdr m = { .msg_iov = iov };
	int fd = r->fd[s->slot], got;

	memset(bytes, 0xee, s->a);
	m.msg_iovlen = pieces(iov, bytes, s->a);
	m.msg_name = &a;
	m.msg_namelen = alen;
	switch (s->c) {
	case DF_MSG:
		got = recvmsg(fd, &m, s->b);
		rec->out[0] = m.msg_flags;
		rec->out[1] = m.msg_namelen;
		return got;
	case DF_PLAIN:
		return read(fd, bytes, s->a);
	case DF_VEC:
		return readv(fd, iov, 3);
	case DF_ADDR:
		got = recvfrom(fd, bytes, s->a, s->b, SA(&a), &alen);
		rec->out[1] = got < 0 ? 0 : alen;
		return got;
	case DF_FILE:
		return run_splice(fd, s->a);
	case DF_FAULT:
		return recv(fd, XT_BAD_PTR, s->a, s->b);
	default:
		return recv(fd, bytes, s->a, s->b);
	}
}

static int run_set(struct run *r, const struct df_step *s)
{
	const struct df_option *o = &df_options[s->a];
	struct linger l = { s->b != 0, s->b == 1 || s->b == -1 ? 0 : 1 };
	int v[4] = { s->b, 0, 0, 0 };
	socklen_t len = o->size;
	const void *p = o->kind == LINGER ? (void *)&l : v;

	if (s->c == DF_SHORT)
		len = 3;
	else if (s->c == DF_LONG)
		len = sizeof(v);
	else if (s->c == DF_BADPTR)
		p = XT_BAD_PTR;
	if (o->opt == SO_RCVLOWAT && o->level == SOL_SOCKET)
		v[0] = v[0] > 200 ? 200 : v[0];
	return setsockopt(r->fd[s->slot], o->level, o->opt, p, len);
}

static int run_get(struct run *r, const struct df_step *s,
		   struct df_record *rec)
{
	const struct df_option *o = &df_options[s->a];
	socklen_t len = sizeof(rec->out) - sizeof(int);
	int ret;

	if (s->c == DF_SHORT)
		len = s->b;
	else if (s->c == DF_LONG)
		len = -1;
	if (s->c == DF_BADPTR)
		return getsockopt(r->fd[s->slot], o->level, o->opt, XT_BAD_PTR,
				  &len);
	ret = getsockopt(r->fd[s->slot], o->level, o->opt, rec->out + 1, &len);
	rec->out[0] = len;
	return ret;
}

static int run_name(struct run *r, const struct df_step *s,
		    struct df_record *rec)
{
	static const int lens[] = { 16, 100, 4, 0, -1 };
	struct sockaddr_storage st = { 0 };
	socklen_t len = lens[s->b];
	int ret;

	if (s->c == DF_BADPTR && s->a)
		return getpeername(r->fd[s->slot], XT_BAD_PTR, &len);
	ret = s->a ? getpeername(r->fd[s->slot], SA(&st), &len) :
		getsockname(r->fd[s->slot], SA(&st), &len);
	if (!ret && lens[s->b] >= 16)
		note_address(r, rec, (struct sockaddr_in *)&st, len);
	return ret;
}

static int run_ioctl(struct run *r, const struct df_step *s,
		     struct df_record *rec)
{
	static const unsigned long what[] = {
		FIONREAD, SIOCOUTQ, SIOCATMARK, SIOCOUTQNSD, 0x12345
	};

	int unacked, ret = ioctl(r->fd[s->slot], what[s->a], &rec->out[0]);

	if ((s->a == 1 || s->a == 3) &&
	    state_of(r->fd[s->slot], &unacked) == TCP_CLOSE)
		rec->out[0] = 0;
	return ret;
}

static int run_unconnect(struct run *r, const struct df_step *s)
{
	struct sockaddr_in a = { .sin_family = AF_UNSPEC };

	return connect(r->fd[s->slot], SA(&a), s->c ? 2 : sizeof(a));
}

static int run_close(struct run *r, const struct df_step *s)
{
	int fd = r->fd[s->slot];

	r->fd[s->slot] = -1;
	return close(fd);
}

static int run_call(struct run *r, const struct df_step *s,
		    struct df_record *rec)
{
	switch (s->op) {
	case DF_SOCKET:
		return run_socket(r, s);
	case DF_BIND:
		return run_address(r, s, bind);
	case DF_LISTEN:
		return listen(r->fd[s->slot], s->a);
	case DF_CONNECT:
		return run_address(r, s, connect);
	case DF_UNCONNECT:
		return run_unconnect(r, s);
	case DF_ACCEPT:
		return run_accept(r, s, rec);
	case DF_SEND:
		return run_send(r, s);
	case DF_RECV:
		return run_recv(r, s, rec);
	case DF_SHUTDOWN:
		return shutdown(r->fd[s->slot], s->a);
	case DF_CLOSE:
		return run_close(r, s);
	case DF_DUP:
		return take_fd(r, first_free(r), dup(r->fd[s->slot]));
	case DF_SET:
		return run_set(r, s);
	case DF_GET:
		return run_get(r, s, rec);
	case DF_NAME:
		return run_name(r, s, rec);
	default:
		return run_ioctl(r, s, rec);
	}
}

static void run_step(struct run *r, const struct df_step *s,
		     struct df_record *rec, struct df_trace *t)
{
	memset(rec, 0, sizeof(*rec));
	sigpipes = 0;
	errno = 0;
	rec->ret = run_call(r, s, rec);
	if (rec->ret < 0)
		rec->err = errno;
	if (s->op == DF_RECV && rec->ret > 0 && s->c != DF_FAULT)
		rec->hash = hash_of(bytes, s->a);
	rec->sigpipe = sigpipes;
	t->unstable |= rest(r, rec->seen);
	if (s->op == DF_CONNECT && wait_second_syn(r, rec->seen))
		t->unstable |= rest(r, rec->seen);
}

static int state_by_name(const char *name)
{
	char *end;
	long v = strtol(name, &end, 16);
	int i;

	if (!*end && v < 13)
		return v;
	for (i = 0; i < 13; i++)
		if (!strcmp(name, df_state_name[i]))
			return i;
	return 0;
}

/* One of the program's ports: fixed, or seen. */
static bool ours(const struct run *r, unsigned int port)
{
	int i;

	for (i = 0; i < r->nephemeral; i++)
		if (r->ephemeral[i] == port)
			return true;
	return port >= (unsigned int)r->port0 &&
	       port < (unsigned int)r->port0 + DF_PORTS;
}

/* How many connections of the program are in which state. */
static void count_left(struct run *r, int *left)
{
	FILE *f = fopen(r->x.xtcp ? "/proc/net/xtcp" : "/proc/net/tcp", "r");
	const char *form = r->x.xtcp ? "%*[^:]:%u %*[^:]:%u %20s" :
		" %*d: %*[^:]:%x %*[^:]:%x %20s";
	unsigned int lport, rport;
	char line[512], state[21];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, form, &lport, &rport, state) == 3 &&
		    (ours(r, lport) || ours(r, rport)))
			left[state_by_name(state)]++;
	if (f)
		fclose(f);
}

void df_run(const struct df_program *p, bool xtcp, struct df_trace *t)
{
	struct run r = { .x = { .xtcp = xtcp }, .port0 = next_port };
	struct df_seen end[DF_SLOTS];
	int i;

	next_port += DF_PORTS;
	memset(t, 0, sizeof(*t));
	memset(r.fd, -1, sizeof(r.fd));
	for (i = 0; i < p->n; i++) {
		r.stepno = i;
		run_step(&r, &p->step[i], &t->rec[i], t);
		t->n = i + 1;
	}
	for (i = 0; i < DF_SLOTS; i++)
		if (r.fd[i] >= 0) {
			struct sockaddr_in a;
			socklen_t len = sizeof(a);

			if (!getsockname(r.fd[i], SA(&a), &len))
				port_name(&r, ntohs(a.sin_port));
			close(r.fd[i]);
			r.fd[i] = -1;
			xt_drained(marker);
		}
	rest(&r, end);
	count_left(&r, t->left);
}

static int print_flags(int flags, char *buf, size_t len)
{
	static const struct { int bit; const char *name; } names[] = {
		{ MSG_PEEK, "PEEK" }, { MSG_WAITALL, "WAITALL" },
		{ MSG_TRUNC, "TRUNC" }, { MSG_OOB, "OOB" },
		{ MSG_MORE, "MORE" }, { MSG_NOSIGNAL, "NOSIGNAL" },
		{ MSG_EOR, "EOR" }, { MSG_ERRQUEUE, "ERRQUEUE" },
		{ MSG_DONTROUTE, "DONTROUTE" }, { MSG_CONFIRM, "CONFIRM" },
	};
	unsigned int i;
	int n = 0;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (flags & names[i].bit)
			n += snprintf(buf + n, len - n, " %s", names[i].name);
	return n;
}

int df_print_call(const struct df_step *s, char *buf, size_t len)
{
	int n = snprintf(buf, len, "%s(%d", op_name[s->op], s->slot);

	switch (s->op) {
	case DF_BIND:
	case DF_CONNECT:
		n += snprintf(buf + n, len - n, ", %s:", addr_text[s->a]);
		if (s->b >= DF_IN_SLOT)
			n += snprintf(buf + n, len - n, "of %d",
				      s->b - DF_IN_SLOT);
		else
			n += snprintf(buf + n, len - n, "%s%c",
				      s->b < DF_PORTS ? "p" : "",
				      '0' + s->b % DF_PORTS);
		n += snprintf(buf + n, len - n, "%s", how_name[s->c]);
		break;
	case DF_SEND:
	case DF_RECV:
		n += snprintf(buf + n, len - n, ", %d%s", s->a, way_name[s->c]);
		n += print_flags(s->b, buf + n, len - n);
		break;
	case DF_SET:
	case DF_GET:
		n += snprintf(buf + n, len - n, ", %s, %d%s",
			      df_options[s->a].name, s->b, how_name[s->c]);
		break;
	case DF_NAME:
		n += snprintf(buf + n, len - n, ", %s, %d%s",
			      s->a ? "peer" : "sock", s->b, how_name[s->c]);
		break;
	default:
		n += snprintf(buf + n, len - n, ", %d, %d", s->a, s->b);
	}
	return n + snprintf(buf + n, len - n, ")");
}

static int print_seen(const struct df_seen *e, char *buf, size_t len)
{
	int n = snprintf(buf, len, "%s ", e->state < 0 || e->state > 12 ? "?" :
			 df_state_name[e->state]);

	n += snprintf(buf + n, len - n, "%s%s%s%s%s%s",
		      e->poll & POLLIN ? "I" : "", e->poll & POLLOUT ? "O" : "",
		      e->poll & POLLPRI ? "P" : "",
		      e->poll & POLLRDHUP ? "R" : "",
		      e->poll & POLLHUP ? "H" : "", e->poll & POLLERR ? "E" : "");
	if (e->inq || e->outq)
		n += snprintf(buf + n, len - n, " in=%d out=%d", e->inq, e->outq);
	return n;
}

int df_print_record(const struct df_record *r, char *buf, size_t len)
{
	int i, n = snprintf(buf, len, "= %d", r->ret);

	if (r->ret < 0)
		n += snprintf(buf + n, len - n, " %s",
			      strerrorname_np(r->err));
	if (r->sigpipe)
		n += snprintf(buf + n, len - n, " SIGPIPE");
	if (r->hash)
		n += snprintf(buf + n, len - n, " #%x", r->hash);
	if (r->out[0] || r->out[1] || r->out[2] || r->out[3])
		n += snprintf(buf + n, len - n, " [%d %d %x %d]", r->out[0],
			      r->out[1], r->out[2], r->out[3]);
	for (i = 0; i < DF_SLOTS; i++) {
		if (!r->seen[i].open)
			continue;
		n += snprintf(buf + n, len - n, " | %d:", i);
		n += print_seen(&r->seen[i], buf + n, len - n);
	}
	return n;
}

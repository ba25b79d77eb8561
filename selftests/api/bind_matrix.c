// SPDX-License-Identifier: GPL-2.0
/*
 * Who may share a port: the same sockets are set up over native TCP and over
 * XTCP, and every call must end alike.  First each pair of a bound or
 * listening socket with a new one, then random pairs and threes in all states.
 *
 * XTCP_SEED, XTCP_SAMPLE: other rounds, so many; XTCP_ONLY=N: round N of it alone;
 * XTCP_PAIRS=N: of the pairs about one in N.
 */
#include <sys/fsuid.h>
#include "../kselftest.h"
/* The harness comes with api.h; what is compared here are two runs. */
#pragma GCC diagnostic ignored "-Wunused-function"
#include "api.h"

#define NDEVS	3
#define NCFGS	72		/* reuse, reuseport, 3 addresses, 3 devices, 2 users */
#define FIRST_PORT 1025
#define LAST_PORT 32700		/* below the ephemeral ports */
#define MAX_OPS	48
#define OTHER_UID 12345

/* What becomes of the first sockets before the last one comes. */
enum state {
	BOUND, LISTENING, CONNECTED, TIMEWAIT, CLOSED, WITH_CHILD, CHILD_ONLY,
	CHILD_TIMEWAIT, LISTENED, DISCONNECTED, FINWAIT, NSTATES
};

static const char *const state_name[] = {
	"bound", "listening", "connected", "TIME_WAIT", "closed",
	"listening with a child", "child left behind", "child in TIME_WAIT",
	"no longer listening", "disconnected", "orphan in FIN_WAIT_2",
};

/* What is set after bind(). */
enum change { NOTHING, REUSEADDR, REUSEPORT, DEVICE, NCHANGES };

static const char *const change_name[] = {
	"", ", then SO_REUSEADDR flipped", ", then SO_REUSEPORT flipped",
	", then bound to lo",
};

static const char *const addr_of[] = { "0.0.0.0", "127.0.0.1", "127.0.0.2" };
static const char *const dev_of[NDEVS] = { "", "lo", "xtd0" };

struct cfg {
	int reuse, reuseport, addr, dev, uid;
	enum state state;
	enum change change;
	bool listens;		/* listen() once bound: for the last ones */
};

struct op {
	const char *name;
	int err;
};

struct run {
	struct xt x;		/* x.l: a listener to connect to */
	int port;
	struct op op[MAX_OPS];
	int nops;
	int fd[16];
	int nfds;
};

static uint64_t rng;

static uint32_t rnd(uint32_t n)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (rng >> 16) % n;
}

static void start_seed(int seed)
{
	rng = 0x9e3779b97f4a7c15ULL ^ (uint64_t)seed * 0x2545f4914f6cdd1dULL;
}

static int note(struct run *r, const char *name, int result)
{
	if (r->nops < MAX_OPS) {
		r->op[r->nops].name = name;
		r->op[r->nops++].err = result < 0 ? errno : 0;
	}
	return result;
}

static int keep(struct run *r, int fd)
{
	if (fd >= 0)
		r->fd[r->nfds++] = fd;
	return fd;
}

static void drop(struct run *r, int fd)
{
	int i;

	for (i = 0; i < r->nfds; i++)
		if (r->fd[i] == fd)
			r->fd[i] = r->fd[--r->nfds];
	close(fd);
}

static int open_as(struct run *r, const struct cfg *c)
{
	int fd;

	setfsuid(c->uid ? OTHER_UID : 0);
	fd = keep(r, xt_socket(&r->x, 0));
	setfsuid(0);
	xt_set_time(fd, SO_SNDTIMEO, XT_DEADLINE_MS);
	if (c->reuse)
		xt_set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (c->reuseport)
		xt_set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
	if (c->dev)
		note(r, "SO_BINDTODEVICE",
		     setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, dev_of[c->dev],
				strlen(dev_of[c->dev])));
	note(r, "bind", xt_bind(fd, addr_of[c->addr], r->port));
	return fd;
}

static void change(struct run *r, int fd, const struct cfg *c)
{
	switch (c->change) {
	case REUSEADDR:
		note(r, "SO_REUSEADDR",
		     xt_set(fd, SOL_SOCKET, SO_REUSEADDR, !c->reuse));
		break;
	case REUSEPORT:
		note(r, "SO_REUSEPORT",
		     xt_set(fd, SOL_SOCKET, SO_REUSEPORT, !c->reuseport));
		break;
	case DEVICE:
		note(r, "SO_BINDTODEVICE",
		     setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 2));
		break;
	default:
		break;
	}
}

/* accept(), but never for ever. */
static int take(struct run *r, int l)
{
	errno = ETIMEDOUT;
	return note(r, "accept", xt_wait(l, POLLIN) ? accept(l, NULL, NULL) : -1);
}

/* Closes @first, then @second, each having read the other's end of file. */
static void close_in_turn(struct run *r, int first, int second)
{
	char b;

	drop(r, first);
	note(r, "read", read(second, &b, 1));
	drop(r, second);
}

/* The acknowledgement of a FIN may be delayed: it is waited for. */
static void fin_wait(struct run *r, int fd)
{
	struct tcp_info ti = { 0 };
	socklen_t len = sizeof(ti);

	shutdown(fd, SHUT_WR);
	XT_UNTIL(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &ti, &len) ||
		 ti.tcpi_state == TCP_FIN_WAIT2);
	drop(r, fd);
}

static void connected(struct run *r, int fd, const struct cfg *c)
{
	int s;

	if (note(r, "connect", connect(fd, SA(&r->x.addr), sizeof(r->x.addr))))
		return;
	s = keep(r, take(r, r->x.l));
	if (c->state == TIMEWAIT)
		close_in_turn(r, fd, s);
	else if (c->state == FINWAIT)
		fin_wait(r, fd);
	else if (c->state == DISCONNECTED)
		note(r, "disconnect", xt_unspec(fd));
}

static void with_child(struct run *r, int fd, const struct cfg *c)
{
	int client = keep(r, xt_socket(&r->x, 0)), s;

	if (note(r, "listen", listen(fd, 8)))
		return;
	if (note(r, "client", xt_connect(client, c->addr ? addr_of[c->addr] :
					 "127.0.0.1", r->port)))
		return;
	s = keep(r, take(r, fd));
	if (c->state == CHILD_TIMEWAIT)
		close_in_turn(r, s, client);
	if (c->state != WITH_CHILD)
		drop(r, fd);
}

/* The dummy device leads nowhere: no connection comes about there. */
static bool goes_nowhere(const struct cfg *c)
{
	return c->dev == 2 && c->change != DEVICE;
}

static int set_up(struct run *r, const struct cfg *c)
{
	int fd = open_as(r, c);

	change(r, fd, c);
	switch (c->state) {
	case LISTENING:
	case LISTENED:
		note(r, "listen", listen(fd, 8));
		if (c->state == LISTENED)
			note(r, "shutdown", shutdown(fd, SHUT_RDWR));
		break;
	case CONNECTED:
	case TIMEWAIT:
	case FINWAIT:
	case DISCONNECTED:
		if (!goes_nowhere(c))
			connected(r, fd, c);
		break;
	case WITH_CHILD:
	case CHILD_ONLY:
	case CHILD_TIMEWAIT:
		if (!goes_nowhere(c))
			with_child(r, fd, c);
		break;
	case CLOSED:
		drop(r, fd);
		break;
	default:
		break;
	}
	return fd;
}

/* @n sockets one after the other; the last one only binds and listens. */
static void play(struct run *r, const struct cfg *c, int n, int port)
{
	int i, fd[3] = { -1, -1, -1 };

	r->nops = 0;
	r->nfds = 0;
	r->port = port;
	for (i = 0; i < n; i++) {
		fd[i] = set_up(r, &c[i]);
		if (!c[i].listens)
			continue;
		note(r, "listen", listen(fd[i], 8));
	}
	/* The first one, bound before, begins to listen beside the last. */
	if (c[0].state == BOUND)
		note(r, "first listens", listen(fd[0], 8));
	for (i = 0; i < r->nfds; i++) {
		xt_linger(r->fd[i], 1, 0);
		close(r->fd[i]);
	}
}

static bool same(const struct run *a, const struct run *b)
{
	int i;

	if (a->nops != b->nops)
		return false;
	for (i = 0; i < a->nops; i++)
		if (a->op[i].err != b->op[i].err ||
		    strcmp(a->op[i].name, b->op[i].name))
			return false;
	return true;
}

static void print_cfg(int i, const struct cfg *c)
{
	ksft_print_msg("  %c: %s%s%s%s%s%s: %s%s%s\n", 'A' + i, addr_of[c->addr],
		       c->dev ? " on " : "", dev_of[c->dev],
		       c->reuse ? " SO_REUSEADDR" : "",
		       c->reuseport ? " SO_REUSEPORT" : "",
		       c->uid ? " other user" : "", state_name[c->state],
		       change_name[c->change], c->listens ? ", listens" : "");
}

static void print_run(const char *who, const struct run *r)
{
	char line[512];
	int i, n = 0;

	for (i = 0; i < r->nops && n < (int)sizeof(line) - 40; i++)
		n += snprintf(line + n, sizeof(line) - n, " %s=%s",
			      r->op[i].name, r->op[i].err ?
			      strerrorname_np(r->op[i].err) : "0");
	ksft_print_msg("  %s:%s\n", who, line);
}

static struct run tcp, xtcp;
static int next_port = FIRST_PORT, repeated, differ;

/* Segments of an earlier round may be late: a difference has to come twice. */
static bool compare(const struct cfg *c, int n, int round)
{
	int i, try;

	for (try = 0; try < 3; try++) {
		play(&tcp, c, n, next_port);
		play(&xtcp, c, n, next_port);
		next_port++;
		if (same(&tcp, &xtcp)) {
			repeated += try;
			return true;
		}
	}
	if (differ++ < 20) {
		ksft_print_msg("round %d, port %d\n", round, next_port - 1);
		for (i = 0; i < n; i++)
			print_cfg(i, &c[i]);
		print_run(" tcp", &tcp);
		print_run("xtcp", &xtcp);
	}
	return false;
}

static void cfg_of(struct cfg *c, int k)
{
	memset(c, 0, sizeof(*c));
	c->reuse = k & 1;
	c->reuseport = k >> 1 & 1;
	c->uid = k >> 2 & 1;
	c->addr = k / 8 % 3;
	c->dev = k / 24;
}

/* Every pair, or one in @one_in. */
static int pairs(int one_in)
{
	struct cfg c[2];
	int i, j, n = 0;

	for (i = 0; i < NCFGS * 2; i++)
		for (j = 0; j < NCFGS; j++) {
			if (one_in > 1 && rnd(one_in))
				continue;
			cfg_of(&c[0], i / 2);
			cfg_of(&c[1], j);
			c[0].state = i & 1 ? LISTENING : BOUND;
			c[1].listens = true;
			compare(c, 2, n++);
		}
	return n;
}

static void random_cfg(struct cfg *c, bool first, bool last)
{
	cfg_of(c, rnd(NCFGS));
	/* Mostly nothing in particular, or little would ever be shared. */
	if (rnd(2))
		c->dev = 0;
	if (rnd(2))
		c->reuse = 1;
	c->state = last ? BOUND : rnd(NSTATES);
	/* Of two listeners either may get the child. */
	if (!first && c->state >= WITH_CHILD && c->state <= CHILD_TIMEWAIT)
		c->state = LISTENING;
	c->change = rnd(2) ? NOTHING : rnd(NCHANGES);
	c->listens = last && rnd(2);
}

static int random_rounds(int rounds, int only)
{
	struct cfg c[3];
	int i, k, n;

	for (i = 0; i < rounds && next_port + 3 < LAST_PORT; i++) {
		n = 2 + rnd(2);
		for (k = 0; k < n; k++)
			random_cfg(&c[k], !k, k == n - 1);
		if (only < 0 || only == i)
			compare(c, n, i);
	}
	return i;
}

static int env_int(const char *name, int dflt)
{
	const char *s = getenv(name);

	return s && *s ? atoi(s) : dflt;
}

static void prepare(void)
{
	tcp.x.xtcp = false;
	xtcp.x.xtcp = true;
	tcp.x.l = xtcp.x.l = -1;
	if (access("/sys/module/xtcp", F_OK))
		ksft_exit_skip("xtcp.ko is not loaded\n");
	if (xt_new_netns() ||
	    system("ip link add xtd0 type dummy && ip link set xtd0 up"))
		ksft_exit_fail_msg("no namespace with a dummy device\n");
	if (xt_listen(&tcp.x, 64) || xt_listen(&xtcp.x, 64))
		ksft_exit_fail_msg("no listener: %s\n", strerror(errno));
}

int main(void)
{
	int seed = env_int("XTCP_SEED", (int)time(NULL) & 0xffffff);
	int only = env_int("XTCP_ONLY", -1), n;

	ksft_print_header();
	ksft_set_plan(2);
	prepare();

	start_seed(seed);
	n = only < 0 ? pairs(env_int("XTCP_PAIRS", 1)) : 0;
	ksft_print_msg("%d pairs, %d differ, repeated %d\n", n, differ, repeated);
	ksft_test_result(!differ && (n || only >= 0), "bind_matrix.pairs\n");

	differ = repeated = 0;
	start_seed(seed);
	n = random_rounds(env_int("XTCP_SAMPLE", 4000), only);
	ksft_print_msg("seed %d: %d rounds, %d differ, repeated %d\n", seed, n,
		       differ, repeated);
	ksft_test_result(!differ && n, "bind_matrix.sample\n");
	ksft_finished();
}

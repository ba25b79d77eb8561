// SPDX-License-Identifier: GPL-2.0
/*
 * Very many short connections: each asks, is answered, and ends in one of
 * several ways, which the asking end names in its question.  Every byte is
 * compared.  The server listens on PORTS ports from PORT on; one more behind
 * them accepts nothing.
 *
 * Strict unless --mess: any other end than the one that was asked for is an
 * error.  With --mess the network may vanish: then a connection is given up
 * when it fails or rests for too long, and only a wrong byte is an error.
 */
#include "common.h"

#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>

#define PORTS	8
#define CHUNK	4096
#define BATCH	128
#define MAGIC	0x53746f72

/* Who ends a connection, and how. */
enum kind {
	CLIENT_CLOSES,
	SERVER_CLOSES,
	BOTH_CLOSE,	/* neither waits for the other's FIN */
	HALF_CLOSED,	/* the question ends with a FIN, then comes the answer */
	SERVER_HALF,	/* the answer ends with a FIN, then comes more */
	CLIENT_RESETS,
	SERVER_RESETS,
	UNREAD,		/* closed with the answer unread, which is a reset */
	STRICT_KINDS,
	STAYS = STRICT_KINDS, /* the server does not react to the FIN */
	DEAF,		/* a listener that does not accept */
	KINDS,
};

static const char *const kind_name[KINDS] = {
	"client closes", "server closes", "both close", "half-closed",
	"server half-closed", "client resets", "server resets", "unread",
	"stays", "deaf",
};

enum step { CONNECT, SEND, WAIT_EOF, ANSWER, TAIL, LAST };

static const char *const step_name[] = {
	"connect", "send", "wait for the end", "answer", "tail", "last",
};

/* The head of a question; the pattern of @id follows. */
struct ask {
	uint32_t magic, id, kind, len, answer;
};

struct worker;

struct conn {
	struct conn *prev, *next;	/* longest at rest first */
	struct worker *w;
	struct ask ask;
	enum step step;
	int fd;
	uint32_t sent, received;	/* in this step */
	double last;
};

struct worker {
	pthread_t thread;
	int ep, slots, idle, next_id;
	struct conn list;
	long ended, torn, errors, bytes, deaf;
};

static struct options {
	bool tcp, mess, server;
	int conns, at_once, threads, patience;
	unsigned int seed;
} opt = { .conns = 1000, .at_once = 64, .threads = 2, .patience = 30 };

static struct worker workers[16];
static int listeners[PORTS + 1];
static struct sockaddr_in where;
static bool stopped;

static uint32_t mix(uint32_t a, uint32_t b)
{
	uint64_t z = (a + 1) * 0x9e3779b97f4a7c15ULL ^ (b + 1) * 0xd6e8feb86659fd93ULL;

	z = (z ^ (z >> 29)) * 0xbf58476d1ce4e5b9ULL;
	return z >> 32;
}

/* ---- connections ---- */

static void touch(struct conn *c)
{
	struct conn *head = &c->w->list;

	if (c->next) {
		c->prev->next = c->next;
		c->next->prev = c->prev;
	}
	c->last = app_now();
	c->next = head;
	c->prev = head->prev;
	head->prev->next = c;
	head->prev = c;
}

static struct conn *conn_new(struct worker *w, int fd, enum step step)
{
	struct conn *c = calloc(1, sizeof(*c));

	c->w = w;
	c->fd = fd;
	c->step = step;
	touch(c);
	return c;
}

static void conn_watch(struct conn *c)
{
	struct epoll_event e = {
		.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
		.data.ptr = c,
	};

	if (epoll_ctl(c->w->ep, EPOLL_CTL_ADD, c->fd, &e))
		die("epoll_ctl");
}

/* The end of a connection, as it should be or not. */
static void end(struct conn *c, bool reset)
{
	struct linger l = { 1, 0 };

	if (reset && setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l)))
		die("SO_LINGER");
	close(c->fd);
	c->prev->next = c->next;
	c->next->prev = c->prev;
	c->w->idle++;
	c->w->ended++;
	c->fd = -1;
}

static void wrong(struct conn *c, const char *what, int err)
{
	if (opt.mess) {
		c->w->torn++;
	} else if (c->w->errors++ < 5) {
		fprintf(stderr, "%s %u, %s, %s after %u out %u in: %s: %s\n",
			opt.server ? "server" : "client", c->ask.id,
			c->ask.kind < KINDS ? kind_name[c->ask.kind] : "?",
			step_name[c->step], c->sent, c->received, what,
			err ? strerror(err) : "");
	}
	end(c, true);
}

/* In the middle of a reset of the other side, what else would be an error. */
static bool reset_expected(const struct conn *c)
{
	switch (c->ask.kind) {
	case CLIENT_RESETS:
		return opt.server && c->step == LAST;
	case UNREAD:
		return opt.server && c->step >= ANSWER;
	case SERVER_RESETS:
		return !opt.server && c->step == LAST;
	default:
		return false;
	}
}

static void failed(struct conn *c, const char *what, int err)
{
	if (reset_expected(c) && (err == ECONNRESET || err == EPIPE))
		end(c, false);
	else
		wrong(c, what, err);
}

/* The streams of a connection: question, answer, tail. */
static uint64_t pattern(const struct conn *c, int which)
{
	return ((uint64_t)which << 32 | c->ask.id) + 1;
}

/* Sends on, up to @len in all, @head bytes of it the question's head. */
static bool send_stream(struct conn *c, int which, uint32_t head, uint32_t len)
{
	uint8_t buf[CHUNK];

	while (c->sent < len) {
		uint32_t n = len - c->sent < CHUNK ? len - c->sent : CHUNK;
		uint32_t k = 0;
		ssize_t r;

		if (c->sent < head) {
			k = head - c->sent;
			memcpy(buf, (uint8_t *)&c->ask + c->sent, k);
			n = n > k ? n : k;
		}
		app_fill(buf + k, pattern(c, which), c->sent + k - head, n - k);
		r = send(c->fd, buf, n, MSG_NOSIGNAL);
		if (r < 0) {
			if (errno != EAGAIN)
				failed(c, "send", errno);
			return false;
		}
		c->sent += r;
		c->w->bytes += r;
	}
	return true;
}

/* Receives on, up to @len in all; false if there is more to wait for. */
static bool receive_stream(struct conn *c, int which, uint32_t head, uint32_t len)
{
	uint8_t buf[CHUNK];

	while (c->received < len) {
		uint32_t n = len - c->received < CHUNK ? len - c->received : CHUNK;
		ssize_t r;

		if (c->received < head && n > head - c->received)
			n = head - c->received;
		r = read(c->fd, buf, n);
		if (r < 0) {
			if (errno != EAGAIN)
				failed(c, "read", errno);
			return false;
		}
		if (!r) {
			wrong(c, "the stream is short", 0);
			return false;
		}
		if (c->received < head)
			memcpy((uint8_t *)&c->ask + c->received, buf, r);
		else
			app_check(buf, pattern(c, which), c->received - head, r);
		c->received += r;
	}
	return true;
}

/* True at the end of the stream; anything else is an error. */
static bool receive_end(struct conn *c)
{
	uint8_t b;
	ssize_t r = read(c->fd, &b, 1);

	if (!r)
		return true;
	if (r > 0)
		wrong(c, "more than was asked for", 0);
	else if (errno != EAGAIN)
		failed(c, "end", errno);
	return false;
}

static void next_step(struct conn *c, enum step s)
{
	c->step = s;
	c->sent = 0;
	c->received = 0;
}

/* ---- the server's side; each step is true if the next may follow ---- */

static bool server_question(struct conn *c)
{
	if (!receive_stream(c, 0, sizeof(c->ask), sizeof(c->ask)))
		return false;
	if (c->ask.magic != MAGIC || c->ask.kind >= KINDS)
		fail("no question of ours");
	if (!receive_stream(c, 0, sizeof(c->ask), sizeof(c->ask) + c->ask.len))
		return false;
	next_step(c, c->ask.kind == HALF_CLOSED ? WAIT_EOF : ANSWER);
	return true;
}

static bool server_answer(struct conn *c)
{
	if (!send_stream(c, 1, 0, c->ask.answer))
		return false;
	switch (c->ask.kind) {
	case SERVER_CLOSES:
	case BOTH_CLOSE:
	case HALF_CLOSED:
		end(c, false);
		return false;
	case SERVER_HALF:
		if (shutdown(c->fd, SHUT_WR)) {
			failed(c, "shutdown", errno);
			return false;
		}
		next_step(c, TAIL);
		return true;
	default:
		next_step(c, LAST);
		return true;
	}
}

static bool server_last(struct conn *c)
{
	switch (c->ask.kind) {
	case STAYS:
		return false;
	case SERVER_RESETS:
		if (receive_stream(c, 2, 0, 1))
			end(c, true);
		return false;
	case CLIENT_RESETS:
	case UNREAD:
		if (receive_end(c))
			wrong(c, "closed and not reset", 0);
		return false;
	default:
		if (receive_end(c))
			end(c, false);
		return false;
	}
}

static bool server_step(struct conn *c)
{
	switch (c->step) {
	case SEND:
		return server_question(c);
	case WAIT_EOF:
		if (!receive_end(c))
			return false;
		next_step(c, ANSWER);
		return true;
	case ANSWER:
		return server_answer(c);
	case TAIL:
		if (!receive_stream(c, 2, 0, c->ask.len + 1))
			return false;
		next_step(c, LAST);
		return true;
	default:
		return server_last(c);
	}
}

static void accept_all(struct worker *w, int l)
{
	struct conn *c;
	int fd;

	while ((fd = accept4(l, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
		c = conn_new(w, fd, SEND);
		conn_watch(c);
	}
	if (errno != EAGAIN && !opt.mess)
		die("accept4");
}

/* ---- the client's side ---- */

static bool client_connected(struct conn *c)
{
	socklen_t len = sizeof(int);
	struct sockaddr_in a;
	int err;

	if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &err, &len))
		die("SO_ERROR");
	if (err) {
		wrong(c, "connect", err);
		return false;
	}
	len = sizeof(a);
	if (getpeername(c->fd, (struct sockaddr *)&a, &len))
		return false;
	next_step(c, SEND);
	return true;
}

static bool client_question(struct conn *c)
{
	if (!send_stream(c, 0, sizeof(c->ask), sizeof(c->ask) + c->ask.len))
		return false;
	if (c->ask.kind == HALF_CLOSED && shutdown(c->fd, SHUT_WR)) {
		failed(c, "shutdown", errno);
		return false;
	}
	next_step(c, ANSWER);
	return true;
}

static void client_unread(struct conn *c)
{
	uint8_t b;
	ssize_t r = recv(c->fd, &b, 1, MSG_PEEK);

	if (r == 1)
		end(c, false);
	else if (!r)
		wrong(c, "the stream is short", 0);
	else if (errno != EAGAIN)
		failed(c, "peek", errno);
}

static bool client_answer(struct conn *c)
{
	if (c->ask.kind == UNREAD) {
		client_unread(c);
		return false;
	}
	if (!receive_stream(c, 1, 0, c->ask.answer))
		return false;
	switch (c->ask.kind) {
	case SERVER_CLOSES:
	case HALF_CLOSED:
	case SERVER_HALF:
		next_step(c, WAIT_EOF);
		return true;
	case SERVER_RESETS:
		next_step(c, LAST);
		return true;
	default:
		end(c, c->ask.kind == CLIENT_RESETS);
		return false;
	}
}

static bool client_step(struct conn *c)
{
	switch (c->step) {
	case CONNECT:
		return client_connected(c);
	case SEND:
		return client_question(c);
	case ANSWER:
		return client_answer(c);
	case WAIT_EOF:
		if (!receive_end(c))
			return false;
		if (c->ask.kind == SERVER_HALF) {
			next_step(c, TAIL);
			return true;
		}
		end(c, false);
		return false;
	case TAIL:
		if (send_stream(c, 2, 0, c->ask.len + 1))
			end(c, false);
		return false;
	default:
		if (send_stream(c, 2, 0, 1) && receive_end(c))
			wrong(c, "closed and not reset", 0);
		return false;
	}
}

/* What connection number @id is to be. */
static void invent(struct ask *a, uint32_t id)
{
	uint32_t r = mix(opt.seed, id);

	a->magic = MAGIC;
	a->id = id;
	a->kind = r % (opt.mess ? KINDS : STRICT_KINDS);
	r = mix(r, 1);
	/* Mostly one segment, now and then a few dozen. */
	a->len = r % 32 ? r % 600 : r % 30000;
	r = mix(r, 2);
	a->answer = 1 + (r % 32 ? r % 600 : r % 60000);
}

static void client_start(struct worker *w)
{
	struct sockaddr_in a = where;
	struct conn *c;
	uint32_t port;
	int fd;

	fd = socket(app_family(opt.tcp), SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (fd < 0)
		die("socket");
	c = conn_new(w, fd, CONNECT);
	w->idle--;
	invent(&c->ask, w->next_id);
	w->next_id += opt.threads;
	port = c->ask.kind == DEAF ? PORTS : c->ask.id / 7 % PORTS;
	a.sin_port = htons(ntohs(a.sin_port) + port);
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) &&
	    errno != EINPROGRESS) {
		wrong(c, "connect", errno);
		free(c);
		return;
	}
	conn_watch(c);
}

static bool client_more(struct worker *w)
{
	return w->idle > 0 && !__atomic_load_n(&stopped, __ATOMIC_RELAXED) &&
	       (!opt.conns || w->next_id < opt.conns);
}

/* ---- both ---- */

static void run(struct conn *c, uint32_t events)
{
	/* Until the handshake is over only its end is news. */
	if (c->step == CONNECT && !(events & (EPOLLOUT | EPOLLERR | EPOLLHUP)))
		return;
	touch(c);
	while (opt.server ? server_step(c) : client_step(c))
		;
	if (c->fd < 0)
		free(c);
}

/* Those that have rested for too long. */
static void sweep(struct worker *w)
{
	double since = app_now() - opt.patience;
	struct conn *c;

	while ((c = w->list.next) != &w->list && c->last < since) {
		/* What was to rest ends in order. */
		if (c->ask.kind == DEAF || c->step == LAST)
			end(c, false);
		else
			wrong(c, "at rest", 0);
		free(c);
	}
}

static void handle(struct worker *w, const struct epoll_event *e, int n)
{
	int i;

	for (i = 0; i < n; i++) {
		if (e[i].data.u64 < PORTS)
			accept_all(w, listeners[e[i].data.u64]);
		else
			run(e[i].data.ptr, e[i].events);
	}
}

static void *work(void *arg)
{
	struct epoll_event e[BATCH];
	struct worker *w = arg;
	int n;

	while (!__atomic_load_n(&stopped, __ATOMIC_RELAXED)) {
		long errors = w->torn;

		/* After a failure the next one waits for the next round. */
		while (!opt.server && client_more(w) && errors == w->torn)
			client_start(w);
		if (!opt.server && w->idle == w->slots && !client_more(w))
			break;
		n = epoll_wait(w->ep, e, BATCH, 50);
		if (n < 0 && errno != EINTR)
			die("epoll_wait");
		handle(w, e, n < 0 ? 0 : n);
		sweep(w);
	}
	return NULL;
}

static void listen_on(int i)
{
	struct sockaddr_in a = where;
	int l = socket(app_family(opt.tcp), SOCK_STREAM | SOCK_NONBLOCK, 0);
	int one = 1;

	if (l < 0)
		die("socket");
	a.sin_port = htons(ntohs(a.sin_port) + i);
	setsockopt(l, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(l, (struct sockaddr *)&a, sizeof(a)) ||
	    listen(l, i < PORTS ? 512 : 4))
		die("listen");
	listeners[i] = l;
}

/* All workers wait for all listeners. */
static void share_listeners(struct worker *w)
{
	uint64_t i;

	for (i = 0; i < PORTS; i++) {
		struct epoll_event e = {
			.events = EPOLLIN | EPOLLEXCLUSIVE, .data.u64 = i,
		};

		if (epoll_ctl(w->ep, EPOLL_CTL_ADD, listeners[i], &e))
			die("epoll_ctl");
	}
}

static struct worker sum(void)
{
	struct worker s = { 0 };
	int i;

	for (i = 0; i < opt.threads; i++) {
		s.ended += __atomic_load_n(&workers[i].ended, __ATOMIC_RELAXED);
		s.torn += __atomic_load_n(&workers[i].torn, __ATOMIC_RELAXED);
		s.errors += __atomic_load_n(&workers[i].errors, __ATOMIC_RELAXED);
		s.bytes += __atomic_load_n(&workers[i].bytes, __ATOMIC_RELAXED);
	}
	return s;
}

static void say(const char *what, double began)
{
	struct worker s = sum();
	double t = app_now() - began;

	printf("%s ended=%ld torn=%ld errors=%ld sent=%ld seconds=%.1f per_second=%.0f\n",
	       what, s.ended, s.torn, s.errors, s.bytes, t, s.ended / t);
	fflush(stdout);
}

static void start_workers(void)
{
	int i;

	for (i = 0; i < opt.threads; i++) {
		struct worker *w = &workers[i];

		w->ep = epoll_create1(0);
		w->list.prev = w->list.next = &w->list;
		w->slots = opt.at_once / opt.threads;
		w->idle = w->slots;
		w->next_id = i;
		if (opt.server)
			share_listeners(w);
		if (pthread_create(&w->thread, NULL, work, w))
			fail("pthread_create");
	}
}

/* Until all have ended, or SIGTERM; the server stays until then. */
static void wait_for_end(const sigset_t *term, double began)
{
	struct timespec tick = { .tv_nsec = 100000000 };
	bool served = false;

	for (;;) {
		if (sigtimedwait(term, NULL, &tick) > 0)
			break;
		if (opt.mess)
			say("going", began);
		if (!opt.conns || sum().ended < opt.conns || served)
			continue;
		if (!opt.server)
			break;
		say("served", began);
		served = true;
	}
	if (opt.server || !opt.conns)
		__atomic_store_n(&stopped, true, __ATOMIC_RELAXED);
}

/* How many ends of these connections are by reset: for who counts them. */
static void forecast(void)
{
	int n[STRICT_KINDS] = { 0 }, i;
	struct ask a;

	for (i = 0; i < opt.conns; i++) {
		invent(&a, i);
		n[a.kind]++;
	}
	printf("resets=%d\n", n[CLIENT_RESETS] + n[SERVER_RESETS] + n[UNREAD]);
}

static int options(int argc, char **argv)
{
	static const struct option names[] = {
		{ "tcp", no_argument, NULL, 't' },
		{ "mess", no_argument, NULL, 'm' },
		{ "conns", required_argument, NULL, 'n' },
		{ "at-once", required_argument, NULL, 'a' },
		{ "threads", required_argument, NULL, 'j' },
		{ "patience", required_argument, NULL, 'p' },
		{ "seed", required_argument, NULL, 's' },
		{ }
	};
	int c;

	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
		switch (c) {
		case 't': opt.tcp = true; break;
		case 'm': opt.mess = true; break;
		case 'n': opt.conns = atoi(optarg); break;
		case 'a': opt.at_once = atoi(optarg); break;
		case 'j': opt.threads = atoi(optarg); break;
		case 'p': opt.patience = atoi(optarg); break;
		case 's': opt.seed = atoi(optarg); break;
		default: exit(2);
		}
	}
	if (argc - optind != 3 || opt.threads < 1 || opt.threads > 16)
		fail("usage: storm [--tcp] [--mess] [--conns N (0: endless)] [--at-once N] [--threads N] [--patience S] [--seed S] server|client ADDR PORT");
	return optind;
}

int main(int argc, char **argv)
{
	int i = options(argc, argv);
	sigset_t term;
	double began;

	opt.server = !strcmp(argv[i], "server");
	where = app_addr(argv[i + 1], argv[i + 2]);
	app_more_files();
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &term, NULL);
	for (i = 0; opt.server && i <= PORTS; i++)
		listen_on(i);
	if (opt.server)
		printf("listening\n");
	else if (!opt.mess)
		forecast();
	fflush(stdout);
	began = app_now();
	start_workers();
	wait_for_end(&term, began);
	for (i = 0; i < opt.threads; i++)
		pthread_join(workers[i].thread, NULL);
	say("end", began);
	return !!sum().errors;
}

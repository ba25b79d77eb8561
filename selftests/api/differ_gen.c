// SPDX-License-Identifier: GPL-2.0
/*
 * A program from a seed.  The generator keeps an idea of what each slot will
 * be (it does not know what the calls will return), so that most calls make
 * sense; the others are as welcome.
 */
#include "differ.h"

enum kind { NONE, FRESH, BOUND, LISTENING, CLIENT, SERVER, NKINDS };

struct gen {
	uint64_t state;
	struct df_program *p;
	enum kind kind[DF_SLOTS];
	int sent;		/* bytes, of all sockets */
	const unsigned char *weight;
};

/* More than this unread could fill a buffer, whose size is not compared. */
#define MOST_SENT	40000

uint64_t df_mix(uint64_t z)
{
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

static unsigned int rnd(struct gen *g, unsigned int n)
{
	return df_mix(g->state += 0x9e3779b97f4a7c15ULL) % n;
}

static bool chance(struct gen *g, unsigned int percent)
{
	return rnd(g, 100) < percent;
}

#define PICK(g, array)	((array)[rnd(g, sizeof(array) / sizeof((array)[0]))])

static void emit(struct gen *g, int op, int slot, int a, int b, int c)
{
	struct df_step *s = &g->p->step[g->p->n++];

	s->op = op;
	s->slot = slot;
	s->a = a;
	s->b = b;
	s->c = c;
}

/* What kinds of slot a call is for. */
static const unsigned char suits[DF_NOPS] = {
	[DF_SOCKET]	= 1 << NONE,
	[DF_BIND]	= 1 << FRESH,
	[DF_LISTEN]	= 1 << FRESH | 1 << BOUND | 1 << LISTENING,
	[DF_CONNECT]	= 1 << FRESH | 1 << BOUND | 1 << CLIENT,
	[DF_UNCONNECT]	= 1 << CLIENT | 1 << SERVER | 1 << LISTENING,
	[DF_ACCEPT]	= 1 << LISTENING,
	[DF_SEND]	= 1 << CLIENT | 1 << SERVER,
	[DF_RECV]	= 1 << CLIENT | 1 << SERVER,
	[DF_SHUTDOWN]	= 1 << CLIENT | 1 << SERVER | 1 << LISTENING,
	[DF_CLOSE]	= 0xfe,
	[DF_DUP]	= 1 << CLIENT | 1 << SERVER | 1 << LISTENING,
	[DF_SET]	= 0xfe,
	[DF_GET]	= 0xfe,
	[DF_NAME]	= 0xfe,
	[DF_IOCTL]	= 0xfe,
};

/* Any slot whose kind is in @mask, or any at all. */
static int slot_for(struct gen *g, unsigned int mask)
{
	int i, k = rnd(g, DF_SLOTS);

	if (chance(g, 6))
		mask = 0xfe;
	for (i = 0; i < DF_SLOTS; i++, k = (k + 1) % DF_SLOTS)
		if (mask & 1 << g->kind[k])
			return k;
	return rnd(g, DF_SLOTS);
}

/* A new socket appears in the first free slot, here and in the run. */
static int first_free(const struct gen *g)
{
	int i;

	for (i = 0; i < DF_SLOTS && g->kind[i] != NONE; i++)
		;
	return i;
}

static int any_addr(struct gen *g)
{
	static const unsigned char usual[] = {
		DF_LO, DF_LO, DF_LO, DF_LO, DF_LO2, DF_ANY, DF_ANY, DF_OWN
	};

	return chance(g, 93) ? PICK(g, usual) : rnd(g, DF_NADDRS);
}

static int any_how(struct gen *g)
{
	return chance(g, 95) ? DF_RIGHT : rnd(g, DF_NHOWS);
}

static int any_size(struct gen *g)
{
	static const int sizes[] = {
		0, 1, 1, 2, 7, 100, 100, 536, 1000, 1448, 1460, 3000, 4096, 9000
	};

	return chance(g, 90) ? PICK(g, sizes) : (int)rnd(g, 20000);
}

static int any_way(struct gen *g)
{
	return chance(g, 55) ? DF_FLAGS : (int)rnd(g, DF_NWAYS);
}

static void gen_bind(struct gen *g, int slot)
{
	emit(g, DF_BIND, slot, any_addr(g), rnd(g, DF_PORTS + 1), any_how(g));
	if (g->kind[slot] == FRESH)
		g->kind[slot] = BOUND;
}

static void gen_listen(struct gen *g, int slot)
{
	static const int backlogs[] = { 0, 0, 1, 1, 2, 3, 5, 100, -1 };

	emit(g, DF_LISTEN, slot, PICK(g, backlogs), 0, 0);
	if (g->kind[slot] == FRESH || g->kind[slot] == BOUND)
		g->kind[slot] = LISTENING;
}

static void gen_connect(struct gen *g, int slot)
{
	int to = slot_for(g, 1 << LISTENING);

	if (chance(g, 80) && g->kind[to] == LISTENING)
		emit(g, DF_CONNECT, slot, any_addr(g), DF_IN_SLOT + to,
		     any_how(g));
	else
		emit(g, DF_CONNECT, slot, any_addr(g), rnd(g, DF_PORTS + 1),
		     any_how(g));
	if (g->kind[slot] == FRESH || g->kind[slot] == BOUND)
		g->kind[slot] = CLIENT;
}

static void gen_accept(struct gen *g, int slot)
{
	static const int flags[] = {
		0, 0, 0, SOCK_NONBLOCK, SOCK_CLOEXEC, 1 << 20
	};
	int fresh = first_free(g);
	int f = PICK(g, flags);

	emit(g, DF_ACCEPT, slot, f, rnd(g, 4), 0);
	if (g->kind[slot] == LISTENING && fresh < DF_SLOTS && f != 1 << 20)
		g->kind[fresh] = SERVER;
}

static void gen_send(struct gen *g, int slot)
{
	static const int flags[] = {
		0, 0, 0, MSG_NOSIGNAL, MSG_NOSIGNAL, MSG_MORE, MSG_DONTROUTE,
		MSG_CONFIRM, MSG_MORE | MSG_NOSIGNAL, MSG_PEEK,
		MSG_WAITALL
	};
	int n = any_size(g);

	if (g->sent + n > MOST_SENT)
		n = rnd(g, 3);
	g->sent += n;
	emit(g, DF_SEND, slot, n, PICK(g, flags), any_way(g));
	/* How long the hint holds without more is each stack's own affair. */
	if (g->p->step[g->p->n - 1].b & MSG_MORE && g->p->n < DF_STEPS)
		emit(g, DF_SEND, slot, 1 + rnd(g, 99), MSG_NOSIGNAL, DF_FLAGS);
}

static void gen_recv(struct gen *g, int slot)
{
	static const int flags[] = {
		0, 0, 0, 0, MSG_PEEK, MSG_PEEK, MSG_WAITALL, MSG_TRUNC,
		MSG_PEEK | MSG_TRUNC, MSG_PEEK | MSG_WAITALL, MSG_ERRQUEUE,
		MSG_OOB, MSG_NOSIGNAL, MSG_WAITALL | MSG_TRUNC
	};
	int n = chance(g, 30) ? 65536 : any_size(g);

	emit(g, DF_RECV, slot, n, PICK(g, flags), any_way(g));
}

static void gen_close(struct gen *g, int slot)
{
	emit(g, DF_CLOSE, slot, 0, 0, 0);
	g->kind[slot] = NONE;
}

static void gen_unconnect(struct gen *g, int slot)
{
	emit(g, DF_UNCONNECT, slot, 0, 0, chance(g, 90) ? 0 : 1);
	if (g->kind[slot] != NONE)
		g->kind[slot] = FRESH;
}

static void gen_socket(struct gen *g, int slot)
{
	emit(g, DF_SOCKET, slot, 0, 0, 0);
	if (g->kind[slot] == NONE)
		g->kind[slot] = FRESH;
}

static void gen_dup(struct gen *g, int slot)
{
	int fresh = first_free(g);

	emit(g, DF_DUP, slot, 0, 0, 0);
	if (fresh < DF_SLOTS)
		g->kind[fresh] = g->kind[slot];
}

static void gen_set(struct gen *g, int slot)
{
	static const int values[] = { 0, 0, 1, 1, 1, 2, 5, 100, 4000, -1 };
	int o = chance(g, 50) ? (int)rnd(g, 5) : (int)rnd(g, df_noptions);

	emit(g, DF_SET, slot, o, PICK(g, values), any_how(g));
}

static void gen_other(struct gen *g, int op, int slot)
{
	static const int hows[] = { 0, 1, 1, 1, 2, 2, 3, -1 };

	if (op == DF_SHUTDOWN)
		emit(g, op, slot, PICK(g, hows), 0, 0);
	else if (op == DF_GET)
		emit(g, op, slot, rnd(g, df_noptions), rnd(g, 3), any_how(g));
	else if (op == DF_NAME)
		emit(g, op, slot, rnd(g, 2), rnd(g, 5), any_how(g));
	else
		emit(g, op, slot, rnd(g, 5), 0, 0);
}

static void gen_step(struct gen *g, int op)
{
	static void (*const make[DF_NOPS])(struct gen *g, int slot) = {
		[DF_SOCKET]	= gen_socket,
		[DF_BIND]	= gen_bind,
		[DF_LISTEN]	= gen_listen,
		[DF_CONNECT]	= gen_connect,
		[DF_UNCONNECT]	= gen_unconnect,
		[DF_ACCEPT]	= gen_accept,
		[DF_SEND]	= gen_send,
		[DF_RECV]	= gen_recv,
		[DF_CLOSE]	= gen_close,
		[DF_DUP]	= gen_dup,
		[DF_SET]	= gen_set,
	};
	int slot = op == DF_SOCKET ? first_free(g) : slot_for(g, suits[op]);

	if (slot == DF_SLOTS)
		slot = rnd(g, DF_SLOTS);
	if (make[op])
		make[op](g, slot);
	else
		gen_other(g, op, slot);
}

/* A listener in slot 0, a client in 1, and its other end in 2. */
static void gen_pair(struct gen *g)
{
	gen_socket(g, 0);
	emit(g, DF_BIND, 0, chance(g, 70) ? DF_LO : DF_ANY, rnd(g, DF_PORTS),
	     DF_RIGHT);
	g->kind[0] = BOUND;
	gen_listen(g, 0);
	gen_socket(g, 1);
	if (chance(g, 20))
		gen_bind(g, 1);
	emit(g, DF_CONNECT, 1, DF_LO, DF_IN_SLOT, DF_RIGHT);
	g->kind[1] = CLIENT;
	emit(g, DF_ACCEPT, 0, 0, 1, 0);
	g->kind[2] = SERVER;
}

/* A listener with little room. */
static void gen_narrow(struct gen *g)
{
	int i;

	gen_socket(g, 0);
	emit(g, DF_BIND, 0, DF_ANY, 0, DF_RIGHT);
	g->kind[0] = BOUND;
	emit(g, DF_LISTEN, 0, rnd(g, 3), 0, 0);
	g->kind[0] = LISTENING;
	for (i = 1; i < 4; i++)
		gen_socket(g, i);
}

/* A socket that connects to itself. */
static void gen_self(struct gen *g)
{
	gen_socket(g, 0);
	emit(g, DF_BIND, 0, DF_LO, 1, DF_RIGHT);
	emit(g, DF_CONNECT, 0, DF_LO, 1, DF_RIGHT);
	g->kind[0] = CLIENT;
}

static void gen_sockets(struct gen *g)
{
	int i;

	for (i = 0; i < 3; i++)
		gen_socket(g, i);
}

static const struct theme {
	void (*begin)(struct gen *g);
	unsigned char weight[DF_NOPS];
} themes[] = {
	/* socket bind listen conn unconn acc send recv shut cls dup set get name ioctl */
	{ gen_pair,	{ 3, 2, 2, 4, 2, 4, 14, 14, 8, 6, 2, 8, 5, 3, 3 } },
	{ gen_pair,	{ 1, 1, 1, 1, 1, 2, 20, 20, 5, 2, 1, 8, 3, 1, 3 } },
	{ gen_pair,	{ 8, 3, 3, 9, 4, 9, 5, 4, 8, 12, 2, 5, 3, 3, 2 } },
	{ gen_narrow,	{ 6, 2, 4, 14, 3, 10, 4, 4, 4, 8, 1, 4, 2, 2, 2 } },
	{ gen_sockets,	{ 8, 14, 8, 8, 4, 3, 1, 1, 2, 6, 1, 10, 3, 6, 1 } },
	{ gen_sockets,	{ 6, 6, 6, 10, 4, 6, 6, 6, 4, 4, 2, 4, 2, 2, 2 } },
	{ gen_self,	{ 2, 2, 2, 4, 3, 1, 12, 12, 8, 4, 2, 6, 4, 3, 3 } },
};

void df_generate(struct df_program *p, uint64_t seed, int steps)
{
	struct gen g = { .state = df_mix(seed + 1), .p = p };
	const struct theme *t = &PICK(&g, themes);
	int i, sum, r, n;

	memset(p, 0, sizeof(*p));
	p->seed = seed;
	if (steps > DF_STEPS)
		steps = DF_STEPS;
	n = 20 + rnd(&g, 41);
	if (n > steps)
		n = steps;
	t->begin(&g);
	while (p->n < n) {
		for (sum = i = 0; i < DF_NOPS; i++)
			sum += t->weight[i];
		for (i = 0, r = rnd(&g, sum); r >= t->weight[i]; i++)
			r -= t->weight[i];
		gen_step(&g, i);
	}
	if (p->n > steps)
		p->n = steps;
}

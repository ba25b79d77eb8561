// SPDX-License-Identifier: GPL-2.0
/* Seeds to runs, runs to TAP lines. */
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sim.h"

struct sim S;
bool verbose;
u64 (*edges)[XTCP_NEVENTS];

/* What a child that dies leaves behind. */
static struct shared {
	u64 edges[XTCP_NSTATES][XTCP_NEVENTS];
	u64 seed;
	u64 steps;
	u64 longest;
} *shared;

u64 rnd(void)
{
	u64 z = S.rng += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

void trace(const char *fmt, ...)
{
	va_list ap;

	if (!verbose)
		return;
	va_start(ap, fmt);
	printf("# %12.6f ", S.now / 1e6);
	vprintf(fmt, ap);
	putchar('\n');
	va_end(ap);
}

void fail(const char *fmt, ...)
{
	va_list ap;

	printf("# seed %llu, class %d, time %.6f: ",
	       (unsigned long long)S.seed, S.class, S.now / 1e6);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n# replay: build/selftests/sim/sim --seed %llu -v\n",
	       (unsigned long long)S.seed);
	fflush(stdout);
	_exit(1);
}

/* ---- from a seed to a run ---- */

static void setup_class(void)
{
	static const u8 weight[CLASS_NR] = {
		[CLASS_CLEAN] = 31, [CLASS_SIMOPEN] = 8, [CLASS_SELF] = 5,
		[CLASS_SIMCLOSE] = 5, [CLASS_HALF] = 5, [CLASS_REUSE] = 10,
		[CLASS_ABORT] = 8, [CLASS_CLOSE] = 12, [CLASS_DEAD] = 6,
		[CLASS_REFUSED] = 3, [CLASS_ICMP] = 3, [CLASS_LINGER] = 4,
	};
	u32 roll = rnd_below(100);
	int i;

	for (i = 0; i < CLASS_NR - 1 && roll >= weight[i]; i++)
		roll -= weight[i];
	S.class = i;
	S.nends = S.class == CLASS_SELF ? 1 : 2;
}

static void setup_net(void)
{
	static const u16 bad[] = { 0, 0, 10, 30, 100, 300 };

	S.loss = bad[rnd_below(6)];
	S.dup = bad[rnd_below(6)];
	S.reorder = bad[rnd_below(6)];
	S.corrupt = bad[rnd_below(4)];
	S.tx_fail = chance(300) ? 50 : 0;
	S.mem_drop = chance(200) ? 50 : 0;
	S.delay = rnd_below(4) ? rnd_between(10, 20000) :
				 rnd_between(10, 400000);
	S.join = chance(500) ? rnd_between(300, 1000) : 0;
	S.hold = chance(300) ? rnd_between(10, 500) : 0;
	S.jitter = chance(500) ? 0 : rnd_below(S.delay);
	if (chance(100)) {
		S.ideal = true;
		S.loss = S.dup = S.reorder = S.corrupt = 0;
		S.tx_fail = S.mem_drop = S.jitter = 0;
	}
	if (!S.ideal && chance(300)) {
		S.lose_open = rnd_below(4);
		S.lose_close = rnd_below(4);
	}
	S.heal_at = rnd_between(US_S / 100, 40 * US_S);
	/* Nobody speaks first there: a request must not starve meanwhile. */
	if (S.class == CLASS_SIMCLOSE) {
		S.heal_at = min_t(u64, S.heal_at, 10 * US_S);
		S.lose_open = 0;
	}
	if (S.class == CLASS_REUSE) {
		S.heal_at = min_t(u64, S.heal_at, 5 * US_S);
		S.rounds = rnd_between(1, 4);
		S.ghosts = rnd_between(20, 300);
	}
	if (S.class == CLASS_DEAD)
		S.die_at = 1 + rnd_below(5 * US_S);
	if (S.class == CLASS_REFUSED)
		S.loss = min_t(u32, S.loss, 100);
	S.limit = S.heal_at + 20000 * US_S;
}

void sim_end(struct end *e, int i)
{
	e->name = 'A' + i;
	e->peer = &S.end[S.nends == 2 ? !i : 0];
	e->port = 1000 + i;
	xtcp_cfg_defaults(&e->cfg);
}

static void setup_end(struct end *e, int i)
{
	static const u16 mss[] = { 64, 536, 1000, 1448, 1460, 8960 };
	static const u32 bufs[] = { 300, 2000, 5000, 20000, 65535, 300000 };
	struct xtcp_core *c = &e->core;

	sim_end(e, i);
	e->cfg.timewait = 300 * US_S;
	e->cfg.window_scaling = chance(800);
	e->cfg.timestamps = chance(S.class == CLASS_REUSE ? 950 : 800);
	e->cfg.syn_linear_timeouts = chance(500) ? 4 : 0;
	e->cfg.rfc1337 = chance(300);
	/* Now and then the clock goes round in the middle of it. */
	e->ts_off = chance(500) ? -rnd_below(20000) : rnd();
	if (S.class == CLASS_DEAD) {
		e->cfg.retries2 = rnd_between(2, 15);
		e->cfg.syn_retries = rnd_between(1, 6);
	}
	/* Where one end may vanish unheard, the other has to find out. */
	c->keepalive = S.class == CLASS_DEAD || S.class == CLASS_ABORT ||
		       S.class == CLASS_CLOSE || S.class == CLASS_LINGER;
	c->own_mss = mss[rnd_below(6)];
	c->burst = chance(500) ? c->own_mss : rnd_between(2000, 60000);
	e->any_burst = chance(700);
	c->rcv_buf = bufs[rnd_below(6)];
	c->nodelay = chance(500);
	c->keepalive |= chance(100);
	c->linger2 = chance(800) ? 0 : chance(300) ? -1 : 3000000;
	e->use_tw = S.class == CLASS_REUSE || chance(500);
	e->sndbuf = rnd_between(1, 60000);
	e->chunk = chance(300) ? 100 : 10000;
	e->to_write = chance(150) ? 0 : rnd_below(chance(100) ? 200000 : 30000);
	e->tick_us = rnd_between(100, 50000);
	if (S.class == CLASS_HALF && i)
		e->to_write = rnd_between(5000, 40000);
	e->out = malloc(e->to_write + 1);
	for (u32 n = 0; n < e->to_write; n++)
		e->out[n] = rnd();
}

/* Small windows and small sends take many round trips a byte. */
static void setup_sizes(void)
{
	for (int i = 0; i < S.nends; i++) {
		struct end *e = &S.end[i];

		if (e->peer->core.rcv_buf <= 5000 || e->sndbuf < 5000 ||
		    e->core.own_mss < 500 || e->peer->core.own_mss < 500)
			e->to_write = min_t(u32, e->to_write, 8000);
	}
}

static void setup_leaving(void)
{
	struct end *e = &S.end[rnd_below(S.nends)];

	switch (S.class) {
	case CLASS_ABORT:
		e->act_abort = true;
		fallthrough;
	case CLASS_CLOSE:
		e->act_at = 1 + rnd_below(chance(500) ? 6 * S.delay : 3 * US_S);
		break;
	case CLASS_LINGER:
		/* One leaves for good, the other stays until that is over. */
		S.end[0].act_at = 1 + rnd_below(60 * US_S);
		S.end[1].never_close = true;
		S.end[1].to_write = 0;
		break;
	default:
		break;
	}
}

/* Leaving, and being left, in the middle of a simultaneous open. */
static bool sim_open_too(void)
{
	return (S.class == CLASS_ABORT || S.class == CLASS_CLOSE ||
		S.class == CLASS_ICMP) && chance(400);
}

void sim_reset(u64 seed)
{
	memset(&S, 0, sizeof(S));
	S.seed = seed;
	S.rng = seed * 0x2545f4914f6cdd1dULL + 1;
	S.now = 1;
}

static void setup(u64 seed)
{
	sim_reset(seed);
	setup_class();
	setup_net();
	for (int i = 0; i < S.nends; i++)
		setup_end(&S.end[i], i);
	setup_sizes();
	setup_leaving();
	trace("class %d loss %u dup %u reorder %u delay %llu heal %.1f",
	      S.class, S.loss, S.dup, S.reorder,
	      (unsigned long long)S.delay, S.heal_at / 1e6);
	host_connect(&S.end[0]);
	if (S.class == CLASS_REFUSED)
		S.end[1].mode = END_DEAD;
	else if (S.class == CLASS_SIMOPEN || sim_open_too())
		host_connect(&S.end[1]);
	else if (S.nends == 2)
		host_listen(&S.end[1]);
	S.end[0].next_iss = 0;
	for (int i = 0; i < S.nends; i++)
		net_tick_at(&S.end[i], S.now + rnd_below(1000));
}

static bool finished(void)
{
	if (S.rounds)
		return false;
	for (int i = 0; i < S.nends; i++)
		if (S.end[i].mode != END_DEAD)
			return false;
	return true;
}

/* One thing happens. */
static void step(void)
{
	struct end *first = NULL;
	u64 at = ~0ULL, dl;

	net_next(&at);
	for (int i = 0; i < S.nends; i++) {
		dl = host_deadline(&S.end[i]);
		if (dl && dl < at) {
			at = dl;
			first = &S.end[i];
		}
	}
	if (at == ~0ULL)
		fail("nothing will ever happen again");
	S.now = max(S.now, at);
	if (S.now > S.limit)
		fail("no end in sight, states %s and %s",
		     xtcp_state_name(S.end[0].core.state),
		     xtcp_state_name(S.end[1].core.state));
	if (first)
		host_timers(first);
	else
		net_dispatch();
	for (int i = 0; i < S.nends; i++)
		check_end(&S.end[i]);
	S.steps++;
}

void sim_run(void)
{
	while (!finished())
		step();
	for (int i = 0; i < S.nends; i++)
		host_close_listener(&S.end[i]);
	check_finished();
	net_drain();
	for (int i = 0; i < S.nends; i++)
		free(S.end[i].out);
}

static void run(u64 seed)
{
	shared->seed = seed;
	setup(seed);
	sim_run();
	shared->steps += S.steps;
	if (S.now > shared->longest)
		shared->longest = S.now;
}

/* ---- TAP ---- */

static bool chunk(u64 from, u64 to)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		while (from < to)
			run(from++);
		exit(0);
	}
	waitpid(pid, &status, 0);
	if (!WIFEXITED(status) || WEXITSTATUS(status)) {
		printf("# seed %llu ended it; replay: build/selftests/sim/sim --seed %llu -v\n",
		       (unsigned long long)shared->seed,
		       (unsigned long long)shared->seed);
		return false;
	}
	return true;
}

/* Few seeds prove nothing about edges. */
#define SEEDS_FOR_EDGES		2000

static bool all_edges(u64 seeds)
{
	bool all = true;

	for (u8 s = 1; s < XTCP_NSTATES; s++)
		for (u8 ev = 0; ev < XTCP_NEVENTS; ev++)
			if (xtcp_fsm[s][ev].next && !edges[s][ev]) {
				printf("# edge never taken: %s on %s\n",
				       xtcp_state_name(s), xtcp_event_name(ev));
				all = false;
			}
	return all || seeds < SEEDS_FOR_EDGES;
}

static int tap(u64 first, u64 seeds)
{
	u64 size = seeds < 20 ? 1 : seeds / 20, done = 0;
	struct timespec a, b;
	int n = 0, bad = 0;
	bool all;

	clock_gettime(CLOCK_MONOTONIC, &a);
	printf("TAP version 13\n1..%llu\n",
	       (unsigned long long)((seeds + size - 1) / size + 1 + rate_tests));
	while (done < seeds) {
		u64 to = min(done + size, seeds);
		bool ok = chunk(first + done, first + to);

		bad += !ok;
		printf("%sok %d sim: seeds %llu to %llu\n", ok ? "" : "not ",
		       ++n, (unsigned long long)(first + done),
		       (unsigned long long)(first + to - 1));
		done = to;
	}
	clock_gettime(CLOCK_MONOTONIC, &b);
	all = all_edges(seeds);
	bad += !all;
	printf("%sok %d sim: every edge of the state table was taken\n",
	       all ? "" : "not ", ++n);
	printf("# %llu seeds, %llu steps, %.1f s, longest run %.0f s of virtual time\n",
	       (unsigned long long)seeds, (unsigned long long)shared->steps,
	       b.tv_sec - a.tv_sec + (b.tv_nsec - a.tv_nsec) / 1e9,
	       shared->longest / 1e6);
	bad += rate_tap(n);
	return bad ? 1 : 0;
}

int main(int argc, char **argv)
{
	u64 seed = 0, seeds = 2000, first = 1;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	edges = shared->edges;
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "-v"))
			verbose = true;
		else if (!strcmp(argv[i], "--seed") && i + 1 < argc)
			seed = strtoull(argv[++i], NULL, 0);
		else if (!strcmp(argv[i], "--seeds") && i + 1 < argc)
			seeds = strtoull(argv[++i], NULL, 0);
		else if (!strcmp(argv[i], "--first") && i + 1 < argc)
			first = strtoull(argv[++i], NULL, 0);
		else {
			fprintf(stderr, "usage: sim [--seeds N] [--first N] | --seed N [-v]\n");
			return 2;
		}
	}
	if (!seed)
		return tap(first, seeds);
	run(seed);
	printf("# seed %llu: %llu steps, %.3f s of virtual time, holds\n",
	       (unsigned long long)seed, (unsigned long long)S.steps,
	       S.now / 1e6);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Streams over a network that is known: how fast they are, and what they cost.
 * Everything arrives in all of them; here the times and counts are asserted.
 */
#include <sys/wait.h>
#include <unistd.h>

#include "sim.h"

#define MBIT	125000ULL	/* bytes a second */

struct rate {
	const char *name;
	u32 bytes;		/* from A to B */
	u64 rate;		/* of A's link, bytes a second */
	u32 queue;		/* in front of it, bytes */
	u64 delay;		/* one way, us */
	u32 burst;
	bool silent;		/* the queue does not say what it drops */
	bool join;		/* the receiver's device joins what it can */
	/* What must come of it: */
	u64 least;		/* bytes a second */
	u32 retrans;		/* packets at most */
	u32 refused;		/* decisions at most */
};

static const struct rate tests[] = {
	{ "50 Mbit/s, a local queue of 150 KB, 20 ms", 20000000, 50 * MBIT,
	  150000, 10000, 1448, false, false, 47 * MBIT, 0, 10 },
	{ "the same in bursts", 20000000, 50 * MBIT,
	  150000, 10000, 64000, false, false, 47 * MBIT, 0, 10 },
	{ "the same, joined where it arrives", 20000000, 50 * MBIT,
	  150000, 10000, 64000, false, true, 45 * MBIT, 0, 10 },
	{ "the same, 40 ms", 20000000, 50 * MBIT,
	  150000, 20000, 1448, false, false, 43 * MBIT, 0, 10 },
	{ "50 Mbit/s, a short local queue", 20000000, 50 * MBIT,
	  30000, 5000, 1448, false, false, 44 * MBIT, 0, 20 },
	{ "1 Mbit/s, a local queue of 10 packets", 2000000, 1 * MBIT,
	  15000, 20000, 1448, false, false, 900000 / 8, 0, 50 },
	{ "50 Mbit/s, no local queue is full", 20000000, 50 * MBIT,
	  1 << 30, 20000, 1448, false, false, 46 * MBIT, 0, 0 },
	{ "a local queue of 150 KB that tells nothing", 20000000, 50 * MBIT,
	  150000, 10000, 1448, true, false, 1 * MBIT, ~0U, ~0U },
};

const int rate_tests = ARRAY_SIZE(tests);

static void rate_end(struct end *e, int i, const struct rate *r)
{
	struct xtcp_core *c = &e->core;

	sim_end(e, i);
	e->cfg.timewait = US_S;
	c->own_mss = 1448;
	c->burst = r->burst;
	c->rcv_buf = 4 << 20;
	c->nodelay = true;
	e->sndbuf = 4 << 20;
	e->chunk = 65536;
	e->tick_us = 1000;
	e->to_write = i ? 0 : r->bytes;
	e->out = malloc(e->to_write + 1);
	for (u32 n = 0; n < e->to_write; n++)
		e->out[n] = rnd();
}

static void rate_run(const struct rate *r)
{
	struct end *a = &S.end[0], *b = &S.end[1];
	u64 rate;

	sim_reset(1);
	S.class = CLASS_CLEAN;
	S.nends = 2;
	S.delay = r->delay;
	S.ideal = true;
	S.join = r->join ? 1000 : 0;
	S.limit = 1000 * US_S;
	rate_end(a, 0, r);
	rate_end(b, 1, r);
	a->link_rate = r->rate;
	a->queue_max = r->queue;
	a->queue_silent = r->silent;
	host_connect(a);
	host_listen(b);
	net_tick_at(a, S.now);
	net_tick_at(b, S.now);
	sim_run();
	rate = r->bytes * US_S / b->done_at;
	printf("# %s: %.1f Mbit/s, %u packets again, %u times refused, %llu sent\n",
	       r->name, 8.0 * rate / 1e6, a->core.total_retrans, a->refused,
	       (unsigned long long)a->sent_packets);
	if (rate < r->least)
		fail("too slow");
	if (a->core.total_retrans > r->retrans)
		fail("too much was sent again");
	if (a->refused > r->refused)
		fail("refused too often");
}

/* A process each: fail() ends it. */
static bool rate_ok(const struct rate *r)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		rate_run(r);
		exit(0);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) && !WEXITSTATUS(status);
}

int rate_tap(int n)
{
	int i, bad = 0;

	for (i = 0; i < rate_tests; i++) {
		bool ok = rate_ok(&tests[i]);

		bad += !ok;
		printf("%sok %d sim: rate: %s\n", ok ? "" : "not ", ++n,
		       tests[i].name);
	}
	return bad;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * The same random sequence of socket calls over native TCP and over XTCP:
 *
 *	differ [--seed FIRST] [--seeds COUNT] [--steps MOST] [--self] [--trace]
 *
 * --self compares native TCP with itself, --trace prints every step.  One TAP
 * line for each block of seeds; a block is a process with a namespace of its
 * own, and as many run at once as there are processors.
 *
 * What is left out, by rule and in differ_gen.c: urgent data, TCP_FASTOPEN,
 * MSG_ZEROCOPY (XTCP has none); SO_REUSEPORT between listeners (the choice is
 * by a random hash); more unread bytes than any buffer holds; delays of ACKs
 * (off by route, which IP_TOS would make a socket forget on 6.1); reuse of a
 * tuple in TIME_WAIT by the clock (off by sysctl).
 * A difference counts only if each agrees with itself on that program.
 */
#include "differ.h"
#include "kselftest.h"
#include <getopt.h>

#define BLOCK		100	/* seeds of a process and namespace */
#define SHOWN		15	/* steps before a difference */
#define TRIES		3
#define AGREE		4	/* runs of each, all alike, make a difference */
#define SHOW_MOST	5	/* differences of a block */

static struct {
	uint64_t first;
	unsigned int count;
	int steps;
	bool self;
	bool trace;
} opt = { .first = 1, .count = 2000, .steps = DF_STEPS };

static struct df_trace one, two, three;

/* Number of the first step that differs; n: the end; -1: none. */
static int difference(const struct df_trace *a, const struct df_trace *b)
{
	int i;

	for (i = 0; i < a->n && i < b->n; i++)
		if (memcmp(&a->rec[i], &b->rec[i], sizeof(a->rec[i])))
			return i;
	if (a->n != b->n || memcmp(a->left, b->left, sizeof(a->left)))
		return i;
	return -1;
}

/* Whether more runs of each give what @one and @two have, again and again. */
static bool settled(const struct df_program *p, int d)
{
	int i;

	for (i = 1; i < AGREE; i++) {
		df_run(p, false, &three);
		if (difference(&one, &three) >= 0)
			return false;
		df_run(p, !opt.self, &three);
		if (difference(&one, &three) != d)
			return false;
	}
	return true;
}

/*
 * Runs the program over both, and if they differ each some more times: what
 * one does differently itself says nothing.  Returns the step, -1 for no
 * difference, -2 if it could not be told.
 */
static int compare(const struct df_program *p)
{
	int i, d;

	for (i = 0; i < TRIES; i++) {
		df_run(p, false, &one);
		df_run(p, !opt.self, &two);
		d = difference(&one, &two);
		if (d < 0)
			return i ? -2 : -1;
		if (settled(p, d))
			return d;
	}
	return -2;
}

static void drop_step(struct df_program *p, int i)
{
	p->n--;
	memmove(&p->step[i], &p->step[i + 1], (p->n - i) * sizeof(p->step[0]));
}

/* Leaves out what is not needed for a difference. */
static int reduce(struct df_program *p, int d)
{
	struct df_program q;
	int i, e;

	if (d < p->n)
		p->n = d + 1;
	for (i = p->n - 1; i >= 0; i--) {
		q = *p;
		drop_step(&q, i);
		e = compare(&q);
		if (e < 0)
			continue;
		*p = q;
		if (e < p->n)
			p->n = e + 1;
		if (i > p->n)
			i = p->n;
	}
	return compare(p);
}

static void print_left(const char *who, const struct df_trace *t)
{
	int i;

	printf("#   %s leaves", who);
	for (i = 1; i < 13; i++)
		if (t->left[i])
			printf(" %d %s", t->left[i], df_state_name[i]);
	printf("\n");
}

static void print_steps(const struct df_program *p, int from, int to)
{
	const char *name = opt.self ? "tcp2" : "xtcp";
	char line[1024];
	int i;

	for (i = from; i < to; i++) {
		df_print_call(&p->step[i], line, sizeof(line));
		printf("# %2d %s\n", i, line);
		df_print_record(&one.rec[i], line, sizeof(line));
		if (!memcmp(&one.rec[i], &two.rec[i], sizeof(one.rec[i]))) {
			printf("#      both %s\n", line);
			continue;
		}
		printf("#      tcp  %s\n", line);
		df_print_record(&two.rec[i], line, sizeof(line));
		printf("#      %s %s\n", name, line);
	}
}

static void report(struct df_program *p, int d)
{
	int to;

	printf("# seed %llu differs at step %d\n", (unsigned long long)p->seed,
	       d);
	d = reduce(p, d);
	if (d < 0) {
		printf("# seed %llu: not when reduced\n",
		       (unsigned long long)p->seed);
		return;
	}
	to = d < p->n ? d + 1 : p->n;
	print_steps(p, to > SHOWN ? to - SHOWN : 0, to);
	if (d == p->n) {
		print_left("tcp", &one);
		print_left(opt.self ? "tcp2" : "xtcp", &two);
	}
}

/* In a process of its own; its exit status: 0, 1 differences, 4 skip. */
static int block(uint64_t first, unsigned int count)
{
	unsigned int i, unclear = 0, found = 0;
	struct df_program p;
	int d;

	alarm(600);
	if (df_world()) {
		printf("# no namespace: %s\n", strerror(errno));
		return 4;
	}
	for (i = 0; i < count && found < SHOW_MOST; i++) {
		df_generate(&p, first + i, opt.steps);
		d = compare(&p);
		if (opt.trace)
			print_steps(&p, 0, p.n);
		if (d == -2) {
			unclear++;
			printf("# seed %llu: not the same twice\n",
			       (unsigned long long)first + i);
		}
		if (d >= 0) {
			found++;
			report(&p, d);
		}
		fflush(stdout);
	}
	/* Clocks may disturb a run; if they disturb many, it is no clock. */
	return found || unclear > 1 + count / 50;
}

struct worker {
	pid_t pid;
	int status;
	FILE *out;
	uint64_t first;
	unsigned int count;
};

static void start(struct worker *w, int cpu, uint64_t first, unsigned int count)
{
	w->first = first;
	w->count = count;
	w->out = tmpfile();
	fflush(stdout);
	w->pid = fork();
	if (w->pid)
		return;
	xt_pin(cpu);
	dup2(fileno(w->out), STDOUT_FILENO);
	exit(block(first, count));
}

static void finish(struct worker *w)
{
	char line[1024];
	int st;

	waitpid(w->pid, &st, 0);
	rewind(w->out);
	while (fgets(line, sizeof(line), w->out))
		fputs(line, stdout);
	fclose(w->out);
	w->pid = 0;
	if (WIFEXITED(st) && WEXITSTATUS(st) == 4)
		ksft_test_result_skip("seeds from %llu\n",
				      (unsigned long long)w->first);
	else
		ksft_test_result(WIFEXITED(st) && !WEXITSTATUS(st),
				 "seeds %llu to %llu%s\n",
				 (unsigned long long)w->first,
				 (unsigned long long)w->first + w->count - 1,
				 WIFSIGNALED(st) ? ": killed" : "");
}

static void run_blocks(void)
{
	unsigned int nblocks = (opt.count + BLOCK - 1) / BLOCK, next = 0, cpu, n;
	struct worker w[64] = { 0 };
	unsigned int ncpu = sysconf(_SC_NPROCESSORS_ONLN);

	if (ncpu > 64)
		ncpu = 64;
	ksft_set_plan(nblocks);
	for (next = 0; next < nblocks + ncpu; next++) {
		cpu = next % ncpu;
		if (w[cpu].pid)
			finish(&w[cpu]);
		if (next >= nblocks)
			continue;
		n = opt.count - next * BLOCK;
		start(&w[cpu], cpu, opt.first + next * BLOCK,
		      n < BLOCK ? n : BLOCK);
	}
}

static void parse(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "seed", 1, NULL, 's' }, { "seeds", 1, NULL, 'n' },
		{ "steps", 1, NULL, 'l' }, { "self", 0, NULL, 'S' },
		{ "trace", 0, NULL, 't' }, { NULL }
	};
	const char *more = getenv("XTCP_SEEDS");
	int c;

	if (more)
		opt.count = atoi(more);
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c == 's')
			opt.first = strtoull(optarg, NULL, 0);
		else if (c == 'n')
			opt.count = atoi(optarg);
		else if (c == 'l')
			opt.steps = atoi(optarg);
		else if (c == 'S')
			opt.self = true;
		else if (c == 't')
			opt.trace = true;
		else
			ksft_exit_fail_msg("see the head of differ.c\n");
	}
}

int main(int argc, char **argv)
{
	struct xt x = { .xtcp = true };
	int fd;

	setlinebuf(stdout);
	parse(argc, argv);
	ksft_print_header();
	fd = xt_socket(&x, 0);
	if (fd < 0 && !opt.self)
		ksft_exit_skip("no XTCP here\n");
	close(fd);
	ksft_print_msg("first seed %llu, %u seeds\n",
		       (unsigned long long)opt.first, opt.count);
	run_blocks();
	ksft_finished();
}

// SPDX-License-Identifier: GPL-2.0
/* One script, line by line. */
#include "wire.h"
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#define PASSED	0
#define FAILED	1
#define SKIPPED	4
#define BROKEN	5

struct world W;

static const struct script *script;
static const struct line *at;

/* ---- what is said ---- */

/* A line of the protocol of events; kept until somebody wants to see it. */
void trace(const char *fmt, ...)
{
	char text[700];
	va_list ap;
	int n;

	n = snprintf(text, sizeof(text), "#   %10.6f  ",
		     (now() - W.start) / 1e9);
	va_start(ap, fmt);
	n += vsnprintf(text + n, sizeof(text) - n - 1, fmt, ap);
	va_end(ap);
	if (n > (int)sizeof(text) - 2)
		n = sizeof(text) - 2;
	text[n++] = '\n';
	if (W.verbose) {
		fwrite(text, 1, n, stdout);
		return;
	}
	W.trace = realloc(W.trace, W.trace_len + n + 1);
	memcpy(W.trace + W.trace_len, text, n + 1);
	W.trace_len += n;
}

/* The last lines of it. */
static void show_trace(void)
{
	char *from = W.trace + W.trace_len;
	int lines = 30;

	if (!W.trace)
		return;
	while (from > W.trace && (from[-1] != '\n' || lines--))
		from--;
	printf("# what happened:\n");
	fwrite(from, 1, W.trace + W.trace_len - from, stdout);
}

static int fail(const char *actual, ...)
{
	char text[600];
	va_list ap;

	va_start(ap, actual);
	vsnprintf(text, sizeof(text), actual, ap);
	va_end(ap);
	printf("# %s:%d (%s):\n", script->path, at ? at->no : 0,
	       W.xtcp ? "xtcp" : "tcp");
	printf("#   expected: %s\n", at ? at->text : "the end of the script");
	printf("#     actual: %s\n", text);
	show_trace();
	return FAILED;
}

static void packet_text(char *to, size_t len, const struct packet *p)
{
	int n = snprintf(to, len, "> ");

	if (!p->conn)
		n += snprintf(to + n, len - n, "@? ");
	else if (strcmp(p->conn->name, "a"))
		n += snprintf(to + n, len - n, "@%s ", p->conn->name);
	seg_text(to + n, len - n, &p->seg);
	n = strlen(to);
	if (p->wrong)
		snprintf(to + n, len - n, " (%s)", p->wrong);
}

static int fail_packet(const struct packet *p, const char *why)
{
	char text[400];

	packet_text(text, sizeof(text), p);
	return fail("%s%s (+%.6f)", text, why, (p->when - W.event) / 1e9);
}

/* ---- time ---- */

/* What is not timed comes at once: long only where the machine may be slow. */
static ns_t soon(void)
{
	return W.icount ? 150 * NS / 1000 : 5 * NS * W.slow;
}

static ns_t earliest(const struct line *l)
{
	return W.event + l->from - (W.icount ? 5000000 : NS / 10 * W.slow);
}

/* The kernel's timer wheel may be late by an eighth. */
static ns_t latest(const struct line *l)
{
	ns_t t = l->range ? l->to : l->from + l->from / 8;

	return W.event + t + (W.icount ? 12000000 : NS * W.slow);
}

static void take_packets(void)
{
	static uint8_t buf[70000];
	struct packet *p, **end;
	char text[400];
	int n;

	while ((n = read(W.tun, buf, sizeof(buf))) > 0) {
		p = seg_parse(buf, n);
		if (!p)
			continue;
		for (end = &W.queue; *end; end = &(*end)->next)
			;
		*end = p;
		packet_text(text, sizeof(text), p);
		trace("     %s", text);
	}
}

/* Until something happens; false when the time is over. */
static bool pump(ns_t deadline)
{
	struct pollfd p[2] = {
		{ .fd = W.tun, .events = POLLIN },
		{ .fd = W.wake, .events = POLLIN },
	};
	ns_t left = deadline - now();
	struct timespec ts;
	uint64_t count;

	if (left < 0)
		left = 0;
	ts = (struct timespec){ left / NS, left % NS };
	if (ppoll(p, 2, &ts, NULL) <= 0)
		return false;
	take_packets();
	if (p[1].revents && read(W.wake, &count, sizeof(count)) < 0)
		return true;
	return true;
}

static void sleep_until(ns_t t)
{
	while (now() < t)
		pump(t);
	take_packets();
}

static void wait_turn(const struct line *l)
{
	if (l->timed)
		sleep_until(W.event + l->from);
}

/* ---- connections ---- */

static struct conn *conn_of(const char *name)
{
	int i;

	for (i = 0; i < W.nconns; i++)
		if (!strcmp(W.conns[i].name, name))
			return &W.conns[i];
	return NULL;
}

static struct conn *new_conn(const char *name)
{
	struct conn *c = &W.conns[W.nconns];

	if (W.nconns == MAX_CONNS)
		return NULL;
	memset(c, 0, sizeof(*c));
	snprintf(c->name, WORD, "%s", name);
	c->our = OUR_ADDR;
	c->peer = PEER_ADDR;
	c->our_port = OUR_PORT;
	c->peer_port = PEER_PORT + W.nconns;
	c->peer_isn = 1000000 * (1 + W.nconns);
	W.nconns++;
	return c;
}

static void forget(struct conn *c)
{
	c->known = c->seen = false;
	c->our_isn = 0;
	c->our_port = OUR_PORT;
}

/* "conn b peer 10.99.0.3:6000 local *:80 isn 5", "conn a new" */
static int run_conn(struct line *l)
{
	struct conn *c = l->nargs ? conn_of(l->args[0]) : NULL;
	long long v;
	int i, port;

	if (!c)
		c = new_conn(l->nargs ? l->args[0] : "");
	if (!c)
		return fail("too many connections");
	for (i = 1; i < l->nargs; i++) {
		const char *word = l->args[i], *val = l->args[i + 1];
		bool ok = i + 1 < l->nargs;

		if (!strcmp(word, "new")) {
			forget(c);
			continue;
		}
		i++;
		if (!strcmp(word, "peer") && ok) {
			port = c->peer_port;
			ok = addr_parse(val, &c->peer, &port);
			c->peer_port = port;
		} else if (!strcmp(word, "local") && ok) {
			port = c->our_port;
			ok = addr_parse(val, &c->our, &port);
			c->our_port = port;
		} else if (!strcmp(word, "isn") && ok) {
			ok = num_parse(val, &v);
			c->peer_isn = v;
		} else {
			ok = false;
		}
		if (!ok)
			return fail("conn: %s?", word);
	}
	return PASSED;
}

/* ---- segments in ---- */

static int inject(const uint8_t *ip, int len)
{
	take_packets();
	W.event = now();
	if (write(W.tun, ip, len) != len)
		return fail("cannot be sent: %m");
	take_packets();
	return PASSED;
}

static int run_in(struct line *l)
{
	static uint8_t ip[70000];
	struct conn *c = conn_of(l->conn);

	if (!c)
		return fail("no connection %s", l->conn);
	wait_turn(l);
	trace("%3d: %s", l->no, l->text);
	return inject(ip, l->kind == L_ICMP ? icmp_build(ip, c, &l->icmp) :
		      seg_build(ip, c, &l->seg));
}

/* ---- segments out ---- */

static struct packet *unlink_packet(struct packet *p)
{
	struct packet **q;

	for (q = &W.queue; *q != p; q = &(*q)->next)
		;
	*q = p->next;
	p->next = NULL;
	return p;
}

/* An optional line of the script had foreseen it. */
static bool foreseen(const struct packet *p)
{
	int i;

	for (i = 0; i < W.nmaybe; i++) {
		struct line *l = W.maybe[i];

		if (conn_of(l->conn) != p->conn || !seg_match(&l->seg, p))
			continue;
		if (l->often == MAYBE)
			W.maybe[i] = W.maybe[--W.nmaybe];
		return true;
	}
	return false;
}

/* Where the machine may stop for a while, a timer may repeat a segment. */
static bool repeated(const struct packet *p)
{
	int i;

	if (W.icount || !(p->seg.len || p->seg.flags & (SYN | FIN)))
		return false;
	for (i = 0; i < W.nseen && i < 64; i++) {
		const struct packet *s = W.seen[i];

		if (s->conn == p->conn && s->seq == p->seq &&
		    s->seg.len == p->seg.len &&
		    !((s->seg.flags ^ p->seg.flags) & ~PSH))
			return true;
	}
	return false;
}

/*
 * The first packet of @c (NULL: of anybody) that has to be accounted for.
 * Where silence is asked for, @strict, a repetition counts.
 */
static struct packet *next_packet(const struct conn *c, bool strict)
{
	struct packet *p, *next;

	for (p = W.queue; p; p = next) {
		next = p->next;
		if (c && p->conn && p->conn != c)
			continue;
		if (!p->conn || (!foreseen(p) && (strict || !repeated(p))))
			return p;
		trace("     (that was foreseen)");
		free(unlink_packet(p));
	}
	return NULL;
}

/* As next_packet(), but it may be the one that is expected. */
static struct packet *next_candidate(const struct conn *c,
				     const struct seg *want)
{
	struct packet *p;

	for (p = W.queue; p; p = p->next)
		if (p->conn == c)
			break;
	if (p && seg_match(want, p))
		return p;
	return next_packet(c, false);
}

static int run_out(struct line *l)
{
	struct conn *c = conn_of(l->conn);
	ns_t from = l->timed ? earliest(l) : 0;
	ns_t to = l->timed ? latest(l) : now() + soon();
	struct packet *p;

	if (!c)
		return fail("no connection %s", l->conn);
	if (l->often != ONCE) {
		if (W.nmaybe < 64)
			W.maybe[W.nmaybe++] = l;
		return PASSED;
	}
	take_packets();
	while (!(p = next_candidate(c, &l->seg))) {
		if (now() >= to)
			return fail("nothing for %.3f s",
				    (now() - W.event) / 1e9);
		pump(to);
	}
	if (!p->conn || !seg_match(&l->seg, p))
		return fail_packet(p, "");
	if (p->when < from)
		return fail_packet(p, ": too early");
	if (p->when > to)
		return fail_packet(p, ": too late");
	trace("%3d: as expected", l->no);
	W.event = p->when;
	W.seen[W.nseen++ % 64] = unlink_packet(p);
	return PASSED;
}

static int run_silence(struct line *l)
{
	ns_t end = W.event + l->from;
	struct packet *p;

	for (;;) {
		take_packets();
		/* Who looks late cannot tell what came in time: the next line
		 * may have it. A clock that counts instructions is never late.
		 */
		if (!W.icount && now() >= end)
			break;
		p = next_packet(NULL, true);
		if (p)
			return fail_packet(p, "");
		if (now() >= end)
			break;
		pump(end);
	}
	W.event = end;
	return PASSED;
}

/* ---- calls ---- */

static void *job_thread(void *arg)
{
	struct job *j = arg;
	uint64_t one = 1;

	__atomic_store_n(&j->tid, gettid(), __ATOMIC_RELEASE);
	call_run(j->line, j->result, sizeof(j->result));
	j->when = now();
	__atomic_store_n(&j->done, true, __ATOMIC_RELEASE);
	if (write(W.wake, &one, sizeof(one)) < 0)
		return NULL;
	return NULL;
}

static bool done(struct job *j)
{
	return __atomic_load_n(&j->done, __ATOMIC_ACQUIRE);
}

static struct job *start_job(struct line *l)
{
	struct job *j = calloc(1, sizeof(*j));
	pthread_attr_t attr;
	pthread_t thread;

	j->line = l;
	j->next = W.jobs;
	W.jobs = j;
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, 128 << 10);
	if (pthread_create(&thread, &attr, job_thread, j))
		abort();
	pthread_attr_destroy(&attr);
	return j;
}

static void end_job(struct job *j)
{
	struct job **q;

	for (q = &W.jobs; *q != j; q = &(*q)->next)
		;
	*q = j->next;
	free(j);
}

static int judge(struct line *l, char *result)
{
	call_bind_name(l, result);
	trace("%3d: %s   -> %s", l->no, l->text, result);
	if (!result_match(l, result))
		return fail("%s", result);
	return PASSED;
}

static int run_blocking(struct line *l)
{
	struct job *j = start_job(l);
	ns_t end = now() + soon();
	int r;

	while (!done(j) && now() < end)
		pump(end);
	if (!done(j))
		return fail("the call has not come back");
	W.event = j->when;
	r = judge(l, j->result);
	end_job(j);
	return r;
}

static int run_call(struct line *l)
{
	char result[256];
	ns_t end;

	wait_turn(l);
	if (call_blocks(l->call))
		return run_blocking(l);
	call_run(l, result, sizeof(result));
	for (end = now() + soon(); call_retries(l->call) &&
	     !result_match(l, result) && now() < end;) {
		pump(now() + 2000000);
		call_run(l, result, sizeof(result));
	}
	W.event = now();
	take_packets();
	return judge(l, result);
}

/* It waits in its call; before that it runs. */
static bool sleeps(const struct job *j)
{
	char path[64], stat[256], *p;
	int tid = __atomic_load_n(&j->tid, __ATOMIC_ACQUIRE);
	FILE *f;

	if (!tid)
		return false;
	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	f = fopen(path, "r");
	if (!f)
		return false;
	p = fgets(stat, sizeof(stat), f) ? strrchr(stat, ')') : NULL;
	fclose(f);
	return p && (p[2] == 'S' || p[2] == 'D');
}

static int waiting_jobs(void)
{
	struct job *j;
	int n = 0;

	for (j = W.jobs; j; j = j->next)
		n += !done(j);
	return n;
}

static int run_start(struct line *l)
{
	struct job *j;
	ns_t end;

	wait_turn(l);
	j = start_job(l);
	trace("%3d: %s", l->no, l->text);
	for (end = now() + soon(); now() < end && !done(j) && !sleeps(j);)
		pump(now() + 100000);
	take_packets();
	W.event = now();
	/* What was sent may have been answered, but not by us */
	if (done(j))
		return fail("it came back at once: %s", j->result);
	return PASSED;
}

static int run_return(struct line *l)
{
	ns_t from = l->timed ? earliest(l) : 0;
	ns_t to = l->timed ? latest(l) : now() + soon();
	struct job *j;
	int r;

	for (j = W.jobs; j; j = j->next)
		if (!strcmp(j->line->call, l->call) &&
		    !strcmp(j->line->args[0], l->args[0]))
			break;
	if (!j)
		return fail("no such call is under way");
	while (!done(j) && now() < to)
		pump(to);
	if (!done(j))
		return fail("the call has not come back");
	if (j->when < from || j->when > to)
		return fail("%s, too %s (+%.6f)", j->result,
			    j->when < from ? "early" : "late",
			    (j->when - W.event) / 1e9);
	W.event = j->when;
	r = judge(l, j->result);
	end_job(j);
	return r;
}

/* ---- the world ---- */

static int run_setting(struct line *l)
{
	const char *error = NULL, *value;
	uint32_t addr = 0;
	int port, status;

	trace("%3d: %s", l->no, l->text);
	switch (l->kind) {
	case L_SYSCTL:
		value = strchr(l->result, ' ');
		error = link_setting(l->args[0], value + strspn(value, " "),
				     l->call[strlen(l->call) - 1] == '?');
		break;
	case L_SH:
		status = system(l->result);
		if (status)
			return fail("status %d", status);
		break;
	case L_DEVICE:
		error = link_device(!strcmp(l->args[0], "up"));
		break;
	case L_ADDRESS:
		error = addr_parse(l->args[0], &addr, &port) ?
			link_address(addr) : "address?";
		break;
	default:
		error = link_mtu(atoi(l->args[0]));
	}
	W.event = now();
	take_packets();
	return error ? fail("%s", error) : PASSED;
}

static int run_line(struct line *l)
{
	switch (l->kind) {
	case L_IN: case L_ICMP:
		return run_in(l);
	case L_OUT:
		return run_out(l);
	case L_SILENCE:
		return run_silence(l);
	case L_WAIT:
		W.event += l->from;
		sleep_until(W.event);
		return PASSED;
	case L_CALL:
		return run_call(l);
	case L_START:
		return run_start(l);
	case L_RETURN:
		return run_return(l);
	case L_CONN:
		return run_conn(l);
	case L_NEEDS:
		return link_has(l->args[0]) ? PASSED : SKIPPED;
	default:
		return run_setting(l);
	}
}

/* "tcp", "xtcp", a kernel's release; all of them must hold. */
static bool applies(const struct line *l)
{
	char copy[WORD], *save, *word;
	struct utsname u;
	size_t n;

	snprintf(copy, sizeof(copy), "%s", l->only);
	for (word = strtok_r(copy, ",", &save); word;
	     word = strtok_r(NULL, ",", &save)) {
		if (!strcmp(word, "tcp") || !strcmp(word, "xtcp")) {
			if (W.xtcp != (*word == 'x'))
				return false;
			continue;
		}
		uname(&u);
		n = strlen(word);
		if (strncmp(u.release, word, n) ||
		    (u.release[n] >= '0' && u.release[n] <= '9'))
			return false;
	}
	return true;
}

static int run_end(struct script *s)
{
	struct packet *p;

	at = NULL;
	take_packets();
	p = next_packet(NULL, false);
	if (p)
		return fail_packet(p, "");
	if (waiting_jobs())
		return fail("%s(%s) is still blocked", W.jobs->line->call,
			    W.jobs->line->args[0]);
	return PASSED;
}

int script_run(struct script *s)
{
	const char *error;
	int i, r;

	script = s;
	W.wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	error = link_open();
	if (error) {
		fail("%s: %m", error);
		return BROKEN;
	}
	new_conn("a");
	W.start = W.event = now();
	for (i = 0; i < s->n; i++) {
		struct line *l = &s->lines[i];

		if (l->kind == L_REPEAT) {
			l->left = l->count;
			continue;
		}
		if (l->kind == L_END) {
			if (--s->lines[l->jump].left > 0)
				i = l->jump;
			continue;
		}
		if (!applies(l))
			continue;
		at = l;
		r = run_line(l);
		if (r != PASSED)
			return r;
	}
	return run_end(s);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * All scripts, each over native TCP and over XTCP, each in a process and a
 * network namespace of its own.  TAP.
 *
 *	wire [-p tcp|xtcp] [-n TIMES] [-v] [SCRIPT | FOLDER]...
 *
 * On a machine whose clock counts instructions (XTCP_ICOUNT=1) the scripts
 * marked "# clock: icount" run as well, and times are exact.
 * XTCP_TEST_TRANSPORT=tcp|xtcp is another way to say -p.
 */
#include "wire.h"
#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SKIP	4
#define LIMIT_S	60

static char *paths[2000];
static int npaths;
static const char *only_protocol;

static int found(const char *path, const struct stat *st, int type,
		 struct FTW *ftw)
{
	size_t n = strlen(path);

	if (type == FTW_F && n > 5 && !strcmp(path + n - 5, ".wire") &&
	    npaths < 2000)
		paths[npaths++] = strdup(path);
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* "open/active" of ".../scripts/open/active.wire" */
static void short_name(char *to, size_t len, const char *path)
{
	const char *p = strstr(path, "scripts/");

	snprintf(to, len, "%s", p ? p + 8 : path);
	to[strlen(to) - 5] = 0;
}

static int in_child(struct script *s, bool xtcp)
{
	W.xtcp = xtcp;
	if (!W.icount)
		alarm(LIMIT_S * W.slow);
	if (s->fails && !W.verbose && !freopen("/dev/null", "w", stdout))
		return 1;
	return script_run(s);
}

/* 0 passed, 1 failed, 4 skipped */
static int run_one(struct script *s, bool xtcp)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		status = in_child(s, xtcp);
		fflush(stdout);
		_exit(status);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return 1;
	if (!WIFEXITED(status)) {
		printf("# %s: killed by signal %d\n", s->path,
		       WTERMSIG(status));
		return 1;
	}
	status = WEXITSTATUS(status);
	if (s->fails && status < SKIP) {
		status = !status;
		if (status)
			printf("# %s: passed, but must fail\n", s->path);
	}
	return status;
}

static bool report(const struct script *s, bool xtcp, int n, int status,
		   const char *why)
{
	char name[200];

	short_name(name, sizeof(name), s->path);
	printf("%s %d %s.%s%s%s\n", status && status != SKIP ? "not ok" : "ok",
	       n, name, xtcp ? "xtcp" : "tcp", status == SKIP ? " # SKIP " : "",
	       status == SKIP ? why : "");
	fflush(stdout);
	return !status || status == SKIP;
}

static bool run_script(struct script *s, int *n)
{
	bool good = true;
	int xtcp, status;

	for (xtcp = 0; xtcp < 2; xtcp++) {
		const char *why = "not possible here";

		if (only_protocol && strcmp(only_protocol,
					    xtcp ? "xtcp" : "tcp"))
			continue;
		if (*s->error) {
			printf("# %s: %s\n", s->path, s->error);
			status = 1;
		} else if (xtcp && access("/sys/module/xtcp", F_OK)) {
			status = SKIP;
			why = "xtcp.ko is not loaded";
		} else {
			status = run_one(s, xtcp);
		}
		good &= report(s, xtcp, ++*n, status, why);
	}
	return good;
}

static int options(int argc, char **argv)
{
	int times = 1, c;

	while ((c = getopt(argc, argv, "p:n:v")) != -1) {
		switch (c) {
		case 'p':
			only_protocol = optarg;
			break;
		case 'n':
			times = atoi(optarg);
			break;
		case 'v':
			W.verbose = true;
			break;
		default:
			fprintf(stderr, "usage: wire [-p tcp|xtcp] [-n TIMES] [-v] [SCRIPT | FOLDER]...\n");
			exit(2);
		}
	}
	return times;
}

static int number(const char *variable, int otherwise)
{
	const char *v = getenv(variable);

	return v && *v ? atoi(v) : otherwise;
}

int main(int argc, char **argv)
{
	int times, i, n = 0;
	bool good = true;

	only_protocol = getenv("XTCP_TEST_TRANSPORT");
	if (only_protocol && !*only_protocol)
		only_protocol = NULL;
	times = options(argc, argv);
	W.icount = number("XTCP_ICOUNT", 0);
	W.slow = number("XTCP_SLOW", 1);
	signal(SIGPIPE, SIG_IGN);
	if (access("/dev/net/tun", F_OK) && system("modprobe tun"))
		fprintf(stderr, "wire: no tun\n");
	if (optind == argc)
		nftw("scripts", found, 10, FTW_PHYS);
	for (; optind < argc; optind++)
		nftw(argv[optind], found, 10, FTW_PHYS);
	qsort(paths, npaths, sizeof(*paths), by_name);
	printf("TAP version 13\n");
	for (; times > 0; times--) {
		for (i = 0; i < npaths; i++) {
			struct script s = { 0 };

			script_parse(&s, paths[i]);
			if (*s.error || !s.icount || W.icount)
				good &= run_script(&s, &n);
		}
	}
	printf("1..%d\n", n);
	return !good || !n;
}

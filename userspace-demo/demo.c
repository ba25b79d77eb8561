// SPDX-License-Identifier: GPL-2.0
/* Options, progress bar, and a file on a stream: see demo.h. */
#include "demo.h"
#include "sha256.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#if __has_include(<linux/xtcp.h>)
#include <linux/xtcp.h>
#else
#define AF_XTCP 25
#endif

#define CHUNK	65536

void demo_die(const char *what)
{
	perror(what);
	exit(1);
}

static void usage(const char *me)
{
	fprintf(stderr,
		"usage: %s [--tcp] [--quiet] --addr IP --port N --send FILE --save FILE\n",
		me);
	exit(2);
}

void demo_options(struct demo_options *o, int argc, char **argv)
{
	static const struct option names[] = {
		{ "tcp", no_argument, NULL, 't' },
		{ "quiet", no_argument, NULL, 'q' },
		{ "addr", required_argument, NULL, 'a' },
		{ "port", required_argument, NULL, 'p' },
		{ "send", required_argument, NULL, 's' },
		{ "save", required_argument, NULL, 'o' },
		{ }
	};
	int c;

	*o = (struct demo_options){ .addr = "127.0.0.1", .port = 7777 };
	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
		switch (c) {
		case 't': o->tcp = true; break;
		case 'q': o->quiet = true; break;
		case 'a': o->addr = optarg; break;
		case 'p': o->port = atoi(optarg); break;
		case 's': o->send = optarg; break;
		case 'o': o->save = optarg; break;
		default: usage(argv[0]);
		}
	}
	if (!o->send || !o->save || optind != argc)
		usage(argv[0]);
}

int demo_socket(const struct demo_options *o)
{
	int fd = socket(o->tcp ? AF_INET : AF_XTCP, SOCK_STREAM, 0);

	if (fd < 0)
		demo_die(o->tcp ? "socket(AF_INET)" : "socket(AF_XTCP)");
	return fd;
}

struct progress {
	const char *verb;
	uint64_t all, done, shown;
	double began;
	bool quiet;
};

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* A bar on a terminal; in a log a line every tenth of the way. */
static void show(struct progress *p, size_t more)
{
	static const char bar[] = "##############################";
	bool tty = isatty(STDERR_FILENO), end;
	double t = now() - p->began;
	int part;

	p->done += more;
	end = p->done == p->all;
	if (p->quiet || (p->done - p->shown < p->all / (tty ? 100 : 10) && !end))
		return;
	p->shown = p->done;
	part = p->all ? 30 * p->done / p->all : 30;
	fprintf(stderr, "%s  %-8s [%-30.*s] %3d %%  %5.1f MiB  %5.2f MiB/s%s",
		tty ? "\r" : "", p->verb, part, bar,
		p->all ? (int)(100 * p->done / p->all) : 100,
		p->done / 1048576.0, p->done / 1048576.0 / (t > 0 ? t : 1),
		end || !tty ? "\n" : "");
}

static void put(int fd, const void *data, size_t len)
{
	const char *p = data;
	ssize_t n;

	while (len) {
		n = write(fd, p, len);
		if (n < 0)
			demo_die("write");
		p += n;
		len -= n;
	}
}

/* Takes exactly @len bytes; the peer must not end before. */
static void get(int fd, void *data, size_t len)
{
	char *p = data;
	ssize_t n;

	while (len) {
		n = read(fd, p, len);
		if (n < 0)
			demo_die("read");
		if (!n) {
			fprintf(stderr, "the stream ended %zu bytes early\n",
				len);
			exit(1);
		}
		p += n;
		len -= n;
	}
}

/* Shared by both ends, so that their lines can be compared by a script. */
static void report(const char *verb, const struct progress *p, const char *hex)
{
	double t = now() - p->began;

	printf("%s bytes=%llu seconds=%.3f sha256=%s\n", verb,
	       (unsigned long long)p->all, t, hex);
	fflush(stdout);
}

void demo_send_file(int fd, const struct demo_options *o)
{
	static char buf[CHUNK];
	struct progress p = { "sending", .quiet = o->quiet };
	struct sha256 sum;
	struct stat st;
	uint64_t len;
	char hex[65];
	ssize_t n;
	int f = open(o->send, O_RDONLY);

	if (f < 0 || fstat(f, &st))
		demo_die(o->send);
	p.all = st.st_size;
	p.began = now();
	len = htobe64(p.all);
	put(fd, &len, sizeof(len));
	sha256_init(&sum);
	while ((n = read(f, buf, sizeof(buf))) > 0) {
		put(fd, buf, n);
		sha256_add(&sum, buf, n);
		show(&p, n);
	}
	if (n < 0 || p.done != p.all)
		demo_die(o->send);
	sha256_hex(&sum, hex);
	put(fd, hex, 64);
	close(f);
	report("sent", &p, hex);
}

void demo_recv_file(int fd, const struct demo_options *o)
{
	static char buf[CHUNK];
	struct progress p = { "arriving", .quiet = o->quiet };
	struct sha256 sum;
	char hex[65], told[65] = "";
	uint64_t len;
	size_t n;
	int f = open(o->save, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	if (f < 0)
		demo_die(o->save);
	/* The clock starts when the file does: the peer may be busy before. */
	get(fd, &len, sizeof(len));
	p.began = now();
	p.all = be64toh(len);
	sha256_init(&sum);
	while (p.done < p.all) {
		n = p.all - p.done < CHUNK ? p.all - p.done : CHUNK;
		get(fd, buf, n);
		put(f, buf, n);
		sha256_add(&sum, buf, n);
		show(&p, n);
	}
	get(fd, told, 64);
	close(f);
	sha256_hex(&sum, hex);
	report("received", &p, hex);
	if (strcmp(hex, told)) {
		fprintf(stderr, "SHA-256 differs: sender says %s\n", told);
		exit(1);
	}
}

// SPDX-License-Identifier: GPL-2.0
/* Options, progress bar, and a file on a stream: see demo.h. */
#include "demo.h"
#include "sha256.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netdb.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "xtcp-socket.h"

#define CHUNK	65536

void demo_die(const char *what)
{
	perror(what);
	exit(1);
}

static void usage(FILE *to, const char *me, bool server)
{
	const char *name = strrchr(me, '/') ? strrchr(me, '/') + 1 : me;

	fprintf(to, "usage: %s [options]\n%s\n"
		"  --addr HOST  %s\n"
		"  --port N     1 to 65535 (7777)\n"
		"  --send FILE  the file that goes to the other end (none: 0 bytes)\n"
		"  --save FILE  where to put the file that comes (none: only verified)\n"
		"  --tcp        native TCP instead of XTCP, at both ends\n"
		"  --quiet      no progress bar\n"
		"  --help       this text\n", name,
		server ? "Serves one connection: takes a file, then sends one back on it." :
			 "Connects to xtcp-server, sends a file, then takes one back.",
		server ? "address to listen on (127.0.0.1; 0.0.0.0: every one)" :
			 "name or address of the server (127.0.0.1)");
}

static void misuse(const char *me, const char *what, const char *arg)
{
	fprintf(stderr, "%s: %s %s; --help has the options\n", me, what, arg);
	exit(2);
}

static int port_number(const char *me, const char *text)
{
	char *end;
	long n = strtol(text, &end, 10);

	if (end == text || *end || n < 1 || n > 65535)
		misuse(me, "--port must be 1 to 65535, not", text);
	return n;
}

/* Both files before there is a connection: the peer need not hear of them. */
static void open_files(struct demo_options *o)
{
	struct stat st;

	o->in = open(o->send ?: "/dev/null", O_RDONLY | O_CLOEXEC);
	if (o->in < 0 || fstat(o->in, &st))
		demo_die(o->send);
	/* Its length goes first. */
	if (o->send && !S_ISREG(st.st_mode)) {
		fprintf(stderr, "%s: not a regular file\n", o->send);
		exit(1);
	}
	o->out = open(o->save ?: "/dev/null",
		      O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (o->out < 0)
		demo_die(o->save);
}

/* IPv4 only, as XTCP is. */
static void look_up(struct demo_options *o, const char *me)
{
	struct addrinfo want = {
		.ai_family = AF_INET, .ai_socktype = SOCK_STREAM
	}, *found;
	int err = getaddrinfo(o->addr, NULL, &want, &found);

	if (err) {
		fprintf(stderr, "%s: --addr %s: %s\n", me, o->addr,
			gai_strerror(err));
		exit(1);
	}
	memcpy(&o->sin, found->ai_addr, sizeof(o->sin));
	freeaddrinfo(found);
	o->sin.sin_port = htons(o->port);
}

void demo_options(struct demo_options *o, int argc, char **argv, bool server)
{
	static const struct option names[] = {
		{ "tcp", no_argument, NULL, 't' },
		{ "quiet", no_argument, NULL, 'q' },
		{ "addr", required_argument, NULL, 'a' },
		{ "port", required_argument, NULL, 'p' },
		{ "send", required_argument, NULL, 's' },
		{ "save", required_argument, NULL, 'o' },
		{ "help", no_argument, NULL, 'h' },
		{ }
	};
	int c;

	*o = (struct demo_options){ .addr = "127.0.0.1", .port = 7777 };
	while ((c = getopt_long(argc, argv, "h", names, NULL)) != -1) {
		switch (c) {
		case 't': o->tcp = true; break;
		case 'q': o->quiet = true; break;
		case 'a': o->addr = optarg; break;
		case 'p': o->port = port_number(argv[0], optarg); break;
		case 's': o->send = optarg; break;
		case 'o': o->save = optarg; break;
		case 'h': usage(stdout, argv[0], server); exit(0);
		default: usage(stderr, argv[0], server); exit(2);
		}
	}
	if (optind != argc)
		misuse(argv[0], "unexpected argument", argv[optind]);
	look_up(o, argv[0]);
	open_files(o);
}

void demo_connect(int fd, const struct demo_options *o)
{
	if (!connect(fd, (const struct sockaddr *)&o->sin, sizeof(o->sin)))
		return;
	fprintf(stderr, "connect to %s, port %d: %s%s\n", o->addr, o->port,
		strerror(errno), errno != ENOPROTOOPT ? "" :
		" (that machine has no XTCP: insert xtcp.ko there)");
	exit(1);
}

int demo_socket(const struct demo_options *o)
{
	int fd = socket(o->tcp ? AF_INET : xtcp_family(), SOCK_STREAM, 0);

	if (fd < 0 && errno == EAFNOSUPPORT && !o->tcp) {
		fprintf(stderr, "no XTCP here: insert xtcp.ko (make load), or --tcp\n");
		exit(1);
	}
	if (fd < 0)
		demo_die("socket");
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

	if (fstat(o->in, &st))
		demo_die(o->send);
	p.all = st.st_size;
	p.began = now();
	len = htobe64(p.all);
	put(fd, &len, sizeof(len));
	sha256_init(&sum);
	while ((n = read(o->in, buf, sizeof(buf))) > 0) {
		put(fd, buf, n);
		sha256_add(&sum, buf, n);
		show(&p, n);
	}
	if (n < 0)
		demo_die(o->send);
	if (p.done != p.all) {
		fprintf(stderr, "%s: changed while it was sent\n", o->send);
		exit(1);
	}
	sha256_hex(&sum, hex);
	put(fd, hex, 64);
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

	/* The clock starts when the file does: the peer may be busy before. */
	get(fd, &len, sizeof(len));
	p.began = now();
	p.all = be64toh(len);
	sha256_init(&sum);
	while (p.done < p.all) {
		n = p.all - p.done < CHUNK ? p.all - p.done : CHUNK;
		get(fd, buf, n);
		put(o->out, buf, n);
		sha256_add(&sum, buf, n);
		show(&p, n);
	}
	get(fd, told, 64);
	/* A disk that is full may say so only now. */
	if (close(o->out))
		demo_die(o->save);
	sha256_hex(&sum, hex);
	report("received", &p, hex);
	if (strcmp(hex, told)) {
		fprintf(stderr, "SHA-256 differs: sender says %s\n", told);
		exit(1);
	}
}

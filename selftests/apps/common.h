/* SPDX-License-Identifier: GPL-2.0 */
/* What the helper programs share: the two transports, addresses, a pattern. */
#ifndef XT_APPS_COMMON_H
#define XT_APPS_COMMON_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#if __has_include(<linux/xtcp.h>)
#include <linux/xtcp.h>
#endif
#ifndef AF_XTCP
#define AF_XTCP		25
#endif

static inline void die(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(1);
}

static inline void fail(const char *what)
{
	fprintf(stderr, "%s\n", what);
	exit(1);
}

/* A parameter of the module, @dflt if it cannot be read. */
static inline int app_param(const char *name, int dflt)
{
	char path[64];
	FILE *f;
	int v;

	snprintf(path, sizeof(path), "/sys/module/xtcp/parameters/%s", name);
	f = fopen(path, "r");
	if (!f)
		return dflt;
	if (fscanf(f, "%d", &v) != 1)
		v = dflt;
	fclose(f);
	return v;
}

static inline int app_family(bool tcp)
{
	return tcp ? AF_INET : app_param("family", AF_XTCP);
}

static inline int app_proto(void)
{
	return app_param("ipproto", 253);
}

static inline struct sockaddr_in app_addr(const char *ip, const char *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET };

	a.sin_port = htons(atoi(port));
	if (inet_pton(AF_INET, ip, &a.sin_addr) != 1)
		fail("bad address");
	return a;
}

static inline double app_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* An IPv4 address; both in host byte order. */
static inline struct sockaddr_in app_at(uint32_t addr, int port)
{
	struct sockaddr_in a = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(addr),
	};

	return a;
}

/*
 * Nanoseconds that @call takes: the best of many short rounds, as the others
 * met somebody else's work.
 */
static inline double app_ns(void (*call)(void))
{
	const int rounds = 64, calls = 8;
	double best = 1e9, t;
	int r, i;

	call();
	for (r = 0; r < rounds; r++) {
		t = app_now();
		for (i = 0; i < calls; i++)
			call();
		t = app_now() - t;
		if (t < best)
			best = t;
	}
	return best / calls * 1e9;
}

/* As many descriptors as the system lets us have. */
static inline void app_more_files(void)
{
	struct rlimit r;

	if (!getrlimit(RLIMIT_NOFILE, &r)) {
		r.rlim_cur = r.rlim_max;
		setrlimit(RLIMIT_NOFILE, &r);
	}
}

/* Byte number @off of the endless pattern @seed. */
static inline uint8_t app_byte(uint64_t seed, uint64_t off)
{
	uint64_t z = ((off >> 3) + 1) * 0xa0761d6478bd642fULL ^ seed << 17;

	z ^= z >> 32;
	z *= 0xe7037ed1a0b428dbULL;
	z ^= z >> 28;
	return z >> (8 * (off & 7));
}

static inline void app_fill(uint8_t *p, uint64_t seed, uint64_t off,
			    size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		p[i] = app_byte(seed, off + i);
}

static inline void app_check(const uint8_t *p, uint64_t seed, uint64_t off,
			     size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (p[i] != app_byte(seed, off + i)) {
			fprintf(stderr, "wrong byte at %llu\n",
				(unsigned long long)(off + i));
			exit(1);
		}
	}
}

#endif /* XT_APPS_COMMON_H */

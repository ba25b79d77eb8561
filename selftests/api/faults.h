/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel's fault injection: allocations that fail when told to. */
#ifndef XT_FAULTS_H
#define XT_FAULTS_H

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FAULTS		"/sys/kernel/debug/"

/* Where modules are, on x86-64; XTCP is the only one. */
#define MODULES_START	"0xffffffffa0000000"
#define MODULES_END	"0xfffffffffe000000"

static inline int faults_point(const char *point, const char *name,
			       const char *text)
{
	char path[128];
	int fd, n;

	snprintf(path, sizeof(path), FAULTS "%s/%s", point, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	n = write(fd, text, strlen(text));
	close(fd);
	return n == (int)strlen(text) ? 0 : -1;
}

static inline bool faults_here(void)
{
	return !access(FAULTS "failslab", F_OK);
}

/* Any allocation can fail, or only those on behalf of a module; in silence. */
static inline int faults_set(bool modules_only)
{
	static const char *const points[] = { "failslab", "fail_page_alloc" };
	size_t i;
	int r = 0;

	for (i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
		r |= faults_point(points[i], "probability", "0");
		r |= faults_point(points[i], "verbose", "0");
		r |= faults_point(points[i], "ignore-gfp-wait", "N");
		r |= faults_point(points[i], "require-start",
				  modules_only ? MODULES_START : "0");
		r |= faults_point(points[i], "require-end",
				  modules_only ? MODULES_END :
				  "0xffffffffffffffff");
	}
	return r | faults_point("fail_page_alloc", "min-order", "0");
}

/* None fails between two functions of the kernel, which are neighbours. */
static inline int faults_spare(const char *first, const char *next)
{
	char line[256], name[128], at[17], start[20] = "0", end[20] = "0";
	FILE *f = fopen("/proc/kallsyms", "r");

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%16s %*c %127s", at, name) != 2)
			continue;
		if (!strcmp(name, first))
			snprintf(start, sizeof(start), "0x%s", at);
		if (!strcmp(name, next))
			snprintf(end, sizeof(end), "0x%s", at);
	}
	if (f)
		fclose(f);
	return faults_point("failslab", "reject-start", start) |
	       faults_point("failslab", "reject-end", end);
}

/* From here on the @n-th allocation of this thread fails; 0: none. */
static inline int faults_arm(unsigned int n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", n);
	static int fd = -1;

	if (fd < 0)
		fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	return pwrite(fd, text, len, 0) == len ? fd : -1;
}

/* No more failures; returns whether there was one. */
static inline bool faults_disarm(int fd)
{
	char text[16] = "?";

	if (pread(fd, text, sizeof(text) - 1, 0) < 1)
		return false;
	faults_arm(0);
	return text[0] == '0';
}

#endif /* XT_FAULTS_H */

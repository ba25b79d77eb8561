// SPDX-License-Identifier: GPL-2.0
/*
 * net.xtcp.X against net.ipv4.tcp_X, for every X that both have: the value
 * at the start, and what is taken, refused and read back of a list of values.
 */
#include "api.h"
#include <dirent.h>
#include <sys/prctl.h>

#define OURS	"/proc/sys/net/xtcp"
#define THEIRS	"/proc/sys/net/ipv4"
#define TEXT	256

FIXTURE(sysctl) {
};

FIXTURE_SETUP(sysctl)
{
	if (access("/sys/module/xtcp", F_OK))
		SKIP(return, "xtcp.ko is not loaded");
}

FIXTURE_TEARDOWN(sysctl)
{
}

static const char *const values[] = {
	"-1", "0", "1", "2", "3", "4", "5", "127", "128", "254", "255", "256",
	"2303", "2304", "4096", "65535", "65536", "8589934", "8589935",
	"2147483", "2147484", "2147483647", "2147483648", "4294967295",
	"4294967296", "99999999999999999999", "-2147483648", "-8589935",
	"abc", "1x", "0x10", "010", " 7 ", "7\n", "\n", "", "1 2", "1 2 3",
	"1 2 3 4", "4096 x 3", "9000 -1 9000", "9000 9000 9000", "1,2",
};

/* The text of @path without its last newline; false if it cannot be read. */
static bool get(const char *path, char *text)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return false;
	n = read(fd, text, TEXT - 1);
	close(fd);
	if (n < 0)
		return false;
	text[n] = 0;
	text[strcspn(text, "\n")] = 0;
	return true;
}

/* What write() said: a count, or minus the errno. */
static int put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int r;

	if (fd < 0)
		return -errno;
	r = write(fd, text, strlen(text));
	if (r < 0)
		r = -errno;
	close(fd);
	return r;
}

/* TIME_WAIT for longer than natively is for who owns the machine. */
TEST_F(sysctl, timewait_of_a_user)
{
	const char *path = OURS "/timewait";
	int st;

	if (!fork()) {
		int bad = unshare(CLONE_NEWUSER | CLONE_NEWNET);

		bad = bad || put(path, "60") != 2 || put(path, "1") != 1;
		bad = bad || put(path, "61") != -EPERM;
		bad = bad || put(path, "2147483") != -EPERM;
		_exit(bad || put(path, "0") != 1);
	}
	ASSERT_LT(0, wait(&st));
	EXPECT_EQ(0, st);
}

/* Both paths of setting @name; false if native TCP does not have it here. */
static bool paths(const char *name, char *ours, char *theirs)
{
	snprintf(ours, TEXT, OURS "/%s", name);
	snprintf(theirs, TEXT, THEIRS "/tcp_%s", name);
	return !access(ours, F_OK) && !access(theirs, F_OK);
}

/*
 * Computed from the machine's memory, a little of which is in other hands by
 * the time a module is inserted: "a b c" are alike if within an eighth.
 */
static bool alike(const char *a, const char *b)
{
	char *ea, *eb;

	for (;;) {
		double x = strtod(a, &ea), y = strtod(b, &eb);

		if (ea == a || eb == b)
			return ea == a && eb == b;
		if (x > y * 9 / 8 || y > x * 9 / 8)
			return false;
		a = ea;
		b = eb;
	}
}

static bool of_memory(const char *name)
{
	return !strcmp(name, "mem") || !strcmp(name, "rmem") ||
	       !strcmp(name, "wmem");
}

/* One value written to both; prints and returns 1 if they differ. */
static int differs(const char *name, const char *value)
{
	char ours[TEXT], theirs[TEXT], was_o[TEXT], was_t[TEXT];
	char o[TEXT] = "", t[TEXT] = "";
	int ro, rt;

	paths(name, ours, theirs);
	get(ours, was_o);
	get(theirs, was_t);
	/* From the same start: what is refused must leave it. */
	put(ours, was_t);
	ro = put(ours, value);
	rt = put(theirs, value);
	get(ours, o);
	get(theirs, t);
	put(ours, was_o);
	put(theirs, was_t);
	if (ro == rt && !strcmp(o, t))
		return 0;
	printf("# %s: writing \"%s\" says %d, then \"%s\"; native %d, \"%s\"\n",
	       name, value, ro, o, rt, t);
	return 1;
}

static int compare(const char *name)
{
	char ours[TEXT], theirs[TEXT], o[TEXT], t[TEXT];
	int bad = 0;
	size_t i;

	if (!paths(name, ours, theirs))
		return 0;
	if (!get(ours, o) || !get(theirs, t))
		return 1;
	if (of_memory(name) ? !alike(o, t) : !!strcmp(o, t)) {
		printf("# %s starts as \"%s\", native \"%s\"\n", name, o, t);
		bad++;
	}
	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		bad += differs(name, values[i]);
	return bad;
}

/* All settings of this namespace; *n: how many could be compared. */
static int compare_all(int *n)
{
	char ours[TEXT], theirs[TEXT];
	struct dirent *e;
	DIR *d = opendir(OURS);
	int bad = 0;

	*n = 0;
	if (!d)
		return -1;
	while ((e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		*n += paths(e->d_name, ours, theirs);
		bad += compare(e->d_name);
	}
	closedir(d);
	return bad;
}

TEST_F(sysctl, as_natively)
{
	int n;

	ASSERT_EQ(0, xt_new_netns());
	EXPECT_EQ(0, compare_all(&n));
	EXPECT_LE(12, n);
}

/* What native TCP has once a machine it shows in the first namespace only. */
TEST_F(sysctl, of_the_machine)
{
	char o[TEXT];

	EXPECT_EQ(0, compare("mem"));
	EXPECT_EQ(0, compare("max_orphans"));
	ASSERT_TRUE(get(OURS "/mem", o));
	ASSERT_EQ(0, xt_new_netns());
	EXPECT_FALSE(get(OURS "/mem", o));
}

TEST_F(sysctl, namespaces_are_apart)
{
	char was[TEXT], now[TEXT];
	int ns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	ASSERT_TRUE(get(OURS "/fin_timeout", was));
	ASSERT_EQ(0, xt_new_netns());
	ASSERT_EQ(2, put(OURS "/fin_timeout", "33"));
	ASSERT_TRUE(get(OURS "/fin_timeout", now));
	EXPECT_STREQ("33", now);
	ASSERT_EQ(0, setns(ns, CLONE_NEWNET));
	ASSERT_TRUE(get(OURS "/fin_timeout", now));
	EXPECT_STREQ(was, now);
}

/* Buffers' sizes go from the first namespace to those born later. */
TEST_F(sysctl, buffers_are_inherited)
{
	char ours[TEXT], theirs[TEXT], o[TEXT], t[TEXT];

	ASSERT_TRUE(get(OURS "/rmem", ours));
	ASSERT_TRUE(get(THEIRS "/tcp_rmem", theirs));
	ASSERT_LT(0, put(OURS "/rmem", "5000 70000 80000"));
	ASSERT_LT(0, put(THEIRS "/tcp_rmem", "5000 70000 80000"));
	EXPECT_EQ(0, xt_new_netns());
	get(OURS "/rmem", o);
	get(THEIRS "/tcp_rmem", t);
	EXPECT_STREQ(t, o);
	int fd = open("/proc/1/ns/net", O_RDONLY | O_CLOEXEC);

	ASSERT_EQ(0, setns(fd, CLONE_NEWNET));
	EXPECT_LT(0, put(OURS "/rmem", ours));
	EXPECT_LT(0, put(THEIRS "/tcp_rmem", theirs));
}

/* A new socket has the second of the three. */
TEST_F(sysctl, buffers_are_used)
{
	struct xt x = { .xtcp = true };
	int fd;

	ASSERT_EQ(0, xt_new_netns());
	ASSERT_LT(0, put(OURS "/rmem", "5000 70000 80000"));
	ASSERT_LT(0, put(OURS "/wmem", "5000 60000 80000"));
	fd = xt_socket(&x, 0);
	EXPECT_EQ(70000, xt_get(fd, SOL_SOCKET, SO_RCVBUF));
	EXPECT_EQ(60000, xt_get(fd, SOL_SOCKET, SO_SNDBUF));
}

static int map_self(const char *what, unsigned int id)
{
	char path[64], text[64];
	int r;

	snprintf(path, sizeof(path), "/proc/self/%s", what);
	snprintf(text, sizeof(text), "0 %u 1", id);
	r = put(path, text);
	return r > 0 ? 0 : r;
}

/* What a user without rights may write, before and in a namespace of his. */
TEST_F(sysctl, permissions)
{
	struct stat o, t;

	ASSERT_EQ(0, xt_new_netns());
	ASSERT_EQ(0, setresgid(65534, 65534, 65534));
	ASSERT_EQ(0, setresuid(65534, 65534, 65534));
	EXPECT_EQ(-EACCES, put(THEIRS "/tcp_fin_timeout", "30"));
	EXPECT_EQ(-EACCES, put(OURS "/fin_timeout", "30"));
	/* His own /proc/self is again his only after this. */
	prctl(PR_SET_DUMPABLE, 1);
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET))
		SKIP(return, "no user namespaces for users here");
	ASSERT_EQ(0, map_self("uid_map", 65534));
	EXPECT_EQ(2, put(THEIRS "/tcp_fin_timeout", "30"));
	EXPECT_EQ(2, put(OURS "/fin_timeout", "30"));
	EXPECT_EQ(-ENOENT, put(OURS "/mem", "1 2 3"));
	ASSERT_EQ(0, stat(THEIRS "/tcp_fin_timeout", &t));
	ASSERT_EQ(0, stat(OURS "/fin_timeout", &o));
	EXPECT_EQ(t.st_mode, o.st_mode);
	EXPECT_EQ(t.st_uid, o.st_uid);
	EXPECT_EQ(t.st_gid, o.st_gid);
}

TEST_HARNESS_MAIN

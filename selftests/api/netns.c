// SPDX-License-Identifier: GPL-2.0
/* Network namespaces: nothing in one is visible in another. */
#include "api.h"

XT_FIXTURE(netns);

static int my_ns(void)
{
	return open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
}

TEST_F(netns, same_port_in_two)
{
	struct xt a = self->x, b = self->x;
	int ns = my_ns(), ca, cb;
	char x;

	a.l = xt_socket(&a, 0);
	ASSERT_EQ(0, xt_bind(a.l, "127.0.0.1", 7001));
	ASSERT_EQ(0, listen(a.l, 4));
	ASSERT_EQ(0, xt_new_netns());
	b.l = xt_socket(&b, 0);
	ASSERT_EQ(0, xt_bind(b.l, "127.0.0.1", 7001));
	ASSERT_EQ(0, listen(b.l, 4));
	a.addr = xt_addr("127.0.0.1", 7001);
	cb = xt_dial(&a);
	ASSERT_LE(0, cb);
	ASSERT_EQ(0, setns(ns, CLONE_NEWNET));
	ca = xt_dial(&a);
	ASSERT_LE(0, ca);
	/* Each client has come to the listener of its own namespace. */
	b.s = accept(b.l, NULL, NULL);
	a.s = accept(a.l, NULL, NULL);
	ASSERT_EQ(1, write(ca, "a", 1));
	ASSERT_EQ(1, write(cb, "b", 1));
	ASSERT_EQ(1, read(a.s, &x, 1));
	EXPECT_EQ('a', x);
	ASSERT_EQ(1, read(b.s, &x, 1));
	EXPECT_EQ('b', x);
}

TEST_F(netns, not_reachable_from_another)
{
	ASSERT_EQ(0, xt_listen(&self->x, 4));
	ASSERT_EQ(0, xt_new_netns());
	EXPECT_EQ(-1, xt_dial(&self->x));
	EXPECT_EQ(ECONNREFUSED, errno);
}

TEST_F(netns, socket_stays_where_it_was_made)
{
	int c, ns = my_ns();

	ASSERT_EQ(0, xt_listen(&self->x, 4));
	c = xt_socket(&self->x, 0);
	ASSERT_EQ(0, xt_new_netns());
	/* A socket belongs to the namespace of its birth. */
	EXPECT_EQ(0, connect(c, SA(&self->x.addr), sizeof(self->x.addr)));
	EXPECT_LE(0, accept(self->x.l, NULL, NULL));
	ASSERT_EQ(0, setns(ns, CLONE_NEWNET));
	EXPECT_LE(0, xt_dial(&self->x));
}

TEST_F(netns, many)
{
	int fd[20], i;

	/* A listener in each of many, all on one port, none in the way. */
	for (i = 0; i < 20; i++) {
		ASSERT_EQ(0, xt_new_netns());
		fd[i] = xt_socket(&self->x, 0);
		ASSERT_EQ(0, xt_bind(fd[i], "127.0.0.1", 7001));
		ASSERT_EQ(0, listen(fd[i], 4));
	}
	for (i = 0; i < 20; i++)
		ASSERT_EQ(0, close(fd[i]));
}

TEST_F(netns, gone_with_live_sockets)
{
	int st;
	pid_t pid;

	/* A process that dies takes its namespace, sockets and all, with it. */
	pid = fork();
	if (!pid) {
		struct xt x = { .xtcp = variant->xtcp, .l = -1 };
		int i, bad = xt_new_netns() || xt_listen(&x, 64);

		for (i = 0; i < 20 && !bad; i++) {
			bad = xt_pair(&x);
			if (!bad && i % 2)
				bad = xt_write_all(x.c, "unread", 6) != 6;
		}
		_exit(bad);
	}
	ASSERT_EQ(pid, waitpid(pid, &st, 0));
	EXPECT_EQ(0, st);
}

TEST_HARNESS_MAIN

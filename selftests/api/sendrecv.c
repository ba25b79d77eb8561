// SPDX-License-Identifier: GPL-2.0
/* The ways to send and to receive, their flags, and what a fault costs. */
#include "api.h"
#include <linux/sockios.h>
#include <sys/sendfile.h>

XT_FIXTURE(sendrecv);

TEST_F(sendrecv, every_call_to_every_call)
{
	struct iovec out[2] = { { "wri", 3 }, { "tev", 3 } };
	struct msghdr m = { .msg_iov = out, .msg_iovlen = 2 };
	char buf[64] = "", a[2], b[3], c[8];
	struct iovec in[3] = { { a, 2 }, { b, 3 }, { c, 8 } };

	ASSERT_EQ(0, xt_pair(&self->x));
	ASSERT_EQ(1, write(self->x.c, "1", 1));
	ASSERT_EQ(2, send(self->x.c, "22", 2, 0));
	ASSERT_EQ(3, sendto(self->x.c, "333", 3, 0, NULL, 0));
	ASSERT_EQ(6, writev(self->x.c, out, 2));
	ASSERT_EQ(6, sendmsg(self->x.c, &m, 0));
	ASSERT_EQ(4, xt_read_all(self->x.s, buf, 4));
	ASSERT_EQ(4, recv(self->x.s, buf + 4, 4, MSG_WAITALL));
	ASSERT_EQ(4, recvfrom(self->x.s, buf + 8, 4, MSG_WAITALL, NULL, NULL));
	EXPECT_EQ(0, memcmp(buf, "122333writev", 12));
	ASSERT_TRUE(XT_UNTIL(!ioctl(self->x.s, FIONREAD, buf) &&
			     *(int *)buf == 6));
	ASSERT_EQ(6, readv(self->x.s, in, 3));
	EXPECT_EQ(0, memcmp(a, "wr", 2));
	EXPECT_EQ(0, memcmp(b, "ite", 3));
	EXPECT_EQ(0, memcmp(c, "v", 1));
}

TEST_F(sendrecv, recvmsg_fields)
{
	char buf[16], ctl[64];
	struct sockaddr_in a;
	struct iovec in = { buf, sizeof(buf) };
	struct msghdr m = {
		.msg_name = &a, .msg_namelen = sizeof(a),
		.msg_iov = &in, .msg_iovlen = 1,
		.msg_control = ctl, .msg_controllen = sizeof(ctl),
		.msg_flags = -1,
	};
	socklen_t len = sizeof(a);

	ASSERT_EQ(0, xt_pair(&self->x));
	ASSERT_EQ(5, write(self->x.c, "hello", 5));
	ASSERT_EQ(5, recvmsg(self->x.s, &m, 0));
	/* A connected stream reports no source address and no flags. */
	EXPECT_EQ(0, m.msg_namelen);
	EXPECT_EQ(0, m.msg_controllen);
	EXPECT_EQ(0, m.msg_flags);
	ASSERT_EQ(1, write(self->x.c, "x", 1));
	ASSERT_EQ(1, recvfrom(self->x.s, buf, 1, 0, SA(&a), &len));
	EXPECT_EQ(0, len);
}

TEST_F(sendrecv, sendto_ignores_the_address)
{
	struct sockaddr_in a = xt_addr("192.0.2.1", 9);
	char b;

	ASSERT_EQ(0, xt_pair(&self->x));
	ASSERT_EQ(1, sendto(self->x.c, "x", 1, 0, SA(&a), sizeof(a)));
	ASSERT_EQ(1, read(self->x.s, &b, 1));
	EXPECT_EQ('x', b);
}

TEST_F(sendrecv, not_connected)
{
	struct sockaddr_in a = xt_addr("127.0.0.1", 9);
	int fd = xt_socket(&self->x, 0);
	char b = 0;

	EXPECT_ERR(EPIPE, send(fd, &b, 1, MSG_NOSIGNAL));
	EXPECT_ERR(EPIPE, sendto(fd, &b, 1, MSG_NOSIGNAL, SA(&a), sizeof(a)));
	EXPECT_ERR(EPIPE, send(fd, &b, 1, MSG_NOSIGNAL | MSG_DONTWAIT));
	EXPECT_ERR(ENOTCONN, recv(fd, &b, 1, 0));
	EXPECT_ERR(ENOTCONN, recv(fd, &b, 1, MSG_DONTWAIT));
	EXPECT_ERR(ENOTCONN, recv(fd, &b, 1, MSG_PEEK));
	EXPECT_ERR(ENOTCONN, read(fd, &b, 1));
}

TEST_F(sendrecv, dontwait)
{
	char b;

	ASSERT_EQ(0, xt_pair(&self->x));
	EXPECT_ERR(EAGAIN, recv(self->x.s, &b, 1, MSG_DONTWAIT));
	EXPECT_LT(0, xt_fill(self->x.c));
	EXPECT_ERR(EAGAIN, send(self->x.c, &b, 1, MSG_DONTWAIT));
	/* The flag is the call's, not the socket's. */
	EXPECT_EQ(0, fcntl(self->x.c, F_GETFL) & O_NONBLOCK);
}

TEST_F(sendrecv, nonblock)
{
	char b;

	ASSERT_EQ(0, xt_pair(&self->x));
	ASSERT_EQ(0, xt_nonblock(self->x.s, true));
	EXPECT_ERR(EAGAIN, read(self->x.s, &b, 1));
	EXPECT_ERR(EAGAIN, recv(self->x.s, &b, 1, MSG_PEEK));
	EXPECT_ERR(EAGAIN, recv(self->x.s, &b, 1, MSG_WAITALL));
	ASSERT_EQ(0, xt_nonblock(self->x.s, false));
	ASSERT_EQ(1, write(self->x.c, "x", 1));
	EXPECT_EQ(1, read(self->x.s, &b, 1));
}

TEST_F(sendrecv, fionbio)
{
	int on = 1, off = 0;
	char b;

	ASSERT_EQ(0, xt_pair(&self->x));
	ASSERT_EQ(0, ioctl(self->x.s, FIONBIO, &on));
	EXPECT_NE(0, fcntl(self->x.s, F_GETFL) & O_NONBLOCK);
	EXPECT_ERR(EAGAIN, read(self->x.s, &b, 1));
	ASSERT_EQ(0, ioctl(self->x.s, FIONBIO, &off));
	EXPECT_EQ(0, fcntl(self->x.s, F_GETFL) & O_NONBLOCK);
}

TEST_F(sendrecv, peek)
{
	char buf[8];

	ASSERT_EQ(0, xt_pair(&self->x));
	ASSERT_EQ(6, write(self->x.c, "abcdef", 6));
	ASSERT_TRUE(xt_wait(self->x.s, POLLIN));
	ASSERT_EQ(6, recv(self->x.s, buf, 8, MSG_PEEK));
	EXPECT_EQ(0, memcmp(buf, "abcdef", 6));
	ASSERT_EQ(2, recv(self->x.s, buf, 2, MSG_PEEK));
	EXPECT_EQ(0, memcmp(buf, "ab", 2));
	ASSERT_EQ(3, recv(self->x.s, buf, 3, 0));
	ASSERT_EQ(3, recv(self->x.s, buf, 8, MSG_PEEK | MSG_DONTWAIT));
	EXPECT_EQ(0, memcmp(buf, "def", 3));
	ASSERT_EQ(3, read(self->x.s, buf, 8));
	EXPECT_ERR(EAGAIN, recv(self->x.s, buf, 8, MSG_PEEK | MSG_DONTWAIT));
}

TEST_F(sendrecv, peek_across_segments)
{
	static uint8_t out[30000], in[30000];
	ssize_t n;

	/* Much more than one segment, looked at as a whole before it is read. */
	ASSERT_EQ(0, xt_pair(&self->x));
	xt_pattern(out, 1, 0, sizeof(out));
	n = send(self->x.c, out, 30000, 0);
	ASSERT_EQ(30000, n);
	ASSERT_EQ(n, recv(self->x.s, in, n, MSG_PEEK | MSG_WAITALL));
	EXPECT_EQ(n, xt_pattern_ok(in, 1, 0, n));
	memset(in, 0, n);
	ASSERT_EQ(n, recv(self->x.s, in, n, MSG_WAITALL));
	EXPECT_EQ(n, xt_pattern_ok(in, 1, 0, n));
}

struct late {
	int fd;
	int pieces;
	bool end;
	pthread_t t;
};

/* Sends one byte at a time, each once the one before has been acked. */
static void *late_main(void *arg)
{
	struct late *w = arg;
	int i, q;

	for (i = 0; i < w->pieces; i++) {
		char b = 'a' + i;

		if (write(w->fd, &b, 1) != 1)
			break;
		XT_UNTIL(!ioctl(w->fd, TIOCOUTQ, &q) && !q);
	}
	if (w->end)
		shutdown(w->fd, SHUT_WR);
	return NULL;
}

TEST_F(sendrecv, waitall)
{
	struct late w = { .pieces = 6 };
	char buf[8];

	ASSERT_EQ(0, xt_pair(&self->x));
	w.fd = self->x.c;
	ASSERT_EQ(0, pthread_create(&w.t, NULL, late_main, &w));
	ASSERT_EQ(6, recv(self->x.s, buf, 6, MSG_WAITALL));
	EXPECT_EQ(0, memcmp(buf, "abcdef", 6));
	pthread_join(w.t, NULL);
}

TEST_F(sendrecv, waitall_ends_with_the_stream)
{
	struct late w = { .pieces = 3, .end = true };
	char buf[8];

	ASSERT_EQ(0, xt_pair(&self->x));
	w.fd = self->x.c;
	ASSERT_EQ(0, pthread_create(&w.t, NULL, late_main, &w));
	ASSERT_EQ(3, recv(self->x.s, buf, 6, MSG_WAITALL));
	EXPECT_EQ(0, memcmp(buf, "abc", 3));
	EXPECT_EQ(0, recv(self->x.s, buf, 6, MSG_WAITALL));
	pthread_join(w.t, NULL);
}

TEST_F(sendrecv, waitall_larger_than_the_buffer)
{
	static uint8_t in[400000], out[400000];
	int st;
	pid_t pid;

	/* The window has to open while the call is still waiting. */
	ASSERT_EQ(0, xt_listen(&self->x, 4));
	ASSERT_EQ(0, xt_set(self->x.l, SOL_SOCKET, SO_RCVBUF, 8192));
	ASSERT_EQ(0, xt_pair(&self->x));
	pid = fork();
	if (!pid) {
		xt_pattern(out, 2, 0, sizeof(out));
		_exit(xt_write_all(self->x.c, out, sizeof(out)) !=
		      sizeof(out));
	}
	ASSERT_EQ(sizeof(in), recv(self->x.s, in, sizeof(in), MSG_WAITALL));
	EXPECT_EQ(sizeof(in), xt_pattern_ok(in, 2, 0, sizeof(in)));
	ASSERT_EQ(pid, waitpid(pid, &st, 0));
	EXPECT_EQ(0, st);
}

TEST_F(sendrecv, waitall_timeout)
{
	char buf[8];

	ASSERT_EQ(0, xt_pair(&self->x));
	ASSERT_EQ(0, xt_set_time(self->x.s, SO_RCVTIMEO, 100));
	ASSERT_EQ(3, write(self->x.c, "abc", 3));
	/* What has come is given out, not lost. */
	ASSERT_EQ(3, recv(self->x.s, buf, 6, MSG_WAITALL));
	EXPECT_ERR(EAGAIN, recv(self->x.s, buf, 6, MSG_WAITALL));
}

TEST_F(sendrecv, trunc_discards)
{
	char buf[8] = "........";

	ASSERT_EQ(0, xt_pair(&self->x));
	ASSERT_EQ(6, write(self->x.c, "abcdef", 6));
	ASSERT_TRUE(xt_wait(self->x.s, POLLIN));
	/* TCP's own meaning: the bytes are consumed and not copied. */
	ASSERT_EQ(4, recv(self->x.s, buf, 4, MSG_TRUNC));
	EXPECT_EQ('.', buf[0]);
	ASSERT_EQ(2, recv(self->x.s, buf, 8, 0));
	EXPECT_EQ(0, memcmp(buf, "ef", 2));
	ASSERT_EQ(3, write(self->x.c, "ghi", 3));
	ASSERT_TRUE(xt_wait(self->x.s, POLLIN));
	EXPECT_EQ(2, recv(self->x.s, NULL, 2, MSG_TRUNC));
	ASSERT_EQ(1, recv(self->x.s, buf, 8, 0));
	EXPECT_EQ('i', buf[0]);
}

TEST_F(sendrecv, zero_length)
{
	struct iovec none[2] = { { NULL, 0 }, { NULL, 0 } };
	char b;

	ASSERT_EQ(0, xt_pair(&self->x));
	EXPECT_EQ(0, send(self->x.c, "", 0, 0));
	EXPECT_EQ(0, write(self->x.c, "", 0));
	EXPECT_EQ(0, writev(self->x.c, none, 2));
	EXPECT_EQ(0, read(self->x.s, &b, 0));
	EXPECT_ERR(EAGAIN, recv(self->x.s, &b, 1, MSG_DONTWAIT));
	ASSERT_EQ(1, write(self->x.c, "x", 1));
	ASSERT_TRUE(xt_wait(self->x.s, POLLIN));
	EXPECT_EQ(0, recv(self->x.s, &b, 0, 0));
	EXPECT_EQ(0, recv(self->x.s, &b, 0, MSG_DONTWAIT));
	EXPECT_EQ(1, recv(self->x.s, &b, 1, 0));
}

TEST_F(sendrecv, msg_more)
{
	char buf[8];

	ASSERT_EQ(0, xt_pair(&self->x));
	ASSERT_EQ(3, send(self->x.c, "abc", 3, MSG_MORE));
	ASSERT_EQ(3, send(self->x.c, "def", 3, 0));
	ASSERT_EQ(6, recv(self->x.s, buf, 6, MSG_WAITALL));
	EXPECT_EQ(0, memcmp(buf, "abcdef", 6));
	/* Held back data leaves at the latest with the end. */
	ASSERT_EQ(3, send(self->x.c, "ghi", 3, MSG_MORE));
	ASSERT_EQ(0, shutdown(self->x.c, SHUT_WR));
	ASSERT_EQ(3, recv(self->x.s, buf, 6, MSG_WAITALL));
}

/*
 * What each bit of send()'s flags does to a connection, to one that is being
 * opened, and to sockets that have none: native TCP takes those that mean
 * nothing to it, XTCP refuses what it lacks.
 */
static const struct {
	int flag;
	int connected, fresh, connecting;	/* errno, 0: sent */
	int lacks;	/* what XTCP says to each, where it is not the same */
	int lacks_fresh;
} send_flags[] = {
	{ 0,			0, EPIPE, EAGAIN },
	{ MSG_OOB,		0, EPIPE, EAGAIN, EOPNOTSUPP, EOPNOTSUPP },
	{ MSG_PEEK,		0, EPIPE, EAGAIN },
	{ MSG_DONTROUTE,	0, EPIPE, EAGAIN },
	{ MSG_CTRUNC,		0, EPIPE, EAGAIN },
	{ MSG_PROXY,		0, EPIPE, EAGAIN },
	{ MSG_TRUNC,		0, EPIPE, EAGAIN },
	{ MSG_DONTWAIT,		0, EPIPE, EAGAIN },
	{ MSG_EOR,		0, EPIPE, EAGAIN },
	{ MSG_WAITALL,		0, EPIPE, EAGAIN },
	{ MSG_FIN,		0, EPIPE, EAGAIN },
	{ MSG_SYN,		0, EPIPE, EAGAIN },
	{ MSG_CONFIRM,		0, EPIPE, EAGAIN },
	{ MSG_RST,		0, EPIPE, EAGAIN },
	{ MSG_ERRQUEUE,		0, EPIPE, EAGAIN },
	{ MSG_MORE,		0, EPIPE, EAGAIN },
	{ MSG_WAITFORONE,	0, EPIPE, EAGAIN },
	{ MSG_BATCH,		0, EPIPE, EAGAIN },
	{ MSG_ZEROCOPY,		0, EPIPE, EAGAIN },
	{ MSG_FASTOPEN,		EISCONN, EINVAL, EALREADY, EISCONN, EOPNOTSUPP },
	{ MSG_CMSG_CLOEXEC,	0, EPIPE, EAGAIN },
	/* MSG_PROBE is 0x10, MSG_TRYHARD is MSG_DONTROUTE. */
	{ 0x10,			0, EPIPE, EAGAIN },
};

static int send_errno(int fd, int flags)
{
	return send(fd, "x", 1, flags | MSG_NOSIGNAL) == 1 ? 0 : errno;
}

TEST_F(sendrecv, every_flag)
{
	const bool xtcp = self->x.xtcp;
	int fresh, connecting, want, i;
	char b;

	ASSERT_EQ(0, xt_pair(&self->x));
	fresh = xt_socket(&self->x, 0);
	connecting = xt_socket(&self->x, SOCK_NONBLOCK);
	ASSERT_EQ(0, xt_blackhole());
	EXPECT_ERR(EINPROGRESS, xt_connect(connecting, XT_BLACKHOLE, 7));
	for (i = 0; i < sizeof(send_flags) / sizeof(send_flags[0]); i++) {
		int f = send_flags[i].flag;

		want = send_flags[i].connected;
		if (xtcp && send_flags[i].lacks)
			want = send_flags[i].lacks;
		EXPECT_EQ(want, send_errno(self->x.c, f))
			TH_LOG("flag %#x", f);
		/* Urgent data stands beside the stream. */
		if (!want && f != MSG_OOB)
			EXPECT_EQ(1, recv(self->x.s, &b, 1, 0));
		want = send_flags[i].fresh;
		if (xtcp && send_flags[i].lacks_fresh)
			want = send_flags[i].lacks_fresh;
		EXPECT_EQ(want, send_errno(fresh, f))
			TH_LOG("flag %#x, fresh", f);
		want = send_flags[i].connecting;
		if (xtcp && f == MSG_OOB)
			want = EOPNOTSUPP;
		EXPECT_EQ(want, send_errno(connecting, f))
			TH_LOG("flag %#x, connecting", f);
	}
	/* A listener is no longer unconnected, natively. */
	EXPECT_EQ(EISCONN, send_errno(self->x.l, MSG_FASTOPEN));
}

/* A program that prefers Fast Open gets its connection and loses nothing. */
TEST_F(sendrecv, fastopen_fallback)
{
	struct sockaddr_in u = { .sin_family = AF_UNSPEC };
	char b[8];
	int fd;

	ASSERT_EQ(0, xt_listen(&self->x, 4));
	fd = xt_socket(&self->x, 0);
	EXPECT_ERR(EOPNOTSUPP, sendto(fd, "x", 1, MSG_FASTOPEN, SA(&u),
				      sizeof(u)));
	if (sendto(fd, "hello", 5, MSG_FASTOPEN, SA(&self->x.addr),
		   sizeof(self->x.addr)) != 5) {
		ASSERT_TRUE(self->x.xtcp);
		ASSERT_EQ(EOPNOTSUPP, errno);
		ASSERT_EQ(0, connect(fd, SA(&self->x.addr),
				     sizeof(self->x.addr)));
		ASSERT_EQ(5, send(fd, "hello", 5, 0));
	}
	self->x.s = accept(self->x.l, NULL, NULL);
	ASSERT_EQ(5, recv(self->x.s, b, 5, MSG_WAITALL));
	EXPECT_EQ(0, memcmp(b, "hello", 5));
	EXPECT_ERR(EISCONN, sendto(fd, "x", 1, MSG_FASTOPEN,
				   SA(&self->x.addr), sizeof(self->x.addr)));
	EXPECT_ERR(EOPNOTSUPP, sendto(fd, "x", 1, MSG_FASTOPEN, SA(&u),
				      sizeof(u)));
}

static void *more_main(void *arg)
{
	static char out[1 << 18];
	const int *fd = arg;

	return (void *)send(*fd, out, sizeof(out), MSG_MORE);
}

/* TCP_CORK set meanwhile is not undone by the end of MSG_MORE. */
TEST_F(sendrecv, msg_more_and_cork)
{
	static char in[65536];
	size_t got = 0;
	int queued = 0;
	ssize_t n;
	pthread_t t;
	void *sent;

	ASSERT_EQ(0, xt_pair(&self->x));
	ASSERT_EQ(0, xt_set(self->x.c, SOL_SOCKET, SO_SNDBUF, 8192));
	ASSERT_EQ(0, pthread_create(&t, NULL, more_main, &self->x.c));
	ASSERT_TRUE(XT_UNTIL(!ioctl(self->x.c, SIOCOUTQ, &queued) && queued));
	ASSERT_EQ(0, xt_set(self->x.c, IPPROTO_TCP, TCP_CORK, 1));
	while (got < (1 << 18) - sizeof(in)) {
		n = recv(self->x.s, in, sizeof(in), 0);
		ASSERT_LT(0, n);
		got += n;
	}
	ASSERT_EQ(0, pthread_join(t, &sent));
	EXPECT_EQ(1 << 18, (long)sent);
	EXPECT_EQ(1, xt_get(self->x.c, IPPROTO_TCP, TCP_CORK));
}

TEST_F(sendrecv, many_iovecs)
{
	static char out[1024], in[1024];
	struct iovec ov[1024], iv[512];
	struct msghdr m = { .msg_iov = ov, .msg_iovlen = 1025 };
	int i;

	ASSERT_EQ(0, xt_pair(&self->x));
	xt_pattern(out, 3, 0, sizeof(out));
	for (i = 0; i < 1024; i++)
		ov[i] = (struct iovec){ out + i, 1 };
	for (i = 0; i < 512; i++)
		iv[i] = (struct iovec){ in + 2 * i, 2 };
	EXPECT_ERR(EMSGSIZE, sendmsg(self->x.c, &m, 0));
	ASSERT_EQ(1024, writev(self->x.c, ov, 1024));
	m.msg_iov = iv;
	m.msg_iovlen = 512;
	ASSERT_EQ(1024, recvmsg(self->x.s, &m, MSG_WAITALL));
	EXPECT_EQ(1024, xt_pattern_ok(in, 3, 0, 1024));
}

TEST_F(sendrecv, several_messages_a_call)
{
	char buf[3][4] = { "one", "two", "six" };
	struct iovec v[3] = { { buf[0], 3 }, { buf[1], 3 }, { buf[2], 3 } };
	struct mmsghdr m[3];
	char in[16];
	int i;

	ASSERT_EQ(0, xt_pair(&self->x));
	memset(m, 0, sizeof(m));
	for (i = 0; i < 3; i++) {
		m[i].msg_hdr.msg_iov = &v[i];
		m[i].msg_hdr.msg_iovlen = 1;
	}
	ASSERT_EQ(3, sendmmsg(self->x.c, m, 3, 0));
	ASSERT_EQ(9, recv(self->x.s, in, 9, MSG_WAITALL));
	EXPECT_EQ(0, memcmp(in, "onetwosix", 9));
	ASSERT_EQ(9, write(self->x.c, "abcdefghi", 9));
	ASSERT_EQ(9, recv(self->x.s, in, 9, MSG_PEEK | MSG_WAITALL));
	ASSERT_EQ(3, recvmmsg(self->x.s, m, 3, 0, NULL));
	EXPECT_EQ(0, memcmp(buf[2], "ghi", 3));
}

TEST_F(sendrecv, send_fault)
{
	char *edge = xt_edge();
	static char in[8192];
	long n;

	ASSERT_NE(NULL, edge);
	ASSERT_EQ(0, xt_pair(&self->x));
	EXPECT_ERR(EFAULT, send(self->x.c, XT_BAD_PTR, 10, 0));
	EXPECT_ERR(EFAULT, write(self->x.c, XT_BAD_PTR, 100000));
	EXPECT_ERR(EFAULT, sendmsg(self->x.c, XT_BAD_PTR, 0));
	/* Half of the bytes are there: either none or a true prefix goes. */
	xt_pattern(edge - 1000, 4, 0, 1000);
	n = send(self->x.c, edge - 1000, 2000, 0);
	if (n < 0)
		EXPECT_EQ(EFAULT, errno);
	EXPECT_GE(1000, n);
	n = n < 0 ? 0 : n;
	ASSERT_EQ(3, send(self->x.c, "end", 3, 0));
	ASSERT_EQ(n + 3, recv(self->x.s, in, n + 3, MSG_WAITALL));
	EXPECT_EQ(n, xt_pattern_ok(in, 4, 0, n));
	EXPECT_EQ(0, memcmp(in + n, "end", 3));
}

TEST_F(sendrecv, recv_fault_loses_nothing)
{
	char buf[16];

	ASSERT_EQ(0, xt_pair(&self->x));
	ASSERT_EQ(6, write(self->x.c, "abcdef", 6));
	ASSERT_TRUE(xt_wait(self->x.s, POLLIN));
	EXPECT_ERR(EFAULT, recv(self->x.s, XT_BAD_PTR, 6, 0));
	EXPECT_ERR(EFAULT, read(self->x.s, XT_BAD_PTR, 6));
	EXPECT_ERR(EFAULT, recv(self->x.s, XT_BAD_PTR, 6, MSG_PEEK));
	EXPECT_ERR(EFAULT, recvmsg(self->x.s, XT_BAD_PTR, 0));
	ASSERT_EQ(6, recv(self->x.s, buf, 16, 0));
	EXPECT_EQ(0, memcmp(buf, "abcdef", 6));
}

TEST_F(sendrecv, recv_partial_fault)
{
	static uint8_t out[3000], in[3000];
	char *edge = xt_edge();
	long n;

	ASSERT_NE(NULL, edge);
	ASSERT_EQ(0, xt_pair(&self->x));
	xt_pattern(out, 5, 0, sizeof(out));
	ASSERT_EQ(3000, write(self->x.c, out, 3000));
	ASSERT_EQ(3000, recv(self->x.s, in, 3000, MSG_PEEK | MSG_WAITALL));
	/* The stream goes on exactly after what the call says it gave. */
	n = recv(self->x.s, edge - 1500, 3000, 0);
	if (n < 0)
		EXPECT_EQ(EFAULT, errno);
	EXPECT_GE(1500, n);
	n = n < 0 ? 0 : n;
	EXPECT_EQ(n, xt_pattern_ok(edge - 1500, 5, 0, n));
	ASSERT_EQ(3000 - n, recv(self->x.s, in, 3000 - n, MSG_WAITALL));
	EXPECT_EQ(3000 - n, xt_pattern_ok(in, 5, n, 3000 - n));
}

TEST_F(sendrecv, dup_and_close_one)
{
	int fd;
	char b;

	ASSERT_EQ(0, xt_pair(&self->x));
	fd = dup(self->x.c);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, close(self->x.c));
	EXPECT_ERR(EAGAIN, recv(self->x.s, &b, 1, MSG_DONTWAIT));
	ASSERT_EQ(1, write(fd, "x", 1));
	ASSERT_EQ(1, read(self->x.s, &b, 1));
	ASSERT_EQ(0, close(fd));
	EXPECT_EQ(0, read(self->x.s, &b, 1));
}

TEST_F(sendrecv, fork_shares)
{
	pid_t pid;
	char b;
	int st;

	ASSERT_EQ(0, xt_pair(&self->x));
	pid = fork();
	if (!pid)
		_exit(write(self->x.c, "k", 1) != 1);
	ASSERT_EQ(pid, waitpid(pid, &st, 0));
	ASSERT_EQ(0, st);
	ASSERT_EQ(1, read(self->x.s, &b, 1));
	EXPECT_EQ('k', b);
	/* The child's exit closed its copy only. */
	ASSERT_EQ(1, write(self->x.c, "p", 1));
	ASSERT_EQ(1, read(self->x.s, &b, 1));
	EXPECT_EQ('p', b);
}

TEST_F(sendrecv, process_exit_closes)
{
	pid_t pid;
	char b[8];
	int st;

	ASSERT_EQ(0, xt_listen(&self->x, 4));
	pid = fork();
	if (!pid) {
		int c = xt_dial(&self->x);

		if (c >= 0 && write(c, "bye", 3) == 3)
			kill(getpid(), SIGKILL);
		_exit(1);
	}
	self->x.s = accept(self->x.l, NULL, NULL);
	ASSERT_LE(0, self->x.s);
	EXPECT_EQ(3, xt_read_all(self->x.s, b, 8));
	ASSERT_EQ(pid, waitpid(pid, &st, 0));
	EXPECT_TRUE(WIFSIGNALED(st));
}

static int send_fd(int via, int fd)
{
	char ctl[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec v = { "f", 1 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1,
			    .msg_control = ctl, .msg_controllen = sizeof(ctl) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	return sendmsg(via, &m, 0) == 1 ? 0 : -1;
}

static int recv_fd(int via)
{
	char ctl[CMSG_SPACE(sizeof(int))], b;
	struct iovec v = { &b, 1 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1,
			    .msg_control = ctl, .msg_controllen = sizeof(ctl) };
	int fd;

	if (recvmsg(via, &m, 0) != 1 || !CMSG_FIRSTHDR(&m))
		return -1;
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(fd));
	return fd;
}

TEST_F(sendrecv, passing_the_descriptor)
{
	int sv[2], fd;
	char b;

	ASSERT_EQ(0, xt_pair(&self->x));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sv));
	ASSERT_EQ(0, send_fd(sv[0], self->x.c));
	/* In flight, the descriptor is the only reference. */
	ASSERT_EQ(0, close(self->x.c));
	EXPECT_ERR(EAGAIN, recv(self->x.s, &b, 1, MSG_DONTWAIT));
	fd = recv_fd(sv[1]);
	ASSERT_LE(0, fd);
	ASSERT_EQ(1, write(fd, "x", 1));
	EXPECT_EQ(1, read(self->x.s, &b, 1));
}

/* One byte with one control message, of @len with its header. */
static ssize_t send_cmsg(int fd, int level, int type, size_t len, char byte,
			 int flags)
{
	char ctl[CMSG_SPACE(sizeof(int))]
		__attribute__((aligned(sizeof(size_t)))) = "";
	struct iovec v = { &byte, 1 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1,
			    .msg_control = ctl, .msg_controllen = sizeof(ctl) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = len;
	return sendmsg(fd, &m, flags);
}

/* Refused or accepted; none of those accepted changes anything. */
TEST_F(sendrecv, control_messages)
{
	size_t len = CMSG_LEN(sizeof(int));
	char buf[8];
	int c;

	ASSERT_EQ(0, xt_pair(&self->x));
	c = self->x.c;
	/* SIGPIPE would end the test. */
	EXPECT_ERR(EINVAL, send_cmsg(c, SOL_SOCKET, 0x7777, 1, '-', 0));
	EXPECT_ERR(EINVAL, send_cmsg(c, SOL_SOCKET, 0x7777, len, '-', 0));
	EXPECT_ERR(EINVAL, send_cmsg(c, SOL_SOCKET, SO_MARK, len - 1, '-', 0));
	EXPECT_ERR(EINVAL, send_cmsg(c, SOL_SOCKET, SCM_TXTIME, len, '-', 0));
	EXPECT_ERR(EINVAL, send_cmsg(c, IPPROTO_IP, IP_TTL, 1, '-', 0));
	EXPECT_EQ(1, send_cmsg(c, SOL_SOCKET, SO_MARK, len, 'a', 0));
	EXPECT_EQ(1, send_cmsg(c, SOL_SOCKET, SO_TIMESTAMPING, len, 'b', 0));
	EXPECT_EQ(1, send_cmsg(c, SOL_SOCKET, SCM_RIGHTS, len, 'c', 0));
	EXPECT_EQ(1, send_cmsg(c, IPPROTO_IP, 0x7777, len, 'd', 0));
	ASSERT_EQ(0, shutdown(c, SHUT_WR));
	EXPECT_EQ(4, xt_read_all(self->x.s, buf, sizeof(buf)));
	EXPECT_EQ(0, memcmp(buf, "abcd", 4));
}

/* Without a connection that is what the caller hears of. */
TEST_F(sendrecv, control_messages_come_second)
{
	int fd = xt_socket(&self->x, SOCK_NONBLOCK);

	EXPECT_ERR(EPIPE, send_cmsg(fd, SOL_SOCKET, 0x7777, 1, '-',
				    MSG_NOSIGNAL));
	ASSERT_EQ(0, xt_blackhole());
	EXPECT_ERR(EINPROGRESS, xt_connect(fd, XT_BLACKHOLE, 9));
	EXPECT_ERR(EAGAIN, send_cmsg(fd, SOL_SOCKET, 0x7777, 1, '-', 0));
	ASSERT_EQ(0, xt_pair(&self->x));
	ASSERT_EQ(0, shutdown(self->x.c, SHUT_WR));
	EXPECT_ERR(EPIPE, send_cmsg(self->x.c, SOL_SOCKET, 0x7777, 1, '-',
				    MSG_NOSIGNAL));
}

TEST_F(sendrecv, sendfile_to_the_socket)
{
	static uint8_t out[200000], in[200000];
	int f = memfd_create("src", MFD_CLOEXEC), st;
	off_t off = 1000;
	pid_t pid;

	ASSERT_EQ(0, xt_pair(&self->x));
	xt_pattern(out, 6, 0, sizeof(out));
	ASSERT_EQ(sizeof(out), write(f, out, sizeof(out)));
	pid = fork();
	if (!pid) {
		while (off < sizeof(out))
			if (sendfile(self->x.c, f, &off,
				     sizeof(out) - off) <= 0)
				_exit(1);
		_exit(0);
	}
	ASSERT_EQ(199000, recv(self->x.s, in, 199000, MSG_WAITALL));
	EXPECT_EQ(199000, xt_pattern_ok(in, 6, 1000, 199000));
	ASSERT_EQ(pid, waitpid(pid, &st, 0));
	EXPECT_EQ(0, st);
}

/*
 * Of a file that ends sooner than it was asked for, nothing waits for more.
 * The call itself sends it: a timer that did so later would be found out.
 */
TEST_F(sendrecv, sendfile_past_the_end)
{
	int f = memfd_create("src", MFD_CLOEXEC), unsent = -1;
	char out[1000], in[1000];
	off_t off = 0;

	ASSERT_EQ(0, xt_pair(&self->x));
	xt_pattern(out, 8, 0, sizeof(out));
	ASSERT_EQ(sizeof(out), write(f, out, sizeof(out)));
	ASSERT_EQ(sizeof(out), sendfile(self->x.c, f, &off, 1 << 20));
	ASSERT_EQ(0, ioctl(self->x.c, SIOCOUTQNSD, &unsent));
	EXPECT_EQ(0, unsent);
	ASSERT_EQ(sizeof(in), recv(self->x.s, in, sizeof(in), MSG_WAITALL));
	EXPECT_EQ(sizeof(in), xt_pattern_ok(in, 8, 0, sizeof(in)));
}

TEST_F(sendrecv, splice_both_ways)
{
	static uint8_t out[30000], in[30000];
	int p[2], q[2];
	ssize_t n, got = 0;

	ASSERT_EQ(0, xt_pair(&self->x));
	ASSERT_EQ(0, pipe(p));
	ASSERT_EQ(0, pipe(q));
	xt_pattern(out, 7, 0, sizeof(out));
	ASSERT_EQ(sizeof(out), write(p[1], out, sizeof(out)));
	for (n = 0; n < sizeof(out); ) {
		ssize_t r = splice(p[0], NULL, self->x.c, NULL,
				   sizeof(out) - n, 0);

		ASSERT_LT(0, r);
		n += r;
	}
	while (got < sizeof(in)) {
		n = splice(self->x.s, NULL, q[1], NULL, sizeof(in) - got, 0);
		ASSERT_LT(0, n);
		ASSERT_EQ(n, xt_read_all(q[0], in + got, n));
		got += n;
	}
	EXPECT_EQ(sizeof(in), xt_pattern_ok(in, 7, 0, sizeof(in)));
}

TEST_F(sendrecv, blocked_recv_is_woken)
{
	pid_t pid;
	char b;
	int st;

	ASSERT_EQ(0, xt_pair(&self->x));
	pid = fork();
	if (!pid)
		_exit(read(self->x.s, &b, 1) != 1 || b != 'w');
	ASSERT_EQ(1, write(self->x.c, "w", 1));
	ASSERT_EQ(pid, waitpid(pid, &st, 0));
	EXPECT_EQ(0, st);
}

TEST_HARNESS_MAIN

// SPDX-License-Identifier: GPL-2.0
/* Errors that belong to no other file: wrong object, wrong moment. */
#include "api.h"
#include <sys/epoll.h>

XT_FIXTURE(errors);

TEST_F(errors, wrong_descriptor)
{
	struct sockaddr_in a = xt_addr("127.0.0.1", 7);
	int f = open("/dev/null", O_RDWR), gone = xt_socket(&self->x, 0);

	ASSERT_EQ(0, close(gone));
	EXPECT_ERR(EBADF, bind(gone, SA(&a), sizeof(a)));
	EXPECT_ERR(EBADF, send(gone, "x", 1, 0));
	EXPECT_ERR(ENOTSOCK, bind(f, SA(&a), sizeof(a)));
	EXPECT_ERR(ENOTSOCK, listen(f, 1));
	EXPECT_ERR(ENOTSOCK, connect(f, SA(&a), sizeof(a)));
}

TEST_F(errors, one_error_one_report)
{
	char b;
	int i;

	/* Whichever call comes first gets it; the others see a dead stream. */
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(0, xt_pair(&self->x));
		ASSERT_EQ(0, xt_linger(self->x.s, 1, 0));
		ASSERT_EQ(0, close(self->x.s));
		ASSERT_TRUE(xt_wait(self->x.c, POLLERR));
		switch (i) {
		case 0:
			EXPECT_ERR(ECONNRESET, read(self->x.c, &b, 1));
			break;
		case 1:
			EXPECT_ERR(ECONNRESET, send(self->x.c, "x", 1,
						    MSG_NOSIGNAL));
			break;
		case 2:
			EXPECT_EQ(ECONNRESET, xt_error(self->x.c));
			break;
		default:
			EXPECT_ERR(ECONNRESET, recv(self->x.c, &b, 1,
						    MSG_PEEK));
		}
		EXPECT_EQ(0, xt_error(self->x.c));
		EXPECT_EQ(0, read(self->x.c, &b, 1));
		EXPECT_ERR(EPIPE, send(self->x.c, "x", 1, MSG_NOSIGNAL));
		close(self->x.c);
	}
}

TEST_F(errors, after_a_reset)
{
	struct sockaddr_in a;
	socklen_t len = sizeof(a);

	ASSERT_EQ(0, xt_pair(&self->x));
	ASSERT_EQ(0, xt_linger(self->x.s, 1, 0));
	ASSERT_EQ(0, close(self->x.s));
	ASSERT_TRUE(xt_wait(self->x.c, POLLERR));
	ASSERT_EQ(ECONNRESET, xt_error(self->x.c));
	EXPECT_ERR(ENOTCONN, getpeername(self->x.c, SA(&a), &len));
	EXPECT_EQ(0, getsockname(self->x.c, SA(&a), &len));
	EXPECT_ERR(ENOTCONN, shutdown(self->x.c, SHUT_WR));
	EXPECT_ERR(EINVAL, accept(self->x.c, NULL, NULL));
	EXPECT_ERR(EINVAL, listen(self->x.c, 1));
}

TEST_F(errors, no_receiver_after_close)
{
	int fd = xt_socket(&self->x, 0);

	/* The last listener gone, the port refuses. */
	ASSERT_EQ(0, xt_listen(&self->x, 4));
	ASSERT_EQ(0, close(self->x.l));
	EXPECT_ERR(ECONNREFUSED, connect(fd, SA(&self->x.addr),
					 sizeof(self->x.addr)));
}

TEST_F(errors, bound_is_not_listening)
{
	int held = xt_socket(&self->x, 0), fd = xt_socket(&self->x, 0);

	ASSERT_EQ(0, xt_bind(held, "127.0.0.1", 0));
	EXPECT_ERR(ECONNREFUSED, xt_connect(fd, "127.0.0.1", xt_port(held)));
	/* Port 0 is nobody's. */
	EXPECT_ERR(ECONNREFUSED, xt_connect(fd, "127.0.0.1", 0));
}

TEST_F(errors, bad_message_headers)
{
	char b[4];
	struct iovec v = { XT_BAD_PTR, 4 };
	struct msghdr m = { .msg_iov = XT_BAD_PTR, .msg_iovlen = 1 };

	ASSERT_EQ(0, xt_pair(&self->x));
	EXPECT_ERR(EFAULT, sendmsg(self->x.c, &m, 0));
	ASSERT_EQ(4, write(self->x.c, "data", 4));
	ASSERT_TRUE(xt_wait(self->x.s, POLLIN));
	EXPECT_ERR(EFAULT, recvmsg(self->x.s, &m, 0));
	m.msg_iov = &v;
	EXPECT_ERR(EFAULT, recvmsg(self->x.s, &m, 0));
	EXPECT_ERR(EFAULT, sendmsg(self->x.c, &m, 0));
	EXPECT_ERR(EFAULT, readv(self->x.s, &v, 1));
	v.iov_len = -1;
	EXPECT_ERR(EINVAL, readv(self->x.s, &v, 1));
	ASSERT_EQ(4, read(self->x.s, b, 4));
	EXPECT_EQ(0, memcmp(b, "data", 4));
}

TEST_F(errors, fault_in_a_later_iovec)
{
	char a[2], b[8];
	struct iovec v[2] = { { a, 2 }, { XT_BAD_PTR, 4 } };
	long n;

	ASSERT_EQ(0, xt_pair(&self->x));
	ASSERT_EQ(6, write(self->x.c, "abcdef", 6));
	ASSERT_EQ(6, recv(self->x.s, b, 6, MSG_PEEK | MSG_WAITALL));
	n = readv(self->x.s, v, 2);
	if (n < 0) {
		EXPECT_EQ(EFAULT, errno);
		n = 0;
	}
	/* At most the two bytes that had a place are gone. */
	EXPECT_GE(2, n);
	ASSERT_EQ(6 - n, recv(self->x.s, b, 6 - n, MSG_WAITALL));
	EXPECT_EQ(0, memcmp(b, "abcdef" + n, 6 - n));
}

TEST_F(errors, big_fault_keeps_the_stream)
{
	static uint8_t out[100000], in[100000];
	char *edge = xt_edge();
	size_t off = 0;
	ssize_t n;
	int i;

	/* Faults at every place of a long queue: nothing lost, nothing twice. */
	ASSERT_NE(NULL, edge);
	ASSERT_EQ(0, xt_pair(&self->x));
	xt_pattern(out, 12, 0, sizeof(out));
	for (i = 0; off < 60000; i++) {
		size_t part = 1 + (i * 737) % 4000;

		ASSERT_EQ(part, write(self->x.c, out + off, part));
		ASSERT_EQ(part, recv(self->x.s, in, part,
				     MSG_PEEK | MSG_WAITALL));
		n = read(self->x.s, edge - part / 2, part);
		if (n < 0)
			n = 0;
		ASSERT_GE(part / 2, n);
		ASSERT_EQ(n, xt_pattern_ok(edge - part / 2, 12, off, n));
		ASSERT_EQ(part - n, recv(self->x.s, in, part - n,
					 MSG_WAITALL));
		ASSERT_EQ(part - n, xt_pattern_ok(in, 12, off + n, part - n));
		off += part;
	}
}

TEST_HARNESS_MAIN

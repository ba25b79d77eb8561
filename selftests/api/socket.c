// SPDX-License-Identifier: GPL-2.0
/* socket(2) itself: type, protocol, flags, and a socket that has no peer. */
#include "api.h"

XT_FIXTURE(socket);

TEST_F(socket, type_and_domain)
{
	int fd = xt_socket(&self->x, 0);

	ASSERT_LE(0, fd);
	EXPECT_EQ(SOCK_STREAM, xt_get(fd, SOL_SOCKET, SO_TYPE));
	/* Generic code decides by the family: it must be an IP family. */
	EXPECT_EQ(AF_INET, xt_get(fd, SOL_SOCKET, SO_DOMAIN));
	EXPECT_EQ(0, xt_get(fd, SOL_SOCKET, SO_ACCEPTCONN));
	EXPECT_EQ(0, xt_error(fd));
	EXPECT_EQ(0, close(fd));
}

TEST_F(socket, protocol)
{
	int fd = xt_socket(&self->x, 0);

	ASSERT_LE(0, fd);
	EXPECT_EQ(xt_proto(&self->x), xt_get(fd, SOL_SOCKET, SO_PROTOCOL));
	EXPECT_EQ(0, close(fd));
	fd = socket(xt_family(&self->x), SOCK_STREAM, xt_proto(&self->x));
	ASSERT_LE(0, fd);
	EXPECT_EQ(xt_proto(&self->x), xt_get(fd, SOL_SOCKET, SO_PROTOCOL));
	EXPECT_EQ(0, close(fd));
}

TEST_F(socket, second_door)
{
	int fd;

	if (!variant->xtcp)
		SKIP(return, "AF_INET is TCP's only door");
	fd = socket(AF_INET, SOCK_STREAM, xt_proto(&self->x));
	ASSERT_LE(0, fd);
	EXPECT_EQ(AF_INET, xt_get(fd, SOL_SOCKET, SO_DOMAIN));
	EXPECT_EQ(xt_proto(&self->x), xt_get(fd, SOL_SOCKET, SO_PROTOCOL));
	EXPECT_EQ(0, close(fd));
}

TEST_F(socket, doors_meet)
{
	int l, c, s;

	if (!variant->xtcp)
		SKIP(return, "AF_INET is TCP's only door");
	/* A listener from one door serves a client from the other. */
	ASSERT_EQ(0, xt_listen(&self->x, 4));
	c = socket(AF_INET, SOCK_STREAM, xt_proto(&self->x));
	ASSERT_LE(0, c);
	ASSERT_EQ(0, connect(c, SA(&self->x.addr), sizeof(self->x.addr)));
	s = accept(self->x.l, NULL, NULL);
	ASSERT_LE(0, s);
	l = socket(AF_INET, SOCK_STREAM, xt_proto(&self->x));
	ASSERT_LE(0, l);
	/* Both doors lead to one port space. */
	EXPECT_ERR(EADDRINUSE, bind(l, SA(&self->x.addr),
				    sizeof(self->x.addr)));
}

TEST_F(socket, separate_from_tcp)
{
	struct xt tcp = { .xtcp = false, .l = -1 };

	if (!variant->xtcp)
		SKIP(return, "about XTCP beside TCP");
	/* XTCP has a port space of its own and never reaches TCP's. */
	ASSERT_EQ(0, xt_listen(&self->x, 4));
	tcp.addr = self->x.addr;
	EXPECT_EQ(-1, xt_dial(&tcp));
	EXPECT_EQ(ECONNREFUSED, errno);
	tcp.l = xt_socket(&tcp, 0);
	ASSERT_LE(0, tcp.l);
	EXPECT_EQ(0, bind(tcp.l, SA(&self->x.addr), sizeof(self->x.addr)));
}

TEST_F(socket, flags)
{
	int fd = xt_socket(&self->x, SOCK_NONBLOCK | SOCK_CLOEXEC);

	ASSERT_LE(0, fd);
	EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
	EXPECT_NE(0, fcntl(fd, F_GETFL) & O_NONBLOCK);
	close(fd);
	fd = xt_socket(&self->x, 0);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, fcntl(fd, F_GETFD));
	EXPECT_EQ(0, fcntl(fd, F_GETFL) & O_NONBLOCK);
	close(fd);
}

TEST_F(socket, bad_type)
{
	int fam = xt_family(&self->x);

	EXPECT_ERR(ESOCKTNOSUPPORT, socket(fam, SOCK_SEQPACKET, 0));
	EXPECT_ERR(ESOCKTNOSUPPORT, socket(fam, SOCK_RDM, 0));
	if (variant->xtcp) {
		EXPECT_ERR(ESOCKTNOSUPPORT, socket(fam, SOCK_DGRAM, 0));
		EXPECT_ERR(ESOCKTNOSUPPORT, socket(fam, SOCK_RAW, 0));
	}
	EXPECT_ERR(EINVAL, socket(fam, 15, 0));
	EXPECT_ERR(EINVAL, socket(fam, SOCK_STREAM | 0x100, 0));
}

TEST_F(socket, bad_protocol)
{
	int fam = xt_family(&self->x);

	EXPECT_ERR(EPROTONOSUPPORT, socket(fam, SOCK_STREAM, IPPROTO_UDP));
	EXPECT_ERR(EPROTONOSUPPORT, socket(fam, SOCK_STREAM, 252));
	EXPECT_ERR(EINVAL, socket(fam, SOCK_STREAM, -1));
	EXPECT_ERR(EINVAL, socket(fam, SOCK_STREAM, 1 << 20));
}

TEST_F(socket, no_socketpair)
{
	int sv[2];

	EXPECT_ERR(EOPNOTSUPP, socketpair(xt_family(&self->x), SOCK_STREAM, 0,
					  sv));
}

TEST_F(socket, names_of_a_fresh_one)
{
	int fd = xt_socket(&self->x, 0);
	struct sockaddr_in a;
	socklen_t len = sizeof(a);

	ASSERT_LE(0, fd);
	memset(&a, 0xff, sizeof(a));
	ASSERT_EQ(0, getsockname(fd, SA(&a), &len));
	EXPECT_EQ(sizeof(a), len);
	EXPECT_EQ(AF_INET, a.sin_family);
	EXPECT_EQ(0, a.sin_port);
	EXPECT_EQ(INADDR_ANY, a.sin_addr.s_addr);
	EXPECT_ERR(ENOTCONN, getpeername(fd, SA(&a), &len));
}

TEST_F(socket, name_lengths)
{
	union {
		struct sockaddr_in in;
		char raw[64];
	} a;
	socklen_t len = 4;

	ASSERT_EQ(0, xt_pair(&self->x));
	memset(&a, 0x5a, sizeof(a));
	/* A short buffer is filled as far as it goes, the length is whole. */
	ASSERT_EQ(0, getsockname(self->x.s, SA(&a.in), &len));
	EXPECT_EQ(sizeof(struct sockaddr_in), len);
	EXPECT_EQ(self->x.addr.sin_port, a.in.sin_port);
	EXPECT_EQ(0x5a, a.raw[4]);
	len = 0;
	EXPECT_EQ(0, getpeername(self->x.s, SA(&a.in), &len));
	EXPECT_EQ(sizeof(struct sockaddr_in), len);
	len = sizeof(a);
	EXPECT_EQ(0, getpeername(self->x.s, SA(&a.in), &len));
	EXPECT_EQ(sizeof(struct sockaddr_in), len);
	EXPECT_EQ(0x5a, a.raw[sizeof(struct sockaddr_in)]);
	len = -1;
	EXPECT_ERR(EINVAL, getsockname(self->x.s, SA(&a.in), &len));
	len = sizeof(a);
	EXPECT_ERR(EFAULT, getsockname(self->x.s, XT_BAD_PTR, &len));
	EXPECT_ERR(EFAULT, getsockname(self->x.s, SA(&a.in), XT_BAD_PTR));
	EXPECT_ERR(EFAULT, getpeername(self->x.s, XT_BAD_PTR, &len));
}

TEST_F(socket, names_agree)
{
	struct sockaddr_in cn, cp, sn, sp;
	socklen_t len = sizeof(cn);

	ASSERT_EQ(0, xt_pair(&self->x));
	ASSERT_EQ(0, getsockname(self->x.c, SA(&cn), &len));
	ASSERT_EQ(0, getpeername(self->x.c, SA(&cp), &len));
	ASSERT_EQ(0, getsockname(self->x.s, SA(&sn), &len));
	ASSERT_EQ(0, getpeername(self->x.s, SA(&sp), &len));
	EXPECT_EQ(0, memcmp(&cn, &sp, sizeof(cn)));
	EXPECT_EQ(0, memcmp(&cp, &sn, sizeof(cp)));
	EXPECT_EQ(AF_INET, cn.sin_family);
	EXPECT_EQ(self->x.addr.sin_port, cp.sin_port);
	EXPECT_EQ(htonl(INADDR_LOOPBACK), cn.sin_addr.s_addr);
}

TEST_F(socket, is_a_socket_file)
{
	int fd = xt_socket(&self->x, 0);
	struct stat st;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, fstat(fd, &st));
	EXPECT_TRUE(S_ISSOCK(st.st_mode));
	EXPECT_ERR(ESPIPE, lseek(fd, 0, SEEK_SET));
	EXPECT_ERR(ESPIPE, pread(fd, &st, 1, 0));
}

TEST_F(socket, many_opened_and_closed)
{
	int fd[200], i, round;

	for (round = 0; round < 5; round++) {
		for (i = 0; i < 200; i++) {
			fd[i] = xt_socket(&self->x, 0);
			ASSERT_LE(0, fd[i]);
		}
		for (i = 0; i < 200; i++)
			ASSERT_EQ(0, close(fd[i]));
	}
}

TEST_HARNESS_MAIN

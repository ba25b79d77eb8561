// SPDX-License-Identifier: GPL-2.0
/* Uses that are rare but legal, each of which once went wrong. */
#include "peer.h"
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>

XT_FIXTURE(odd);

#define PIECE	16
#define PIECES	200

/*
 * Two sockets of one task take their memory from the same page: written to in
 * turn, no piece of either continues the one before.  The cork makes one
 * segment of more pieces than a packet buffer has room for.
 */
TEST_F(odd, segment_of_many_pieces)
{
	uint8_t out[PIECE], in[PIECE * PIECES];
	int c[2], s[2], i, j;

	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, xt_pair(&self->x));
		c[i] = self->x.c;
		s[i] = self->x.s;
		ASSERT_EQ(0, xt_set(c[i], IPPROTO_TCP, TCP_CORK, 1));
		ASSERT_EQ(0, xt_set_time(s[i], SO_RCVTIMEO, XT_DEADLINE_MS));
	}
	for (j = 0; j < PIECES; j++) {
		for (i = 0; i < 2; i++) {
			xt_pattern(out, i, j * PIECE, PIECE);
			ASSERT_EQ(PIECE, write(c[i], out, PIECE));
		}
	}
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, xt_set(c[i], IPPROTO_TCP, TCP_CORK, 0));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(sizeof(in), xt_read_all(s[i], in, sizeof(in)));
		EXPECT_EQ(sizeof(in), xt_pattern_ok(in, i, 0, sizeof(in)));
	}
}

/*
 * A filter's verdict counts bytes from the transport header on.  What it cuts
 * off has not arrived: the peer sends it again, and again some of it passes.
 */
TEST_F(odd, filter_that_trims)
{
	struct sock_filter code[] = { BPF_STMT(BPF_RET | BPF_K, 60) };
	struct sock_fprog prog = { .len = 1, .filter = code };
	uint8_t out[100], in[100];
	ssize_t n, m;

	ASSERT_EQ(0, xt_pair(&self->x));
	ASSERT_EQ(0, setsockopt(self->x.s, SOL_SOCKET, SO_ATTACH_FILTER, &prog,
				sizeof(prog)));
	ASSERT_EQ(0, xt_set_time(self->x.s, SO_RCVTIMEO, XT_DEADLINE_MS));
	xt_pattern(out, 1, 0, sizeof(out));
	ASSERT_EQ(sizeof(out), write(self->x.c, out, sizeof(out)));
	n = recv(self->x.s, in, sizeof(in), 0);
	ASSERT_LT(0, n);
	ASSERT_GT((ssize_t)sizeof(in), n);
	EXPECT_EQ(n, xt_pattern_ok(in, 1, 0, n));
	m = xt_read_all(self->x.s, in + n, sizeof(in) - n);
	ASSERT_EQ((ssize_t)sizeof(in) - n, m);
	EXPECT_EQ(sizeof(in), xt_pattern_ok(in, 1, 0, sizeof(in)));
}

/*
 * The buffer pays for more than payload, so most of it cannot be reached in
 * payload: waiting for that would be for ever.
 */
TEST_F(odd, rcvlowat_above_what_fits)
{
	int buf;

	ASSERT_EQ(0, xt_pair(&self->x));
	buf = xt_get(self->x.s, SOL_SOCKET, SO_RCVBUF);
	ASSERT_LT(0, buf);
	ASSERT_EQ(0, xt_set(self->x.s, SOL_SOCKET, SO_RCVLOWAT, buf / 4 * 3));
	EXPECT_EQ(0, xt_poll_now(self->x.s) & POLLIN);
	ASSERT_LT(0, xt_fill(self->x.c));
	EXPECT_TRUE(xt_wait(self->x.s, POLLIN));
}

TEST_F(odd, rcvlowat_above_what_fits_a_fixed_buffer)
{
	int buf;

	ASSERT_EQ(0, xt_listen(&self->x, 4));
	ASSERT_EQ(0, xt_set(self->x.l, SOL_SOCKET, SO_RCVBUF, 32768));
	ASSERT_EQ(0, xt_pair(&self->x));
	buf = xt_get(self->x.s, SOL_SOCKET, SO_RCVBUF);
	ASSERT_LT(0, buf);
	ASSERT_EQ(0, xt_set(self->x.s, SOL_SOCKET, SO_RCVLOWAT, buf / 4 * 3));
	EXPECT_EQ(0, xt_poll_now(self->x.s) & POLLIN);
	ASSERT_LT(0, xt_fill(self->x.c));
	EXPECT_TRUE(xt_wait(self->x.s, POLLIN));
}

#define LEAST	128	/* bytes; SYNs and ACKs are shorter */

/*
 * Sees the flow hash of each segment that leaves by the peer's device, its
 * last six bits: recv() returns LEAST more than that.
 */
static int hash_watch(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, LEAST + 64, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, SKF_AD_OFF + SKF_AD_RXHASH),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 63),
		BPF_STMT(BPF_ALU | BPF_ADD | BPF_K, LEAST),
		BPF_STMT(BPF_RET | BPF_A, 0),
	};
	struct sock_fprog prog = { .len = 7, .filter = code };
	struct sockaddr_ll a = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = if_nametoindex("peer"),
	};
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog,
				 sizeof(prog)) ||
	    bind(fd, SA(&a), sizeof(a)))
		return -1;
	return fd;
}

static int hash_next(int fd)
{
	char b[LEAST + 64];

	return xt_wait(fd, POLLIN) ? recv(fd, b, sizeof(b), 0) : -1;
}

/* How often the hash changes in the first few retransmissions. */
static int hash_changes(struct xt *x, int rehash)
{
	char data[LEAST + 64] = "";
	int watch, fd, i, hash, last, n = 0;
	struct peer p;

	/* The route itself is not to be doubted so soon. */
	if (peer_open(&p, x) || xt_write_file(xt_sysctl(x, "retries1"), "100"))
		return -1;
	watch = hash_watch();
	fd = peer_connect(&p, x);
	if (watch < 0 || fd < 0 || xt_set(fd, SOL_SOCKET, SO_TXREHASH, rehash))
		return -1;
	if (send(fd, data, sizeof(data), 0) != sizeof(data))
		return -1;
	last = hash_next(watch);
	for (i = 0; i < 3 && last > 0; i++) {
		hash = hash_next(watch);
		n += hash != last;
		last = hash;
	}
	xt_linger(fd, 1, 0);
	close(fd);
	close(watch);
	return last > 0 ? n : -1;
}

/*
 * After a timeout a connection tries its luck with another hash: devices and
 * routers that spread flows by it may then take another path.
 */
TEST_F(odd, timeout_changes_hash)
{
	EXPECT_LT(0, hash_changes(&self->x, 1));
}

TEST_F(odd, timeout_keeps_hash)
{
	EXPECT_EQ(0, hash_changes(&self->x, 0));
}

TEST_HARNESS_MAIN

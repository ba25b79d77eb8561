// SPDX-License-Identifier: GPL-2.0
/* Uses that are rare but legal, each of which once went wrong. */
#include "api.h"
#include <linux/filter.h>

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

TEST_HARNESS_MAIN

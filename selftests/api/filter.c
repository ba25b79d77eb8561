// SPDX-License-Identifier: GPL-2.0
/*
 * Socket filters of a listener, before there is a connection: they see the
 * SYN and what meets its request, and the connection inherits them.  IPsec's
 * policy is asked at the same places.
 */
#include "peer.h"
#include <linux/filter.h>

FIXTURE(filter) {
	struct xt x;
	struct peer p;
};

FIXTURE_VARIANT(filter) {
	bool xtcp;
};

FIXTURE_VARIANT_ADD(filter, tcp) {
	.xtcp = false,
};

FIXTURE_VARIANT_ADD(filter, xtcp) {
	.xtcp = true,
};

#define PORT		7000
#define ELSEWHERE	9	/* nobody listens */

FIXTURE_SETUP(filter)
{
	struct peer *p = &self->p;

	self->x.xtcp = variant->xtcp;
	self->x.s = -1;
	if (variant->xtcp && access("/sys/module/xtcp", F_OK))
		SKIP(return, "xtcp.ko is not loaded");
	ASSERT_EQ(0, xt_new_netns());
	ASSERT_EQ(0, peer_open(p, &self->x));
	p->yours = PORT;
	p->port = 5000;
	p->snd = 1000;
	self->x.l = xt_socket(&self->x, SOCK_NONBLOCK);
	ASSERT_EQ(0, xt_bind(self->x.l, PEER_US, PORT));
	ASSERT_EQ(0, listen(self->x.l, 8));
}

/* The peer answers no FIN: no orphan is to be left. */
FIXTURE_TEARDOWN(filter)
{
	if (self->x.s >= 0 && !xt_linger(self->x.s, 1, 0))
		close(self->x.s);
}

/* Of segments with one of @flags the first @bytes are taken, 0: none is. */
static int attach(int fd, uint8_t flags, uint32_t bytes)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 13),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, flags, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, bytes),
		BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
	};
	struct sock_fprog prog = { .len = 4, .filter = code };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog,
			  sizeof(prog));
}

static int detach(int fd)
{
	return xt_set(fd, SOL_SOCKET, SO_DETACH_FILTER, 0);
}

/*
 * Nothing is on its way from the port: the RST of a port where nobody listens,
 * asked for later, would have come later.
 */
static bool silent(struct peer *p)
{
	struct peer other = *p;
	bool quiet = true;

	other.yours = ELSEWHERE;
	if (!peer_send_at(&other, PEER_ACK, 1, 1, 0))
		return false;
	while (peer_hear(&other, XT_DEADLINE_MS)) {
		if (other.yours == ELSEWHERE)
			return quiet;
		quiet = false;
	}
	return false;
}

/* A SYN and its SYN-ACK; the final ACK is left to the test. */
static bool requested(struct peer *p)
{
	if (!peer_send(p, PEER_SYN, 0) ||
	    !peer_expect(p, PEER_SYN | PEER_ACK))
		return false;
	peer_take(p);
	return true;
}

/* The connection is there at once, or it never is. */
static int accepted(struct xt *x)
{
	x->s = xt_wait(x->l, POLLIN) ? accept(x->l, NULL, NULL) : -1;
	return x->s;
}

static bool none_accepted(struct xt *x)
{
	return accept(x->l, NULL, NULL) < 0 && errno == EAGAIN;
}

TEST_F(filter, syn)
{
	ASSERT_EQ(0, attach(self->x.l, PEER_SYN, 0));
	ASSERT_TRUE(peer_send_at(&self->p, PEER_SYN, 1000, 0, 0));
	EXPECT_TRUE(silent(&self->p));
	ASSERT_EQ(0, detach(self->x.l));
	ASSERT_TRUE(requested(&self->p));
	ASSERT_TRUE(peer_send(&self->p, PEER_ACK, 0));
	EXPECT_LE(0, accepted(&self->x));
}

/* The request stays, and the next ACK makes it a connection. */
TEST_F(filter, final_ack)
{
	long long began = xt_now_ms();

	ASSERT_TRUE(requested(&self->p));
	ASSERT_EQ(0, attach(self->x.l, PEER_ACK, 0));
	ASSERT_TRUE(peer_send(&self->p, PEER_ACK, 0));
	/* After a second the SYN-ACK repeats itself. */
	EXPECT_TRUE(silent(&self->p) || xt_now_ms() - began > 900);
	EXPECT_TRUE(none_accepted(&self->x));
	/* It is still asking. */
	EXPECT_TRUE(peer_expect(&self->p, PEER_SYN | PEER_ACK));
	ASSERT_EQ(0, detach(self->x.l));
	ASSERT_TRUE(peer_send(&self->p, PEER_ACK, 0));
	EXPECT_LE(0, accepted(&self->x));
}

/* The same with a cookie, which no request stands for. */
TEST_F(filter, cookie_ack)
{
	ASSERT_EQ(0, xt_write_file(xt_sysctl(&self->x, "syncookies"), "2"));
	ASSERT_TRUE(requested(&self->p));
	ASSERT_EQ(0, attach(self->x.l, PEER_ACK, 0));
	ASSERT_TRUE(peer_send(&self->p, PEER_ACK, 0));
	EXPECT_TRUE(silent(&self->p));
	EXPECT_TRUE(none_accepted(&self->x));
	ASSERT_EQ(0, detach(self->x.l));
	ASSERT_TRUE(peer_send(&self->p, PEER_ACK, 0));
	EXPECT_LE(0, accepted(&self->x));
}

/* A RST that the filter takes does not end the request. */
TEST_F(filter, rst)
{
	ASSERT_TRUE(requested(&self->p));
	ASSERT_EQ(0, attach(self->x.l, PEER_RST, 0));
	ASSERT_TRUE(peer_send(&self->p, PEER_RST, 0));
	ASSERT_EQ(0, detach(self->x.l));
	ASSERT_TRUE(peer_send(&self->p, PEER_ACK, 0));
	EXPECT_LE(0, accepted(&self->x));
}

/* Nor is a SYN that it takes answered again. */
TEST_F(filter, syn_again)
{
	ASSERT_TRUE(requested(&self->p));
	ASSERT_EQ(0, attach(self->x.l, PEER_SYN, 0));
	ASSERT_TRUE(peer_send_at(&self->p, PEER_SYN, 1000, 0, 0));
	EXPECT_TRUE(silent(&self->p));
	ASSERT_EQ(0, detach(self->x.l));
	ASSERT_TRUE(peer_send_at(&self->p, PEER_SYN, 1000, 0, 0));
	EXPECT_TRUE(peer_expect(&self->p, PEER_SYN | PEER_ACK));
}

/* What comes with the final ACK is cut to what the filter lets through. */
TEST_F(filter, final_ack_cut)
{
	char b[16];

	ASSERT_TRUE(requested(&self->p));
	ASSERT_EQ(0, attach(self->x.l, PEER_ACK, 24));
	ASSERT_TRUE(peer_send(&self->p, PEER_ACK | PEER_PSH, 10));
	ASSERT_LE(0, accepted(&self->x));
	EXPECT_TRUE(xt_wait(self->x.s, POLLIN));
	EXPECT_EQ(4, recv(self->x.s, b, sizeof(b), MSG_DONTWAIT));
	/* Nothing of the rest has come. */
	ASSERT_TRUE(peer_expect(&self->p, PEER_ACK));
	EXPECT_EQ(1001 + 4, self->p.ack);
}

/* It is the connection's own: what becomes of the listener's is nothing to it. */
TEST_F(filter, inherited)
{
	char b[16];

	ASSERT_EQ(0, attach(self->x.l, PEER_PSH, 0));
	ASSERT_TRUE(requested(&self->p));
	ASSERT_TRUE(peer_send(&self->p, PEER_ACK, 0));
	ASSERT_LE(0, accepted(&self->x));
	ASSERT_EQ(0, detach(self->x.l));
	ASSERT_TRUE(peer_send(&self->p, PEER_ACK | PEER_PSH, 10));
	EXPECT_TRUE(silent(&self->p));
	EXPECT_EQ(-1, recv(self->x.s, b, sizeof(b), MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
	ASSERT_EQ(0, detach(self->x.s));
	EXPECT_EQ(-1, detach(self->x.s));
	EXPECT_EQ(ENOENT, errno);
	self->p.snd -= 10;
	ASSERT_TRUE(peer_send(&self->p, PEER_ACK | PEER_PSH, 10));
	EXPECT_TRUE(xt_wait(self->x.s, POLLIN));
	EXPECT_EQ(10, recv(self->x.s, b, sizeof(b), MSG_DONTWAIT));
}

/* One that is locked stays, and the connections of the listener have it too. */
TEST_F(filter, locked)
{
	ASSERT_EQ(0, attach(self->x.l, PEER_RST, 0));
	ASSERT_EQ(0, xt_set(self->x.l, SOL_SOCKET, SO_LOCK_FILTER, 1));
	EXPECT_EQ(-1, detach(self->x.l));
	EXPECT_EQ(EPERM, errno);
	ASSERT_TRUE(requested(&self->p));
	ASSERT_TRUE(peer_send(&self->p, PEER_ACK, 0));
	ASSERT_LE(0, accepted(&self->x));
	EXPECT_EQ(-1, detach(self->x.s));
	EXPECT_EQ(EPERM, errno);
	/* So it cannot be reset. */
	ASSERT_TRUE(peer_send(&self->p, PEER_RST, 0));
	EXPECT_TRUE(silent(&self->p));
	EXPECT_EQ(0, xt_error(self->x.s));
	EXPECT_EQ(1, send(self->x.s, "x", 1, MSG_NOSIGNAL));
	EXPECT_TRUE(peer_expect_data(&self->p));
}

/* Nothing is to be taken from the peer; false: no IPsec here. */
static bool policy(bool block)
{
	return !system(block ?
		       "ip xfrm policy add dir in src " PEER_IP
		       " action block 2>/dev/null" :
		       "ip xfrm policy del dir in src " PEER_IP);
}

/* The SYN, the final ACK, data: each in vain, and then not. */
TEST_F(filter, policy)
{
	char b[16];

	if (!policy(true))
		SKIP(return, "no policies");
	ASSERT_TRUE(peer_send_at(&self->p, PEER_SYN, 1000, 0, 0));
	EXPECT_FALSE(peer_hear(&self->p, 100));
	ASSERT_TRUE(policy(false));
	ASSERT_TRUE(requested(&self->p));
	ASSERT_TRUE(policy(true));
	ASSERT_TRUE(peer_send(&self->p, PEER_ACK, 0));
	EXPECT_TRUE(none_accepted(&self->x));
	ASSERT_TRUE(policy(false));
	ASSERT_TRUE(peer_send(&self->p, PEER_ACK, 0));
	ASSERT_LE(0, accepted(&self->x));
	ASSERT_TRUE(policy(true));
	ASSERT_TRUE(peer_send(&self->p, PEER_ACK | PEER_PSH, 10));
	EXPECT_EQ(-1, recv(self->x.s, b, sizeof(b), MSG_DONTWAIT));
	ASSERT_TRUE(policy(false));
	self->p.snd -= 10;
	ASSERT_TRUE(peer_send(&self->p, PEER_ACK | PEER_PSH, 10));
	EXPECT_TRUE(xt_wait(self->x.s, POLLIN));
	EXPECT_EQ(10, recv(self->x.s, b, sizeof(b), MSG_DONTWAIT));
}

TEST_HARNESS_MAIN

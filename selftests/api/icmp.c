// SPDX-License-Identifier: GPL-2.0
/*
 * News from below: what an ICMP error means for a connection in each state,
 * told by a peer that forges it.
 */
#include "peer.h"

FIXTURE(icmp) {
	struct xt x;
	struct peer p;
};
FIXTURE_VARIANT(icmp) {
	bool xtcp;
};
FIXTURE_VARIANT_ADD(icmp, tcp) {
	.xtcp = false,
};
FIXTURE_VARIANT_ADD(icmp, xtcp) {
	.xtcp = true,
};

FIXTURE_SETUP(icmp)
{
	self->x.xtcp = variant->xtcp;
	self->x.l = self->x.c = self->x.s = -1;
	if (variant->xtcp && access("/sys/module/xtcp", F_OK))
		SKIP(return, "xtcp.ko is not loaded");
	ASSERT_EQ(0, xt_new_netns());
	if (peer_open(&self->p, &self->x))
		SKIP(return, "no TUN device: %s", strerror(errno));
}

FIXTURE_TEARDOWN(icmp)
{
}

static const struct {
	int type, code, err;
} opening_errors[] = {
	{ ICMP_DEST_UNREACH, ICMP_NET_UNREACH, ENETUNREACH },
	{ ICMP_DEST_UNREACH, ICMP_HOST_UNREACH, EHOSTUNREACH },
	{ ICMP_DEST_UNREACH, ICMP_PROT_UNREACH, ENOPROTOOPT },
	{ ICMP_DEST_UNREACH, ICMP_PORT_UNREACH, ECONNREFUSED },
	{ ICMP_DEST_UNREACH, ICMP_SR_FAILED, EOPNOTSUPP },
	{ ICMP_DEST_UNREACH, ICMP_NET_UNKNOWN, ENETUNREACH },
	{ ICMP_DEST_UNREACH, ICMP_HOST_UNKNOWN, EHOSTDOWN },
	{ ICMP_DEST_UNREACH, ICMP_HOST_ISOLATED, ENONET },
	{ ICMP_DEST_UNREACH, ICMP_NET_ANO, ENETUNREACH },
	{ ICMP_DEST_UNREACH, ICMP_HOST_ANO, EHOSTUNREACH },
	{ ICMP_DEST_UNREACH, ICMP_NET_UNR_TOS, ENETUNREACH },
	{ ICMP_DEST_UNREACH, ICMP_HOST_UNR_TOS, EHOSTUNREACH },
	{ ICMP_DEST_UNREACH, ICMP_PKT_FILTERED, EHOSTUNREACH },
	{ ICMP_DEST_UNREACH, ICMP_PREC_VIOLATION, EHOSTUNREACH },
	{ ICMP_DEST_UNREACH, ICMP_PREC_CUTOFF, EHOSTUNREACH },
	{ ICMP_TIME_EXCEEDED, ICMP_EXC_TTL, EHOSTUNREACH },
	{ ICMP_PARAMETERPROB, 0, EPROTO },
};

TEST_F(icmp, opening)
{
	size_t i;

	/* Nothing is soft while a connection is being opened. */
	for (i = 0; i < sizeof(opening_errors) / sizeof(*opening_errors); i++) {
		int fd = peer_dial(&self->p, &self->x);

		ASSERT_LE(0, fd);
		ASSERT_TRUE(peer_icmp(&self->p, opening_errors[i].type,
				      opening_errors[i].code, 0));
		ASSERT_TRUE(xt_wait(fd, POLLERR));
		EXPECT_EQ(opening_errors[i].err, xt_error(fd)) {
			TH_LOG("type %d code %d", opening_errors[i].type,
			       opening_errors[i].code);
		}
		close(fd);
	}
}

TEST_F(icmp, opening_ignored)
{
	int fd = peer_dial(&self->p, &self->x);

	ASSERT_LE(0, fd);
	EXPECT_TRUE(peer_icmp(&self->p, ICMP_SOURCE_QUENCH, 0, 0));
	EXPECT_TRUE(peer_icmp(&self->p, ICMP_DEST_UNREACH, 16, 0));
	EXPECT_TRUE(peer_icmp(&self->p, ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED,
			      1300));
	EXPECT_EQ(POLLOUT | POLLERR | POLLHUP,
		  xt_poll_now(fd) | POLLOUT | POLLERR | POLLHUP);
	EXPECT_TRUE(peer_answer(&self->p, fd));
	EXPECT_EQ(0, xt_error(fd));
	close(fd);
}

TEST_F(icmp, opening_out_of_window)
{
	static const int off[] = { -1, 2, 1000000, -1000000 };
	int fd = peer_dial(&self->p, &self->x);
	long before = xt_counter(&self->x, "OutOfWindowIcmps");
	size_t i;

	ASSERT_LE(0, fd);
	for (i = 0; i < 4; i++)
		EXPECT_TRUE(peer_icmp_from(&self->p, PEER_ROUTER,
					   ICMP_DEST_UNREACH,
					   ICMP_PORT_UNREACH, 0, off[i]));
	EXPECT_EQ(before + 4, xt_counter(&self->x, "OutOfWindowIcmps"));
	EXPECT_TRUE(peer_answer(&self->p, fd));
	EXPECT_EQ(0, xt_error(fd));
	close(fd);
	/* One behind the SYN is still between snd_una and snd_nxt. */
	fd = peer_dial(&self->p, &self->x);
	ASSERT_LE(0, fd);
	EXPECT_TRUE(peer_icmp_from(&self->p, PEER_ROUTER, ICMP_DEST_UNREACH,
				   ICMP_PORT_UNREACH, 0, 1));
	EXPECT_TRUE(xt_wait(fd, POLLERR));
	EXPECT_EQ(ECONNREFUSED, xt_error(fd));
}

struct dialler {
	struct xt *x;
	volatile pid_t tid;
};

/* A connect() that sleeps is woken with the error. */
static void *dial_blocking(void *arg)
{
	struct dialler *d = arg;
	int fd = xt_socket(d->x, 0);
	long err;

	d->tid = gettid();
	err = xt_connect(fd, PEER_IP, PEER_PORT) ? errno : 0;
	close(fd);
	return (void *)err;
}

TEST_F(icmp, opening_blocking)
{
	struct dialler d = { .x = &self->x };
	pthread_t t;
	void *err;

	ASSERT_EQ(0, pthread_create(&t, NULL, dial_blocking, &d));
	ASSERT_TRUE(peer_expect(&self->p, PEER_SYN));
	/* Before it sleeps the socket is its own: ICMP would go unheard. */
	ASSERT_TRUE(XT_UNTIL(xt_asleep(d.tid)));
	ASSERT_TRUE(peer_icmp(&self->p, ICMP_DEST_UNREACH, ICMP_PROT_UNREACH,
			      0));
	ASSERT_EQ(0, pthread_join(t, &err));
	EXPECT_EQ(ENOPROTOOPT, (long)err);
}

/* Data that is never acknowledged: the error the connection ends with. */
static int end_error(int fd)
{
	return xt_wait(fd, POLLERR) ? xt_error(fd) : -1;
}

TEST_F(icmp, soft)
{
	static const struct {
		int type, code, err;
	} soft[] = {
		{ ICMP_DEST_UNREACH, ICMP_HOST_UNREACH, EHOSTUNREACH },
		{ ICMP_DEST_UNREACH, ICMP_PROT_UNREACH, ENOPROTOOPT },
		{ ICMP_TIME_EXCEEDED, ICMP_EXC_TTL, EHOSTUNREACH },
		{ ICMP_PARAMETERPROB, 0, EPROTO },
		{ ICMP_SOURCE_QUENCH, 0, ETIMEDOUT },
	};
	size_t i;
	char b;

	for (i = 0; i < sizeof(soft) / sizeof(*soft); i++) {
		int fd = peer_connect(&self->p, &self->x);

		ASSERT_LE(0, fd);
		ASSERT_EQ(0, xt_set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 700));
		ASSERT_EQ(1, write(fd, "x", 1));
		ASSERT_TRUE(peer_expect(&self->p, PEER_ACK));
		ASSERT_TRUE(peer_icmp(&self->p, soft[i].type, soft[i].code, 0));
		EXPECT_EQ(0, xt_poll_now(fd) & POLLERR);
		EXPECT_ERR(EAGAIN, recv(fd, &b, 1, MSG_DONTWAIT));
		EXPECT_EQ(soft[i].err, end_error(fd));
		close(fd);
	}
}

TEST_F(icmp, soft_asked_for)
{
	int fd = peer_connect(&self->p, &self->x);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, xt_set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 700));
	ASSERT_EQ(1, write(fd, "x", 1));
	ASSERT_TRUE(peer_expect_data(&self->p));
	ASSERT_TRUE(peer_icmp(&self->p, ICMP_DEST_UNREACH, ICMP_HOST_UNREACH,
			      0));
	/* SO_ERROR tells it, and takes it. */
	EXPECT_EQ(EHOSTUNREACH, xt_error(fd));
	EXPECT_EQ(0, xt_error(fd));
	EXPECT_EQ(ETIMEDOUT, end_error(fd));
}

TEST_F(icmp, soft_forgotten)
{
	int fd = peer_connect(&self->p, &self->x);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, xt_set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 700));
	ASSERT_EQ(1, write(fd, "x", 1));
	ASSERT_TRUE(peer_expect(&self->p, PEER_ACK));
	ASSERT_TRUE(peer_icmp(&self->p, ICMP_DEST_UNREACH, ICMP_HOST_UNREACH,
			      0));
	/* An ACK shows that it has passed. */
	ASSERT_TRUE(peer_ack(&self->p));
	ASSERT_EQ(1, write(fd, "y", 1));
	EXPECT_EQ(ETIMEDOUT, end_error(fd));
}

TEST_F(icmp, established_out_of_window)
{
	int fd = peer_connect(&self->p, &self->x);
	long before = xt_counter(&self->x, "OutOfWindowIcmps");

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, xt_set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 700));
	ASSERT_EQ(0, xt_set(fd, IPPROTO_IP, IP_RECVERR, 1));
	ASSERT_EQ(4, write(fd, "four", 4));
	ASSERT_TRUE(peer_expect_data(&self->p));
	EXPECT_TRUE(peer_icmp_from(&self->p, PEER_ROUTER, ICMP_DEST_UNREACH,
				   ICMP_HOST_UNREACH, 0, -1));
	EXPECT_TRUE(peer_icmp_from(&self->p, PEER_ROUTER, ICMP_DEST_UNREACH,
				   ICMP_HOST_UNREACH, 0, 5));
	EXPECT_TRUE(peer_icmp_from(&self->p, PEER_ROUTER, ICMP_DEST_UNREACH,
				   ICMP_FRAG_NEEDED, 600, -1));
	EXPECT_EQ(before + 3, xt_counter(&self->x, "OutOfWindowIcmps"));
	EXPECT_EQ(1500, xt_get(fd, IPPROTO_IP, IP_MTU));
	EXPECT_EQ(ETIMEDOUT, end_error(fd));
}

TEST_F(icmp, recverr_established)
{
	int fd = peer_connect(&self->p, &self->x);
	char b[64];

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, xt_set(fd, IPPROTO_IP, IP_RECVERR, 1));
	ASSERT_EQ(1, write(fd, "x", 1));
	ASSERT_TRUE(peer_expect(&self->p, PEER_ACK));
	/* Hard or soft, it is told at once; the connection lives. */
	ASSERT_TRUE(peer_icmp(&self->p, ICMP_DEST_UNREACH, ICMP_HOST_UNREACH,
			      0));
	ASSERT_TRUE(xt_wait(fd, POLLERR));
	EXPECT_ERR(EHOSTUNREACH, read(fd, b, 1));
	EXPECT_EQ(0, xt_poll_now(fd) & POLLERR);
	EXPECT_ERR(EAGAIN, recv(fd, b, sizeof(b), MSG_ERRQUEUE));
	ASSERT_TRUE(peer_ack(&self->p));
	ASSERT_TRUE(peer_send(&self->p, PEER_ACK | PEER_PSH, 3));
	EXPECT_EQ(3, read(fd, b, sizeof(b)));
	EXPECT_EQ(1, write(fd, "y", 1));
	close(fd);
}

TEST_F(icmp, recverr_opening)
{
	char b[64], ctl[256];
	struct iovec v = { b, sizeof(b) };
	struct sockaddr_in name, *offender;
	struct msghdr m = {
		.msg_name = &name, .msg_namelen = sizeof(name),
		.msg_iov = &v, .msg_iovlen = 1,
		.msg_control = ctl, .msg_controllen = sizeof(ctl),
	};
	struct sock_extended_err *ee;
	struct cmsghdr *c;
	int fd = xt_socket(&self->x, SOCK_NONBLOCK);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, xt_set(fd, IPPROTO_IP, IP_RECVERR, 1));
	ASSERT_EQ(fd, peer_dial_ip(&self->p, &self->x, PEER_IP, fd));
	EXPECT_ERR(EAGAIN, recv(fd, b, sizeof(b), MSG_ERRQUEUE));
	ASSERT_TRUE(peer_icmp(&self->p, ICMP_DEST_UNREACH, ICMP_PKT_FILTERED,
			      0));
	ASSERT_TRUE(xt_wait(fd, POLLERR));
	EXPECT_EQ(EHOSTUNREACH, xt_error(fd));
	/* The queue keeps POLLERR up until it is read. */
	EXPECT_EQ(POLLERR, xt_poll_now(fd) & POLLERR);
	ASSERT_EQ(8, recvmsg(fd, &m, MSG_ERRQUEUE));
	EXPECT_EQ(MSG_ERRQUEUE, m.msg_flags);
	EXPECT_EQ(sizeof(name), m.msg_namelen);
	EXPECT_EQ(AF_INET, name.sin_family);
	EXPECT_EQ(inet_addr(PEER_IP), name.sin_addr.s_addr);
	EXPECT_EQ(htons(PEER_PORT), name.sin_port);
	c = CMSG_FIRSTHDR(&m);
	ASSERT_NE(NULL, c);
	EXPECT_EQ(IPPROTO_IP, c->cmsg_level);
	EXPECT_EQ(IP_RECVERR, c->cmsg_type);
	ee = (void *)CMSG_DATA(c);
	EXPECT_EQ(EHOSTUNREACH, (int)ee->ee_errno);
	EXPECT_EQ(SO_EE_ORIGIN_ICMP, ee->ee_origin);
	EXPECT_EQ(ICMP_DEST_UNREACH, ee->ee_type);
	EXPECT_EQ(ICMP_PKT_FILTERED, ee->ee_code);
	offender = (void *)SO_EE_OFFENDER(ee);
	EXPECT_EQ(AF_INET, offender->sin_family);
	EXPECT_EQ(inet_addr(PEER_ROUTER), offender->sin_addr.s_addr);
	EXPECT_EQ(0, xt_poll_now(fd) & POLLERR);
	EXPECT_ERR(EAGAIN, recvmsg(fd, &m, MSG_ERRQUEUE));
}

/* A request in the SYN queue, its SYN-ACK heard. */
static bool half_open(struct peer *p, struct xt *x)
{
	x->l = xt_socket(x, SOCK_NONBLOCK);
	if (x->l < 0 || xt_bind(x->l, PEER_US, 0) || listen(x->l, 4))
		return false;
	p->yours = xt_port(x->l);
	p->port = 4000;
	p->snd = 5000;
	if (!peer_send(p, PEER_SYN, 0) || !peer_expect(p, PEER_SYN | PEER_ACK))
		return false;
	peer_take(p);
	return true;
}

TEST_F(icmp, request_dropped)
{
	ASSERT_TRUE(half_open(&self->p, &self->x));
	ASSERT_TRUE(peer_icmp(&self->p, ICMP_DEST_UNREACH, ICMP_HOST_UNREACH,
			      0));
	/* Nobody knows the final ACK any more. */
	ASSERT_TRUE(peer_send(&self->p, PEER_ACK, 0));
	EXPECT_TRUE(peer_expect(&self->p, PEER_RST));
	EXPECT_ERR(EAGAIN, accept(self->x.l, NULL, NULL));
	EXPECT_EQ(0, xt_error(self->x.l));
}

TEST_F(icmp, request_kept)
{
	long before = xt_counter(&self->x, "OutOfWindowIcmps");

	ASSERT_TRUE(half_open(&self->p, &self->x));
	EXPECT_TRUE(peer_icmp(&self->p, ICMP_DEST_UNREACH, ICMP_PORT_UNREACH,
			      0));
	EXPECT_TRUE(peer_icmp(&self->p, ICMP_DEST_UNREACH, ICMP_PROT_UNREACH,
			      0));
	EXPECT_TRUE(peer_icmp(&self->p, ICMP_SOURCE_QUENCH, 0, 0));
	EXPECT_TRUE(peer_icmp_from(&self->p, PEER_ROUTER, ICMP_DEST_UNREACH,
				   ICMP_HOST_UNREACH, 0, 1));
	EXPECT_EQ(before + 1, xt_counter(&self->x, "OutOfWindowIcmps"));
	ASSERT_TRUE(peer_send(&self->p, PEER_ACK, 0));
	ASSERT_TRUE(xt_wait(self->x.l, POLLIN));
	self->x.s = accept(self->x.l, NULL, NULL);
	EXPECT_LE(0, self->x.s);
	EXPECT_EQ(0, xt_error(self->x.s));
	close(self->x.s);
}

TEST_F(icmp, time_wait_ignored)
{
	int fd = peer_connect(&self->p, &self->x);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, close(fd));
	ASSERT_TRUE(peer_expect(&self->p, PEER_FIN | PEER_ACK));
	peer_take(&self->p);
	ASSERT_TRUE(peer_send(&self->p, PEER_FIN | PEER_ACK, 0));
	ASSERT_TRUE(peer_expect(&self->p, PEER_ACK));
	EXPECT_TRUE(peer_icmp(&self->p, ICMP_DEST_UNREACH, ICMP_HOST_UNREACH,
			      0));
	EXPECT_TRUE(peer_icmp(&self->p, ICMP_PARAMETERPROB, 0, 0));
	/* It is still there: the FIN is answered, not refused. */
	self->p.snd--;
	ASSERT_TRUE(peer_send(&self->p, PEER_FIN | PEER_ACK, 0));
	EXPECT_TRUE(peer_expect(&self->p, PEER_ACK));
}

/*
 * A connection whose path takes so long that its retransmission timer waits
 * for more than a second: none of these tests is to meet it.
 */
static int far_connect(struct peer *p, const struct xt *x)
{
	int fd = peer_dial(p, x);

	usleep(400000);
	return fd >= 0 && peer_answer(p, fd) ? fd : -1;
}

/* How often the retransmission timer has fired since the last progress. */
static int timeouts(int fd)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len))
		return -1;
	return info.tcpi_retransmits;
}

TEST_F(icmp, frag_needed)
{
	static char buf[1460];
	int fd = far_connect(&self->p, &self->x);

	ASSERT_LE(0, fd);
	ASSERT_EQ(1460, write(fd, buf, 1460));
	ASSERT_TRUE(peer_expect(&self->p, PEER_ACK));
	ASSERT_EQ(1460, self->p.payload);
	EXPECT_EQ(0x40, self->p.pkt[6] & 0x40);
	ASSERT_TRUE(peer_icmp(&self->p, ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED,
			      1000));
	/* Sent again at once, not when the timer says. */
	ASSERT_TRUE(peer_hear(&self->p, XT_DEADLINE_MS));
	EXPECT_EQ(0, timeouts(fd));
	EXPECT_EQ(960, self->p.payload);
	EXPECT_EQ(1000, xt_get(fd, IPPROTO_IP, IP_MTU));
	EXPECT_EQ(960, xt_get(fd, IPPROTO_TCP, TCP_MAXSEG));
	/* Wider again would be news from a liar. */
	ASSERT_TRUE(peer_icmp(&self->p, ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED,
			      1400));
	EXPECT_EQ(1000, xt_get(fd, IPPROTO_IP, IP_MTU));
	close(fd);
}

TEST_F(icmp, frag_needed_below_min)
{
	static char buf[1460];
	int fd = far_connect(&self->p, &self->x);

	ASSERT_LE(0, fd);
	ASSERT_EQ(1460, write(fd, buf, 1460));
	ASSERT_TRUE(peer_expect(&self->p, PEER_ACK));
	ASSERT_TRUE(peer_icmp(&self->p, ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED,
			      100));
	/* The route's floor, and routers may fragment from now on. */
	ASSERT_TRUE(peer_hear(&self->p, XT_DEADLINE_MS));
	EXPECT_EQ(552 - 40, self->p.payload);
	EXPECT_EQ(0, self->p.pkt[6] & 0x40);
	EXPECT_EQ(552, xt_get(fd, IPPROTO_IP, IP_MTU));
	close(fd);
}

TEST_F(icmp, frag_needed_unwanted)
{
	static const int how[] = { IP_PMTUDISC_DONT, IP_PMTUDISC_INTERFACE };
	static const char *const ip[] = { "10.99.0.12", "10.99.0.13" };
	static char buf[1460];
	int i, fd;

	for (i = 0; i < 2; i++) {
		fd = peer_dial_ip(&self->p, &self->x, ip[i], -1);
		ASSERT_LE(0, fd);
		ASSERT_TRUE(peer_answer(&self->p, fd));
		ASSERT_EQ(0, xt_set(fd, IPPROTO_IP, IP_MTU_DISCOVER, how[i]));
		ASSERT_EQ(1460, write(fd, buf, 1460));
		ASSERT_TRUE(peer_expect(&self->p, PEER_ACK));
		EXPECT_EQ(0, self->p.pkt[6] & 0x40);
		ASSERT_TRUE(peer_icmp(&self->p, ICMP_DEST_UNREACH,
				      ICMP_FRAG_NEEDED, 1000));
		/* Believed by the route, no reason to send again for us. */
		EXPECT_TRUE(!peer_hear(&self->p, 100) || timeouts(fd));
		xt_linger(fd, 1, 0);
		close(fd);
	}
}

TEST_F(icmp, frag_needed_maxseg)
{
	static char buf[1460];
	int fd = xt_socket(&self->x, SOCK_NONBLOCK);

	ASSERT_EQ(0, xt_set(fd, IPPROTO_TCP, TCP_MAXSEG, 700));
	ASSERT_EQ(fd, peer_dial_ip(&self->p, &self->x, PEER_IP, fd));
	ASSERT_TRUE(peer_answer(&self->p, fd));
	EXPECT_EQ(700, xt_get(fd, IPPROTO_TCP, TCP_MAXSEG));
	ASSERT_EQ(700, write(fd, buf, 700));
	ASSERT_TRUE(peer_expect(&self->p, PEER_ACK));
	ASSERT_EQ(700, self->p.payload);
	/* Smaller than the MTU, larger than the limit: no change. */
	ASSERT_TRUE(peer_icmp(&self->p, ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED,
			      1000));
	EXPECT_EQ(700, xt_get(fd, IPPROTO_TCP, TCP_MAXSEG));
	ASSERT_TRUE(peer_icmp(&self->p, ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED,
			      600));
	EXPECT_EQ(560, xt_get(fd, IPPROTO_TCP, TCP_MAXSEG));
	/* Set later it is for the next connection. */
	EXPECT_EQ(0, xt_set(fd, IPPROTO_TCP, TCP_MAXSEG, 400));
	ASSERT_TRUE(peer_icmp(&self->p, ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED,
			      590));
	EXPECT_EQ(550, xt_get(fd, IPPROTO_TCP, TCP_MAXSEG));
	close(fd);
}

static bool route_via(const char *ip, const char *gw)
{
	char cmd[128];

	snprintf(cmd, sizeof(cmd),
		 "ip route get %s | grep -q 'via %s '", ip, gw);
	return !system(cmd);
}

TEST_F(icmp, redirect)
{
	const char *far = "10.77.0.2", *gw = "10.99.0.4";
	uint32_t new_gw = peer_ip(gw);
	int fd;

	if (system("ip route add 10.77.0.0/16 via " PEER_ROUTER " dev peer"))
		SKIP(return, "no ip(8)");
	fd = peer_dial_ip(&self->p, &self->x, far, -1);
	ASSERT_LE(0, fd);
	ASSERT_TRUE(peer_answer(&self->p, fd));
	ASSERT_EQ(1, write(fd, "x", 1));
	ASSERT_TRUE(peer_expect(&self->p, PEER_ACK));
	ASSERT_TRUE(route_via(far, PEER_ROUTER));
	/* Out of window nobody is led astray. */
	ASSERT_TRUE(peer_icmp_from(&self->p, PEER_ROUTER, ICMP_REDIRECT,
				   ICMP_REDIR_HOST, new_gw, -1));
	EXPECT_TRUE(route_via(far, PEER_ROUTER));
	ASSERT_TRUE(peer_icmp_from(&self->p, PEER_ROUTER, ICMP_REDIRECT,
				   ICMP_REDIR_HOST, new_gw, 0));
	EXPECT_TRUE(route_via(far, gw));
	ASSERT_TRUE(peer_ack(&self->p));
	EXPECT_EQ(1, write(fd, "y", 1));
	EXPECT_TRUE(peer_expect(&self->p, PEER_ACK));
	close(fd);
}

TEST_F(icmp, min_ttl)
{
	long before = xt_counter(&self->x, "TCPMinTTLDrop");
	int fd = peer_connect(&self->p, &self->x);
	char b[8];

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, xt_set(fd, IPPROTO_IP, IP_MINTTL, 255));
	ASSERT_TRUE(peer_send(&self->p, PEER_ACK | PEER_PSH, 3));
	self->p.snd -= 3;
	EXPECT_EQ(before + 1, xt_counter(&self->x, "TCPMinTTLDrop"));
	EXPECT_ERR(EAGAIN, recv(fd, b, 8, MSG_DONTWAIT));
	self->p.ttl = 255;
	ASSERT_TRUE(peer_send(&self->p, PEER_ACK | PEER_PSH, 3));
	EXPECT_EQ(3, recv(fd, b, 8, 0));
	/* What an error quotes has come a long way as well. */
	ASSERT_EQ(0, xt_set(fd, IPPROTO_IP, IP_RECVERR, 1));
	ASSERT_EQ(1, write(fd, "x", 1));
	ASSERT_TRUE(peer_expect_data(&self->p));
	self->p.pkt[8] = 60;
	ASSERT_TRUE(peer_icmp(&self->p, ICMP_DEST_UNREACH, ICMP_HOST_UNREACH,
			      0));
	EXPECT_EQ(before + 2, xt_counter(&self->x, "TCPMinTTLDrop"));
	EXPECT_EQ(0, xt_error(fd));
	close(fd);
}

TEST_F(icmp, ttl_tos)
{
	int fd = xt_socket(&self->x, SOCK_NONBLOCK);

	ASSERT_EQ(0, xt_set(fd, IPPROTO_IP, IP_TTL, 7));
	ASSERT_EQ(0, xt_set(fd, IPPROTO_IP, IP_TOS, 0x48));
	ASSERT_EQ(fd, peer_dial_ip(&self->p, &self->x, PEER_IP, fd));
	EXPECT_EQ(7, self->p.pkt[8]);
	EXPECT_EQ(0x48, self->p.pkt[1]);
	ASSERT_TRUE(peer_answer(&self->p, fd));
	EXPECT_EQ(7, self->p.pkt[8]);
	EXPECT_EQ(0x48, self->p.pkt[1]);
	/* What refuses a segment has that segment's TOS, without ECN. */
	self->p.tos = 0x33;
	ASSERT_EQ(0, close(fd));
	ASSERT_TRUE(peer_expect(&self->p, PEER_FIN | PEER_ACK));
	ASSERT_TRUE(peer_ack(&self->p));
	ASSERT_TRUE(peer_send(&self->p, PEER_ACK, 1));
	ASSERT_TRUE(peer_expect(&self->p, PEER_RST));
	EXPECT_EQ(0x30, self->p.pkt[1]);
	EXPECT_EQ(64, self->p.pkt[8]);
	/* The same for one that no socket knows. */
	ASSERT_TRUE(peer_send(&self->p, PEER_ACK, 1));
	ASSERT_TRUE(peer_expect(&self->p, PEER_RST));
	EXPECT_EQ(0x30, self->p.pkt[1]);
	EXPECT_EQ(64, self->p.pkt[8]);
	EXPECT_EQ(0x40, self->p.pkt[6] & 0x40);
}

TEST_F(icmp, ttl_tos_passive)
{
	self->x.l = xt_socket(&self->x, SOCK_NONBLOCK);
	ASSERT_EQ(0, xt_set(self->x.l, IPPROTO_IP, IP_TTL, 9));
	ASSERT_EQ(0, xt_set(self->x.l, IPPROTO_IP, IP_TOS, 0x28));
	ASSERT_EQ(0, xt_bind(self->x.l, PEER_US, 0));
	ASSERT_EQ(0, listen(self->x.l, 4));
	self->p.yours = xt_port(self->x.l);
	self->p.port = 4000;
	self->p.snd = 5000;
	self->p.tos = 0x50;
	ASSERT_TRUE(peer_send(&self->p, PEER_SYN, 0));
	ASSERT_TRUE(peer_expect(&self->p, PEER_SYN | PEER_ACK));
	EXPECT_EQ(9, self->p.pkt[8]);
	EXPECT_EQ(0x28, self->p.pkt[1]);
	ASSERT_TRUE(peer_ack(&self->p));
	ASSERT_TRUE(xt_wait(self->x.l, POLLIN));
	self->x.s = accept(self->x.l, NULL, NULL);
	ASSERT_LE(0, self->x.s);
	ASSERT_EQ(1, write(self->x.s, "x", 1));
	ASSERT_TRUE(peer_expect(&self->p, PEER_ACK));
	EXPECT_EQ(9, self->p.pkt[8]);
	EXPECT_EQ(0x28, self->p.pkt[1]);
	/* TIME_WAIT acknowledges with the TOS that the connection had. */
	peer_take(&self->p);
	ASSERT_EQ(0, close(self->x.s));
	ASSERT_TRUE(peer_expect(&self->p, PEER_FIN | PEER_ACK));
	peer_take(&self->p);
	ASSERT_TRUE(peer_send(&self->p, PEER_FIN | PEER_ACK, 0));
	ASSERT_TRUE(peer_expect(&self->p, PEER_ACK));
	self->p.snd--;
	ASSERT_TRUE(peer_send(&self->p, PEER_FIN | PEER_ACK, 0));
	ASSERT_TRUE(peer_expect(&self->p, PEER_ACK));
	EXPECT_EQ(0x28, self->p.pkt[1]);
	EXPECT_EQ(64, self->p.pkt[8]);
	/* RST for a bad ACK in SYN_RECV. */
	self->p.port = 4001;
	self->p.snd = 9000;
	ASSERT_TRUE(peer_send(&self->p, PEER_SYN, 0));
	ASSERT_TRUE(peer_expect(&self->p, PEER_SYN | PEER_ACK));
	peer_take(&self->p);
	self->p.rcv += 77;
	ASSERT_TRUE(peer_send(&self->p, PEER_ACK, 0));
	ASSERT_TRUE(peer_expect(&self->p, PEER_RST));
	EXPECT_EQ(0x50, self->p.pkt[1]);
}

TEST_F(icmp, ip_options_cost)
{
	static const unsigned char nop[8] = { 1, 1, 1, 1, 1, 1, 1, 0 };
	static char buf[3000];
	int fd = xt_socket(&self->x, SOCK_NONBLOCK);

	ASSERT_EQ(0, setsockopt(fd, IPPROTO_IP, IP_OPTIONS, nop, 8));
	ASSERT_EQ(fd, peer_dial_ip(&self->p, &self->x, PEER_IP, fd));
	EXPECT_EQ(7, self->p.pkt[0] & 15);
	ASSERT_TRUE(peer_answer(&self->p, fd));
	EXPECT_EQ(1452, xt_get(fd, IPPROTO_TCP, TCP_MAXSEG));
	ASSERT_EQ(3000, write(fd, buf, 3000));
	ASSERT_TRUE(peer_expect(&self->p, PEER_ACK));
	EXPECT_EQ(1500, self->p.len);
	EXPECT_EQ(7, self->p.pkt[0] & 15);
	/* Given up again, there is more room. */
	ASSERT_EQ(0, setsockopt(fd, IPPROTO_IP, IP_OPTIONS, nop, 0));
	EXPECT_EQ(1460, xt_get(fd, IPPROTO_TCP, TCP_MAXSEG));
	close(fd);
}

TEST_HARNESS_MAIN

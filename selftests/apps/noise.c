// SPDX-License-Identifier: GPL-2.0
/*
 * A peer from hell: segments of a seeded random kind for a listener and for
 * the connections it makes with it, over a TUN device in a namespace of its
 * own.  What the other side answers is read, so that much of the noise is in
 * the window.  Meant for a kernel with sanitizers; the kernel's log judges.
 *
 *	noise SEED SEGMENTS
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define AF_XTCP		25
#define PROTO		253
#define OURS		0x0a630001u	/* 10.99.0.1, the kernel's */
#define THEIRS		0x0a630002u	/* 10.99.0.2, the noise's */
#define PORT		7000
#define PEERS		24

struct peer {
	uint32_t snd, rcv;	/* what a good segment would have */
	int known;		/* rcv was learnt from a SYN-ACK */
};

static struct peer peers[PEERS];
static uint64_t state;

static uint32_t rnd(uint32_t below)
{
	state = state * 6364136223846793005ULL + 1442695040888963407ULL;
	return below ? (uint32_t)(state >> 33) % below : (uint32_t)(state >> 32);
}

static void put16(uint8_t *p, uint32_t v)
{
	p[0] = v >> 8;
	p[1] = v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v);
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
}

static uint32_t sum(const uint8_t *p, int len, uint32_t s)
{
	int i;

	for (i = 0; i < len; i++)
		s += i & 1 ? p[i] : p[i] << 8;
	return s;
}

static uint16_t fold(uint32_t s)
{
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return ~s;
}

static void ip_header(uint8_t *p, int len)
{
	memset(p, 0, 20);
	p[0] = 0x45;
	put16(p + 2, 20 + len);
	p[8] = 64;
	p[9] = PROTO;
	put32(p + 12, THEIRS);
	put32(p + 16, OURS);
	put16(p + 10, fold(sum(p, 20, 0)));
}

/* Near what is expected, mostly; anywhere, sometimes. */
static uint32_t near(uint32_t x)
{
	switch (rnd(8)) {
	case 0:
		return rnd(0);
	case 1:
		return x + rnd(70000) - 35000;
	case 2:
		return x + rnd(5) - 2;
	default:
		return x;
	}
}

static uint8_t some_flags(const struct peer *q)
{
	static const uint8_t usual[] = { 0x10, 0x18, 0x10, 0x11, 0x18, 0x10 };

	if (!q->known)
		return rnd(4) ? 0x02 : rnd(256);
	if (rnd(40) == 0)
		return rnd(256);
	if (rnd(400) == 0)
		return 0x14;
	return usual[rnd(sizeof(usual))];
}

/* A segment at @th; returns its length. */
static int segment(uint8_t *th, int n)
{
	struct peer *q = &peers[n];
	int opt = rnd(3) ? 0 : rnd(11) * 4, len = 20 + opt, data = 0, i;
	uint8_t flags = some_flags(q);

	if (!rnd(3))
		data = rnd(rnd(4) ? 100 : 1400);
	for (i = 20; i < len + data; i++)
		th[i] = rnd(4) ? rnd(9) : rnd(256);
	put16(th, 20000 + n);
	put16(th + 2, rnd(50) ? PORT : rnd(65536));
	put32(th + 4, near(q->snd));
	put32(th + 8, near(q->rcv));
	th[12] = (rnd(100) ? (uint32_t)len / 4 : rnd(16)) << 4;
	th[13] = flags;
	put16(th + 14, rnd(5) ? 65535 : rnd(3000));
	put32(th + 16, 0);
	len += data;
	if (!rnd(60))
		len = rnd(len + 1);
	if (len >= 18)
		put16(th + 16, fold(sum(th, len, (THEIRS >> 16) +
				(THEIRS & 0xffff) + (OURS >> 16) +
				(OURS & 0xffff) + IPPROTO_TCP + len)) +
				!rnd(100));
	if (q->known && (flags & 0x10) && rnd(2))
		q->snd += data + (flags & 1);
	return len;
}

/* What the kernel says: its numbers make the next noise credible. */
static void hear(int tun)
{
	uint8_t p[65536];
	ssize_t len;

	while ((len = read(tun, p, sizeof(p))) > 0) {
		const uint8_t *th = p + 20;
		int n = len >= 40 ? (th[2] << 8 | th[3]) - 20000 : -1;
		struct peer *q;

		if (n < 0 || n >= PEERS || p[9] != PROTO)
			continue;
		q = &peers[n];
		if (th[13] & 0x04) {
			q->known = 0;
			q->snd = rnd(0);
		} else if (th[13] & 0x02) {
			q->known = 1;
			q->rcv = get32(th + 4) + 1;
			q->snd = get32(th + 8);
		} else {
			q->rcv = get32(th + 4) + (len - 20 - (th[12] >> 4) * 4);
			if (rnd(2))
				q->snd = get32(th + 8);
		}
	}
}

static int tun_open(void)
{
	struct ifreq r = { .ifr_flags = IFF_TUN | IFF_NO_PI, .ifr_name = "noise" };
	struct sockaddr_in a = { .sin_family = AF_INET };
	int tun, s;

	if (unshare(CLONE_NEWNET))
		return -1;
	tun = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
	s = socket(AF_INET, SOCK_DGRAM, 0);
	if (tun < 0 || s < 0 || ioctl(tun, TUNSETIFF, &r))
		return -1;
	a.sin_addr.s_addr = htonl(OURS);
	memcpy(&r.ifr_addr, &a, sizeof(a));
	if (ioctl(s, SIOCSIFADDR, &r))
		return -1;
	a.sin_addr.s_addr = htonl(0xffffff00);
	memcpy(&r.ifr_netmask, &a, sizeof(a));
	if (ioctl(s, SIOCSIFNETMASK, &r))
		return -1;
	r.ifr_flags = IFF_UP | IFF_RUNNING;
	if (ioctl(s, SIOCSIFFLAGS, &r))
		return -1;
	close(s);
	return tun;
}

static int listener(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	int l = socket(AF_XTCP, SOCK_STREAM | SOCK_NONBLOCK, 0);

	if (l < 0 || bind(l, (void *)&a, sizeof(a)) || listen(l, 8))
		return -1;
	return l;
}

/* The sockets' side: accepts, reads, writes, shuts down, closes. */
static void use(int l, int *fd, int *total)
{
	static uint8_t buf[4096];
	int i = rnd(PEERS);

	if (fd[i] < 0) {
		fd[i] = accept4(l, NULL, NULL, SOCK_NONBLOCK);
		*total += fd[i] >= 0;
		return;
	}
	switch (rnd(12)) {
	case 0:
		shutdown(fd[i], rnd(3));
		break;
	case 1:
		if (rnd(4))
			break;
		close(fd[i]);
		fd[i] = -1;
		break;
	case 2: case 3: case 4:
		if (send(fd[i], buf, rnd(sizeof(buf)), MSG_NOSIGNAL) < 0 &&
		    errno != EAGAIN && !rnd(3)) {
			close(fd[i]);
			fd[i] = -1;
		}
		break;
	default:
		if (read(fd[i], buf, rnd(sizeof(buf))) < 0 && errno != EAGAIN) {
			close(fd[i]);
			fd[i] = -1;
		}
	}
}

int main(int argc, char **argv)
{
	int fd[PEERS], tun, l, n, i, total = 0;
	uint8_t p[2048];

	if (argc != 3)
		return fprintf(stderr, "usage: noise SEED SEGMENTS\n"), 2;
	state = strtoull(argv[1], NULL, 0);
	tun = tun_open();
	l = tun < 0 ? -1 : listener();
	if (l < 0)
		return perror("noise"), 1;
	for (i = 0; i < PEERS; i++) {
		fd[i] = -1;
		peers[i].snd = rnd(0);
	}
	for (n = atoi(argv[2]); n > 0; n--) {
		int len = segment(p + 20, rnd(PEERS));

		ip_header(p, len);
		if (write(tun, p, 20 + len) < 0 && errno != EAGAIN)
			return perror("write"), 1;
		hear(tun);
		if (!rnd(3))
			use(l, fd, &total);
	}
	printf("connections=%d\n", total);
	return total == 0;
}

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A peer that is not a kernel: segments written to and read from a TUN device
 * in the caller's network namespace.  Numbers are in host byte order.
 */
#ifndef XT_TUN_H
#define XT_TUN_H

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <net/route.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define TUN_US		0x0a620001u	/* 10.98.0.1, the kernel's */
#define TUN_THEM	0x0a620002u	/* 10.98.0.2, the test's */

#define TH_F	0x01
#define TH_S	0x02
#define TH_R	0x04
#define TH_P	0x08
#define TH_A	0x10

/* A segment; options are there if they are not 0. */
struct tseg {
	uint32_t src, dst;
	uint16_t sport, dport;
	uint32_t seq, ack;
	uint8_t flags;
	uint16_t wnd;
	uint16_t mss;
	uint8_t wscale;		/* shift + 1 */
	bool sackok;
	bool ts;
	uint32_t tsval, tsecr;
	const void *data;	/* to send; valid until the next one is read */
	int len;
};

static inline void tun_put16(uint8_t *p, uint32_t v)
{
	p[0] = v >> 8;
	p[1] = v;
}

static inline void tun_put32(uint8_t *p, uint32_t v)
{
	tun_put16(p, v >> 16);
	tun_put16(p + 2, v);
}

static inline uint16_t tun_get16(const uint8_t *p)
{
	return p[0] << 8 | p[1];
}

static inline uint32_t tun_get32(const uint8_t *p)
{
	return (uint32_t)tun_get16(p) << 16 | tun_get16(p + 2);
}

static inline uint32_t tun_sum(const uint8_t *p, int len, uint32_t s)
{
	int i;

	for (i = 0; i < len; i++)
		s += i & 1 ? p[i] : p[i] << 8;
	return s;
}

static inline uint16_t tun_fold(uint32_t s)
{
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return ~s;
}

/* Options of @s at @p; a multiple of 4 bytes. */
static inline int tun_options(uint8_t *p, const struct tseg *s)
{
	uint8_t *o = p;

	if (s->mss) {
		*o++ = 2;
		*o++ = 4;
		tun_put16(o, s->mss);
		o += 2;
	}
	if (s->sackok) {
		*o++ = 4;
		*o++ = 2;
	}
	if (s->ts) {
		*o++ = 8;
		*o++ = 10;
		tun_put32(o, s->tsval);
		tun_put32(o + 4, s->tsecr);
		o += 8;
	}
	if (s->wscale) {
		*o++ = 3;
		*o++ = 3;
		*o++ = s->wscale - 1;
	}
	while ((o - p) & 3)
		*o++ = 1;
	return o - p;
}

/* Writes @s as a packet of protocol @proto; the pseudo-header has 6. */
static inline int tun_send(int fd, int proto, const struct tseg *s)
{
	uint8_t p[2048], *th = p + 20;
	int len = 20 + tun_options(th + 20, s);

	tun_put16(th, s->sport);
	tun_put16(th + 2, s->dport);
	tun_put32(th + 4, s->seq);
	tun_put32(th + 8, s->ack);
	th[12] = len / 4 << 4;
	th[13] = s->flags;
	tun_put16(th + 14, s->wnd);
	tun_put32(th + 16, 0);
	if (s->len)
		memcpy(th + len, s->data, s->len);
	len += s->len;

	memset(p, 0, 20);
	p[0] = 0x45;
	tun_put16(p + 2, 20 + len);
	p[8] = 64;
	p[9] = proto;
	tun_put32(p + 12, s->src);
	tun_put32(p + 16, s->dst);
	tun_put16(p + 10, tun_fold(tun_sum(p, 20, 0)));
	tun_put16(th + 16, tun_fold(tun_sum(th, len, tun_sum(p + 12, 8,
							     6 + len))));
	return write(fd, p, 20 + len) == 20 + len ? 0 : -1;
}

static inline void tun_parse_options(const uint8_t *o, const uint8_t *end,
				     struct tseg *s)
{
	while (o < end && *o) {
		if (*o == 1) {
			o++;
			continue;
		}
		if (end - o < 2 || o[1] < 2 || o[1] > end - o)
			return;
		if (o[0] == 2)
			s->mss = tun_get16(o + 2);
		if (o[0] == 3)
			s->wscale = o[2] + 1;
		if (o[0] == 4)
			s->sackok = true;
		if (o[0] == 8) {
			s->ts = true;
			s->tsval = tun_get32(o + 2);
			s->tsecr = tun_get32(o + 6);
		}
		o += o[1];
	}
}

/* The next segment of @proto, within @ms milliseconds; false if none came. */
static inline bool tun_recv(int fd, int proto, struct tseg *s, int ms)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	static uint8_t p[65536];
	const uint8_t *th = p + 20;
	ssize_t n;

	while (poll(&pfd, 1, ms) == 1) {
		n = read(fd, p, sizeof(p));
		if (n < 40 || p[0] != 0x45 || p[9] != proto)
			continue;
		memset(s, 0, sizeof(*s));
		s->src = tun_get32(p + 12);
		s->dst = tun_get32(p + 16);
		s->sport = tun_get16(th);
		s->dport = tun_get16(th + 2);
		s->seq = tun_get32(th + 4);
		s->ack = tun_get32(th + 8);
		s->flags = th[13];
		s->wnd = tun_get16(th + 14);
		tun_parse_options(th + 20, th + (th[12] >> 4) * 4, s);
		s->data = th + (th[12] >> 4) * 4;
		s->len = n - 20 - (th[12] >> 4) * 4;
		return true;
	}
	return false;
}

static inline int tun_ioctl_addr(int s, struct ifreq *r, int what, uint32_t v)
{
	struct sockaddr_in a = { .sin_family = AF_INET };

	a.sin_addr.s_addr = htonl(v);
	memcpy(&r->ifr_addr, &a, sizeof(a));
	return ioctl(s, what, r);
}

/* Everything that has no other route goes to @dev. */
static inline int tun_default_route(int s, char *dev)
{
	struct sockaddr_in any = { .sin_family = AF_INET };
	struct rtentry rt = { .rt_flags = RTF_UP, .rt_dev = dev };

	memcpy(&rt.rt_dst, &any, sizeof(any));
	memcpy(&rt.rt_genmask, &any, sizeof(any));
	return ioctl(s, SIOCADDRT, &rt);
}

/* A TUN device with address TUN_US/24 and the default route; -1 on error. */
static inline int tun_open(void)
{
	struct ifreq r = { .ifr_flags = IFF_TUN | IFF_NO_PI,
			   .ifr_name = "tun-test" };
	char dev[] = "tun-test";
	int fd, s, err;

	if (access("/dev/net/tun", F_OK) && system("modprobe tun"))
		return -1;
	fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || s < 0 || ioctl(fd, TUNSETIFF, &r))
		return -1;
	err = tun_ioctl_addr(s, &r, SIOCSIFADDR, TUN_US) ||
	      tun_ioctl_addr(s, &r, SIOCSIFNETMASK, 0xffffff00u);
	r.ifr_flags = IFF_UP | IFF_RUNNING;
	err = err || ioctl(s, SIOCSIFFLAGS, &r) || tun_default_route(s, dev);
	close(s);
	return err ? -1 : fd;
}

#endif /* XT_TUN_H */

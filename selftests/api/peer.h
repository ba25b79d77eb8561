/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A peer that does only what a test tells it: the other end of a TUN device,
 * where every segment is read and written by hand, and ICMP errors about what
 * was read last can be forged.
 */
#ifndef XT_PEER_H
#define XT_PEER_H

#include "api.h"
#include <linux/if_tun.h>
#include <linux/icmp.h>
#include <linux/errqueue.h>

#define PEER_US		"10.99.0.1"	/* the kernel's */
#define PEER_IP		"10.99.0.2"	/* the peer's */
#define PEER_ROUTER	"10.99.0.3"	/* where ICMP comes from */
#define PEER_PORT	7000

#define PEER_FIN	0x01
#define PEER_SYN	0x02
#define PEER_RST	0x04
#define PEER_PSH	0x08
#define PEER_ACK	0x10

/* struct peer - its end of one connection, host byte order */
struct peer {
	int tun;
	int proto;
	uint32_t me, you;	/* addresses: the peer's, the kernel's */
	uint16_t port, yours;	/* the peer's, the kernel's */
	uint32_t snd, rcv;	/* next to send, next expected */
	uint8_t ttl, tos;	/* of what it sends */
	/* What was heard last: */
	uint8_t pkt[2048];
	int len;		/* of the datagram */
	uint8_t flags;
	uint32_t seq, ack;
	int payload;
};

static inline void peer_put16(uint8_t *p, uint32_t v)
{
	p[0] = v >> 8;
	p[1] = v;
}

static inline void peer_put32(uint8_t *p, uint32_t v)
{
	peer_put16(p, v >> 16);
	peer_put16(p + 2, v);
}

static inline uint16_t peer_get16(const uint8_t *p)
{
	return p[0] << 8 | p[1];
}

static inline uint32_t peer_get32(const uint8_t *p)
{
	return (uint32_t)peer_get16(p) << 16 | peer_get16(p + 2);
}

static inline uint32_t peer_ip(const char *ip)
{
	return ntohl(inet_addr(ip));
}

static inline uint16_t peer_sum(const uint8_t *p, int len, uint32_t s)
{
	int i;

	for (i = 0; i < len; i++)
		s += i & 1 ? p[i] : p[i] << 8;
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return ~s;
}

static inline int peer_ifaddr(int s, struct ifreq *r, int what, const char *ip)
{
	struct sockaddr_in a = xt_addr(ip, 0);

	memcpy(&r->ifr_addr, &a, sizeof(a));
	return ioctl(s, what, r);
}

/* A TUN device "peer" with the kernel's address on it.  0 or -1. */
static inline int peer_open(struct peer *p, const struct xt *x)
{
	struct ifreq r = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), err = -1;

	memset(p, 0, sizeof(*p));
	strcpy(r.ifr_name, "peer");
	p->proto = xt_proto(x);
	p->me = peer_ip(PEER_IP);
	p->you = peer_ip(PEER_US);
	p->port = PEER_PORT;
	p->ttl = 64;
	if (access("/dev/net/tun", F_OK) && !system("modprobe -q tun"))
		XT_UNTIL(!access("/dev/net/tun", F_OK));
	p->tun = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (p->tun >= 0 && s >= 0 && !ioctl(p->tun, TUNSETIFF, &r) &&
	    !peer_ifaddr(s, &r, SIOCSIFADDR, PEER_US) &&
	    !peer_ifaddr(s, &r, SIOCSIFNETMASK, "255.255.255.0"))
		err = xt_if_up(s, "peer");
	close(s);
	return err;
}

static inline void peer_ip_header(const struct peer *p, uint8_t *b, int len,
				  int proto, uint32_t from)
{
	memset(b, 0, 20);
	b[0] = 0x45;
	b[1] = p->tos;
	peer_put16(b + 2, len);
	b[8] = p->ttl;
	b[9] = proto;
	peer_put32(b + 12, from);
	peer_put32(b + 16, p->you);
	peer_put16(b + 10, peer_sum(b, 20, 0));
}

/* One segment, with @len bytes of 'p' behind its header. */
static inline bool peer_send_at(struct peer *p, int flags, uint32_t seq,
				uint32_t ack, int len)
{
	uint8_t b[2048] = { 0 }, *th = b + 20;

	peer_put16(th, p->port);
	peer_put16(th + 2, p->yours);
	peer_put32(th + 4, seq);
	if (flags & PEER_ACK)
		peer_put32(th + 8, ack);
	th[12] = 5 << 4;
	th[13] = flags;
	peer_put16(th + 14, 65535);
	memset(th + 20, 'p', len);
	if (flags & PEER_SYN) {
		memmove(th + 24, th + 20, len);
		th[12] = 6 << 4;
		peer_put32(th + 20, 0x020405b4);	/* MSS 1460 */
		len += 4;
	}
	len += 20;
	peer_put16(th + 16, peer_sum(th, len, (p->me >> 16) +
			(p->me & 0xffff) + (p->you >> 16) +
			(p->you & 0xffff) + IPPROTO_TCP + len));
	peer_ip_header(p, b, 20 + len, p->proto, p->me);
	return write(p->tun, b, 20 + len) == 20 + len;
}

/* The next one in order. */
static inline bool peer_send(struct peer *p, int flags, int len)
{
	bool ok = peer_send_at(p, flags, p->snd, p->rcv, len);

	p->snd += len + !!(flags & PEER_SYN) + !!(flags & PEER_FIN);
	return ok;
}

/* The next segment of the kernel's within @ms; false if there was none. */
static inline bool peer_hear(struct peer *p, int ms)
{
	struct pollfd w = { .fd = p->tun, .events = POLLIN };
	long long end = xt_now_ms() + ms;
	const uint8_t *th;
	int ihl;

	for (;;) {
		p->len = read(p->tun, p->pkt, sizeof(p->pkt));
		if (p->len < 0 && (xt_now_ms() > end || poll(&w, 1, 10) < 0))
			return false;
		if (p->len < 40 || p->pkt[0] >> 4 != 4 || p->pkt[9] != p->proto)
			continue;
		break;
	}
	ihl = (p->pkt[0] & 15) * 4;
	th = p->pkt + ihl;
	p->flags = th[13] & 0x3f;
	p->seq = peer_get32(th + 4);
	p->ack = peer_get32(th + 8);
	p->payload = p->len - ihl - (th[12] >> 4) * 4;
	p->yours = peer_get16(th);
	p->port = peer_get16(th + 2);
	p->me = peer_get32(p->pkt + 16);
	return true;
}

/* The next segment with exactly @flags, PSH aside; others are passed over. */
static inline bool peer_expect(struct peer *p, int flags)
{
	long long end = xt_now_ms() + XT_DEADLINE_MS;

	while (xt_now_ms() < end)
		if (peer_hear(p, 100) && (p->flags & ~PEER_PSH) == flags)
			return true;
	return false;
}

/* The next segment with payload. */
static inline bool peer_expect_data(struct peer *p)
{
	do {
		if (!peer_expect(p, PEER_ACK))
			return false;
	} while (!p->payload);
	return true;
}

/* Takes what was heard last as received. */
static inline void peer_take(struct peer *p)
{
	p->rcv = p->seq + p->payload + !!(p->flags & PEER_SYN) +
		 !!(p->flags & PEER_FIN);
}

/*
 * ICMP from @from about what was heard last, its sequence number moved by
 * @off.  @info: the 32 bits behind the checksum.
 */
static inline bool peer_icmp_from(struct peer *p, const char *from, int type,
				  int code, uint32_t info, int off)
{
	uint8_t b[128] = { 0 }, *ic = b + 20, *quote = ic + 8;
	int ihl = (p->pkt[0] & 15) * 4, len = 8 + ihl + 8;

	ic[0] = type;
	ic[1] = code;
	peer_put32(ic + 4, info);
	memcpy(quote, p->pkt, ihl + 8);
	peer_put32(quote + ihl + 4, peer_get32(quote + ihl + 4) + off);
	peer_put16(ic + 2, peer_sum(ic, len, 0));
	peer_ip_header(p, b, 20 + len, IPPROTO_ICMP, peer_ip(from));
	return write(p->tun, b, 20 + len) == 20 + len;
}

static inline bool peer_icmp(struct peer *p, int type, int code, uint32_t info)
{
	return peer_icmp_from(p, PEER_ROUTER, type, code, info, 0);
}

/* A socket in SYN_SENT, its SYN heard.  -1 on error. */
static inline int peer_dial_ip(struct peer *p, const struct xt *x,
			       const char *ip, int fd)
{
	if (fd < 0)
		fd = xt_socket(x, SOCK_NONBLOCK);
	if (fd < 0 || !xt_connect(fd, ip, PEER_PORT) || errno != EINPROGRESS)
		return -1;
	if (!peer_expect(p, PEER_SYN))
		return -1;
	peer_take(p);
	p->snd = 1000;
	return fd;
}

static inline int peer_dial(struct peer *p, const struct xt *x)
{
	return peer_dial_ip(p, x, PEER_IP, -1);
}

/* Answers the SYN of peer_dial(): ESTABLISHED, blocking again. */
static inline bool peer_answer(struct peer *p, int fd)
{
	return peer_send(p, PEER_SYN | PEER_ACK, 0) &&
	       peer_expect(p, PEER_ACK) && xt_wait(fd, POLLOUT) &&
	       !xt_nonblock(fd, false);
}

/* SYN_SENT to ESTABLISHED in one. */
static inline int peer_connect(struct peer *p, const struct xt *x)
{
	int fd = peer_dial(p, x);

	return fd >= 0 && peer_answer(p, fd) ? fd : -1;
}

/* Acknowledges what was heard last. */
static inline bool peer_ack(struct peer *p)
{
	peer_take(p);
	return peer_send(p, PEER_ACK, 0);
}

#endif /* XT_PEER_H */

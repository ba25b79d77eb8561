// SPDX-License-Identifier: GPL-2.0
/*
 * Looks at what a device is given to send: every packet of one connection to
 * ADDR PORT that leaves by DEV is compared, byte by byte, with what it must be.
 * FILE is what the connection sends.  A packet is looked at after the kernel has
 * cut it, with what it says of its checksum and its segments (PACKET_VNET_HDR).
 *
 * Ends with the connection's FIN, when all before it has been seen.  Prints what
 * there was; fails at the first packet that is wrong.
 */
#include "common.h"

#include <getopt.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/stat.h>

#ifndef SO_RCVBUFFORCE
#define SO_RCVBUFFORCE 33
#endif

static struct {
	bool tcp, cut;
	int mtu, timeout;
	uint8_t proto;
	uint16_t port;		/* of the receiver */
	struct in_addr addr;
} opt = { .mtu = 1500, .timeout = 60 };

static const uint8_t *file;
static uint32_t file_len;

/* What has been seen. */
static struct {
	unsigned long packets;	/* with payload */
	unsigned long segments;	/* in them */
	unsigned long bursts;	/* packets that are not cut yet */
	unsigned long again;	/* packets of bytes that were sent before */
	unsigned long holes;	/* packets in front of which some are missing */
	unsigned long psh, partial, longest;
} seen;

static bool syn_seen, fin_seen;
static uint32_t first;		/* sequence number of the first byte */
static uint32_t next;		/* position in the file behind the last one seen */
static uint32_t largest;	/* payload of a segment that is not the last */

struct packet {
	const struct virtio_net_hdr *v;
	uint8_t *ip;
	uint32_t ip_len, ihl;
	uint8_t *th;
	uint32_t hlen, len;	/* of the header, of the payload */
	uint8_t flags;
};

#define F_FIN	0x01
#define F_SYN	0x02
#define F_PSH	0x08

static uint16_t get16(const uint8_t *p) { return p[0] << 8 | p[1]; }
static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static void wrong(const struct packet *p, const char *what)
{
	printf("wrong: %s: IP length %u, header %u, payload %u at %u, flags %#x, checksum at %u+%u, gso %u of %u\n",
	       what, p->ip_len, p->hlen, p->len,
	       p->th ? get32(p->th + 4) - first : 0, p->flags,
	       p->v->csum_start, p->v->csum_offset, p->v->gso_type,
	       p->v->gso_size);
	fflush(stdout);
	exit(1);
}

static uint32_t sum16(const uint8_t *p, uint32_t len, uint32_t sum)
{
	for (; len > 1; p += 2, len -= 2) {
		sum += get16(p);
		sum = (sum & 0xffff) + (sum >> 16);
	}
	if (len)
		sum += p[0] << 8;
	return (sum & 0xffff) + (sum >> 16);
}

/* Does the device what it was asked for: it sums from csum_start on. */
static void finish_checksum(struct packet *p)
{
	uint8_t *from = p->ip - ETH_HLEN + p->v->csum_start;
	uint8_t *at = from + p->v->csum_offset;
	uint32_t sum;

	if (from < p->th || at != p->th + 16)
		wrong(p, "the checksum is not where TCP has it");
	/*
	 * A device that knows TCP's checksum only would be asked, and look at
	 * the IP header's number.  What is still to be cut is asked of nobody.
	 */
	if (!opt.tcp && !p->v->gso_type && p->v->csum_offset == 16)
		wrong(p, "a device for TCP's checksums would be asked");
	sum = sum16(from, p->ip + p->ip_len - from, 0);
	sum = ~sum & 0xffff;
	at[0] = sum >> 8;
	at[1] = sum;
	seen.partial++;
}

/* The pseudo-header has TCP's number whatever the IP header has. */
static void check_sums(struct packet *p)
{
	uint32_t l4 = p->ip_len - p->ihl, sum;

	if (sum16(p->ip, p->ihl, 0) != 0xffff)
		wrong(p, "IP checksum");
	if (p->v->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)
		finish_checksum(p);
	sum = sum16(p->ip + 12, 8, IPPROTO_TCP + (l4 & 0xffff));
	if (sum16(p->th, l4, sum) != 0xffff)
		wrong(p, "checksum");
}

static void check_length(struct packet *p)
{
	uint32_t size = p->v->gso_size;

	if (!p->v->gso_type) {
		if (p->ip_len > (uint32_t)opt.mtu)
			wrong(p, "longer than the MTU");
		seen.segments++;
		if (p->len > largest)
			largest = p->len;
		return;
	}
	if (opt.cut)
		wrong(p, "not cut");
	if (!size || p->len <= size)
		wrong(p, "a burst of one segment");
	if (p->ihl + p->hlen + size > (uint32_t)opt.mtu)
		wrong(p, "segments of a burst longer than the MTU");
	seen.bursts++;
	seen.segments += (p->len + size - 1) / size;
}

static void check_payload(struct packet *p)
{
	uint32_t at = get32(p->th + 4) - first;

	if (at > file_len || p->len > file_len - at)
		wrong(p, "not in the file");
	if (memcmp(p->th + p->hlen, file + at, p->len))
		wrong(p, "payload");
	if (at > next)
		seen.holes++;
	if ((p->flags & F_FIN) && at + p->len != file_len)
		wrong(p, "FIN before the end");
	if (p->flags & F_FIN)
		fin_seen = true;
	if (!p->len)
		return;
	seen.packets++;
	if (at < next)
		seen.again++;
	if (at + p->len > next)
		next = at + p->len;
	if (p->flags & F_PSH)
		seen.psh++;
	if (p->len > seen.longest)
		seen.longest = p->len;
}

static void look(uint8_t *buf, uint32_t n)
{
	struct packet p = { .v = (void *)buf };

	p.ip = buf + sizeof(*p.v) + ETH_HLEN;
	if (n < sizeof(*p.v) + ETH_HLEN + 20 || p.ip[0] >> 4 != 4)
		return;
	n -= sizeof(*p.v) + ETH_HLEN;
	p.ihl = 4 * (p.ip[0] & 15);
	p.ip_len = get16(p.ip + 2);
	if (p.ip[9] != opt.proto || memcmp(p.ip + 16, &opt.addr, 4) ||
	    n < p.ihl + 20 || get16(p.ip + p.ihl + 2) != opt.port)
		return;
	if (p.ip_len != n)
		wrong(&p, "IP total length");
	p.th = p.ip + p.ihl;
	p.hlen = 4 * (p.th[12] >> 4);
	p.flags = p.th[13];
	if (p.hlen < 20 || p.ihl + p.hlen > n)
		wrong(&p, "header length");
	p.len = n - p.ihl - p.hlen;
	check_sums(&p);
	if (p.flags & F_SYN) {
		first = get32(p.th + 4) + 1;
		syn_seen = true;
		return;
	}
	if (!syn_seen)
		wrong(&p, "no SYN before it");
	if (p.len)
		check_length(&p);
	if (p.len || (p.flags & F_FIN))
		check_payload(&p);
}

static int open_device(const char *dev)
{
	int fd = socket(AF_PACKET, SOCK_RAW, 0), on = 1, room = 256 << 20;
	struct sockaddr_ll ll = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = if_nametoindex(dev),
	};

	if (fd < 0)
		die("AF_PACKET");
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)))
		die("SO_RCVBUFFORCE");
	if (setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)))
		die("PACKET_VNET_HDR");
	if (bind(fd, (struct sockaddr *)&ll, sizeof(ll)))
		die("bind");
	return fd;
}

static void map_file(const char *name)
{
	int fd = open(name, O_RDONLY);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		die(name);
	file_len = st.st_size;
	if (!file_len)
		return;
	file = mmap(NULL, file_len, PROT_READ, MAP_PRIVATE, fd, 0);
	if (file == MAP_FAILED)
		die("mmap");
}

static void watch(int fd)
{
	static uint8_t buf[sizeof(struct virtio_net_hdr) + 70000];
	struct pollfd p = { .fd = fd, .events = POLLIN };
	double end = app_now() + opt.timeout;
	struct sockaddr_ll from;
	socklen_t flen;
	ssize_t n;

	while (!fin_seen || next < file_len) {
		if (app_now() > end) {
			printf("no end: %u of %u bytes\n", next, file_len);
			exit(1);
		}
		if (poll(&p, 1, 200) <= 0)
			continue;
		flen = sizeof(from);
		n = recvfrom(fd, buf, sizeof(buf), MSG_TRUNC,
			     (struct sockaddr *)&from, &flen);
		if (n < 0)
			die("recvfrom");
		if ((size_t)n > sizeof(buf))
			fail("longer than any packet");
		if (from.sll_pkttype == PACKET_OUTGOING)
			look(buf, n);
	}
}

static void report(int fd)
{
	struct tpacket_stats st;
	socklen_t len = sizeof(st);

	if (getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &st, &len))
		die("PACKET_STATISTICS");
	printf("packets=%lu segments=%lu bursts=%lu again=%lu holes=%lu psh=%lu partial=%lu longest=%lu mss=%u lost=%u\n",
	       seen.packets, seen.segments, seen.bursts, seen.again,
	       seen.holes, seen.psh,
	       seen.partial, seen.longest, largest, st.tp_drops);
}

int main(int argc, char **argv)
{
	static const struct option names[] = {
		{ "tcp", no_argument, NULL, 't' },
		{ "cut", no_argument, NULL, 'c' },
		{ "mtu", required_argument, NULL, 'm' },
		{ "timeout", required_argument, NULL, 'T' },
		{ }
	};
	int c, fd;

	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
		switch (c) {
		case 't': opt.tcp = true; break;
		case 'c': opt.cut = true; break;
		case 'm': opt.mtu = atoi(optarg); break;
		case 'T': opt.timeout = atoi(optarg); break;
		default: goto usage;
		}
	}
	if (argc - optind != 4)
		goto usage;
	opt.proto = opt.tcp ? IPPROTO_TCP : app_proto();
	opt.addr = app_addr(argv[optind + 1], "0").sin_addr;
	opt.port = atoi(argv[optind + 2]);
	map_file(argv[optind + 3]);
	fd = open_device(argv[optind]);
	printf("listening\n");
	fflush(stdout);
	watch(fd);
	report(fd);
	return 0;
usage:
	fprintf(stderr,
		"usage: segments [options] DEV ADDR PORT FILE\n"
		"  --tcp         native TCP instead of XTCP\n"
		"  --cut         the device takes no bursts\n"
		"  --mtu N       no segment may be longer (1500)\n"
		"  --timeout S   give up (60)\n");
	return 2;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * SYNs from nowhere: forged, from random sources, for one listener, over a TUN
 * device of the caller's namespace, which swallows what the listener answers.
 *
 *	flood [--tcp] [--seed N] [--rate N] ADDR PORT COUNT
 *
 * A token of its answers is checked: a SYN-ACK is one for a SYN of ours.
 */
#include "common.h"

#include <getopt.h>

#include "../api/tun.h"

static uint64_t state;

static uint32_t rnd(void)
{
	state = state * 6364136223846793005ULL + 1442695040888963407ULL;
	return state >> 32;
}

/* Anybody's address: no network of ours, no loopback, no multicast. */
static uint32_t source(void)
{
	uint32_t a;

	do {
		a = rnd();
	} while (a >> 24 == 0 || a >> 24 == 10 || a >> 24 == 127 ||
		 a >> 24 >= 224);
	return a;
}

struct totals {
	long synacks;
	long others;
};

/* The initial sequence number that goes with a source. */
static uint32_t number(uint32_t src, uint16_t sport)
{
	return src * 2654435761u + sport;
}

static void hear(int tun, int proto, struct totals *t)
{
	struct tseg s;

	while (tun_recv(tun, proto, &s, 0)) {
		if (s.flags == (TH_S | TH_A) &&
		    s.ack == number(s.dst, s.dport) + 1)
			t->synacks++;
		else
			t->others++;
	}
}

static void flood(int tun, int proto, const struct sockaddr_in *to,
		  long count, long rate)
{
	struct totals t = { 0 };
	double began = app_now();
	long i;

	for (i = 0; i < count; i++) {
		struct tseg s = {
			.src = source(), .dst = ntohl(to->sin_addr.s_addr),
			.sport = rnd() | 1024, .dport = ntohs(to->sin_port),
			.flags = TH_S, .wnd = 65535, .mss = 1460,
		};

		/* As kernels do, most of them. */
		if (rnd() & 3) {
			s.ts = s.sackok = true;
			s.tsval = rnd();
			s.wscale = 8;
		}
		s.seq = number(s.src, s.sport);
		if (tun_send(tun, proto, &s))
			die("write");
		if (i % 32 == 0)
			hear(tun, proto, &t);
		while (rate && i > rate * (app_now() - began))
			usleep(1000);
	}
	hear(tun, proto, &t);
	printf("sent=%ld synacks=%ld others=%ld seconds=%.1f\n", count,
	       t.synacks, t.others, app_now() - began);
}

int main(int argc, char **argv)
{
	static const struct option names[] = {
		{ "tcp", no_argument, NULL, 't' },
		{ "seed", required_argument, NULL, 's' },
		{ "rate", required_argument, NULL, 'r' },
		{ }
	};
	struct sockaddr_in to;
	bool tcp = false;
	long rate = 0;
	int c, tun;

	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
		switch (c) {
		case 't': tcp = true; break;
		case 's': state = strtoull(optarg, NULL, 0); break;
		case 'r': rate = atol(optarg); break;
		default: return 2;
		}
	}
	if (argc - optind != 3)
		fail("usage: flood [--tcp] [--seed N] [--rate N] ADDR PORT COUNT");
	to = app_addr(argv[optind], argv[optind + 1]);
	tun = tun_open();
	if (tun < 0)
		die("tun");
	fcntl(tun, F_SETFL, O_NONBLOCK);
	printf("flooding\n");
	fflush(stdout);
	flood(tun, tcp ? IPPROTO_TCP : app_proto(), &to, atol(argv[optind + 2]),
	      rate);
	return 0;
}

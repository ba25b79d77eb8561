// SPDX-License-Identifier: GPL-2.0
#include "sha256.h"

#include <stdio.h>
#include <string.h>

/*
 * The standard's constants are the first 32 bits of the fractional parts of
 * the cube roots (rounds) and square roots (start) of the first primes.  They
 * are computed here once, with integers only.
 */
static uint32_t round_key[64];
static uint32_t start[8];

/* floor(2^32 * n-th root of p) modulo 2^32, by bisection. */
static uint32_t root_fraction(unsigned int p, int n)
{
	/* The root is below 32 (311^(1/3) < 7, 19^(1/2) < 5). */
	uint64_t lo = 0, hi = 32ULL << 32;

	while (hi - lo > 1) {
		uint64_t mid = lo + (hi - lo) / 2;
		__uint128_t v = (__uint128_t)mid * mid;

		/* Keeps mid^3 within 128 bits: 37 * 3 bits are enough. */
		if (n == 3)
			v *= mid;
		if (v <= (__uint128_t)p << (32 * n))
			lo = mid;
		else
			hi = mid;
	}
	return (uint32_t)lo;
}

static int is_prime(unsigned int n)
{
	unsigned int d;

	for (d = 2; d * d <= n; d++)
		if (n % d == 0)
			return 0;
	return 1;
}

static void make_constants(void)
{
	unsigned int p;
	int i = 0;

	for (p = 2; i < 64; p++) {
		if (!is_prime(p))
			continue;
		if (i < 8)
			start[i] = root_fraction(p, 2);
		round_key[i++] = root_fraction(p, 3);
	}
}

static uint32_t ror(uint32_t x, int n)
{
	return x >> n | x << (32 - n);
}

static void expand(uint32_t w[64], const uint8_t *block)
{
	int i;

	for (i = 0; i < 16; i++)
		w[i] = (uint32_t)block[4 * i] << 24 | block[4 * i + 1] << 16 |
		       block[4 * i + 2] << 8 | block[4 * i + 3];
	for (; i < 64; i++) {
		uint32_t a = w[i - 15], b = w[i - 2];

		w[i] = w[i - 16] + w[i - 7] +
		       (ror(a, 7) ^ ror(a, 18) ^ a >> 3) +
		       (ror(b, 17) ^ ror(b, 19) ^ b >> 10);
	}
}

static void take_block(struct sha256 *s, const uint8_t *block)
{
	uint32_t w[64], v[8];
	int i;

	expand(w, block);
	memcpy(v, s->h, sizeof(v));
	for (i = 0; i < 64; i++) {
		uint32_t a = v[0], e = v[4];
		uint32_t t1 = v[7] + (ror(e, 6) ^ ror(e, 11) ^ ror(e, 25)) +
			      ((e & v[5]) ^ (~e & v[6])) + round_key[i] + w[i];
		uint32_t t2 = (ror(a, 2) ^ ror(a, 13) ^ ror(a, 22)) +
			      ((a & v[1]) ^ (a & v[2]) ^ (v[1] & v[2]));

		memmove(v + 1, v, 7 * sizeof(*v));
		v[4] += t1;
		v[0] = t1 + t2;
	}
	for (i = 0; i < 8; i++)
		s->h[i] += v[i];
}

void sha256_init(struct sha256 *s)
{
	if (!round_key[0])
		make_constants();
	memcpy(s->h, start, sizeof(start));
	s->bytes = 0;
}

void sha256_add(struct sha256 *s, const void *data, size_t len)
{
	const uint8_t *p = data;
	size_t used = s->bytes % 64, part;

	s->bytes += len;
	while (len) {
		if (!used && len >= 64) {
			take_block(s, p);
			p += 64;
			len -= 64;
			continue;
		}
		part = 64 - used < len ? 64 - used : len;
		memcpy(s->block + used, p, part);
		used += part;
		p += part;
		len -= part;
		if (used == 64) {
			take_block(s, s->block);
			used = 0;
		}
	}
}

void sha256_hex(struct sha256 *s, char hex[65])
{
	static const uint8_t pad[64] = { 0x80 };
	uint64_t bits = s->bytes * 8;
	uint8_t len[8];
	int i;

	for (i = 0; i < 8; i++)
		len[i] = bits >> (56 - 8 * i);
	/* 0x80, then zeros up to eight bytes before a block's end. */
	sha256_add(s, pad, 1 + (119 - s->bytes % 64) % 64);
	sha256_add(s, len, 8);
	for (i = 0; i < 8; i++)
		sprintf(hex + 8 * i, "%08x", s->h[i]);
}

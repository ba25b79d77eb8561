/* SPDX-License-Identifier: GPL-2.0 */
/*
 * SHA-256 as FIPS 180-4 describes it, so that the demo needs no library.
 * The digest is computed while the data passes through.
 */
#ifndef DEMO_SHA256_H
#define DEMO_SHA256_H

#include <stddef.h>
#include <stdint.h>

struct sha256 {
	uint32_t h[8];
	uint64_t bytes;		/* taken so far */
	uint8_t block[64];	/* the part that does not fill a block yet */
};

void sha256_init(struct sha256 *s);
void sha256_add(struct sha256 *s, const void *data, size_t len);
/* Writes 64 hexadecimal digits and a NUL. */
void sha256_hex(struct sha256 *s, char hex[65]);

#endif /* DEMO_SHA256_H */

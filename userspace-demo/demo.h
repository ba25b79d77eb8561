/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the demo's server and client share: the frame in which a file crosses
 * the connection.  A file is its length (8 bytes, network order), its bytes,
 * and its SHA-256 as 64 hexadecimal digits.
 */
#ifndef DEMO_H
#define DEMO_H

#include <stdbool.h>

struct demo_options {
	bool tcp;		/* native TCP instead of XTCP */
	bool quiet;		/* no progress bar */
	const char *addr;
	int port;
	const char *send;	/* file to send */
	const char *save;	/* where to put the file that comes */
};

/* Exits with a message if the arguments make no sense. */
void demo_options(struct demo_options *o, int argc, char **argv);

/* The one line in which XTCP and TCP differ. */
int demo_socket(const struct demo_options *o);

/* Sends a file, or receives one and verifies it; exits on any error. */
void demo_send_file(int fd, const struct demo_options *o);
void demo_recv_file(int fd, const struct demo_options *o);

void demo_die(const char *what);

#endif /* DEMO_H */

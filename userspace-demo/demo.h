/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the demo's server and client share: the frame in which a file crosses
 * the connection.  A file is its length (8 bytes, network order), its bytes,
 * and its SHA-256 as 64 hexadecimal digits.
 */
#ifndef DEMO_H
#define DEMO_H

#include <netinet/in.h>
#include <stdbool.h>

struct demo_options {
	bool tcp;		/* native TCP instead of XTCP */
	bool quiet;		/* no progress bar */
	const char *addr;
	int port;
	const char *send;	/* file to send; NULL: none, 0 bytes go */
	const char *save;	/* where to put the file that comes, or NULL */
	struct sockaddr_in sin;	/* what addr and port mean */
	int in, out;		/* the two files, open */
};

/*
 * Reads the arguments, looks the address up and opens the files; exits with a
 * message if any of them makes no sense.
 */
void demo_options(struct demo_options *o, int argc, char **argv, bool server);

/* The one line in which XTCP and TCP differ. */
int demo_socket(const struct demo_options *o);

/* Connects to what the options name; exits with a message on any error. */
void demo_connect(int fd, const struct demo_options *o);

/* Sends a file, or receives one and verifies it; exits on any error. */
void demo_send_file(int fd, const struct demo_options *o);
void demo_recv_file(int fd, const struct demo_options *o);

void demo_die(const char *what);

#endif /* DEMO_H */

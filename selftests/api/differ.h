/* SPDX-License-Identifier: GPL-2.0 */
/*
 * differ: random sequences of socket calls, the same over native TCP and over
 * XTCP, must give the same results.
 *
 * differ_gen.c makes a program (a list of steps) from a seed and from nothing
 * else; differ_run.c carries it out over one of the two transports and notes
 * after each step everything that a user can see; differ.c compares, reduces
 * and reports.
 */
#ifndef DIFFER_H
#define DIFFER_H

#define XT_NO_HARNESS
#include "api.h"

#define DF_SLOTS	8	/* sockets of a program, by number */
#define DF_STEPS	64	/* at most */
#define DF_PORTS	3	/* fixed ports of a program */
#define DF_IN_SLOT	100	/* a port of this or more: that of a slot */

enum df_op {
	DF_SOCKET, DF_BIND, DF_LISTEN, DF_CONNECT, DF_UNCONNECT, DF_ACCEPT,
	DF_SEND, DF_RECV, DF_SHUTDOWN, DF_CLOSE, DF_DUP, DF_SET, DF_GET,
	DF_NAME, DF_IOCTL, DF_NOPS
};

/* Addresses by number; differ_run.c has the table. */
enum df_addr {
	DF_LO, DF_LO2, DF_ANY, DF_OWN, DF_BLACKHOLE, DF_NOROUTE, DF_MULTICAST,
	DF_BROADCAST, DF_NADDRS
};

/* How an argument is made wrong. */
enum df_how {
	DF_RIGHT, DF_SHORT, DF_FAMILY, DF_UNSPEC, DF_BADPTR, DF_LONG, DF_NHOWS
};

/* How bytes are sent or received. */
enum df_way {
	DF_FLAGS, DF_MSG, DF_PLAIN, DF_VEC, DF_ADDR, DF_FILE, DF_FAULT, DF_NWAYS
};

/* One call.  What a, b and c are depends on op: see differ_run.c. */
struct df_step {
	unsigned char op;
	unsigned char slot;
	int a;
	int b;
	int c;
};

struct df_program {
	uint64_t seed;
	int n;
	struct df_step step[DF_STEPS];
};

/* What can be seen of one socket at rest. */
struct df_seen {
	short open;
	short poll;
	int state;	/* tcpi_state */
	int inq;	/* FIONREAD, or the error, negative */
	int outq;	/* SIOCOUTQ, or the error, negative */
};

/* One step: its result, and then all sockets. */
struct df_record {
	int ret;
	int err;
	int sigpipe;		/* how often it came */
	unsigned int hash;	/* of the received bytes */
	int out[4];		/* what else the call gave */
	struct df_seen seen[DF_SLOTS];
};

struct df_trace {
	int n;
	int unstable;		/* the sockets did not come to rest */
	struct df_record rec[DF_STEPS];
	int left[13];		/* after close: how many in each state */
};

extern const char *const df_state_name[13];

/* Of differ_gen.c: the seed's program of at most @steps steps. */
void df_generate(struct df_program *p, uint64_t seed, int steps);
uint64_t df_mix(uint64_t z);

/* Of differ_run.c: once in a namespace; then as often as wanted. */
int df_world(void);
void df_run(const struct df_program *p, bool xtcp, struct df_trace *t);
int df_print_call(const struct df_step *s, char *buf, size_t len);
int df_print_record(const struct df_record *r, char *buf, size_t len);

/* Options that DF_SET and DF_GET know, by number. */
struct df_option {
	const char *name;
	int level;
	int opt;
	signed char size;
	signed char kind;
};

extern const struct df_option df_options[];
extern const int df_noptions;

#endif

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * wire: a scripted peer.  A script is text: socket calls with their results,
 * segments in and out, and when.  See README.md for the language.
 *
 *	script.c   text -> struct line		names.c    names <-> numbers
 *	segment.c  struct seg <-> bytes, text	link.c     namespace, TUN, settings
 *	calls.c    the program's side		run.c      one script, line by line
 *	main.c     all scripts, both transports, TAP
 */
#ifndef WIRE_H
#define WIRE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AF_XTCP		25
#define PROTO_XTCP	253

#define OUR_ADDR	0x0a630001u	/* 10.99.0.1, the kernel's */
#define PEER_ADDR	0x0a630002u	/* 10.99.0.2, the script's */
#define OUR_PORT	7000
#define PEER_PORT	6000

#define NS		1000000000LL
#define MAX_ARGS	8
#define MAX_OPTS	16
#define MAX_CONNS	64
#define MAX_FDS		64
#define WORD		64

enum {
	FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16, URG = 32, ECE = 64,
	CWR = 128,
};

/* Times are nanoseconds of CLOCK_MONOTONIC. */
typedef long long ns_t;

/* A number that a segment is to have. */
struct num {
	bool set;	/* written in the script */
	bool abs;	/* "=N": as on the wire, not relative */
	long long lo, hi;
};

/* One TCP option; @len of @data follow kind and length bytes. */
struct opt {
	uint8_t kind;
	uint8_t len;		/* of data */
	uint8_t data[40];
	uint8_t any;		/* an expectation: any data */
	uint8_t any2;		/* an expectation: any echo in a timestamp */
	uint8_t last;		/* send: echo the last timestamp received */
};

/*
 * A segment, as the script says it or as it came.  In an expectation what is
 * not @set does not matter.
 */
struct seg {
	uint8_t flags;
	uint8_t flags_any;	/* expectation: these bits may be either */
	struct num seq, ack, win, urg, ttl, tos, df;
	int len;
	int nopts;
	struct opt opts[MAX_OPTS];
	bool opts_set, opts_more;
	bool badsum, junk;
	int doff;		/* send: a false header length, 0: the true one */
};

struct icmp {
	int type, code;
	struct num mtu, seq;
	uint32_t gw, from;
	int quote;		/* bytes of the segment that are quoted */
};

/* A connection as the wire sees it; the kernel's end is "our". */
struct conn {
	char name[WORD];
	uint32_t our, peer;
	uint16_t our_port, peer_port;
	uint32_t our_isn, peer_isn;
	bool known;		/* our_isn was seen */
	bool seen;		/* something went out */
	uint32_t last_ts;	/* the kernel's last TSval */
	uint32_t last_seq;	/* of the last segment out, for ICMP */
};

/* A packet that came out. */
struct packet {
	struct packet *next;
	ns_t when;
	struct conn *conn;
	struct seg seg;
	uint32_t seq, ack;	/* as on the wire */
	const char *wrong;	/* a checksum or a payload, or NULL */
};

enum kind {
	L_IN, L_OUT, L_ICMP, L_SILENCE, L_WAIT, L_CALL, L_START, L_RETURN,
	L_CONN, L_SYSCTL, L_SH, L_DEVICE, L_ADDRESS, L_MTU, L_NEEDS, L_REPEAT,
	L_END,
};

/* How often an expected segment may come. */
enum often { ONCE, MAYBE, ANY_TIMES };

struct line {
	int no;
	char *text;
	enum kind kind;
	char only[WORD];	/* "tcp", "xtcp", "6.1", ...: comma between */
	bool timed;
	ns_t from, to;		/* after the previous event */
	bool range;		/* @to was written */
	char conn[WORD];
	enum often often;
	struct seg seg;
	struct icmp icmp;
	char call[WORD];	/* or the name of a setting */
	int nargs;
	char args[MAX_ARGS][WORD];
	char result[128];	/* or the rest of the line */
	int jump;		/* L_END: its L_REPEAT */
	int count;		/* L_REPEAT */
	int left;
};

struct script {
	const char *path;
	char intent[256];
	bool icount;		/* "# clock: icount" */
	bool fails;		/* "# must: fail", the tool's own tests */
	int n;
	struct line *lines;
	char error[256];	/* of the parser */
};

/* A call in a thread of its own. */
struct job {
	struct job *next;
	const struct line *line;
	char result[256];
	ns_t when;
	int tid;		/* 0: not running yet */
	bool done;
};

struct sock {
	char name[WORD];
	int fd;
	uint64_t rx, tx;	/* bytes of the stream so far */
};

/* Everything about the script that runs; one process runs one. */
struct world {
	bool xtcp;
	bool icount;		/* time is exact */
	bool verbose;
	int slow;
	int tun, wake;
	struct conn conns[MAX_CONNS];
	int nconns;
	struct sock socks[MAX_FDS];
	int nsocks;
	struct job *jobs;
	struct packet *queue;
	struct line *maybe[64];
	int nmaybe;
	struct packet *seen[64];	/* matched, for spurious repetitions */
	int nseen;
	ns_t start, event;
	char *trace;
	size_t trace_len;
};

extern struct world W;

/* names.c */
const char *errno_name(int e);
int errno_number(const char *name);	/* -1: none */
const char *state_name(int state);
bool option_number(const char *name, int *level, int *opt);
int flags_number(const char *text, const char *group);	/* -1: unknown */
void flags_text(char *to, size_t len, int value, const char *group);
int info_field(const char *name, size_t *off);	/* its size, or 0 */

/* script.c */
bool script_parse(struct script *s, const char *path);
bool addr_parse(const char *text, uint32_t *addr, int *port);
bool num_parse(const char *text, long long *v);
bool time_parse(const char *text, ns_t *t);

/* segment.c */
uint8_t pattern(bool from_peer, uint64_t off);
int seg_build(uint8_t *ip, const struct conn *c, const struct seg *s);
int icmp_build(uint8_t *ip, const struct conn *c, const struct icmp *i);
struct packet *seg_parse(const uint8_t *ip, int len);
void seg_text(char *to, size_t len, const struct seg *s);
bool seg_match(const struct seg *want, const struct packet *p);
bool seg_words(struct seg *s, char **words, int n, bool in, char *err);

/* link.c */
ns_t now(void);
const char *link_open(void);	/* NULL, or what failed */
const char *link_setting(const char *name, const char *value, bool optional);
const char *link_device(bool up);
const char *link_address(uint32_t addr);
const char *link_mtu(int mtu);
bool link_has(const char *name);
int ip_proto(void);
int family(void);

/* calls.c */
bool call_known(const char *name);
bool call_blocks(const char *name);
bool call_retries(const char *name);
void call_run(const struct line *l, char *result, size_t len);
bool result_match(const struct line *l, const char *result);
void call_bind_name(const struct line *l, char *result);

/* run.c: 0 passed, 1 failed, 4 skipped, else broken; talks to stdout */
int script_run(struct script *s);
void trace(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif /* WIRE_H */

// SPDX-License-Identifier: GPL-2.0
/* Segments: as the script writes them, as they are on the wire, as text. */
#include "wire.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put16(uint8_t *p, uint32_t v)
{
	p[0] = v >> 8;
	p[1] = v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v);
}

static uint32_t get16(const uint8_t *p)
{
	return p[0] << 8 | p[1];
}

static uint32_t get32(const uint8_t *p)
{
	return get16(p) << 16 | get16(p + 2);
}

static uint32_t sum(const uint8_t *p, int len, uint32_t s)
{
	int i;

	for (i = 0; i < len; i++)
		s += i & 1 ? p[i] : p[i] << 8;
	return s;
}

static uint16_t fold(uint32_t s)
{
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return ~s;
}

/* Whatever the IP header says, the pseudo-header says TCP. */
static uint16_t tcp_sum(const uint8_t *ip, const uint8_t *th, int len)
{
	return fold(sum(th, len, sum(ip + 12, 8, IPPROTO_TCP + len)));
}

/* Byte @off of a stream; the two directions differ. */
uint8_t pattern(bool from_peer, uint64_t off)
{
	uint32_t x = (uint32_t)off * 2654435761u;

	return (x >> 24) ^ (x >> 13) ^ (from_peer ? 0x5a : 0);
}

/* ---- building ---- */

static void ip_header(uint8_t *p, uint32_t from, uint32_t to, int proto,
		      int len)
{
	static uint16_t id;

	memset(p, 0, 20);
	p[0] = 0x45;
	put16(p + 2, 20 + len);
	put16(p + 4, ++id);
	p[8] = 64;
	p[9] = proto;
	put32(p + 12, from);
	put32(p + 16, to);
}

static void ip_sum(uint8_t *p)
{
	put16(p + 10, 0);
	put16(p + 10, fold(sum(p, 20, 0)));
}

/* Returns the number of bytes, a multiple of four. */
static int put_options(uint8_t *to, const struct conn *c, const struct seg *s)
{
	int i, n = 0;

	for (i = 0; i < s->nopts; i++) {
		const struct opt *o = &s->opts[i];

		if (n + 2 + o->len > 40)
			break;
		to[n++] = o->kind;
		if (o->kind <= 1)
			continue;
		to[n++] = 2 + o->len;
		memcpy(to + n, o->data, o->len);
		if (o->last)
			put32(to + n + 4, c->last_ts);
		/* SACK blocks are written relative to the kernel's numbers */
		if (o->kind == 5) {
			int k;

			for (k = 0; k + 4 <= o->len; k += 4)
				put32(to + n + k, get32(to + n + k) +
				      c->our_isn);
		}
		n += o->len;
	}
	while (n % 4)
		to[n++] = 1;
	return n;
}

/* Stream offset of the first byte of payload. */
static uint64_t stream_off(uint32_t rel, int flags)
{
	return flags & SYN ? rel : rel - 1;
}

int seg_build(uint8_t *ip, const struct conn *c, const struct seg *s)
{
	uint8_t *th = ip + 20;
	uint32_t rel = s->seq.lo - (s->seq.abs ? c->peer_isn : 0);
	int hlen, i;

	memset(th, 0, 20);
	put16(th, c->peer_port);
	put16(th + 2, c->our_port);
	put32(th + 4, c->peer_isn + rel);
	put32(th + 8, s->ack.abs ? s->ack.lo : s->ack.set || s->flags & ACK ?
	      c->our_isn + s->ack.lo : 0);
	hlen = 20 + put_options(th + 20, c, s);
	th[12] = (s->doff ? s->doff : hlen / 4) << 4;
	th[13] = s->flags;
	put16(th + 14, s->win.set ? s->win.lo : 65535);
	put16(th + 18, s->urg.set ? s->urg.lo : 0);
	for (i = 0; i < s->len; i++)
		th[hlen + i] = s->junk ? 0xee :
			pattern(true, stream_off(rel, s->flags) + i);
	ip_header(ip, c->peer, c->our, ip_proto(), hlen + s->len);
	if (s->ttl.set)
		ip[8] = s->ttl.lo;
	if (s->tos.set)
		ip[1] = s->tos.lo;
	put16(th + 16, tcp_sum(ip, th, hlen + s->len));
	if (s->badsum)
		th[16] ^= 0x55;
	ip_sum(ip);
	return 20 + hlen + s->len;
}

/* The quoted packet is as if the kernel had just sent it. */
int icmp_build(uint8_t *ip, const struct conn *c, const struct icmp *i)
{
	uint8_t *h = ip + 20, *q = h + 8;
	uint32_t seq = c->last_seq;

	if (i->seq.set)
		seq = i->seq.lo + (i->seq.abs ? 0 : c->our_isn);
	memset(h, 0, 8 + 20 + 64);
	h[0] = i->type;
	h[1] = i->code;
	if (i->mtu.set)
		put16(h + 6, i->mtu.lo);
	if (i->gw)
		put32(h + 4, i->gw);
	ip_header(q, c->our, c->peer, ip_proto(), 1480);
	q[6] = 0x40;
	ip_sum(q);
	put16(q + 20, c->our_port);
	put16(q + 22, c->peer_port);
	put32(q + 24, seq);
	q[32] = 0x50;
	q[33] = ACK;
	put16(h + 2, fold(sum(h, 28 + i->quote, 0)));
	ip_header(ip, i->from ? i->from : c->peer, c->our, IPPROTO_ICMP,
		  28 + i->quote);
	ip_sum(ip);
	return 20 + 28 + i->quote;
}

/* ---- reading what came out ---- */

static struct conn *conn_of(const uint8_t *ip, const uint8_t *th)
{
	uint32_t our = get32(ip + 12), peer = get32(ip + 16);
	uint16_t our_port = get16(th), peer_port = get16(th + 2);
	int i;

	for (i = 0; i < W.nconns; i++) {
		struct conn *c = &W.conns[i];

		if (c->our == our && c->peer == peer &&
		    c->our_port == our_port && c->peer_port == peer_port)
			return c;
	}
	/* Somebody connects, from a port that the kernel chose */
	for (i = 0; i < W.nconns; i++) {
		struct conn *c = &W.conns[i];

		if (c->peer == peer && c->peer_port == peer_port && !c->seen &&
		    (th[13] & (SYN | ACK | RST)) == SYN) {
			c->our = our;
			c->our_port = our_port;
			return c;
		}
	}
	return NULL;
}

static void set_num(struct num *n, long long v)
{
	n->set = true;
	n->lo = n->hi = v;
}

static const char *get_options(struct seg *s, const uint8_t *p, int len)
{
	s->opts_set = true;
	while (len > 0 && *p != 0 && s->nopts < MAX_OPTS) {
		struct opt *o = &s->opts[s->nopts];

		if (*p == 1) {
			p++;
			len--;
			continue;
		}
		if (len < 2 || p[1] < 2 || p[1] > len)
			return "malformed options";
		o->kind = p[0];
		o->len = p[1] - 2;
		memcpy(o->data, p + 2, o->len);
		s->nopts++;
		len -= p[1];
		p += p[1];
	}
	return NULL;
}

static void relate(struct packet *p, struct conn *c)
{
	struct seg *s = &p->seg;

	if (s->flags & SYN && !c->known) {
		c->our_isn = p->seq;
		c->known = true;
	}
	c->seen = true;
	c->last_seq = p->seq;
	set_num(&s->seq, (int32_t)(p->seq - c->our_isn));
	if (s->flags & ACK)
		set_num(&s->ack, (int32_t)(p->ack - c->peer_isn));
}

static const char *check_payload(const struct seg *s, const uint8_t *data)
{
	uint64_t off = stream_off(s->seq.lo, s->flags);
	int i;

	/* Keepalive and window probes lie before what is next */
	if (s->len == 1 && data[0] == 0)
		return NULL;
	for (i = 0; i < s->len; i++)
		if (data[i] != pattern(false, off + i))
			return "payload differs";
	return NULL;
}

/* NULL: not ours to look at (another protocol). */
struct packet *seg_parse(const uint8_t *ip, int len)
{
	const uint8_t *th = ip + 20;
	struct packet *p;
	struct seg *s;
	int hlen, i;

	if (len < 40 || ip[0] != 0x45 || ip[9] != ip_proto())
		return NULL;
	p = calloc(1, sizeof(*p));
	s = &p->seg;
	hlen = (th[12] >> 4) * 4;
	p->when = now();
	p->seq = get32(th + 4);
	p->ack = get32(th + 8);
	s->flags = th[13];
	s->len = len - 20 - hlen;
	set_num(&s->win, get16(th + 14));
	set_num(&s->ttl, ip[8]);
	set_num(&s->tos, ip[1]);
	set_num(&s->df, !!(ip[6] & 0x40));
	if (s->flags & URG)
		set_num(&s->urg, get16(th + 18));
	if (hlen < 20 || s->len < 0 || (int)get16(ip + 2) != len)
		p->wrong = "lengths disagree";
	else if (tcp_sum(ip, th, len - 20))
		p->wrong = "checksum is wrong";
	else
		p->wrong = get_options(s, th + 20, hlen - 20);
	p->conn = conn_of(ip, th);
	if (!p->conn)
		return p;
	relate(p, p->conn);
	for (i = 0; i < s->nopts; i++)
		if (s->opts[i].kind == 8)
			p->conn->last_ts = get32(s->opts[i].data);
	if (!p->wrong)
		p->wrong = check_payload(s, th + hlen);
	return p;
}

/* ---- comparing ---- */

static bool num_match(const struct num *want, long long have)
{
	return !want->set || (have >= want->lo && have <= want->hi);
}

/* Numbers of the sequence space: relative ones go round at 32 bits. */
static bool seq_match(const struct num *want, uint32_t rel, uint32_t raw)
{
	uint32_t have = want->abs ? raw : rel;

	return !want->set || have - (uint32_t)want->lo <=
		(uint32_t)(want->hi - want->lo);
}

static bool opt_match(const struct opt *want, const struct opt *have,
		      const struct conn *c)
{
	struct opt w = *want;
	int k;

	if (w.kind != have->kind)
		return false;
	if (w.any)
		return !w.any2 ? w.len == have->len &&
			!memcmp(w.data + 4, have->data + 4, 4) : true;
	if (w.kind == 5)
		for (k = 0; k + 4 <= w.len; k += 4)
			put32(w.data + k, get32(w.data + k) + c->peer_isn);
	return w.len == have->len && !memcmp(w.data, have->data,
					     w.any2 ? 4 : w.len);
}

/* As sets: the order of options means nothing. */
static bool opts_match(const struct seg *want, const struct packet *p)
{
	unsigned int used = 0;
	int i, k;

	if (!want->opts_set)
		return true;
	for (i = 0; i < want->nopts; i++) {
		for (k = 0; k < p->seg.nopts; k++)
			if (!(used & 1u << k) && opt_match(&want->opts[i],
						&p->seg.opts[k], p->conn))
				break;
		if (k == p->seg.nopts)
			return false;
		used |= 1u << k;
	}
	return want->opts_more || want->nopts == p->seg.nopts;
}

bool seg_match(const struct seg *want, const struct packet *p)
{
	const struct seg *have = &p->seg;

	return !p->wrong &&
		!((want->flags ^ have->flags) & ~want->flags_any) &&
		seq_match(&want->seq, have->seq.lo, p->seq) &&
		(!want->seq.set || want->len == have->len) &&
		seq_match(&want->ack, have->ack.lo, p->ack) &&
		num_match(&want->win, have->win.lo) &&
		num_match(&want->urg, have->urg.lo) &&
		num_match(&want->ttl, have->ttl.lo) &&
		num_match(&want->tos, have->tos.lo) &&
		num_match(&want->df, have->df.lo) && opts_match(want, p);
}

/* ---- text ---- */

static const char letters[] = "FSRP.UEW";

static int opt_text(char *to, size_t len, const struct opt *o)
{
	int n = 0, i;

	switch (o->kind) {
	case 2:
		return snprintf(to, len, "mss %u", get16(o->data));
	case 3:
		return snprintf(to, len, "ws %u", o->data[0]);
	case 4:
		return snprintf(to, len, "sackok");
	case 5:
		n = snprintf(to, len, "sack");
		for (i = 0; i + 8 <= o->len; i += 8)
			n += snprintf(to + n, len - n, " %u:%u",
				      get32(o->data + i),
				      get32(o->data + i + 4));
		return n;
	case 8:
		return snprintf(to, len, "ts %u %u", get32(o->data),
				get32(o->data + 4));
	}
	n = snprintf(to, len, "raw %u", o->kind);
	for (i = 0; i < o->len; i++)
		n += snprintf(to + n, len - n, " %02x", o->data[i]);
	return n;
}

/* What came out, in the script's words. */
void seg_text(char *to, size_t len, const struct seg *s)
{
	size_t n = 0;
	int i;

	for (i = 0; letters[i]; i++)
		if (s->flags & 1 << i)
			to[n++] = letters[i];
	if (!n)
		to[n++] = '-';
	n += snprintf(to + n, len - n, " %lld:%lld(%d)", s->seq.lo,
		      s->seq.lo + s->len, s->len);
	if (s->ack.set)
		n += snprintf(to + n, len - n, " ack %lld", s->ack.lo);
	n += snprintf(to + n, len - n, " win %lld", s->win.lo);
	if (s->urg.set)
		n += snprintf(to + n, len - n, " urg %lld", s->urg.lo);
	if (s->tos.lo)
		n += snprintf(to + n, len - n, " tos %lld", s->tos.lo);
	if (!s->nopts)
		return;
	n += snprintf(to + n, len - n, " <");
	for (i = 0; i < s->nopts; i++) {
		if (i)
			to[n++] = ',';
		n += opt_text(to + n, len - n, &s->opts[i]);
	}
	snprintf(to + n, len - n, ">");
}

/* ---- reading the script's words ---- */

static bool flag_words(struct seg *s, const char *word)
{
	const char *at;

	if (!strcmp(word, "-"))
		return true;
	for (; *word; word++) {
		char c = *word == 'p' ? 'P' : *word;

		at = strchr(letters, c);
		if (!at)
			return false;
		s->flags |= 1 << (at - letters);
		if (*word == 'p')
			s->flags_any |= PSH;
	}
	return true;
}

/* "N", "=N", "A..B", "*" */
static bool num_word(struct num *n, const char *word)
{
	char copy[WORD], *dots;

	if (!strcmp(word, "*"))
		return true;
	n->set = true;
	if (*word == '=') {
		n->abs = true;
		word++;
	}
	snprintf(copy, sizeof(copy), "%s", word);
	dots = strstr(copy, "..");
	if (dots) {
		*dots = 0;
		return num_parse(copy, &n->lo) && num_parse(dots + 2, &n->hi);
	}
	if (!num_parse(copy, &n->lo))
		return false;
	n->hi = n->lo;
	return true;
}

/* "SEQ", "SEQ(LEN)", "SEQ:END(LEN)" */
static bool seq_word(struct seg *s, const char *word)
{
	char copy[WORD], *len, *end;
	long long v, e;

	snprintf(copy, sizeof(copy), "%s", word);
	len = strchr(copy, '(');
	if (len) {
		*len++ = 0;
		end = strchr(len, ')');
		if (!end || end[1])
			return false;
		*end = 0;
		if (!num_parse(len, &v) || v < 0 || v > 65000)
			return false;
		s->len = v;
	}
	end = strchr(copy, ':');
	if (end)
		*end++ = 0;
	if (!num_word(&s->seq, copy))
		return false;
	return !end || (num_parse(end, &e) && e == s->seq.lo + s->len);
}

static bool put_num(struct opt *o, const char *word, int size)
{
	long long v = 0;
	int i;

	if (!word || !num_parse(word, &v))
		return false;
	for (i = size - 1; i >= 0; i--)
		o->data[o->len++] = v >> (8 * i);
	return true;
}

static bool ts_words(struct opt *o, char **w)
{
	if (!w[0] || !w[1])
		return false;
	o->kind = 8;
	o->len = 8;
	o->any = !strcmp(w[0], "*");
	o->any2 = !strcmp(w[1], "*");
	o->last = !strcmp(w[1], "last");
	o->len = 0;
	return put_num(o, o->any ? "0" : w[0], 4) &&
		put_num(o, o->any2 || o->last ? "0" : w[1], 4);
}

static bool sack_words(struct opt *o, char **w)
{
	char *colon;

	o->kind = 5;
	for (; *w; w++) {
		colon = strchr(*w, ':');
		if (!colon || o->len > 24)
			return false;
		*colon = 0;
		if (!put_num(o, *w, 4) || !put_num(o, colon + 1, 4))
			return false;
	}
	return o->len > 0;
}

static bool raw_words(struct opt *o, char **w)
{
	long long v;

	if (!*w || !num_parse(*w, &v))
		return false;
	o->kind = v;
	for (w++; *w; w++)
		o->data[o->len++] = strtoul(*w, NULL, 16);
	return true;
}

static bool opt_words(struct seg *s, char **w)
{
	struct opt *o = &s->opts[s->nopts];
	bool any = w[1] && !strcmp(w[1], "*");

	if (!strcmp(w[0], "...")) {
		s->opts_more = true;
		return true;
	}
	if (s->nopts == MAX_OPTS)
		return false;
	s->nopts++;
	if (!strcmp(w[0], "nop") || !strcmp(w[0], "eol")) {
		o->kind = w[0][0] == 'n';
		return true;
	}
	if (!strcmp(w[0], "sackok")) {
		o->kind = 4;
		return true;
	}
	if (!strcmp(w[0], "ts"))
		return ts_words(o, w + 1);
	if (!strcmp(w[0], "raw"))
		return raw_words(o, w + 1);
	if (!strcmp(w[0], "sack") && !any)
		return sack_words(o, w + 1);
	o->kind = !strcmp(w[0], "mss") ? 2 : !strcmp(w[0], "ws") ? 3 :
		!strcmp(w[0], "sack") ? 5 : 0;
	o->any = o->any2 = any;
	return o->kind && (any || put_num(o, w[1], o->kind == 2 ? 2 : 1));
}

/* "<mss 1460,ws 7>" without the brackets */
static bool opts_text(struct seg *s, char *text)
{
	char *save, *save2, *one, *w[44];
	int n;

	s->opts_set = true;
	for (one = strtok_r(text, ",", &save); one;
	     one = strtok_r(NULL, ",", &save)) {
		for (n = 0, w[0] = strtok_r(one, " ", &save2); w[n] && n < 42;
		     w[++n] = strtok_r(NULL, " ", &save2))
			;
		w[n] = NULL;
		if (!w[0] || !opt_words(s, w))
			return false;
	}
	return true;
}

static struct num *field(struct seg *s, const char *word)
{
	return !strcmp(word, "ack") ? &s->ack : !strcmp(word, "win") ? &s->win :
		!strcmp(word, "urg") ? &s->urg : !strcmp(word, "ttl") ?
		&s->ttl : !strcmp(word, "tos") ? &s->tos :
		!strcmp(word, "df") ? &s->df : NULL;
}

/* The words after "<" or ">"; @in: to be sent, so it must be complete. */
bool seg_words(struct seg *s, char **words, int n, bool in, char *err)
{
	int i = 0;

	if (n < 1 || !flag_words(s, words[i++]))
		return sprintf(err, "flags?"), false;
	if (i < n && strchr("0123456789=-*", *words[i]) &&
	    !seq_word(s, words[i++]))
		return sprintf(err, "sequence number?"), false;
	for (; i < n; i++) {
		struct num *f = field(s, words[i]);

		if (f) {
			if (++i == n || !num_word(f, words[i]))
				return sprintf(err, "%.20s what?", words[i - 1]), false;
		} else if (*words[i] == '<') {
			words[i][strlen(words[i]) - 1] = 0;
			if (!opts_text(s, words[i] + 1))
				return sprintf(err, "options?"), false;
		} else if (!strcmp(words[i], "badsum")) {
			s->badsum = true;
		} else if (!strcmp(words[i], "junk")) {
			s->junk = true;
		} else if (!strcmp(words[i], "doff") && i + 1 < n) {
			s->doff = atoi(words[++i]);
		} else {
			return sprintf(err, "\"%.40s\"?", words[i]), false;
		}
	}
	if (in && (!s->seq.set || (s->flags & ACK && !s->ack.set)))
		return sprintf(err, "a segment in needs its numbers"), false;
	return true;
}

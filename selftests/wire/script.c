// SPDX-License-Identifier: GPL-2.0
/* The parser: one struct line for each line that says something. */
#include "wire.h"
#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_WORDS 64

/* "N", "N+M", "N-M", 0x too; a leading minus is fine. */
bool num_parse(const char *text, long long *v)
{
	char *end;
	long long n = strtoll(text, &end, 0);

	if (end == text)
		return false;
	while (*end == '+' || *end == '-') {
		char *from = end;

		n += strtoll(from, &end, 0);
		if (end == from)
			return false;
	}
	*v = n;
	return !*end;
}

/* "1", "1.5s", "200ms", "3m", "2h", "50us" */
bool time_parse(const char *text, ns_t *t)
{
	static const struct {
		const char *unit;
		double ns;
	} units[] = {
		{ "", 1e9 }, { "s", 1e9 }, { "ms", 1e6 }, { "us", 1e3 },
		{ "m", 60e9 }, { "h", 3600e9 },
	};
	char *end;
	double v = strtod(text, &end);
	size_t i;

	if (end == text)
		return false;
	for (i = 0; i < sizeof(units) / sizeof(*units); i++) {
		if (!strcmp(end, units[i].unit)) {
			*t = v * units[i].ns;
			return true;
		}
	}
	return false;
}

/* "10.99.0.2", "10.99.0.2:80", "*:80", "80"; what is not there stays. */
bool addr_parse(const char *text, uint32_t *addr, int *port)
{
	char copy[WORD], *colon;
	struct in_addr in;
	long long v;

	snprintf(copy, sizeof(copy), "%s", text);
	colon = strchr(copy, ':');
	if (colon)
		*colon++ = 0;
	if (!strchr(copy, '.') && !colon) {
		colon = copy;
	} else if (!strcmp(copy, "*")) {
		*addr = 0;
	} else {
		if (inet_pton(AF_INET, copy, &in) != 1)
			return false;
		*addr = ntohl(in.s_addr);
	}
	if (!colon)
		return true;
	if (!num_parse(colon, &v) || v < 0 || v > 65535)
		return false;
	*port = v;
	return true;
}

/* Splits at blanks; "<mss 1,ws 2>" is one word, but not in the first place. */
static int split(char *text, char **words)
{
	int n = 0;

	while (n < MAX_WORDS - 1) {
		while (isspace((unsigned char)*text))
			*text++ = 0;
		if (!*text || *text == '#')
			break;
		words[n++] = text;
		if (*text == '<' && text[1] && !isspace((unsigned char)text[1])) {
			text = strchr(text, '>');
			if (!text)
				return -1;
			text++;
		}
		while (*text && !isspace((unsigned char)*text))
			text++;
	}
	*text = 0;
	words[n] = NULL;
	return n;
}

static bool range_parse(struct line *l, char *word)
{
	char *dots = strstr(word, "..");

	l->timed = true;
	if (dots) {
		*dots = 0;
		l->range = true;
		return time_parse(word, &l->from) && time_parse(dots + 2, &l->to);
	}
	return time_parse(word, &l->from);
}

/* ---- calls ---- */

static char *trim(char *s)
{
	char *end;

	while (isspace((unsigned char)*s))
		s++;
	for (end = s + strlen(s); end > s && isspace((unsigned char)end[-1]);)
		*--end = 0;
	return s;
}

/* "name(arg, arg) = result", "name(arg) ..." */
static bool parse_call(struct line *l, char *text, char *err)
{
	char *open = strchr(text, '('), *close = strchr(text, ')'), *arg, *save;

	if (!open || !close || close < open)
		return sprintf(err, "neither a call nor a command"), false;
	*open++ = 0;
	*close++ = 0;
	snprintf(l->call, sizeof(l->call), "%s", trim(text));
	if (!call_known(l->call))
		return sprintf(err, "no call %.30s", l->call), false;
	for (arg = strtok_r(open, ",", &save); arg && l->nargs < MAX_ARGS;
	     arg = strtok_r(NULL, ",", &save))
		snprintf(l->args[l->nargs++], WORD, "%s", trim(arg));
	close = trim(close);
	if (!strcmp(close, "...")) {
		l->kind = L_START;
		return call_blocks(l->call) || (sprintf(err,
				"%.30s never blocks", l->call), false);
	}
	if (*close == '=')
		snprintf(l->result, sizeof(l->result), "%s", trim(close + 1));
	else if (*close)
		return sprintf(err, "\"%.30s\"?", close), false;
	return true;
}

/* ---- segments ---- */

static bool icmp_type(struct icmp *i, const char *word)
{
	static const struct {
		const char *name;
		int type, code;
	} types[] = {
		{ "net_unreach", 3, 0 }, { "host_unreach", 3, 1 },
		{ "proto_unreach", 3, 2 }, { "port_unreach", 3, 3 },
		{ "frag_needed", 3, 4 }, { "sr_failed", 3, 5 },
		{ "net_unknown", 3, 6 }, { "host_unknown", 3, 7 },
		{ "admin", 3, 13 }, { "quench", 4, 0 },
		{ "redirect_net", 5, 0 }, { "redirect", 5, 1 },
		{ "ttl", 11, 0 }, { "reassembly", 11, 1 }, { "param", 12, 0 },
	};
	size_t k;

	for (k = 0; k < sizeof(types) / sizeof(*types); k++) {
		if (!strcmp(word, types[k].name)) {
			i->type = types[k].type;
			i->code = types[k].code;
			return true;
		}
	}
	return sscanf(word, "%d/%d", &i->type, &i->code) == 2;
}

/* "icmp TYPE [mtu N] [seq N] [gw A] [from A] [quote N]" */
static bool parse_icmp(struct line *l, char **w, int n, char *err)
{
	struct icmp *i = &l->icmp;
	long long v;
	int k, port;

	l->kind = L_ICMP;
	i->quote = 8;
	if (n < 2 || !icmp_type(i, w[1]))
		return sprintf(err, "ICMP type?"), false;
	for (k = 2; k + 1 < n; k += 2) {
		const char *val = w[k + 1];
		bool ok = false;

		if (!strcmp(w[k], "mtu") || !strcmp(w[k], "seq")) {
			struct num *num = w[k][0] == 'm' ? &i->mtu : &i->seq;

			num->abs = *val == '=';
			num->set = ok = num_parse(val + num->abs, &num->lo);
		} else if (!strcmp(w[k], "gw")) {
			ok = addr_parse(val, &i->gw, &port);
		} else if (!strcmp(w[k], "from")) {
			ok = addr_parse(val, &i->from, &port);
		} else if (!strcmp(w[k], "quote")) {
			ok = num_parse(val, &v) && v >= 0 && v <= 64;
			i->quote = v;
		}
		if (!ok)
			return sprintf(err, "%.20s %.20s?", w[k], val), false;
	}
	return k == n || (sprintf(err, "%.20s what?", w[k]), false);
}

static bool parse_segment(struct line *l, char **w, int n, char *err)
{
	bool in = w[0][0] == '<';

	l->kind = in ? L_IN : L_OUT;
	if (!in && w[0][1])
		l->often = w[0][1] == '?' ? MAYBE : ANY_TIMES;
	strcpy(l->conn, "a");
	w++;
	n--;
	if (n && **w == '@') {
		snprintf(l->conn, WORD, "%s", *w + 1);
		w++;
		n--;
	}
	if (in && n && !strcmp(*w, "icmp"))
		return parse_icmp(l, w, n, err);
	return seg_words(&l->seg, w, n, in, err);
}

/* ---- commands ---- */

static const struct {
	const char *name;
	enum kind kind;
	int words;		/* with the name; 0: any */
} commands[] = {
	{ "silence", L_SILENCE, 2 }, { "wait", L_WAIT, 2 },
	{ "conn", L_CONN, 0 }, { "sysctl", L_SYSCTL, 0 },
	{ "sysctl?", L_SYSCTL, 0 }, { "sh", L_SH, 0 },
	{ "device", L_DEVICE, 2 }, { "address", L_ADDRESS, 2 },
	{ "mtu", L_MTU, 2 }, { "needs", L_NEEDS, 2 },
	{ "repeat", L_REPEAT, 3 }, { "}", L_END, 1 },
};

static bool parse_command(struct line *l, char **w, int n, int which, char *err)
{
	int i;

	l->kind = commands[which].kind;
	if (commands[which].words && n != commands[which].words)
		return sprintf(err, "%.20s: wrong number of words", w[0]), false;
	snprintf(l->call, WORD, "%s", w[0]);
	for (i = 1; i < n && l->nargs < MAX_ARGS; i++)
		snprintf(l->args[l->nargs++], WORD, "%s", w[i]);
	if (l->kind == L_SILENCE || l->kind == L_WAIT)
		return time_parse(w[1], &l->from) ||
			(sprintf(err, "time?"), false);
	if (l->kind == L_REPEAT)
		l->count = atoi(w[1]);
	if (l->kind == L_SYSCTL && n < 3)
		return sprintf(err, "sysctl NAME VALUE"), false;
	return true;
}

static char *rest_of(const char *text, int words)
{
	while (words--) {
		while (isspace((unsigned char)*text))
			text++;
		while (*text && !isspace((unsigned char)*text))
			text++;
	}
	while (isspace((unsigned char)*text))
		text++;
	return (char *)text;
}

/* A comment begins with # at the start of a word. */
static void cut_comment(char *text)
{
	char *p;

	for (p = text; *p; p++) {
		if (*p == '#' && (p == text || isspace((unsigned char)p[-1]))) {
			*p = 0;
			return;
		}
	}
}

static bool parse_line(struct line *l, char *err)
{
	char *copy = strdup(l->text), *words[MAX_WORDS], **w = words, *rest;
	int n = split(copy, words), used = 0;
	size_t i;

	if (n < 0)
		return sprintf(err, "no end of the options"), false;
	if (n > 2 && !strcmp(w[0], "only")) {
		snprintf(l->only, WORD, "%s", w[1]);
		used += 2;
	}
	if (used < n && w[used][0] == '+' && !range_parse(l, w[used++] + 1))
		return sprintf(err, "time?"), false;
	w += used;
	n -= used;
	if (!n)
		return sprintf(err, "nothing to do"), false;
	rest = rest_of(l->text, used);
	if (!strcmp(w[0], "<") || !strcmp(w[0], ">") || !strcmp(w[0], ">?") ||
	    !strcmp(w[0], ">*"))
		return parse_segment(l, w, n, err);
	for (i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		if (!strcmp(w[0], commands[i].name)) {
			snprintf(l->result, sizeof(l->result), "%s",
				 rest_of(rest, 1));
			return parse_command(l, w, n, i, err);
		}
	}
	l->kind = !strcmp(w[0], "...") ? L_RETURN : L_CALL;
	return parse_call(l, strdup(rest_of(rest, l->kind == L_RETURN)), err);
}

static bool add_line(struct script *s, int no, const char *text)
{
	struct line *l;
	char err[200] = "";

	s->lines = realloc(s->lines, (s->n + 1) * sizeof(*l));
	l = &s->lines[s->n++];
	memset(l, 0, sizeof(*l));
	l->no = no;
	l->text = strdup(text);
	if (!parse_line(l, err))
		snprintf(s->error, sizeof(s->error), "line %d: %s", no, err);
	return !*s->error;
}

/* How most scripts begin; %1$s is the socket's name, %2$s the peer's window. */
static const struct {
	const char *word;
	const char *lines[9];
} beginnings[] = {
	{ "accepted", {
		"socket() = l", "bind(l) = 0", "listen(l, 16) = 0",
		"< S 0:0(0) <mss 1460>", "> S. 0:0(0) ack 1",
		"< . 1:1(0) ack 1 win %2$s", "accept(l) = %1$s" } },
	{ "connected", {
		"socket(NONBLOCK) = %1$s", "connect(%1$s) = EINPROGRESS",
		"> S 0:0(0)", "< S. 0:0(0) ack 1 win %2$s <mss 1460>",
		"> . 1:1(0) ack 1", "nonblock(%1$s, 0)" } },
};

/* "accepted s", "connected c win 100" stand for several lines. */
static bool add_beginning(struct script *s, int no, const char *text)
{
	char word[WORD], name[WORD], win[WORD] = "65535", line[200], more[2];
	size_t i;
	int k;

	k = sscanf(text, "%63s %63s win %63s %1s", word, name, win, more);
	if (k != 2 && k != 3)
		return false;
	for (i = 0; i < sizeof(beginnings) / sizeof(*beginnings); i++) {
		if (strcmp(word, beginnings[i].word))
			continue;
		for (k = 0; beginnings[i].lines[k]; k++) {
			snprintf(line, sizeof(line), beginnings[i].lines[k],
				 name, win);
			add_line(s, no, line);
		}
		return true;
	}
	return false;
}

/* "# clock: icount", "# must: fail"; the first comment is the intent. */
static void header(struct script *s, char *text)
{
	text += strspn(text, "# \t");
	if (!strncmp(text, "SPDX", 4))
		return;
	if (!strncmp(text, "clock: icount", 13))
		s->icount = true;
	else if (!strncmp(text, "must: fail", 10))
		s->fails = true;
	else if (!*s->intent)
		snprintf(s->intent, sizeof(s->intent), "%s", trim(text));
}

static bool match_braces(struct script *s)
{
	int stack[8], depth = 0, i;

	for (i = 0; i < s->n; i++) {
		if (s->lines[i].kind == L_REPEAT) {
			if (depth == 8)
				return false;
			stack[depth++] = i;
		} else if (s->lines[i].kind == L_END) {
			if (!depth)
				return false;
			s->lines[i].jump = stack[--depth];
		}
	}
	return !depth;
}

bool script_parse(struct script *s, const char *path)
{
	FILE *f = fopen(path, "r");
	char buf[512];
	int no = 0;

	s->path = path;
	if (!f)
		return sprintf(s->error, "cannot be read"), false;
	while (fgets(buf, sizeof(buf), f)) {
		char *text = trim(buf);

		no++;
		if (*text == '#')
			header(s, text);
		cut_comment(text);
		text = trim(text);
		if (*text && !add_beginning(s, no, text) &&
		    !add_line(s, no, text))
			break;
	}
	fclose(f);
	if (!*s->error && !*s->intent)
		sprintf(s->error, "no sentence of intent at its head");
	if (!*s->error && !match_braces(s))
		sprintf(s->error, "repeat without its end");
	return !*s->error;
}

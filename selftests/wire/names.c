// SPDX-License-Identifier: GPL-2.0
/* Names of errnos, states, options, flags and fields of struct tcp_info. */
#include "wire.h"
#include <errno.h>
#include <linux/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <stdio.h>
#include <strings.h>
#include <sys/socket.h>

struct name {
	const char *text;
	int value;
	int more;
};

#define N(x) { #x, x }
#define OPT(level, x) { #x, x, level }

static const struct name errnos[] = {
	N(EPERM), N(ENOENT), N(EINTR), N(EIO), N(EBADF), N(EAGAIN), N(ENOMEM),
	N(EACCES), N(EFAULT), N(EBUSY), N(ENODEV), N(EINVAL), N(EPIPE),
	N(ENOPROTOOPT), N(EPROTONOSUPPORT), N(ESOCKTNOSUPPORT), N(EOPNOTSUPP),
	N(EAFNOSUPPORT), N(EADDRINUSE), N(EADDRNOTAVAIL), N(ENETDOWN),
	N(ENETUNREACH), N(ECONNABORTED), N(ECONNRESET), N(ENOBUFS), N(EISCONN),
	N(ENOTCONN), N(ESHUTDOWN), N(ETIMEDOUT), N(ECONNREFUSED), N(EHOSTDOWN),
	N(EHOSTUNREACH), N(EALREADY), N(EINPROGRESS), N(EMSGSIZE), N(EDOM),
	N(EDESTADDRREQ), N(ENOTSOCK), N(ENONET), N(ENOPROTOOPT), N(EPROTO),
	{ "EWOULDBLOCK", EAGAIN }, { }
};

static const struct name states[] = {
	{ "ESTABLISHED", 1 }, { "SYN_SENT", 2 }, { "SYN_RECV", 3 },
	{ "FIN_WAIT1", 4 }, { "FIN_WAIT2", 5 }, { "TIME_WAIT", 6 },
	{ "CLOSE", 7 }, { "CLOSE_WAIT", 8 }, { "LAST_ACK", 9 },
	{ "LISTEN", 10 }, { "CLOSING", 11 }, { "NEW_SYN_RECV", 12 }, { }
};

static const struct name options[] = {
	OPT(SOL_SOCKET, SO_ERROR), OPT(SOL_SOCKET, SO_LINGER),
	OPT(SOL_SOCKET, SO_KEEPALIVE), OPT(SOL_SOCKET, SO_REUSEADDR),
	OPT(SOL_SOCKET, SO_REUSEPORT), OPT(SOL_SOCKET, SO_RCVBUF),
	OPT(SOL_SOCKET, SO_SNDBUF), OPT(SOL_SOCKET, SO_RCVLOWAT),
	OPT(SOL_SOCKET, SO_RCVTIMEO), OPT(SOL_SOCKET, SO_SNDTIMEO),
	OPT(SOL_SOCKET, SO_OOBINLINE), OPT(SOL_SOCKET, SO_DONTROUTE),
	OPT(SOL_SOCKET, SO_ACCEPTCONN), OPT(SOL_SOCKET, SO_MARK),
	OPT(SOL_SOCKET, SO_PRIORITY), OPT(SOL_SOCKET, SO_TYPE),
	OPT(SOL_SOCKET, SO_PROTOCOL), OPT(SOL_SOCKET, SO_DOMAIN),
	OPT(IPPROTO_TCP, TCP_NODELAY), OPT(IPPROTO_TCP, TCP_MAXSEG),
	OPT(IPPROTO_TCP, TCP_CORK), OPT(IPPROTO_TCP, TCP_KEEPIDLE),
	OPT(IPPROTO_TCP, TCP_KEEPINTVL), OPT(IPPROTO_TCP, TCP_KEEPCNT),
	OPT(IPPROTO_TCP, TCP_SYNCNT), OPT(IPPROTO_TCP, TCP_LINGER2),
	OPT(IPPROTO_TCP, TCP_DEFER_ACCEPT), OPT(IPPROTO_TCP, TCP_QUICKACK),
	OPT(IPPROTO_TCP, TCP_WINDOW_CLAMP), OPT(IPPROTO_TCP, TCP_USER_TIMEOUT),
	OPT(IPPROTO_TCP, TCP_NOTSENT_LOWAT), OPT(IPPROTO_TCP, TCP_SAVE_SYN),
	OPT(IPPROTO_TCP, TCP_TIMESTAMP), OPT(IPPROTO_TCP, TCP_INQ),
	OPT(IPPROTO_TCP, TCP_FASTOPEN),
	OPT(IPPROTO_IP, IP_TOS), OPT(IPPROTO_IP, IP_TTL),
	OPT(IPPROTO_IP, IP_RECVERR), OPT(IPPROTO_IP, IP_MTU),
	OPT(IPPROTO_IP, IP_MTU_DISCOVER), OPT(IPPROTO_IP, IP_MINTTL),
	OPT(IPPROTO_IP, IP_FREEBIND), OPT(IPPROTO_IP, IP_TRANSPARENT),
	OPT(IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT), { }
};

/* Groups of flags; in flags_text()'s order. */
static const struct name msg_flags[] = {
	{ "PEEK", MSG_PEEK }, { "DONTWAIT", MSG_DONTWAIT },
	{ "WAITALL", MSG_WAITALL }, { "TRUNC", MSG_TRUNC },
	{ "OOB", MSG_OOB }, { "MORE", MSG_MORE }, { "EOR", MSG_EOR },
	{ "NOSIGNAL", MSG_NOSIGNAL }, { "NONBLOCK", SOCK_NONBLOCK }, { }
};

static const struct name poll_flags[] = {
	{ "IN", POLLIN }, { "PRI", POLLPRI }, { "OUT", POLLOUT },
	{ "RDHUP", POLLRDHUP }, { "ERR", POLLERR }, { "HUP", POLLHUP },
	{ "NVAL", POLLNVAL }, { }
};

static const struct {
	const char *text;
	int size, off;
} fields[] = {
#define F(x) { #x, sizeof(((struct tcp_info *)0)->tcpi_##x), \
		offsetof(struct tcp_info, tcpi_##x) }
	F(state), F(ca_state), F(retransmits), F(probes), F(backoff),
	F(options), F(rto), F(ato), F(snd_mss), F(rcv_mss), F(unacked),
	F(sacked), F(lost), F(retrans), F(last_data_sent), F(last_data_recv),
	F(last_ack_recv), F(pmtu), F(rcv_ssthresh), F(rtt), F(rttvar),
	F(snd_ssthresh), F(snd_cwnd), F(advmss), F(reordering), F(rcv_rtt),
	F(rcv_space), F(total_retrans), F(bytes_acked), F(bytes_received),
	F(segs_out), F(segs_in), F(notsent_bytes), F(min_rtt), F(data_segs_in),
	F(data_segs_out), F(bytes_sent), F(bytes_retrans), F(snd_wnd), { }
};

static const char *by_value(const struct name *n, int value)
{
	for (; n->text; n++)
		if (n->value == value)
			return n->text;
	return NULL;
}

static const struct name *by_text(const struct name *n, const char *text)
{
	for (; n->text; n++)
		if (!strcmp(n->text, text))
			return n;
	return NULL;
}

const char *errno_name(int e)
{
	static __thread char unknown[16];
	const char *s = by_value(errnos, e);

	if (s)
		return s;
	snprintf(unknown, sizeof(unknown), "E%d", e);
	return unknown;
}

int errno_number(const char *text)
{
	const struct name *n = by_text(errnos, text);

	return n ? n->value : -1;
}

const char *state_name(int state)
{
	const char *s = by_value(states, state);

	return s ? s : "?";
}

bool option_number(const char *text, int *level, int *opt)
{
	const struct name *n = by_text(options, text);

	if (!n)
		return false;
	*level = n->more;
	*opt = n->value;
	return true;
}

static const struct name *group_of(const char *group)
{
	return !strcmp(group, "poll") ? poll_flags : msg_flags;
}

int flags_number(const char *text, const char *group)
{
	char copy[WORD], *save, *word;
	int value = 0;

	if (!strcmp(text, "0"))
		return 0;
	snprintf(copy, sizeof(copy), "%s", text);
	for (word = strtok_r(copy, "|", &save); word;
	     word = strtok_r(NULL, "|", &save)) {
		const struct name *n = by_text(group_of(group), word);

		if (!n)
			return -1;
		value |= n->value;
	}
	return value;
}

void flags_text(char *to, size_t len, int value, const char *group)
{
	const struct name *n;
	size_t at = 0;

	snprintf(to, len, "0");
	for (n = group_of(group); n->text; n++) {
		if (value & n->value)
			at += snprintf(to + at, len - at, "%s%s",
				       at ? "|" : "", n->text);
	}
}

int info_field(const char *name, size_t *off)
{
	int i;

	for (i = 0; fields[i].text; i++) {
		if (!strcmp(fields[i].text, name)) {
			*off = fields[i].off;
			return fields[i].size;
		}
	}
	return 0;
}

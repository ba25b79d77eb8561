// SPDX-License-Identifier: GPL-2.0
/*
 * Options: level IPPROTO_TCP with TCP's numbers, one small function each.
 * What is not in the tables is refused with ENOPROTOOPT.
 */
#include <linux/sockptr.h>
#include <linux/tcp.h>
#include <net/ip.h>
#include "conn/conn.h"
#include "rx/rx.h"
#include "sock/sock.h"
#include "tx/tx.h"

#define MSEC_US		1000U
#define USER_MSS_MIN	88	/* of TCP_MAXSEG, natively */

static struct xtcp_core *core_of(struct sock *sk)
{
	return &xtcp_sk(sk)->core;
}

static bool is_live(const struct sock *sk)
{
	return sk->sk_state != TCP_CLOSE && sk->sk_state != TCP_LISTEN;
}

static int set_nodelay(struct sock *sk, int val)
{
	core_of(sk)->nodelay = val;
	/* Even if corked, as by TCP: the cork holds what comes after. */
	if (val && is_live(sk))
		xtcp_core_push_all(core_of(sk));
	return 0;
}

static int get_nodelay(struct sock *sk)
{
	return core_of(sk)->nodelay;
}

static int set_cork(struct sock *sk, int val)
{
	core_of(sk)->cork = val;
	if (!val && is_live(sk))
		xtcp_core_push(core_of(sk));
	return 0;
}

static int get_cork(struct sock *sk)
{
	return core_of(sk)->cork;
}

static int set_maxseg(struct sock *sk, int val)
{
	if (val && (val < USER_MSS_MIN || val > 32767))
		return -EINVAL;
	xtcp_sk(sk)->user_mss = val;
	return 0;
}

static int get_maxseg(struct sock *sk)
{
	if (is_live(sk))
		return core_of(sk)->mss;
	return xtcp_sk(sk)->user_mss ?: XTCP_MSS_DEFAULT;
}

void xtcp_keepalive(struct sock *sk, int on)
{
	xtcp_core_keepalive(core_of(sk), on, xtcp_now());
	if (is_live(sk))
		xtcp_settle(sk);
}

static int set_keepidle(struct sock *sk, int val)
{
	if (val < 1 || val > 32767)
		return -EINVAL;
	core_of(sk)->keep_time = (u64)val * USEC_PER_SEC;
	xtcp_core_set_keepalive(core_of(sk), xtcp_now());
	return 0;
}

static int get_keepidle(struct sock *sk)
{
	const struct xtcp_core *c = core_of(sk);

	return (c->keep_time ?: c->cfg->keepalive_time) / USEC_PER_SEC;
}

static int set_keepintvl(struct sock *sk, int val)
{
	if (val < 1 || val > 32767)
		return -EINVAL;
	core_of(sk)->keep_intvl = (u64)val * USEC_PER_SEC;
	return 0;
}

static int get_keepintvl(struct sock *sk)
{
	const struct xtcp_core *c = core_of(sk);

	return (c->keep_intvl ?: c->cfg->keepalive_intvl) / USEC_PER_SEC;
}

static int set_keepcnt(struct sock *sk, int val)
{
	if (val < 1 || val > 127)
		return -EINVAL;
	core_of(sk)->keep_cnt = val;
	return 0;
}

static int get_keepcnt(struct sock *sk)
{
	return core_of(sk)->keep_cnt ?: core_of(sk)->cfg->keepalive_probes;
}

static int set_syncnt(struct sock *sk, int val)
{
	if (val < 1 || val > 127)
		return -EINVAL;
	core_of(sk)->syn_cnt = val;
	return 0;
}

static int get_syncnt(struct sock *sk)
{
	return core_of(sk)->syn_cnt ?: core_of(sk)->cfg->syn_retries;
}

static int set_linger2(struct sock *sk, int val)
{
	/* Negative: no waiting in FIN_WAIT_2 at all. */
	core_of(sk)->linger2 = val < 0 ? -1 :
		min(val, 120) * (s64)USEC_PER_SEC;
	return 0;
}

static int get_linger2(struct sock *sk)
{
	const struct xtcp_core *c = core_of(sk);

	if (c->linger2 < 0)
		return -1;
	return div_u64(c->linger2 ?: c->cfg->fin_timeout, USEC_PER_SEC);
}

static int set_user_timeout(struct sock *sk, int val)
{
	if (val < 0)
		return -EINVAL;
	core_of(sk)->user_timeout = (u64)val * MSEC_US;
	return 0;
}

static int get_user_timeout(struct sock *sk)
{
	return core_of(sk)->user_timeout / MSEC_US;
}

static int set_quickack(struct sock *sk, int val)
{
	xtcp_core_quickack(core_of(sk), val);
	return 0;
}

static int get_quickack(struct sock *sk)
{
	return !core_of(sk)->interactive;
}

/* Seconds, kept as the number of timeouts of a request that they last. */
static int set_defer_accept(struct sock *sk, int val)
{
	WRITE_ONCE(xtcp_sk(sk)->defer_accept,
		   xtcp_req_defer_timeouts(val, core_of(sk)->cfg));
	return 0;
}

static int get_defer_accept(struct sock *sk)
{
	return xtcp_req_defer_seconds(xtcp_sk(sk)->defer_accept,
				      core_of(sk)->cfg);
}

static int set_window_clamp(struct sock *sk, int val)
{
	if (!val && sk->sk_state != TCP_CLOSE)
		return -EINVAL;
	xtcp_sk(sk)->window_clamp =
		val ? max_t(u32, val, SOCK_MIN_RCVBUF / 2) : 0;
	return 0;
}

static int get_window_clamp(struct sock *sk)
{
	u32 clamp = xtcp_sk(sk)->window_clamp;

	if (!clamp && is_live(sk))
		return 65535 << core_of(sk)->rcv_wscale;
	return clamp;
}

static int set_notsent_lowat(struct sock *sk, int val)
{
	WRITE_ONCE(xtcp_sk(sk)->notsent_lowat, val);
	sk->sk_write_space(sk);
	return 0;
}

static int get_notsent_lowat(struct sock *sk)
{
	return xtcp_sk(sk)->notsent_lowat;
}

int xtcp_set_rcvlowat(struct sock *sk, int val)
{
	bool fixed = sk->sk_userlocks & SOCK_RCVBUF_LOCK;
	int most = fixed ? sk->sk_rcvbuf :
		READ_ONCE(xtcp_pernet(sock_net(sk))->rmem[2]);

	val = min(val, most / 2);
	WRITE_ONCE(sk->sk_rcvlowat, val ?: 1);
	/* There must be room for that much; half of a buffer is payload. */
	if (!fixed && 2 * val > sk->sk_rcvbuf)
		WRITE_ONCE(sk->sk_rcvbuf, 2 * val);
	if (xtcp_recvq_ready(sk, sk->sk_rcvlowat))
		sk->sk_data_ready(sk);
	return 0;
}

/* Native TCP has done nothing about it since 2018. */
static int set_thin_dupack(struct sock *sk, int val)
{
	return val < 0 || val > 1 ? -EINVAL : 0;
}

static int get_thin_dupack(struct sock *sk)
{
	return 0;
}

/* What waits to be sent, a FIN included.  Without the lock it may be old. */
static u32 unsent_bytes(const struct xtcp_core *c)
{
	s32 n = xtcp_send_end(c) - READ_ONCE(c->snd_nxt);

	return max(n, 0);
}

bool xtcp_stream_memory_free(const struct sock *sk, int wake)
{
	const struct xtcp_sock *xs = xtcp_sk(sk);
	u32 unsent = unsent_bytes(&xs->core);
	u32 lowat = READ_ONCE(xs->notsent_lowat);

	if (!lowat)
		lowat = READ_ONCE(xtcp_pernet(sock_net(sk))->notsent_lowat);
	return (unsent << wake) < lowat;
}

struct int_option {
	int (*set)(struct sock *sk, int val);
	int (*get)(struct sock *sk);
};

static const struct int_option int_options[] = {
	[TCP_NODELAY]		= { set_nodelay, get_nodelay },
	[TCP_MAXSEG]		= { set_maxseg, get_maxseg },
	[TCP_CORK]		= { set_cork, get_cork },
	[TCP_KEEPIDLE]		= { set_keepidle, get_keepidle },
	[TCP_KEEPINTVL]		= { set_keepintvl, get_keepintvl },
	[TCP_KEEPCNT]		= { set_keepcnt, get_keepcnt },
	[TCP_SYNCNT]		= { set_syncnt, get_syncnt },
	[TCP_DEFER_ACCEPT]	= { set_defer_accept, get_defer_accept },
	[TCP_LINGER2]		= { set_linger2, get_linger2 },
	[TCP_WINDOW_CLAMP]	= { set_window_clamp, get_window_clamp },
	[TCP_QUICKACK]		= { set_quickack, get_quickack },
	[TCP_THIN_DUPACK]	= { set_thin_dupack, get_thin_dupack },
	[TCP_USER_TIMEOUT]	= { set_user_timeout, get_user_timeout },
	[TCP_NOTSENT_LOWAT]	= { set_notsent_lowat, get_notsent_lowat },
};

static const struct int_option *int_option(int optname)
{
	if (optname < 0 || optname >= (int)ARRAY_SIZE(int_options) ||
	    !int_options[optname].set)
		return NULL;
	return &int_options[optname];
}

/* TCP_CONGESTION: by name, kept for connections to come as well. */
static int set_congestion(struct sock *sk, sockptr_t optval, unsigned int optlen)
{
	const struct xtcp_cc *cc;
	char name[16] = "";

	if (!optlen)
		return -EINVAL;
	if (copy_from_sockptr(name, optval, min_t(u32, optlen, sizeof(name) - 1)))
		return -EFAULT;
	cc = xtcp_cc_find(strim(name));
	if (!cc)
		return -ENOENT;
	lock_sock(sk);
	core_of(sk)->cc = cc;
	release_sock(sk);
	return 0;
}

int xtcp_setsockopt(struct sock *sk, int level, int optname, sockptr_t optval,
		    unsigned int optlen)
{
	const struct int_option *o;
	int val, err;

	if (level == SOL_IP) {
		/* The kernel refuses them to what it knows for a stream. */
		if (optname == IP_ADD_MEMBERSHIP ||
		    optname == IP_DROP_MEMBERSHIP)
			return -EPROTO;
		err = ip_setsockopt(sk, level, optname, optval, optlen);
		if (!err && optname == IP_OPTIONS)
			xtcp_options_changed(sk);
		return err;
	}
	if (level != SOL_TCP)
		return -ENOPROTOOPT;
	if (optname == TCP_CONGESTION)
		return set_congestion(sk, optval, optlen);
	/* In this order natively, before it looks at the name. */
	if (optlen < sizeof(int))
		return -EINVAL;
	if (copy_from_sockptr(&val, optval, sizeof(val)))
		return -EFAULT;
	o = int_option(optname);
	if (!o)
		return -ENOPROTOOPT;
	lock_sock(sk);
	err = o->set(sk, val);
	if (is_live(sk))
		xtcp_settle(sk);
	release_sock(sk);
	return err;
}

static u32 ms_since(u64 us)
{
	return us ? div_u64(xtcp_now() - us, MSEC_US) : 0;
}

/* TCP_INFO: the fields that this slice knows; the rest is 0. */
static void fill_info(struct sock *sk, struct tcp_info *info)
{
	const struct xtcp_core *c = core_of(sk);

	memset(info, 0, sizeof(*info));
	info->tcpi_state = sk->sk_state;
	info->tcpi_retransmits = c->retrans;
	info->tcpi_probes = c->probes;
	info->tcpi_backoff = c->retrans ? c->rtx_backoff : c->backoff;
	info->tcpi_options = (c->ws_ok ? TCPI_OPT_WSCALE : 0) |
			     (c->ts_ok ? TCPI_OPT_TIMESTAMPS : 0);
	info->tcpi_snd_wscale = c->snd_wscale;
	info->tcpi_rcv_wscale = c->rcv_wscale;
	info->tcpi_rto = c->rtt.rto;
	info->tcpi_ato = c->ato;
	info->tcpi_snd_mss = c->mss;
	info->tcpi_rcv_mss = c->rcv_mss;
	info->tcpi_unacked = c->pkts.out;
	info->tcpi_last_data_sent = ms_since(c->last_snd);
	info->tcpi_last_data_recv = ms_since(c->last_data);
	info->tcpi_last_ack_recv = ms_since(c->last_rcv);
	info->tcpi_pmtu = xtcp_sk(sk)->mtu;
	info->tcpi_rtt = c->rtt.srtt >> 3;
	info->tcpi_rttvar = c->rtt.rttvar >> 2;
	info->tcpi_min_rtt = xtcp_rtt_least(&c->rtt);
	info->tcpi_snd_cwnd = c->cwnd;
	info->tcpi_snd_ssthresh = c->ssthresh;
	info->tcpi_advmss = c->own_mss - (c->ts_ok ? XTCP_TS_SPACE : 0);
	info->tcpi_total_retrans = c->total_retrans;
	info->tcpi_snd_wnd = c->snd_wnd;
	info->tcpi_notsent_bytes = unsent_bytes(c);
	if (sk->sk_state == TCP_LISTEN) {
		info->tcpi_unacked = READ_ONCE(sk->sk_ack_backlog);
		info->tcpi_sacked = READ_ONCE(sk->sk_max_ack_backlog);
	}
}

static int put_answer(char __user *optval, int __user *optlen, int len,
		      const void *data, int size)
{
	len = min(len, size);
	if (put_user(len, optlen) || copy_to_user(optval, data, len))
		return -EFAULT;
	return 0;
}

static int get_info(struct sock *sk, char __user *optval, int __user *optlen,
		    int len)
{
	struct tcp_info info;

	lock_sock(sk);
	fill_info(sk, &info);
	release_sock(sk);
	return put_answer(optval, optlen, len, &info, sizeof(info));
}

static int get_congestion(struct sock *sk, char __user *optval,
			  int __user *optlen, int len)
{
	char name[16] = "";

	lock_sock(sk);
	strscpy(name, core_of(sk)->cc->name, sizeof(name));
	release_sock(sk);
	return put_answer(optval, optlen, len, name, sizeof(name));
}

int xtcp_getsockopt(struct sock *sk, int level, int optname,
		    char __user *optval, int __user *optlen)
{
	const struct int_option *o;
	int val, len;

	/* Its errno for a level that nobody knows is TCP's too. */
	if (level != SOL_TCP)
		return ip_getsockopt(sk, level, optname, optval, optlen);
	if (get_user(len, optlen))
		return -EFAULT;
	if (len < 0)
		return -EINVAL;
	if (optname == TCP_INFO)
		return get_info(sk, optval, optlen, len);
	if (optname == TCP_CONGESTION)
		return get_congestion(sk, optval, optlen, len);
	o = int_option(optname);
	if (!o)
		return -ENOPROTOOPT;
	lock_sock(sk);
	val = o->get(sk);
	release_sock(sk);
	return put_answer(optval, optlen, len, &val, sizeof(val));
}

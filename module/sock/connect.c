// SPDX-License-Identifier: GPL-2.0
/* connect(), and its undoing: connect(AF_UNSPEC). */
#include <net/inet_common.h>
#include <net/ip.h>
#include <net/route.h>
#include "conn/conn.h"
#include "rx/rx.h"
#include "sock/sock.h"
#include "timer.h"
#include "tx/tx.h"

/* The route to @sin, and from it our address.  An error pointer if none. */
static struct rtable *connect_route(struct sock *sk,
				    const struct sockaddr_in *sin)
{
	struct inet_sock *inet = inet_sk(sk);
	struct flowi4 *fl4 = &inet->cork.fl.u.ip4;
	struct ip_options_rcu *opt;
	__be32 nexthop = sin->sin_addr.s_addr;
	struct rtable *rt;

	opt = rcu_dereference_protected(inet->inet_opt,
					lockdep_sock_is_held(sk));
	if (opt && opt->opt.srr) {
		if (!nexthop)
			return ERR_PTR(-EINVAL);
		nexthop = opt->opt.faddr;
	}
	rt = ip_route_connect(fl4, nexthop, inet->inet_saddr,
			      sk->sk_bound_dev_if, xtcp_ipproto,
			      inet->inet_sport, sin->sin_port, sk);
	if (IS_ERR(rt))
		return rt;
	if (rt->rt_flags & (RTCF_MULTICAST | RTCF_BROADCAST)) {
		ip_rt_put(rt);
		return ERR_PTR(-ENETUNREACH);
	}
	if (!inet->inet_saddr)
		inet->inet_saddr = fl4->saddr;
	inet->inet_rcv_saddr = inet->inet_saddr;
	inet->inet_dport = sin->sin_port;
	inet->inet_daddr = opt && opt->opt.srr ? sin->sin_addr.s_addr :
		fl4->daddr;
	return rt;
}

/* The tuple was in TIME_WAIT: the new connection begins above the old one. */
static void connect_after(struct xtcp_sock *xs, struct xtcp_twsk *tw, u32 *iss)
{
	XTCP_INC(tw->entry.net, TIMEWAITRECYCLED);
	spin_lock_bh(&tw->lock);
	*iss = xtcp_tw_next_iss(&tw->tw);
	xs->core.ts_recent = tw->tw.ts_recent;
	xs->core.ts_stamp = tw->tw.ts_stamp;
	spin_unlock_bh(&tw->lock);
	xtcp_timewait_taken(tw);
}

/*
 * @sk is at no address any more; a port that it keeps is used at any again.
 * Without memory for that it stays used at the old address alone.
 */
static void reset_saddr(struct sock *sk)
{
	inet_reset_saddr(sk);
	xtcp_port_move(sk);
}

/*
 * The tuple, with a local port, goes into the tables.  *@iss: where to begin,
 * 0 if it does not matter.
 */
static int connect_hash(struct sock *sk, u32 *iss)
{
	struct xtcp_sock *xs = xtcp_sk(sk);
	struct inet_sock *inet = inet_sk(sk);
	struct xtcp_twsk *tw = NULL;
	int err;

	*iss = 0;
	xs->core.ts_recent = 0;
	xs->core.ts_stamp = 0;
	xtcp_key_v4(&xs->entry.key, inet->inet_saddr, inet->inet_sport,
		    inet->inet_daddr, inet->inet_dport);
	xs->entry.bound_if = sk->sk_bound_dev_if;
	err = xtcp_port_move(sk) ?: xtcp_port_connect(sk, &tw);
	xs->hashed = !err;
	if (tw)
		connect_after(xs, tw, iss);
	return err;
}

static void connect_start(struct sock *sk, u32 iss)
{
	struct xtcp_sock *xs = xtcp_sk(sk);
	struct xtcp_net *xn = xtcp_pernet(sock_net(sk));
	u32 most = sk->sk_rcvbuf / 2;

	if (!(sk->sk_userlocks & SOCK_RCVBUF_LOCK))
		most = max_t(u32, most, READ_ONCE(xn->rmem[2]) / 2);
	xs->core.sport = ntohs(inet_sk(sk)->inet_sport);
	xs->core.dport = ntohs(inet_sk(sk)->inet_dport);
	xs->core.ts_off = xtcp_ts_off(xn, &xs->entry.key);
	atomic_set(&inet_sk(sk)->inet_id, get_random_u16());
	WRITE_ONCE(sk->sk_err, 0);
	sock_reset_flag(sk, SOCK_DONE);
	xtcp_rcv_refresh(sk);
	XTCP_INC(sock_net(sk), ACTIVEOPENS);
	xtcp_core_connect(&xs->core, iss ?: xtcp_isn(xn, &xs->entry.key), most,
			  xtcp_now());
	xtcp_settle(sk);
}

int xtcp_v4_pre_connect(struct sock *sk, struct sockaddr *uaddr, int len)
{
	/* The programs read a whole address. */
	if (len < (int)sizeof(struct sockaddr_in))
		return -EINVAL;
	return xtcp_cgroup_connect(sk, uaddr, len);
}

/* proto.connect; socket lock, process context. */
int xtcp_v4_connect(struct sock *sk, struct sockaddr *uaddr, int len)
{
	const struct sockaddr_in *sin = (const struct sockaddr_in *)uaddr;
	struct inet_sock *inet = inet_sk(sk);
	__be16 orig_sport, orig_dport;
	struct rtable *rt;
	u32 iss;
	int err;

	if (len < (int)sizeof(*sin))
		return -EINVAL;
	if (sin->sin_family != AF_INET)
		return -EAFNOSUPPORT;
	orig_sport = inet->inet_sport;
	orig_dport = sin->sin_port;
	rt = connect_route(sk, sin);
	if (IS_ERR(rt))
		return PTR_ERR(rt);
	err = connect_hash(sk, &iss);
	if (err)
		goto fail_port;
	sk_set_txhash(sk);
	rt = ip_route_newports(&inet->cork.fl.u.ip4, rt, orig_sport, orig_dport,
			       inet->inet_sport, inet->inet_dport, sk);
	if (IS_ERR(rt)) {
		err = PTR_ERR(rt);
		rt = NULL;
		goto fail_hash;
	}
	xtcp_set_route(sk, &rt->dst);
	xtcp_init_mss(sk, &rt->dst);
	connect_start(sk, iss);
	return 0;

fail_hash:
	xtcp_table_remove(xtcp_pernet(sock_net(sk)), &xtcp_sk(sk)->entry);
	xtcp_sk(sk)->hashed = false;
fail_port:
	if (!(sk->sk_userlocks & SOCK_BINDPORT_LOCK))
		xtcp_put_port(sk);
	if (rt)
		ip_rt_put(rt);
	sk->sk_route_caps = 0;
	inet->inet_dport = 0;
	if (!(sk->sk_userlocks & SOCK_BINDADDR_LOCK))
		reset_saddr(sk);
	return err;
}

/* What is left of the connection goes, the socket can be used anew. */
static void disconnect_reset(struct sock *sk)
{
	struct xtcp_sock *xs = xtcp_sk(sk);
	struct inet_sock *inet = inet_sk(sk);

	__skb_queue_purge(&sk->sk_receive_queue);
	WRITE_ONCE(xs->rcvq_bytes, 0);
	xtcp_sendq_purge(sk);
	inet->inet_dport = 0;
	inet->inet_daddr = 0;
	if (!(sk->sk_userlocks & SOCK_BINDADDR_LOCK))
		reset_saddr(sk);
	WRITE_ONCE(sk->sk_shutdown, 0);
	sock_reset_flag(sk, SOCK_DONE);
	xtcp_core_renew(&xs->core);
	xs->window_clamp = 0;
	WRITE_ONCE(sk->sk_err_soft, 0);
	sk_dst_reset(sk);
	if (sk->sk_frag.page) {
		put_page(sk->sk_frag.page);
		sk->sk_frag.page = NULL;
		sk->sk_frag.offset = 0;
	}
	sk_error_report(sk);
}

/* Both ends have closed and know it, or will: nothing is broken off. */
static bool all_said(const struct xtcp_core *c)
{
	return (c->state == XTCP_CLOSING || c->state == XTCP_LAST_ACK) &&
	       c->snd_nxt == xtcp_core_send_end(c);
}

/* proto.disconnect; socket lock. */
int xtcp_disconnect(struct sock *sk, int flags)
{
	struct xtcp_sock *xs = xtcp_sk(sk);
	u8 state = xs->core.state;

	if (state == XTCP_LISTEN) {
		xtcp_listener_close(sk);
		xtcp_core_abort(&xs->core, 0);
	} else if (state != XTCP_CLOSED) {
		xtcp_core_abort(&xs->core, all_said(&xs->core) ? 0 : ECONNRESET);
		if (state == XTCP_SYN_SENT)
			WRITE_ONCE(sk->sk_err, ECONNRESET);
	}
	xtcp_settle(sk);
	if (xs->hashed) {
		xtcp_table_remove(xtcp_pernet(sock_net(sk)), &xs->entry);
		xs->hashed = false;
	}
	/* A port that bind() chose stays with a socket that was CLOSED. */
	if (state != XTCP_CLOSED && !(sk->sk_userlocks & SOCK_BINDPORT_LOCK))
		xtcp_put_port(sk);
	disconnect_reset(sk);
	return 0;
}

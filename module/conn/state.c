// SPDX-License-Identifier: GPL-2.0
/*
 * Where a connection's state changes, and where the core's decisions become
 * deeds.  sk_state is written here and nowhere else.
 */
#include <linux/percpu.h>
#include <linux/ratelimit.h>
#include "core/host.h"
#include "conn/conn.h"
#include "rx/rx.h"
#include "sock/sock.h"
#include "timer.h"
#include "tx/tx.h"

struct xtcp_edges {
	unsigned long n[XTCP_NSTATES][XTCP_NEVENTS];
	unsigned long illegal;
};

/* Of all namespaces, those that are gone as well. */
static DEFINE_PER_CPU(struct xtcp_edges, all_edges);

struct xtcp_edges __percpu *xtcp_edges_alloc(void)
{
	return alloc_percpu_gfp(struct xtcp_edges, GFP_KERNEL_ACCOUNT);
}

void xtcp_edge_count(struct xtcp_net *xn, u8 from, u8 ev, u8 to)
{
	if (likely(to)) {
		this_cpu_inc(all_edges.n[from][ev]);
		this_cpu_inc(xn->edges->n[from][ev]);
	} else {
		this_cpu_inc(all_edges.illegal);
		this_cpu_inc(xn->edges->illegal);
	}
}

/* NULL for a namespace in which there has not been any. */
static const struct xtcp_edges __percpu *edges_of(const struct xtcp_net *xn)
{
	if (!xn)
		return &all_edges;
	/* Pairs with xtcp_netns_use(). */
	return smp_load_acquire(&xn->used) ? xn->edges : NULL;
}

unsigned long xtcp_edge_sum(const struct xtcp_net *xn, u8 from, u8 ev)
{
	const struct xtcp_edges __percpu *edges = edges_of(xn);
	unsigned long sum = 0;
	int cpu;

	if (!edges)
		return 0;
	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu_ptr(edges, cpu)->n[from][ev]);
	return sum;
}

unsigned long xtcp_edge_illegal(const struct xtcp_net *xn)
{
	const struct xtcp_edges __percpu *edges = edges_of(xn);
	unsigned long sum = 0;
	int cpu;

	if (!edges)
		return 0;
	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu_ptr(edges, cpu)->illegal);
	return sum;
}

/* RFC 4022, tcpCurrEstab */
static bool is_current(u8 state)
{
	return state == XTCP_ESTABLISHED || state == XTCP_CLOSE_WAIT;
}

/* As RFC 4022 defines them; what the user gave up is no failed attempt. */
static void count_end(const struct sock *sk, u8 from, u8 ev)
{
	if (is_current(from))
		XTCP_INC(sock_net(sk), ESTABRESETS);
	else if ((from == XTCP_SYN_SENT || from == XTCP_SYN_RECV) &&
		 ev != XTCP_EV_CLOSE && ev != XTCP_EV_ABORT)
		XTCP_INC(sock_net(sk), ATTEMPTFAILS);
}

/* What the network said while nothing came back explains the silence. */
static int final_error(const struct sock *sk)
{
	int err = xtcp_sk(sk)->core.err;

	return err == ETIMEDOUT ? READ_ONCE(sk->sk_err_soft) ?: err : err;
}

/* poll() and SO_ERROR take no lock: who sees the end must see why. */
static void publish_error(struct sock *sk)
{
	if (!xtcp_sk(sk)->core.err)
		return;
	WRITE_ONCE(sk->sk_err, final_error(sk));
	smp_wmb();	/* pairs with xtcp_poll() */
}

/*
 * To the kernel a socket that is in none of its tables is not in use yet:
 * SO_ATTACH_REUSEPORT_* would make a group for it, though listen() has passed,
 * with which groups are joined.  sk_node, of no use to us, tells it otherwise.
 * Socket lock.
 */
static void show_state(struct sock *sk, u8 to)
{
	if (to == XTCP_CLOSED)
		sk_node_init(&sk->sk_node);
	else
		hlist_add_fake(&sk->sk_node);
	inet_sk_set_state(sk, to);
}

static void set_state(struct sock *sk, u8 to)
{
	int more = is_current(to) - is_current(sk->sk_state);

	if (more)
		this_cpu_add(xtcp_pernet(sock_net(sk))->mib->v[XTCP_CNT_CURRESTAB],
			     more);
	show_state(sk, to);
}

void xtcp_host_set_state(struct xtcp_core *c, u8 from, u8 ev, u8 to)
{
	xtcp_edge_count(xtcp_pernet(sock_net(xtcp_core_sk(c))), from, ev, to);
	if (unlikely(!to)) {
		pr_warn_ratelimited("xtcp: no edge from %s on %s\n",
				    xtcp_state_name(from), xtcp_event_name(ev));
		return;
	}
	if (to == XTCP_CLOSED) {
		count_end(xtcp_core_sk(c), from, ev);
		publish_error(xtcp_core_sk(c));
	}
	if (to != from)
		set_state(xtcp_core_sk(c), to);
}

/* Half of it for sure, the rest by chance: the limit is nobody's clock. */
bool xtcp_challenge_ok(struct xtcp_net *xn)
{
	u32 limit = READ_ONCE(xn->cfg.challenge_ack_limit);
	u32 second = jiffies / HZ, left;

	if (limit == INT_MAX)
		return true;
	/* Races lose or win an ACK: not worth a lock. */
	if (second != READ_ONCE(xn->challenge_second)) {
		WRITE_ONCE(xn->challenge_second, second);
		WRITE_ONCE(xn->challenge_left, (limit + 1) / 2 +
			   reciprocal_scale(get_random_u32(), limit));
	}
	left = READ_ONCE(xn->challenge_left);
	if (!left)
		return false;
	WRITE_ONCE(xn->challenge_left, left - 1);
	return true;
}

bool xtcp_host_challenge_ok(struct xtcp_core *c)
{
	return xtcp_challenge_ok(xtcp_pernet(sock_net(xtcp_core_sk(c))));
}

void xtcp_host_count(struct xtcp_core *c, enum xtcp_mib id)
{
	static const u8 to_counter[XTCP_MIB_NMAX_CORE] = {
		[XTCP_MIB_RETRANS]	= XTCP_CNT_RETRANSSEGS,
		[XTCP_MIB_TIMEOUTS]	= XTCP_CNT_TIMEOUTS,
		[XTCP_MIB_FASTRETRANS]	= XTCP_CNT_FASTRETRANS,
		[XTCP_MIB_OFOQUEUE]	= XTCP_CNT_OFOQUEUE,
		[XTCP_MIB_DUPACKS]	= XTCP_CNT_DUPACKS,
		[XTCP_MIB_DELAYEDACKS]	= XTCP_CNT_DELAYEDACKS,
		[XTCP_MIB_ZEROWINPROBES] = XTCP_CNT_ZEROWINPROBES,
		[XTCP_MIB_CHALLENGEACKS] = XTCP_CNT_CHALLENGEACKS,
		[XTCP_MIB_ABORTTIMEOUT]	= XTCP_CNT_ABORTTIMEOUT,
		[XTCP_MIB_ACKSKIPPED]	= XTCP_CNT_ACKSKIPPED,
		[XTCP_MIB_ABORTDATA]	= XTCP_CNT_ABORTDATA,
		[XTCP_MIB_ABORTLINGER]	= XTCP_CNT_ABORTLINGER,
		[XTCP_MIB_KEEPALIVES]	= XTCP_CNT_KEEPALIVES,
	};
	struct net *net = sock_net(xtcp_core_sk(c));

	this_cpu_inc(xtcp_pernet(net)->mib->v[to_counter[id]]);
	/* OutSegs has only those with something new (RFC 4022). */
	if (id == XTCP_MIB_RETRANS)
		this_cpu_dec(xtcp_pernet(net)->mib->v[XTCP_CNT_OUTSEGS]);
}

void xtcp_state_hand_over(struct sock *sk)
{
	xtcp_core_retire(&xtcp_sk(sk)->core);
	set_state(sk, XTCP_CLOSED);
}

/* A copy of a socket: whatever state that had come to, it has counted there. */
void xtcp_state_child(struct sock *sk)
{
	show_state(sk, XTCP_SYN_RECV);
}

/* What the wire is told, and what its answers free. */
static void settle_wire(struct sock *sk, u32 sig)
{
	if (sig & XTCP_SIG_ACKED) {
		xtcp_sendq_acked(sk);
		/* The neighbour that our segments went to is there. */
		sk_dst_confirm(sk);
	}
	/* Where flows are spread over paths, another may lead there. */
	if (unlikely(sig & XTCP_SIG_REHASH))
		sk_rethink_txhash(sk);
	/* What ICMP has said of the route is forgotten. */
	if (unlikely(sig & XTCP_SIG_REROUTE))
		__dst_negative_advice(sk);
	if (sig & XTCP_SIG_SEND_RST)
		xtcp_send_abort(sk);
	if (sig & XTCP_SIG_TX)
		xtcp_output(sk);
	/* After sending: TCP_NOTSENT_LOWAT looks at what is not sent. */
	if ((sig & (XTCP_SIG_ACKED | XTCP_SIG_TX)) && sk->sk_socket &&
	    test_bit(SOCK_NOSPACE, &sk->sk_socket->flags))
		sk->sk_write_space(sk);
}

static void settle_eof(struct sock *sk)
{
	WRITE_ONCE(sk->sk_shutdown, sk->sk_shutdown | RCV_SHUTDOWN);
	sock_set_flag(sk, SOCK_DONE);
	if (sock_flag(sk, SOCK_DEAD))
		return;
	sk->sk_state_change(sk);
	if (sk->sk_shutdown == SHUTDOWN_MASK)
		sk_wake_async(sk, SOCK_WAKE_WAITD, POLL_HUP);
	else
		sk_wake_async(sk, SOCK_WAKE_WAITD, POLL_IN);
	/* Besides, as natively (tcp_data_ready() after the FIN). */
	sk->sk_data_ready(sk);
}

/* What the user is told. */
static void settle_user(struct sock *sk, u32 sig)
{
	if (sig & XTCP_SIG_CONNECTED) {
		xtcp_peer_prove(xtcp_pernet(sock_net(sk)),
				&xtcp_sk(sk)->entry.key.raddr);
		sk->sk_state_change(sk);
		sk_wake_async(sk, SOCK_WAKE_IO, POLL_OUT);
	}
	if ((sig & XTCP_SIG_READABLE) && !sock_flag(sk, SOCK_DEAD) &&
	    xtcp_recvq_ready(sk, sk->sk_rcvlowat))
		sk->sk_data_ready(sk);
	if (sig & XTCP_SIG_EOF)
		settle_eof(sk);
	if (sig & XTCP_SIG_FIN_ACKED) {
		WRITE_ONCE(sk->sk_shutdown, sk->sk_shutdown | SEND_SHUTDOWN);
		if (!sock_flag(sk, SOCK_DEAD))
			sk->sk_state_change(sk);
	}
}

/* What ends. */
static void settle_end(struct sock *sk, u32 sig)
{
	struct xtcp_sock *xs = xtcp_sk(sk);

	if ((sig & XTCP_SIG_TIME_WAIT && xs->core.state == XTCP_TIME_WAIT) ||
	    (sig & XTCP_SIG_FIN_WAIT2 && xs->core.state == XTCP_FIN_WAIT2)) {
		xtcp_timewait_enter(sk);
		xtcp_done(sk);
	} else if (sig & XTCP_SIG_CLOSED) {
		xtcp_done(sk);
	}
	/* Last: whoever it wakes finds the socket as it will stay. */
	if (sig & XTCP_SIG_ERROR && !sock_flag(sk, SOCK_DEAD))
		sk_error_report(sk);
}

void xtcp_settle(struct sock *sk)
{
	struct xtcp_sock *xs = xtcp_sk(sk);
	u32 sig;

	while ((sig = xs->core.sig)) {
		xs->core.sig = 0;
		settle_wire(sk, sig);
		settle_user(sk, sig);
		/* Output may have said more; it is heard before the end. */
		settle_end(sk, sig);
	}
	if (sk->sk_state != TCP_CLOSE && sk->sk_state != TCP_LISTEN)
		xtcp_timer_sync(sk);
}

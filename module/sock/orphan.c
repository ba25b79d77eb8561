// SPDX-License-Identifier: GPL-2.0
/*
 * Orphans: connections that the user has closed and that are not over yet.
 * They have no file and keep no namespace; a list of the namespace has them,
 * and there are limits to what they may cost.
 */
#include <linux/net.h>
#include "conn/conn.h"
#include "sock/sock.h"

/* Of all namespaces: who owns one must not be free to fill the machine. */
static atomic_t norphans_all;

void xtcp_orphan_del(struct sock *sk)
{
	struct xtcp_net *xn = xtcp_pernet(sock_net(sk));

	spin_lock_bh(&xn->orphan_lock);
	if (!list_empty(&xtcp_sk(sk)->orphan_link)) {
		list_del_init(&xtcp_sk(sk)->orphan_link);
		atomic_dec(&xn->norphans);
		atomic_dec(&norphans_all);
	}
	spin_unlock_bh(&xn->orphan_lock);
}

/*
 * Too many with @more of them, each weighing 2^@shift: in the namespace, or in
 * all of them, for which the first one's limit is the machine's.
 */
static bool too_many(const struct sock *sk, int more, int shift)
{
	const struct xtcp_net *xn = xtcp_pernet(sock_net(sk));
	const struct xtcp_net *first = xtcp_pernet(&init_net);

	return (atomic_read(&xn->norphans) + more) << shift >
	       READ_ONCE(xn->max_orphans) ||
	       (atomic_read(&norphans_all) + more) << shift >
	       READ_ONCE(first->max_orphans);
}

/* All sockets together are over the limit, and @sk is not for nothing. */
static bool out_of_memory(const struct sock *sk)
{
	return sk->sk_wmem_queued > SOCK_MIN_SNDBUF &&
	       sk_memory_allocated(sk) > sk_prot_mem_limits(sk, 2);
}

/*
 * Ends @sk if there are too many, or no memory is left; sooner if it looks
 * worse, by @shift.  @more: 1 if it is not counted yet.  True if it is over.
 */
static bool orphan_judge(struct sock *sk, int more, int shift)
{
	bool many = too_many(sk, more, shift), memory = out_of_memory(sk);

	if (likely(!many && !memory))
		return false;
	if (many)
		net_info_ratelimited("xtcp: too many orphaned sockets\n");
	if (memory)
		net_info_ratelimited("xtcp: out of memory -- consider tuning net.xtcp.mem\n");
	XTCP_INC(sock_net(sk), ABORTMEMORY);
	xtcp_core_abort(&xtcp_sk(sk)->core, 0);
	xtcp_settle(sk);
	return true;
}

void xtcp_orphan_add(struct sock *sk)
{
	struct xtcp_net *xn = xtcp_pernet(sock_net(sk));
	struct xtcp_sock *xs = xtcp_sk(sk);

	if (sk->sk_state == TCP_CLOSE) {
		xtcp_sock_destroy(sk);
		return;
	}
	if (xs->destroyed)
		return;
	/* One in FIN_WAIT_2 may become a mini-socket, see below. */
	if (sk->sk_state != TCP_FIN_WAIT2 && orphan_judge(sk, 1, 0))
		return;
	xtcp_sock_drop_netns(sk);
	spin_lock_bh(&xn->orphan_lock);
	list_add_tail(&xs->orphan_link, &xn->orphans);
	atomic_inc(&xn->norphans);
	atomic_inc(&norphans_all);
	spin_unlock_bh(&xn->orphan_lock);
	/* Said again, now that there is nobody to read: FIN_WAIT_2 may end. */
	xtcp_core_shutdown(&xs->core, xtcp_now());
	xtcp_settle(sk);
	/* It did not, it waits too long: it costs what every orphan costs. */
	if (sk->sk_state == TCP_FIN_WAIT2)
		orphan_judge(sk, 0, 0);
}

bool xtcp_orphan_timeout(struct sock *sk, u64 now)
{
	const struct xtcp_core *c = &xtcp_sk(sk)->core;
	int shift = 0;

	if (!c->deadline[XTCP_T_RTX] || c->deadline[XTCP_T_RTX] > now)
		return false;
	if (now - c->last_snd > 2ULL * c->cfg->rto_max)
		shift++;
	if (READ_ONCE(sk->sk_err_soft))
		shift++;
	return orphan_judge(sk, 0, shift);
}

/* The first of the orphans, with a reference; NULL if there is none. */
static struct sock *orphan_first(struct xtcp_net *xn)
{
	struct xtcp_sock *xs;

	spin_lock_bh(&xn->orphan_lock);
	xs = list_first_entry_or_null(&xn->orphans, struct xtcp_sock,
				      orphan_link);
	if (xs)
		sock_hold(&xs->inet.sk);
	spin_unlock_bh(&xn->orphan_lock);
	return xs ? &xs->inet.sk : NULL;
}

void xtcp_orphans_purge(struct xtcp_net *xn)
{
	struct sock *sk;

	while ((sk = orphan_first(xn))) {
		local_bh_disable();
		bh_lock_sock(sk);
		if (sk->sk_state != TCP_CLOSE) {
			xtcp_core_abort(&xtcp_sk(sk)->core, 0);
			xtcp_settle(sk);
		}
		bh_unlock_sock(sk);
		local_bh_enable();
		sock_put(sk);
		cond_resched();
	}
}

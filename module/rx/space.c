// SPDX-License-Identifier: GPL-2.0
/* The receive buffer grows with what the user reads (core/rcvspace.h). */
#include "rx/rx.h"

void xtcp_rcv_grow(struct sock *sk, u64 now)
{
	struct xtcp_sock *xs = xtcp_sk(sk);
	const struct xtcp_net *xn;
	u32 want;

	want = xtcp_rcvspace_read(&xs->core, xs->core.rcv_nxt - xs->rcvq_bytes,
				  now);
	if (likely(!want) || (sk->sk_userlocks & SOCK_RCVBUF_LOCK))
		return;
	xn = xtcp_pernet(sock_net(sk));
	if (!READ_ONCE(xn->moderate_rcvbuf))
		return;
	/* Half of a buffer is payload: see xtcp_rcv_space(). */
	want = min_t(u64, 2ULL * want, READ_ONCE(xn->rmem[2]));
	if (want > sk->sk_rcvbuf)
		WRITE_ONCE(sk->sk_rcvbuf, want);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's security modules and a connection that is being opened by a
 * peer: may it be, and how are its answers labelled?
 */
#include <linux/security.h>
#include <net/request_sock.h>
#include "conn/synq.h"

/* What a security module asks of a request's kind is its address family. */
static const struct request_sock_ops label_ops = { .family = AF_INET };

/*
 * The modules know requests as the kernel's own struct.  They read addresses
 * of it and write labels and an IP option into it, and keep no pointer to it:
 * so one on the stack does, and @r need not have it.
 */
static void label_request(struct inet_request_sock *ireq,
			  const struct xtcp_reqsk *r)
{
	memset(ireq, 0, sizeof(*ireq));
	ireq->req.rsk_ops = &label_ops;
	ireq->req.rsk_listener = r->lsk;
	write_pnet(&ireq->ireq_net, sock_net(r->lsk));
	ireq->ireq_state = TCP_NEW_SYN_RECV;
	ireq->ireq_family = AF_INET;
	ireq->ir_iif = r->entry.bound_if;
	ireq->ir_mark = r->mark;
	ireq->ir_loc_addr = xtcp_addr_v4(&r->entry.key.laddr);
	ireq->ir_rmt_addr = xtcp_addr_v4(&r->entry.key.raddr);
	ireq->ir_num = ntohs(r->entry.key.lport);
	ireq->ir_rmt_port = r->entry.key.rport;
}

bool xtcp_reqsk_label(struct xtcp_reqsk *r, struct sk_buff *skb)
{
	struct flowi_common flow = { };
	struct inet_request_sock ireq;
	struct ip_options_rcu *opt;
	int err;

	label_request(&ireq, r);
	err = security_inet_conn_request(r->lsk, skb, &ireq.req);
	/*
	 * A label that must stand in each packet (NetLabel's CIPSO option): we
	 * have no IP options in a SYN-ACK, and nothing may leave without it.
	 */
	opt = rcu_dereference_protected(ireq.ireq_opt, true);
	kfree(opt);
	if (err || opt)
		return false;
	security_req_classify_flow(&ireq.req, &flow);
	r->secid = flow.flowic_secid;
	return true;
}

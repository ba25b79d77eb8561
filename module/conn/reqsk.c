// SPDX-License-Identifier: GPL-2.0
/*
 * Requests: mini-sockets in SYN_RECV.  A request belongs to whoever takes it
 * off its listener's list under the listener's lock.
 */
#include <linux/slab.h>
#include <net/inet_common.h>
#include <net/ip.h>
#include <net/route.h>
#include "conn/synq.h"
#include "sock/sock.h"
#include "timer.h"
#include "tx/tx.h"

static struct kmem_cache *req_cache;

int xtcp_reqsk_init(void)
{
	req_cache = kmem_cache_create("xtcp_req", sizeof(struct xtcp_reqsk), 0,
				      SLAB_HWCACHE_ALIGN | SLAB_ACCOUNT, NULL);
	return req_cache ? 0 : -ENOMEM;
}

void xtcp_reqsk_exit(void)
{
	kmem_cache_destroy(req_cache);
}

void xtcp_reqsk_synack(struct xtcp_reqsk *r, bool cookie)
{
	const struct xtcp_key *k = &r->entry.key;
	struct xtcp_reply reply = {
		.saddr = xtcp_addr_v4(&k->laddr),
		.daddr = xtcp_addr_v4(&k->raddr),
		.oif = r->entry.bound_if,
		.mark = r->mark,
		.txhash = r->txhash,
		.secid = r->secid,
		.scope = ip_sock_rt_scope(r->lsk),
		.tos = r->tos,
		.sk = r->lsk,
		.priority = READ_ONCE(r->lsk->sk_priority),
		.ttl = max_t(int, READ_ONCE(inet_sk(r->lsk)->uc_ttl), 0),
	};
	u64 now = xtcp_now();
	struct xtcp_hdr h;

	xtcp_req_synack(&r->req, now, &h);
	if (cookie && r->req.ts_ok)
		h.tsval = xtcp_cookie_tsval(&r->req, now);
	h.sport = ntohs(k->lport);
	h.dport = ntohs(k->rport);
	xtcp_reply_send(sock_net(r->lsk), &reply, &h);
}

static void req_free_rcu(struct rcu_head *head)
{
	kmem_cache_free(req_cache, container_of(head, struct xtcp_reqsk, rcu));
}

void xtcp_reqsk_free(struct xtcp_reqsk *r)
{
	struct sock *lsk = r->lsk;
	struct xtcp_net *xn = xtcp_pernet(sock_net(lsk));

	xtcp_table_remove(xn, &r->entry);
	timer_shutdown(&r->timer);
	atomic_dec(&xn->nreqs);
	call_rcu(&r->rcu, req_free_rcu);
	sock_put(lsk);
}

/* When @r's timer is to run out, in jiffies. */
static unsigned long req_due(const struct xtcp_reqsk *r,
			     const struct xtcp_cfg *cfg)
{
	return jiffies + xtcp_jiffies(xtcp_req_backoff(&r->req, cfg));
}

bool xtcp_reqsk_take(struct xtcp_listener *l, struct xtcp_reqsk *r)
{
	lockdep_assert_held(&l->lock);
	/* What a closing listener has taken it frees itself. */
	if (!l->open || list_empty(&r->link))
		return false;
	list_del_init(&r->link);
	l->nreqs--;
	l->nyoung -= !r->req.timeouts;
	return true;
}

void xtcp_reqsk_put(struct xtcp_net *xn, struct xtcp_listener *l,
		    struct xtcp_reqsk *r)
{
	lockdep_assert_held(&l->lock);
	list_add_tail(&r->link, &l->reqs);
	l->nreqs++;
	l->nyoung += !r->req.timeouts;
	mod_timer(&r->timer, req_due(r, &xn->cfg));
}

void xtcp_reqsk_edge(struct xtcp_net *xn, u8 ev)
{
	xtcp_edge_count(xn, XTCP_SYN_RECV, ev, xtcp_fsm[XTCP_SYN_RECV][ev].next);
}

bool xtcp_reqsk_kill(struct xtcp_listener *l, struct xtcp_reqsk *r, u8 ev)
{
	bool mine;

	spin_lock_bh(&l->lock);
	mine = xtcp_reqsk_take(l, r);
	spin_unlock_bh(&l->lock);
	if (!mine)
		return false;
	xtcp_reqsk_edge(xtcp_pernet(sock_net(r->lsk)), ev);
	XTCP_INC(sock_net(r->lsk), ATTEMPTFAILS);
	xtcp_reqsk_free(r);
	return true;
}

/* The SYN-ACK again. */
static void req_repeat_synack(struct xtcp_reqsk *r)
{
	XTCP_INC(sock_net(r->lsk), RETRANSSEGS);
	XTCP_INC(sock_net(r->lsk), SYNRETRANS);
	xtcp_reqsk_synack(r, false);
}

enum req_timeout {
	REQ_EXPIRED,
	REQ_WAITS,	/* for data, TCP_DEFER_ACCEPT */
	REQ_REPEATS,	/* the SYN-ACK */
};

/* What is to be done when @r's timer has run out.  Listener's lock. */
static enum req_timeout req_timeout(const struct sock *lsk,
				    struct xtcp_listener *l,
				    struct xtcp_reqsk *r)
{
	const struct xtcp_cfg *cfg = &xtcp_pernet(sock_net(lsk))->cfg;
	u8 retries = READ_ONCE(xtcp_sk(lsk)->core.syn_cnt) ?:
		     READ_ONCE(cfg->synack_retries);
	u8 defer = READ_ONCE(xtcp_sk(lsk)->defer_accept);
	bool resend = xtcp_req_resend(&r->req, defer);

	if (!l->open || list_empty(&r->link))
		return REQ_WAITS;
	retries = xtcp_req_retries(l->nreqs, l->nyoung,
				   READ_ONCE(lsk->sk_max_ack_backlog), retries);
	if (xtcp_req_expired(&r->req, retries, defer))
		return REQ_EXPIRED;
	l->nyoung -= !r->req.timeouts;
	if (r->req.timeouts < 255)
		r->req.timeouts++;
	r->req.retrans += resend && r->req.retrans < 255;
	mod_timer(&r->timer, req_due(r, cfg));
	return resend ? REQ_REPEATS : REQ_WAITS;
}

static void req_timer(struct timer_list *t)
{
	struct xtcp_reqsk *r = from_timer(r, t, timer);
	enum req_timeout what = REQ_WAITS;
	struct xtcp_listener *l;

	rcu_read_lock();
	l = rcu_dereference(xtcp_sk(r->lsk)->listener);
	if (l) {
		spin_lock(&l->lock);
		what = req_timeout(r->lsk, l, r);
		spin_unlock(&l->lock);
	}
	if (what == REQ_REPEATS)
		req_repeat_synack(r);
	else if (what == REQ_EXPIRED)
		xtcp_reqsk_kill(l, r, XTCP_EV_TIMEOUT);
	rcu_read_unlock();
}

/* The route back to the peer, for what we may announce. */
static u16 req_own_mss(const struct sock *lsk, const struct xtcp_reqsk *r)
{
	struct flowi4 fl4;
	struct rtable *rt;
	u16 mss = XTCP_MSS_DEFAULT;

	flowi4_init_output(&fl4, r->entry.bound_if, r->mark, r->tos,
			   ip_sock_rt_scope(lsk), xtcp_ipproto,
			   inet_sk_flowi_flags(lsk),
			   xtcp_addr_v4(&r->entry.key.raddr),
			   xtcp_addr_v4(&r->entry.key.laddr),
			   r->entry.key.rport, r->entry.key.lport, lsk->sk_uid);
	fl4.flowi4_secid = r->secid;
	rt = ip_route_output_flow(sock_net(lsk), &fl4, lsk);
	if (IS_ERR(rt))
		return 0;
	mss = min_t(u32, dst_metric_advmss(&rt->dst), 65495);
	ip_rt_put(rt);
	if (xtcp_sk(lsk)->user_mss)
		mss = min(mss, xtcp_sk(lsk)->user_mss);
	return mss;
}

void xtcp_reqsk_address(struct xtcp_reqsk *r, struct sock *lsk,
			const struct sk_buff *skb, const struct xtcp_seg *s)
{
	const struct iphdr *iph = ip_hdr(skb);

	memset(r, 0, sizeof(*r));
	INIT_LIST_HEAD(&r->link);
	r->entry.kind = XTCP_KIND_REQ;
	r->entry.bound_if = READ_ONCE(lsk->sk_bound_dev_if);
	xtcp_key_v4(&r->entry.key, iph->daddr, htons(s->dport),
		    iph->saddr, htons(s->sport));
	r->lsk = lsk;
	r->mark = READ_ONCE(lsk->sk_mark);
	r->tos = READ_ONCE(inet_sk(lsk)->tos);
	r->txhash = net_tx_rndhash();
}

bool xtcp_reqsk_open(struct xtcp_reqsk *r, struct sk_buff *skb,
		     const struct xtcp_seg *syn, u32 iss)
{
	struct xtcp_net *xn = xtcp_pernet(sock_net(r->lsk));
	u32 space = READ_ONCE(r->lsk->sk_rcvbuf) / 2;
	u16 mss;

	if (!xtcp_reqsk_label(r, skb))
		return false;
	mss = req_own_mss(r->lsk, r);
	if (!mss)
		return false;
	xtcp_req_open(&r->req, syn, iss, mss, space,
		      max_t(u32, space, READ_ONCE(xn->rmem[2]) / 2),
		      xtcp_ts_off(xn, &r->entry.key), &xn->cfg);
	return true;
}

void xtcp_reqsk_discard(struct xtcp_reqsk *r)
{
	kmem_cache_free(req_cache, r);
}

struct xtcp_reqsk *xtcp_reqsk_make(struct sock *lsk, struct sk_buff *skb,
				   const struct xtcp_seg *s, u32 iss)
{
	struct xtcp_net *xn = xtcp_pernet(sock_net(lsk));
	struct xtcp_reqsk *r = kmem_cache_alloc(req_cache,
						GFP_ATOMIC | __GFP_NOWARN);

	if (!r)
		return NULL;
	xtcp_reqsk_address(r, lsk, skb, s);
	timer_setup(&r->timer, req_timer, 0);
	if (!xtcp_reqsk_open(r, skb, s, iss ?: xtcp_isn(xn, &r->entry.key))) {
		xtcp_reqsk_discard(r);
		return NULL;
	}
	r->req.sent = xtcp_now();
	return r;
}

bool xtcp_reqsk_queue(struct sock *lsk, struct xtcp_listener *l,
		      struct xtcp_reqsk *r)
{
	struct xtcp_net *xn = xtcp_pernet(sock_net(lsk));
	bool ok = false;

	spin_lock_bh(&l->lock);
	/* The socket may have left this port for another since it was found. */
	if (!l->open || l->port != ntohs(r->entry.key.lport))
		goto out;
	if (xtcp_table_insert(xn, &r->entry))
		goto out;
	sock_hold(lsk);
	atomic_inc(&xn->nreqs);
	xtcp_reqsk_put(xn, l, r);
	ok = true;
out:
	spin_unlock_bh(&l->lock);
	return ok;
}

/*
 * Answers to what is out of order are rationed, as native TCP does it, but for
 * those to payload, which an honest peer may repeat.
 */
static bool req_rationed(struct xtcp_reqsk *r, const struct xtcp_seg *s)
{
	const struct xtcp_cfg *cfg = &xtcp_pernet(sock_net(r->lsk))->cfg;
	u32 now = jiffies, last = READ_ONCE(r->last_oow);

	if (xtcp_seg_space(s) && !(s->flags & XTCP_SYN))
		return false;
	if (last && now - last < xtcp_jiffies(cfg->invalid_ratelimit)) {
		XTCP_INC(sock_net(r->lsk), SYNRECVSKIPPED);
		return true;
	}
	WRITE_ONCE(r->last_oow, now ?: 1);
	return false;
}

void xtcp_reqsk_answer_syn(struct xtcp_listener *l, struct xtcp_reqsk *r,
			   const struct xtcp_seg *s)
{
	const struct xtcp_cfg *cfg = &xtcp_pernet(sock_net(r->lsk))->cfg;

	if (req_rationed(r, s))
		return;
	spin_lock_bh(&l->lock);
	r->req.retrans += r->req.retrans < 255;
	spin_unlock_bh(&l->lock);
	req_repeat_synack(r);
	mod_timer_pending(&r->timer, req_due(r, cfg));
}

void xtcp_reqsk_answer_ack(struct xtcp_reqsk *r, struct sk_buff *skb,
			   const struct xtcp_seg *s)
{
	struct xtcp_reply reply;
	struct xtcp_hdr h;

	if (req_rationed(r, s))
		return;
	xtcp_req_ack(&r->req, xtcp_now(), &h);
	XTCP_INC(sock_net(r->lsk), CHALLENGEACKS);
	xtcp_reply_init(&reply, sock_net(r->lsk), skb);
	xtcp_reply_as(&reply, r->lsk);
	reply.txhash = r->txhash;
	xtcp_reply_seg(sock_net(r->lsk), &reply, s, &h);
}

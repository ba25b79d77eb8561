/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between the kernels XTCP is built for.  Each XTCP_HAVE_* is
 * defined by a compile probe in compat/probes/ of the same name: stable
 * kernels backport interfaces, so version numbers would mislead.
 */
#ifndef XTCP_COMPAT_H
#define XTCP_COMPAT_H

#include <linux/bpf-cgroup.h>
#include <net/sock.h>
#include <net/inet_sock.h>
#include <net/ip.h>
#include <net/net_namespace.h>
#include "xtcp_compat_config.h"
#ifdef XTCP_HAVE_ICMP_ERROR
#include <net/ip.h>
#else
#include <linux/errqueue.h>
#include <linux/icmp.h>
#include <linux/ip.h>
#endif

/* The accounting of all sockets has moved out of net/sock.h. */
#ifdef XTCP_HAVE_PROTO_MEMORY
#include <net/proto_memory.h>
#endif

/* proto.accept: its arguments and where the error goes. */
#ifdef XTCP_HAVE_ACCEPT_ARG
#define XTCP_ACCEPT_ARGS	struct sock *sk, struct proto_accept_arg *arg
#define XTCP_ACCEPT_FLAGS	(arg->flags)
#define XTCP_ACCEPT_ERR		(&arg->err)
#else
#define XTCP_ACCEPT_ARGS	struct sock *sk, int flags, int *err, bool kern
#define XTCP_ACCEPT_FLAGS	(flags)
#define XTCP_ACCEPT_ERR		(err)
#endif

/* What sendfile() sends page by page says by a flag of its own on 6.1. */
#ifdef MSG_SENDPAGE_NOTLAST
#define XTCP_MSG_MORE	(MSG_MORE | MSG_SENDPAGE_NOTLAST)
#else
#define XTCP_MSG_MORE	MSG_MORE
#endif

/* proto.ioctl: where the answer goes. */
#ifdef XTCP_HAVE_IOCTL_KARG
#define XTCP_IOCTL_ARG		int *karg
static inline int xtcp_ioctl_put(int *karg, int val)
{
	*karg = val;
	return 0;
}
#else
#define XTCP_IOCTL_ARG		unsigned long karg
static inline int xtcp_ioctl_put(unsigned long karg, int val)
{
	return put_user(val, (int __user *)karg);
}
#endif

/* The inet flags that inet_create() gives to a new socket. */
static inline void xtcp_inet_flags_init(struct sock *sk)
{
#ifdef XTCP_HAVE_INET_BITS
	inet_clear_bit(IS_ICSK, sk);
	inet_clear_bit(NODEFRAG, sk);
	inet_set_bit(MC_LOOP, sk);
	inet_set_bit(MC_ALL, sk);
#else
	inet_sk(sk)->is_icsk = 0;
	inet_sk(sk)->nodefrag = 0;
	inet_sk(sk)->mc_loop = 1;
	inet_sk(sk)->mc_all = 1;
#endif
}

static inline bool xtcp_inet_freebind(const struct sock *sk)
{
#ifdef XTCP_HAVE_INET_BITS
	return inet_test_bit(FREEBIND, sk);
#else
	return inet_sk(sk)->freebind;
#endif
}

static inline bool xtcp_inet_bind_no_port(const struct sock *sk)
{
#ifdef XTCP_HAVE_INET_BITS
	return inet_test_bit(BIND_ADDRESS_NO_PORT, sk);
#else
	return inet_sk(sk)->bind_address_no_port;
#endif
}

/* True if the range is @sk's own (IP_LOCAL_PORT_RANGE) and treated as such. */
static inline bool xtcp_local_port_range(struct sock *sk, int *low, int *high)
{
#ifdef XTCP_HAVE_PORT_RANGE_BOOL
	return inet_sk_get_local_port_range(sk, low, high);
#else
	inet_sk_get_local_port_range(sk, low, high);
	return false;
#endif
}

/*
 * Does the first bind() of a port decide what native TCP believes of all its
 * owners?  Since their list became two, it finds that a bind() is never the
 * first, and looks at every owner instead.
 */
#ifdef XTCP_HAVE_BIND_TWO_LISTS
#define XTCP_BIND_TRUSTS_FIRST	0
#else
#define XTCP_BIND_TRUSTS_FIRST	1
#endif

/*
 * The programs that the cgroup of @sk has for connect(): 0 or an error.  They
 * may change the address, of @len bytes.  Socket lock.
 */
static inline int xtcp_cgroup_connect(struct sock *sk, struct sockaddr *uaddr,
				      int len)
{
#ifdef XTCP_HAVE_CGROUP_ADDR_LEN
	return BPF_CGROUP_RUN_PROG_INET4_CONNECT(sk, uaddr, &len);
#else
	return BPF_CGROUP_RUN_PROG_INET4_CONNECT(sk, uaddr);
#endif
}

/* IP_RECVERR is on. */
static inline bool xtcp_inet_recverr(const struct sock *sk)
{
#ifdef XTCP_HAVE_INET_BITS
	return inet_test_bit(RECVERR, sk);
#else
	return inet_sk(sk)->recverr;
#endif
}

/*
 * An ICMP error, with what it quotes from @payload on, goes to the error
 * queue of @sk.  skb->data is at the quoted IP header.  Softirq.
 */
static inline void xtcp_icmp_error(struct sock *sk, struct sk_buff *skb,
				   int err, __be16 port, u32 info, u8 *payload)
{
#ifdef XTCP_HAVE_ICMP_ERROR
	ip_icmp_error(sk, skb, err, port, info, payload);
#else
	const struct icmphdr *ic = icmp_hdr(skb);
	const struct iphdr *quoted = (const struct iphdr *)(ic + 1);
	struct sk_buff *clone = skb_clone(skb, GFP_ATOMIC);
	struct sock_exterr_skb *serr;

	if (!clone)
		return;
	serr = SKB_EXT_ERR(clone);
	memset(&serr->ee, 0, sizeof(serr->ee));
	serr->ee.ee_errno = err;
	serr->ee.ee_origin = SO_EE_ORIGIN_ICMP;
	serr->ee.ee_type = ic->type;
	serr->ee.ee_code = ic->code;
	serr->ee.ee_info = info;
	serr->addr_offset = (const u8 *)&quoted->daddr -
		skb_network_header(skb);
	serr->port = port;
	if (!skb_pull(clone, payload - clone->data))
		goto drop;
	/* RFC 4884's length is where redirects and MTUs have other things. */
	if (inet_sk(sk)->recverr_rfc4884 &&
	    (ic->type == ICMP_DEST_UNREACH || ic->type == ICMP_TIME_EXCEEDED ||
	     ic->type == ICMP_PARAMETERPROB))
		ip_icmp_error_rfc4884(clone, &serr->ee.ee_rfc4884, sizeof(*ic),
				      ic->un.reserved[1] * sizeof(u32));
	skb_reset_transport_header(clone);
	if (!sock_queue_err_skb(sk, clone))
		return;
drop:
	kfree_skb(clone);
#endif
}

/*
 * A socket that the user has closed lives on without keeping its namespace:
 * whoever tears that down finds it in the list of orphans.  Turns @sk into
 * what sk_alloc() makes for the kernel's own sockets.
 */
static inline void xtcp_sock_drop_netns(struct sock *sk)
{
	struct net *net = sock_net(sk);

	if (!sk->sk_net_refcnt)
		return;
	sk->sk_net_refcnt = 0;
	sock_inuse_add(net, -1);
#ifdef XTCP_HAVE_NETNS_PASSIVE
	net_passive_inc(net);
#endif
	put_net_track(net, &sk->ns_tracker);
#ifdef XTCP_HAVE_NETNS_TRACKER
	__netns_tracker_alloc(net, &sk->ns_tracker, false, GFP_ATOMIC);
#endif
}

/*
 * @sk is over, and its memory may outlive its namespace.  Where it does not
 * keep at least the struct net, it must not point there any more.
 */
static inline void xtcp_sock_forget_netns(struct sock *sk)
{
#ifndef XTCP_HAVE_NETNS_PASSIVE
	if (!sk->sk_net_refcnt)
		sock_net_set(sk, &init_net);
#endif
}

#endif /* XTCP_COMPAT_H */

// SPDX-License-Identifier: GPL-2.0
/*
 * The doors: socket(AF_XTCP, SOCK_STREAM, 0) and
 * socket(AF_INET, SOCK_STREAM, IPPROTO_XTCP).  sk_family is AF_INET in both.
 */
#include <linux/bpf-cgroup.h>
#include <linux/module.h>
#include <linux/net.h>
#include <net/inet_common.h>
#include <net/protocol.h>
#include "conn/conn.h"
#include "netns.h"
#include "rx/rx.h"
#include "sock/sock.h"
#include "timer.h"

static struct percpu_counter xtcp_sockets_allocated;
static atomic_long_t xtcp_memory_allocated;
static DEFINE_PER_CPU(int, xtcp_memory_fw);
static unsigned long xtcp_memory_pressure;
long xtcp_mem[3];
/*
 * Only the first of each is read, by the accounting of the kernel: what a
 * socket may have however little is left.  The rest is per namespace.
 */
static int xtcp_wmem[3] = { 4096 };
static int xtcp_rmem[3] = { 4096 };

static void enter_memory_pressure(struct sock *sk)
{
	if (!READ_ONCE(xtcp_memory_pressure) &&
	    !cmpxchg(&xtcp_memory_pressure, 0, jiffies ?: 1))
		XTCP_INC(sock_net(sk), PRESSURES);
}

static void leave_memory_pressure(struct sock *sk)
{
	unsigned long since;

	if (!READ_ONCE(xtcp_memory_pressure))
		return;
	since = xchg(&xtcp_memory_pressure, 0);
	if (since)
		this_cpu_add(xtcp_pernet(sock_net(sk))->mib->v
			     [XTCP_CNT_PRESSURESMS],
			     jiffies_to_msecs(jiffies - since));
}

static int proto_hash(struct sock *sk)
{
	return 0;
}

/* inet_create() calls it when it must undo what it made. */
static void proto_unhash(struct sock *sk)
{
}

/*
 * What a socket goes back to when it is freed, once the user has closed it:
 * without an owner, for such sockets do not keep the module, they are ended
 * when that goes.
 */
static struct proto xtcp_prot_closed = {
	.name			= "XTCP",
};

void xtcp_sock_unpin(struct sock *sk)
{
	if (sk->sk_prot_creator != &xtcp_prot)
		return;
	sk->sk_prot_creator = &xtcp_prot_closed;
	module_put(THIS_MODULE);
}

/*
 * The owner keeps the module from the socket's first moment on: by the time
 * that socket() takes its own reference, it can no longer be refused.
 */
struct proto xtcp_prot = {
	.name			= "XTCP",
	.owner			= THIS_MODULE,
	.init			= xtcp_init_sock,
	.close			= xtcp_close,
	.pre_connect		= xtcp_v4_pre_connect,
	.connect		= xtcp_v4_connect,
	.disconnect		= xtcp_disconnect,
	.accept			= xtcp_accept,
	.ioctl			= xtcp_ioctl,
	.shutdown		= xtcp_shutdown,
	.setsockopt		= xtcp_setsockopt,
	.getsockopt		= xtcp_getsockopt,
	.keepalive		= xtcp_keepalive,
	.sendmsg		= xtcp_sendmsg,
	.recvmsg		= xtcp_recvmsg,
	.splice_eof		= xtcp_splice_eof,
	.backlog_rcv		= xtcp_backlog_rcv,
	.release_cb		= xtcp_release_cb,
	.hash			= proto_hash,
	.unhash			= proto_unhash,
	.get_port		= xtcp_get_port,
	.put_port		= xtcp_put_port,
	.stream_memory_free	= xtcp_stream_memory_free,
	.enter_memory_pressure	= enter_memory_pressure,
	.leave_memory_pressure	= leave_memory_pressure,
	.sockets_allocated	= &xtcp_sockets_allocated,
	.memory_allocated	= &xtcp_memory_allocated,
	.per_cpu_fw_alloc	= &xtcp_memory_fw,
	.memory_pressure	= &xtcp_memory_pressure,
	.sysctl_mem		= xtcp_mem,
	.sysctl_wmem		= xtcp_wmem,
	.sysctl_rmem		= xtcp_rmem,
	.obj_size		= sizeof(struct xtcp_sock),
	.no_autobind		= true,
};

const struct proto_ops xtcp_stream_ops = {
	.family		= PF_INET,
	.owner		= THIS_MODULE,
	.release	= inet_release,
	.bind		= inet_bind,
	.connect	= inet_stream_connect,
	.socketpair	= sock_no_socketpair,
	.accept		= inet_accept,
	.getname	= inet_getname,
	.poll		= xtcp_poll,
	.ioctl		= inet_ioctl,
	.gettstamp	= sock_gettstamp,
	.listen		= xtcp_listen,
	.shutdown	= inet_shutdown,
	.setsockopt	= sock_common_setsockopt,
	.getsockopt	= sock_common_getsockopt,
	.sendmsg	= inet_sendmsg,
	.recvmsg	= inet_recvmsg,
	.splice_eof	= inet_splice_eof,
	.mmap		= sock_no_mmap,
	.set_rcvlowat	= xtcp_set_rcvlowat,
};

/* struct xtcp_sock that exist, and who waits for the last of them to go. */
static atomic_t nsocks_all;
static DECLARE_WAIT_QUEUE_HEAD(socks_gone);

void xtcp_sock_destruct(struct sock *sk)
{
	inet_sock_destruct(sk);
	sk_sockets_allocated_dec(sk);
	/* One that socket() had to give up again has not been closed. */
	if (!xtcp_sk(sk)->destroyed)
		xtcp_sock_leave(sk);
	if (atomic_dec_and_test(&nsocks_all))
		wake_up_all(&socks_gone);
}

void xtcp_sock_born(struct sock *sk)
{
	atomic_inc(&nsocks_all);
	atomic_inc(&xtcp_pernet(sock_net(sk))->nsocks);
	local_bh_disable();
	sock_prot_inuse_add(sock_net(sk), sk->sk_prot, 1);
	local_bh_enable();
}

void xtcp_sock_leave(struct sock *sk)
{
	struct net *net = sock_net(sk);
	struct xtcp_net *xn = xtcp_pernet(net);

	local_bh_disable();
	sock_prot_inuse_add(net, sk->sk_prot, -1);
	xtcp_sock_forget_netns(sk);
	if (atomic_dec_and_test(&xn->nsocks))
		xtcp_netns_wake();
	local_bh_enable();
}

/* proto.init: what a socket has beyond inet_create()'s work. */
int xtcp_init_sock(struct sock *sk)
{
	struct xtcp_sock *xs = xtcp_sk(sk);
	struct xtcp_net *xn = xtcp_pernet(sock_net(sk));

	if (!xtcp_netns_use(xn))
		return -ENOMEM;
	xtcp_core_init(&xs->core, &xn->cfg);
	xs->entry.node.pprev = NULL;
	xs->lnode.pprev = NULL;
	INIT_LIST_HEAD(&xs->ready_link);
	INIT_LIST_HEAD(&xs->orphan_link);
	xs->entry.kind = XTCP_KIND_SOCK;
	xtcp_timer_init(sk);

	sk->sk_destruct = xtcp_sock_destruct;
	sk->sk_write_space = xtcp_write_space;
	sk->sk_gso_type = XTCP_GSO_V4;
	sock_set_flag(sk, SOCK_USE_WRITE_QUEUE);
	sock_set_flag(sk, SOCK_RCU_FREE);
	WRITE_ONCE(sk->sk_sndbuf, READ_ONCE(xn->wmem[1]));
	WRITE_ONCE(sk->sk_rcvbuf, READ_ONCE(xn->rmem[1]));
	sk_sockets_allocated_inc(sk);
	xtcp_sock_born(sk);
	return 0;
}

/* As inet_create() leaves a stream socket. */
static void family_init_inet(struct socket *sock, struct sock *sk)
{
	struct inet_sock *inet = inet_sk(sk);

	xtcp_inet_flags_init(sk);
	inet->pmtudisc = READ_ONCE(sock_net(sk)->ipv4.sysctl_ip_no_pmtu_disc) ?
		IP_PMTUDISC_DONT : IP_PMTUDISC_WANT;
	atomic_set(&inet->inet_id, 0);
	sock_init_data(sock, sk);
	sk->sk_protocol = xtcp_ipproto;
	sk->sk_backlog_rcv = sk->sk_prot->backlog_rcv;
	sk->sk_txrehash = READ_ONCE(sock_net(sk)->core.sysctl_txrehash);
	inet->uc_ttl = -1;
	inet->mc_ttl = 1;
}

static int family_create(struct net *net, struct socket *sock, int protocol,
			 int kern)
{
	struct sock *sk;
	int err;

	if (protocol < 0 || protocol >= IPPROTO_MAX)
		return -EINVAL;
	if (sock->type != SOCK_STREAM)
		return -ESOCKTNOSUPPORT;
	if (protocol && protocol != IPPROTO_TCP && protocol != xtcp_ipproto)
		return -EPROTONOSUPPORT;
	sock->state = SS_UNCONNECTED;
	sock->ops = &xtcp_stream_ops;
	sk = sk_alloc(net, PF_INET, GFP_KERNEL, &xtcp_prot, kern);
	if (!sk)
		return -ENOMEM;
	family_init_inet(sock, sk);
	err = xtcp_init_sock(sk);
	if (!err && !kern)
		err = BPF_CGROUP_RUN_PROG_INET_SOCK(sk);
	if (err) {
		sk_common_release(sk);
		sock->sk = NULL;
	}
	return err;
}

static struct net_proto_family xtcp_family_ops = {
	.create	= family_create,
	.owner	= THIS_MODULE,
};

static struct inet_protosw xtcp_protosw = {
	.type		= SOCK_STREAM,
	.prot		= &xtcp_prot,
	.ops		= &xtcp_stream_ops,
	.flags		= 0,
};

int xtcp_family_init(void)
{
	unsigned long limit = max(nr_free_buffer_pages() / 16, 128UL);
	int err;

	xtcp_mem[0] = limit / 4 * 3;
	xtcp_mem[1] = limit;
	xtcp_mem[2] = xtcp_mem[0] * 2;
	err = percpu_counter_init(&xtcp_sockets_allocated, 0, GFP_KERNEL);
	if (err)
		return err;
	err = proto_register(&xtcp_prot, 1);
	if (err)
		goto out_counter;
	xtcp_prot_closed.slab = xtcp_prot.slab;
	xtcp_family_ops.family = xtcp_family;
	err = sock_register(&xtcp_family_ops);
	if (err)
		goto out_proto;
	xtcp_protosw.protocol = xtcp_ipproto;
	inet_register_protosw(&xtcp_protosw);
	return 0;
out_proto:
	proto_unregister(&xtcp_prot);
out_counter:
	percpu_counter_destroy(&xtcp_sockets_allocated);
	return err;
}

/* No new sockets; xtcp_family_exit() once the last one is gone. */
void xtcp_family_close(void)
{
	inet_unregister_protosw(&xtcp_protosw);
	sock_unregister(xtcp_family);
}

void xtcp_family_drain(void)
{
	wait_event(socks_gone, !atomic_read(&nsocks_all));
}

void xtcp_family_exit(void)
{
	proto_unregister(&xtcp_prot);
	percpu_counter_destroy(&xtcp_sockets_allocated);
}

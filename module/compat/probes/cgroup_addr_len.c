// SPDX-License-Identifier: GPL-2.0
/* May a cgroup's program change the length of an address? */
#include <linux/bpf-cgroup.h>
#include <net/sock.h>

int probe(struct sock *sk, struct sockaddr *uaddr, int *len);
int probe(struct sock *sk, struct sockaddr *uaddr, int *len)
{
	return BPF_CGROUP_RUN_PROG_INET4_CONNECT(sk, uaddr, len);
}

// SPDX-License-Identifier: GPL-2.0
/* Does inet_sk_get_local_port_range() say whose the range is? */
#include <net/ip.h>

bool probe(struct sock *sk);
bool probe(struct sock *sk)
{
	int low, high;

	return inet_sk_get_local_port_range(sk, &low, &high);
}

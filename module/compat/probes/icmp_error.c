// SPDX-License-Identifier: GPL-2.0
/*
 * Is an ICMP error queued for the user by the kernel?
 * symbol: ip_icmp_error
 */
#include <net/ip.h>

void probe(struct sock *sk, struct sk_buff *skb, u8 *payload);
void probe(struct sock *sk, struct sk_buff *skb, u8 *payload)
{
	ip_icmp_error(sk, skb, 1, 0, 0, payload);
}

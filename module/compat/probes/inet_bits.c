// SPDX-License-Identifier: GPL-2.0
/* Are the flags of struct inet_sock bits with accessors? */
#include <net/inet_sock.h>

void probe(struct sock *sk);
void probe(struct sock *sk)
{
	inet_clear_bit(NODEFRAG, sk);
}

// SPDX-License-Identifier: GPL-2.0
/* Does the accounting of all sockets have a header of its own? */
#include <net/proto_memory.h>

bool probe(const struct sock *sk);
bool probe(const struct sock *sk)
{
	return sk_under_memory_pressure(sk);
}

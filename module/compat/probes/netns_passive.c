// SPDX-License-Identifier: GPL-2.0
/* Do sockets without a namespace reference hold a passive one? */
#include <net/net_namespace.h>

void probe(struct net *net);
void probe(struct net *net)
{
	net_passive_inc(net);
}

// SPDX-License-Identifier: GPL-2.0
/* Is there a tracker for sockets without a namespace reference? */
#include <net/net_namespace.h>

void probe(struct net *net);
void probe(struct net *net)
{
	netns_tracker t;

	__netns_tracker_alloc(net, &t, false, GFP_ATOMIC);
}

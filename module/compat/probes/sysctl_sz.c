// SPDX-License-Identifier: GPL-2.0
/* Is the size of a sysctl table given with it? */
#include <net/net_namespace.h>

void probe(struct net *net, struct ctl_table *t);
void probe(struct net *net, struct ctl_table *t)
{
	register_net_sysctl_sz(net, "net/probe", t, 1);
}

// SPDX-License-Identifier: GPL-2.0
/* The module: parameters, and the ladder up and down. */
#include <linux/module.h>
#include <linux/init.h>
#include "conn/conn.h"
#include "netns.h"
#include "rx/rx.h"
#include "sock/sock.h"

int xtcp_family = AF_XTCP;
module_param_named(family, xtcp_family, int, 0444);
MODULE_PARM_DESC(family, "address family number (default 25)");

int xtcp_ipproto = IPPROTO_XTCP;
module_param_named(ipproto, xtcp_ipproto, int, 0444);
MODULE_PARM_DESC(ipproto, "IP protocol number (default 253)");

static int __init xtcp_init(void)
{
	int err;

	BUILD_BUG_ON(sizeof(struct xtcp_rx_cb) > sizeof_field(struct sk_buff, cb));
	BUILD_BUG_ON(sizeof(struct xtcp_tx_cb) > sizeof_field(struct sk_buff, cb));
	if (xtcp_ipproto <= 0 || xtcp_ipproto > 255)
		return -EINVAL;
	xtcp_ports_init();
	err = xtcp_reqsk_init();
	if (err)
		return err;
	err = xtcp_timewait_init();
	if (err)
		goto out_reqsk;
	err = xtcp_netns_init();
	if (err)
		goto out_timewait;
	err = xtcp_demux_init();
	if (err)
		goto out_netns;
	/* Last: from here on there may be sockets. */
	err = xtcp_family_init();
	if (err)
		goto out_demux;
	return 0;

out_demux:
	xtcp_demux_exit();
out_netns:
	xtcp_netns_exit();
out_timewait:
	xtcp_timewait_exit();
out_reqsk:
	xtcp_reqsk_exit();
	return err;
}

/*
 * No socket of a user is left, or the module's reference would have kept us
 * from here: what is left are mini-sockets, orphans, and what IP still holds.
 */
static void __exit xtcp_exit(void)
{
	xtcp_family_close();
	xtcp_demux_exit();
	xtcp_netns_exit();
	xtcp_family_drain();
	/* RCU callbacks of ours run code of ours. */
	rcu_barrier();
	xtcp_family_exit();
	xtcp_timewait_exit();
	xtcp_reqsk_exit();
}

module_init(xtcp_init);
module_exit(xtcp_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("XTCP: a TCP-like transport of its own, beside native TCP");
MODULE_ALIAS_NETPROTO(AF_XTCP);
/* The type is SOCK_STREAM; a name would stand in the alias as it is. */
MODULE_ALIAS_NET_PF_PROTO_TYPE(PF_INET, IPPROTO_XTCP, 1);

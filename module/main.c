// SPDX-License-Identifier: GPL-2.0
/* The module: parameters, and the ladder up and down. */
#define pr_fmt(fmt)	KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <linux/init.h>
#include "conn/conn.h"
#include "netns.h"
#include "offload.h"
#include "rx/rx.h"
#include "sock/sock.h"
#include "tx/tx.h"

int xtcp_family = AF_XTCP;
module_param_named(family, xtcp_family, int, 0444);
MODULE_PARM_DESC(family, "address family: 4, 12, 13, 18, 19, 22, 23 or 25 (default 25)");

int xtcp_ipproto = IPPROTO_XTCP;
module_param_named(ipproto, xtcp_ipproto, int, 0444);
MODULE_PARM_DESC(ipproto, "IP protocol number: 148 to 254 (default 253)");

#define XTCP_VERSION		"0.8"

/* Up to here IANA has given the numbers away; 255 is IPPROTO_RAW. */
#define XTCP_IPPROTO_FIRST	148
#define XTCP_IPPROTO_LAST	254

/*
 * The address families whose protocols have left the kernel or never were in
 * it.  All others are somebody's, whether or not that module is loaded now: it
 * could not be loaded any more while ours is there.
 */
static const int free_families[] __initconst = {
	AF_IPX, AF_DECnet, AF_NETBEUI, AF_ASH, AF_ECONET, AF_SNA, AF_IRDA,
	AF_WANPIPE,
};

/* -EINVAL or -EBUSY, and a line in the log, if the number cannot be ours. */
static int __init check_family(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(free_families); i++)
		if (xtcp_family == free_families[i])
			return 0;
	if (xtcp_family > AF_UNSPEC && xtcp_family < AF_MAX) {
		pr_err("family=%d: belongs to another protocol; free are 4, 12, 13, 18, 19, 22, 23 and 25\n",
		       xtcp_family);
		return -EBUSY;
	}
	pr_err("family=%d: not an address family; 4, 12, 13, 18, 19, 22, 23 and 25 would do\n",
	       xtcp_family);
	return -EINVAL;
}

/* The same for the number in the IP header. */
static int __init check_ipproto(void)
{
	if (xtcp_ipproto >= XTCP_IPPROTO_FIRST &&
	    xtcp_ipproto <= XTCP_IPPROTO_LAST)
		return 0;
	if (xtcp_ipproto > 0 && xtcp_ipproto < XTCP_IPPROTO_FIRST) {
		pr_err("ipproto=%d: belongs to another protocol; %d to %d would do, best 253 or 254\n",
		       xtcp_ipproto, XTCP_IPPROTO_FIRST, XTCP_IPPROTO_LAST);
		return -EBUSY;
	}
	pr_err("ipproto=%d: not an IP protocol; %d to %d would do, best 253 or 254\n",
	       xtcp_ipproto, XTCP_IPPROTO_FIRST, XTCP_IPPROTO_LAST);
	return -EINVAL;
}

/*
 * Another module outside of the kernel may have the number already.  insmod
 * would then say "File exists" or "Operation not permitted", and modprobe
 * takes -EEXIST for success.
 */
static int __init taken(const char *param, int number)
{
	pr_err("%s=%d: another module has it; try another number\n", param,
	       number);
	return -EBUSY;
}

static int __init xtcp_init(void)
{
	int err;

	BUILD_BUG_ON(sizeof(struct xtcp_rx_cb) > sizeof_field(struct sk_buff, cb));
	BUILD_BUG_ON(sizeof(struct xtcp_tx_cb) > sizeof_field(struct sk_buff, cb));
	err = check_family();
	if (!err)
		err = check_ipproto();
	if (err)
		return err;
	xtcp_ports_init();
	xtcp_below_init();
	err = xtcp_tables_init();
	if (err)
		return err;
	err = xtcp_reqsk_init();
	if (err)
		goto out_tables;
	err = xtcp_timewait_init();
	if (err)
		goto out_reqsk;
	err = xtcp_netns_init();
	if (err)
		goto out_timewait;
	/* These have no errno of their own and fail for one reason only. */
	if (xtcp_offload_init()) {
		err = taken("ipproto", xtcp_ipproto);
		goto out_netns;
	}
	if (xtcp_demux_init()) {
		err = taken("ipproto", xtcp_ipproto);
		goto out_offload;
	}
	/* Last: from here on there may be sockets. */
	err = xtcp_family_init();
	if (err == -EEXIST)
		err = taken("family", xtcp_family);
	if (err)
		goto out_demux;
	pr_info("version " XTCP_VERSION ", address family %d, IP protocol %d\n",
		xtcp_family, xtcp_ipproto);
	return 0;

out_demux:
	xtcp_demux_exit();
out_offload:
	xtcp_offload_exit();
out_netns:
	xtcp_netns_exit();
out_timewait:
	xtcp_timewait_exit();
out_reqsk:
	xtcp_reqsk_exit();
out_tables:
	xtcp_tables_exit();
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
	/* Queues below IP are empty of segments that have a socket. */
	xtcp_below_exit();
	xtcp_offload_exit();
	/* RCU callbacks of ours run code of ours. */
	rcu_barrier();
	xtcp_family_exit();
	xtcp_timewait_exit();
	xtcp_reqsk_exit();
	xtcp_tables_exit();
}

module_init(xtcp_init);
module_exit(xtcp_exit);

MODULE_LICENSE("GPL");
MODULE_AUTHOR("XTCP contributors");
MODULE_VERSION(XTCP_VERSION);
MODULE_DESCRIPTION("XTCP: a TCP-like transport of its own, beside native TCP");
MODULE_ALIAS_NETPROTO(AF_XTCP);
/* The type is SOCK_STREAM; a name would stand in the alias as it is. */
MODULE_ALIAS_NET_PF_PROTO_TYPE(PF_INET, IPPROTO_XTCP, 1);

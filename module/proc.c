// SPDX-License-Identifier: GPL-2.0
/* /proc/net/xtcp: connections; xtcp_snmp: counters; xtcp_edges: the states. */
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/seq_file_net.h>
#include "conn/conn.h"
#include "netns.h"

static const char *const counter_name[XTCP_NCOUNTERS] = {
	XTCP_MIBS(XTCP_MIB_NAME)
};

static unsigned long counter_sum(const struct xtcp_net *xn, int i)
{
	unsigned long sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu_ptr(xn->mib, cpu)->v[i]);
	return sum;
}

static int snmp_show(struct seq_file *m, void *v)
{
	struct xtcp_net *xn = xtcp_pernet(seq_file_single_net(m));
	int i;

	for (i = 0; i < XTCP_NCOUNTERS; i++)
		seq_printf(m, "%s %lu\n", counter_name[i], counter_sum(xn, i));
	seq_printf(m, "Sockets %d\n", atomic_read(&xn->nsocks));
	seq_printf(m, "Orphans %d\n", atomic_read(&xn->norphans));
	seq_printf(m, "TimeWait %d\n", atomic_read(&xn->ntw));
	seq_printf(m, "Requests %d\n", atomic_read(&xn->nreqs));
	return 0;
}

/* Edges are counted for the whole module: a test spans namespaces. */
static int edges_show(struct seq_file *m, void *v)
{
	int from, ev;

	for (from = 1; from < XTCP_NSTATES; from++)
		for (ev = 0; ev < XTCP_NEVENTS; ev++) {
			const struct xtcp_edge *e = &xtcp_fsm[from][ev];

			if (e->next)
				seq_printf(m, "%s %s %s %lu\n",
					   xtcp_state_name(from),
					   xtcp_event_name(ev),
					   xtcp_state_name(e->next),
					   xtcp_edge_sum(from, ev));
		}
	seq_printf(m, "illegal %lu\n", xtcp_edge_illegal());
	return 0;
}

static void show_entry(struct seq_file *m, const struct xtcp_entry *e)
{
	__be32 l = xtcp_addr_v4(&e->key.laddr), r = xtcp_addr_v4(&e->key.raddr);
	u32 txq = 0, rxq = 0;
	u8 state;

	if (e->kind == XTCP_KIND_SOCK) {
		const struct xtcp_sock *xs;

		xs = container_of(e, const struct xtcp_sock, entry);
		state = inet_sk_state_load(&xs->inet.sk);
		/* As natively, a FIN counts. */
		txq = xtcp_send_end(&xs->core) - READ_ONCE(xs->core.snd_una);
		rxq = READ_ONCE(xs->rcvq_bytes);
	} else if (e->kind == XTCP_KIND_TW) {
		state = READ_ONCE(container_of(e, const struct xtcp_twsk,
					       entry)->tw.state);
	} else {
		state = XTCP_SYN_RECV;
	}
	seq_printf(m, "%pI4:%u %pI4:%u %s %u %u\n", &l, ntohs(e->key.lport),
		   &r, ntohs(e->key.rport), xtcp_state_name(state), txq, rxq);
}

static void show_listeners(struct seq_file *m, struct xtcp_net *xn)
{
	struct hlist_nulls_node *n;
	struct xtcp_sock *xs;
	u32 i;

	for (i = 0; i < BIT(XTCP_LHASH_BITS); i++)
		hlist_nulls_for_each_entry_rcu(xs, n, &xn->lhash[i], lnode)
			seq_printf(m, "%pI4:%u 0.0.0.0:0 LISTEN %u %u\n",
				   &xs->inet.inet_rcv_saddr, xs->inet.inet_num,
				   READ_ONCE(xs->inet.sk.sk_max_ack_backlog),
				   READ_ONCE(xs->inet.sk.sk_ack_backlog));
}

/*
 * One bucket of the table of connections a step; *pos is the bucket + 1.  The
 * cookie is one more than that, as SEQ_START_TOKEN is 1.
 */
static void *table_cookie(loff_t pos)
{
	return (void *)(unsigned long)(pos + 1);
}

static void *table_start(struct seq_file *m, loff_t *pos)
	__acquires(RCU)
{
	rcu_read_lock();
	if (*pos > BIT(XTCP_EHASH_BITS))
		return NULL;
	return *pos ? table_cookie(*pos) : SEQ_START_TOKEN;
}

static void *table_next(struct seq_file *m, void *v, loff_t *pos)
{
	struct xtcp_net *xn = xtcp_pernet(seq_file_net(m));

	for (++*pos; *pos <= BIT(XTCP_EHASH_BITS); ++*pos)
		if (!hlist_nulls_empty(&xn->ehash[*pos - 1]))
			return table_cookie(*pos);
	return NULL;
}

static void table_stop(struct seq_file *m, void *v)
	__releases(RCU)
{
	rcu_read_unlock();
}

static int table_show(struct seq_file *m, void *v)
{
	struct xtcp_net *xn = xtcp_pernet(seq_file_net(m));
	struct hlist_nulls_node *n;
	struct xtcp_entry *e;

	if (v == SEQ_START_TOKEN) {
		seq_puts(m, "local remote state txq rxq\n");
		show_listeners(m, xn);
		return 0;
	}
	hlist_nulls_for_each_entry_rcu(e, n, &xn->ehash[(unsigned long)v - 2],
				       node)
		show_entry(m, e);
	return 0;
}

static const struct seq_operations table_ops = {
	.start	= table_start,
	.next	= table_next,
	.stop	= table_stop,
	.show	= table_show,
};

int xtcp_proc_init(struct net *net)
{
	if (!proc_create_net("xtcp", 0444, net->proc_net, &table_ops,
			     sizeof(struct seq_net_private)))
		return -ENOMEM;
	if (!proc_create_net_single("xtcp_snmp", 0444, net->proc_net,
				    snmp_show, NULL))
		goto out_table;
	if (!proc_create_net_single("xtcp_edges", 0444, net->proc_net,
				    edges_show, NULL))
		goto out_snmp;
	return 0;
out_snmp:
	remove_proc_entry("xtcp_snmp", net->proc_net);
out_table:
	remove_proc_entry("xtcp", net->proc_net);
	return -ENOMEM;
}

void xtcp_proc_exit(struct net *net)
{
	remove_proc_entry("xtcp_edges", net->proc_net);
	remove_proc_entry("xtcp_snmp", net->proc_net);
	remove_proc_entry("xtcp", net->proc_net);
}

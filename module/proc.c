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

/* The first namespace sees the sum over all: a test spans namespaces. */
static int edges_show(struct seq_file *m, void *v)
{
	struct net *net = seq_file_single_net(m);
	const struct xtcp_net *xn = NULL;
	int from, ev;

	if (!net_eq(net, &init_net))
		xn = xtcp_pernet(net);

	for (from = 1; from < XTCP_NSTATES; from++)
		for (ev = 0; ev < XTCP_NEVENTS; ev++) {
			const struct xtcp_edge *e = &xtcp_fsm[from][ev];

			if (e->next)
				seq_printf(m, "%s %s %s %lu\n",
					   xtcp_state_name(from),
					   xtcp_event_name(ev),
					   xtcp_state_name(e->next),
					   xtcp_edge_sum(xn, from, ev));
		}
	seq_printf(m, "illegal %lu\n", xtcp_edge_illegal(xn));
	return 0;
}

/* One line of /proc/net/xtcp. */
struct table_line {
	__be32 laddr, raddr;
	u16 lport, rport;
	u32 txq, rxq;
	u8 state;
};

/*
 * struct table_iter - how far the reader of a file has come
 * A chain is copied some lines at a time, under its lock, and printed without:
 * nobody waits for a reader, and what moves meanwhile leads nobody astray.
 * Chains are numbered: those of listeners come first.
 */
struct table_iter {
	struct seq_net_private p;	/* first, seq_open_net() wants it there */
	u32 chain;
	u32 left;	/* lines of the chain from line[i] on, the reader's */
	u32 i, n;	/* which of line[] is next, how many there are */
	struct table_line line[64];
};

#define CHAIN_ANEW	U32_MAX		/* all of a chain is left */

static void line_of_entry(struct table_line *l, const struct xtcp_entry *e)
{
	l->laddr = xtcp_addr_v4(&e->key.laddr);
	l->raddr = xtcp_addr_v4(&e->key.raddr);
	l->lport = ntohs(e->key.lport);
	l->rport = ntohs(e->key.rport);
	l->txq = 0;
	l->rxq = 0;
	if (e->kind == XTCP_KIND_SOCK) {
		const struct xtcp_sock *xs;

		xs = container_of(e, const struct xtcp_sock, entry);
		l->state = inet_sk_state_load(&xs->inet.sk);
		/* As natively, a FIN counts. */
		l->txq = xtcp_send_end(&xs->core) - READ_ONCE(xs->core.snd_una);
		l->rxq = READ_ONCE(xs->rcvq_bytes);
	} else if (e->kind == XTCP_KIND_TW) {
		l->state = READ_ONCE(container_of(e, const struct xtcp_twsk,
						  entry)->tw.state);
	} else {
		l->state = XTCP_SYN_RECV;
	}
}

static void line_of_listener(struct table_line *l, const struct xtcp_sock *xs)
{
	*l = (struct table_line){
		.laddr = xs->inet.inet_rcv_saddr,
		.lport = xs->inet.inet_num,
		.state = XTCP_LISTEN,
		.txq = READ_ONCE(xs->inet.sk.sk_max_ack_backlog),
		.rxq = READ_ONCE(xs->inet.sk.sk_ack_backlog),
	};
}

/*
 * Lines are counted from the end of a chain, as newcomers stand at its head:
 * who is there all the time is never left out, and comes a second time only if
 * another one that was to come went away in between.
 */
static u32 lines_skip(struct table_iter *it, u32 all)
{
	it->left = min(it->left, all);
	it->i = 0;
	it->n = 0;
	return all - it->left;
}

static bool line_room(const struct table_iter *it)
{
	return it->n < ARRAY_SIZE(it->line);
}

static void listeners_fill(struct table_iter *it, const struct net *net)
{
	struct xtcp_lchain *chain = &xtcp_tables.lhash[it->chain];
	struct hlist_nulls_node *n;
	struct xtcp_sock *xs;
	u32 all = 0, skip;

	if (hlist_nulls_empty(&chain->head)) {
		lines_skip(it, 0);
		return;
	}
	spin_lock_bh(&chain->lock);
	hlist_nulls_for_each_entry(xs, n, &chain->head, lnode)
		all += net_eq(sock_net(&xs->inet.sk), net);
	skip = lines_skip(it, all);
	hlist_nulls_for_each_entry(xs, n, &chain->head, lnode) {
		if (!line_room(it))
			break;
		if (net_eq(sock_net(&xs->inet.sk), net) && !(skip && skip--))
			line_of_listener(&it->line[it->n++], xs);
	}
	spin_unlock_bh(&chain->lock);
}

static void entries_fill(struct table_iter *it, const struct net *net)
{
	u32 slot = it->chain - xtcp_tables.lmask - 1, all = 0, skip;
	struct hlist_nulls_head *head = &xtcp_tables.ehash[slot];
	struct hlist_nulls_node *n;
	struct xtcp_entry *e;

	if (hlist_nulls_empty(head)) {
		lines_skip(it, 0);
		return;
	}
	spin_lock_bh(xtcp_elock(slot));
	hlist_nulls_for_each_entry(e, n, head, node)
		all += net_eq(e->net, net);
	skip = lines_skip(it, all);
	hlist_nulls_for_each_entry(e, n, head, node) {
		if (!line_room(it))
			break;
		if (net_eq(e->net, net) && !(skip && skip--))
			line_of_entry(&it->line[it->n++], e);
	}
	spin_unlock_bh(xtcp_elock(slot));
}

static u32 chains_all(void)
{
	return xtcp_tables.lmask + 1 + xtcp_tables.emask + 1;
}

/* What seq_file remembers: never 0, that is the heading, nor twice the same. */
static loff_t table_pos(const struct table_iter *it)
{
	return (loff_t)(it->chain + 1) << 32 | (CHAIN_ANEW - it->left);
}

/* The next line, from it->left lines before the end of it->chain on. */
static struct table_line *table_seek(struct table_iter *it,
				     const struct net *net, loff_t *pos)
{
	for (; it->chain < chains_all(); it->chain++) {
		if (it->chain <= xtcp_tables.lmask)
			listeners_fill(it, net);
		else
			entries_fill(it, net);
		if (it->n)
			break;
		it->left = CHAIN_ANEW;
		if (!(it->chain & 0xff))
			cond_resched();
	}
	*pos = table_pos(it);
	return it->n ? it->line : NULL;
}

static void *table_start(struct seq_file *m, loff_t *pos)
{
	struct table_iter *it = m->private;

	if (!*pos)
		return SEQ_START_TOKEN;
	if (it->i < it->n && *pos == table_pos(it))
		return &it->line[it->i];
	it->chain = (*pos >> 32) - 1;
	it->left = CHAIN_ANEW - (u32)*pos;
	it->n = 0;
	return table_seek(it, seq_file_net(m), pos);
}

static void *table_next(struct seq_file *m, void *v, loff_t *pos)
{
	struct table_iter *it = m->private;

	if (v == SEQ_START_TOKEN) {
		it->chain = 0;
		it->left = CHAIN_ANEW;
		it->n = 0;
	} else {
		it->left--;
		if (++it->i < it->n) {
			*pos = table_pos(it);
			return &it->line[it->i];
		}
		it->n = 0;
		if (!it->left) {
			it->chain++;
			it->left = CHAIN_ANEW;
		}
	}
	return table_seek(it, seq_file_net(m), pos);
}

static void table_stop(struct seq_file *m, void *v)
{
}

static int table_show(struct seq_file *m, void *v)
{
	const struct table_line *l = v;

	if (v == SEQ_START_TOKEN)
		seq_puts(m, "local remote state txq rxq\n");
	else
		seq_printf(m, "%pI4:%u %pI4:%u %s %u %u\n", &l->laddr, l->lport,
			   &l->raddr, l->rport, xtcp_state_name(l->state),
			   l->txq, l->rxq);
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
			     sizeof(struct table_iter)))
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

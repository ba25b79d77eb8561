// SPDX-License-Identifier: GPL-2.0
/*
 * net.xtcp.*: native TCP's names without the tcp_, its units and ranges, and
 * its answers to what is out of range; selftests/api/sysctl compares them.
 * Per namespace, save "mem", which native TCP has for the whole machine, too.
 */
#include <linux/capability.h>
#include <linux/slab.h>
#include <linux/swap.h>
#include <linux/sysctl.h>
#include "netns.h"
#include "sock/sock.h"

#ifdef XTCP_HAVE_SYSCTL_CONST
#define TABLE_ARG const struct ctl_table *table
#else
#define TABLE_ARG struct ctl_table *table
#endif

/*
 * A time: kept in ticks as it was written, negative or not, in .extra1; .data
 * has it in microseconds for the core, what is negative as 0.  .extra2, if
 * there is one, is the most that a namespace's owner may set.
 */
static int do_ticks(const struct ctl_table *table, int write, void *buf,
		    size_t *len, loff_t *pos,
		    int (*handler)(TABLE_ARG, int, void *, size_t *, loff_t *))
{
	const int *most = table->extra2;
	int *kept = table->extra1, ticks = READ_ONCE(*kept);
	u64 *us = table->data;
	struct ctl_table t = {
		.data = &ticks,
		.maxlen = sizeof(ticks),
		.mode = table->mode,
	};
	int err = handler(&t, write, buf, len, pos);

	if (!write)
		return err;
	if (most && ticks > *most && !capable(CAP_NET_ADMIN))
		return -EPERM;
	WRITE_ONCE(*kept, ticks);
	WRITE_ONCE(*us, max(ticks, 0) * (u64)(USEC_PER_SEC / HZ));
	return err;
}

static int do_seconds(TABLE_ARG, int write, void *buf, size_t *len, loff_t *pos)
{
	return do_ticks(table, write, buf, len, pos, proc_dointvec_jiffies);
}

static int do_millis(TABLE_ARG, int write, void *buf, size_t *len, loff_t *pos)
{
	return do_ticks(table, write, buf, len, pos, proc_dointvec_ms_jiffies);
}

/* A field of struct xtcp_net: .data is its offset here. */
#define KNOB(_name, _field, _size, _handler, _lo, _hi) {		\
	.procname	= _name,					\
	.data		= (void *)(offsetof(struct xtcp_net, _field) +	\
			  BUILD_BUG_ON_ZERO(_size && _size !=		\
				sizeof_field(struct xtcp_net, _field))), \
	.maxlen		= sizeof_field(struct xtcp_net, _field),	\
	.mode		= 0644,						\
	.proc_handler	= _handler,					\
	.extra1		= _lo,						\
	.extra2		= _hi,						\
}

#define CONST_INT(v)	((void *)&(const int){ v })

/* Small numbers, in a u8. */
#define KNOB_U8(_name, _field, _lo, _hi)				\
	KNOB(_name, _field, sizeof(u8), proc_dou8vec_minmax,		\
	     CONST_INT(_lo), CONST_INT(_hi))
/* Any number, in an int. */
#define KNOB_INT(_name, _field, _lo, _hi)				\
	KNOB(_name, _field, sizeof(int), proc_dointvec_minmax,		\
	     CONST_INT(_lo), CONST_INT(_hi))
/* Several of them. */
#define KNOB_INTS(_name, _field, _lo)					\
	KNOB(_name, _field, 0, proc_dointvec_minmax, CONST_INT(_lo), NULL)
/* Seconds, or milliseconds, in a u64 of microseconds. */
#define KNOB_SECONDS(_name, _field)					\
	KNOB(_name, _field, sizeof(u64), do_seconds, NULL, NULL)
#define KNOB_MILLIS(_name, _field)					\
	KNOB(_name, _field, sizeof(u64), do_millis, NULL, NULL)

static const struct ctl_table template[] = {
	KNOB_U8("syn_retries", cfg.syn_retries, 1, 127),
	KNOB_U8("synack_retries", cfg.synack_retries, 0, 255),
	KNOB_U8("syncookies", cfg.syncookies, 0, 255),
	KNOB_U8("abort_on_overflow", cfg.abort_on_overflow, 0, 255),
	KNOB_INT("max_syn_backlog", cfg.max_syn_backlog, INT_MIN, INT_MAX),
	KNOB_U8("syn_linear_timeouts", cfg.syn_linear_timeouts, 0, 127),
	KNOB_U8("retries1", cfg.retries1, 0, 255),
	KNOB_U8("retries2", cfg.retries2, 0, 255),
	KNOB_U8("orphan_retries", cfg.orphan_retries, 0, 255),
	KNOB_U8("keepalive_probes", cfg.keepalive_probes, 0, 255),
	KNOB_SECONDS("keepalive_time", cfg.keepalive_time),
	KNOB_SECONDS("keepalive_intvl", cfg.keepalive_intvl),
	KNOB_SECONDS("fin_timeout", cfg.fin_timeout),
	KNOB_INT("rto_min_us", cfg.rto_min, 1, INT_MAX),
	KNOB_U8("window_scaling", cfg.window_scaling, 0, 255),
	KNOB_U8("rfc1337", cfg.rfc1337, 0, 255),
	KNOB_INT("challenge_ack_limit", cfg.challenge_ack_limit, INT_MIN, INT_MAX),
	KNOB_MILLIS("invalid_ratelimit", cfg.invalid_ratelimit),
	KNOB_U8("timestamps", cfg.timestamps, 0, 255),
	KNOB_U8("slow_start_after_idle", cfg.slow_start_after_idle, 0, 255),
	KNOB_INT("min_rtt_wlen", cfg.min_rtt_wlen, 0, 86400),
	KNOB_INT("max_orphans", max_orphans, INT_MIN, INT_MAX),
	KNOB_INT("max_tw_buckets", max_tw_buckets, INT_MIN, INT_MAX),
	KNOB_U8("tw_reuse", reuse_timewait, 0, 2),
	KNOB("notsent_lowat", notsent_lowat, sizeof(u32), proc_douintvec, NULL,
	     NULL),
	KNOB_U8("moderate_rcvbuf", moderate_rcvbuf, 0, 255),
	KNOB_INTS("rmem", rmem, 4096),
	KNOB_INTS("wmem", wmem, 1),
	/*
	 * No native namesake: there it is fixed.  With max_tw_buckets, which a
	 * namespace's owner sets, it bounds what memory TIME_WAIT takes.
	 */
	KNOB("timewait", cfg.timewait, sizeof(u64), do_seconds, NULL,
	     CONST_INT(60 * HZ)),
};

/* What belongs to the machine, and is shown in its first namespace only. */
static struct ctl_table global[] = {
	{
		.procname	= "mem",
		.data		= xtcp_mem,
		.maxlen		= sizeof(xtcp_mem),
		.mode		= 0644,
		.proc_handler	= proc_doulongvec_minmax,
	},
	{ }
};

/* A namespace's copy of the template, and its times in ticks. */
struct knobs {
	struct ctl_table table[ARRAY_SIZE(template) + 1];
	int ticks[ARRAY_SIZE(template)];
};

static struct ctl_table_header *knobs_register(struct net *net,
					       struct ctl_table *t, size_t n)
{
#ifdef XTCP_HAVE_SYSCTL_SZ
	return register_net_sysctl_sz(net, "net/xtcp", t, n);
#else
	/* Not counted: one more, all zero, ends it. */
	return register_net_sysctl(net, "net/xtcp", t);
#endif
}

static void knobs_fill(struct knobs *k, struct xtcp_net *xn)
{
	size_t i;

	memcpy(k->table, template, sizeof(template));
	for (i = 0; i < ARRAY_SIZE(template); i++) {
		struct ctl_table *t = &k->table[i];

		t->data = (char *)xn + (unsigned long)t->data;
		if (t->proc_handler != do_seconds &&
		    t->proc_handler != do_millis)
			continue;
		k->ticks[i] = div_u64(*(u64 *)t->data, USEC_PER_SEC / HZ);
		t->extra1 = &k->ticks[i];
	}
}

int xtcp_sysctl_init(struct xtcp_net *xn)
{
	struct knobs *k = kzalloc(sizeof(*k), GFP_KERNEL_ACCOUNT);

	if (!k)
		return -ENOMEM;
	knobs_fill(k, xn);
	xn->sysctl = knobs_register(xn->net, k->table, ARRAY_SIZE(template));
	if (!xn->sysctl)
		goto out_free;
	if (!net_eq(xn->net, &init_net))
		return 0;
	xn->sysctl_global = knobs_register(xn->net, global,
					   ARRAY_SIZE(global) - 1);
	if (xn->sysctl_global)
		return 0;
	unregister_net_sysctl_table(xn->sysctl);
out_free:
	kfree(k);
	return -ENOMEM;
}

void xtcp_sysctl_exit(struct xtcp_net *xn)
{
	const struct ctl_table *t = xn->sysctl->ctl_table_arg;

	if (xn->sysctl_global)
		unregister_net_sysctl_table(xn->sysctl_global);
	unregister_net_sysctl_table(xn->sysctl);
	kfree(container_of(t, struct knobs, table[0]));
}

/*
 * How many connections native TCP's table is made for on this machine: one
 * for each 128 KiB of memory, at most 512Ki.  Some limits go by it.
 */
static u32 native_ehash(void)
{
	unsigned long n = nr_free_buffer_pages() >> (17 - PAGE_SHIFT);

	return roundup_pow_of_two(clamp(n, 16UL, 512UL * 1024));
}

void xtcp_limits_init(struct xtcp_net *xn)
{
	unsigned long share = nr_free_buffer_pages() << (PAGE_SHIFT - 7);

	xn->notsent_lowat = UINT_MAX;
	xn->max_orphans = native_ehash() / 2;
	xn->max_tw_buckets = native_ehash() / 2;
	xn->reuse_timewait = 2;
	xn->moderate_rcvbuf = 1;
	if (!net_eq(xn->net, &init_net)) {
		memcpy(xn->rmem, xtcp_pernet(&init_net)->rmem, sizeof(xn->rmem));
		memcpy(xn->wmem, xtcp_pernet(&init_net)->wmem, sizeof(xn->wmem));
		return;
	}
	xn->rmem[0] = PAGE_SIZE;
	xn->rmem[1] = 131072;
	xn->rmem[2] = clamp(share, 131072UL, 6291456UL);
	xn->wmem[0] = PAGE_SIZE;
	xn->wmem[1] = 16384;
	xn->wmem[2] = clamp(share, 65536UL, 4194304UL);
}

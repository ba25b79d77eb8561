// SPDX-License-Identifier: GPL-2.0
/* net.xtcp.*: native TCP's names and units without the tcp_, per namespace. */
#include <linux/slab.h>
#include <linux/sysctl.h>
#include "netns.h"

static int hour = 3600;
static int two_minutes_ms = 120000;

/* A value in seconds (or, @unit 1000, milliseconds) over microseconds. */
static int do_time(const struct ctl_table *table, int write, void *buf,
		   size_t *len, loff_t *pos, u32 unit)
{
	u32 *us = table->data;
	int val = READ_ONCE(*us) / unit;
	struct ctl_table t = {
		.data = &val,
		.maxlen = sizeof(val),
		.mode = table->mode,
		.extra1 = SYSCTL_ONE,
		.extra2 = unit == USEC_PER_SEC ? &hour : &two_minutes_ms,
	};
	int err = proc_dointvec_minmax(&t, write, buf, len, pos);

	if (!err && write)
		WRITE_ONCE(*us, (u32)val * unit);
	return err;
}

#ifdef XTCP_HAVE_SYSCTL_CONST
#define TABLE_ARG const struct ctl_table *table
#else
#define TABLE_ARG struct ctl_table *table
#endif

static int do_seconds(TABLE_ARG, int write, void *buf, size_t *len, loff_t *pos)
{
	return do_time(table, write, buf, len, pos, USEC_PER_SEC);
}

static int do_millis(TABLE_ARG, int write, void *buf, size_t *len, loff_t *pos)
{
	return do_time(table, write, buf, len, pos, USEC_PER_MSEC);
}

#define XTCP_SYSCTL(_name, _field, _handler) {				\
	.procname	= _name,					\
	.data		= (void *)offsetof(struct xtcp_cfg, _field),	\
	.maxlen		= sizeof_field(struct xtcp_cfg, _field),	\
	.mode		= 0644,						\
	.proc_handler	= _handler,					\
}

/* .data is an offset here, in a namespace's copy the address. */
static const struct ctl_table template[] = {
	XTCP_SYSCTL("syn_retries", syn_retries, proc_dou8vec_minmax),
	XTCP_SYSCTL("synack_retries", synack_retries, proc_dou8vec_minmax),
	XTCP_SYSCTL("retries2", retries2, proc_dou8vec_minmax),
	XTCP_SYSCTL("orphan_retries", orphan_retries, proc_dou8vec_minmax),
	XTCP_SYSCTL("keepalive_probes", keepalive_probes, proc_dou8vec_minmax),
	XTCP_SYSCTL("fin_timeout", fin_timeout, do_seconds),
	XTCP_SYSCTL("timewait", timewait, do_seconds),
	XTCP_SYSCTL("rto_min_ms", rto_min, do_millis),
};

int xtcp_sysctl_init(struct xtcp_net *xn)
{
	/* One more, all zero, ends the table where it is not counted. */
	struct ctl_table *t = kcalloc(ARRAY_SIZE(template) + 1, sizeof(*t),
				      GFP_KERNEL);
	size_t i;

	if (!t)
		return -ENOMEM;
	memcpy(t, template, sizeof(template));
	for (i = 0; i < ARRAY_SIZE(template); i++)
		t[i].data = (char *)&xn->cfg + (unsigned long)t[i].data;
#ifdef XTCP_HAVE_SYSCTL_SZ
	xn->sysctl = register_net_sysctl_sz(xn->net, "net/xtcp", t,
					    ARRAY_SIZE(template));
#else
	xn->sysctl = register_net_sysctl(xn->net, "net/xtcp", t);
#endif
	if (xn->sysctl)
		return 0;
	kfree(t);
	return -ENOMEM;
}

void xtcp_sysctl_exit(struct xtcp_net *xn)
{
	const struct ctl_table *t = xn->sysctl->ctl_table_arg;

	unregister_net_sysctl_table(xn->sysctl);
	kfree(t);
}

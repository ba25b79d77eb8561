// SPDX-License-Identifier: GPL-2.0
/* Do sysctl handlers get a const table? */
#include <linux/sysctl.h>

int probe(const struct ctl_table *t, int write, void *buf, size_t *len,
	  loff_t *pos);

const struct ctl_table probe_table = {
	.proc_handler = probe,
};

// SPDX-License-Identifier: GPL-2.0
/* Does proto.ioctl take a kernel pointer to an int? */
#include <net/sock.h>

int probe(struct sock *sk, int cmd, int *karg);

const struct proto probe_proto = {
	.ioctl = probe,
};

// SPDX-License-Identifier: GPL-2.0
/* Does proto.accept take a struct proto_accept_arg? */
#include <net/sock.h>

struct sock *probe(struct sock *sk, struct proto_accept_arg *arg);

const struct proto probe_proto = {
	.accept = probe,
};

/* SPDX-License-Identifier: GPL-2.0 */
/* Namespaces, and what user space reads and sets in them. */
#ifndef XTCP_NETNS_H
#define XTCP_NETNS_H

#include "xtcp.h"

int xtcp_netns_init(void);
void xtcp_netns_exit(void);

int xtcp_proc_init(struct net *net);
void xtcp_proc_exit(struct net *net);

int xtcp_sysctl_init(struct xtcp_net *xn);
void xtcp_sysctl_exit(struct xtcp_net *xn);

/* The limits that a namespace starts with; xn->net is set. */
void xtcp_limits_init(struct xtcp_net *xn);

/*
 * Somebody opens a socket in @xn: what only sockets need is made with the first
 * of them.  False without memory.  May sleep.
 */
bool xtcp_netns_use(struct xtcp_net *xn);

/* A socket of the namespace, or the last thing in it, is gone: look again. */
void xtcp_netns_wake(void);

#endif /* XTCP_NETNS_H */

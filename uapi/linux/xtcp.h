/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * XTCP: the numbers that user space sees.
 *
 * An XTCP socket is made by socket(AF_XTCP, SOCK_STREAM, 0) or
 * socket(AF_INET, SOCK_STREAM, IPPROTO_XTCP).  Addresses are plain
 * struct sockaddr_in with sin_family = AF_INET.  Options at level IPPROTO_TCP
 * carry TCP's own numbers and structures; options at level SOL_XTCP are XTCP's
 * own.
 */
#ifndef _UAPI_LINUX_XTCP_H
#define _UAPI_LINUX_XTCP_H

/*
 * Address family.  Both numbers below are the module's defaults: the ones in
 * force are in /sys/module/xtcp/parameters/{family,ipproto}.
 */
#ifndef AF_XTCP
#define AF_XTCP		25
#endif
#ifndef PF_XTCP
#define PF_XTCP		AF_XTCP
#endif

/* IP protocol number in the IPv4 header (RFC 3692, experimental). */
#ifndef IPPROTO_XTCP
#define IPPROTO_XTCP	253
#endif

/* setsockopt()/getsockopt() level of XTCP's own options. */
#ifndef SOL_XTCP
#define SOL_XTCP	253
#endif

#endif /* _UAPI_LINUX_XTCP_H */

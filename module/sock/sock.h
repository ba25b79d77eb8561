/* SPDX-License-Identifier: GPL-2.0 */
/* The socket calls, one file for a group of them. */
#ifndef XTCP_SOCK_H
#define XTCP_SOCK_H

#include "xtcp.h"

/* family.c */
extern long xtcp_mem[3];	/* pages of all sockets: low, pressure, limit */
/*
 * The user is done with @sk: it keeps the module no longer.  The caller does,
 * by the struct socket that is being closed.
 */
void xtcp_sock_unpin(struct sock *sk);
int xtcp_family_init(void);
void xtcp_family_close(void);
/* Waits for the last struct xtcp_sock: a segment below IP may hold it. */
void xtcp_family_drain(void);
void xtcp_family_exit(void);
int xtcp_init_sock(struct sock *sk);
void xtcp_sock_destruct(struct sock *sk);

/*
 * Counts a new socket: of its namespace until xtcp_sock_leave(), of the module
 * until xtcp_sock_destruct().  Any context.
 */
void xtcp_sock_born(struct sock *sk);

/*
 * @sk is over: its namespace need not wait for it.  What is left of it is
 * memory, which segments below IP, in a queue of another namespace perhaps,
 * may keep for long.  Any context, socket lock.
 */
void xtcp_sock_leave(struct sock *sk);

/* connect.c */
int xtcp_v4_connect(struct sock *sk, struct sockaddr *uaddr, int len);
int xtcp_disconnect(struct sock *sk, int flags);

/*
 * proto.pre_connect: a cgroup's programs may refuse, or change the address.
 * Socket lock, process context.
 */
int xtcp_v4_pre_connect(struct sock *sk, struct sockaddr *uaddr, int len);

/* listen.c */
int xtcp_listen(struct socket *sock, int backlog);

/* sendmsg.c, recvmsg.c */
int xtcp_sendmsg(struct sock *sk, struct msghdr *msg, size_t len);
int xtcp_recvmsg(struct sock *sk, struct msghdr *msg, size_t len, int flags,
		 int *addr_len);

/*
 * proto.splice_eof: sendfile() has announced more than there is, and what it
 * sent last waits for that.  Process context, no lock.
 */
void xtcp_splice_eof(struct socket *sock);

/* close.c */
void xtcp_close(struct sock *sk, long timeout);
void xtcp_shutdown(struct sock *sk, int how);

/* Out of all tables; frees a closed socket that the user has left. */
void xtcp_done(struct sock *sk);

/* Drops the last references.  SOCK_DEAD, CLOSED; socket lock. */
void xtcp_sock_destroy(struct sock *sk);

/* Ends a connection that was never accepted.  BH off, its lock held. */
void xtcp_child_kill(struct sock *sk);

/* ---- orphan.c ---- */

/*
 * No file refers to @sk any more: destroys it if it is over, else it is an
 * orphan, or reset if there are too many.  BH off, its lock held, not owned.
 */
void xtcp_orphan_add(struct sock *sk);

/* Off the list; harmless if it is on none.  Socket lock. */
void xtcp_orphan_del(struct sock *sk);

/*
 * An orphan's timer fires: true if it was ended by it, for want of memory or
 * for too many orphans.  Socket lock.
 */
bool xtcp_orphan_timeout(struct sock *sk, u64 now);

/*
 * Ends all orphans of a namespace at once.  Their peers get RST if the module
 * goes; if the namespace goes, its devices are gone before.  May sleep.
 */
void xtcp_orphans_purge(struct xtcp_net *xn);

/* sockopt.c */
int xtcp_setsockopt(struct sock *sk, int level, int optname, sockptr_t optval,
		    unsigned int optlen);
int xtcp_getsockopt(struct sock *sk, int level, int optname,
		    char __user *optval, int __user *optlen);

/*
 * proto.stream_memory_free: TCP_NOTSENT_LOWAT lets the user write; with @wake
 * 1, half of it, as who is woken should have something to do.  Any context.
 */
bool xtcp_stream_memory_free(const struct sock *sk, int wake);

/* proto_ops.set_rcvlowat.  Socket lock. */
int xtcp_set_rcvlowat(struct sock *sk, int val);

/* proto.keepalive: SO_KEEPALIVE was set.  Socket lock. */
void xtcp_keepalive(struct sock *sk, int on);

/* poll.c */
__poll_t xtcp_poll(struct file *file, struct socket *sock, poll_table *wait);
void xtcp_write_space(struct sock *sk);
int xtcp_ioctl(struct sock *sk, int cmd, XTCP_IOCTL_ARG);

#endif /* XTCP_SOCK_H */

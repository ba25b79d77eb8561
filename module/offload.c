// SPDX-License-Identifier: GPL-2.0
/*
 * Bursts below and above IP: a buffer of up to 64 KiB is cut into segments as
 * late as possible on its way out, and segments that belong together are joined
 * as early as possible on their way in.  A segment of ours is one of TCP's, bit
 * for bit, with the pseudo-header of protocol 6 (Documentation/wire-format.md),
 * so the kernel's own callbacks for TCP do the work; they stand in the table of
 * offloads, which is exported.
 */
#include <linux/tcp.h>
#include <net/checksum.h>
#include <net/gro.h>
#include <net/protocol.h>
#include "conn/conn.h"
#include "offload.h"
#include "tx/tx.h"

static bool ending;	/* the module goes: nothing is joined any more */

static const struct net_offload *tcp_offload(void)
{
	return rcu_dereference(inet_offloads[IPPROTO_TCP]);
}

/*
 * Each of the segments @segs that @skb was cut into belongs to its socket.  The
 * kernel gives the socket to the last one only, if to any; where they are joined
 * again, at the other end of a veth, those of different owners are not.
 */
static void own_segments(const struct sk_buff *skb, struct sk_buff *segs)
{
	struct sock *sk = skb->sk;
	struct sk_buff *seg;
	u32 bytes = 0;

	if (skb->destructor != xtcp_wfree)
		return;
	for (seg = segs; seg; seg = seg->next) {
		seg->sk = sk;
		seg->destructor = xtcp_wfree;
		bytes += seg->truesize;
	}
	/* @skb still has its own bytes, and gives them back at its end. */
	refcount_add(bytes, &sk->sk_wmem_alloc);
}

/*
 * A cut segment that leaves its checksum to the device says so in TCP's way.
 * The next machine may pass it on to a device that knows TCP's checksums only:
 * the start moves behind the ports, as for a segment that was never joined
 * (set_checksum() in tx/xmit.c).
 */
static void hide_checksums(struct sk_buff *segs)
{
	const u32 skip = offsetof(struct tcphdr, seq);
	struct sk_buff *seg;
	struct tcphdr *th;

	for (seg = segs; seg; seg = seg->next) {
		if (seg->ip_summed != CHECKSUM_PARTIAL || skb_is_gso(seg))
			continue;
		th = tcp_hdr(seg);
		th->check = ~csum_fold(csum_partial(th, skip,
						    csum_unfold(th->check)));
		seg->csum_start += skip;
		seg->csum_offset -= skip;
	}
}

/*
 * net_offload.callbacks.gso_segment: cuts @skb, whose data is at our header, for
 * a device with @features.  Under RCU.
 */
static struct sk_buff *xtcp4_gso_segment(struct sk_buff *skb,
					 netdev_features_t features)
{
	const struct net_offload *tcp = tcp_offload();
	struct sk_buff *segs;

	if (!tcp)
		return ERR_PTR(-EPROTONOSUPPORT);
	/*
	 * It may know a checksum of TCP's only: the kernel sums instead.  And a
	 * part that is a burst still would be cut by what knows TCP only.
	 */
	features &= ~(NETIF_F_IP_CSUM | NETIF_F_IPV6_CSUM | NETIF_F_GSO_PARTIAL);
	segs = tcp->callbacks.gso_segment(skb, features);
	if (IS_ERR_OR_NULL(segs))
		return segs;
	own_segments(skb, segs);
	hide_checksums(segs);
	return segs;
}

/* net_offload.callbacks.gro_receive: joins @skb to one of @head, if it can. */
static struct sk_buff *xtcp4_gro_receive(struct list_head *head,
					 struct sk_buff *skb)
{
	const struct net_offload *tcp = tcp_offload();

	/*
	 * A device that joins for forwarding only (rx-gro-list) makes lists of
	 * whole segments: a socket of ours could not read them.
	 */
	if (!tcp || READ_ONCE(ending) ||
	    skb->dev->features & NETIF_F_GRO_FRAGLIST) {
		NAPI_GRO_CB(skb)->flush = 1;
		return NULL;
	}
	return tcp->callbacks.gro_receive(head, skb);
}

/* net_offload.callbacks.gro_complete: the end of joining. */
static int xtcp4_gro_complete(struct sk_buff *skb, int thoff)
{
	const struct net_offload *tcp = tcp_offload();
	int err;

	if (!tcp)
		return -EPROTONOSUPPORT;
	err = tcp->callbacks.gro_complete(skb, thoff);
	/* If it is forwarded, it must be cut as a burst of our own. */
	skb_shinfo(skb)->gso_type |= XTCP_GSO_V4;
	return err;
}

static const struct net_offload xtcp_offload = {
	.callbacks = {
		.gso_segment	= xtcp4_gso_segment,
		.gro_receive	= xtcp4_gro_receive,
		.gro_complete	= xtcp4_gro_complete,
	},
};

int xtcp_offload_init(void)
{
	return inet_add_offload(&xtcp_offload, xtcp_ipproto);
}

/*
 * Whoever has begun to join must find xtcp4_gro_complete(): without it the
 * kernel warns.  A device joins within one run of its poll function, for which
 * the grace period waits.  (With gro_flush_timeout it may keep segments for
 * longer; nobody can be asked about that.)
 */
void xtcp_offload_exit(void)
{
	WRITE_ONCE(ending, true);
	synchronize_net();
	inet_del_offload(&xtcp_offload, xtcp_ipproto);
}

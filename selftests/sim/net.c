// SPDX-License-Identifier: GPL-2.0
/* The network: a heap of things that will happen, and what goes wrong. */
#include "sim.h"

struct event {
	u64 at;
	u64 order;		/* equal times: first in, first out */
	struct end *tick;	/* a user's turn, or: */
	struct packet *pkt;
};

static struct event *heap;
static size_t count, room;
static u64 order;

static bool before(const struct event *a, const struct event *b)
{
	return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void push(struct event ev)
{
	size_t i = count++;

	if (count > room) {
		room = room ? 2 * room : 64;
		heap = realloc(heap, room * sizeof(*heap));
	}
	ev.order = order++;
	while (i && before(&ev, &heap[(i - 1) / 2])) {
		heap[i] = heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	heap[i] = ev;
}

static struct event pop(void)
{
	struct event top = heap[0], last = heap[--count];
	size_t i = 0, kid;

	while ((kid = 2 * i + 1) < count) {
		if (kid + 1 < count && before(&heap[kid + 1], &heap[kid]))
			kid++;
		if (!before(&heap[kid], &last))
			break;
		heap[i] = heap[kid];
		i = kid;
	}
	heap[i] = last;
	return top;
}

static const char *flag_names(u8 flags)
{
	static char buf[9];
	char *p = buf;

	for (int i = 0; i < 8; i++)
		if (flags & 1 << i)
			*p++ = "FSRPAUEC"[i];
	*p = 0;
	return buf;
}

static void net_enqueue(struct end *to, const u8 *bytes, u32 len, u64 delay)
{
	struct packet *p = malloc(sizeof(*p) + len);

	p->to = to;
	p->len = len;
	memcpy(p->bytes, bytes, len);
	push((struct event){ .at = S.now + delay, .pkt = p });
}

/* Bytes in front of @from's device that have not left yet. */
static u64 link_queued(const struct end *from)
{
	if (from->link_free <= S.now)
		return 0;
	return (from->link_free - S.now) * from->link_rate / US_S;
}

bool net_room(const struct end *from, u32 bytes)
{
	return !from->link_rate || !bytes ||
	       link_queued(from) + bytes <= from->queue_max;
}

/* The time that @bytes take to leave, those in front of them included. */
static u64 link_delay(struct end *from, u32 bytes)
{
	if (!from->link_rate)
		return 0;
	from->link_free = max(from->link_free, S.now) +
			  bytes * US_S / from->link_rate;
	return from->link_free - S.now;
}

/* The ACK that ends the handshake, or the one that ends it all. */
static bool final_ack_lost(struct end *from, const struct xtcp_hdr *h, u32 len)
{
	const struct xtcp_core *c = &from->core;

	if (h->flags != XTCP_ACK || len)
		return false;
	if (S.lose_open && from == &S.end[0] && h->seq == c->iss + 1 &&
	    h->ack == c->irs + 1)
		return S.lose_open--;
	return S.lose_close && c->fin_rcvd && S.lose_close--;
}

void net_send(struct end *from, const struct xtcp_hdr *h, const u8 *payload,
	      u32 len)
{
	static u8 buf[XTCP_HDR_MAX + PAYLOAD_MAX];
	bool healthy = S.now >= S.heal_at;
	u64 delay = S.delay;
	const char *fate = "";
	u8 hlen = xtcp_hdr_write(buf, h);

	memcpy(buf + hlen, payload, len);
	if (S.die_at && S.now >= S.die_at)
		fate = "DEAD";
	else if (!healthy && chance(S.loss))
		fate = "LOST";
	else if (final_ack_lost(from, h, len))
		fate = "LOST";
	else if (!healthy && chance(S.corrupt))
		fate = "CORRUPT";	/* the checksum finds it: a drop */
	trace("%c > %-5s seq=%u ack=%u len=%u wnd=%u %s", from->name,
	      flag_names(h->flags), h->seq, h->ack, len, h->wnd, fate);
	if (*fate)
		return;
	delay += link_delay(from, hlen + len);
	if (!healthy) {
		delay += rnd_below(S.jitter + 1);
		if (chance(S.reorder))
			delay += rnd_below(10 * S.delay + 1000);
		if (chance(S.dup))
			net_enqueue(from->peer, buf, hlen + len,
				    delay + rnd_below(3 * S.delay + 1));
	}
	/* Twice, and the second time when nobody thinks of it any more. */
	if (chance(S.ghosts))
		net_enqueue(from->peer, buf, hlen + len,
			    delay + rnd_below(60 * US_S));
	net_enqueue(from->peer, buf, hlen + len, delay);
}

void net_tick_at(struct end *e, u64 at)
{
	push((struct event){ .at = at, .tick = e });
}

bool net_next(u64 *at)
{
	if (!count)
		return false;
	*at = heap[0].at;
	return true;
}

/* Do segments that follow each other come as one?  (tcp_gro_receive()) */
static bool joinable(const struct packet *p, const struct packet *q, u32 size)
{
	u8 hlen = xtcp_seg_hlen(p->bytes);
	u8 ends = XTCP_FIN | XTCP_PSH;
	u32 len = p->len - hlen, more = q->len - hlen;

	return q->to == p->to && xtcp_seg_hlen(q->bytes) == hlen &&
	       len && !(len % size) && q->len > hlen && more <= size &&
	       p->len + more < 65000 &&
	       !(p->bytes[13] & (ends | XTCP_SYN | XTCP_RST | XTCP_URG)) &&
	       !((p->bytes[13] ^ q->bytes[13]) & ~ends) &&
	       !memcmp(p->bytes, q->bytes, 4) &&
	       xtcp_get32(q->bytes + 4) == xtcp_get32(p->bytes + 4) + len &&
	       !memcmp(p->bytes + 8, q->bytes + 8, 4) &&
	       !memcmp(p->bytes + 14, q->bytes + 14, 2) &&
	       !memcmp(p->bytes + 20, q->bytes + 20, hlen - 20);
}

/* What comes within moments may be joined to @p; *@size: of each segment. */
static struct packet *join(struct packet *p, u16 *size)
{
	u8 hlen = xtcp_seg_hlen(p->bytes);
	u32 first = p->len - hlen;
	struct packet *q;

	*size = 0;
	while (chance(S.join) && count && !heap[0].tick &&
	       heap[0].at < S.now + 1000 && joinable(p, heap[0].pkt, first)) {
		q = pop().pkt;
		p = realloc(p, sizeof(*p) + p->len + q->len - hlen);
		memcpy(p->bytes + p->len, q->bytes + hlen, q->len - hlen);
		p->len += q->len - hlen;
		p->bytes[13] |= q->bytes[13];
		free(q);
		*size = first;
	}
	return p;
}

void net_dispatch(void)
{
	struct event ev = pop();
	struct packet *p;
	u16 size;

	if (ev.tick) {
		user_tick(ev.tick);
		return;
	}
	p = join(ev.pkt, &size);
	host_receive(p->to, p->bytes, p->len, size);
	free(p);
}

void net_drain(void)
{
	while (count)
		free(pop().pkt);
	free(heap);
	heap = NULL;
	room = 0;
	order = 0;
}

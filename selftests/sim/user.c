// SPDX-License-Identifier: GPL-2.0
/* The users: programs that write, read, change options, and leave. */
#include "sim.h"

static bool healed(void)
{
	return S.now >= S.heal_at;
}

static void user_write(struct end *e)
{
	struct xtcp_core *c = &e->core;
	u32 queued = c->write_seq - c->snd_una;
	u32 n;

	if (!xtcp_core_can_write(c) || e->written >= e->to_write)
		return;
	/* rsh host sort < file: the answer begins when all was heard. */
	if (S.class == CLASS_HALF && e == &S.end[1] && !e->eof)
		return;
	if (queued >= e->sndbuf)
		return;
	n = rnd_between(1, min(e->chunk, e->to_write - e->written));
	n = min(n, e->sndbuf - queued);
	trace("%c   write %u", e->name, n);
	e->written += n;
	xtcp_core_wrote(c, n);
	host_service(e, NULL);
}

static void user_read(struct end *e)
{
	u32 n = healed() || chance(500) ? e->unread : rnd_below(e->unread + 1);

	if (!n)
		return;
	trace("%c   read %u of %u", e->name, n, e->unread);
	e->unread -= n;
	host_rcv_free(e);
	xtcp_core_read(&e->core, S.now);
	host_service(e, NULL);
}

static void user_options(struct end *e)
{
	struct xtcp_core *c = &e->core;

	if (chance(900) && !(healed() && c->cork))
		return;
	c->nodelay = chance(500);
	c->cork = !healed() && chance(300);
	xtcp_core_quickack(c, chance(200));
	if (!S.ideal && chance(200)) {
		xtcp_core_set_mss(c, rnd_between(60, c->own_mss), S.now);
		xtcp_core_too_long(c);
	}
	if (!S.ideal && chance(200))
		xtcp_core_unreachable(c, c->snd_una, S.now);
	xtcp_core_push(c);
	host_service(e, NULL);
}

static void user_shutdown(struct end *e)
{
	trace("%c   shutdown", e->name);
	e->shut = true;
	xtcp_core_shutdown(&e->core, S.now);
	host_service(e, NULL);
}

/* close(): as natively, unread data turns it into an abort. */
static void user_close(struct end *e)
{
	struct xtcp_core *c = &e->core;

	trace("%c   close, %u unread", e->name, e->unread);
	e->closed = true;
	c->orphan = true;
	c->rcv_shut = true;
	if (e->unread)
		xtcp_core_abort(c, 0);
	else
		xtcp_core_shutdown(c, S.now);
	host_service(e, NULL);
}

static void user_abort(struct end *e)
{
	trace("%c   abort", e->name);
	e->closed = true;
	e->core.orphan = true;
	xtcp_core_abort(&e->core, 0);
	host_service(e, NULL);
}

/* The sudden end that some classes have. */
static bool user_acts(struct end *e)
{
	if (!e->act_at || S.now < e->act_at)
		return false;
	e->act_at = 0;
	if (e->act_abort)
		user_abort(e);
	else
		user_close(e);
	return true;
}

static bool may_shut(const struct end *e)
{
	return e->mode == END_CORE && xtcp_core_can_write(&e->core) &&
	       e->written >= e->to_write && !e->shut &&
	       e->core.snd_una == e->core.write_seq;
}

/* Both in the same moment: the FINs cross. */
static void user_shutdown_both(void)
{
	if (!may_shut(&S.end[0]) || !may_shut(&S.end[1]) ||
	    S.end[0].core.state != XTCP_ESTABLISHED ||
	    S.end[1].core.state != XTCP_ESTABLISHED)
		return;
	user_shutdown(&S.end[0]);
	user_shutdown(&S.end[1]);
}

static void user_finish(struct end *e)
{
	bool done = e->written >= e->to_write;

	if (e->never_close && e->peer->mode != END_DEAD)
		return;
	if (S.class == CLASS_SIMCLOSE && (e->peer->mode == END_CORE || !healed()))
		user_shutdown_both();
	else if (done && !e->shut && (healed() || chance(300)))
		user_shutdown(e);
	if (e->mode == END_CORE && e->eof && !e->unread && done && !e->closed)
		user_close(e);
}

static void user_core(struct end *e)
{
	struct xtcp_core *c = &e->core;

	if (user_acts(e) || e->closed)
		return;
	if (c->state == XTCP_SYN_SENT || c->state == XTCP_SYN_RECV) {
		if (S.class == CLASS_ICMP && chance(300)) {
			xtcp_core_net_error(c, EHOSTUNREACH);
			host_service(e, NULL);
		}
		/* Leaving before it has begun. */
		if (S.class == CLASS_CLOSE && chance(50))
			user_close(e);
		return;
	}
	user_options(e);
	if (chance(700) || healed())
		user_write(e);
	if (e->mode == END_CORE && (chance(400) || healed()))
		user_read(e);
	if (e->mode == END_CORE)
		user_finish(e);
}

static void user_listener(struct end *e)
{
	if (e->has_req)
		return;
	/* Nobody will come any more. */
	if (e->peer->mode == END_DEAD || (e->act_at && S.now >= e->act_at))
		host_close_listener(e);
}

/* The same ports again, while the other end still waits. */
static void user_reuse(struct end *e)
{
	struct xtcp_hdr h = {
		.sport = e->port, .dport = e->peer->port, .flags = XTCP_SYN,
		.seq = e->peer->tw.rcv_nxt + 1000, .wnd = 1000,
	};

	if (e->peer->mode == END_TW && chance(200))
		net_send(e, &h, (u8 *)"", 0);
}

static bool is_over(const struct end *e)
{
	return e->mode == END_DEAD || e->mode == END_TW;
}

/* The first end's user opens the next incarnation when the last is over. */
static void user_again(struct end *e)
{
	if (e != &S.end[0] || !is_over(e) ||
	    !(is_over(e->peer) || e->peer->mode == END_LISTEN))
		return;
	if (!S.reuse_at)
		S.reuse_at = S.now + 11 * US_S / 10 +
			     rnd_below(chance(500) ? US_S : 60 * US_S);
	if (S.now >= S.reuse_at)
		host_reuse();
}

void user_tick(struct end *e)
{
	if (S.rounds && (is_over(e) || e->mode == END_LISTEN)) {
		user_again(e);
		net_tick_at(e, S.now + 1 + rnd_below(e->tick_us) +
			    (S.reuse_at ? 100000 : 0));
		return;
	}
	if (e->mode == END_DEAD || e->mode == END_TW) {
		host_close_listener(e);
		if (e->mode == END_DEAD)
			user_reuse(e);
		return;
	}
	if (e->mode == END_LISTEN)
		user_listener(e);
	else
		user_core(e);
	/* Long after the network has healed there is nothing but waiting. */
	net_tick_at(e, S.now + 1 + rnd_below(e->tick_us) +
		    (S.now > S.heal_at + 60 * US_S ? 100000 : 0));
}

// SPDX-License-Identifier: GPL-2.0
/* Does a port of native TCP keep its owners by address? */
#include <net/inet_hashtables.h>

bool probe(const struct inet_bind_bucket *tb);
bool probe(const struct inet_bind_bucket *tb)
{
	return hlist_empty(&tb->bhash2);
}

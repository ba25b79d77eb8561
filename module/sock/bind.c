// SPDX-License-Identifier: GPL-2.0
/* bind() and connect() take a plain sockaddr_in, of either family. */
#include <net/inet_common.h>
#include "sock/sock.h"

/* AF_XTCP in an address means what AF_INET means. */
static bool addr_is_ours(const struct sockaddr *uaddr, int len)
{
	return len >= (int)sizeof(struct sockaddr_in) &&
	       uaddr->sa_family == xtcp_family;
}

int xtcp_bind(struct socket *sock, struct sockaddr *uaddr, int len)
{
	struct sockaddr_in sin;

	if (!addr_is_ours(uaddr, len))
		return inet_bind(sock, uaddr, len);
	memcpy(&sin, uaddr, sizeof(sin));
	sin.sin_family = AF_INET;
	return inet_bind(sock, (struct sockaddr *)&sin, sizeof(sin));
}

int xtcp_connect_stream(struct socket *sock, struct sockaddr *uaddr, int len,
			int flags)
{
	struct sockaddr_in sin;

	if (!addr_is_ours(uaddr, len))
		return inet_stream_connect(sock, uaddr, len, flags);
	memcpy(&sin, uaddr, sizeof(sin));
	sin.sin_family = AF_INET;
	return inet_stream_connect(sock, (struct sockaddr *)&sin, sizeof(sin),
				   flags);
}

/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The two numbers that XTCP has on this machine, for programs to copy.
 *
 *	fd = socket(xtcp_family(), SOCK_STREAM, 0);
 *	fd = socket(AF_INET, SOCK_STREAM, xtcp_ipproto());
 *
 * Whoever inserts the module may choose other numbers than the usual 25 and
 * 253; what was chosen is in /sys/module/xtcp/parameters.
 */
#ifndef XTCP_SOCKET_H
#define XTCP_SOCKET_H

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef AF_XTCP
#define AF_XTCP		25
#endif
#ifndef IPPROTO_XTCP
#define IPPROTO_XTCP	253
#endif

/* The module's parameter @name, or -1 where it is not loaded (or no /sys). */
static inline int xtcp_parameter(const char *name)
{
	char path[64];
	int value = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/module/xtcp/parameters/%s", name);
	f = fopen(path, "re");
	if (!f)
		return -1;
	if (fscanf(f, "%d", &value) != 1)
		value = -1;
	fclose(f);
	return value;
}

/*
 * If the module is installed and not loaded yet, asking for a socket of the
 * usual family makes the kernel load it, with the parameters of modprobe.d.
 */
static inline int xtcp_number(const char *name, int usual)
{
	int value = xtcp_parameter(name);

	if (value < 0) {
		int fd = socket(AF_XTCP, SOCK_STREAM, 0);

		if (fd >= 0)
			close(fd);
		value = xtcp_parameter(name);
	}
	return value < 0 ? usual : value;
}

/* First argument of socket(): an address family. */
static inline int xtcp_family(void)
{
	return xtcp_number("family", AF_XTCP);
}

/* Third argument of socket(), with AF_INET or what getaddrinfo() says. */
static inline int xtcp_ipproto(void)
{
	return xtcp_number("ipproto", IPPROTO_XTCP);
}

#endif /* XTCP_SOCKET_H */

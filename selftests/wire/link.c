// SPDX-License-Identifier: GPL-2.0
/* A namespace with a TUN device, and settings in which nothing is random. */
#include "wire.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/route.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define DEVICE "wire0"

ns_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NS + ts.tv_nsec;
}

static int read_int(const char *path, int otherwise)
{
	FILE *f = fopen(path, "r");
	int v = otherwise;

	if (!f)
		return otherwise;
	if (fscanf(f, "%d", &v) != 1)
		v = otherwise;
	fclose(f);
	return v;
}

int ip_proto(void)
{
	static int xtcp;

	if (!W.xtcp)
		return IPPROTO_TCP;
	if (!xtcp)
		xtcp = read_int("/sys/module/xtcp/parameters/ipproto",
				PROTO_XTCP);
	return xtcp;
}

int family(void)
{
	if (!W.xtcp)
		return AF_INET;
	return read_int("/sys/module/xtcp/parameters/family", AF_XTCP);
}

/* ---- settings ---- */

/*
 * "tcp_syn_retries" is net.ipv4's for TCP and net.xtcp's syn_retries for XTCP;
 * a name with a dot is one for both.
 */
static void setting_path(char *path, size_t len, const char *name)
{
	char *p;

	if (strchr(name, '.')) {
		snprintf(path, len, "/proc/sys/%s", name);
		for (p = path; *p; p++)
			if (*p == '.')
				*p = '/';
	} else if (W.xtcp) {
		snprintf(path, len, "/proc/sys/net/xtcp/%s",
			 strncmp(name, "tcp_", 4) ? name : name + 4);
	} else {
		snprintf(path, len, "/proc/sys/net/ipv4/%s", name);
	}
}

bool link_has(const char *name)
{
	char path[200];

	setting_path(path, sizeof(path), name);
	return !access(path, F_OK);
}

const char *link_setting(const char *name, const char *value, bool optional)
{
	static char error[300];
	char path[200];
	int fd;

	setting_path(path, sizeof(path), name);
	fd = open(path, O_WRONLY);
	if (fd < 0) {
		snprintf(error, sizeof(error), "%s: %m", path);
		return optional ? NULL : error;
	}
	if (write(fd, value, strlen(value)) < 0)
		snprintf(error, sizeof(error), "%s: %m", path);
	else
		*error = 0;
	close(fd);
	return *error ? error : NULL;
}

/* What one of the two does of its own accord, or by guesses about the net. */
static void neutral(void)
{
	static const char *const settings[][2] = {
		{ "tcp_sack", "0" }, { "tcp_dsack", "0" },
		{ "tcp_early_retrans", "0" }, { "tcp_recovery", "0" },
		{ "tcp_timestamps", "0" }, { "tcp_ecn", "0" },
		{ "tcp_frto", "0" }, { "tcp_fastopen", "0" },
		{ "tcp_syn_linear_timeouts", "0" }, { "tcp_autocorking", "0" },
		{ "tcp_moderate_rcvbuf", "0" },
		{ "tcp_no_metrics_save", "1" },
	};
	size_t i;

	for (i = 0; i < sizeof(settings) / sizeof(*settings); i++)
		link_setting(settings[i][0], settings[i][1], true);
	if (!W.xtcp)
		link_setting("tcp_congestion_control", "reno", true);
}

/* ---- the device ---- */

static int control(unsigned long what, struct ifreq *r)
{
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), err;

	if (s < 0)
		return -1;
	err = ioctl(s, what, r);
	close(s);
	return err;
}

static struct ifreq on(const char *device)
{
	struct ifreq r = { 0 };

	strcpy(r.ifr_name, device);
	return r;
}

static int set_address(const char *device, unsigned long what, uint32_t addr)
{
	struct ifreq r = on(device);
	struct sockaddr_in a = { .sin_family = AF_INET };

	a.sin_addr.s_addr = htonl(addr);
	memcpy(&r.ifr_addr, &a, sizeof(a));
	return control(what, &r);
}

static int set_up(const char *device, bool up)
{
	struct ifreq r = on(device);

	if (control(SIOCGIFFLAGS, &r))
		return -1;
	r.ifr_flags = up ? r.ifr_flags | IFF_UP : r.ifr_flags & ~IFF_UP;
	return control(SIOCSIFFLAGS, &r);
}

/* Everybody is out there. */
static int default_route(void)
{
	struct rtentry rt = { .rt_flags = RTF_UP };
	struct sockaddr_in any = { .sin_family = AF_INET };
	char device[] = DEVICE;
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), err;

	memcpy(&rt.rt_dst, &any, sizeof(any));
	memcpy(&rt.rt_genmask, &any, sizeof(any));
	rt.rt_dev = device;
	err = ioctl(s, SIOCADDRT, &rt);
	close(s);
	return err;
}

const char *link_device(bool up)
{
	if (set_up(DEVICE, up) || (up && default_route()))
		return strerror(errno);
	return NULL;
}

const char *link_address(uint32_t addr)
{
	static int n;
	char alias[16];

	snprintf(alias, sizeof(alias), DEVICE ":%d", ++n);
	return set_address(alias, SIOCSIFADDR, addr) ||
		set_address(alias, SIOCSIFNETMASK, 0xffffffff) ?
		strerror(errno) : NULL;
}

const char *link_mtu(int mtu)
{
	struct ifreq r = on(DEVICE);

	r.ifr_mtu = mtu;
	return control(SIOCSIFMTU, &r) ? strerror(errno) : NULL;
}

const char *link_open(void)
{
	struct ifreq r = on(DEVICE);

	if (unshare(CLONE_NEWNET))
		return "unshare";
	W.tun = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (W.tun < 0)
		return "/dev/net/tun";
	r.ifr_flags = IFF_TUN | IFF_NO_PI;
	if (ioctl(W.tun, TUNSETIFF, &r))
		return "TUNSETIFF";
	/* Router solicitations would be no help */
	link_setting("net.ipv6.conf." DEVICE ".disable_ipv6", "1", true);
	if (set_address(DEVICE, SIOCSIFADDR, OUR_ADDR) ||
	    set_address(DEVICE, SIOCSIFNETMASK, 0xffff0000) ||
	    set_up(DEVICE, true) || set_up("lo", true) || default_route())
		return "the device's address";
	neutral();
	return NULL;
}

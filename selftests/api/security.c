// SPDX-License-Identifier: GPL-2.0
/*
 * Security modules are asked wherever native TCP asks them, and heeded.  Who is
 * asked is seen by kprobes on the kernel's hooks; a program of type LSM refuses.
 */
#include "api.h"
#include <linux/bpf.h>
#include <linux/btf.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define TRACING	"/sys/kernel/tracing"
#define GROUP	"xtcp_hooks"

static const char *const hooks[] = {
	"security_socket_bind",
	"security_socket_listen",
	"security_socket_connect",
	"security_socket_accept",
	"security_sk_clone",
	"security_sock_graft",
	"security_sock_rcv_skb",
	"security_sk_classify_flow",
	"security_inet_conn_request",
	"security_req_classify_flow",
	"security_inet_conn_established",
	"security_skb_classify_flow",
};

#define NHOOKS	(sizeof(hooks) / sizeof(hooks[0]))

XT_FIXTURE(security);

static int probe_write(const char *file, const char *text)
{
	char path[128];
	int fd, n;

	snprintf(path, sizeof(path), TRACING "/%s", file);
	fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	if (fd < 0)
		return -1;
	n = write(fd, text, strlen(text));
	close(fd);
	return n > 0 ? 0 : -1;
}

static void probes_close(void)
{
	char text[128];
	size_t i;

	probe_write("events/" GROUP "/enable", "0");
	for (i = 0; i < NHOOKS; i++) {
		snprintf(text, sizeof(text), "-:" GROUP "/%s\n", hooks[i]);
		probe_write("kprobe_events", text);
	}
}

/* False: not on this kernel. */
static bool probes_open(void)
{
	char text[128];
	size_t i;

	if (access(TRACING "/kprobe_events", W_OK) &&
	    mount("tracefs", TRACING, "tracefs", 0, NULL))
		return false;
	for (i = 0; i < NHOOKS; i++) {
		snprintf(text, sizeof(text), "p:" GROUP "/%s %s\n", hooks[i],
			 hooks[i]);
		if (probe_write("kprobe_events", text))
			return false;
	}
	return !probe_write("events/" GROUP "/enable", "1");
}

/* How often hook @name was called since probes_open(), -1: unknown. */
static long hits(const char *name)
{
	FILE *f = fopen(TRACING "/kprobe_profile", "r");
	char found[128];
	long n, got = -1;

	while (f && fscanf(f, "%127s %ld %*d", found, &n) == 2)
		if (!strcmp(found, name))
			got = n;
	if (f)
		fclose(f);
	return got;
}

TEST_F(security, all_are_asked)
{
	struct sockaddr_in nobody = xt_addr("127.0.0.1", 9);
	int fd = xt_socket(&self->x, 0);
	size_t i;

	if (!probes_open()) {
		probes_close();
		SKIP(return, "no kprobes here");
	}
	EXPECT_EQ(0, xt_pair(&self->x));
	/* RST, which belongs to no socket. */
	EXPECT_ERR(ECONNREFUSED, connect(fd, SA(&nobody), sizeof(nobody)));
	for (i = 0; i < NHOOKS; i++)
		EXPECT_LT(0, hits(hooks[i])) {
			TH_LOG("hooks[%zu] was not called", i);
		}
	probes_close();
}

/* A cookie's ACK is all that is left of its SYN: both are asked about. */
TEST_F(security, cookies_are_asked)
{
	const char *knob = xt_sysctl(&self->x, "syncookies");

	if (!probes_open()) {
		probes_close();
		SKIP(return, "no kprobes here");
	}
	ASSERT_EQ(0, xt_write_file(knob, "2"));
	EXPECT_EQ(0, xt_pair(&self->x));
	xt_write_file(knob, "1");
	EXPECT_EQ(2, hits("security_inet_conn_request"));
	probes_close();
}

/* ---- a module that refuses ---- */

static int bpf(int cmd, union bpf_attr *attr)
{
	return syscall(SYS_bpf, cmd, attr, sizeof(*attr));
}

/* What follows a type's head, in bytes. */
static size_t btf_more(const struct btf_type *t)
{
	size_t n = BTF_INFO_VLEN(t->info);

	switch (BTF_INFO_KIND(t->info)) {
	case BTF_KIND_INT:
	case BTF_KIND_VAR:
	case BTF_KIND_DECL_TAG:
		return 4;
	case BTF_KIND_ARRAY:
		return sizeof(struct btf_array);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return n * sizeof(struct btf_member);
	case BTF_KIND_ENUM:
		return n * sizeof(struct btf_enum);
	case BTF_KIND_FUNC_PROTO:
		return n * sizeof(struct btf_param);
	case BTF_KIND_DATASEC:
		return n * sizeof(struct btf_var_secinfo);
	case BTF_KIND_ENUM64:
		return n * 12;
	}
	return 0;
}

/* The number of kernel function @name; 0 if it is not known. */
static int btf_func(const char *name)
{
	int fd = open("/sys/kernel/btf/vmlinux", O_RDONLY | O_CLOEXEC), id = 1;
	const struct btf_header *h;
	const char *p, *end, *str;
	struct stat st;
	char *all;

	if (fd < 0 || fstat(fd, &st))
		return 0;
	all = malloc(st.st_size);
	if (!all || xt_read_all(fd, all, st.st_size) != st.st_size)
		return 0;
	close(fd);
	h = (const void *)all;
	p = all + h->hdr_len + h->type_off;
	end = p + h->type_len;
	str = all + h->hdr_len + h->str_off;
	for (; p < end; id++) {
		const struct btf_type *t = (const void *)p;

		if (BTF_INFO_KIND(t->info) == BTF_KIND_FUNC &&
		    !strcmp(str + t->name_off, name))
			break;
		p += sizeof(*t) + btf_more(t);
	}
	if (p >= end)
		id = 0;
	free(all);
	return id;
}

/* Every request for a connection is refused until the result is closed. */
static int refuse_all(void)
{
	struct bpf_insn code[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = -EACCES },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_LSM,
		.expected_attach_type = BPF_LSM_MAC,
		.attach_btf_id = btf_func("bpf_lsm_inet_conn_request"),
		.insn_cnt = 2,
		.insns = (uintptr_t)code,
		.license = (uintptr_t)"GPL",
	};
	int prog, link;

	if (!attr.attach_btf_id)
		return -1;
	prog = bpf(BPF_PROG_LOAD, &attr);
	if (prog < 0)
		return -1;
	memset(&attr, 0, sizeof(attr));
	attr.raw_tracepoint.prog_fd = prog;
	link = bpf(BPF_RAW_TRACEPOINT_OPEN, &attr);
	close(prog);
	return link;
}

/* A SYN that is refused is dropped, and counted. */
TEST_F(security, request_refused)
{
	const char *knob = xt_sysctl(&self->x, "syncookies");
	char lsm[256] = "";
	int fd = open("/sys/kernel/security/lsm", O_RDONLY), link, i;
	long drops;

	if (fd < 0) {
		mount("securityfs", "/sys/kernel/security", "securityfs", 0, NULL);
		fd = open("/sys/kernel/security/lsm", O_RDONLY);
	}
	if (fd < 0 || read(fd, lsm, sizeof(lsm) - 1) < 0 || !strstr(lsm, "bpf"))
		SKIP(return, "no BPF among the security modules");
	ASSERT_EQ(0, xt_listen(&self->x, 4));
	for (i = 1; i <= 2; i++) {
		ASSERT_EQ(0, xt_write_file(knob, i == 1 ? "1" : "2"));
		link = refuse_all();
		ASSERT_LE(0, link);
		drops = xt_counter(&self->x, "ListenDrops");
		fd = xt_socket(&self->x, SOCK_NONBLOCK);
		EXPECT_ERR(EINPROGRESS, connect(fd, SA(&self->x.addr),
						sizeof(self->x.addr)));
		EXPECT_TRUE(XT_UNTIL(xt_counter(&self->x, "ListenDrops") > drops));
		EXPECT_EQ(0, xt_poll_now(fd) & POLLOUT);
		close(fd);
		close(link);
	}
	xt_write_file(knob, "1");
	EXPECT_LE(0, xt_dial(&self->x));
}

TEST_HARNESS_MAIN

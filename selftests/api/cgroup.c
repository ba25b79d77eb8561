// SPDX-License-Identifier: GPL-2.0
/* Programs that a cgroup has for the sockets of its processes. */
#include "api.h"
#include <linux/bpf.h>
#include <stddef.h>
#include <sys/syscall.h>

#define ROOT	"/sys/fs/cgroup"

XT_FIXTURE(cgroup);

struct hook {
	char path[64];
	int dir;
	int prog;
};

static int bpf(int cmd, union bpf_attr *attr)
{
	return syscall(SYS_bpf, cmd, attr, sizeof(*attr));
}

static int hook_load(const struct bpf_insn *code, int n)
{
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_CGROUP_SOCK_ADDR,
		.expected_attach_type = BPF_CGROUP_INET4_CONNECT,
		.insn_cnt = n,
		.insns = (uintptr_t)code,
		.license = (uintptr_t)"GPL",
	};

	return bpf(BPF_PROG_LOAD, &attr);
}

static int hook_do(const struct hook *h, int cmd)
{
	union bpf_attr attr = {
		.target_fd = h->dir,
		.attach_bpf_fd = h->prog,
		.attach_type = BPF_CGROUP_INET4_CONNECT,
	};

	return bpf(cmd, &attr);
}

static int enter(const char *path)
{
	char procs[128];

	snprintf(procs, sizeof(procs), "%s/cgroup.procs", path);
	return xt_write_file(procs, "0");
}

/* The caller goes into a cgroup of its own, with @code at its connect(). */
static int hook_open(struct hook *h, const struct bpf_insn *code, int n)
{
	snprintf(h->path, sizeof(h->path), ROOT "/xtcp-api.%d", getpid());
	if (mkdir(h->path, 0755) || enter(h->path))
		return -1;
	h->dir = open(h->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	h->prog = hook_load(code, n);
	if (h->dir < 0 || h->prog < 0)
		return -1;
	return hook_do(h, BPF_PROG_ATTACH);
}

static void hook_close(const struct hook *h)
{
	enter(ROOT);
	rmdir(h->path);
}

/* This machine's kernel can do it at all. */
static bool can_hook(void)
{
	struct bpf_insn code[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = 1 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int fd = hook_load(code, 2);

	if (fd < 0 || access(ROOT "/cgroup.procs", W_OK))
		return false;
	close(fd);
	return true;
}

TEST_F(cgroup, connect_refused)
{
	struct bpf_insn code[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	struct sockaddr_in *a = &self->x.addr;
	struct hook h;
	int fd;

	if (!can_hook())
		SKIP(return, "no cgroup BPF here");
	ASSERT_EQ(0, xt_listen(&self->x, 4));
	EXPECT_EQ(0, hook_open(&h, code, 2));
	fd = xt_socket(&self->x, 0);
	EXPECT_ERR(EPERM, connect(fd, SA(a), sizeof(*a)));
	EXPECT_EQ(0, xt_port(fd));
	/* It is not asked about half an address, nor about none. */
	EXPECT_ERR(EINVAL, connect(fd, SA(a), 8));
	EXPECT_EQ(0, xt_unspec(fd));
	EXPECT_EQ(0, hook_do(&h, BPF_PROG_DETACH));
	EXPECT_EQ(0, connect(fd, SA(a), sizeof(*a)));
	hook_close(&h);
}

/* The port is the program's, whatever the caller says. */
TEST_F(cgroup, connect_elsewhere)
{
	struct bpf_insn code[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 1 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 2 },
		{ .code = BPF_STX | BPF_MEM | BPF_W, .dst_reg = 1, .src_reg = 2,
		  .off = offsetof(struct bpf_sock_addr, user_port) },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	struct sockaddr_in a = xt_addr("127.0.0.1", 9);
	socklen_t len = sizeof(a);
	struct hook h;
	int fd;

	if (!can_hook())
		SKIP(return, "no cgroup BPF here");
	ASSERT_EQ(0, xt_listen(&self->x, 4));
	code[1].imm = self->x.addr.sin_port;
	EXPECT_EQ(0, hook_open(&h, code, 4));
	fd = xt_socket(&self->x, 0);
	EXPECT_EQ(0, connect(fd, SA(&a), sizeof(a)));
	EXPECT_EQ(0, getpeername(fd, SA(&a), &len));
	EXPECT_EQ(self->x.addr.sin_port, a.sin_port);
	EXPECT_EQ(0, hook_do(&h, BPF_PROG_DETACH));
	hook_close(&h);
}

TEST_HARNESS_MAIN

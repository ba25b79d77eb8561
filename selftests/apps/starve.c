// SPDX-License-Identifier: GPL-2.0
/*
 * starve FILE: inserts a module with the first allocation of its start
 * failing, then with the second, and so on until it starts with none failing;
 * and leaves it in.  Exit status 4 without fault injection in the kernel.
 */
#include <sys/syscall.h>

#include "../api/faults.h"
#include "common.h"

#define MOST	1000

static bool failed;

static int insert(int file, unsigned int n)
{
	int fd = faults_arm(n), r, e;

	r = syscall(SYS_finit_module, file, "", 0);
	e = errno;
	failed = faults_disarm(fd);
	errno = e;
	return r;
}

int main(int argc, char **argv)
{
	unsigned int n, refused = 0;
	int file;

	if (argc != 2)
		fail("starve FILE");
	if (!faults_here())
		return 4;
	file = open(argv[1], O_RDONLY | O_CLOEXEC);
	if (file < 0)
		die(argv[1]);
	/* A cache that is not made is a reason for the kernel to complain. */
	if (faults_set(true) ||
	    faults_spare("__kmem_cache_create_args", "kmem_cache_destroy"))
		die("fault injection");
	for (n = 1, failed = true; failed && n < MOST; n++) {
		if (insert(file, n)) {
			if (!failed || errno != ENOMEM)
				die("insert");
			refused++;
		} else if (failed && syscall(SYS_delete_module, "xtcp", 0)) {
			die("remove");
		}
	}
	printf("%u allocations, %u needed\n", n - 2, refused);
	return failed || !refused;
}

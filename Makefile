# SPDX-License-Identifier: GPL-2.0
#
# The front door: `make help` lists everything a person types.

# The kernel to build for: a release whose headers are installed, or 6.1,
# 6.12 (the newest installed of each) or sanitizers (our own debug kernel)
KREL ?= $(shell uname -r)

# W=1 (more warnings) and C=1 (sparse) go through to the kernel's build
KBUILD_ARGS := $(if $(W),W=$(W)) $(if $(C),C=$(C)) $(if $(V),V=$(V))

# Kernel and virtual machine share one name for a release
RELEASE = $(shell selftests/vm/kernel-release $(KREL))
KO = build/$(RELEASE)/xtcp.ko
INSTALL_HEADER = $(DESTDIR)/usr/include/linux/xtcp.h

# The sub-makes have parallelism of their own
.NOTPARALLEL:
.PHONY: all module load unload install clean help setup demo check \
	check-quick check-sanitizers unit sim fuzz api net wire style \
	diagram programs

all: module ## Same as module

help: ## This list
	@echo 'make [target] [KREL=<release>|6.1|6.12|sanitizers] [W=1] [C=1]'
	@sed -n 's/^\([a-z -]*\):.*## \(.*\)/  \1\t\2/p' Makefile | expand -t 22
	@echo 'One command in a virtual machine: selftests/vm/run --help'

setup: ## Install what is missing of Debian's packages (root)
	@tools/setup

module: ## Build build/<release>/xtcp.ko (default: for the running kernel)
	@tools/build-module $(KREL) $(KBUILD_ARGS)

load: module ## Insert the module into the running kernel (root)
	@[ "$(RELEASE)" = "$$(uname -r)" ] || { \
		echo 'load: $(RELEASE) is not the running kernel' >&2; exit 1; }
	@for m in $$(modinfo -F depends $(KO) | tr , ' '); do \
		modprobe $$m || exit 1; done
	insmod $(KO) $(PARAMS)

unload: ## Remove the module from the running kernel (root)
	rmmod xtcp

install: module ## Install module and header for KREL (root; DESTDIR works)
	install -D -m 644 $(KO) \
		$(DESTDIR)/lib/modules/$(RELEASE)/updates/xtcp.ko
	install -D -m 644 uapi/linux/xtcp.h $(INSTALL_HEADER)
	$(if $(DESTDIR),,depmod $(RELEASE))

clean: ## Remove build/ (the caches in ~/.cache/xtcp stay)
	rm -rf build

demo: setup ## Files over a bad network: XTCP and TCP side by side
	@tools/build-module 6.12
	@$(MAKE) --no-print-directory -s -C userspace-demo
	@selftests/vm/run --kernel 6.12 --timeout 240 -- userspace-demo/demo.sh

check: setup ## Every test, on both kernels
	@selftests/run-all

check-quick: ## The tests on 6.12 only, with fewer seeds
	@selftests/run-all --quick

check-sanitizers: setup ## The kernel-side tests under KASAN, lockdep, kmemleak
	@selftests/run-all --sanitizers

unit sim fuzz api net wire style: ## One suite (api, net, wire: on 6.12)
	@selftests/run-all --kernels "$(if $(findstring file,$(origin \
		KREL)),6.12,$(KREL))" --suites $@

programs: ## The demo programs, built for this machine
	@$(MAKE) --no-print-directory -C userspace-demo

diagram: ## Draw the state diagram again from the table
	@$(MAKE) --no-print-directory -C selftests/unit diagram

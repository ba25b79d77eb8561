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
INSTALL_KO = $(DESTDIR)/lib/modules/$(RELEASE)/updates/xtcp.ko
INSTALL_HEADER = $(DESTDIR)/usr/include/linux/xtcp.h
INSTALL_CONF = $(DESTDIR)/etc/modprobe.d/xtcp.conf

# Suites are for 6.12 unless KREL was given
SUITE_KERNEL = $(if $(findstring file,$(origin KREL)),6.12,$(KREL))

# The sub-makes have parallelism of their own
.NOTPARALLEL:
.PHONY: all module load unload install uninstall clean help setup demo check \
	check-quick check-sanitizers unit sim fuzz api net wire style \
	bench bench-check diagram programs fresh-module parameters

all: module ## Same as module

help: ## This list
	@echo 'make [target] [KREL=<release>|6.1|6.12|sanitizers] [W=1] [C=1] [V=1]'
	@sed -n 's/^\([a-z -]*\):.*## \(.*\)/  \1\t\2/p' Makefile | expand -t 24
	@echo 'KREL: the running kernel unless given; 6.1 and 6.12 are the newest installed.'
	@echo 'Times: two cores, no KVM, everything installed.'
	@echo 'One command in a virtual machine: selftests/vm/run --help'

setup: ## Install what is missing of Debian's packages (root)
	@tools/setup

module: ## Build build/<release>/xtcp.ko
	@tools/build-module $(KREL) $(KBUILD_ARGS)

# Nothing is built that is built already: root is not needed for it, and leaves
# nothing of root's behind
fresh-module:
	@tools/build-module --if-needed $(KREL)

# The kernel takes a misspelt parameter for nothing and says so in its log only
parameters:
	@for p in $(PARAMS); do \
		modinfo -F parm $(KO) | grep -q "^$${p%%=*}:" && continue; \
		echo "PARAMS: the module has no parameter $${p%%=*}; it has:" >&2; \
		modinfo -F parm $(KO) | sed 's/^/  /' >&2; exit 1; done

load: fresh-module parameters ## Insert it (root); PARAMS="ipproto=254" for parameters
	@[ "$(RELEASE)" = "$$(uname -r)" ] || { \
		echo 'load: $(RELEASE) is not the running kernel' >&2; exit 1; }
	@for m in $$(modinfo -F depends $(KO) | tr , ' '); do \
		modprobe $$m || exit 1; done
	insmod $(KO) $(PARAMS) || { dmesg 2>/dev/null | \
		grep '\<xtcp: ' | tail -n 1 >&2; exit 1; }

unload: ## Remove it (root)
	rmmod xtcp

# With PARAMS, modprobe gets them, and the aliases of the numbers in them
install: fresh-module parameters ## Install it and <linux/xtcp.h> (root; PARAMS, DESTDIR)
	install -D -m 644 $(KO) $(INSTALL_KO)
	install -D -m 644 uapi/linux/xtcp.h $(INSTALL_HEADER)
	@rm -f $(INSTALL_CONF)
	@[ -z "$(PARAMS)" ] || { mkdir -p $(dir $(INSTALL_CONF)) && { \
		echo 'options xtcp $(PARAMS)'; \
		for p in $(PARAMS); do case $$p in \
		family=*) echo "alias net-pf-$${p#*=} xtcp" ;; \
		ipproto=*) echo "alias net-pf-2-proto-$${p#*=}-type-1 xtcp" ;; \
		esac; done; } >$(INSTALL_CONF); cat $(INSTALL_CONF); }
	$(if $(DESTDIR),,depmod $(RELEASE))

uninstall: ## Remove what install installed (root; DESTDIR)
	rm -f $(INSTALL_KO) $(INSTALL_HEADER) $(INSTALL_CONF)
	$(if $(DESTDIR),,depmod $(RELEASE))

clean: ## Remove build/ (the caches in ~/.cache/xtcp stay)
	rm -rf build

demo: setup ## 1 min: files over a bad network, by XTCP and by TCP
	@echo 'demo: two hosts in a virtual machine, files both ways over a bad network,'
	@echo '      first by XTCP, then by TCP; about a minute. Your kernel is not touched.'
	@tools/build-module 6.12
	@$(MAKE) --no-print-directory -s -C userspace-demo
	@echo 'demo: starting the virtual machine'
	@selftests/vm/run --kernel 6.12 --timeout 240 -- userspace-demo/demo.sh

check: setup ## 21 min: every test, on both kernels
	@echo 'check: every test, on both kernels; about 21 minutes on two cores without KVM.'
	@echo '       A line for each suite as it begins and ends; the verdict is the last line.'
	@selftests/run-all

check-quick: setup ## The tests on 6.12 only, with fewer seeds
	@echo 'check-quick: the tests on 6.12, no fuzzing; the verdict is the last line.'
	@selftests/run-all --quick

check-sanitizers: setup ## api, net, wire under KASAN, lockdep, kmemleak
	@echo 'check-sanitizers: api, net and wire on a kernel with KASAN, lockdep, kmemleak;'
	@echo '                  builds it first, once. The verdict is the last line.'
	@selftests/run-all --sanitizers

unit sim fuzz style: ## One suite, without a virtual machine
	@selftests/run-all --kernels "$(SUITE_KERNEL)" --suites $@

api net wire: ## One suite, in a virtual machine (6.12, or KREL)
	@selftests/run-all --kernels "$(SUITE_KERNEL)" --suites $@

bench: setup ## Instructions beside native TCP; REF=<git ref>: and beside that one
	@selftests/bench/bench $(if $(REF),--ref "$(REF)")

bench-check: setup ## The same, compared with the figures last accepted
	@selftests/bench/bench --check

programs: ## Build the demo programs in build/userspace-demo/
	@$(MAKE) --no-print-directory -C userspace-demo

diagram: ## Draw the state diagram again from the table
	@$(MAKE) --no-print-directory -C selftests/unit diagram

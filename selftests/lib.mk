# SPDX-License-Identifier: GPL-2.0
#
# Stands where a kernel tree has its own lib.mk, and includes that one: the
# folders beside this file work here and in tools/testing/selftests alike.

XTCP_TOP := $(realpath $(dir $(lastword $(MAKEFILE_LIST)))/..)
KSELFTEST_DIR := $(shell $(XTCP_TOP)/selftests/vm/kselftest-dir)
ifeq ($(KSELFTEST_DIR),)
$(error no kselftest files: run 'make setup')
endif

OUTPUT ?= $(XTCP_TOP)/build/selftests/$(notdir $(CURDIR))
ifeq ($(OUTPUT),)
OUTPUT := $(XTCP_TOP)/build/selftests/$(notdir $(CURDIR))
endif
$(shell mkdir -p $(OUTPUT))

# "kselftest_harness.h" and "../kselftest_harness.h", <linux/xtcp.h> and
# "uapi/linux/xtcp.h" are all found
CFLAGS += -I$(KSELFTEST_DIR) -I$(KSELFTEST_DIR)/net
CFLAGS += -I$(XTCP_TOP)/uapi -I$(XTCP_TOP)

# The kernel's lib.mk finds its folder by its name in this list: one only
MAKEFILE_LIST := $(filter-out %lib.mk,$(MAKEFILE_LIST))
include $(KSELFTEST_DIR)/lib.mk

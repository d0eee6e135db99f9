# SPDX-License-Identifier: GPL-2.0
# What the tests in the VM need: programs, walkers, and BPF programs that must be refused.

VM_TEST_PROGRAMS := $(patsubst %.c,$(O)/%,$(wildcard tests/vm/engine_*.c tests/vm/trap_*.c \
	tests/vm/verifier_*.c))
VM_TEST_LIB := $(patsubst %,$(O)/tests/%.o,lib/chase lib/engine lib/extents vm/vm vm/ring)
VM_TEST_BPF := $(patsubst %.c,$(O)/%.o,$(wildcard tests/vm/walkers/*.bpf.c \
	tests/vm/verifier/*.bpf.c) tests/lib/chase.bpf.c)
# Walkers that user space believes to be those of the same name in the kernel.
VM_TEST_NATIVE := $(patsubst %.c,$(O)/%.so,$(wildcard tests/vm/native/*.c))
VM_TEST_OBJS := $(VM_TEST_PROGRAMS:=.o) $(VM_TEST_LIB)

.PHONY: vm-tests
check-build: vm-tests
vm-tests: $(VM_TEST_PROGRAMS) $(VM_TEST_BPF) $(VM_TEST_NATIVE) $(O)/kselftest.stamp

# What kselftest.vmt runs.
$(O)/kselftest.stamp: scripts/kselftest include/uapi/linux/carom.h \
		$(wildcard kernel-patches/in-tree/selftests/carom/*) | $(O)/.deps
	$(Q)CLANG='$(CLANG)' scripts/kselftest
	$(Q)touch $@

$(VM_TEST_OBJS): override CPPFLAGS += -D_GNU_SOURCE $(LIBBPF_CFLAGS)

$(VM_TEST_PROGRAMS): %: %.o $(VM_TEST_LIB)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBBPF_LIBS) -lcmocka -luring -lelf -lz -pthread

$(VM_TEST_BPF): $(O)/%.bpf.o: %.bpf.c tests/vm/rules.mk | $(O)/.deps
	$(call say,BPF,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -MMD -MP -c -o $@ $<
	$(Q)$(LLVM_STRIP) -g $@

$(VM_TEST_NATIVE): $(O)/%.so: %.c | $(O)/.deps
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -fPIC -shared -o $@ $<

HOST_TESTS += tests/vm/traps.test tests/vm/nodes.test

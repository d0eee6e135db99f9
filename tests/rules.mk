# SPDX-License-Identifier: GPL-2.0
# Included last: UNIT_TESTS (programs), HOST_TESTS (scripts) and ALONE_TESTS (scripts that measure)
# are what the other parts added.

HOST_TESTS += tests/summary.test tests/drift.test tests/series.test tests/lint.test tests/vm/meta.test

# The one that takes longest first.
HOST_ORDER := $(filter %/storm.test,$(HOST_TESTS)) $(filter-out %/storm.test,$(HOST_TESTS))

.PHONY: check-build
check-build: $(UNIT_TESTS) $(O)/vmtest/insns.so $(O)/tests/vm/loop

check-run: check-build
	$(Q)tests/run --unit '$(UNIT_TESTS)' --alone '$(ALONE_TESTS)' --host '$(HOST_ORDER)'

# Of the host's tests, those about what the kernel does.
DEBUG_TESTS := tests/vm/debug.test \
	$(filter-out tests/vm/meta.test,$(filter tests/vm/%.test tests/storm/%.test,$(HOST_ORDER)))

# What runs concurrently, for the kernel that looks for data races.
KCSAN_TESTS := $(patsubst %,tests/vm/%.vmt,engine storm surface)

.PHONY: check-debug-run check-kcsan-run check-mainline-run check-intree-run
check-debug-run: vm-tests $(LOOKUPS) $(MATRIX)
	$(Q)tests/run --kernel debug --vm 'ext4 xfs walkers leaks' --host '$(DEBUG_TESTS)'

check-kcsan-run: vm-tests
	$(Q)tests/run --kernel kcsan --vm ext4 \
		--host '$(filter-out %/debug.test,$(DEBUG_TESTS))' $(KCSAN_TESTS)

# VMS_ONLY=yes: without the host's scripts that boot VMs of their own, which take half of the time.
check-mainline-run: vm-tests $(LOOKUPS) $(MATRIX)
	$(Q)tests/run --kernel mainline --vm 'ext4 xfs walkers distro' \
		--host '$(if $(VMS_ONLY),,$(filter-out %/debug.test,$(DEBUG_TESTS)))'

# What the engine is and refuses where it is part of the kernel's image. CAROM_FUZZ_SECONDS is for surface.
INTREE_TESTS := house engine kselftest lookups refusals cli verifier walker stat trace secret surface

check-intree-run: vm-tests $(LOOKUPS) $(O)/carom
	$(Q)tests/run --kernel intree --vm 'ext4 xfs' $(INTREE_TESTS:%=tests/vm/%.vmt)

# Counted by meta.test. Static, so that the dynamic linker's work is none of it.
$(O)/tests/vm/loop: $(O)/tests/vm/loop.o
	$(call say,LD,$@)
	$(Q)$(CC) -static -o $@ $<

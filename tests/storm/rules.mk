# SPDX-License-Identifier: GPL-2.0
# Storms: hostile walkers, failing devices and dying processes under load.

STORM_PROGRAMS := $(patsubst %,$(O)/tests/storm/%,storm_walkers storm_devices storm_faults \
	storm_death)
STORM_LIB := $(patsubst %,$(O)/tests/%.o,storm/storm storm/device storm/module lib/chase lib/engine vm/vm)
STORM_BPF := $(patsubst %.c,$(O)/%.o,$(wildcard tests/storm/walkers/*.bpf.c))

vm-tests: $(STORM_PROGRAMS) $(STORM_BPF)

$(STORM_PROGRAMS:=.o) $(STORM_LIB): override CPPFLAGS += -D_GNU_SOURCE $(LIBBPF_CFLAGS)

$(STORM_PROGRAMS): %: %.o $(STORM_LIB)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBBPF_LIBS) -lcmocka -lelf -lz -pthread

$(STORM_BPF): $(O)/%.bpf.o: %.bpf.c tests/storm/walkers/wild.h | $(O)/.deps
	$(call say,BPF,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -MMD -MP -c -o $@ $<
	$(Q)$(LLVM_STRIP) -g $@

HOST_TESTS += tests/storm/storm.test

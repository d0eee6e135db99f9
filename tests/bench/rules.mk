# SPDX-License-Identifier: GPL-2.0
# Instructions per lookup; tests/bench/run is what `make bench` runs.

BENCH := $(O)/tests/bench/chase_bench
BENCH_OBJS := $(patsubst %,$(O)/tests/%.o,bench/chase_bench bench/insns lib/chase lib/engine)

$(BENCH_OBJS): override CPPFLAGS += -D_GNU_SOURCE $(LIBBPF_CFLAGS)

$(BENCH): $(BENCH_OBJS)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBBPF_LIBS) -luring -lelf -lz

.PHONY: bench-run
bench-run: $(BENCH) $(O)/tests/lib/chase.bpf.o $(O)/vmtest/insns.so
	$(Q)tests/bench/run

ALONE_TESTS += tests/bench/insns.test
HOST_TESTS += tests/bench/profile.test
check-run: $(BENCH) $(O)/vmtest/profile.so

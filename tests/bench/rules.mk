# SPDX-License-Identifier: GPL-2.0
# Instructions per lookup: tests/bench/run is what `make bench-insns` runs. And their time, as far as that
# means anything here: `make bench` runs both, and draws.

BENCH := $(O)/tests/bench/chase_bench
SCALE_BENCH := $(O)/tests/bench/scale_bench
MANY_BENCH := $(O)/tests/bench/many_bench
VALUES_BENCH := $(O)/tests/bench/values_bench
SQLITE_BENCH := $(O)/tests/bench/sqlite_bench
MAP_BENCH := $(O)/tests/bench/map_bench
BENCH_LIB_OBJS := $(O)/tests/lib/chase.o $(O)/tests/lib/engine.o
BENCH_OBJS := $(patsubst %.c,$(O)/%.o,$(filter-out %/scale_bench.c %/many_bench.c %/values_bench.c \
	%/sqlite_bench.c %/map_bench.c %.bpf.c,$(wildcard tests/bench/*.c))) $(BENCH_LIB_OBJS)

$(BENCH_OBJS) $(SCALE_BENCH).o $(SQLITE_BENCH).o $(MAP_BENCH).o: \
	override CPPFLAGS += -D_GNU_SOURCE $(LIBBPF_CFLAGS)

$(BENCH): $(BENCH_OBJS) $(O)/libcarom.a
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBBPF_LIBS) -llmdb -lsqlite3 -luring -ljson-c -lelf -lz -pthread

$(SCALE_BENCH): $(SCALE_BENCH).o $(BENCH_LIB_OBJS)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBBPF_LIBS) -lelf -lz -pthread

$(MAP_BENCH): $(MAP_BENCH).o $(BENCH_LIB_OBJS) $(O)/tests/lib/extents.o
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBBPF_LIBS) -lelf -lz

$(MANY_BENCH) $(VALUES_BENCH) $(SQLITE_BENCH): %: %.o $(O)/tests/bench/insns.o $(O)/libcarom.a
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -llmdb -lsqlite3 -luring -pthread

.PHONY: bench-insns-run
bench-insns-run: $(BENCH) $(MANY_BENCH) $(VALUES_BENCH) $(SQLITE_BENCH) $(O)/carom \
	$(O)/tests/lib/chase.bpf.o $(O)/vmtest/insns.so
	$(Q)tests/bench/run --json '$(abspath $(O))/bench/insns.json'
	$(Q)tests/bench/run --many
	$(Q)tests/bench/run --values
	$(Q)tests/bench/run --sqlite

# By name, or the rule for native objects would be taken.
LOOP_OBJ := $(O)/tests/bench/loop.bpf.o

$(LOOP_OBJ): $(O)/%.bpf.o: %.bpf.c bpf/rules.mk | $(O)/.deps
	$(call say,BPF,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -MMD -MP -c -o $@ $<
	$(Q)$(LLVM_STRIP) -g $@

.PHONY: bench-race-run
bench-race-run: $(BENCH) $(LOOP_OBJ) $(O)/carom $(O)/tests/lib/chase.bpf.o $(O)/vmtest/insns.so \
	$(O)/vmtest/latency.so $(O)/vmtest/profile.so
	$(Q)tests/bench/race$(if $(KERNEL), --kernel '$(KERNEL)')

.PHONY: bench-map-run
bench-map-run: $(MAP_BENCH) $(O)/tests/vm/walkers/chase1024.bpf.o $(O)/vmtest/insns.so $(O)/vmtest/profile.so
	$(Q)tests/bench/map $(addprefix --kernel ,$(KERNELS))

# What the bars by layer are of.
BENCH_PROFILED := pread,uring,uring-32,passthru-32,chain,chain-polled,chain-32,chain-32-polled

.PHONY: bench-run
bench-run: bench-insns-run $(O)/vmtest/profile.so $(O)/carom $(O)/bpf/lmdb.bpf.o
	$(Q)tests/bench/profile --backend '$(BENCH_PROFILED)' --lookups 96 --json \
		>'$(O)/bench/layers.json.new'
	$(Q)mv '$(O)/bench/layers.json.new' '$(O)/bench/layers.json'
	$(Q)tests/bench/wall
	$(Q)tests/bench/figures '$(O)/bench'

ALONE_TESTS += tests/bench/insns.test
HOST_TESTS += tests/bench/profile.test tests/bench/figures.test tests/bench/race.test \
	tests/bench/map.test
check-build: $(BENCH) $(SCALE_BENCH) $(MANY_BENCH) $(VALUES_BENCH) $(SQLITE_BENCH) $(MAP_BENCH) \
	$(O)/carom $(O)/vmtest/profile.so $(O)/vmtest/latency.so

# SPDX-License-Identifier: GPL-2.0
# Fuzzers: of the LMDB format and its walker, natively and against the kernel, and of the
# kernel's interface.

FUZZ_DIR := $(O)/tests/fuzz
FUZZ_LMDB := $(FUZZ_DIR)/lmdb_fuzzer
FUZZ_SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer

# What parses is built for the fuzzer to see into, and so is the harness.
FUZZ_LMDB_SRCS := tests/fuzz/lmdb_fuzzer.c tests/fuzz/lmdb_input.c tests/unit/lmdb_fake.c \
	user/formats/lmdb.c user/formats/lmdb_error.c user/formats/lmdb_value.c user/lib/errors.c bpf/lmdb.bpf.c
FUZZ_LMDB_OBJS := $(FUZZ_LMDB_SRCS:%.c=$(FUZZ_DIR)/san/%.o)

$(FUZZ_DIR)/san/%.o: %.c tests/fuzz/rules.mk | $(O)/.deps
	$(call say,CLANG,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(CPPFLAGS) -D_GNU_SOURCE $(CFLAGS) $(FUZZ_CFLAGS) $(FUZZ_SANITIZE) \
		-fsanitize=fuzzer-no-link -MMD -MP -c -o $@ $<

$(FUZZ_LMDB): $(FUZZ_LMDB_OBJS)
	$(call say,LD,$@)
	$(Q)$(CLANG) $(CFLAGS) $(FUZZ_CFLAGS) $(FUZZ_SANITIZE) -fsanitize=fuzzer -o $@ $^ -lcmocka \
		-llmdb -pthread

check-build: $(FUZZ_LMDB)
HOST_TESTS += tests/fuzz/lmdb.test

# The same of SQLite files.
FUZZ_SQLITE := $(FUZZ_DIR)/sqlite_fuzzer
FUZZ_SQLITE_SRCS := tests/fuzz/sqlite_fuzzer.c tests/fuzz/sqlite_reader.c tests/fuzz/sqlite_input.c \
	tests/sqlite/random.c \
	$(wildcard user/formats/sqlite*.c) user/lib/errors.c $(LIB_SQLITE:%=bpf/%.bpf.c)
FUZZ_SQLITE_OBJS := $(FUZZ_SQLITE_SRCS:%.c=$(FUZZ_DIR)/san/%.o)

$(FUZZ_SQLITE): $(FUZZ_SQLITE_OBJS)
	$(call say,LD,$@)
	$(Q)$(CLANG) $(CFLAGS) $(FUZZ_CFLAGS) $(FUZZ_SANITIZE) -fsanitize=fuzzer -o $@ $^ -lcmocka \
		-lsqlite3 -pthread

check-build: $(FUZZ_SQLITE)
HOST_TESTS += tests/fuzz/sqlite.test

# In the VM: the kernel's interface, by tests/vm/surface.vmt.
FUZZ_SURFACE := $(FUZZ_DIR)/surface
FUZZ_VM_LIB := $(patsubst %,$(O)/tests/%.o,lib/chase lib/engine vm/vm)

vm-tests: $(FUZZ_SURFACE)
$(patsubst %.c,$(O)/%.o,$(wildcard tests/fuzz/*.c)): override CPPFLAGS += -D_GNU_SOURCE

$(FUZZ_SURFACE): $(patsubst %,$(FUZZ_DIR)/%.o,surface surface_ops surface_open surface_mem \
		surface_uring) $(FUZZ_VM_LIB)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBBPF_LIBS) -lcmocka -luring -lelf -lz -pthread

# In the VM: the walkers in the kernel against those in libcarom, by tests/vm/fuzz_walker.vmt.
# The fake readers stand in for what of libcarom is not under test.
FUZZ_DIFFER := $(FUZZ_DIR)/differ $(FUZZ_DIR)/differ_sqlite
FUZZ_DIFFER_LIB := $(patsubst %,$(FUZZ_DIR)/plain/tests/fuzz/%.o,differ_side differ_native)

check-build: $(FUZZ_DIFFER)
vm-tests: $(FUZZ_DIFFER)

$(FUZZ_DIR)/plain/%.o: %.c | $(O)/.deps
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) -D_GNU_SOURCE $(CFLAGS) -MMD -MP -c -o $@ $<

$(FUZZ_DIR)/differ: $(patsubst %,$(FUZZ_DIR)/plain/%.o,tests/fuzz/differ tests/fuzz/lmdb_input \
	tests/unit/lmdb_fake)
$(FUZZ_DIR)/differ_sqlite: $(patsubst %,$(FUZZ_DIR)/plain/%.o,tests/fuzz/differ_sqlite \
	tests/fuzz/sqlite_input tests/fuzz/sqlite_reader tests/sqlite/random)
$(FUZZ_DIFFER): $(FUZZ_DIFFER_LIB) $(O)/tests/lib/engine.o $(O)/libcarom.a
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LIBBPF_LIBS) -lcmocka \
		-llmdb -lsqlite3 -lelf -lz -pthread

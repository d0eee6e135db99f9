# SPDX-License-Identifier: GPL-2.0
# Unit tests of what needs no kernel, with sanitizers, so built apart from the library.

UNIT_SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
UNIT_DIR := $(O)/tests/unit

# The LMDB format and its walker, on a libcarom that the tests bring along.
LMDB_TESTS := $(patsubst %,$(UNIT_DIR)/%,lmdb_oracle lmdb_damage lmdb_fuzz lmdb_refuse \
	lmdb_writer)
LMDB_TEST_SRCS := tests/unit/lmdb_fake.c tests/unit/lmdb_image.c user/formats/lmdb.c \
	user/formats/lmdb_error.c user/formats/lmdb_value.c user/lib/errors.c bpf/lmdb.bpf.c
LMDB_TEST_OBJS := $(LMDB_TEST_SRCS:%.c=$(UNIT_DIR)/san/%.o)

UNIT_TESTS += $(LMDB_TESTS)

$(UNIT_DIR)/san/%.o: %.c | $(O)/.deps
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) -D_GNU_SOURCE $(CFLAGS) $(UNIT_SANITIZE) -MMD -MP -c -o $@ $<

$(LMDB_TESTS): $(UNIT_DIR)/%: $(UNIT_DIR)/san/tests/unit/%.o $(LMDB_TEST_OBJS)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(UNIT_SANITIZE) -o $@ $^ -lcmocka -llmdb -pthread

# What walkers call, natively.
UNIT_TESTS += $(UNIT_DIR)/crc32c

$(UNIT_DIR)/crc32c: $(UNIT_DIR)/san/tests/unit/crc32c.o
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(UNIT_SANITIZE) -o $@ $^ -lcmocka

# SPDX-License-Identifier: GPL-2.0
# The example walkers against their oracles, and the server against liblmdb; in the VM that is
# tests/vm/examples.vmt.

HOST_TESTS += tests/examples/examples.test tests/examples/kvd.test

# The server under the sanitizers, with the library's sources once more.
KVD_DIR := $(O)/tests/examples
KVD_SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
KVD_SAN_OBJS := $(patsubst %.c,$(KVD_DIR)/san/%.o,$(KVD_SRCS) $(LIB_SRCS) \
	$(LIB_WALKERS:%=bpf/%.bpf.c))

check-build: $(KVD_DIR)/kvd

$(KVD_DIR)/san/%.o: %.c | $(O)/.deps
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) -D_GNU_SOURCE -DCAROM_VERSION='"$(CAROM_VERSION)"' -Iuser/lib $(CFLAGS) \
		$(KVD_SANITIZE) -MMD -MP -c -o $@ $<

$(KVD_DIR)/kvd: $(KVD_SAN_OBJS)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(KVD_SANITIZE) -o $@ $^ -luring -lsqlite3 -lm -pthread

# SPDX-License-Identifier: GPL-2.0
# Values on several pages: libcarom against SQLite and liblmdb, here with the sanitizers, and in the VM.

VALUES_DIR := $(O)/tests/values
VALUES_TEST := tests/values/values tests/values/values_lmdb tests/values/values_sqlite

UNIT_TESTS += $(VALUES_DIR)/values_oracle

$(VALUES_DIR)/values_oracle: $(VALUES_TEST:%=$(SAN_DIR)/%.o) $(SAN_LIB_OBJS)
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(SAN_FLAGS) -o $@ $^ -lcmocka -llmdb -lsqlite3 -luring -pthread

# The same without, for the VM.
$(patsubst %.c,$(O)/%.o,$(wildcard tests/values/*.c)): override CPPFLAGS += -D_GNU_SOURCE
check-build: $(VALUES_DIR)/values
vm-tests: $(VALUES_DIR)/values

$(VALUES_DIR)/values: $(VALUES_TEST:%=$(O)/%.o) $(O)/libcarom.a
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lcmocka -llmdb -lsqlite3 -luring -pthread

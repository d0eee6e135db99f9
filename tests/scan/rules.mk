# SPDX-License-Identifier: GPL-2.0
# Scans: libcarom against liblmdb, here with the sanitizers, and in the VM.

SCAN_DIR := $(O)/tests/scan
SCAN_SRCS := tests/scan/oracle.c tests/scan/files.c tests/lookups/database.c

UNIT_TESTS += $(SCAN_DIR)/scan_oracle
HOST_TESTS += tests/scan/command.test

$(SCAN_DIR)/scan_oracle: $(SCAN_SRCS:%.c=$(SAN_DIR)/%.o) $(SAN_LIB_OBJS)
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(SAN_FLAGS) -o $@ $^ -lcmocka -llmdb -lsqlite3 -luring -pthread

# The same without, for the VM.
check-run: $(SCAN_DIR)/scans
vm-tests: $(SCAN_DIR)/scans

$(SCAN_DIR)/scans: $(SCAN_SRCS:%.c=$(O)/%.o) $(O)/libcarom.a
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lcmocka -llmdb -lsqlite3 -luring -pthread

# SPDX-License-Identifier: GPL-2.0
# Scans, and many keys at once: libcarom against liblmdb, here with the sanitizers, and in the VM.

SCAN_DIR := $(O)/tests/scan
SCAN_LIB := tests/scan/files.c tests/lookups/database.c

UNIT_TESTS += $(SCAN_DIR)/scan_oracle $(SCAN_DIR)/many_oracle
HOST_TESTS += tests/scan/command.test

$(SCAN_DIR)/scan_oracle: $(SAN_DIR)/tests/scan/oracle.o
$(SCAN_DIR)/many_oracle: $(SAN_DIR)/tests/scan/many.o
$(SCAN_DIR)/%_oracle: $(SCAN_LIB:%.c=$(SAN_DIR)/%.o) $(SAN_LIB_OBJS)
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(SAN_FLAGS) -o $@ $^ -lcmocka -llmdb -lsqlite3 -luring -pthread

# The same without, for the VM.
check-build: $(SCAN_DIR)/scans $(SCAN_DIR)/manies
vm-tests: $(SCAN_DIR)/scans $(SCAN_DIR)/manies

$(SCAN_DIR)/scans: $(O)/tests/scan/oracle.o
$(SCAN_DIR)/manies: $(O)/tests/scan/many.o
$(SCAN_DIR)/scans $(SCAN_DIR)/manies: $(SCAN_LIB:%.c=$(O)/%.o) $(O)/libcarom.a
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) -lcmocka -llmdb -lsqlite3 -luring -pthread

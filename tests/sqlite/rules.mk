# SPDX-License-Identifier: GPL-2.0
# SQLite files: libcarom against SQLite, here with the sanitizers, and in the VM.

SQLITE_DIR := $(O)/tests/sqlite
SQLITE_ORACLE := $(patsubst %,tests/sqlite/%,oracle compare text random)
SQLITE_SCANS := $(patsubst %,tests/sqlite/%,scans ranges text random)

SQLITE_MANY := $(patsubst %,tests/sqlite/%,many random)

UNIT_TESTS += $(SQLITE_DIR)/sqlite_oracle $(SQLITE_DIR)/sqlite_many $(SQLITE_DIR)/sqlite_scans
HOST_TESTS += tests/sqlite/rows.test tests/sqlite/scan.test tests/sqlite/programs.test

$(SQLITE_DIR)/sqlite_oracle: $(SQLITE_ORACLE:%=$(SAN_DIR)/%.o)
$(SQLITE_DIR)/sqlite_many: $(SQLITE_MANY:%=$(SAN_DIR)/%.o)
$(SQLITE_DIR)/sqlite_scans: $(SQLITE_SCANS:%=$(SAN_DIR)/%.o)
$(SQLITE_DIR)/sqlite_oracle $(SQLITE_DIR)/sqlite_many $(SQLITE_DIR)/sqlite_scans: $(SAN_LIB_OBJS)
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(SAN_FLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) -lcmocka -lsqlite3 -luring -pthread

# The same without, for the VM.
$(patsubst %.c,$(O)/%.o,$(wildcard tests/sqlite/*.c)): override CPPFLAGS += -D_GNU_SOURCE
SQLITE_VM := $(patsubst %,$(SQLITE_DIR)/%,lookups manies scans)
check-build: $(SQLITE_VM)
vm-tests: $(SQLITE_VM)

$(SQLITE_DIR)/lookups: $(SQLITE_ORACLE:%=$(O)/%.o)
$(SQLITE_DIR)/manies: $(SQLITE_MANY:%=$(O)/%.o)
$(SQLITE_DIR)/scans: $(SQLITE_SCANS:%=$(O)/%.o)
$(SQLITE_VM): $(O)/libcarom.a
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) -lcmocka -lsqlite3 -luring -pthread

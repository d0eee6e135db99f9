# SPDX-License-Identifier: GPL-2.0
# Lookups through libcarom in the VM; tests/vm/lookups.vmt runs the program.

LOOKUPS := $(O)/tests/lookups/lookups

check-build: $(LOOKUPS)

$(LOOKUPS): $(addprefix $(O)/tests/lookups/,lookups.o lookups_queue.o database.o queued.o) \
		$(O)/libcarom.a
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lcmocka -llmdb -lsqlite3 -luring -pthread

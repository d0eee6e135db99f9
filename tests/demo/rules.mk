# SPDX-License-Identifier: GPL-2.0
# The demo's program; tests/demo/run is what `make demo` runs.

$(O)/tests/demo/demo: $(O)/tests/demo/demo.o $(O)/tests/bench/insns.o $(O)/libcarom.a
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -llmdb -lsqlite3 -luring -pthread

demo-run: $(O)/tests/demo/demo $(O)/carom $(O)/bpf/lmdb.bpf.o $(O)/vmtest/insns.so
	$(Q)tests/demo/run

.PHONY: demo-run

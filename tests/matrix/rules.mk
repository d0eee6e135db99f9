# SPDX-License-Identifier: GPL-2.0
# The sealing matrix: a program for the VM, and the table in doc/sealing.md, which is its output.

MATRIX := $(O)/tests/matrix/matrix
MATRIX_OBJS := $(patsubst %.c,$(O)/%.o,$(wildcard tests/matrix/*.c))
MATRIX_LIB := $(patsubst %,$(O)/tests/%.o,lib/chase lib/engine vm/vm)

.PHONY: doc-sealing
check-build: $(MATRIX)

$(MATRIX_OBJS): override CPPFLAGS += -D_GNU_SOURCE $(LIBBPF_CFLAGS)

$(MATRIX): $(MATRIX_OBJS) $(MATRIX_LIB)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBBPF_LIBS) -lcmocka -lelf -lz -pthread

# Write what the matrix says now into the document.
doc-sealing: $(MATRIX) vm-tests kernel
	$(Q)tests/matrix/table --update doc/sealing.md

HOST_TESTS += tests/matrix/table.test

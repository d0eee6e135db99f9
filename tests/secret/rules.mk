# SPDX-License-Identifier: GPL-2.0
# What may not be read and who may do what; run in the VM by tests/vm/{secret,rights}.vmt.

SECRET_DIR := $(O)/tests/secret
SECRET_PROGRAMS := $(addprefix $(SECRET_DIR)/,secret rights passed forged)
SECRET_BPF := $(patsubst %.c,$(O)/%.o,$(wildcard tests/secret/*.bpf.c))
SECRET_LIB := $(patsubst %,$(O)/tests/%.o,lib/chase lib/engine vm/vm)

check-build: $(SECRET_PROGRAMS) $(SECRET_BPF)
vm-tests: $(SECRET_PROGRAMS) $(SECRET_BPF)

$(patsubst %.c,$(O)/%.o,$(filter-out %.bpf.c,$(wildcard tests/secret/*.c))): \
	override CPPFLAGS += -D_GNU_SOURCE

$(SECRET_DIR)/secret: $(addprefix $(SECRET_DIR)/,secret.o secret_mark.o secret_files.o)
$(SECRET_DIR)/rights $(SECRET_DIR)/passed: %: %.o $(SECRET_DIR)/rights_child.o
$(SECRET_DIR)/forged: $(SECRET_DIR)/forged.o

$(SECRET_PROGRAMS): $(SECRET_LIB)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBBPF_LIBS) -lcmocka -lelf -lz -pthread

$(SECRET_BPF): $(O)/%.bpf.o: %.bpf.c tests/secret/rules.mk | $(O)/.deps
	$(call say,BPF,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -MMD -MP -c -o $@ $<
	$(Q)$(LLVM_STRIP) -g $@

# SPDX-License-Identifier: GPL-2.0
# The walkers as BPF objects; `carom walker load` takes them. The same sources are built
# natively by user/lib/rules.mk.

BPF_OBJS := $(patsubst %.c,$(O)/%.o,$(wildcard bpf/*.bpf.c))

all: $(BPF_OBJS)

# linux/types.h includes asm/types.h, which is below the host's multiarch directory.
BPF_CFLAGS = -target bpf -mcpu=v3 -O2 -g -Wall -Wextra -Wno-unused-parameter \
	-Iinclude -Iinclude/uapi $(LIBBPF_CFLAGS) \
	-idirafter /usr/include/$(shell $(CC) -print-multiarch)

# By name, or the rule for native objects would be taken. DWARF is of no use to anybody
# there; what is left of -g is the BTF that libbpf needs.
$(BPF_OBJS): $(O)/%.bpf.o: %.bpf.c bpf/rules.mk | $(O)/.deps
	$(call say,BPF,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -MMD -MP -c -o $@ $<
	$(Q)$(LLVM_STRIP) -g $@

# ---- trace ----

TRACE_DIR = $(DATADIR)/carom/trace
TRACE_SCRIPTS := $(wildcard bpf/trace/*.bt)

.PHONY: install-trace uninstall-trace check-trace
check-build check-debug-run: $(O)/bpf/trace/types.btf

$(O)/bpf/trace/types.btf: bpf/trace/types.c | $(O)/.deps
	$(call say,BTF,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) -target bpf -g -O2 -c -o $(@:.btf=.o) $<
	$(Q)$(LLVM_OBJCOPY) --dump-section .BTF=$@ $(@:.btf=.o)

check-trace: $(O)/bpf/trace/types.btf
	$(Q)bpf/trace/check $< $(TRACE_SCRIPTS)

install: install-trace
uninstall: uninstall-trace

# All commands are one, which knows from its name which script is meant.
install-trace:
	$(call say,INSTALL,$(DESTDIR)$(TRACE_DIR))
	$(Q)$(INSTALL) -d '$(DESTDIR)$(TRACE_DIR)' '$(DESTDIR)$(SBINDIR)'
	$(Q)$(INSTALL) -m 755 bpf/trace/carom-bt '$(DESTDIR)$(TRACE_DIR)/'
	$(Q)$(INSTALL) -m 755 $(TRACE_SCRIPTS) '$(DESTDIR)$(TRACE_DIR)/'
	$(Q)$(foreach s,$(TRACE_SCRIPTS),ln -sf '$(TRACE_DIR)/carom-bt' '$(DESTDIR)$(SBINDIR)/$(basename $(notdir $s))' &&) :

uninstall-trace:
	$(Q)rm -f $(foreach s,$(TRACE_SCRIPTS),'$(DESTDIR)$(TRACE_DIR)/$(notdir $s)' \
		'$(DESTDIR)$(SBINDIR)/$(basename $(notdir $s))') '$(DESTDIR)$(TRACE_DIR)/carom-bt'
	$(call rmdirs,$(TRACE_DIR) $(DATADIR)/carom)

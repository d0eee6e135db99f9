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

# SPDX-License-Identifier: GPL-2.0
# The example walkers: for the kernel, natively, and their programs; and a server.

EXAMPLES := sorted hashtable
EXAMPLE_DIRS := $(EXAMPLES:%=$(O)/examples/%)
EXAMPLE_OBJS := $(foreach e,$(EXAMPLES),$(O)/examples/$e/$e.bpf.o)
EXAMPLE_NATIVE := $(EXAMPLE_OBJS:.bpf.o=.native.so)
EXAMPLE_PROGRAMS := $(EXAMPLE_DIRS:%=%/get)

all: $(EXAMPLE_OBJS) $(EXAMPLE_NATIVE) $(EXAMPLE_PROGRAMS)

$(EXAMPLE_OBJS): $(O)/%.bpf.o: %.bpf.c examples/rules.mk bpf/rules.mk | $(O)/.deps
	$(call say,BPF,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -MMD -MP -c -o $@ $<
	$(Q)$(LLVM_STRIP) -g $@

$(EXAMPLE_NATIVE:.so=.o): $(O)/%.native.o: %.bpf.c | $(O)/.deps
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -fPIC -MMD -MP -c -o $@ -x c $<

$(EXAMPLE_NATIVE): %.so: %.o
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -shared -o $@ $<

$(EXAMPLE_PROGRAMS:=.o): override CPPFLAGS += -D_GNU_SOURCE

# The walker is in the program, for what the kernel does not bring to an end.
$(foreach e,$(EXAMPLES),$(eval $(O)/examples/$e/get: $(O)/examples/$e/$e.native.o))
$(EXAMPLE_PROGRAMS): %: %.o
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^

# A server with libcarom inside.
KVD_SRCS := $(wildcard examples/kvd/*.c)
KVD_OBJS := $(KVD_SRCS:%.c=$(O)/%.o)

all: $(O)/examples/kvd/kvd

$(KVD_OBJS): override CPPFLAGS += -D_GNU_SOURCE -DCAROM_VERSION='"$(CAROM_VERSION)"'

$(O)/examples/kvd/kvd: $(KVD_OBJS) $(O)/libcarom.a
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -luring -lsqlite3 -lm -pthread
